//! The stock ledger. Every path that changes stock goes through here, so that balance,
//! movement, allocation and event are always written together.
//!
//! | | on hand | reserved |
//! |---|---|---|
//! | [`reserve`] | | + |
//! | [`release`] | | - |
//! | [`issue`] | - | - |
//! | [`take`] | - | |
//! | [`put`] | + | |
//! | [`set_on_hand`] | ± | |
//! | [`adjust`] | ± | |

mod adjust;
mod counts;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use aisle_domain::plan::Allocation;
use serde::Serialize;

pub use self::adjust::adjust;
pub use self::counts::{Count, Counted, preview_on_hand, set_on_hand};
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

impl<'a> Document<'a> {
    pub fn order(id: &'a str) -> Self {
        Self { kind: "order", id }
    }

    pub fn transfer(id: &'a str) -> Self {
        Self {
            kind: "transfer",
            id,
        }
    }

    pub fn hold(id: &'a str) -> Self {
        Self { kind: "hold", id }
    }
}

/// Units that a document holds or is to hold.
pub type Holding<'a> = (Document<'a>, &'a [Allocation]);

/// How far a shelf may be emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// Down to the units that are kept back from online sale.
    Safety,
    /// To the last unit that nobody holds: for who stands before the shelf.
    Zero,
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

/// Sets units aside for each document (an order, a transfer, a hold): for each (SKU,
/// location) one conditional update that must find that many units above the floor, then
/// the movements, the allocation rows and one `stock.changed` for each SKU. Allocations of
/// the same SKU and location are summed, also over documents, and rows are locked in the
/// order of (SKU, location). A document that holds units already holds more of them; one
/// whose allocation was released, as after a failed payment, holds it again.
pub fn reserve(
    batch: &mut Batch,
    brand_id: &str,
    floor: Floor,
    holdings: &[Holding<'_>],
) -> Reserved {
    let all = summed(holdings.iter().flat_map(|(_, allocations)| *allocations));
    let kept = match floor {
        Floor::Safety => "safety",
        Floor::Zero => "0",
    };
    let sql = format!(
        "UPDATE stock SET reserved = reserved + ?4, updated_at_ms = {{now}} \
         WHERE brand_id = ?1 AND sku = ?2 AND location_id = ?3 AND ?4 > 0 AND on_hand - reserved - {kept} >= ?4"
    );
    let statements = each_must(batch, brand_id, &sql, &all);
    for (document, allocations) in holdings {
        let allocations = summed(*allocations);
        movements(batch, brand_id, "hold", *document, &allocations, [0, 1]);
        batch.expect(
            allocations.len() as u64,
            HOLD,
            values![
                brand_id,
                document.id,
                json(allocations.iter().map(Input::of))
            ],
        );
    }
    changed_events(batch, brand_id, &all);
    Reserved {
        statements,
        allocations: all,
    }
}

/// Gives back units that the document holds, all or part of an allocation: it must hold that many.
pub fn release(
    batch: &mut Batch,
    brand_id: &str,
    document: Document<'_>,
    allocations: &[Allocation],
) {
    release_each(batch, brand_id, &[(document, allocations)]);
}

/// The same for several documents, whose rows are locked in the order of [`reserve`].
pub fn release_each(batch: &mut Batch, brand_id: &str, holdings: &[Holding<'_>]) {
    for (document, allocations) in holdings {
        let_go(
            batch,
            brand_id,
            *document,
            &summed(*allocations),
            "released",
        );
    }
    let all = summed(holdings.iter().flat_map(|(_, allocations)| *allocations));
    each_must(
        batch,
        brand_id,
        "UPDATE stock SET reserved = reserved - ?4, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND sku = ?2 AND location_id = ?3",
        &all,
    );
    for (document, allocations) in holdings {
        let allocations = summed(*allocations);
        movements(batch, brand_id, "release", *document, &allocations, [0, -1]);
    }
    changed_events(batch, brand_id, &all);
}

/// Units that the document holds leave the shelf, for a `reason` such as `sale` or
/// `transfer-out`: it must hold that many.
pub fn issue(
    batch: &mut Batch,
    brand_id: &str,
    reason: &str,
    document: Document<'_>,
    allocations: &[Allocation],
) {
    let allocations = summed(allocations);
    let_go(batch, brand_id, document, &allocations, "fulfilled");
    each_must(
        batch,
        brand_id,
        "UPDATE stock SET on_hand = on_hand - ?4, reserved = reserved - ?4, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND sku = ?2 AND location_id = ?3",
        &allocations,
    );
    movements(batch, brand_id, reason, document, &allocations, [-1, -1]);
    changed_events(batch, brand_id, &allocations);
}

/// Units that nobody holds leave the shelf, for a `reason` such as `sale` or `adjustment`.
/// The statements that fell short are told as those of [`reserve`].
pub fn take(
    batch: &mut Batch,
    brand_id: &str,
    reason: &str,
    document: Document<'_>,
    allocations: &[Allocation],
) -> Reserved {
    let allocations = summed(allocations);
    let statements = each_must(
        batch,
        brand_id,
        "UPDATE stock SET on_hand = on_hand - ?4, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND sku = ?2 AND location_id = ?3 AND ?4 > 0 AND on_hand - reserved >= ?4",
        &allocations,
    );
    movements(batch, brand_id, reason, document, &allocations, [-1, 0]);
    changed_events(batch, brand_id, &allocations);
    Reserved {
        statements,
        allocations,
    }
}

/// Units come onto the shelf, for a `reason` such as `receipt`, `transfer-in` or `return`.
/// A location that never had the SKU has it from now on. SKUs and locations must exist.
pub fn put(
    batch: &mut Batch,
    brand_id: &str,
    reason: &str,
    document: Document<'_>,
    allocations: &[Allocation],
) {
    let allocations = summed(allocations);
    each_must(
        batch,
        brand_id,
        "INSERT INTO stock (brand_id, sku, location_id, on_hand, updated_at_ms) VALUES (?1, ?2, ?3, ?4, {now}) \
         ON CONFLICT (brand_id, sku, location_id) DO UPDATE \
         SET on_hand = stock.on_hand + excluded.on_hand, updated_at_ms = excluded.updated_at_ms",
        &allocations,
    );
    movements(batch, brand_id, reason, document, &allocations, [1, 0]);
    changed_events(batch, brand_id, &allocations);
}

const HOLD: (&str, &str) = (
    "INSERT INTO allocation (brand_id, order_id, sku, location_id, quantity, status) \
     SELECT ?1, ?2, value ->> 'sku', value ->> 'location_id', value ->> 'quantity', 'open' FROM json_each(?3) WHERE true \
     ON CONFLICT (brand_id, order_id, sku, location_id) DO UPDATE SET status = 'open', quantity = excluded.quantity \
       + CASE WHEN allocation.status = 'open' THEN allocation.quantity ELSE 0 END",
    "INSERT INTO allocation (brand_id, order_id, sku, location_id, quantity, status) \
     SELECT ?1, ?2, sku, location_id, quantity, 'open' \
     FROM jsonb_to_recordset(?3::jsonb) AS input (sku TEXT, location_id TEXT, quantity BIGINT) \
     ON CONFLICT (brand_id, order_id, sku, location_id) DO UPDATE SET status = 'open', quantity = excluded.quantity \
       + CASE WHEN allocation.status = 'open' THEN allocation.quantity ELSE 0 END",
);

/// Takes units off what the document holds. An allocation of which nothing is left gets
/// `status` and keeps its quantity, to be read later.
fn let_go(
    batch: &mut Batch,
    brand_id: &str,
    document: Document<'_>,
    allocations: &[Allocation],
    status: &str,
) {
    for Allocation {
        sku,
        location_id,
        quantity,
    } in allocations
    {
        batch.expect(
            1,
            "UPDATE allocation SET status = CASE WHEN quantity = ?5 THEN ?6 ELSE status END, \
             quantity = CASE WHEN quantity = ?5 THEN quantity ELSE quantity - ?5 END \
             WHERE brand_id = ?1 AND order_id = ?2 AND sku = ?3 AND location_id = ?4 AND status = 'open' \
               AND quantity >= ?5 AND ?5 > 0",
            values![brand_id, document.id, sku, location_id, *quantity, status],
        );
    }
}

/// One statement for each allocation, with `?1` brand, `?2` SKU, `?3` location and `?4`
/// quantity, that must touch one row.
fn each_must(
    batch: &mut Batch,
    brand_id: &str,
    sql: &str,
    allocations: &[Allocation],
) -> Range<usize> {
    let start = batch.len();
    for Allocation {
        sku,
        location_id,
        quantity,
    } in allocations
    {
        batch.expect(
            1,
            sql.to_owned(),
            values![brand_id, sku, location_id, *quantity],
        );
    }
    start..batch.len()
}

/// Every row is a violation: of the ledger (`on_hand`, `reserved`), of what open documents
/// hold, of goods in transit, or of what a balance may be. Columns `rule`, `brand_id`,
/// `sku`, `location_id`, `expected`, `found`.
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
        LEFT JOIN held h ON h.brand_id = p.brand_id AND h.sku = p.sku AND h.location_id = p.location_id), \
    carried AS (\
        SELECT brand_id, document_id, sku, \
               CAST(sum(CASE WHEN reason = 'transfer-out' THEN -on_hand_delta ELSE 0 END) AS BIGINT) AS left_shelf, \
               CAST(sum(CASE WHEN reason = 'transfer-in' THEN on_hand_delta ELSE 0 END) AS BIGINT) AS reached_shelf \
        FROM stock_movement WHERE document_type = 'transfer' GROUP BY brand_id, document_id, sku), \
    lines AS (\
        SELECT l.*, t.status, t.to_location_id, coalesce(c.left_shelf, 0) AS left_shelf, coalesce(c.reached_shelf, 0) AS reached_shelf \
        FROM transfer_line l JOIN transfer t ON t.id = l.transfer_id \
        LEFT JOIN carried c ON c.brand_id = l.brand_id AND c.document_id = l.transfer_id AND c.sku = l.sku), \
    open_documents AS (\
        SELECT brand_id, id FROM customer_order WHERE status IN ('pending', 'confirmed') \
        UNION ALL SELECT brand_id, id FROM transfer WHERE status IN ('reserved', 'requested', 'approved', 'picking') \
        UNION ALL SELECT brand_id, id FROM hold WHERE status IN ('requested', 'pulled')) \
    SELECT 'on_hand is the sum of its movements' AS rule, brand_id, sku, location_id, moved_on_hand AS expected, on_hand AS found \
        FROM balances WHERE on_hand <> moved_on_hand \
    UNION ALL SELECT 'reserved is the sum of its movements', brand_id, sku, location_id, moved_reserved, reserved \
        FROM balances WHERE reserved <> moved_reserved \
    UNION ALL SELECT 'reserved is what open documents hold', brand_id, sku, location_id, held, reserved \
        FROM balances WHERE reserved <> held \
    UNION ALL SELECT 'nothing is negative', brand_id, sku, location_id, 0, on_hand \
        FROM balances WHERE on_hand < 0 OR reserved < 0 OR safety < 0 \
    UNION ALL SELECT 'no more is reserved than is on hand', brand_id, sku, location_id, on_hand, reserved \
        FROM balances WHERE reserved > on_hand \
    UNION ALL SELECT 'who holds units is open', a.brand_id, a.sku, a.location_id, 0, a.quantity \
        FROM allocation a LEFT JOIN open_documents d ON d.brand_id = a.brand_id AND d.id = a.order_id \
        WHERE a.status = 'open' AND d.id IS NULL \
    UNION ALL SELECT 'what was shipped left the shelf', brand_id, sku, to_location_id, shipped, left_shelf \
        FROM lines WHERE shipped <> left_shelf \
    UNION ALL SELECT 'what was received reached the shelf', brand_id, sku, to_location_id, received, reached_shelf \
        FROM lines WHERE received <> reached_shelf \
    UNION ALL SELECT 'no unit is lost on the way', brand_id, sku, to_location_id, shipped + surplus, in_transit + received + damaged + missing \
        FROM lines WHERE shipped + surplus <> in_transit + received + damaged + missing \
    UNION ALL SELECT 'a transfer that is over has nothing in transit', brand_id, sku, to_location_id, 0, in_transit \
        FROM lines WHERE in_transit <> 0 AND status NOT IN ('in_transit', 'received')";

/// Each (SKU, location) once, in order: two lines of an order can want the same unit.
fn summed<'a>(allocations: impl IntoIterator<Item = &'a Allocation>) -> Vec<Allocation> {
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
    fn of(allocation: &'a Allocation) -> Self {
        Self {
            id: new_id(),
            sku: &allocation.sku,
            location_id: &allocation.location_id,
            quantity: allocation.quantity,
            safety: None,
        }
    }
}

fn json<T: Serialize>(rows: impl Iterator<Item = T>) -> String {
    serde_json::to_string(&rows.collect::<Vec<_>>()).unwrap_or_default()
}

/// A movement for each allocation, of its quantity times the signs of `on_hand` and `reserved`.
fn movements(
    batch: &mut Batch,
    brand_id: &str,
    reason: &str,
    document: Document,
    allocations: &[Allocation],
    [on_hand, reserved]: [i64; 2],
) {
    batch.expect(
        allocations.len() as u64,
        (
            "INSERT INTO stock_movement (id, brand_id, sku, location_id, on_hand_delta, reserved_delta, reason, document_type, document_id, at_ms) \
             SELECT value ->> 'id', ?1, value ->> 'sku', value ->> 'location_id', ?6 * (value ->> 'quantity'), ?7 * (value ->> 'quantity'), ?2, ?3, ?4, {now} FROM json_each(?5)",
            "INSERT INTO stock_movement (id, brand_id, sku, location_id, on_hand_delta, reserved_delta, reason, document_type, document_id, at_ms) \
             SELECT id, ?1, sku, location_id, ?6 * quantity, ?7 * quantity, ?2, ?3, ?4, {now} \
             FROM jsonb_to_recordset(?5::jsonb) AS input (id TEXT, sku TEXT, location_id TEXT, quantity BIGINT)",
        ),
        values![
            brand_id,
            reason,
            document.kind,
            document.id,
            json(allocations.iter().map(Input::of)),
            on_hand,
            reserved
        ],
    );
}

fn changed_events(batch: &mut Batch, brand_id: &str, allocations: &[Allocation]) {
    let mut places = BTreeMap::<&str, BTreeSet<&str>>::new();
    for one in allocations {
        places.entry(&one.sku).or_default().insert(&one.location_id);
    }
    for (sku, locations) in places {
        let doc = serde_json::json!({ "locations": locations }).to_string();
        let event = Event::new(brand_id, "stock.changed", sku);
        outbox::event(batch, &Event { doc, ..event });
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
        let order = Document {
            kind: "order",
            id: "o",
        };
        let wanted = [allocation("B", "1", 1), allocation("A", "1", 2)];
        let reserved = reserve(&mut batch, "b", Floor::Safety, &[(order, &wanted)]);
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
