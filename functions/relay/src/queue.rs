//! The outbox as a queue: who may drain it, what is next, what became of it.

use aisle_store::{Batch, BatchError, Db, Row, StatementResult, StoreError, new_id, values};
use serde::Serialize;

use crate::refresh::Outcome;

/// Events that a run takes on, at most: it answers before anybody's deadline.
pub const RUN_EVENTS: usize = 500;

/// Events that are read, refreshed and settled together.
const PAGE_EVENTS: i64 = 100;

/// How long a relay that was stopped half-way keeps others out. Renewed with every page.
const LEASE_MS: i64 = 10_000;

/// After so many attempts an event is set aside.
const MAX_ATTEMPTS: i64 = 10;

/// Dead events in a list, at most.
const DEAD_EVENTS: i64 = 50;

/// Answers to idempotency keys are kept this long (UCP `signatures.md` recommends 48 h).
const KEEP_ANSWERS_MS: i64 = 48 * 3_600_000;

const COLUMNS: &str = "seq, id, brand_id, aggregate_type, aggregate_id, type, doc, attempts, created_at_ms, dead_at_ms";

/// What is to be done now.
const DUE: &str = "done_at_ms IS NULL AND dead_at_ms IS NULL AND next_attempt_at_ms <= {now}";

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

/// The right to drain the outbox, for a while.
pub struct Lease {
    owner: String,
}

impl Lease {
    /// Takes the lease and the first page in one call; `None` while another relay has it,
    /// and when nothing is due.
    pub async fn take(db: &Db) -> Result<Option<(Self, Vec<Event>)>, StoreError> {
        let lease = Self { owner: new_id() };
        let sql = format!(
            "INSERT INTO lease (name, owner, expires_at_ms) \
             SELECT 'relay', ?1, {{now}} + ?2 WHERE EXISTS (SELECT 1 FROM outbox WHERE {DUE}) \
             ON CONFLICT (name) DO UPDATE \
             SET owner = excluded.owner, expires_at_ms = excluded.expires_at_ms \
             WHERE lease.expires_at_ms <= {{now}}"
        );
        let mut batch = Batch::new();
        batch.expect(1, sql, values![&lease.owner, LEASE_MS]);
        next_page(&mut batch);
        match batch.commit(db).await {
            Ok(results) => Ok(Some((lease, page(results)?))),
            Err(error) if error.unmet_at(0) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Records what became of a page and reads the next one: one call.
    pub async fn settle_and_next(
        &self,
        db: &Db,
        outcome: &Outcome,
    ) -> Result<Vec<Event>, StoreError> {
        let mut batch = self.settled(outcome);
        next_page(&mut batch);
        match batch.commit(db).await {
            Ok(results) => page(results),
            // Somebody else has the lease now and does the same work again: no harm.
            Err(BatchError::Unmet { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Records what became of the run's last page.
    pub async fn settle(&self, db: &Db, outcome: &Outcome) -> Result<(), StoreError> {
        match self.settled(outcome).commit(db).await {
            Ok(_) | Err(BatchError::Unmet { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets the next relay in, and tidies up what nobody asks for any more.
    pub async fn give_back(self, db: &Db) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch
            .add(
                "DELETE FROM lease WHERE name = 'relay' AND owner = ?1",
                values![self.owner],
            )
            .add(
                "DELETE FROM idempotency WHERE created_at_ms < {now} - ?1",
                values![KEEP_ANSWERS_MS],
            )
            // Whom a limit or a board knew is forgotten as well.
            .add(
                "DELETE FROM rate_limit WHERE window_ends_ms < {now} - ?1",
                values![KEEP_ANSWERS_MS],
            )
            .add(
                "DELETE FROM presence WHERE expires_at_ms <= {now}",
                values![],
            );
        batch.commit(db).await?;
        Ok(())
    }

    /// A batch that holds on to the lease and marks the page's events.
    fn settled(&self, outcome: &Outcome) -> Batch {
        let mut batch = Batch::new();
        batch.expect(
            1,
            "UPDATE lease SET expires_at_ms = {now} + ?2 WHERE name = 'relay' AND owner = ?1",
            values![&self.owner, LEASE_MS],
        );
        batch.add(
            (
                "UPDATE outbox SET done_at_ms = {now} \
                 WHERE seq IN (SELECT value FROM json_each(?1))",
                "UPDATE outbox SET done_at_ms = {now} \
                 WHERE seq IN (SELECT jsonb_array_elements_text(?1::jsonb)::bigint)",
            ),
            values![serde_json::Value::from(outcome.done.clone()).to_string()],
        );
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

fn next_page(batch: &mut Batch) {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE {DUE} ORDER BY seq LIMIT ?1");
    batch.rows(sql, values![PAGE_EVENTS]);
}

/// The rows of the batch's last statement.
fn page(results: Vec<StatementResult>) -> Result<Vec<Event>, StoreError> {
    let rows = results.last().map_or(&[][..], |result| &result.rows);
    rows.iter().map(Event::of).collect()
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
