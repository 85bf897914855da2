//! `POST /holds/housekeeping`: gives back what is kept past its time, takes care of
//! layaways and of what waits to be collected, and pays refunds out. A ticker calls it.

use aisle_http::{Call, Error, Reply, auth, notify_relay};
use aisle_store::holds::{self, EXPIRED_AT_A_TIME};
use aisle_store::{Batch, BatchError};
use aisle_ucp::hold::HousekeepingRun;

use crate::{layaways, pickups, refunds};

pub async fn run(call: &Call) -> Result<Reply, Error> {
    auth::housekeeper(call).await?;
    let (found, released) = holds::release_expired(call.db(), None).await?;
    if released > 0 {
        notify_relay();
    }
    let cared_for = layaways::care::run(call).await?;
    let collected = pickups::care::run(call).await?;
    // Last, since what was given up above may owe something.
    let refunded = refunds::run(call).await?;
    let runs = [cared_for, collected, refunded];
    let run = HousekeepingRun {
        settled: released + runs.iter().map(|run| run.settled).sum::<usize>(),
        more: found as i64 == EXPIRED_AT_A_TIME || runs.iter().any(|run| run.more),
    };
    Reply::json(200, &run)
}

/// Commits a batch of which somebody else may have done the work: `false`.
pub async fn committed(call: &Call, batch: &Batch) -> Result<bool, Error> {
    match batch.commit(call.db()).await {
        Ok(_) => Ok(true),
        Err(BatchError::Unmet { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
