//! What a message says: its template with its values, in its language.

use aisle_domain::brand::Brand;
use aisle_domain::contact::Channel;
use aisle_domain::notification::template::{self, Values};
use aisle_words::{Locale, date_time, money};
use serde_json::{Map, Value};

/// Words that are ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Of a mail.
    pub subject: String,
    pub text: String,
}

impl Content {
    /// `None` when there is no such template.
    pub fn of(
        brand: &Brand,
        name: &str,
        channel: Channel,
        locale: &str,
        params: &Map<String, Value>,
    ) -> Option<Self> {
        let policy = &brand.policies.notification;
        let (subject, text) = policy.words(name, channel, locale, &brand.language)?;
        let values = values(brand, locale, params);
        Some(match channel {
            Channel::Sms => Self {
                subject: String::new(),
                text: template::text(&text, &values),
            },
            Channel::Email => Self {
                subject: one_line(&template::fill(&subject, &values)),
                text: template::fill(&text, &values),
            },
        })
    }
}

/// Instants and amounts as people write them, the rest as it is given:
///
/// | parameter | value |
/// |---|---|
/// | `ready_at_ms`, `pickup_by_ms`, with `time_zone` | `when`, `until` |
/// | `amount_minor`, with `currency` | `amount` |
fn values(brand: &Brand, locale: &str, params: &Map<String, Value>) -> Values {
    let locale = Locale::parse(locale).or_else(|| Locale::parse(&brand.language));
    let locale = locale.unwrap_or_default();
    let text = |name: &str| params.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| params.get(name).and_then(Value::as_i64);
    let mut values = Values::from([("brand".into(), brand.name.clone())]);
    for (name, value) in params {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        values.insert(name.clone(), value);
    }
    for (parameter, name) in [("ready_at_ms", "when"), ("pickup_by_ms", "until")] {
        if let Some(at_ms) = number(parameter) {
            values.insert(name.into(), date_time(at_ms, text("time_zone"), locale));
        }
    }
    if let Some(amount_minor) = number("amount_minor") {
        values.insert(
            "amount".into(),
            money(amount_minor, text("currency"), locale),
        );
    }
    values
}

/// A header has one line.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}
