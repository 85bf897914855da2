//! What happens to an order after it was placed: its timeline, and the event that tells others.

use aisle_domain::order::TimelineEntry;

use crate::{
    Batch, changes, new_id,
    outbox::{self, Event},
    values,
};

/// Adds an entry to the order's timeline, and tells those who follow it: the outbox event
/// `order.updated`, and the devices of its account.
pub fn record(batch: &mut Batch, brand_id: &str, order_id: &str, entry: &TimelineEntry) {
    let doc = serde_json::to_string(entry).unwrap_or_default();
    batch.add(
        "INSERT INTO order_event (id, brand_id, order_id, type, doc, occurred_at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, {now})",
        values![new_id(), brand_id, order_id, entry.kind.name(), &doc],
    );
    outbox::event(
        batch,
        &Event {
            doc,
            ..Event::new(brand_id, "order.updated", order_id)
        },
    );
    changes::of_order(batch, brand_id, order_id);
}
