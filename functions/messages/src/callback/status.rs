//! `POST /webhooks/sms/twilio/status`: what became of a text.
//!
//! The address that it calls names our message, so that a callback that is faster than the
//! answer to our request, or comes instead of it, is understood. A message ends once: what
//! comes later, or twice, has no effect.

use aisle_http::{Call, Error, Reply, after_response};
use aisle_store::{Batch, changes, values};

use super::Callback;
use crate::fallback::{Fallback, is_proof};
use crate::housekeeping;

/// States in which a message can still end.
const OPEN: &str = "'queued', 'sending', 'sent'";

pub async fn hear(call: Call) -> Result<Reply, Error> {
    let callback = Callback::of(&call).await?;
    let brand = &callback.brand;
    let sid = callback.text("MessageSid")?;
    let (id, is_proof) = message(&call, &brand.id, sid).await?;
    let mut batch = Batch::new();
    // It is the provider's now, whatever we thought of it.
    batch.add(
        "UPDATE message SET provider_reference = ?3 WHERE brand_id = ?1 AND id = ?2 AND provider_reference IS NULL AND address <> ''",
        values![&brand.id, &id, sid],
    );
    let mut failed = false;
    match callback.text("MessageStatus")? {
        "delivered" | "read" => {
            batch.add(
                format!(
                    "UPDATE message SET status = 'delivered', failure = NULL, params = '{{}}', updated_at_ms = {{now}} \
                     WHERE brand_id = ?1 AND id = ?2 AND status IN ({OPEN})"
                ),
                values![&brand.id, &id],
            );
        }
        "undelivered" | "failed" | "canceled" => {
            let fallback = Fallback::of(call.db(), brand, &id).await?;
            fallback.fail(&mut batch, &reason(callback.text("ErrorCode")?), OPEN);
            failed = true;
        }
        "accepted" | "scheduled" | "queued" | "sending" | "sent" => {
            batch.add(
                "UPDATE message SET status = 'sent', failure = NULL, params = CASE WHEN ?3 = 1 THEN '{}' ELSE params END, updated_at_ms = {now} \
                 WHERE brand_id = ?1 AND id = ?2 AND status IN ('queued', 'sending')",
                values![&brand.id, &id, is_proof],
            );
        }
        // A state that we do not know yet tells nothing.
        _ => {}
    }
    changes::of_message(&mut batch, &id);
    batch.commit(call.db()).await?;
    if failed {
        after_response(async move { housekeeping::work_after(&call).await });
    }
    Ok(Reply::empty(204))
}

/// The message that it is about, and whether that proves anything: 404 when the brand has none.
async fn message(call: &Call, brand_id: &str, sid: &str) -> Result<(String, bool), Error> {
    let named = call.query("message").unwrap_or_default();
    let row = call
        .db()
        .query_one_opt(
            "SELECT id, purpose, template FROM message WHERE brand_id = ?1 AND channel = 'sms' AND provider_reference = ?2 \
             UNION ALL SELECT id, purpose, template FROM message WHERE brand_id = ?1 AND channel = 'sms' AND id = ?3 \
               AND provider_reference IS NULL AND status IN ('queued', 'sending', 'sent') AND attempts > 0",
            values![brand_id, sid, named],
        )
        .await?;
    let row = row.filter(|_| !sid.is_empty());
    let row = row
        .ok_or_else(|| Error::not_found("message_not_found", "this brand has sent no such text"))?;
    let is_proof = is_proof(&row.text("purpose")?, &row.text("template")?);
    Ok((row.text("id")?, is_proof))
}

/// The provider's code, as far as it has the form of one.
fn reason(code: &str) -> String {
    let is_code = (1..=10).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    match is_code {
        true => format!("twilio_{code}"),
        false => "undelivered".into(),
    }
}
