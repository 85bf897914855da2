//! Stock as it was counted, or as another system says that it is.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Document, Input, json};
use crate::{Batch, Db, Row, StatementResult, StoreError, new_id, values};

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
    let balances = balances(before)?;
    let judge = |count: &Count| {
        let key = (count.sku.clone(), count.location_id.clone());
        let balance = balances.get(&key).copied().unwrap_or_default();
        balance.judge(count, created.contains(&key))
    };
    Ok(counts.iter().map(judge).collect())
}

/// What [`set_on_hand`] would answer, with nothing written: one call.
pub async fn preview_on_hand(
    db: &Db,
    brand_id: &str,
    counts: &[Count],
) -> Result<Vec<Counted>, StoreError> {
    let input = json(counts.iter().map(|one| Input {
        id: String::new(),
        sku: &one.sku,
        location_id: &one.location_id,
        quantity: one.on_hand,
        safety: one.safety,
    }));
    let balances = balances(&db.query(READ_BALANCES, values![brand_id, input]).await?)?;
    let judge = |count: &Count| {
        let balance = balances.get(&(count.sku.clone(), count.location_id.clone()));
        let created = balance.is_none();
        balance.copied().unwrap_or_default().judge(count, created)
    };
    Ok(counts.iter().map(judge).collect())
}

fn balances(rows: &[Row]) -> Result<HashMap<(String, String), Balance>, StoreError> {
    let balances = rows.iter().map(|row| Ok((key(row)?, Balance::of(row)?)));
    balances.collect()
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
    let wanted: BTreeMap<_, _> = counts
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

pub(super) const CREATE_BALANCES: (&str, &str) = (
    "INSERT INTO stock (brand_id, sku, location_id, updated_at_ms) \
     SELECT ?1, value ->> 'sku', value ->> 'location_id', {now} FROM json_each(?2) WHERE true \
     ON CONFLICT DO NOTHING RETURNING sku, location_id",
    "INSERT INTO stock (brand_id, sku, location_id, updated_at_ms) \
     SELECT ?1, sku, location_id, {now} FROM jsonb_to_recordset(?2::jsonb) AS input (sku TEXT, location_id TEXT) \
     ORDER BY sku, location_id ON CONFLICT DO NOTHING RETURNING sku, location_id",
);

// Both databases would rather go through all of a brand's stock, and through the input for each
// of its rows, as long as they have counted nothing. CROSS JOIN is how SQLite is told the order
// of a join; PostgreSQL looks inside no subquery that locks or has an OFFSET.
pub(super) const LOCK_BALANCES: (&str, &str) = (
    "SELECT s.sku, s.location_id, s.on_hand, s.reserved, s.safety FROM json_each(?2) input \
     CROSS JOIN stock s ON s.brand_id = ?1 AND s.sku = input.value ->> 'sku' AND s.location_id = input.value ->> 'location_id'",
    "SELECT s.sku, s.location_id, s.on_hand, s.reserved, s.safety \
     FROM (SELECT sku, location_id FROM jsonb_to_recordset(?2::jsonb) AS input (sku TEXT, location_id TEXT) ORDER BY sku, location_id) input \
     CROSS JOIN LATERAL (SELECT * FROM stock WHERE brand_id = ?1 AND sku = input.sku AND location_id = input.location_id FOR UPDATE) s",
);

const READ_BALANCES: (&str, &str) = (
    LOCK_BALANCES.0,
    "SELECT s.sku, s.location_id, s.on_hand, s.reserved, s.safety \
     FROM jsonb_to_recordset(?2::jsonb) AS input (sku TEXT, location_id TEXT) \
     CROSS JOIN LATERAL (SELECT * FROM stock WHERE brand_id = ?1 AND sku = input.sku AND location_id = input.location_id OFFSET 0) s",
);

const COUNT_MOVEMENTS: (&str, &str) = (
    "INSERT INTO stock_movement (id, brand_id, sku, location_id, on_hand_delta, reserved_delta, reason, document_type, document_id, at_ms) \
     SELECT input.value ->> 'id', ?1, s.sku, s.location_id, (input.value ->> 'quantity') - s.on_hand, 0, ?3, ?4, ?5, {now} \
     FROM json_each(?2) input \
     CROSS JOIN stock s ON s.brand_id = ?1 AND s.sku = input.value ->> 'sku' AND s.location_id = input.value ->> 'location_id' \
     WHERE input.value ->> 'quantity' <> s.on_hand AND input.value ->> 'quantity' >= s.reserved",
    "INSERT INTO stock_movement (id, brand_id, sku, location_id, on_hand_delta, reserved_delta, reason, document_type, document_id, at_ms) \
     SELECT input.id, ?1, s.sku, s.location_id, input.quantity - s.on_hand, 0, ?3, ?4, ?5, {now} \
     FROM jsonb_to_recordset(?2::jsonb) AS input (id TEXT, sku TEXT, location_id TEXT, quantity BIGINT) \
     CROSS JOIN LATERAL (SELECT * FROM stock WHERE brand_id = ?1 AND sku = input.sku AND location_id = input.location_id OFFSET 0) s \
     WHERE input.quantity <> s.on_hand AND input.quantity >= s.reserved",
);

/// An input's id names its movement and, of the first input of a SKU, the event: ids are
/// unique in their own table.
const COUNT_EVENTS: (&str, &str) = (
    "INSERT INTO outbox (id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms) \
     SELECT min(input.value ->> 'id'), ?1, 'stock', s.sku, 'stock.changed', \
       json_object('locations', json_group_array(s.location_id)), {now} \
     FROM json_each(?2) input \
     CROSS JOIN stock s ON s.brand_id = ?1 AND s.sku = input.value ->> 'sku' AND s.location_id = input.value ->> 'location_id' \
     WHERE input.value ->> 'quantity' >= s.reserved \
       AND (input.value ->> 'quantity' <> s.on_hand OR coalesce(input.value ->> 'safety', s.safety) <> s.safety) \
     GROUP BY s.sku ORDER BY s.sku",
    "INSERT INTO outbox (id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms) \
     SELECT min(input.id), ?1, 'stock', s.sku, 'stock.changed', \
       CAST(json_build_object('locations', json_agg(s.location_id)) AS TEXT), {now} \
     FROM jsonb_to_recordset(?2::jsonb) AS input (id TEXT, sku TEXT, location_id TEXT, quantity BIGINT, safety BIGINT) \
     CROSS JOIN LATERAL (SELECT * FROM stock WHERE brand_id = ?1 AND sku = input.sku AND location_id = input.location_id OFFSET 0) s \
     WHERE input.quantity >= s.reserved AND (input.quantity <> s.on_hand OR coalesce(input.safety, s.safety) <> s.safety) \
     GROUP BY s.sku ORDER BY s.sku",
);

const COUNT_BALANCES: (&str, &str) = (
    "INSERT INTO stock (brand_id, sku, location_id, on_hand, reserved, safety, updated_at_ms) \
     SELECT ?1, s.sku, s.location_id, input.value ->> 'quantity', s.reserved, coalesce(input.value ->> 'safety', s.safety), {now} \
     FROM json_each(?2) input \
     CROSS JOIN stock s ON s.brand_id = ?1 AND s.sku = input.value ->> 'sku' AND s.location_id = input.value ->> 'location_id' \
     WHERE input.value ->> 'quantity' >= s.reserved \
       AND (input.value ->> 'quantity' <> s.on_hand OR coalesce(input.value ->> 'safety', s.safety) <> s.safety) \
     ON CONFLICT (brand_id, sku, location_id) DO UPDATE \
     SET on_hand = excluded.on_hand, safety = excluded.safety, updated_at_ms = excluded.updated_at_ms",
    "INSERT INTO stock (brand_id, sku, location_id, on_hand, reserved, safety, updated_at_ms) \
     SELECT ?1, s.sku, s.location_id, input.quantity, s.reserved, coalesce(input.safety, s.safety), {now} \
     FROM jsonb_to_recordset(?2::jsonb) AS input (sku TEXT, location_id TEXT, quantity BIGINT, safety BIGINT) \
     CROSS JOIN LATERAL (SELECT * FROM stock WHERE brand_id = ?1 AND sku = input.sku AND location_id = input.location_id OFFSET 0) s \
     WHERE input.quantity >= s.reserved AND (input.quantity <> s.on_hand OR coalesce(input.safety, s.safety) <> s.safety) \
     ON CONFLICT (brand_id, sku, location_id) DO UPDATE \
     SET on_hand = excluded.on_hand, safety = excluded.safety, updated_at_ms = excluded.updated_at_ms",
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

fn keys(result: Option<&StatementResult>) -> Result<HashSet<(String, String)>, StoreError> {
    result
        .map_or(&[][..], |result| &result.rows)
        .iter()
        .map(key)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
