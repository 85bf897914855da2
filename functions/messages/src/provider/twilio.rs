//! Texts by Twilio's REST API (Messages resource, version 2010-04-01).
//!
//! The API knows no idempotency keys, so a request without an answer is never just repeated.
//! Its callback names our message and settles the doubt; without one the account's list of
//! messages is searched: same number, same words, not known from another message.

use std::collections::HashSet;

use aisle_domain::brand::Brand;
use aisle_domain::instant::rfc3339;
use aisle_store::{Db, sha256_hex, values};
use bytes::Bytes;
use data_encoding::BASE64;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use spin_sdk::http::FullBody;

use super::{Answer, Found, Outcome, Outgoing, Provider, Silence, ask, variable};

/// The path of callbacks about messages, below the brand's origin.
pub const STATUS_PATH: &str = "/webhooks/sms/twilio/status";
/// Messages on one page of the list, and pages that are looked through, at most.
const PAGE_MESSAGES: &str = "100";
const MAX_PAGES: usize = 10;
/// "Attempt to send to unsubscribed recipient".
const UNSUBSCRIBED: i64 = 21_610;
const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

pub struct Twilio {
    url: String,
    account_sid: String,
    auth_token: String,
}

/// The part of a message that matters here.
#[derive(Deserialize)]
struct Message {
    sid: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    date_created: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Message>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    code: Option<i64>,
}

impl Twilio {
    /// `None` without an account.
    pub async fn configured() -> Option<Self> {
        let one = Self {
            url: variable("twilio_url").await,
            account_sid: variable("twilio_account_sid").await,
            auth_token: variable("twilio_auth_token").await,
        };
        (!one.account_sid.is_empty() && !one.auth_token.is_empty()).then_some(one)
    }

    fn messages_path(&self) -> String {
        format!("/2010-04-01/Accounts/{}/Messages.json", self.account_sid)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url.trim_end_matches('/'))
    }

    fn authorization(&self) -> String {
        let credentials = format!("{}:{}", self.account_sid, self.auth_token);
        format!("Basic {}", BASE64.encode(credentials.as_bytes()))
    }

    async fn create(&self, message: &Outgoing<'_>) -> Outcome {
        let Some(fields) = fields(message) else {
            return Outcome::Retry {
                code: "no_sender".into(),
            };
        };
        let request = Request::post(self.url(&self.messages_path()))
            .header("authorization", self.authorization())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(FullBody::new(Bytes::from(encoded(&fields))));
        let Ok(request) = request else {
            return Outcome::Retry {
                code: "configuration".into(),
            };
        };
        match ask(request).await {
            Ok(answer) => outcome(&answer),
            Err(Silence::NotSent(why)) => Outcome::Retry { code: why.into() },
            Err(Silence::Unknown) => Outcome::Unknown,
        }
    }

    /// The list is not filtered by the date of sending, which a message has not got before it
    /// was sent: then it would be missed, and texted again.
    async fn search(&self, message: &Outgoing<'_>, db: &Db) -> Found {
        // Around midnight the day may be another one than that of claiming.
        let since = rfc3339(message.claimed_at_ms - DAY_MS);
        let query = encoded(&[
            ("To", message.to.to_owned()),
            ("PageSize", PAGE_MESSAGES.to_owned()),
        ]);
        let mut path = format!("{}?{query}", self.messages_path());
        for _ in 0..MAX_PAGES {
            let Some(page) = self.list(&path).await else {
                return Found::Unsure;
            };
            let mut same = page.messages;
            same.retain(|one| one.says(&message.body_hash) && !one.is_older_than(&since));
            let candidates: Vec<String> = same.into_iter().map(|one| one.sid).collect();
            let Some(known) = known(db, &candidates).await else {
                return Found::Unsure;
            };
            if let Some(sid) = candidates.into_iter().find(|sid| !known.contains(sid)) {
                return Found::Yes {
                    reference: Some(sid),
                };
            }
            match page.next_page_uri {
                None => return Found::No,
                Some(next) if next.starts_with('/') => path = next,
                Some(_) => return Found::Unsure,
            }
        }
        Found::Unsure
    }

    async fn list(&self, path: &str) -> Option<Page> {
        let request = Request::get(self.url(path))
            .header("authorization", self.authorization())
            .header("accept", "application/json")
            .body(FullBody::new(Bytes::new()));
        let answer = ask(request.ok()?).await.ok()?;
        let page = (answer.status == 200).then_some(answer.body)?;
        serde_json::from_slice(&page).ok()
    }
}

impl Message {
    fn says(&self, body_hash: &str) -> bool {
        let body = self.body.as_deref().unwrap_or_default();
        sha256_hex(body.as_bytes()) == body_hash
    }

    /// Of a day before that of `since` (RFC 3339); not when its date cannot be read.
    fn is_older_than(&self, since: &str) -> bool {
        let created = self.date_created.as_deref().and_then(day);
        created.is_some_and(|day| Some(day.as_str()) < since.get(..10))
    }
}

/// The day of a date such as `Wed, 25 Nov 2026 13:27:33 +0000` (RFC 2822), as `2026-11-25`.
fn day(date: &str) -> Option<String> {
    let mut words = date.split_ascii_whitespace().skip(1);
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    Some(format!("{year}-{month:02}-{day:0>2}"))
}

impl Provider for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn send<'a>(&'a self, message: &'a Outgoing<'a>) -> LocalBoxFuture<'a, Outcome> {
        self.create(message).boxed_local()
    }

    fn find<'a>(&'a self, message: &'a Outgoing<'a>, db: &'a Db) -> LocalBoxFuture<'a, Found> {
        self.search(message, db).boxed_local()
    }
}

/// The form's fields; `None` when the brand does not say who sends.
fn fields(message: &Outgoing<'_>) -> Option<Vec<(&'static str, String)>> {
    let sender = &message.brand.policies.notification.sender;
    let from = if !sender.messaging_service_sid.is_empty() {
        ("MessagingServiceSid", sender.messaging_service_sid.clone())
    } else if !sender.sms_from.is_empty() {
        ("From", sender.sms_from.clone())
    } else {
        return None;
    };
    Some(vec![
        ("To", message.to.to_owned()),
        from,
        ("Body", message.content.text.clone()),
        ("StatusCallback", callback_url(message.brand, message.id)),
    ])
}

fn callback_url(brand: &Brand, id: &str) -> String {
    format!("{}{STATUS_PATH}?message={id}", brand.public_origin())
}

fn encoded(fields: &[(&str, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

fn outcome(answer: &Answer) -> Outcome {
    let code = || {
        let problem = serde_json::from_slice::<Problem>(&answer.body).ok();
        problem.and_then(|problem| problem.code)
    };
    let named = |code: Option<i64>| match code {
        Some(code) => format!("twilio_{code}"),
        None => format!("twilio_http_{}", answer.status),
    };
    match answer.status {
        200 | 201 => {
            let message = serde_json::from_slice::<Message>(&answer.body).ok();
            Outcome::Accepted {
                reference: message.map(|message| message.sid),
                delivered: false,
            }
        }
        400 => match code() {
            Some(UNSUBSCRIBED) => Outcome::OptedOut {
                code: named(Some(UNSUBSCRIBED)),
            },
            code => Outcome::Refused { code: named(code) },
        },
        // Nothing was taken: no right to, too much at once, or not now.
        401 | 403 | 404 | 429 | 503 => Outcome::Retry {
            code: named(code()),
        },
        status if (400..500).contains(&status) => Outcome::Refused {
            code: named(code()),
        },
        _ => Outcome::Unknown,
    }
}

/// Which of these messages of Twilio's are known to be others than the one in doubt.
async fn known(db: &Db, sids: &[String]) -> Option<HashSet<String>> {
    let wanted = db.dialect().among("?1");
    let sql = format!("SELECT provider_reference FROM message WHERE provider_reference {wanted}");
    let list = serde_json::Value::from(sids).to_string();
    let rows = db.query(sql, values![list]).await.ok()?;
    rows.iter()
        .map(|row| row.text("provider_reference").ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &'static str) -> Outcome {
        outcome(&Answer {
            status,
            body: Bytes::from_static(body.as_bytes()),
        })
    }

    #[test]
    fn an_answer_says_whether_to_try_again() {
        let accepted = Outcome::Accepted {
            reference: Some("SM1".into()),
            delivered: false,
        };
        assert_eq!(of(201, r#"{"sid": "SM1", "status": "queued"}"#), accepted);
        assert_eq!(
            of(400, r#"{"code": 21614}"#),
            Outcome::Refused {
                code: "twilio_21614".into()
            }
        );
        assert_eq!(
            of(400, r#"{"code": 21610}"#),
            Outcome::OptedOut {
                code: "twilio_21610".into()
            }
        );
        assert_eq!(
            of(429, r#"{"code": 20429}"#),
            Outcome::Retry {
                code: "twilio_20429".into()
            }
        );
        assert_eq!(
            of(503, ""),
            Outcome::Retry {
                code: "twilio_http_503".into()
            }
        );
        assert_eq!(
            of(401, ""),
            Outcome::Retry {
                code: "twilio_http_401".into()
            }
        );
        // It may have been taken before something broke.
        assert_eq!(of(500, ""), Outcome::Unknown);
        assert_eq!(of(502, ""), Outcome::Unknown);
    }

    #[test]
    fn only_what_is_surely_older_is_not_looked_at() {
        let older = |date: Option<&str>| {
            let message = Message {
                sid: "SM1".into(),
                body: None,
                date_created: date.map(str::to_owned),
            };
            message.is_older_than("2026-11-25T13:27:33Z")
        };
        assert!(older(Some("Tue, 24 Nov 2026 23:59:59 +0000")));
        assert!(older(Some("Fri, 4 Dec 2025 10:00:00 +0000")));
        assert!(!older(Some("Wed, 25 Nov 2026 00:00:00 +0000")));
        for unknown in [None, Some(""), Some("yesterday"), Some("Tue, 24 Nov")] {
            assert!(!older(unknown), "{unknown:?}");
        }
    }

    #[test]
    fn fields_are_encoded_as_forms_are() {
        let fields = [
            ("To", "+4915112345678".to_owned()),
            ("Body", "a b&c=ä".to_owned()),
        ];
        assert_eq!(
            encoded(&fields),
            "To=%2B4915112345678&Body=a%20b%26c%3D%C3%A4"
        );
    }
}
