//! `POST /messages/preview`: what a template says with some values, before anybody gets it.

use aisle_domain::contact::Channel;
use aisle_domain::notification::template;
use aisle_domain::sms;
use aisle_http::{Call, Error, Reply, auth};
use aisle_ucp::message::{Preview, PreviewRequest};
use serde_json::{Map, Value};

use crate::content::Content;

const MAX_VALUES: usize = 32;
const MAX_VALUE_CHARS: usize = 500;

pub async fn preview(call: &Call) -> Result<Reply, Error> {
    let key = auth::admin(call, "admin").await?;
    let brand = call.brand().await?;
    key.for_brand(&brand.id)?;
    let wanted: PreviewRequest = call.json().await?;
    if template::known(&wanted.template).is_none() {
        return Err(Error::unprocessable(
            "unknown_template",
            "$.template",
            "there is no such template",
        ));
    }
    let values = given(wanted.values)?;
    let channel = wanted.channel.unwrap_or(Channel::Sms);
    let locale = wanted.locale.as_deref().unwrap_or(&brand.language);
    let content =
        Content::of(&brand, &wanted.template, channel, locale, &values).ok_or_else(|| {
            Error::unprocessable(
                "unknown_template",
                "$.template",
                "there is no such template",
            )
        })?;
    let size = (channel == Channel::Sms).then(|| sms::size(&content.text));
    let mail = channel == Channel::Email;
    Reply::json(
        200,
        &Preview {
            subject: mail.then_some(content.subject),
            text: content.text,
            encoding: size.map(|size| size.encoding.name().to_owned()),
            segments: size.map(|size| size.segments as i64),
        },
    )
}

/// Texts and numbers, of some length.
fn given(values: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let fits = |value: &Value| match value {
        Value::String(text) => text.chars().count() <= MAX_VALUE_CHARS,
        Value::Number(number) => number.as_i64().is_some(),
        _ => false,
    };
    if values.len() > MAX_VALUES || !values.values().all(fits) {
        let detail = "at most 32 texts of up to 500 characters, or whole numbers";
        return Err(Error::unprocessable("invalid_value", "$.values", detail));
    }
    Ok(values)
}
