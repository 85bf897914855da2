//! The stock ledger. Every path that changes stock goes through here, so that balance,
//! movement, allocation and event are always written together.

mod counts;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use aisle_domain::plan::Allocation;
use serde::Serialize;

pub use self::counts::{Count, Counted, set_on_hand};
use crate::{
    Batch, BatchError, new_id,
    outbox::{self, Event},
    values,
};

/// What caused a movement, such as an order or an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document<'a> {
    pub kind: &'a str,
    pub id: &'a str,
}

/// The reservation in a batch: which statement is which allocation's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    statements: Range<usize>,
    allocations: Vec<Allocation>,
}

impl Reserved {
    /// The allocation that could not be had, when the batch was not met for want of stock.
    pub fn short(&self, error: &BatchError) -> Option<&Allocation> {
        match error {
            BatchError::Unmet { statement, .. } if self.statements.contains(statement) => {
                self.allocations.get(statement - self.statements.start)
            }
            _ => None,
        }
    }
}

/// Sets the plan's units aside for an order: for each allocation one conditional update
/// that must find `on_hand - reserved - safety` units, then the movements, the allocation
/// rows and one `stock.changed` for each SKU. Allocations of the same SKU and location
/// are summed, and rows are locked in the order of (SKU, location). An order whose payment
/// failed may be tried again: its released allocations are opened again.
pub fn reserve(
    batch: &mut Batch,
    brand_id: &str,
    order_id: &str,
    allocations: &[Allocation],
) -> Reserved {
    let allocations = summed(allocations);
    let start = batch.len();
    for Allocation {
        sku,
        location_id,
        quantity,
    } in &allocations
    {
        batch.expect(
            1,
            "UPDATE stock SET reserved = reserved + ?4, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND sku = ?2 AND location_id = ?3 AND ?4 > 0 AND on_hand - reserved - safety >= ?4",
            values![brand_id, sku, location_id, *quantity],
        );
    }
    let statements = start..batch.len();
    let document = Document {
        kind: "order",
        id: order_id,
    };
    reserved_movements(batch, brand_id, "hold", document, &allocations, 1);
    let rows = json(allocations.iter().map(|one| Input::of(one, one.quantity)));
    batch.expect(
        allocations.len() as u64,
        (
            "INSERT INTO allocation (brand_id, order_id, sku, location_id, quantity, status) \
             SELECT ?1, ?2, value ->> 'sku', value ->> 'location_id', value ->> 'quantity', 'open' FROM json_each(?3) WHERE true \
             ON CONFLICT (brand_id, order_id, sku, location_id) DO UPDATE \
             SET quantity = excluded.quantity, status = 'open' WHERE allocation.status = 'released'",
            "INSERT INTO allocation (brand_id, order_id, sku, location_id, quantity, status) \
             SELECT ?1, ?2, sku, location_id, quantity, 'open' \
             FROM jsonb_to_recordset(?3::jsonb) AS input (sku TEXT, location_id TEXT, quantity BIGINT) \
             ON CONFLICT (brand_id, order_id, sku, location_id) DO UPDATE \
             SET quantity = excluded.quantity, status = 'open' WHERE allocation.status = 'released'",
        ),
        values![brand_id, order_id, rows],
    );
    changed_events(batch, brand_id, &allocations);
    Reserved {
        statements,
        allocations,
    }
}

/// Gives back what [`reserve`] set aside for the order: each allocation must still be open.
pub fn release(batch: &mut Batch, brand_id: &str, order_id: &str, allocations: &[Allocation]) {
    let allocations = summed(allocations);
    for Allocation {
        sku,
        location_id,
        quantity,
    } in &allocations
    {
        batch.expect(
            1,
            "UPDATE allocation SET status = 'released' WHERE brand_id = ?1 AND order_id = ?2 \
             AND sku = ?3 AND location_id = ?4 AND quantity = ?5 AND status = 'open'",
            values![brand_id, order_id, sku, location_id, *quantity],
        );
    }
    for Allocation {
        sku,
        location_id,
        quantity,
    } in &allocations
    {
        batch.expect(
            1,
            "UPDATE stock SET reserved = reserved - ?4, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND sku = ?2 AND location_id = ?3",
            values![brand_id, sku, location_id, *quantity],
        );
    }
    reserved_movements(
        batch,
        brand_id,
        "release",
        Document {
            kind: "order",
            id: order_id,
        },
        &allocations,
        -1,
    );
    changed_events(batch, brand_id, &allocations);
}

/// Every row is a violation: of the ledger (`on_hand`, `reserved`), of the allocations, or
/// of what a balance may be. Columns `rule`, `brand_id`, `sku`, `location_id`, `expected`, `found`.
pub const INVARIANTS: &str = "\
    WITH moved AS (\
        SELECT brand_id, sku, location_id, CAST(sum(on_hand_delta) AS BIGINT) AS on_hand, \
               CAST(sum(reserved_delta) AS BIGINT) AS reserved \
        FROM stock_movement GROUP BY brand_id, sku, location_id), \
    held AS (\
        SELECT brand_id, sku, location_id, CAST(sum(quantity) AS BIGINT) AS units \
        FROM allocation WHERE status = 'open' GROUP BY brand_id, sku, location_id), \
    places AS (\
        SELECT brand_id, sku, location_id FROM stock UNION SELECT brand_id, sku, location_id FROM moved \
        UNION SELECT brand_id, sku, location_id FROM held), \
    balances AS (\
        SELECT p.brand_id, p.sku, p.location_id, coalesce(s.on_hand, 0) AS on_hand, coalesce(s.reserved, 0) AS reserved, \
               coalesce(s.safety, 0) AS safety, coalesce(m.on_hand, 0) AS moved_on_hand, \
               coalesce(m.reserved, 0) AS moved_reserved, coalesce(h.units, 0) AS held \
        FROM places p \
        LEFT JOIN stock s ON s.brand_id = p.brand_id AND s.sku = p.sku AND s.location_id = p.location_id \
        LEFT JOIN moved m ON m.brand_id = p.brand_id AND m.sku = p.sku AND m.location_id = p.location_id \
        LEFT JOIN held h ON h.brand_id = p.brand_id AND h.sku = p.sku AND h.location_id = p.location_id) \
    SELECT 'on_hand is the sum of its movements' AS rule, brand_id, sku, location_id, moved_on_hand AS expected, on_hand AS found \
        FROM balances WHERE on_hand <> moved_on_hand \
    UNION ALL SELECT 'reserved is the sum of its movements', brand_id, sku, location_id, moved_reserved, reserved \
        FROM balances WHERE reserved <> moved_reserved \
    UNION ALL SELECT 'reserved is what open orders hold', brand_id, sku, location_id, held, reserved \
        FROM balances WHERE reserved <> held \
    UNION ALL SELECT 'nothing is negative', brand_id, sku, location_id, 0, on_hand \
        FROM balances WHERE on_hand < 0 OR reserved < 0 OR safety < 0 \
    UNION ALL SELECT 'no more is reserved than is on hand', brand_id, sku, location_id, on_hand, reserved \
        FROM balances WHERE reserved > on_hand";

/// Each (SKU, location) once, in order: two lines of an order can want the same unit.
fn summed(allocations: &[Allocation]) -> Vec<Allocation> {
    let mut sums = BTreeMap::<(&str, &str), i64>::new();
    for one in allocations {
        let sum = sums.entry((&one.sku, &one.location_id)).or_default();
        *sum = sum.saturating_add(one.quantity);
    }
    let allocation = |((sku, location_id), quantity): ((&str, &str), i64)| Allocation {
        sku: sku.into(),
        location_id: location_id.into(),
        quantity,
    };
    sums.into_iter().map(allocation).collect()
}

/// A row of the JSON array that a set-based statement reads.
#[derive(Serialize)]
struct Input<'a> {
    id: String,
    sku: &'a str,
    location_id: &'a str,
    quantity: i64,
    safety: Option<i64>,
}

impl<'a> Input<'a> {
    fn of(allocation: &'a Allocation, quantity: i64) -> Self {
        let Allocation {
            sku, location_id, ..
        } = allocation;
        Self {
            id: new_id(),
            sku,
            location_id,
            quantity,
            safety: None,
        }
    }
}

fn json<T: Serialize>(rows: impl Iterator<Item = T>) -> String {
    serde_json::to_string(&rows.collect::<Vec<_>>()).unwrap_or_default()
}

fn reserved_movements(
    batch: &mut Batch,
    brand_id: &str,
    reason: &str,
    document: Document,
    allocations: &[Allocation],
    sign: i64,
) {
    let rows = json(
        allocations
            .iter()
            .map(|one| Input::of(one, sign * one.quantity)),
    );
    batch.expect(
        allocations.len() as u64,
        (
            "INSERT INTO stock_movement (id, brand_id, sku, location_id, on_hand_delta, reserved_delta, reason, document_type, document_id, at_ms) \
             SELECT value ->> 'id', ?1, value ->> 'sku', value ->> 'location_id', 0, value ->> 'quantity', ?2, ?3, ?4, {now} FROM json_each(?5)",
            "INSERT INTO stock_movement (id, brand_id, sku, location_id, on_hand_delta, reserved_delta, reason, document_type, document_id, at_ms) \
             SELECT id, ?1, sku, location_id, 0, quantity, ?2, ?3, ?4, {now} \
             FROM jsonb_to_recordset(?5::jsonb) AS input (id TEXT, sku TEXT, location_id TEXT, quantity BIGINT)",
        ),
        values![brand_id, reason, document.kind, document.id, rows],
    );
}

fn changed_events(batch: &mut Batch, brand_id: &str, allocations: &[Allocation]) {
    let skus: BTreeSet<&str> = allocations.iter().map(|one| one.sku.as_str()).collect();
    for sku in skus {
        outbox::event(batch, &Event::new(brand_id, "stock.changed", sku));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreError;

    fn allocation(sku: &str, location_id: &str, quantity: i64) -> Allocation {
        Allocation {
            sku: sku.into(),
            location_id: location_id.into(),
            quantity,
        }
    }

    #[test]
    fn demand_is_summed_and_sorted_before_it_is_checked() {
        let lines = [
            allocation("B", "1", 1),
            allocation("A", "2", 1),
            allocation("A", "1", 2),
            allocation("B", "1", 4),
        ];
        let expected = [
            allocation("A", "1", 2),
            allocation("A", "2", 1),
            allocation("B", "1", 5),
        ];
        assert_eq!(summed(&lines), expected);
    }

    #[test]
    fn the_statement_that_fell_short_names_its_allocation() {
        let mut batch = Batch::new();
        batch.add("SELECT 1", vec![]);
        let reserved = reserve(
            &mut batch,
            "b",
            "o",
            &[allocation("B", "1", 1), allocation("A", "1", 2)],
        );
        let unmet = |statement| BatchError::Unmet {
            statement,
            changes: 0,
        };
        assert_eq!(reserved.short(&unmet(1)), Some(&allocation("A", "1", 2)));
        assert_eq!(reserved.short(&unmet(2)), Some(&allocation("B", "1", 1)));
        assert_eq!(reserved.short(&unmet(0)), None);
        assert_eq!(reserved.short(&unmet(3)), None);
        assert_eq!(reserved.short(&StoreError::Bug(String::new()).into()), None);
    }
}
