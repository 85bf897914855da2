//! Messages that are due: read with what decides about them, claimed so that one process
//! sends them, and settled.

use std::collections::HashSet;

use aisle_domain::contact::{self, Channel, Purpose};
use aisle_domain::notification::Standing;
use aisle_http::Error;
use aisle_store::messages::forgotten;
use aisle_store::{Batch, Db, Row, StoreError, changes, sha256_hex, values};
use serde_json::{Map, Value};

/// Messages that are read and sent together.
pub const PAGE_ROWS: i64 = 20;

/// A message that is due.
pub struct Due {
    pub id: String,
    pub brand_id: String,
    pub channel: Channel,
    pub address: String,
    pub purpose: Purpose,
    pub template: String,
    pub locale: String,
    pub params: Map<String, Value>,
    pub is_fallback: bool,
    /// Somebody began to send it and did not say what became of it.
    pub in_doubt: bool,
    pub attempts: i64,
    pub created_at_ms: i64,
    pub expires_at_ms: i64,
    pub claimed_at_ms: i64,
    pub body_hash: String,
    consented: bool,
    wanted: bool,
    opted_out: bool,
    pub country: Option<String>,
    /// The database's clock.
    pub now_ms: i64,
}

impl Due {
    /// The next page, the one that has waited longest first. News of an order wait for the
    /// earlier ones to the same address.
    pub async fn page(db: &Db) -> Result<Vec<Self>, Error> {
        let rows = db
            .recall(
                "SELECT m.id, m.brand_id, m.channel, m.address, m.purpose, m.template, m.locale, m.params, \
                   m.fallback_of, m.status, m.attempts, m.created_at_ms, m.expires_at_ms, \
                   m.claimed_at_ms, m.body_hash, {now} AS now_ms, \
                   (SELECT c.decision FROM consent c WHERE c.brand_id = m.brand_id AND c.channel = m.channel \
                      AND c.address = m.address AND c.purpose IN (m.purpose, 'all') \
                      AND NOT EXISTS (SELECT 1 FROM consent_for f WHERE f.consent_id = c.id AND f.scope = 'order' \
                        AND f.subject_id <> m.order_id) \
                      ORDER BY c.at_ms DESC, c.id DESC LIMIT 1) AS decision, \
                   (SELECT 1 FROM order_contact k WHERE k.brand_id = m.brand_id AND k.order_id = m.order_id \
                      AND k.channel = m.channel AND k.address = m.address AND k.ended_at_ms IS NULL) AS wanted, \
                   (SELECT 1 FROM order_contact k WHERE k.brand_id = m.brand_id AND k.order_id = m.order_id \
                      AND k.channel = m.channel AND k.ended_at_ms IS NOT NULL LIMIT 1) AS ended \
                 FROM message m WHERE m.status IN ('queued', 'sending') AND m.next_attempt_at_ms <= {now} \
                   AND (m.purpose <> 'update' OR NOT EXISTS (SELECT 1 FROM message e \
                      WHERE e.brand_id = m.brand_id AND e.order_id = m.order_id AND e.channel = m.channel \
                        AND e.address = m.address AND e.purpose = 'update' AND e.status IN ('queued', 'sending') \
                        AND (e.created_at_ms < m.created_at_ms OR (e.created_at_ms = m.created_at_ms AND e.id < m.id)))) \
                 ORDER BY m.next_attempt_at_ms, m.id LIMIT ?1",
                values![PAGE_ROWS],
            )
            .await?;
        let mut page = rows.iter().map(Self::of).collect::<Result<Vec<_>, _>>()?;
        let refused = opted_out(db, &page).await?;
        for one in &mut page {
            one.opted_out = one.known_as().iter().any(|name| refused.contains(name));
        }
        Ok(page)
    }

    fn of(row: &Row) -> Result<Self, StoreError> {
        let (channel, purpose) = (row.text("channel")?, row.text("purpose")?);
        let unknown = |what: &str| StoreError::Bug(format!("message with {what}"));
        let channel = Channel::parse(&channel).ok_or_else(|| unknown(&channel))?;
        let address = row.text("address")?;
        let is_fallback = row.text_opt("fallback_of")?.is_some();
        Ok(Self {
            id: row.text("id")?,
            brand_id: row.text("brand_id")?,
            channel,
            country: (channel == Channel::Sms)
                .then(|| contact::country_of(&address))
                .flatten(),
            address,
            purpose: Purpose::parse(&purpose).ok_or_else(|| unknown(&purpose))?,
            template: row.text("template")?,
            locale: row.text("locale")?,
            params: row.json("params")?,
            is_fallback,
            in_doubt: row.text("status")? == "sending",
            attempts: row.int("attempts")?,
            created_at_ms: row.int("created_at_ms")?,
            expires_at_ms: row.int("expires_at_ms")?,
            claimed_at_ms: row.int_opt("claimed_at_ms")?.unwrap_or_default(),
            body_hash: row.text_opt("body_hash")?.unwrap_or_default(),
            consented: row.text_opt("decision")?.as_deref() == Some("given"),
            // What could not be texted is mailed without being asked for anew, unless somebody
            // has switched mails off.
            wanted: row.int_opt("wanted")?.is_some()
                || is_fallback && row.int_opt("ended")?.is_none(),
            opted_out: false,
            now_ms: row.int("now_ms")?,
        })
    }

    /// The address, and what is left of it when its person was forgotten.
    fn known_as(&self) -> [String; 2] {
        let digest = forgotten(&self.brand_id, self.channel, &self.address);
        let prefix = |address: &str| format!("{}/{}/{address}", self.brand_id, self.channel.name());
        [prefix(&self.address), prefix(&digest)]
    }

    pub fn standing(&self) -> Standing<'_> {
        Standing {
            channel: self.channel,
            purpose: self.purpose,
            country: self.country.as_deref(),
            opted_out: self.opted_out,
            consented: self.consented,
            wanted: self.wanted,
            created_at_ms: self.created_at_ms,
            expires_at_ms: self.expires_at_ms,
        }
    }

    /// Names this address in a limit without saying it.
    pub fn limit_name(&self) -> String {
        sha256_hex(self.address.as_bytes())
            .chars()
            .take(32)
            .collect()
    }
}

/// Which of the addresses want nothing, as [`Due::known_as`] names them.
async fn opted_out(db: &Db, page: &[Due]) -> Result<HashSet<String>, StoreError> {
    let addresses: Vec<String> = page
        .iter()
        .flat_map(|one| {
            [
                one.address.clone(),
                forgotten(&one.brand_id, one.channel, &one.address),
            ]
        })
        .collect();
    if addresses.is_empty() {
        return Ok(HashSet::new());
    }
    let wanted = db.dialect().among("?1");
    let sql = format!("SELECT brand_id, channel, address FROM opt_out WHERE address {wanted}");
    let rows = db
        .query(sql, values![Value::from(addresses).to_string()])
        .await?;
    let name = |row: &Row| {
        Ok(format!(
            "{}/{}/{}",
            row.text("brand_id")?,
            row.text("channel")?,
            row.text("address")?
        ))
    };
    rows.iter().map(name).collect()
}

/// Ends a message that is not to be sent: why.
pub fn suppress(batch: &mut Batch, id: &str, why: &str) {
    batch.add(
        "UPDATE message SET status = 'suppressed', failure = ?2, params = '{}', updated_at_ms = {now} \
         WHERE id = ?1 AND status = 'queued'",
        values![id, why],
    );
    changes::of_message(batch, id);
}

/// Puts a message off.
pub fn wait(batch: &mut Batch, id: &str, until_ms: i64, why: &str) {
    batch.add(
        "UPDATE message SET next_attempt_at_ms = ?2, failure = ?3, updated_at_ms = {now} \
         WHERE id = ?1 AND status = 'queued'",
        values![id, until_ms, why],
    );
}
