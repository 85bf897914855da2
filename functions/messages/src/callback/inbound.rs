//! `POST /webhooks/sms/twilio/inbound`: what a shopper texts back. STOP, START and HELP, and
//! their like in other languages, are obeyed at once, for the brand that was texted.

use aisle_domain::contact::{Channel, is_e164};
use aisle_domain::notification::{Keyword, keyword};
use aisle_http::{Call, Error, Reply};
use aisle_store::idempotency::Claim;
use aisle_store::messages::forgotten;
use aisle_store::{Batch, Consent, changes, values};
use serde_json::{Map, json};

use super::Callback;
use crate::content::Content;

/// What the records say about an agreement by a keyword.
const WORDING: &str = "keyword";

pub async fn hear(call: &Call) -> Result<Reply, Error> {
    let callback = Callback::of(call).await?;
    let from = callback.text("From")?;
    let by_provider = callback.text("OptOutType")?;
    let word = match by_provider {
        "" => keyword(callback.text("Body")?),
        known => keyword(known),
    };
    let Some(word) = word.filter(|_| is_e164(from)) else {
        return Ok(twiml(None));
    };
    let brand_id = &callback.brand.id;
    let mut batch = Batch::new();
    let claim = Claim::new(
        format!("{brand_id}/sms-inbound"),
        callback.text("MessageSid")?,
        call.method(),
        call.path(),
        &[],
    );
    claim.insert(&mut batch, Some((200, "{}")));
    match word {
        Keyword::Stop => stop(&mut batch, brand_id, from),
        Keyword::Start => start(&mut batch, brand_id, from),
        Keyword::Help => {}
    }
    match batch.commit(call.db()).await {
        Ok(_) => {}
        // It has come before, and was obeyed then.
        Err(error) if error.unmet_at(0) => {}
        Err(error) => return Err(error.into()),
    }
    // With its own opt-out management switched on, the provider has answered already.
    Ok(twiml(
        by_provider
            .is_empty()
            .then(|| answer(&callback, word))
            .flatten(),
    ))
}

fn stop(batch: &mut Batch, brand_id: &str, from: &str) {
    batch.add(
        "INSERT INTO opt_out (brand_id, channel, address, since_ms) VALUES (?1, 'sms', ?2, {now}) \
         ON CONFLICT DO NOTHING",
        values![brand_id, from],
    );
    agreement(batch, brand_id, from, false);
    // The same instant as the refusal's, by which START knows them again.
    batch.add(
        "UPDATE order_contact SET ended_at_ms = (SELECT o.since_ms FROM opt_out o \
           WHERE o.brand_id = ?1 AND o.channel = 'sms' AND o.address = ?2) \
         WHERE brand_id = ?1 AND channel = 'sms' AND address = ?2 AND ended_at_ms IS NULL",
        values![brand_id, from],
    );
    let waiting =
        "m.brand_id = ?1 AND m.channel = 'sms' AND m.address = ?2 AND m.status = 'queued'";
    changes::of_messages(batch, waiting, values![brand_id, from]);
    batch.add(
        "UPDATE message SET status = 'suppressed', failure = 'opted_out', params = '{}', updated_at_ms = {now} \
         WHERE brand_id = ?1 AND channel = 'sms' AND address = ?2 AND status = 'queued'",
        values![brand_id, from],
    );
}

fn start(batch: &mut Batch, brand_id: &str, from: &str) {
    agreement(batch, brand_id, from, true);
    batch.add(
        "UPDATE order_contact SET ended_at_ms = NULL \
         WHERE brand_id = ?1 AND channel = 'sms' AND address = ?2 AND ended_at_ms = (SELECT o.since_ms FROM opt_out o \
           WHERE o.brand_id = ?1 AND o.channel = 'sms' AND o.address = ?2)",
        values![brand_id, from],
    );
    batch.add(
        "DELETE FROM opt_out WHERE brand_id = ?1 AND channel = 'sms' AND address IN (?2, ?3)",
        values![brand_id, from, forgotten(brand_id, Channel::Sms, from)],
    );
}

fn agreement(batch: &mut Batch, brand_id: &str, from: &str, given: bool) {
    let word = Consent {
        brand_id,
        channel: Channel::Sms,
        address: from,
        purpose: None,
        wording_version: WORDING,
        given,
        source: "sms_keyword",
        about: None,
    };
    word.record(batch);
}

fn answer(callback: &Callback, word: Keyword) -> Option<String> {
    let brand = &callback.brand;
    let template = match word {
        Keyword::Stop => "stopped",
        Keyword::Start => "started",
        Keyword::Help => "help",
    };
    let params = Map::from_iter([("link".to_owned(), json!(brand.public_origin()))]);
    let content = Content::of(brand, template, Channel::Sms, &brand.language, &params)?;
    Some(content.text)
}

/// TwiML that texts back, or does nothing.
fn twiml(text: Option<String>) -> Reply {
    let said = text.map_or(String::new(), |text| {
        let escaped = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        format!("<Message>{escaped}</Message>")
    });
    let document = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{said}</Response>");
    Reply::bytes(200, "text/xml; charset=utf-8", document.into_bytes())
}
