//! A text that cannot be delivered is mailed instead, once, where an address is known.

use aisle_domain::brand::Brand;
use aisle_domain::cart::Buyer;
use aisle_domain::contact::{self, Purpose};
use aisle_domain::invite::Scope;
use aisle_http::Error;
use aisle_store::{Batch, Db, changes, new_id, sha256_hex, values};
use serde::Deserialize;

/// A message that failed, and where it can be sent instead.
pub struct Fallback<'a> {
    brand: &'a Brand,
    id: String,
    order_id: Option<String>,
    /// Key and address of the mail instead.
    instead: Option<(String, String)>,
}

#[derive(Deserialize)]
struct OrderBuyer {
    #[serde(default)]
    buyer: Buyer,
}

impl<'a> Fallback<'a> {
    /// One call.
    pub async fn of(db: &Db, brand: &'a Brand, id: &str) -> Result<Self, Error> {
        let row = db
            .query_one_opt(
                "SELECT m.order_id, m.dedup_key, m.channel, m.purpose, m.template, m.fallback_of, o.doc, \
                   (SELECT k.address FROM order_contact k WHERE k.brand_id = m.brand_id AND k.order_id = m.order_id \
                      AND k.channel = 'email' AND k.ended_at_ms IS NULL ORDER BY k.created_at_ms LIMIT 1) AS contact, \
                   (SELECT 1 FROM order_contact k WHERE k.brand_id = m.brand_id AND k.order_id = m.order_id \
                      AND k.channel = 'email' AND k.ended_at_ms IS NOT NULL LIMIT 1) AS ended, \
                   (SELECT i.address FROM account_identity i WHERE i.brand_id = m.brand_id \
                      AND i.account_id = m.account_id AND i.kind = 'email' ORDER BY i.address LIMIT 1) AS identity \
                 FROM message m LEFT JOIN customer_order o ON o.brand_id = m.brand_id AND o.id = m.order_id \
                 WHERE m.brand_id = ?1 AND m.id = ?2",
                values![&brand.id, id],
            )
            .await?;
        let mut fallback = Self {
            brand,
            id: id.to_owned(),
            order_id: None,
            instead: None,
        };
        let Some(row) = row else {
            return Ok(fallback);
        };
        fallback.order_id = row.text_opt("order_id")?;
        let sent_elsewhere = row.text("channel")? == "sms"
            && !is_proof(&row.text("purpose")?, &row.text("template")?)
            && row.text_opt("fallback_of")?.is_none();
        if !sent_elsewhere {
            return Ok(fallback);
        }
        let buyer = row
            .json_opt::<OrderBuyer>("doc")?
            .and_then(|order| order.buyer.email);
        let buyer = buyer.filter(|_| brand.policies.notification.email_buyer);
        let buyer = buyer.and_then(|address| contact::email(&address).ok());
        let address = match (row.text_opt("contact")?, row.int_opt("ended")?) {
            // Whoever switched mails off is not to get them by another way.
            (None, Some(_)) => None,
            (contact, _) => contact.or(row.text_opt("identity")?).or(buyer),
        };
        let key = row.text("dedup_key")?;
        fallback.instead = address.map(|address| (mail_key(&key, id, &address), address));
        Ok(fallback)
    }

    /// Ends the message as failed when it is in one of these states, and queues the mail
    /// instead. The order's devices see it. A carrier may report after days: a link is mailed
    /// as long as it leads somewhere.
    pub fn fail(&self, batch: &mut Batch, code: &str, states: &str) {
        let brand_id = &self.brand.id;
        if let Some((key, address)) = &self.instead {
            batch.add(
                format!(
                    "INSERT INTO message (id, brand_id, dedup_key, channel, address, purpose, template, locale, params, \
                     order_id, account_id, invite_id, fallback_of, status, next_attempt_at_ms, expires_at_ms, \
                     created_at_ms, updated_at_ms) \
                     SELECT ?3, m.brand_id, ?4, 'email', ?5, m.purpose, m.template, m.locale, m.params, m.order_id, \
                     m.account_id, m.invite_id, m.id, 'queued', {{now}}, coalesce(i.expires_at_ms, m.expires_at_ms), \
                     {{now}}, {{now}} FROM message m LEFT JOIN invite i ON i.brand_id = m.brand_id AND i.id = m.invite_id \
                       AND i.claimed_at_ms IS NULL AND i.revoked_at_ms IS NULL \
                     WHERE m.brand_id = ?1 AND m.id = ?2 AND m.status IN ({states}) AND m.params <> '{{}}' \
                     AND (m.invite_id IS NULL OR i.id IS NOT NULL) \
                     ON CONFLICT (brand_id, dedup_key) DO NOTHING"
                ),
                values![brand_id, &self.id, new_id(), key, address],
            );
        }
        batch.add(
            format!(
                "UPDATE message SET status = 'failed', failure = ?3, params = '{{}}', updated_at_ms = {{now}} \
                 WHERE brand_id = ?1 AND id = ?2 AND status IN ({states})"
            ),
            values![brand_id, &self.id, code],
        );
        if let Some(order_id) = &self.order_id {
            changes::of_order(batch, brand_id, order_id);
        }
    }
}

/// Whether reading the message proves who has the number: then it is never sent elsewhere.
pub fn is_proof(purpose: &str, template: &str) -> bool {
    purpose == Purpose::Code.name() || template == Scope::Account.template()
}

/// News that are mailed anyway have the key of that mail, so that there is one.
fn mail_key(key: &str, id: &str, address: &str) -> String {
    match key.split_once("/sms/") {
        Some((news, _)) if news.starts_with("notice/") => notice_key(news, "email", address),
        _ => format!("fallback/{id}"),
    }
}

/// The key of the message about news (`notice/EVENT`) to an address.
pub fn notice_key(news: &str, channel: &str, address: &str) -> String {
    let digest = sha256_hex(address.as_bytes());
    format!("{news}/{channel}/{digest}")
}
