//! Rows that only grow go by their age, a bounded number at a time, each kind found by an
//! index on that age.

use aisle_store::{Batch, Db, StoreError, values};

/// Rows of each kind that go at a time, at most.
const RUN_ROWS: i64 = 500;

const HOUR_MS: i64 = 3_600_000;

/// Answers to idempotency keys are kept this long (UCP `signatures.md` recommends 48 h), and
/// whom a limit knew.
const KEEP_ANSWERS_MS: i64 = 48 * HOUR_MS;

/// Events and news that are done are kept this long, for whoever looks into what happened.
const KEEP_DONE_MS: i64 = 30 * 24 * HOUR_MS;

/// Statements with an age in milliseconds as `?1` and a number of rows as `?2`.
const KINDS: [(&str, i64); 5] = [
    (
        "DELETE FROM idempotency WHERE (scope, key) IN (SELECT x.scope, x.key FROM idempotency x \
         WHERE x.created_at_ms < {now} - ?1 ORDER BY x.created_at_ms LIMIT ?2)",
        KEEP_ANSWERS_MS,
    ),
    (
        "DELETE FROM rate_limit WHERE name IN (SELECT x.name FROM rate_limit x \
         WHERE x.window_ends_ms < {now} - ?1 ORDER BY x.window_ends_ms LIMIT ?2)",
        KEEP_ANSWERS_MS,
    ),
    (
        "DELETE FROM presence WHERE id IN (SELECT x.id FROM presence x \
         WHERE x.expires_at_ms <= {now} - ?1 ORDER BY x.expires_at_ms LIMIT ?2)",
        0,
    ),
    // The newest stays: its number is the version of what is read beside it.
    (
        "DELETE FROM outbox WHERE seq IN (SELECT x.seq FROM outbox x \
         WHERE x.done_at_ms < {now} - ?1 AND x.seq < (SELECT max(seq) FROM outbox) ORDER BY x.done_at_ms LIMIT ?2)",
        KEEP_DONE_MS,
    ),
    (
        "DELETE FROM notice WHERE event_id IN (SELECT x.event_id FROM notice x \
         WHERE x.done_at_ms < {now} - ?1 ORDER BY x.done_at_ms LIMIT ?2)",
        KEEP_DONE_MS,
    ),
];

/// One batch.
pub async fn run(db: &Db) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.may_be_lost();
    for (sql, age_ms) in KINDS {
        batch.add(sql, values![age_ms, RUN_ROWS]);
    }
    batch.commit(db).await?;
    Ok(())
}
