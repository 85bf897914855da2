//! Mails by SendGrid's API (v3 Mail Send).
//!
//! It knows no idempotency keys and keeps no list that could be searched, so a mail without
//! an answer is sent again: one that comes twice does less harm than one that never comes.

use aisle_store::Db;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::{LocalBoxFuture, ready};
use http::Request;
use serde_json::{Value, json};
use spin_sdk::http::FullBody;

use super::{Found, Outcome, Outgoing, Provider, Silence, ask, variable};

pub struct SendGrid {
    url: String,
    key: String,
}

impl SendGrid {
    /// `None` without a key.
    pub async fn configured() -> Option<Self> {
        let one = Self {
            url: variable("mail_url").await,
            key: variable("mail_key").await,
        };
        (!one.key.is_empty()).then_some(one)
    }

    async fn post(&self, message: &Outgoing<'_>) -> Outcome {
        let Some(body) = mail(message) else {
            return Outcome::Retry {
                code: "no_sender".into(),
            };
        };
        let request = Request::post(format!("{}/v3/mail/send", self.url.trim_end_matches('/')))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .body(FullBody::new(Bytes::from(body.to_string())));
        let Ok(request) = request else {
            return Outcome::Retry {
                code: "configuration".into(),
            };
        };
        match ask(request).await {
            Ok(answer) => outcome(answer.status),
            Err(Silence::NotSent(why)) => Outcome::Retry { code: why.into() },
            Err(Silence::Unknown) => Outcome::Unknown,
        }
    }
}

impl Provider for SendGrid {
    fn name(&self) -> &'static str {
        "sendgrid"
    }

    fn send<'a>(&'a self, message: &'a Outgoing<'a>) -> LocalBoxFuture<'a, Outcome> {
        self.post(message).boxed_local()
    }

    fn find<'a>(&'a self, _message: &'a Outgoing<'a>, _db: &'a Db) -> LocalBoxFuture<'a, Found> {
        ready(Found::No).boxed_local()
    }
}

fn mail(message: &Outgoing<'_>) -> Option<Value> {
    let sender = &message.brand.policies.notification.sender;
    if sender.email_from.is_empty() {
        return None;
    }
    let name = match sender.email_name.as_str() {
        "" => &message.brand.name,
        name => name,
    };
    Some(json!({
        "personalizations": [{
            "to": [{"email": message.to}],
            "custom_args": {"message_id": message.id},
        }],
        "from": {"email": sender.email_from, "name": name},
        "subject": message.content.subject,
        "content": [{"type": "text/plain", "value": message.content.text}],
        // Links lead to the brand itself, and nobody is watched reading.
        "tracking_settings": {
            "click_tracking": {"enable": false, "enable_text": false},
            "open_tracking": {"enable": false},
        },
    }))
}

fn outcome(status: u16) -> Outcome {
    let code = format!("sendgrid_http_{status}");
    match status {
        200..=299 => Outcome::Accepted {
            reference: None,
            delivered: false,
        },
        401 | 403 | 404 | 429 | 500..=599 => Outcome::Retry { code },
        _ => Outcome::Refused { code },
    }
}
