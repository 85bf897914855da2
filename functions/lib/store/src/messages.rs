//! Texts and mails on their way: whoever wants one sent writes it down in the batch that
//! makes it necessary, and the `messages` function sends it.

use aisle_domain::contact::{Channel, Purpose};

use crate::{Batch, new_id, sha256_hex, values};

/// A message to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage<'a> {
    pub brand_id: &'a str,
    /// The same for the same message: there is one for each key, ever.
    pub dedup_key: &'a str,
    pub channel: Channel,
    /// E.164, or an address of mail in lower case.
    pub address: &'a str,
    pub purpose: Purpose,
    /// Names the words, such as `code` or `order_ready`.
    pub template: &'a str,
    /// BCP 47, such as `de`.
    pub locale: &'a str,
    /// A JSON object of strings and numbers that fills the template.
    pub params: String,
    pub order_id: Option<&'a str>,
    pub account_id: Option<&'a str>,
    pub invite_id: Option<&'a str>,
    /// When it has not been sent by then, it is of no use any more.
    pub expires_in_ms: i64,
}

/// Adds the message as `queued`; one with the same key that exists is left as it is. Answers
/// its id. Wake the sender after the commit: `aisle_http::notify_messages`.
pub fn enqueue(batch: &mut Batch, message: &NewMessage<'_>) -> String {
    let id = new_id();
    batch.add(
        "INSERT INTO message (id, brand_id, dedup_key, channel, address, purpose, template, locale, params, \
         order_id, account_id, invite_id, status, next_attempt_at_ms, expires_at_ms, created_at_ms, updated_at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'queued', {now}, {now} + ?13, {now}, {now}) \
         ON CONFLICT (brand_id, dedup_key) DO NOTHING",
        values![
            &id,
            message.brand_id,
            message.dedup_key,
            message.channel.name(),
            message.address,
            message.purpose.name(),
            message.template,
            message.locale,
            &message.params,
            message.order_id,
            message.account_id,
            message.invite_id,
            message.expires_in_ms
        ],
    );
    id
}

/// What is left of an address when its person is forgotten: enough to know it again when
/// somebody shows it, for a refusal of messages (STOP) outlives whoever said it.
pub fn forgotten(brand_id: &str, channel: Channel, address: &str) -> String {
    let known = format!("{brand_id}/{}/{address}", channel.name());
    format!("sha256:{}", sha256_hex(known.as_bytes()))
}

/// By what the texts are counted that an `asker` has sent abroad, whatever for, so that none
/// uses up what the brand sends there in a day.
pub fn abroad_limit(brand_id: &str, asker: &str) -> String {
    format!("text/abroad/{brand_id}/{asker}")
}

/// Takes back a message that nobody has begun to send.
pub fn withdraw(batch: &mut Batch, brand_id: &str, dedup_key: &str) {
    batch.add(
        "UPDATE message SET status = 'suppressed', failure = 'withdrawn', params = '{}', updated_at_ms = {now} \
         WHERE brand_id = ?1 AND dedup_key = ?2 AND status = 'queued'",
        values![brand_id, dedup_key],
    );
}
