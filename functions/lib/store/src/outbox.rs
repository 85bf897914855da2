//! The outbox: what happened, written in the batch that made it happen.

use crate::{Batch, new_id, values};

/// An event to be. The relay reads it back in order and refreshes what it concerns.
///
/// | `kind` | `aggregate_type` | `aggregate_id` |
/// |---|---|---|
/// | `product.changed` | `product` | product id |
/// | `stock.changed` (`locations`: the ids of those whose balance changed) | `stock` | SKU |
/// | `location.changed` | `location` | location id |
/// | `brand.changed` | `brand` | brand id |
/// | `order.created`, `order.confirmed`, `order.declined` | `order` | order id |
/// | `transfer.changed`, `transfer.slipped` | `transfer` | transfer id |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    pub brand_id: &'a str,
    pub aggregate_type: &'a str,
    pub aggregate_id: &'a str,
    pub kind: &'a str,
    /// A JSON document with what a consumer needs beside the id; `{}` when nothing.
    pub doc: String,
}

impl<'a> Event<'a> {
    /// An event of the kind `TYPE.what`, whose part before the dot is the aggregate's type.
    pub fn new(brand_id: &'a str, kind: &'a str, aggregate_id: &'a str) -> Self {
        let aggregate_type = kind.split('.').next().unwrap_or(kind);
        Self {
            brand_id,
            aggregate_type,
            aggregate_id,
            kind,
            doc: "{}".into(),
        }
    }
}

/// Adds the event to the batch, with a stable id.
pub fn event(batch: &mut Batch, event: &Event) {
    batch.add(
        "INSERT INTO outbox (id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, {now})",
        values![
            new_id(),
            event.brand_id,
            event.aggregate_type,
            event.aggregate_id,
            event.kind,
            &event.doc
        ],
    );
}
