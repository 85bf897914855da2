//! Layaways in the database: how one begins, is paid part by part, and ends. Every
//! statement begins with the layaway's row, so that whoever changes it goes one after the
//! other.

use aisle_domain::layaway::{Layaway, Schedule, Status};
use aisle_domain::order::{Order, TimelineEntry, TimelineKind};
use aisle_domain::plan::Allocation;
use serde::Serialize;

use crate::{
    Batch,
    outbox::{self, Event},
    refund::{self, Amount},
    stock::{self, Document},
    timeline, values,
};

/// A part of an order's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instalment<'a> {
    pub brand_id: &'a str,
    pub order_id: &'a str,
    /// From 1, the deposit first.
    pub position: i64,
    /// Minor units: must be what is due.
    pub amount_minor: i64,
}

/// Where and when the goods can be collected once all is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collection<'a> {
    pub location_id: &'a str,
    pub ready_at_ms: i64,
    pub pickup_by_ms: i64,
}

/// The layaway of an order that is confirmed, its first part paid by `payment_id`.
pub fn begin(
    batch: &mut Batch,
    brand_id: &str,
    order_id: &str,
    layaway: &Layaway,
    schedule: &Schedule,
    payment_id: &str,
) {
    batch.expect(
        1,
        "INSERT INTO layaway (brand_id, order_id, status, deadline_ms, doc, version, updated_at_ms) \
         VALUES (?1, ?2, 'active', ?3, ?4, 1, {now}) ON CONFLICT DO NOTHING",
        values![brand_id, order_id, schedule.deadline_ms, json(layaway)],
    );
    batch.expect(
        schedule.parts.len() as u64,
        (
            "INSERT INTO instalment (brand_id, order_id, position, due_at_ms, amount_minor, status, payment_id) \
             SELECT ?1, ?2, value ->> 'position', value ->> 'due_at_ms', value ->> 'amount_minor', \
             CASE value ->> 'position' WHEN 1 THEN 'paid' ELSE 'due' END, CASE value ->> 'position' WHEN 1 THEN ?4 END \
             FROM json_each(?3)",
            "INSERT INTO instalment (brand_id, order_id, position, due_at_ms, amount_minor, status, payment_id) \
             SELECT ?1, ?2, position, due_at_ms, amount_minor, \
             CASE position WHEN 1 THEN 'paid' ELSE 'due' END, CASE position WHEN 1 THEN ?4 END \
             FROM jsonb_to_recordset(?3::jsonb) AS part (position BIGINT, due_at_ms BIGINT, amount_minor BIGINT)",
        ),
        values![brand_id, order_id, json(&schedule.parts), payment_id],
    );
    changed(batch, brand_id, order_id);
}

/// Claims a part that is due, and before which no other is, for the payment `payment_id`
/// whose verdict is not known yet: until then nobody else can pay it, nor the layaway end.
/// The deadline must not have passed.
pub fn claim(batch: &mut Batch, part: &Instalment, payment_id: &str) {
    batch.expect(
        1,
        "UPDATE layaway SET version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND order_id = ?2 AND status = 'active' AND deadline_ms > {now}",
        values![part.brand_id, part.order_id],
    );
    batch.expect(
        1,
        "UPDATE instalment SET payment_id = ?5 WHERE brand_id = ?1 AND order_id = ?2 AND position = ?3 \
         AND amount_minor = ?4 AND status = 'due' AND payment_id IS NULL AND NOT EXISTS (\
           SELECT 1 FROM instalment earlier WHERE earlier.brand_id = ?1 AND earlier.order_id = ?2 \
             AND earlier.position < ?3 AND earlier.status = 'due')",
        values![
            part.brand_id,
            part.order_id,
            part.position,
            part.amount_minor,
            payment_id
        ],
    );
}

/// Gives a claim back, after the payment was declined.
pub fn unclaim(batch: &mut Batch, brand_id: &str, order_id: &str, payment_id: &str) {
    batch.expect(
        1,
        "UPDATE instalment SET payment_id = NULL \
         WHERE brand_id = ?1 AND order_id = ?2 AND payment_id = ?3 AND status = 'due'",
        values![brand_id, order_id, payment_id],
    );
}

/// A part is paid, by the payment that claimed it, or by `payment_id` where none did and
/// nothing before it is due. When it was the last, the layaway is paid and the order is to
/// be prepared for its `collection`.
///
/// Unmet: the layaway is over, the part is paid or being paid, or an earlier one is due.
pub fn pay(
    batch: &mut Batch,
    part: &Instalment,
    payment_id: &str,
    collection: Option<&Collection>,
) {
    let (brand_id, order_id) = (part.brand_id, part.order_id);
    batch.expect(
        1,
        "UPDATE layaway SET version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND order_id = ?2 AND status = 'active'",
        values![brand_id, order_id],
    );
    batch.expect(
        1,
        "UPDATE instalment SET status = 'paid', payment_id = ?5 WHERE brand_id = ?1 AND order_id = ?2 \
         AND position = ?3 AND amount_minor = ?4 AND status = 'due' AND coalesce(payment_id, ?5) = ?5 AND NOT EXISTS (\
           SELECT 1 FROM instalment earlier WHERE earlier.brand_id = ?1 AND earlier.order_id = ?2 \
             AND earlier.position < ?3 AND earlier.status = 'due')",
        values![
            brand_id,
            order_id,
            part.position,
            part.amount_minor,
            payment_id
        ],
    );
    batch.add(
        "UPDATE layaway SET status = 'paid' WHERE brand_id = ?1 AND order_id = ?2 AND status = 'active' \
         AND NOT EXISTS (SELECT 1 FROM instalment open_part WHERE open_part.brand_id = ?1 \
           AND open_part.order_id = ?2 AND open_part.status = 'due')",
        values![brand_id, order_id],
    );
    if let Some(place) = collection {
        batch.add(
            "INSERT INTO pickup (brand_id, order_id, location_id, status, ready_at_ms, pickup_by_ms, version, updated_at_ms) \
             SELECT l.brand_id, l.order_id, ?3, CASE WHEN EXISTS (SELECT 1 FROM transfer t WHERE t.brand_id = ?1 \
               AND t.for_type = 'order' AND t.for_id = ?2 AND t.status IN ('requested', 'approved', 'picking', 'in_transit')) \
               THEN 'awaiting_transfer' ELSE 'preparing' END, ?4, ?5, 1, {now} \
             FROM layaway l WHERE l.brand_id = ?1 AND l.order_id = ?2 AND l.status = 'paid' ON CONFLICT DO NOTHING",
            values![
                brand_id,
                order_id,
                place.location_id,
                place.ready_at_ms,
                place.pickup_by_ms
            ],
        );
    }
    let text = format!("Part {} is paid.", part.position);
    let entry = TimelineEntry::new(TimelineKind::InstalmentPaid, text);
    timeline::record(batch, brand_id, order_id, &entry);
    changed(batch, brand_id, order_id);
}

/// How a layaway ends unpaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending<'a> {
    pub brand_id: &'a str,
    /// As it is then: nothing more of it is handed over.
    pub order: &'a Order,
    /// As it was read.
    pub order_version: i64,
    /// As it was read: another change means that the settlement may be wrong.
    pub version: i64,
    /// With its settlement.
    pub layaway: &'a Layaway,
    /// What the order still holds.
    pub allocations: &'a [Allocation],
}

/// Ends it: the order says so, the parts that are due are not any more, the order is cancelled, its goods are
/// free, and what the settlement owes goes back. A default must be past its deadline. Unmet while a part is being paid.
pub fn end(batch: &mut Batch, ending: &Ending, status: Status, description: &str) {
    let (brand_id, order_id) = (ending.brand_id, ending.order.id.as_str());
    batch.expect(
        1,
        "UPDATE layaway SET status = ?4, doc = ?5, version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND order_id = ?2 AND version = ?3 AND status = 'active' \
           AND (?4 <> 'defaulted' OR deadline_ms <= {now}) \
           AND NOT EXISTS (SELECT 1 FROM instalment claimed WHERE claimed.brand_id = ?1 AND claimed.order_id = ?2 \
             AND claimed.status = 'due' AND claimed.payment_id IS NOT NULL)",
        values![
            brand_id,
            order_id,
            ending.version,
            status.name(),
            json(ending.layaway)
        ],
    );
    batch.add(
        "UPDATE instalment SET status = 'cancelled' WHERE brand_id = ?1 AND order_id = ?2 AND status = 'due'",
        values![brand_id, order_id],
    );
    batch.expect(
        1,
        "UPDATE customer_order SET status = 'cancelled', doc = ?4, version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'confirmed'",
        values![brand_id, order_id, ending.order_version, json(ending.order)],
    );
    if !ending.allocations.is_empty() {
        stock::release(
            batch,
            brand_id,
            Document::order(order_id),
            ending.allocations,
        );
    }
    let decision = format!("layaway_{}", status.name());
    if let Some(settlement) = ending.layaway.settlement {
        refund::request(
            batch,
            &refund::Request {
                brand_id,
                order_id,
                decision: &decision,
                amount: Amount::Minor(settlement.refund_due_minor),
            },
        );
    }
    let entry = TimelineEntry {
        reasons: vec![decision],
        ..TimelineEntry::new(TimelineKind::Cancelled, description)
    };
    timeline::record(batch, brand_id, order_id, &entry);
    changed(batch, brand_id, order_id);
}

/// Reminds of a part that is due, once.
pub fn remind(batch: &mut Batch, part: &Instalment, description: &str) {
    batch.expect(
        1,
        "UPDATE instalment SET reminded_at_ms = {now} WHERE brand_id = ?1 AND order_id = ?2 AND position = ?3 \
         AND amount_minor = ?4 AND status = 'due' AND reminded_at_ms IS NULL",
        values![
            part.brand_id,
            part.order_id,
            part.position,
            part.amount_minor
        ],
    );
    let entry = TimelineEntry::new(TimelineKind::InstalmentReminder, description);
    timeline::record(batch, part.brand_id, part.order_id, &entry);
    changed(batch, part.brand_id, part.order_id);
}

fn changed(batch: &mut Batch, brand_id: &str, order_id: &str) {
    outbox::event(batch, &Event::new(brand_id, "layaway.changed", order_id));
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
