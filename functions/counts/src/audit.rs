//! Who did it and what changed, in the batch that changed it.

use aisle_store::Batch;
use aisle_store::audit::{Actor, record};
use aisle_store::outbox::{self, Event};
use serde_json::Value;

/// Notes that `actor` did `action` to a count, a delivery or a balance.
pub fn noted(batch: &mut Batch, actor: Actor<'_>, action: &str, subject: (&str, &str), doc: Value) {
    record(batch, actor, action, subject, &doc.to_string());
}

/// The same for a count, whose change others want to hear of.
pub fn counted(batch: &mut Batch, actor: Actor<'_>, action: &str, id: &str, doc: Value) {
    noted(batch, actor, action, ("count", id), doc);
    outbox::event(batch, &Event::new(actor.brand_id, "count.changed", id));
}
