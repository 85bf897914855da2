//! `POST /transfers/housekeeping`: gives back what was set aside for nobody who came, asks
//! others where a source let its time pass, and notices promises that time alone has broken.
//! A ticker calls it.

use aisle_domain::brand::Brand;
use aisle_domain::lane::Eta;
use aisle_domain::order::TimelineKind;
use aisle_domain::transfer::care::{self, Found};
use aisle_domain::transfer::{Failure, Status};
use aisle_http::{Call, Error, Reply, auth, notify_relay};
use aisle_store::outbox::{self, Event};
use aisle_store::transfers::{self, Transfer};
use aisle_store::{Batch, BatchError, values};
use serde::Serialize;
use serde_json::json;

use crate::facts::{Facts, Question};
use crate::life::{self, Move};
use crate::waiting::Waiting;

/// Transfers ended in one run, and transfers looked at, at most; what is left is the next
/// run's.
const RUN_TRANSFERS: i64 = 20;
/// When to look again at what cannot be judged now: it is being paid, or is not in order.
const LATER_MS: i64 = 600_000;

#[derive(Default, Serialize)]
struct Run {
    /// Transfers that have expired.
    settled: usize,
    /// Transfers whose promise became another.
    slipped: usize,
    /// Whether the run stopped at its limit, so that some may be left.
    more: bool,
}

pub async fn run(call: &Call) -> Result<Reply, Error> {
    auth::housekeeper(call).await?;
    // What is set aside for an order is its payment's affair until that is settled.
    let sql = "SELECT brand_id, id, 'expired' AS what FROM (SELECT brand_id, id FROM transfer WHERE expires_at_ms <= {now} \
                 AND status IN ('requested', 'reserved') AND (status = 'requested' OR (status = 'reserved' AND for_type <> 'order')) \
                 ORDER BY expires_at_ms LIMIT ?1) due \
               UNION ALL SELECT brand_id, transfer_id, 'look' FROM (SELECT brand_id, transfer_id FROM transfer_watch \
                 WHERE look_at_ms <= {now} ORDER BY look_at_ms LIMIT ?1) watched";
    let rows = call.db().recall(sql, values![RUN_TRANSFERS]).await?;
    let mut run = Run::default();
    if rows.is_empty() {
        return Reply::json(200, &run);
    }
    let (mut ended, mut looks) = (0, 0);
    let brands = call.model().brands().await?;
    for row in &rows {
        let (brand_id, id) = (row.text("brand_id")?, row.text("id")?);
        let Some(brand) = brands.iter().find(|brand| brand.id == brand_id) else {
            continue;
        };
        if row.text("what")? == "expired" {
            ended += 1;
            run.settled += usize::from(expire(call, brand, &id).await?);
            continue;
        }
        looks += 1;
        match look(call, brand, &id).await {
            Ok(slipped) => run.slipped += usize::from(slipped),
            // One that cannot be judged must not keep the others waiting.
            Err(error) => {
                eprintln!(
                    "transfers: looking at transfer {id} failed: {}",
                    error.code()
                );
                look_later(call, brand, &id).await?;
            }
        }
    }
    run.more = ended.max(looks) == RUN_TRANSFERS;
    if run.settled + run.slipped > 0 {
        notify_relay();
    }
    Reply::json(200, &run)
}

async fn facts_of(call: &Call, brand: &Brand, id: &str) -> Result<Facts, Error> {
    let question = Question {
        transfer_id: Some(id),
        ..Question::default()
    };
    Facts::read(call, brand, None, &question).await
}

/// `false`: somebody acted meanwhile; it is that one's, or the next run's.
async fn expire(call: &Call, brand: &Brand, id: &str) -> Result<bool, Error> {
    let facts = facts_of(call, brand, id).await?;
    let Some(before) = facts.transfers.iter().find(|one| one.id == id) else {
        return Ok(false);
    };
    if before.lapsed == 0 || !before.status.may_become(Status::Expired) {
        return Ok(false);
    }
    let mut after = before.clone();
    (after.status, after.expires_at_ms) = (Status::Expired, None);
    let expired = Move::within(after, "transfer.expired").releasing(Failure::Expired);
    let mut batch = Batch::new();
    life::write(&mut batch, brand, &facts, before, &expired)?;
    committed(call, &batch).await
}

/// Whether the transfer has another promise now.
async fn look(call: &Call, brand: &Brand, id: &str) -> Result<bool, Error> {
    let facts = facts_of(call, brand, id).await?;
    let mut batch = Batch::new();
    let Some(before) = facts.transfers.iter().find(|one| one.id == id) else {
        transfers::look_again(&mut batch, &brand.id, id, None);
        return committed(call, &batch).await.map(|_| false);
    };
    let paying = before.is_for_order() && before.status == Status::Reserved;
    let found = match paying || before.lapsed != 0 {
        true => Found::OnTime {
            look_again_ms: facts.now_ms.saturating_add(LATER_MS),
        },
        false => {
            let (eta, policy) = (&before.doc.eta, &brand.policies.transfers);
            care::look(before.status, eta, facts.way(before), policy, facts.now_ms)
        }
    };
    let (eta, why) = match found {
        Found::Slipped { eta, why } => (eta, why),
        Found::OnTime { look_again_ms } => {
            transfers::look_again(&mut batch, &brand.id, id, Some(look_again_ms));
            return committed(call, &batch).await.map(|_| false);
        }
        Found::Over => {
            transfers::look_again(&mut batch, &brand.id, id, None);
            return committed(call, &batch).await.map(|_| false);
        }
    };
    let slipped = slip(brand, &facts, before, eta, why);
    life::write(&mut batch, brand, &facts, before, &slipped)?;
    told(&mut batch, brand, before, &slipped.after, why);
    committed(call, &batch).await
}

/// The later promise; or, where that is too much later, the end of the transfer in favour of
/// a source that is earlier.
fn slip(brand: &Brand, facts: &Facts, before: &Transfer, eta: Eta, why: &str) -> Move {
    let mut slipped = Move::within(before.clone(), "transfer.slipped");
    slipped.promise(eta, facts.now_ms, why);
    let (after, policy) = (&slipped.after, &brand.policies.transfers);
    let open = before.is_for_order() && before.status.holds_stock();
    if !open || !care::slips_too_far(&after.doc, policy) {
        return slipped;
    }
    let mut ended = after.clone();
    (ended.status, ended.expires_at_ms) = (Status::Cancelled, None);
    ended.doc.cancelled_reason = Some("not sent in time".into());
    let ended = Move::within(ended, "transfer.cancelled").releasing(Failure::Slipped);
    let earlier = Waiting::new(brand, facts)
        .and_then(|mut waiting| waiting.ready_without(&ended.after, Failure::Slipped))
        .is_some_and(|ready_at_ms| ready_at_ms < after.ready_at_ms);
    if earlier {
        return ended;
    }
    let from = facts.location(&before.from_location_id);
    let name = from.map_or("The source", |location| &location.name);
    slipped.told = Some((
        TimelineKind::TransferFailed,
        format!("{name} has not sent it in time, and no other place can send it sooner"),
        &["slipped", "no_source"],
    ));
    let pieces = before
        .lines
        .iter()
        .map(|line| (line.sku.clone(), line.requested.into()));
    slipped.incidents = vec![("transfer.late", pieces.collect())];
    slipped
}

fn told(batch: &mut Batch, brand: &Brand, before: &Transfer, after: &Transfer, why: &str) {
    let doc = json!({
        "reason": why,
        "status": after.status,
        "ready_at_ms_before": before.ready_at_ms,
        "ready_at_ms": after.ready_at_ms,
    });
    let event = Event {
        doc: doc.to_string(),
        ..Event::new(&brand.id, "transfer.slipped", &before.id)
    };
    outbox::event(batch, &event);
}

async fn look_later(call: &Call, brand: &Brand, id: &str) -> Result<(), Error> {
    let mut batch = Batch::new();
    batch.add(
        "UPDATE transfer_watch SET look_at_ms = {now} + ?3 WHERE brand_id = ?1 AND transfer_id = ?2",
        values![&brand.id, id, LATER_MS],
    );
    committed(call, &batch).await.map(drop)
}

/// `false`: somebody was faster.
async fn committed(call: &Call, batch: &Batch) -> Result<bool, Error> {
    match batch.commit(call.db()).await {
        Ok(_) => Ok(true),
        Err(BatchError::Unmet { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
