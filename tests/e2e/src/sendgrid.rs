//! SendGrid's v3 Mail Send, as its documentation describes it: checks who calls and every
//! field, refuses what it does not know, and answers as it would.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use http::request::Parts;
use http::{HeaderValue, Method};
use serde_json::{Map, Value, json};

use crate::Setup;
use crate::provider::{self, Reply};

pub const KEY: &str = "SG.0123456789abcdef.0123456789abcdef0123456789abcdef";
/// The only address that the account may send from.
pub const SENDER: &str = "shop@north.example";

/// Bytes of all custom arguments of a mail, at most.
const MAX_ARGUMENT_BYTES: usize = 10_000;

/// What to do with the next mail instead of taking it.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    /// An answer with this status.
    Status(u16),
    /// No answer at all.
    HangsUp,
    /// Takes it, and never stops answering.
    EndlessAnswer,
}

#[derive(Default)]
struct State {
    taken: Vec<Value>,
    faults: Vec<String>,
    troubles: VecDeque<Trouble>,
    requests: usize,
}

/// A running server; it ends with the test.
pub struct SendGrid {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl SendGrid {
    pub async fn start() -> Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let address = provider::serve(move |head, body| {
            let mut state = shared.lock().expect("no test has panicked here");
            answer(&mut state, head, body)
        })
        .await?;
        Ok(Self { address, state })
    }

    /// The variables that make an app send through this server.
    pub fn sends_for(&self, setup: Setup) -> Setup {
        setup
            .variable("mail_provider", "sendgrid")
            .variable("mail_url", &format!("http://{}", self.address))
            .variable("mail_key", KEY)
    }

    pub fn next(&self, trouble: Trouble) {
        self.state().troubles.push_back(trouble);
    }

    /// The mails that were taken.
    pub fn taken(&self) -> Vec<Value> {
        self.state().taken.clone()
    }

    /// What was wrong with requests that were refused.
    pub fn faults(&self) -> Vec<String> {
        self.state().faults.clone()
    }

    pub fn requests(&self) -> usize {
        self.state().requests
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no test has panicked here")
    }
}

fn answer(state: &mut State, head: &Parts, body: &[u8]) -> Option<Reply> {
    state.requests += 1;
    let refused = |state: &mut State, status: u16, fault: String| {
        state.faults.push(fault.clone());
        Some(error(status, &fault))
    };
    if head.uri.path() != "/v3/mail/send" {
        return refused(state, 404, format!("nothing at {}", head.uri));
    }
    if head.method != Method::POST {
        return refused(state, 405, format!("{} is not allowed", head.method));
    }
    if header(head, "authorization") != format!("Bearer {KEY}") {
        return refused(state, 401, "authorization required".into());
    }
    if header(head, "content-type") != "application/json" {
        return refused(state, 415, "the body is not JSON".into());
    }
    let mail: Value = match serde_json::from_slice(body) {
        Ok(mail) => mail,
        Err(error) => return refused(state, 400, error.to_string()),
    };
    if let Err(fault) = check(&mail) {
        return refused(state, 400, fault);
    }
    match state.troubles.pop_front() {
        Some(Trouble::HangsUp) => return None,
        // The real one repeats the field that it does not like, too.
        Some(Trouble::Status(status)) => return Some(error(status, &format!("no: {mail}"))),
        Some(Trouble::EndlessAnswer) => {
            state.taken.push(mail);
            return Some(provider::endless(202));
        }
        None => state.taken.push(mail),
    }
    let mut accepted = provider::empty(202);
    let id = format!("{:022}", state.taken.len());
    let id = HeaderValue::from_str(&id).expect("digits");
    accepted.headers_mut().insert("x-message-id", id);
    Some(accepted)
}

fn header<'a>(head: &'a Parts, name: &str) -> &'a str {
    let value = head.headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

fn error(status: u16, message: &str) -> Reply {
    let errors = json!({"errors": [{"message": message, "field": null, "help": null}]});
    let mut reply = provider::json(status, &errors);
    if status == 429 {
        for (name, value) in [
            ("limit", "600"),
            ("remaining", "0"),
            ("reset", "1392815263"),
        ] {
            let name = http::HeaderName::from_bytes(format!("x-ratelimit-{name}").as_bytes());
            let value = HeaderValue::from_static(value);
            reply.headers_mut().insert(name.expect("a name"), value);
        }
    }
    reply
}

/// What is wrong with a mail, if anything is.
fn check(mail: &Value) -> Result<(), String> {
    let mail = object(
        mail,
        "",
        &["personalizations", "from", "subject", "content"],
    )?;
    only(
        mail,
        "",
        &[
            "personalizations",
            "from",
            "subject",
            "content",
            "tracking_settings",
        ],
    )?;
    let envelopes = list(mail, "personalizations")?;
    if !(1..=1_000).contains(&envelopes.len()) {
        return Err("personalizations: not 1 to 1000".into());
    }
    for envelope in envelopes {
        let envelope = object(envelope, "personalizations", &["to"])?;
        only(envelope, "personalizations", &["to", "custom_args"])?;
        let to = list(envelope, "to")?;
        if to.is_empty() {
            return Err("personalizations.to: empty".into());
        }
        for person in to {
            address(person, "personalizations.to")?;
        }
        if let Some(arguments) = envelope.get("custom_args") {
            let arguments = object(arguments, "custom_args", &[])?;
            let bytes = Value::Object(arguments.clone()).to_string().len();
            if bytes > MAX_ARGUMENT_BYTES || !arguments.values().all(Value::is_string) {
                return Err("custom_args: too many, or no texts".into());
            }
        }
    }
    if address(&mail["from"], "from")? != SENDER {
        return Err("from: no verified sender".into());
    }
    filled(&mail["subject"], "subject")?;
    let contents = list(mail, "content")?;
    let mut kinds = Vec::new();
    for content in contents {
        let content = object(content, "content", &["type", "value"])?;
        only(content, "content", &["type", "value"])?;
        kinds.push(filled(&content["type"], "content.type")?);
        filled(&content["value"], "content.value")?;
    }
    // Plain text comes first, HTML after it.
    if !matches!(kinds[..], ["text/plain"] | ["text/plain", "text/html"]) {
        return Err(format!("content: {kinds:?}"));
    }
    mail.get("tracking_settings").map_or(Ok(()), tracking)
}

fn tracking(settings: &Value) -> Result<(), String> {
    let known = [
        ("click_tracking", &["enable", "enable_text"][..]),
        ("open_tracking", &["enable"]),
        ("subscription_tracking", &["enable"]),
    ];
    let settings = object(settings, "tracking_settings", &[])?;
    only(settings, "tracking_settings", &known.map(|(name, _)| name))?;
    for (name, switches) in known {
        let Some(setting) = settings.get(name) else {
            continue;
        };
        let setting = object(setting, name, &[])?;
        only(setting, name, switches)?;
        if !setting.values().all(Value::is_boolean) {
            return Err(format!("{name}: neither true nor false"));
        }
    }
    Ok(())
}

/// An object that has all of these members.
fn object<'a>(
    value: &'a Value,
    name: &str,
    needed: &[&str],
) -> Result<&'a Map<String, Value>, String> {
    let object = value.as_object().ok_or(format!("{name}: no object"))?;
    match needed.iter().find(|member| !object.contains_key(**member)) {
        Some(missing) => Err(format!("{name}: {missing} is missing")),
        None => Ok(object),
    }
}

fn only(object: &Map<String, Value>, name: &str, known: &[&str]) -> Result<(), String> {
    match object
        .keys()
        .find(|member| !known.contains(&member.as_str()))
    {
        Some(member) => Err(format!("{name}: {member} is not known")),
        None => Ok(()),
    }
}

fn list<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a Vec<Value>, String> {
    object[name].as_array().ok_or(format!("{name}: no list"))
}

fn filled<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.ok_or(format!("{name}: no text, or an empty one"))
}

/// The address in `{"email": …, "name": …}`, of which the name can be absent.
fn address<'a>(person: &'a Value, name: &str) -> Result<&'a str, String> {
    let person = object(person, name, &["email"])?;
    only(person, name, &["email", "name"])?;
    if let Some(called) = person.get("name") {
        filled(called, name)?;
    }
    let email = filled(&person["email"], name)?;
    match email.split_once('@') {
        Some((local, host)) if !local.is_empty() && host.contains('.') => Ok(email),
        _ => Err(format!("{name}: no address of mail")),
    }
}
