//! `/counts/{id}/…`: the steps of a count from its first zone to its approval.

use aisle_domain::brand::Brand;
use aisle_domain::count::{Conflict, Delta, REASON, Recount, Settlement, Status};
use aisle_domain::plan::Allocation;
use aisle_http::auth::{self, Staff};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::scans::{Found, Part};
use aisle_store::stock::{self, Document};
use aisle_store::{Batch, incident};
use aisle_ucp::count::{ApproveRequest, Approved, ConflictView, RecountRequest};
use serde_json::json;

use crate::SCOPE;
use crate::audit;
use crate::count::{self, Session, time_zone};

/// How often a step is decided anew because a scan or another step came in meanwhile.
const TRIES: usize = 4;

/// `POST /counts/{id}/zones/{zone}/done`: again and again, if need be.
pub async fn zone_done(call: &Call, id: &str, zone: &str) -> Result<Reply, Error> {
    let step = async |context: &Context<'_>, before: &Session| {
        before.must_be(&[Status::Open])?;
        let mut after = before.clone();
        let mut zones = after.count.zones.iter_mut();
        let done = zones.find(|known| known.name == zone);
        let done = done.ok_or_else(|| {
            Error::not_found("unknown_zone", "the count has no zone of this name").at("zone")
        })?;
        done.done_at_ms = done.done_at_ms.or(Some(before.now_ms));
        context.decide(after, "count.zone_done", json!({"zone": zone}))
    };
    change(call, id, "zone-done", step).await
}

/// `POST /counts/{id}/review`: the counting is over, the variances are there to be seen.
pub async fn review(call: &Call, id: &str) -> Result<Reply, Error> {
    let step = async |context: &Context<'_>, before: &Session| {
        before.must_be(&[Status::Open])?;
        let unfinished: Vec<&str> = before.count.unfinished_zones().collect();
        if !unfinished.is_empty() {
            let detail = "some zones are not done: what nobody found there would be missing";
            return Err(Error::conflict("zones_not_done", detail).with("zones", unfinished));
        }
        let mut after = before.clone();
        after.status = Status::Review;
        after.count.reviewed_at_ms = Some(before.now_ms);
        context.decide(after, "count.reviewed", json!({"round": before.round}))
    };
    change(call, id, "review", step).await
}

/// `POST /counts/{id}/recounts`: some SKUs once more.
pub async fn recount(call: &Call, id: &str) -> Result<Reply, Error> {
    let step = async |context: &Context<'_>, before: &Session| {
        let request: RecountRequest = call.parse(&context.body)?;
        request.check().map_err(count::invalid)?;
        before.must_be(&[Status::Review])?;
        let found = before.found(call, &context.brand.id, Part::ALL).await?;
        let is_counted = |sku: &String| found.iter().any(|one| one.tally.sku == *sku);
        if let Some(index) = request.skus.iter().position(|sku| !is_counted(sku)) {
            let path = format!("$.skus[{index}]");
            let detail = "this SKU is not among those that were counted";
            return Err(Error::unprocessable("not_in_count", &path, detail));
        }
        let mut after = before.clone();
        after.status = Status::Open;
        after.round += 1;
        let again = Recount {
            round: after.round,
            from_ms: before.now_ms,
        };
        let skus = request.skus.iter().cloned();
        after.count.recounted.extend(skus.map(|sku| (sku, again)));
        let doc = json!({"round": after.round, "skus": request.skus.len()});
        context.decide(after, "count.recounted", doc)
    };
    change(call, id, "recount", step).await
}

/// `POST /counts/{id}/cancel`
pub async fn cancel(call: &Call, id: &str) -> Result<Reply, Error> {
    let step = async |context: &Context<'_>, before: &Session| {
        before.must_be(&[Status::Open, Status::Review])?;
        let mut after = before.clone();
        after.status = Status::Cancelled;
        context.decide(after, "count.cancelled", json!({}))
    };
    change(call, id, "cancel", step).await
}

/// `POST /counts/{id}/approve`: the variances become movements.
pub async fn approve(call: &Call, id: &str) -> Result<Reply, Error> {
    let step = async |context: &Context<'_>, before: &Session| {
        let request: ApproveRequest = match context.body.is_empty() {
            true => ApproveRequest::default(),
            false => call.parse(&context.body)?,
        };
        before.must_be(&[Status::Review])?;
        if request.accept_moved {
            context.staff.with_scope("approve")?;
        }
        let found = before.found(call, &context.brand.id, Part::ALL).await?;
        let tallies = found.into_iter().map(|Found { tally, .. }| tally).collect();
        let settlement = Settlement::new(tallies, request.accept_moved);
        let largest = settlement.largest();
        if largest > context.brand.policies.counting.free_variance_units {
            let lacking = |error: Error| error.with("largest_variance", largest);
            context.staff.with_scope("approve").map_err(lacking)?;
        }
        let mut after = before.clone();
        after.status = Status::Approved;
        let answer = Approved {
            session: after.shown(&context.time_zone),
            applied: settlement.deltas.len(),
            conflicts: settlement
                .conflicts
                .iter()
                .map(ConflictView::from)
                .collect(),
        };
        Ok(Decision {
            after,
            answer: Answer::new(200, &answer)?,
            action: "count.approved",
            doc: json!({
                "applied": settlement.deltas.len(),
                "conflicts": settlement.conflicts.len(),
                "largest_variance": largest,
                "accept_moved": request.accept_moved,
            }),
            settlement,
            corrects: true,
        })
    };
    change(call, id, "approve", step).await
}

/// What a step is decided with.
struct Context<'a> {
    brand: &'a Brand,
    staff: &'a Staff,
    body: Vec<u8>,
    time_zone: String,
}

/// What a step leads to.
struct Decision {
    after: Session,
    answer: Answer,
    action: &'static str,
    doc: serde_json::Value,
    settlement: Settlement,
    /// It corrects shelves: with one more correction of the same ones by others it is
    /// decided anew.
    corrects: bool,
}

impl Context<'_> {
    /// A step that changes the count only.
    fn decide(
        &self,
        after: Session,
        action: &'static str,
        doc: serde_json::Value,
    ) -> Result<Decision, Error> {
        Ok(Decision {
            answer: Answer::new(200, &after.shown(&self.time_zone))?,
            after,
            action,
            doc,
            settlement: Settlement::default(),
            corrects: false,
        })
    }
}

/// Carries out a step over the version of the count that it was decided on. Scans come in
/// all the time, so one that is overtaken is decided anew.
async fn change(
    call: &Call,
    id: &str,
    operation: &str,
    step: impl AsyncFn(&Context<'_>, &Session) -> Result<Decision, Error>,
) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, SCOPE).await?;
    let body = call.body().await?;
    let caller = format!("{operation}-count/{id}/{}", staff.staff_id);
    let claim = call.claim(&brand.id, &caller, &body)?;
    let context = Context {
        brand: &brand,
        staff: &staff,
        body: body.to_vec(),
        time_zone: time_zone(call, &brand, &staff.location_id).await?,
    };
    for _ in 0..TRIES {
        let (before, outcome) = Session::read(call, &brand.id, id, claim.as_ref()).await?;
        staff.at(&before.location_id)?;
        if let Some(reply) = call.replay(outcome)? {
            return Ok(reply);
        }
        let decision = step(&context, &before).await?;
        let mut batch = command::begin(claim.as_ref(), &decision.answer);
        decision.after.replace(&mut batch, &brand.id, &before)?;
        settle(&mut batch, &staff, id, &decision.settlement);
        // After the balances are locked, so that none can come in between.
        if decision.corrects {
            before.must_be_alone(&mut batch, &brand.id);
        }
        audit::counted(&mut batch, staff.actor(), decision.action, id, decision.doc);
        match command::commit(call, claim.as_ref(), decision.answer, batch).await? {
            Committed::Done(reply) => {
                notify_relay();
                return Ok(reply);
            }
            Committed::Replayed(reply) => return Ok(reply),
            Committed::Unmet(_) => {}
        }
    }
    Err(command::raced())
}

/// Adds the movements of a settlement, and an incident for each balance that would not have
/// kept what is promised to others.
fn settle(batch: &mut Batch, staff: &Staff, count_id: &str, settlement: &Settlement) {
    if !settlement.deltas.is_empty() {
        let change = |delta: &Delta| Allocation {
            sku: delta.sku.clone(),
            location_id: staff.location_id.clone(),
            quantity: delta.units,
        };
        let changes: Vec<_> = settlement.deltas.iter().map(change).collect();
        let document = Document {
            kind: "count",
            id: count_id,
        };
        stock::adjust(batch, &staff.brand_id, REASON, document, &changes);
    }
    let below = settlement.conflicts.iter();
    for conflict in below.filter(|(_, conflict)| *conflict == Conflict::BelowReserved) {
        incident::record(
            batch,
            &staff.brand_id,
            &staff.location_id,
            "count.below_reserved",
            ("count", count_id),
            &json!(ConflictView::from(conflict)).to_string(),
        );
    }
}
