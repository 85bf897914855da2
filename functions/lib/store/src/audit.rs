//! The audit trail: who did what, where and when, written in the batch that did it.

use crate::{Batch, new_id, values};

/// Who acts: a person at a device at a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor<'a> {
    pub brand_id: &'a str,
    pub location_id: &'a str,
    pub device_id: &'a str,
    pub staff_id: &'a str,
}

/// Adds an entry: `action` such as `order.handed_over` on a subject such as an order.
/// `doc` is a JSON document without personal data; `{}` when there is nothing to add. The
/// database refuses to change or delete it later.
pub fn record(
    batch: &mut Batch,
    actor: Actor<'_>,
    action: &str,
    (subject_type, subject_id): (&str, &str),
    doc: &str,
) {
    batch.add(
        "INSERT INTO audit (id, brand_id, location_id, device_id, staff_id, action, subject_type, subject_id, doc, at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, {now})",
        values![
            new_id(),
            actor.brand_id,
            actor.location_id,
            actor.device_id,
            actor.staff_id,
            action,
            subject_type,
            subject_id,
            doc
        ],
    );
}
