//! Twilio, as far as its documentation describes the Messages resource: checks who calls and
//! every field, answers as it would, and signs what it calls back.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aisle_domain::instant::rfc3339;
use anyhow::{Context, Result};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};
use sha1::Sha1;

use crate::provider::{self, Reply};
use crate::{Answer, Client, Environment, Setup};

pub const ACCOUNT: &str = "AC00112233445566778899aabbccddeeff";
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// The brand's own number.
pub const SENDER: &str = "+4915799912345";

type Form = BTreeMap<String, String>;

/// What to do with the next request instead of taking it.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    /// An error with this status and code.
    Error(u16, i64),
    /// Takes it, and breaks before it says so.
    TakenWithoutAnswer,
    /// Breaks before it takes it.
    LostWithoutAnswer,
    /// Never stops answering.
    EndlessAnswer,
}

#[derive(Default)]
struct State {
    /// Messages that were taken: their fields, and `Sid`.
    taken: Vec<Form>,
    /// Others that it sent an hour ago, the latest first.
    earlier: Vec<Form>,
    troubles: VecDeque<Trouble>,
    requests: usize,
    lists: usize,
}

/// A running server; it ends with the test.
pub struct Twilio {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Twilio {
    pub async fn start() -> Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let address = provider::serve(move |head, body| {
            let mut state = shared.lock().expect("no test has panicked here");
            Some(answer(&mut state, head, body))
        })
        .await?;
        Ok(Self { address, state })
    }

    /// The variables that make an app send through this server.
    pub fn sends_for(&self, setup: Setup) -> Setup {
        setup
            .variable("sms_provider", "twilio")
            .variable("twilio_url", &format!("http://{}", self.address))
            .variable("twilio_account_sid", ACCOUNT)
            .variable("twilio_auth_token", TOKEN)
    }

    pub fn next(&self, trouble: Trouble) {
        self.state().troubles.push_back(trouble);
    }

    /// It has sent so many other messages to a number.
    pub fn has_texted(&self, number: &str, messages: usize) {
        let message = |place: usize| {
            Form::from([
                ("Sid".into(), format!("SM{:032x}", 0xffff + place)),
                ("To".into(), number.into()),
                ("From".into(), SENDER.into()),
                ("Body".into(), format!("An earlier text, the {place}th.")),
            ])
        };
        self.state().earlier.extend((0..messages).map(message));
    }

    /// The messages that were taken.
    pub fn taken(&self) -> Vec<Form> {
        self.state().taken.clone()
    }

    pub fn requests(&self) -> usize {
        self.state().requests
    }

    pub fn lists(&self) -> usize {
        self.state().lists
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no test has panicked here")
    }

    /// Reports a message's status to the URL that came with it.
    pub async fn report(
        &self,
        aisle: &Environment,
        message: &Form,
        status: &str,
        error: &str,
    ) -> Result<Answer> {
        let url = message.get("StatusCallback").context("no callback")?;
        let mut form = Form::from([
            ("AccountSid".into(), ACCOUNT.into()),
            ("ApiVersion".into(), "2010-04-01".into()),
            ("From".into(), SENDER.into()),
            ("MessageSid".into(), message["Sid"].clone()),
            ("MessageStatus".into(), status.into()),
            ("SmsSid".into(), message["Sid"].clone()),
            ("SmsStatus".into(), status.into()),
            ("To".into(), message["To"].clone()),
        ]);
        if !error.is_empty() {
            form.insert("ErrorCode".into(), error.into());
        }
        call_back(aisle, url, &form, &signature(TOKEN, url, &form)).await
    }
}

/// Calls `url` of an app wherever it really listens.
pub async fn call_back(
    aisle: &Environment,
    url: &str,
    form: &Form,
    signature: &str,
) -> Result<Answer> {
    post(aisle, url, encoded(form), signature).await
}

/// The same with fields as they are encoded already.
pub async fn post(
    aisle: &Environment,
    url: &str,
    fields: String,
    signature: &str,
) -> Result<Answer> {
    let (host, path) = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .context("no URL")?;
    let client = Client::with_authority(aisle.addr(), host);
    let call = client
        .post(&format!("/{path}"))
        .text("application/x-www-form-urlencoded", fields);
    match signature {
        "" => call.send().await,
        signature => call.header("x-twilio-signature", signature).send().await,
    }
}

/// `X-Twilio-Signature`, as the documentation has it.
pub fn signature(token: &str, url: &str, form: &Form) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("any key fits");
    mac.update(url.as_bytes());
    for (name, value) in form {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    BASE64.encode(&mac.finalize().into_bytes())
}

/// The body of a form with these names and values.
pub fn encoded<'a>(fields: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = fields
        .into_iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

fn decoded(text: &str) -> Form {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn answer(state: &mut State, head: &Parts, body: &[u8]) -> Reply {
    let credentials = format!(
        "Basic {}",
        BASE64.encode(format!("{ACCOUNT}:{TOKEN}").as_bytes())
    );
    let shown = head
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    state.requests += 1;
    if shown != Some(&credentials) {
        return error(401, 20_003);
    }
    if head.uri.path() != format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json") {
        return error(404, 20_404);
    }
    let trouble = state.troubles.pop_front();
    if head.method == http::Method::GET {
        state.lists += 1;
        return match trouble {
            Some(Trouble::EndlessAnswer) => provider::endless(200),
            _ => list(state, head),
        };
    }
    let form = decoded(&String::from_utf8_lossy(body));
    if let Some(code) = fault(&head.headers, &form) {
        return error(400, code);
    }
    match trouble {
        Some(Trouble::Error(status, code)) => return error(status, code),
        Some(Trouble::LostWithoutAnswer) => return error(502, 0),
        _ => {}
    }
    let mut form = form;
    form.insert("Sid".into(), format!("SM{:032x}", state.taken.len() + 1));
    state.taken.push(form.clone());
    match trouble {
        Some(Trouble::EndlessAnswer) => provider::endless(201),
        Some(_) => error(502, 0),
        None => provider::json(201, &resource(&form, now_s(), false)),
    }
}

/// A page of the list: by the date of sending, the latest first. What was taken waits to be
/// sent, so it has no such date yet: no filter by dates finds it, and it comes last.
fn list(state: &State, head: &Parts) -> Reply {
    const KNOWN: [&str; 5] = ["DateSent>", "Page", "PageSize", "PageToken", "To"];
    const AN_HOUR_S: u64 = 3_600;
    let wanted = decoded(head.uri.query().unwrap_or_default());
    let field = |name: &str| wanted.get(name).map_or("", String::as_str);
    let number = |name: &str, usual: usize| match field(name) {
        "" => Some(usual),
        text => text.parse().ok(),
    };
    let (Some(page), Some(size @ 1..=1_000)) = (number("Page", 0), number("PageSize", 50)) else {
        return error(400, 20_001);
    };
    if wanted.keys().any(|name| !KNOWN.contains(&name.as_str())) {
        return error(400, 20_001);
    }
    let sent_s = now_s() - AN_HOUR_S;
    let sent_on = rfc3339(sent_s as i64 * 1_000);
    let since = field("DateSent>");
    let sent = state.earlier.iter().filter(|_| since <= sent_on.as_str());
    let unsent = state.taken.iter().filter(|_| since.is_empty());
    let all: Vec<Value> = sent
        .map(|one| (one, sent_s, true))
        .chain(unsent.map(|one| (one, now_s(), false)))
        .filter(|(one, ..)| field("To").is_empty() || wanted.get("To") == one.get("To"))
        .map(|(one, created_s, is_sent)| resource(one, created_s, is_sent))
        .collect();
    let messages: Vec<&Value> = all.iter().skip(page * size).take(size).collect();
    let next = ((page + 1) * size < all.len()).then(|| {
        let mut query = wanted.clone();
        query.insert("Page".into(), (page + 1).to_string());
        query.insert("PageToken".into(), "PASM1".into());
        format!("{}?{}", head.uri.path(), encoded(&query))
    });
    provider::json(
        200,
        &json!({"messages": messages, "next_page_uri": next, "page": page, "page_size": size}),
    )
}

fn now_s() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

/// A date as RFC 2822 has it.
fn date(at_s: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let at = rfc3339(at_s as i64 * 1_000);
    let month: usize = at[5..7].parse().expect("a month");
    format!(
        "{}, {} {} {} {} +0000",
        DAYS[(at_s / 86_400 % 7) as usize],
        &at[8..10],
        MONTHS[month - 1],
        &at[..4],
        &at[11..19]
    )
}

/// What is wrong with the fields: the code of Twilio's that says so.
fn fault(headers: &http::HeaderMap, form: &Form) -> Option<i64> {
    let kind = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    let is_form = kind == Some("application/x-www-form-urlencoded");
    let known = [
        "Body",
        "From",
        "MessagingServiceSid",
        "StatusCallback",
        "To",
    ];
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let is_number = |text: &str| {
        text.strip_prefix('+').is_some_and(|digits| {
            (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        })
    };
    let one_sender = form.contains_key("From") != form.contains_key("MessagingServiceSid");
    if !is_form || form.keys().any(|name| !known.contains(&name.as_str())) {
        Some(20_001)
    } else if !is_number(field("To")) {
        Some(21_211)
    } else if !one_sender {
        Some(21_603)
    } else if form.contains_key("From") && field("From") != SENDER {
        Some(21_606)
    } else if field("Body").is_empty() || field("Body").chars().count() > 1_600 {
        Some(21_602)
    } else if !field("StatusCallback").starts_with("http") {
        Some(21_609)
    } else {
        None
    }
}

fn resource(form: &Form, created_s: u64, is_sent: bool) -> Value {
    let created = date(created_s);
    json!({
        "account_sid": ACCOUNT, "api_version": "2010-04-01", "body": form["Body"], "date_created": created,
        "date_sent": is_sent.then_some(&created), "date_updated": created, "direction": "outbound-api",
        "error_code": null, "error_message": null, "from": form.get("From"), "num_media": "0", "num_segments": "1",
        "sid": form["Sid"], "status": if is_sent { "delivered" } else { "queued" }, "to": form["To"],
    })
}

fn error(status: u16, code: i64) -> Reply {
    provider::json(
        status,
        &json!({"code": code, "message": "No.", "status": status}),
    )
}
