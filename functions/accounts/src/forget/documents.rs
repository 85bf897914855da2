//! The documents that know a person: orders, checkouts, carts, holds.

use aisle_domain::cart::Cart;
use aisle_domain::checkout::Session;
use aisle_domain::contact::Channel;
use aisle_domain::order::Order;
use aisle_http::{Call, Error};
use aisle_store::{Batch, BatchError, Row, StoreError, Value, carts, values};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{FORGOTTEN_INVITE, FORGOTTEN_MESSAGE};
use crate::belongings::{self, OWN_ORDERS};

/// Orders, checkouts and carts of one batch, of each kind.
const BATCH: i64 = 10;
/// Holds and addresses of a person, at most: a brand allows a few at a time.
const MAX_TRACES: i64 = 400;

/// A document that knows somebody.
struct Document {
    id: String,
    /// Without them.
    doc: String,
    version: i64,
}

/// What is written about a person in places that name no account.
pub struct Traces {
    /// Addresses that agreed to be told of what the account has.
    pub agreed: Vec<(Channel, String)>,
    holds: Vec<Document>,
}

impl Traces {
    /// One call.
    pub async fn of(call: &Call, brand_id: &str, account_id: &str) -> Result<Self, Error> {
        let dialect = call.db().dialect();
        let sql = format!(
            "SELECT 'hold' AS kind, h.id, h.doc, h.version FROM hold h WHERE h.brand_id || '' = ?1 AND h.id IN ({}) \
             UNION ALL SELECT DISTINCT c.channel, c.address, '', 0 FROM consent c \
               WHERE c.brand_id || '' = ?1 AND c.id IN ({}) AND c.address NOT LIKE 'sha256:%' LIMIT ?3",
            belongings::holds(dialect),
            belongings::consents(dialect)
        );
        let params = values![brand_id, account_id, MAX_TRACES];
        let mut traces = Self {
            agreed: Vec::new(),
            holds: Vec::new(),
        };
        for row in call.db().query(sql, params).await? {
            match Channel::parse(&row.text("kind")?) {
                Some(channel) => traces.agreed.push((channel, row.text("id")?)),
                None => {
                    let hold = Document::of(&row, aisle_domain::hold::Hold::redact)?;
                    traces.holds.push(hold);
                }
            }
        }
        Ok(traces)
    }

    /// Unmet when a hold has changed meanwhile.
    pub fn redact_holds(&self, batch: &mut Batch, brand_id: &str) {
        for hold in &self.holds {
            hold.write(batch, "hold", brand_id);
        }
    }
}

impl Document {
    fn of<T: DeserializeOwned + Serialize>(
        row: &Row,
        redact: impl FnOnce(&mut T),
    ) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            doc: redacted(row, redact)?,
            version: row.int("version")?,
        })
    }

    /// Unmet when it has changed since it was read. When it was changed last stays as it is:
    /// by that the retention finds it.
    fn write(&self, batch: &mut Batch, table: &str, brand_id: &str) {
        batch.expect(
            1,
            format!(
                "UPDATE {table} SET doc = ?4, version = version + 1 WHERE brand_id = ?1 AND id = ?2 AND version = ?3"
            ),
            values![brand_id, &self.id, self.version, &self.doc],
        );
    }
}

/// The row's document without whoever is in it.
pub fn redacted<T: DeserializeOwned + Serialize>(
    row: &Row,
    redact: impl FnOnce(&mut T),
) -> Result<String, StoreError> {
    let mut doc: T = row.json("doc")?;
    redact(&mut doc);
    serde_json::to_string(&doc).map_err(|error| StoreError::Bug(error.to_string()))
}

/// What one batch has come to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Nothing is left.
    Done,
    More,
    /// Something is being bought at this moment: it is gone through once that has ended.
    Waits,
}

/// One batch of what an account has.
pub async fn round(call: &Call, brand_id: &str, account_id: &str) -> Result<Round, Error> {
    let rows = read(call, brand_id, account_id).await?;
    let is_bought = |row: &Row| row.text("kind").is_ok_and(|kind| kind == "bought");
    let (bought, rows): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(is_bought);
    if rows.is_empty() && !bought.is_empty() {
        return Ok(Round::Waits);
    }
    let mut batch = Batch::new();
    let mut ids = vec![account_id.to_owned()];
    for row in &rows {
        let kind = row.text("kind")?;
        let id = row.text("id")?;
        match kind.as_str() {
            "order" => {
                Document::of(row, Order::redact)?.write(&mut batch, "customer_order", brand_id);
                order_documents(&mut batch, brand_id, &id);
                forget_owner(&mut batch, "account_order", "order_id", brand_id, &id);
            }
            "checkout" => {
                Document::of(row, Session::redact)?.write(&mut batch, "checkout_session", brand_id);
                forget_owner(
                    &mut batch,
                    "account_checkout",
                    "checkout_session_id",
                    brand_id,
                    &id,
                );
            }
            _ => {
                Document::of(row, Cart::redact)?.write(&mut batch, "cart", brand_id);
                cart_documents(&mut batch, brand_id, &id);
            }
        }
        ids.push(id);
    }
    forget_answers(call, &mut batch, brand_id, &ids);
    if rows.is_empty() {
        finish(&mut batch, brand_id, account_id);
    }
    match batch.commit(call.db()).await {
        Ok(_) if rows.is_empty() => Ok(Round::Done),
        // Unmet: changed meanwhile, and the next round reads it again.
        Ok(_) | Err(BatchError::Unmet { .. }) => Ok(Round::More),
        Err(error) => Err(error.into()),
    }
}

/// A few of each kind: one call. An order comes with its checkout, and that with its cart; what
/// is being bought at this moment is only named.
async fn read(call: &Call, brand_id: &str, account_id: &str) -> Result<Vec<Row>, Error> {
    let orders = format!(
        "SELECT n.id FROM ({OWN_ORDERS}) n JOIN customer_order nd ON nd.id = n.id AND nd.status <> 'pending' \
         ORDER BY n.id LIMIT ?3"
    );
    let sessions = format!(
        "SELECT o.checkout_session_id FROM customer_order o WHERE o.brand_id || '' = ?1 AND o.id IN ({orders}) \
         UNION SELECT x.id FROM (SELECT ac.checkout_session_id AS id FROM account_checkout ac \
           JOIN checkout_session cs ON cs.id = ac.checkout_session_id AND cs.status <> 'complete_in_progress' \
           WHERE ac.brand_id = ?1 AND ac.account_id = ?2 ORDER BY ac.checkout_session_id LIMIT ?3) x \
         UNION SELECT w.id FROM checkout_session w JOIN account_cart wc ON wc.brand_id = w.brand_id AND wc.cart_id = w.cart_id \
           WHERE wc.brand_id = ?1 AND wc.account_id = ?2"
    );
    let carts = format!(
        "SELECT s.cart_id FROM checkout_session s WHERE s.brand_id = ?1 AND s.cart_id IS NOT NULL AND s.id IN ({sessions}) \
         UNION SELECT y.id FROM (SELECT ac.cart_id AS id FROM account_cart ac WHERE ac.brand_id = ?1 AND ac.account_id = ?2) y \
         UNION SELECT z.id FROM (SELECT ch.subject_id AS id FROM account_change ch \
           JOIN cart cc ON cc.id = ch.subject_id AND cc.status <> 'merged' WHERE ch.brand_id = ?1 AND ch.account_id = ?2 AND ch.kind = 'cart' ORDER BY ch.subject_id LIMIT ?3) z"
    );
    let sql = format!(
        "SELECT 'order' AS kind, id, doc, version FROM customer_order WHERE brand_id || '' = ?1 AND id IN ({orders}) \
         UNION ALL SELECT 'checkout', id, doc, version FROM checkout_session WHERE brand_id = ?1 \
           AND status <> 'complete_in_progress' AND id IN ({sessions}) \
         UNION ALL SELECT 'cart', id, doc, version FROM cart WHERE brand_id = ?1 AND status <> 'merged' AND id IN ({carts}) \
           AND NOT EXISTS (SELECT 1 FROM checkout_session b WHERE b.brand_id = ?1 AND b.cart_id = cart.id \
             AND b.status = 'complete_in_progress') \
         UNION ALL SELECT 'bought', b.id, NULL, 0 FROM checkout_session b WHERE b.brand_id = ?1 \
           AND b.status = 'complete_in_progress' AND (b.id IN (SELECT bc.checkout_session_id FROM account_checkout bc \
             WHERE bc.brand_id = ?1 AND bc.account_id = ?2) OR b.cart_id IN (SELECT ba.cart_id FROM account_cart ba \
             WHERE ba.brand_id = ?1 AND ba.account_id = ?2))"
    );
    let params = values![brand_id, account_id, BATCH];
    Ok(call.db().query(sql, params).await?)
}

/// What is written about an order beside its document.
pub fn order_documents(batch: &mut Batch, brand_id: &str, order_id: &str) {
    let own = || values![brand_id, order_id];
    for table in ["order_contact", "notice", "pickup_person", "presence"] {
        batch.add(
            format!("DELETE FROM {table} WHERE brand_id = ?1 AND order_id = ?2"),
            own(),
        );
    }
    batch.add(
        format!("UPDATE message SET {FORGOTTEN_MESSAGE} WHERE brand_id = ?1 AND order_id = ?2"),
        own(),
    );
    forget_invites(batch, "order", brand_id, order_id);
    batch.add(
        "UPDATE outbox SET doc = '{}' WHERE brand_id = ?1 AND aggregate_id = ?2",
        own(),
    );
}

fn cart_documents(batch: &mut Batch, brand_id: &str, cart_id: &str) {
    let own = || values![brand_id, cart_id];
    carts::give_up_checkouts(batch, brand_id, cart_id);
    batch.add(
        "UPDATE cart SET status = 'canceled' WHERE brand_id = ?1 AND id = ?2 AND status = 'active'",
        own(),
    );
    for table in ["cart_version", "account_cart"] {
        batch.add(
            format!("DELETE FROM {table} WHERE brand_id = ?1 AND cart_id = ?2"),
            own(),
        );
    }
    batch.add(
        "DELETE FROM account_change WHERE brand_id = ?1 AND kind = 'cart' AND subject_id = ?2",
        own(),
    );
    forget_invites(batch, "cart", brand_id, cart_id);
}

fn forget_invites(batch: &mut Batch, scope: &str, brand_id: &str, subject_id: &str) {
    let own = || values![brand_id, scope, subject_id];
    batch.add(
        format!(
            "UPDATE message SET {FORGOTTEN_MESSAGE} WHERE brand_id = ?1 AND invite_id IN \
             (SELECT i.id FROM invite i WHERE i.brand_id = ?1 AND i.scope = ?2 AND i.subject_id = ?3)"
        ),
        own(),
    );
    batch.add(
        format!(
            "UPDATE invite SET {FORGOTTEN_INVITE} WHERE brand_id = ?1 AND scope = ?2 AND subject_id = ?3"
        ),
        own(),
    );
}

fn forget_owner(batch: &mut Batch, table: &str, column: &str, brand_id: &str, id: &str) {
    batch.add(
        format!("DELETE FROM {table} WHERE brand_id = ?1 AND {column} = ?2"),
        values![brand_id, id],
    );
}

/// Answers that are kept for repetitions, and that tell of any of these.
fn forget_answers(call: &Call, batch: &mut Batch, brand_id: &str, ids: &[String]) {
    let contains = call.db().dialect().pick("instr", "strpos");
    let mut params = values![format!("{brand_id}/")];
    let mut named = Vec::new();
    for id in ids {
        params.push(Value::from(id));
        named.push(format!("{contains}(response, ?{}) > 0", params.len()));
    }
    batch.add(
        format!(
            "UPDATE idempotency SET status_code = 410, response = '{{}}' \
             WHERE response IS NOT NULL AND {contains}(scope, ?1) = 1 AND ({})",
            named.join(" OR ")
        ),
        params,
    );
}

fn finish(batch: &mut Batch, brand_id: &str, account_id: &str) {
    batch.add(
        "DELETE FROM account_change WHERE brand_id = ?1 AND account_id = ?2",
        values![brand_id, account_id],
    );
    batch.add(
        "UPDATE account SET status = 'erased' WHERE brand_id = ?1 AND id = ?2 AND status = 'erasing'",
        values![brand_id, account_id],
    );
}
