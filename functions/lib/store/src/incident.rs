//! What a person must look into, written in the batch that found it.

use crate::{Batch, new_id, values};

/// Adds an open incident at a location: `kind` such as `transfer.missing`, its subject such
/// as a transfer, and a JSON document with what is known.
pub fn record(
    batch: &mut Batch,
    brand_id: &str,
    location_id: &str,
    kind: &str,
    subject: (&str, &str),
    doc: &str,
) {
    record_as(
        batch,
        &new_id(),
        (brand_id, location_id),
        kind,
        subject,
        doc,
    );
}

/// The same under an id of the caller's, who wants to name it: a UUIDv7.
pub fn record_as(
    batch: &mut Batch,
    id: &str,
    (brand_id, location_id): (&str, &str),
    kind: &str,
    (subject_type, subject_id): (&str, &str),
    doc: &str,
) {
    batch.add(
        "INSERT INTO incident (id, brand_id, location_id, kind, subject_type, subject_id, doc, created_at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, {now})",
        values![
            id,
            brand_id,
            location_id,
            kind,
            subject_type,
            subject_id,
            doc
        ],
    );
}
