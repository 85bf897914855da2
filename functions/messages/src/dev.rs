//! `GET /dev/messages`: what the sandbox was given to send, as a page or, for who accepts
//! JSON, as a list. Only where the variable `dev_pages` says so, which is in development.

use aisle_http::{Call, Error, Reply};
use aisle_store::{Row, StoreError, values};
use serde::Serialize;

use crate::provider::variable;

/// The latest so many.
const ROWS: i64 = 100;

#[derive(Serialize)]
struct Message {
    id: String,
    channel: String,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    text: String,
    at: String,
}

pub async fn page(call: &Call) -> Result<Reply, Error> {
    if variable("dev_pages").await != "true" {
        return Err(call.not_found());
    }
    let brand = call.brand().await?;
    let rows = call
        .db()
        .query(
            "SELECT id, channel, address, subject, text, at_ms FROM sandbox_message WHERE brand_id = ?1 \
             ORDER BY at_ms DESC, id DESC LIMIT ?2",
            values![&brand.id, ROWS],
        )
        .await?;
    let messages = rows
        .iter()
        .map(Message::of)
        .collect::<Result<Vec<_>, _>>()?;
    let wants_json = call
        .header("accept")
        .is_some_and(|accept| accept.contains("json"));
    let reply = if wants_json {
        Reply::json(200, &serde_json::json!({ "messages": messages }))?
    } else {
        Reply::bytes(
            200,
            "text/html; charset=utf-8",
            html(&brand.name, &messages).into_bytes(),
        )
        .header(
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'",
        )
    };
    Ok(reply
        .header("cache-control", "no-store")
        .header("vary", "accept"))
}

impl Message {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            channel: row.text("channel")?,
            to: row.text("address")?,
            subject: row.text_opt("subject")?,
            text: row.text("text")?,
            at: aisle_domain::instant::rfc3339(row.int("at_ms")?),
        })
    }
}

fn html(brand: &str, messages: &[Message]) -> String {
    let entries: String = messages.iter().map(entry).collect();
    let entries = match messages {
        [] => "<p>Nothing was sent yet.</p>".to_owned(),
        _ => format!("<ol>{entries}</ol>"),
    };
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Messages of {brand}</title><style>body{{font:16px/1.5 system-ui;max-width:42rem;margin:2rem auto;padding:0 1rem}}\
         ol{{list-style:none;padding:0}}li{{border:1px solid #ccc;border-radius:.5rem;padding:.75rem 1rem;margin:1rem 0}}\
         p{{margin:.25rem 0;white-space:pre-wrap;overflow-wrap:anywhere}}small{{color:#595959}}</style>\
         <h1>Messages of {brand}</h1>{entries}</html>",
        brand = escaped(brand)
    )
}

fn entry(message: &Message) -> String {
    let subject = message.subject.as_deref().map_or(String::new(), |subject| {
        format!("<p><strong>{}</strong></p>", escaped(subject))
    });
    format!(
        "<li><small>{} to {}, {}</small>{subject}<p>{}</p></li>",
        escaped(&message.channel),
        escaped(&message.to),
        escaped(&message.at),
        linked(&message.text)
    )
}

/// The text with its links to follow.
fn linked(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let url = word.trim_end();
        let escaped_word = escaped(word);
        if url.starts_with("http://") || url.starts_with("https://") {
            format!("<a href=\"{}\">{escaped_word}</a>", escaped(url))
        } else {
            escaped_word
        }
    });
    words.collect()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
