//! `POST /invites/housekeeping`: addresses are forgotten a while after their links' end.

use aisle_http::{Call, Error, Reply, auth};
use aisle_store::{Batch, values};
use aisle_ucp::invite::PurgeRun;

/// Links of one run, at most; what is left is the next run's.
const RUN_ROWS: i64 = 500;

pub async fn run(call: &Call) -> Result<Reply, Error> {
    auth::housekeeper(call).await?;
    let mut batch = Batch::new();
    batch.add(
        "UPDATE invite SET address = '' WHERE address <> '' AND id IN (SELECT d.id FROM invite d \
           WHERE d.address <> '' AND d.purge_at_ms <= {now} ORDER BY d.purge_at_ms LIMIT ?1)",
        values![RUN_ROWS],
    );
    let results = batch.commit(call.db()).await?;
    let purged = results.first().map_or(0, |result| result.changes);
    let run = PurgeRun {
        purged,
        more: purged >= RUN_ROWS as u64,
    };
    Reply::json(200, &run)
}
