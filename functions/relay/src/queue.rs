//! The outbox as a queue: who may drain it, what is next, what became of it.

use aisle_store::{Batch, BatchError, Db, Row, StoreError, new_id, values};
use serde::Serialize;

use crate::refresh::Outcome;

/// Events that a run takes on, at most: it answers before anybody's deadline.
pub const RUN_EVENTS: usize = 500;

/// Events that are read, refreshed and settled together.
pub const PAGE_EVENTS: usize = 100;

/// How long a relay that was stopped half-way keeps others out. Renewed with every page.
const LEASE_MS: i64 = 10_000;

/// After so many attempts an event is set aside.
const MAX_ATTEMPTS: i64 = 10;

/// Dead events in a list, at most.
const DEAD_EVENTS: i64 = 50;

const COLUMNS: &str = "seq, id, brand_id, aggregate_type, aggregate_id, type, doc, attempts, created_at_ms, dead_at_ms";

/// What is to be done now.
const DUE: &str = "done_at_ms IS NULL AND dead_at_ms IS NULL AND next_attempt_at_ms <= {now}";

impl Outcome {
    /// How many it is about.
    pub fn events(&self) -> usize {
        self.done.len() + self.failed.len()
    }
}

/// An event of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    pub seq: i64,
    pub id: String,
    pub brand_id: String,
    pub aggregate_type: String,
    pub aggregate_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// What its writer told beside the ids.
    #[serde(skip)]
    pub doc: String,
    /// How often it has failed.
    pub attempts: i64,
    pub created_at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_at_ms: Option<i64>,
}

impl Event {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.int("seq")?,
            id: row.text("id")?,
            brand_id: row.text("brand_id")?,
            aggregate_type: row.text("aggregate_type")?,
            aggregate_id: row.text("aggregate_id")?,
            kind: row.text("type")?,
            doc: row.text("doc")?,
            attempts: row.int("attempts")?,
            created_at_ms: row.int("created_at_ms")?,
            dead_at_ms: row.int_opt("dead_at_ms")?,
        })
    }

    /// How long to wait after this failure: 1 s, 2 s, 4 s, … about 8 minutes.
    fn backoff_ms(&self) -> i64 {
        1_000 << self.attempts.clamp(0, MAX_ATTEMPTS - 1)
    }
}

/// What there is to do at a moment.
pub struct Look {
    /// Events are due.
    pub is_due: bool,
    /// A relay has the lease.
    pub is_drained: bool,
    /// It is time for the components to tidy up.
    pub is_untidy: bool,
}

impl Look {
    /// One call, which changes and locks nothing.
    pub async fn at(db: &Db) -> Result<Self, StoreError> {
        let sql = format!(
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM outbox WHERE {DUE}) THEN 1 ELSE 0 END AS is_due, \
             CASE WHEN EXISTS (SELECT 1 FROM lease WHERE name = 'relay' AND expires_at_ms > {{now}}) THEN 1 ELSE 0 END AS is_drained, \
             CASE WHEN EXISTS (SELECT 1 FROM lease WHERE name = 'housekeeping' AND expires_at_ms > {{now}}) THEN 0 ELSE 1 END AS is_untidy"
        );
        let rows = db.recall(sql, values![]).await?;
        let flag = |name: &str| rows.first().map_or(Ok(0), |row| row.int(name));
        Ok(Self {
            is_due: flag("is_due")? == 1,
            is_drained: flag("is_drained")? == 1,
            is_untidy: flag("is_untidy")? == 1,
        })
    }
}

/// The right to drain the outbox, for a while.
pub struct Lease {
    owner: String,
}

/// What comes after a page.
pub enum Next {
    /// The next page: empty when events came while the lease was to be given back.
    Page(Vec<Event>),
    /// Nothing was due, and the lease is given back; or somebody else has it, who does the
    /// same work again: no harm.
    Over,
}

impl Lease {
    /// `None` while another relay has it, and when nothing is due.
    pub async fn take(db: &Db) -> Result<Option<Self>, StoreError> {
        let lease = Self { owner: new_id() };
        let sql = format!(
            "INSERT INTO lease (name, owner, expires_at_ms) \
             SELECT 'relay', ?1, {{now}} + ?2 WHERE EXISTS (SELECT 1 FROM outbox WHERE {DUE}) \
             ON CONFLICT (name) DO UPDATE \
             SET owner = excluded.owner, expires_at_ms = excluded.expires_at_ms \
             WHERE lease.expires_at_ms <= {{now}}"
        );
        let mut batch = Batch::new();
        batch.may_be_lost();
        batch.expect(1, sql, values![&lease.owner, LEASE_MS]);
        match batch.commit(db).await {
            Ok(_) => Ok(Some(lease)),
            Err(BatchError::Unmet { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Records what became of a page, reads the next one, and gives the lease back when nothing
    /// is due any more: one call. What comes into the outbox while it runs keeps the lease.
    pub async fn settle_and_next(&self, db: &Db, outcome: &Outcome) -> Result<Next, StoreError> {
        let mut batch = self.settled(outcome);
        let page = batch.len();
        let sql = format!("SELECT {COLUMNS} FROM outbox WHERE {DUE} ORDER BY seq LIMIT ?1");
        batch.rows(sql, values![PAGE_EVENTS as i64]);
        let given_back = batch.len();
        batch.count(
            format!(
                "DELETE FROM lease WHERE name = 'relay' AND owner = ?1 \
                 AND NOT EXISTS (SELECT 1 FROM outbox WHERE {DUE})"
            ),
            values![&self.owner],
        );
        let results = match batch.commit(db).await {
            Ok(results) => results,
            Err(BatchError::Unmet { .. }) => return Ok(Next::Over),
            Err(error) => return Err(error.into()),
        };
        let rows = results.get(page).map_or(&[][..], |result| &result.rows);
        if rows.is_empty() && results.get(given_back).is_some_and(|one| one.changes > 0) {
            return Ok(Next::Over);
        }
        Ok(Next::Page(
            rows.iter().map(Event::of).collect::<Result<_, _>>()?,
        ))
    }

    /// Records what became of the run's last page, and lets the next relay in.
    pub async fn settle_and_leave(self, db: &Db, outcome: &Outcome) -> Result<(), StoreError> {
        let mut batch = self.settled(outcome);
        batch.add(
            "DELETE FROM lease WHERE name = 'relay' AND owner = ?1",
            values![self.owner],
        );
        match batch.commit(db).await {
            Ok(_) | Err(BatchError::Unmet { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A batch that holds on to the lease and marks the page's events. Where it is lost, the
    /// events come once more.
    fn settled(&self, outcome: &Outcome) -> Batch {
        let mut batch = Batch::new();
        batch.may_be_lost();
        batch.expect(
            1,
            "UPDATE lease SET expires_at_ms = {now} + ?2 WHERE name = 'relay' AND owner = ?1",
            values![&self.owner, LEASE_MS],
        );
        if !outcome.done.is_empty() {
            batch.add(
                (
                    "UPDATE outbox SET done_at_ms = {now} \
                 WHERE seq IN (SELECT value FROM json_each(?1))",
                    "UPDATE outbox SET done_at_ms = {now} \
                 WHERE seq = ANY (ARRAY(SELECT jsonb_array_elements_text(?1::jsonb)::bigint))",
                ),
                values![serde_json::Value::from(outcome.done.clone()).to_string()],
            );
        }
        for event in &outcome.failed {
            batch.add(
                "UPDATE outbox SET attempts = attempts + 1, next_attempt_at_ms = {now} + ?2, \
                 dead_at_ms = CASE WHEN attempts + 1 >= ?3 THEN {now} END WHERE seq = ?1",
                values![event.seq, event.backoff_ms(), MAX_ATTEMPTS],
            );
        }
        batch
    }
}

/// The events that were set aside, the oldest first.
pub async fn dead(db: &Db) -> Result<Vec<Event>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM outbox WHERE dead_at_ms IS NOT NULL ORDER BY seq LIMIT ?1");
    db.query(sql, values![DEAD_EVENTS])
        .await?
        .iter()
        .map(Event::of)
        .collect()
}

/// Puts a dead event back to be tried again; whether there was one.
pub async fn revive(db: &Db, seq: i64) -> Result<bool, StoreError> {
    let mut batch = Batch::new();
    batch.expect(
        1,
        "UPDATE outbox SET dead_at_ms = NULL, attempts = 0, next_attempt_at_ms = 0 \
         WHERE seq = ?1 AND dead_at_ms IS NOT NULL",
        values![seq],
    );
    match batch.commit(db).await {
        Ok(_) => Ok(true),
        Err(BatchError::Unmet { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_is_bounded() {
        let event = |attempts| Event {
            seq: 1,
            id: String::new(),
            brand_id: String::new(),
            aggregate_type: String::new(),
            aggregate_id: String::new(),
            kind: String::new(),
            attempts,
            created_at_ms: 0,
            dead_at_ms: None,
        };
        let waits = [0, 1, 9, 10, i64::MAX, -1].map(|attempts| event(attempts).backoff_ms());
        assert_eq!(waits, [1_000, 2_000, 512_000, 512_000, 512_000, 1_000]);
    }
}
