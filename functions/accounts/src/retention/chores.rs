//! What is deleted or wiped as it is, without a look at what it says.

use aisle_domain::brand::Brand;
use aisle_domain::policy::RetentionPolicy;
use aisle_http::{Call, Error};
use aisle_store::{Batch, BatchError, Dialect, StatementResult, values};
use aisle_ucp::account::RetentionRun;

use super::DAY_MS;
use crate::forget::{FORGOTTEN_INVITE, FORGOTTEN_MESSAGE};

/// Rows of each kind that one run forgets, at most.
const RUN_ROWS: i64 = 100;

/// One batch. Those that others hold at the moment are the next run's.
pub async fn run(call: &Call, brand: &Brand, run: &mut RetentionRun) -> Result<(), Error> {
    let mut batch = Batch::new();
    for (sql, days) in chores(&brand.policies.retention, call.db().dialect()) {
        batch.count(sql, values![&brand.id, days * DAY_MS, RUN_ROWS]);
    }
    let results = batch.commit(call.db()).await?;
    run.more |= results
        .iter()
        .any(|result| result.changes >= RUN_ROWS as u64);
    run.settled += results.iter().map(|result| result.changes).sum::<u64>();
    Ok(())
}

/// Statements with the brand as `?1`, an age as `?2` and a number of rows as `?3`, and the age
/// in days. In an order in which nothing is deleted that something else refers to.
fn chores(policy: &RetentionPolicy, dialect: Dialect) -> Vec<(String, i64)> {
    let old = "{now} - ?2";
    let sessions = format!(
        "SELECT e.id FROM (SELECT s.id FROM account_session s WHERE s.brand_id = ?1 AND s.expires_at_ms <= {old} \
           ORDER BY s.expires_at_ms, s.id LIMIT ?3) e \
         UNION SELECT r.id FROM (SELECT s.id FROM account_session s WHERE s.brand_id = ?1 AND s.revoked_at_ms <= {old} \
           ORDER BY s.revoked_at_ms, s.id LIMIT ?3) r"
    );
    let checkouts = format!(
        "SELECT s.id FROM checkout_session s WHERE s.brand_id = ?1 AND s.updated_at_ms <= {old} \
         AND s.status IN ('incomplete', 'ready_for_complete', 'canceled') AND s.expires_at_ms <= {old} \
         AND NOT EXISTS (SELECT 1 FROM customer_order o WHERE o.checkout_session_id = s.id) \
         ORDER BY s.updated_at_ms, s.id LIMIT ?3"
    );
    let old_messages = format!(
        "SELECT m.id FROM message m WHERE m.brand_id = ?1 AND m.address <> '' AND m.created_at_ms <= {old} \
         AND m.status NOT IN ('queued', 'sending') ORDER BY m.created_at_ms, m.id LIMIT ?3"
    );
    let old_invites = format!(
        "SELECT i.id FROM invite i WHERE i.brand_id = ?1 AND i.address <> '' AND i.expires_at_ms <= {old} \
         ORDER BY i.expires_at_ms, i.id LIMIT ?3"
    );
    let delete = |table: &str, column: &str, ids: &str| {
        format!(
            "DELETE FROM {table} WHERE {column} {}",
            dialect.among_few(ids)
        )
    };
    let by_age = |table: &str, key: &str, age: &str| {
        let ids = format!(
            "SELECT x.{key} FROM {table} x WHERE x.brand_id = ?1 AND x.{age} <= {old} ORDER BY x.{age} LIMIT ?3"
        );
        delete(table, key, &ids)
    };
    vec![
        (
            by_age("one_time_code", "id", "expires_at_ms"),
            policy.code_days,
        ),
        (by_age("customer_code", "code_hash", "expires_at_ms"), 0),
        (
            by_age("sandbox_message", "id", "at_ms"),
            policy.message_days,
        ),
        (
            delete("account_refresh", "session_id", &sessions),
            policy.session_days,
        ),
        (
            delete("account_session", "id", &sessions),
            policy.session_days,
        ),
        (
            format!(
                "UPDATE message SET {FORGOTTEN_MESSAGE} WHERE id {}",
                dialect.among_few(&old_messages)
            ),
            policy.message_days,
        ),
        (
            format!(
                "UPDATE invite SET {FORGOTTEN_INVITE} WHERE id {}",
                dialect.among_few(&old_invites)
            ),
            policy.message_days,
        ),
        (
            delete("account_checkout", "checkout_session_id", &checkouts),
            policy.checkout_days,
        ),
        (
            delete("checkout_session", "id", &checkouts),
            policy.checkout_days,
        ),
    ]
}

/// How many rows a batch has changed; none when somebody was faster.
pub fn settled(outcome: Result<Vec<StatementResult>, BatchError>) -> Result<u64, Error> {
    match outcome {
        Ok(results) => Ok(results.iter().map(|result| result.changes).sum()),
        Err(BatchError::Unmet { .. }) => Ok(0),
        Err(error) => Err(error.into()),
    }
}
