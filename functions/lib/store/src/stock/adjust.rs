//! Balances put right by differences, however many at once.

use aisle_domain::plan::Allocation;

use super::counts::{CREATE_BALANCES, LOCK_BALANCES};
use super::{Document, Input, json, movements, summed};
use crate::{Batch, values};

/// Adds to each balance the allocation's quantity, which may be negative, for a `reason` such
/// as `count` or `adjustment`. None may come below what is reserved there. A fixed number of
/// statements, so that a whole store's count is one batch; SKUs and locations must exist. The
/// index of the statement that is not met when a balance would not allow it.
pub fn adjust(
    batch: &mut Batch,
    brand_id: &str,
    reason: &str,
    document: Document<'_>,
    changes: &[Allocation],
) -> usize {
    let changes = summed(changes);
    let input = json(changes.iter().map(Input::of));
    batch.add(CREATE_BALANCES, values![brand_id, &input]);
    batch.rows(LOCK_BALANCES, values![brand_id, &input]);
    let decisive = batch.len();
    batch.expect(
        changes.len() as u64,
        ADJUST_BALANCES,
        values![brand_id, &input],
    );
    movements(batch, brand_id, reason, document, &changes, [1, 0]);
    batch.add(ADJUST_EVENTS, values![brand_id, &input]);
    decisive
}

const ADJUST_BALANCES: (&str, &str) = (
    "INSERT INTO stock (brand_id, sku, location_id, on_hand, reserved, safety, updated_at_ms) \
     SELECT ?1, s.sku, s.location_id, s.on_hand + (input.value ->> 'quantity'), s.reserved, s.safety, {now} \
     FROM json_each(?2) input \
     CROSS JOIN stock s ON s.brand_id = ?1 AND s.sku = input.value ->> 'sku' AND s.location_id = input.value ->> 'location_id' \
     WHERE s.on_hand + (input.value ->> 'quantity') >= s.reserved \
     ON CONFLICT (brand_id, sku, location_id) DO UPDATE \
     SET on_hand = excluded.on_hand, updated_at_ms = excluded.updated_at_ms",
    "INSERT INTO stock (brand_id, sku, location_id, on_hand, reserved, safety, updated_at_ms) \
     SELECT ?1, s.sku, s.location_id, s.on_hand + input.quantity, s.reserved, s.safety, {now} \
     FROM jsonb_to_recordset(?2::jsonb) AS input (sku TEXT, location_id TEXT, quantity BIGINT) \
     CROSS JOIN LATERAL (SELECT * FROM stock WHERE brand_id = ?1 AND sku = input.sku AND location_id = input.location_id OFFSET 0) s \
     WHERE s.on_hand + input.quantity >= s.reserved \
     ON CONFLICT (brand_id, sku, location_id) DO UPDATE \
     SET on_hand = excluded.on_hand, updated_at_ms = excluded.updated_at_ms",
);

const ADJUST_EVENTS: (&str, &str) = (
    "INSERT INTO outbox (id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms) \
     SELECT min(value ->> 'id'), ?1, 'stock', value ->> 'sku', 'stock.changed', \
       json_object('locations', json_group_array(value ->> 'location_id')), {now} \
     FROM json_each(?2) GROUP BY value ->> 'sku' ORDER BY value ->> 'sku'",
    "INSERT INTO outbox (id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms) \
     SELECT min(id), ?1, 'stock', sku, 'stock.changed', \
       CAST(json_build_object('locations', json_agg(location_id)) AS TEXT), {now} \
     FROM jsonb_to_recordset(?2::jsonb) AS input (id TEXT, sku TEXT, location_id TEXT) GROUP BY sku ORDER BY sku",
);
