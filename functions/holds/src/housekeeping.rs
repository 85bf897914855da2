//! `POST /holds/housekeeping`: gives back what is kept past its time, takes care of
//! layaways and of what waits to be collected, and pays refunds out. A ticker calls it.

use aisle_domain::brand::Brand;
use aisle_domain::hold::Hold;
use aisle_http::{Call, Error, Reply, auth, notify_relay};
use aisle_store::stock::{self, Document};
use aisle_store::{Batch, BatchError, Row, values};
use aisle_ucp::hold::HousekeepingRun;

use crate::facts::changed;
use crate::{layaways, pickups, refunds};

/// Holds given back in one run, at most; what is left is the next run's.
const RUN_HOLDS: i64 = 50;

pub async fn run(call: &Call) -> Result<Reply, Error> {
    auth::housekeeper(call).await?;
    let sql = "SELECT id, brand_id, location_id, doc, version FROM hold \
               WHERE status IN ('requested', 'pulled') AND expires_at_ms <= {now} ORDER BY expires_at_ms LIMIT ?1";
    let rows = call.db().recall(sql, values![RUN_HOLDS]).await?;
    let released = release(call, &rows).await?;
    let cared_for = layaways::care::run(call).await?;
    let collected = pickups::care::run(call).await?;
    // Last, since what was given up above may owe something.
    let refunded = refunds::run(call).await?;
    let runs = [cared_for, collected, refunded];
    let run = HousekeepingRun {
        settled: released + runs.iter().map(|run| run.settled).sum::<usize>(),
        more: rows.len() as i64 == RUN_HOLDS || runs.iter().any(|run| run.more),
    };
    Reply::json(200, &run)
}

/// Gives back what is past its time at one store; whether there was anything.
pub async fn release_expired_at(
    call: &Call,
    brand: &Brand,
    location_id: &str,
) -> Result<bool, Error> {
    let sql = "SELECT id, brand_id, location_id, doc, version FROM hold WHERE brand_id = ?1 AND location_id = ?2 \
               AND status IN ('requested', 'pulled') AND expires_at_ms <= {now} ORDER BY expires_at_ms LIMIT ?3";
    let rows = call
        .db()
        .query(sql, values![&brand.id, location_id, RUN_HOLDS])
        .await?;
    Ok(release(call, &rows).await? > 0)
}

/// One batch for each hold: one that changes meanwhile does not keep the others waiting.
async fn release(call: &Call, rows: &[Row]) -> Result<usize, Error> {
    let mut settled = 0;
    for row in rows {
        let (brand_id, id) = (row.text("brand_id")?, row.text("id")?);
        let hold: Hold = row.json("doc")?;
        let mut batch = Batch::new();
        batch.expect(
            1,
            "UPDATE hold SET status = 'expired', version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status IN ('requested', 'pulled') \
               AND expires_at_ms <= {now}",
            values![&brand_id, &id, row.int("version")?],
        );
        changed(&mut batch, &brand_id, &id);
        let allocations = hold.allocations(&row.text("location_id")?);
        stock::release(&mut batch, &brand_id, Document::hold(&id), &allocations);
        settled += usize::from(committed(call, &batch).await?);
    }
    if settled > 0 {
        notify_relay();
    }
    Ok(settled)
}

/// Commits a batch of which somebody else may have done the work: `false`.
pub async fn committed(call: &Call, batch: &Batch) -> Result<bool, Error> {
    match batch.commit(call.db()).await {
        Ok(_) => Ok(true),
        Err(BatchError::Unmet { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
