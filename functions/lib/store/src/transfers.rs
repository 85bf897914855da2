//! Transfers in the database. Stock is not touched here: whoever writes a transfer reserves,
//! releases or issues its units in the same batch.

use aisle_domain::transfer::{PlannedTransfer, Status, TransferDoc};

use crate::{
    Batch,
    outbox::{self, Event},
    values,
};

/// A transfer that does not exist yet.
pub struct NewTransfer<'a> {
    pub id: &'a str,
    /// What people call it, such as `T-7Q4ZK-M0TCX`.
    pub number: &'a str,
    pub status: Status,
    pub planned: &'a PlannedTransfer,
    /// `cart`, `checkout` or `order` and its id; both empty: the location itself.
    pub for_type: &'a str,
    pub for_id: &'a str,
    /// From now, by the database's clock; `None`: it waits.
    pub expires_in_ms: Option<i64>,
    pub doc: &'a TransferDoc,
}

/// Adds the transfer, its lines and the event `transfer.changed`.
pub fn insert(batch: &mut Batch, brand_id: &str, new: &NewTransfer<'_>) {
    let json = |value: serde_json::Result<String>| value.unwrap_or_default();
    batch.add(
        "INSERT INTO transfer (id, brand_id, number, status, from_location_id, to_location_id, for_type, for_id, \
         ready_at_ms, expires_at_ms, doc, version, created_at_ms, updated_at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, {now} + ?10, ?11, 1, {now}, {now})",
        values![
            new.id,
            brand_id,
            new.number,
            new.status.name(),
            &new.planned.from_location_id,
            &new.planned.to_location_id,
            new.for_type,
            new.for_id,
            new.planned.eta.ready_at_ms,
            new.expires_in_ms,
            json(serde_json::to_string(new.doc))
        ],
    );
    batch.expect(
        new.planned.units.len() as u64,
        (
            "INSERT INTO transfer_line (brand_id, transfer_id, sku, requested) \
             SELECT ?1, ?2, value ->> 'sku', value ->> 'quantity' FROM json_each(?3)",
            "INSERT INTO transfer_line (brand_id, transfer_id, sku, requested) \
             SELECT ?1, ?2, sku, quantity FROM jsonb_to_recordset(?3::jsonb) AS input (sku TEXT, quantity BIGINT)",
        ),
        values![brand_id, new.id, json(serde_json::to_string(&new.planned.units))],
    );
    outbox::event(batch, &Event::new(brand_id, "transfer.changed", new.id));
}
