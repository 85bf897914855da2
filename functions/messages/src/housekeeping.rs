//! `POST /messages/housekeeping`: plans and sends what is due, and forgets what is over. The
//! relay's ticker calls it, and whoever has just written a message wakes it.

use aisle_http::{Call, Error, Reply, after_response, auth};
use aisle_store::{Batch, changes, values};
use serde::Serialize;

use crate::{plan, sending};

/// Messages that end in one run, at most; what is left is the next run's.
const RUN_ROWS: i64 = 500;
/// What was sent and never reported on is not sent elsewhere any more after this long.
const FALLBACK_MS: i64 = 3 * 86_400_000;

/// What a run did.
#[derive(Default, Serialize)]
struct Run {
    /// Messages made of what happened to orders.
    planned: usize,
    /// Messages that were given to their provider, or are not to be sent.
    settled: usize,
    /// Whether the run stopped at its limit, so that messages may be left.
    more: bool,
}

/// With `Prefer: respond-async` (RFC 7240) says 202 first: a provider may take its time.
pub async fn run(call: Call) -> Result<Reply, Error> {
    auth::housekeeper(&call).await?;
    if call.header("prefer") != Some("respond-async") {
        return Reply::json(200, &work(&call).await?);
    }
    after_response(async move { work_after(&call).await });
    Ok(Reply::empty(202))
}

/// The same beyond an answer: what goes wrong is in the log, and the next run's.
pub async fn work_after(call: &Call) {
    if let Err(error) = work(call).await {
        eprintln!("messages {}: {error:?}", call.request_id());
    }
}

async fn work(call: &Call) -> Result<Run, Error> {
    let planned = plan::run(call).await?;
    let sent = sending::run(call).await?;
    forget(call).await?;
    Ok(Run {
        planned,
        settled: sent.settled,
        more: sent.more,
    })
}

/// Ends messages whose time has passed, and wipes what they would have said, when there are any.
async fn forget(call: &Call) -> Result<(), Error> {
    const EXPIRED: &str = "message e WHERE e.status = 'queued' AND e.expires_at_ms <= {now}";
    const TOLD: &str =
        "message m WHERE m.status = 'sent' AND m.params <> '{}' AND m.updated_at_ms <= {now}";
    let any = format!(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM {EXPIRED}) OR EXISTS (SELECT 1 FROM {TOLD} - ?1) THEN 1 ELSE 0 END AS found"
    );
    let found = call.db().recall(any, values![FALLBACK_MS]).await?;
    if found.first().map_or(Ok(0), |row| row.int("found"))? == 0 {
        return Ok(());
    }
    let dialect = call.db().dialect();
    let expired = dialect.among_few(&format!(
        "SELECT e.id FROM {EXPIRED} ORDER BY e.expires_at_ms, e.id LIMIT ?1"
    ));
    let told = dialect.among_few(&format!(
        "SELECT m.id FROM {TOLD} - ?2 ORDER BY m.updated_at_ms LIMIT ?1"
    ));
    let mut batch = Batch::new();
    changes::of_messages(&mut batch, &format!("m.id {expired}"), values![RUN_ROWS]);
    batch
        .add(
            format!(
                "UPDATE message SET status = 'suppressed', failure = coalesce(failure, 'expired'), params = '{{}}', \
                 updated_at_ms = {{now}} WHERE id {expired}"
            ),
            values![RUN_ROWS],
        )
        .add(
            format!("UPDATE message SET params = '{{}}' WHERE id {told}"),
            values![RUN_ROWS, FALLBACK_MS],
        );
    batch.commit(call.db()).await?;
    Ok(())
}
