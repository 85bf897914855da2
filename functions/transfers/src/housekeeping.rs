//! `POST /transfers/housekeeping`: gives back what was set aside for nobody who came, and
//! asks others where a source let its time pass. A ticker calls it.

use aisle_domain::brand::Brand;
use aisle_domain::transfer::Status;
use aisle_http::{Call, Error, Reply, auth, notify_relay};
use aisle_store::{Batch, BatchError, values};
use serde::Serialize;

use crate::facts::{Facts, Question};
use crate::life::{self, Move};

/// Transfers ended in one run, at most; what is left is the next run's.
const RUN_TRANSFERS: i64 = 20;

#[derive(Default, Serialize)]
struct Run {
    /// Transfers that have expired.
    settled: usize,
    /// Whether the run stopped at its limit, so that some may be left.
    more: bool,
}

pub async fn run(call: &Call) -> Result<Reply, Error> {
    auth::housekeeper(call).await?;
    // What is set aside for an order is its payment's affair until that is settled.
    let sql = "SELECT brand_id, id FROM transfer WHERE expires_at_ms <= {now} \
               AND (status = 'requested' OR (status = 'reserved' AND for_type <> 'order')) \
               ORDER BY expires_at_ms LIMIT ?1";
    let rows = call.db().query(sql, values![RUN_TRANSFERS]).await?;
    let mut run = Run {
        more: rows.len() as i64 == RUN_TRANSFERS,
        ..Run::default()
    };
    if rows.is_empty() {
        return Reply::json(200, &run);
    }
    let brands = call.model().brands().await?;
    for row in &rows {
        let (brand_id, id) = (row.text("brand_id")?, row.text("id")?);
        let Some(brand) = brands.iter().find(|brand| brand.id == brand_id) else {
            continue;
        };
        run.settled += usize::from(expire(call, brand, &id).await?);
    }
    notify_relay();
    Reply::json(200, &run)
}

/// `false`: somebody acted meanwhile; it is that one's, or the next run's.
async fn expire(call: &Call, brand: &Brand, id: &str) -> Result<bool, Error> {
    let locations = call.model().locations(&brand.id).await?;
    let question = Question {
        transfer_id: Some(id),
        ..Question::default()
    };
    let facts = Facts::read(call, brand, None, locations, &question).await?;
    let Some(before) = facts.transfers.iter().find(|one| one.id == id) else {
        return Ok(false);
    };
    if before.lapsed == 0 || !before.status.may_become(Status::Expired) {
        return Ok(false);
    }
    let mut after = before.clone();
    (after.status, after.expires_at_ms) = (Status::Expired, None);
    let expired = Move::within(after, "transfer.expired").releasing("expired");
    let mut batch = Batch::new();
    life::write(&mut batch, brand, &facts, before, &expired)?;
    match batch.commit(call.db()).await {
        Ok(_) => Ok(true),
        Err(BatchError::Unmet { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
