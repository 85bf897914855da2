//! Refunds in the database: what is owed is written with the decision that owes it; it is
//! given back later, by the provider or at a till, and written down again.

use aisle_domain::money;
use aisle_domain::order::{TimelineEntry, TimelineKind};
use aisle_domain::payment::RefundVerdict;

use crate::{
    Batch, Db, Row, StoreError,
    idempotency::{self, Claim, Outcome},
    incident, timeline, values,
};

/// How long a provider that was asked is waited for before it is asked again: 1 min, 2 min,
/// 4 min, … about 17 hours.
const BACKOFF_MS: i64 = 60_000;
const BACKOFF_DOUBLINGS: i64 = 10;

/// How much goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// All that was paid and has not been decided to go back before.
    All,
    /// So many minor units: must have been paid and not been decided to go back before.
    Minor(i64),
}

/// A decision that money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    pub brand_id: &'a str,
    pub order_id: &'a str,
    /// Names the decision among those about the order, such as `cancelled`, `not_collected`
    /// or `return:ID`. Each gives back once: the same again changes nothing.
    pub decision: &'a str,
    pub amount: Amount,
}

/// Adds what the decision gives back, as `due`, from the latest payment of the order to the
/// first, so much of each as is left of it. Nothing was paid or nothing goes back: no rows.
/// Of several decisions about one order at the same moment one waits for the other.
///
/// Unmet: the brand has no such order, or less is left of its payments than
/// [`Amount::Minor`] wants.
pub fn request(batch: &mut Batch, request: &Request) {
    let Request {
        brand_id,
        order_id,
        decision,
        amount,
    } = request;
    let wanted = match amount {
        Amount::All => money::MAX_MINOR,
        Amount::Minor(minor) => *minor,
    };
    batch.expect(
        1,
        "UPDATE customer_order SET updated_at_ms = {now} WHERE brand_id = ?1 AND id = ?2",
        values![*brand_id, *order_id],
    );
    batch.add(
        "INSERT INTO refund (brand_id, order_id, decision, payment_id, amount_minor, currency, status, \
         next_try_at_ms, requested_at_ms, updated_at_ms) \
         SELECT ?1, ?2, ?3, paid.id, CASE WHEN paid.left_minor < ?4 - paid.later_minor THEN paid.left_minor \
           ELSE ?4 - paid.later_minor END, paid.currency, 'due', {now}, {now}, {now} \
         FROM (SELECT own.id, own.currency, own.left_minor, \
             CAST(sum(own.left_minor) OVER (ORDER BY own.attempt DESC) AS BIGINT) - own.left_minor AS later_minor \
           FROM (SELECT p.id, p.currency, p.attempt, p.amount_minor - CAST(coalesce((SELECT sum(r.amount_minor) \
               FROM refund r WHERE r.payment_id = p.id), 0) AS BIGINT) AS left_minor \
             FROM payment p WHERE p.brand_id = ?1 AND p.order_id = ?2 AND p.status = 'authorised') own \
           WHERE own.left_minor > 0) paid \
         WHERE paid.later_minor < ?4 AND NOT EXISTS (SELECT 1 FROM refund known \
           WHERE known.brand_id = ?1 AND known.order_id = ?2 AND known.decision = ?3)",
        values![*brand_id, *order_id, *decision, wanted],
    );
    if let Amount::Minor(minor) = amount {
        batch.expect_rows(
            1,
            "SELECT 1 AS one FROM (SELECT CAST(coalesce(sum(amount_minor), 0) AS BIGINT) AS given_minor FROM refund \
             WHERE brand_id = ?1 AND order_id = ?2 AND decision = ?3) decided WHERE given_minor = ?4",
            values![*brand_id, *order_id, *decision, *minor],
        );
    }
}

/// A part of a refund that goes back to one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub brand_id: String,
    pub order_id: String,
    pub decision: String,
    pub payment_id: String,
    pub amount_minor: i64,
    pub currency: String,
    /// Of the payment: who was asked for it, under which number, and their reference.
    pub handler: String,
    pub attempt: i64,
    pub payment_reference: String,
    /// How often it was tried to be given back.
    pub tries: i64,
    /// Where somebody looks into it when it cannot go back: where the order is collected,
    /// else where its goods are from.
    pub location_id: Option<String>,
}

const PARTS: &str = "SELECT r.brand_id, r.order_id, r.decision, r.payment_id, r.amount_minor, r.currency, r.tries, \
     p.handler, p.attempt, coalesce(p.provider_reference, '') AS payment_reference, \
     coalesce((SELECT k.location_id FROM pickup k WHERE k.brand_id = r.brand_id AND k.order_id = r.order_id), \
       (SELECT min(a.location_id) FROM allocation a WHERE a.brand_id = r.brand_id AND a.order_id = r.order_id)) AS location_id \
     FROM refund r JOIN payment p ON p.id = r.payment_id";

impl Part {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            brand_id: row.text("brand_id")?,
            order_id: row.text("order_id")?,
            decision: row.text("decision")?,
            payment_id: row.text("payment_id")?,
            amount_minor: row.int("amount_minor")?,
            currency: row.text("currency")?,
            handler: row.text("handler")?,
            attempt: row.int("attempt")?,
            payment_reference: row.text("payment_reference")?,
            tries: row.int("tries")?,
            location_id: row.text_opt("location_id")?,
        })
    }

    fn backoff_ms(&self) -> i64 {
        BACKOFF_MS << self.tries.clamp(0, BACKOFF_DOUBLINGS)
    }
}

/// What providers of the `handler` are to be asked for now, the longest due first.
pub async fn due(db: &Db, handler: &str, limit: i64) -> Result<Vec<Part>, StoreError> {
    let sql = format!(
        "{PARTS} WHERE r.status = 'due' AND r.next_try_at_ms <= {{now}} AND p.handler = ?1 \
         ORDER BY r.next_try_at_ms, r.order_id, r.payment_id LIMIT ?2"
    );
    let rows = db.query(sql, values![handler, limit]).await?;
    rows.iter().map(Part::of).collect()
}

/// What is owed on an order and waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    /// Of the request's idempotency key.
    pub outcome: Outcome,
    pub parts: Vec<Part>,
}

/// What of an order's refunds no provider gives back: what was not paid through `handler`, and
/// what it refused. One call.
pub async fn by_hand(
    db: &Db,
    (brand_id, order_id): (&str, &str),
    handler: &str,
    claim: Option<&Claim>,
) -> Result<ByHand, StoreError> {
    let sql = format!(
        "SELECT owed.*, {} FROM (SELECT 1 AS one) probe {} LEFT JOIN ({PARTS} \
         WHERE r.brand_id = ?1 AND r.order_id = ?2 AND (r.status = 'refused' OR (r.status = 'due' AND p.handler <> ?3))) owed \
         ON owed.order_id = ?2 ORDER BY owed.decision, owed.payment_id",
        idempotency::COLUMNS,
        idempotency::join("?4", "?5"),
    );
    let mut params = values![brand_id, order_id, handler];
    params.extend(idempotency::params(claim));
    let rows = db.query(sql, params).await?;
    let mut found = ByHand {
        outcome: Outcome::Fresh,
        parts: Vec::new(),
    };
    for row in &rows {
        found.outcome = idempotency::outcome(claim, row)?;
        if row.text_opt("order_id")?.is_some() {
            found.parts.push(Part::of(row)?);
        }
    }
    Ok(found)
}

/// Notes that the provider is about to be asked, and when it is asked again if no verdict
/// is written by then. Unmet: somebody else is at it.
pub fn attempt(batch: &mut Batch, part: &Part) {
    batch.expect(
        1,
        "UPDATE refund SET tries = tries + 1, next_try_at_ms = {now} + ?6, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND order_id = ?2 AND decision = ?3 AND payment_id = ?4 AND tries = ?5 AND status = 'due'",
        values![
            &part.brand_id,
            &part.order_id,
            &part.decision,
            &part.payment_id,
            part.tries,
            part.backoff_ms()
        ],
    );
}

/// Writes the verdict down, in the order's timeline as well; a refusal is an incident, and
/// may be followed by a person who gives it back. Nothing to add when there is none yet.
/// Unmet: it was written before.
pub fn settle(batch: &mut Batch, part: &Part, verdict: &RefundVerdict) {
    let amount = money::readable(part.amount_minor, &part.currency);
    match verdict {
        RefundVerdict::Refunded { reference } => {
            set_status(batch, part, "paid", Some(reference));
            let text = format!("{amount} went back.");
            record(batch, part, TimelineKind::Refunded, &text);
        }
        RefundVerdict::Refused { reason } => {
            set_status(batch, part, "refused", None);
            let text =
                format!("{amount} could not go back the way they were paid. The store helps.");
            record(batch, part, TimelineKind::RefundFailed, &text);
            let doc = serde_json::json!({
                "decision": part.decision,
                "payment_id": part.payment_id,
                "amount_minor": part.amount_minor,
                "currency": part.currency,
                "reason": reason,
            });
            incident::record(
                batch,
                &part.brand_id,
                part.location_id.as_deref().unwrap_or_default(),
                "refund.refused",
                ("order", &part.order_id),
                &doc.to_string(),
            );
        }
        RefundVerdict::Unavailable => {}
    }
}

fn set_status(batch: &mut Batch, part: &Part, status: &str, reference: Option<&String>) {
    batch.expect(
        1,
        "UPDATE refund SET status = ?5, provider_reference = ?6, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND order_id = ?2 AND decision = ?3 AND payment_id = ?4 \
           AND (status = 'due' OR (status = 'refused' AND ?5 = 'paid'))",
        values![
            &part.brand_id,
            &part.order_id,
            &part.decision,
            &part.payment_id,
            status,
            reference.cloned()
        ],
    );
}

fn record(batch: &mut Batch, part: &Part, kind: TimelineKind, text: &str) {
    let entry = TimelineEntry {
        reasons: vec![part.decision.clone()],
        ..TimelineEntry::new(kind, text)
    };
    timeline::record(batch, &part.brand_id, &part.order_id, &entry);
}
