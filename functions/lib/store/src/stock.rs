//! The stock ledger. Every path that changes stock goes through here, so that balance,
//! movement, allocation and event are always written together.

use std::ops::Range;

use aisle_domain::plan::Allocation;
use serde::Serialize;

use crate::{
    Batch, BatchError, Db, Row, StatementResult, StoreError, new_id,
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

/// What a SKU is to have at a location, as counted or as another system says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub sku: String,
    pub location_id: String,
    pub on_hand: i64,
    /// Units kept from being sold; `None` leaves what there is.
    pub safety: Option<i64>,
}

/// What became of a [`Count`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Created,
    Updated,
    Unchanged,
    /// Fewer than open orders hold: the balance stays, so that no promise is broken.
    BelowReserved {
        reserved: i64,
    },
}

/// Brings balances to what was counted: one batch, whatever the number of counts (up to
/// some hundreds; a count for a (SKU, location) that comes twice is taken once, the last).
/// Writes a movement of the difference for each balance that changed and one
/// `stock.changed` for each SKU. SKUs and locations must exist. Answers in the order of `counts`.
pub async fn set_on_hand(
    db: &Db,
    brand_id: &str,
    reason: &str,
    document: Document<'_>,
    counts: &[Count],
) -> Result<Vec<Counted>, StoreError> {
    let mut batch = Batch::new();
    let [created, before] = count_statements(&mut batch, brand_id, reason, document, counts);
    let results = batch.commit(db).await?;
    let created = keys(results.get(created))?;
    let before = results.get(before).map_or(&[][..], |result| &result.rows);
    let balances = before.iter().map(|row| Ok((key(row)?, Balance::of(row)?)));
    let balances = balances.collect::<Result<std::collections::HashMap<_, _>, StoreError>>()?;
    let judge = |count: &Count| {
        let key = (count.sku.clone(), count.location_id.clone());
        let balance = balances.get(&key).copied().unwrap_or_default();
        balance.judge(count, created.contains(&key))
    };
    Ok(counts.iter().map(judge).collect())
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
    let mut sums = std::collections::BTreeMap::<(&str, &str), i64>::new();
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
    let skus: std::collections::BTreeSet<&str> =
        allocations.iter().map(|one| one.sku.as_str()).collect();
    for sku in skus {
        outbox::event(batch, &Event::new(brand_id, "stock.changed", sku));
    }
}

/// Adds the statements of [`set_on_hand`]; the indexes of those that say what was created
/// and what the balances were before.
fn count_statements(
    batch: &mut Batch,
    brand_id: &str,
    reason: &str,
    document: Document,
    counts: &[Count],
) -> [usize; 2] {
    let wanted: std::collections::BTreeMap<_, _> = counts
        .iter()
        .map(|one| ((&one.sku, &one.location_id), one))
        .collect();
    let input = json(wanted.into_values().map(|one| Input {
        id: new_id(),
        sku: &one.sku,
        location_id: &one.location_id,
        quantity: one.on_hand,
        safety: one.safety,
    }));
    let created = batch.len();
    // First an empty balance where there is none, so that there is a row to lock: the
    // movements below are differences and must not be taken from a balance that moves.
    batch.rows(CREATE_BALANCES, values![brand_id, &input]);
    batch.rows(LOCK_BALANCES, values![brand_id, &input]);
    batch.add(
        COUNT_MOVEMENTS,
        values![brand_id, &input, reason, document.kind, document.id],
    );
    batch.add(COUNT_EVENTS, values![brand_id, &input]);
    batch.add(COUNT_BALANCES, values![brand_id, &input]);
    [created, created + 1]
}

const CREATE_BALANCES: (&str, &str) = (
    "INSERT INTO stock (brand_id, sku, location_id, updated_at_ms) \
     SELECT ?1, value ->> 'sku', value ->> 'location_id', {now} FROM json_each(?2) WHERE true \
     ON CONFLICT DO NOTHING RETURNING sku, location_id",
    "INSERT INTO stock (brand_id, sku, location_id, updated_at_ms) \
     SELECT ?1, sku, location_id, {now} FROM jsonb_to_recordset(?2::jsonb) AS input (sku TEXT, location_id TEXT) \
     ORDER BY sku, location_id ON CONFLICT DO NOTHING RETURNING sku, location_id",
);

const LOCK_BALANCES: (&str, &str) = (
    "SELECT s.sku, s.location_id, s.on_hand, s.reserved, s.safety FROM json_each(?2) input \
     JOIN stock s ON s.brand_id = ?1 AND s.sku = input.value ->> 'sku' AND s.location_id = input.value ->> 'location_id'",
    "SELECT s.sku, s.location_id, s.on_hand, s.reserved, s.safety \
     FROM jsonb_to_recordset(?2::jsonb) AS input (sku TEXT, location_id TEXT) \
     JOIN stock s ON s.brand_id = ?1 AND s.sku = input.sku AND s.location_id = input.location_id \
     ORDER BY s.sku, s.location_id FOR UPDATE OF s",
);

const COUNT_MOVEMENTS: (&str, &str) = (
    "INSERT INTO stock_movement (id, brand_id, sku, location_id, on_hand_delta, reserved_delta, reason, document_type, document_id, at_ms) \
     SELECT input.value ->> 'id', ?1, s.sku, s.location_id, (input.value ->> 'quantity') - s.on_hand, 0, ?3, ?4, ?5, {now} \
     FROM json_each(?2) input \
     JOIN stock s ON s.brand_id = ?1 AND s.sku = input.value ->> 'sku' AND s.location_id = input.value ->> 'location_id' \
     WHERE input.value ->> 'quantity' <> s.on_hand AND input.value ->> 'quantity' >= s.reserved",
    "INSERT INTO stock_movement (id, brand_id, sku, location_id, on_hand_delta, reserved_delta, reason, document_type, document_id, at_ms) \
     SELECT input.id, ?1, s.sku, s.location_id, input.quantity - s.on_hand, 0, ?3, ?4, ?5, {now} \
     FROM jsonb_to_recordset(?2::jsonb) AS input (id TEXT, sku TEXT, location_id TEXT, quantity BIGINT) \
     JOIN stock s ON s.brand_id = ?1 AND s.sku = input.sku AND s.location_id = input.location_id \
     WHERE input.quantity <> s.on_hand AND input.quantity >= s.reserved",
);

/// An input's id names its movement and, of the first input of a SKU, the event: ids are
/// unique in their own table.
const COUNT_EVENTS: (&str, &str) = (
    "INSERT INTO outbox (id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms) \
     SELECT min(input.value ->> 'id'), ?1, 'stock', s.sku, 'stock.changed', '{}', {now} \
     FROM json_each(?2) input \
     JOIN stock s ON s.brand_id = ?1 AND s.sku = input.value ->> 'sku' AND s.location_id = input.value ->> 'location_id' \
     WHERE input.value ->> 'quantity' >= s.reserved \
       AND (input.value ->> 'quantity' <> s.on_hand OR coalesce(input.value ->> 'safety', s.safety) <> s.safety) \
     GROUP BY s.sku ORDER BY s.sku",
    "INSERT INTO outbox (id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms) \
     SELECT min(input.id), ?1, 'stock', s.sku, 'stock.changed', '{}', {now} \
     FROM jsonb_to_recordset(?2::jsonb) AS input (id TEXT, sku TEXT, location_id TEXT, quantity BIGINT, safety BIGINT) \
     JOIN stock s ON s.brand_id = ?1 AND s.sku = input.sku AND s.location_id = input.location_id \
     WHERE input.quantity >= s.reserved AND (input.quantity <> s.on_hand OR coalesce(input.safety, s.safety) <> s.safety) \
     GROUP BY s.sku ORDER BY s.sku",
);

const COUNT_BALANCES: (&str, &str) = (
    "UPDATE stock SET on_hand = input.value ->> 'quantity', safety = coalesce(input.value ->> 'safety', stock.safety), updated_at_ms = {now} \
     FROM json_each(?2) input \
     WHERE stock.brand_id = ?1 AND stock.sku = input.value ->> 'sku' AND stock.location_id = input.value ->> 'location_id' \
       AND input.value ->> 'quantity' >= stock.reserved \
       AND (input.value ->> 'quantity' <> stock.on_hand OR coalesce(input.value ->> 'safety', stock.safety) <> stock.safety)",
    "UPDATE stock SET on_hand = input.quantity, safety = coalesce(input.safety, stock.safety), updated_at_ms = {now} \
     FROM jsonb_to_recordset(?2::jsonb) AS input (sku TEXT, location_id TEXT, quantity BIGINT, safety BIGINT) \
     WHERE stock.brand_id = ?1 AND stock.sku = input.sku AND stock.location_id = input.location_id \
       AND input.quantity >= stock.reserved \
       AND (input.quantity <> stock.on_hand OR coalesce(input.safety, stock.safety) <> stock.safety)",
);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Balance {
    on_hand: i64,
    reserved: i64,
    safety: i64,
}

impl Balance {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            on_hand: row.int("on_hand")?,
            reserved: row.int("reserved")?,
            safety: row.int("safety")?,
        })
    }

    /// What the statements made of the count, given the balance before them.
    fn judge(self, count: &Count, created: bool) -> Counted {
        let unchanged = count.on_hand == self.on_hand
            && count.safety.is_none_or(|safety| safety == self.safety);
        match () {
            () if created => Counted::Created,
            () if count.on_hand < self.reserved => Counted::BelowReserved {
                reserved: self.reserved,
            },
            () if unchanged => Counted::Unchanged,
            () => Counted::Updated,
        }
    }
}

fn key(row: &Row) -> Result<(String, String), StoreError> {
    Ok((row.text("sku")?, row.text("location_id")?))
}

fn keys(
    result: Option<&StatementResult>,
) -> Result<std::collections::HashSet<(String, String)>, StoreError> {
    result
        .map_or(&[][..], |result| &result.rows)
        .iter()
        .map(key)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_count_is_judged_against_the_balance_before_it() {
        let balance = Balance {
            on_hand: 5,
            reserved: 2,
            safety: 1,
        };
        let count = |on_hand, safety| Count {
            sku: "A".into(),
            location_id: "1".into(),
            on_hand,
            safety,
        };
        assert_eq!(balance.judge(&count(5, None), false), Counted::Unchanged);
        assert_eq!(balance.judge(&count(5, Some(1)), false), Counted::Unchanged);
        assert_eq!(balance.judge(&count(5, Some(0)), false), Counted::Updated);
        assert_eq!(balance.judge(&count(2, None), false), Counted::Updated);
        assert_eq!(
            balance.judge(&count(1, None), false),
            Counted::BelowReserved { reserved: 2 }
        );
        assert_eq!(
            Balance::default().judge(&count(0, None), true),
            Counted::Created
        );
    }
}
