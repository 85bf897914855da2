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

/// Of each kind: table, its age, what is asked besides, and how long it is kept.
const KINDS: [(&str, &str, &str, i64); 5] = [
    ("idempotency", "created_at_ms", "", KEEP_ANSWERS_MS),
    ("rate_limit", "window_ends_ms", "", KEEP_ANSWERS_MS),
    ("presence", "expires_at_ms", "", 0),
    // The newest stays: its number is the version of what is read beside it.
    (
        "outbox",
        "done_at_ms",
        " AND x.seq < (SELECT max(seq) FROM outbox)",
        KEEP_DONE_MS,
    ),
    ("notice", "done_at_ms", "", KEEP_DONE_MS),
];

/// One batch.
pub async fn run(db: &Db) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.may_be_lost();
    // Where a row lies: it is found twice within one statement.
    let place = db.dialect().pick("rowid", "ctid");
    for (table, age, besides, kept_ms) in KINDS {
        let old = db.dialect().among_few(&format!(
            "SELECT x.{place} FROM {table} x WHERE x.{age} <= {{now}} - ?1{besides} ORDER BY x.{age} LIMIT ?2"
        ));
        batch.add(
            format!("DELETE FROM {table} WHERE {place} {old}"),
            values![kept_ms, RUN_ROWS],
        );
    }
    batch.commit(db).await?;
    Ok(())
}
