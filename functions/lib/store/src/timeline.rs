//! What happens to an order after it was placed: its timeline, and the event that tells others.

use aisle_domain::order::TimelineEntry;

use crate::{
    Batch, new_id,
    outbox::{self, Event},
    values,
};

/// Adds an entry to the order's timeline, and the outbox event `order.updated`.
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
}
