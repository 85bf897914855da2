//! `POST /transfers/{id}/events`: whoever carries the goods says where they are, and the
//! promise follows, earlier or later.

use aisle_domain::brand::Brand;
use aisle_domain::lane::{self, Eta, EtaReason};
use aisle_domain::transfer::Status;
use aisle_http::{Call, Error, Reply};
use aisle_store::transfers::Transfer;
use aisle_ucp::page::Invalid;
use aisle_ucp::transfer::{EventKind, EventRequest};
use serde_json::json;

use super::{Move, illegal, step};
use crate::access::{self, Caller};
use crate::facts::Facts;

const DAY_MS: i64 = 86_400_000;
/// An arrival is reported at most so long afterwards, and announced so long before.
const PAST_MS: i64 = 7 * DAY_MS;
const AHEAD_MS: i64 = 60 * DAY_MS;
/// Changes of a promise that are kept; a carrier has no reason to send more.
const MAX_HISTORY: usize = 100;

pub async fn report(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::staff_or_carrier(call, &brand.id).await?;
    let body = call.body().await?;
    let request: EventRequest = call.parse(&body)?;
    let expected_at_ms = request.expected_at_ms().map_err(access::malformed)?;
    step(call, &brand, &caller, id, &body, |before, facts| {
        if matches!(caller, Caller::Staff(_)) {
            caller.at_either_end(before)?;
        }
        if !is_possible(request.kind, before.status_now()) {
            return Err(illegal(before, request.kind.name()));
        }
        let arrives_at_ms = arrival(request.kind, expected_at_ms, before, facts.now_ms)?;
        let mut reported = Move::within(before.clone(), "transfer.reported");
        if before.doc.eta_history.len() < MAX_HISTORY {
            arrives(
                &mut reported.after,
                facts,
                &brand,
                arrives_at_ms,
                request.kind.name(),
            )?;
        }
        reported.audit_doc = json!({ "type": request.kind.name() });
        Ok(reported)
    })
    .await
}

/// A delay can be known before the goods have left; all else is about goods on the road.
fn is_possible(kind: EventKind, status: Status) -> bool {
    match kind {
        EventKind::Delayed => status.is_open() && status != Status::Reserved,
        _ => status == Status::InTransit,
    }
}

fn arrival(
    kind: EventKind,
    expected_at_ms: Option<i64>,
    before: &Transfer,
    now_ms: i64,
) -> Result<i64, Error> {
    let eta = &before.doc.eta;
    let arrives_at_ms = expected_at_ms.unwrap_or(match kind {
        EventKind::Arrived => now_ms,
        _ => now_ms + (eta.arrives_at_ms - eta.departs_at_ms).max(0),
    });
    if (now_ms - PAST_MS..=now_ms + AHEAD_MS).contains(&arrives_at_ms) {
        return Ok(arrives_at_ms);
    }
    let detail = "more than 7 days ago or more than 60 days ahead";
    Err(access::unfit(Invalid::new(
        "implausible_instant",
        "$.expected_at",
        detail,
    )))
}

/// Moves the transfer's promise to what follows from an arrival.
pub fn arrives(
    after: &mut Transfer,
    facts: &Facts,
    brand: &Brand,
    arrives_at_ms: i64,
    reason: &str,
) -> Result<(), Error> {
    let policy = &brand.policies.transfers;
    let to = facts.location(&after.to_location_id);
    let ready = to.and_then(|to| lane::ready_after_arrival(to, policy, arrives_at_ms));
    let ready_at_ms = ready.ok_or_else(|| {
        let detail = "the destination's opening hours allow no promise";
        Error::conflict("no_promise", detail)
    })?;
    let eta = Eta {
        arrives_at_ms,
        ready_at_ms,
        reasons: vec![EtaReason::Reported],
        ..after.doc.eta.clone()
    };
    after.doc.move_eta(eta, facts.now_ms, reason);
    after.ready_at_ms = ready_at_ms;
    Ok(())
}
