(()=>{
const main=document.getElementById("main"),live=document.getElementById("live"),page=location.pathname;
const root=()=>main.querySelector("[data-version]");
let timer,due=0,busy=false;
const quiet=()=>{const at=document.activeElement;return!main.contains(at)||!/^(INPUT|SELECT)$/.test(at.tagName)};
const show=html=>{
const box=document.createElement("template");box.innerHTML=html;
const next=box.content.querySelector("[data-version]");
if(!next)return;
const open=[...main.querySelectorAll("details[open][id]")].map(d=>d.id),at=document.activeElement&&document.activeElement.id;
const before=(main.querySelector("h1")||{}).textContent,lead=(main.querySelector(".lead")||{}).textContent;
main.replaceChildren(box.content);
open.forEach(id=>{const d=document.getElementById(id);if(d)d.open=true});
if(at){const same=document.getElementById(at);if(same&&main.contains(same))same.focus({preventScroll:true})}
const title=(main.querySelector("h1")||{}).textContent,now=(main.querySelector(".lead")||{}).textContent;
if(title!==before||now!==lead)live.textContent=[title,now].filter(Boolean).join(". ");
plan()};
const refresh=async()=>{
if(busy)return;busy=true;
try{const answer=await fetch(page+"?part=main",{headers:{accept:"text/html"}});
if(answer.ok&&!answer.redirected)show(await answer.text())}catch{}
busy=false};
const renew=async()=>{
const form=document.getElementById("renew");
if(!form||document.hidden)return;
try{await fetch(form.action,{method:"POST",body:new URLSearchParams(new FormData(form)),redirect:"manual"})}catch{}
refresh()};
const plan=()=>{
clearTimeout(timer);
const pass=main.querySelector("[data-renew-ms]");
if(!pass)return;
const wait=Math.max(1000,Number(pass.dataset.renewMs));
due=Date.now()+wait;timer=setTimeout(renew,wait)};
let wanted=false;
const changed=event=>{
const now=root();
if(!now||event.lastEventId===now.dataset.version)return;
if(quiet())refresh();else wanted=true};
main.addEventListener("focusout",()=>setTimeout(()=>{if(wanted&&quiet()){wanted=false;refresh()}}));
document.addEventListener("visibilitychange",()=>{if(document.hidden)return;
if(main.querySelector("[data-renew-ms]")&&Date.now()>=due)renew();else refresh()});
const events=root()&&root().dataset.events;
let wait=15e3;
const listen=()=>{
const source=new EventSource(events);
source.addEventListener("order",changed);
source.onerror=()=>{if(source.readyState===2)setTimeout(listen,wait*=2)}};
if(events&&window.EventSource)listen();
const notice=document.getElementById("notice");
if(notice)notice.focus();
if(location.search)history.replaceState(null,"",page);
plan()})();
