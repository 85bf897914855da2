//! Whether an open transfer keeps its promise, as it looks at an instant, and what is
//! promised instead where time alone has made that impossible.

use super::{EtaChange, Status, TransferDoc};
use crate::lane::{self, Eta, Lane};
use crate::location::Location;
use crate::policy::TransferPolicy;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// How often a request is looked at of which the time to pick has begun.
const WAITING_LOOK_MS: i64 = 15 * MINUTE_MS;

/// Why a promise slipped, as it is written to clients.
pub const NOT_DECIDED_IN_TIME: &str = "not_decided_in_time";
pub const MISSED_DEPARTURE: &str = "missed_departure";
pub const MISSED_ARRIVAL: &str = "missed_arrival";

/// What somebody who looks at a transfer finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It can still be kept; worth another look at that instant.
    OnTime { look_again_ms: i64 },
    /// It cannot be kept, for the reason that is named; this is promised from now on.
    Slipped { eta: Eta, why: &'static str },
    /// Nothing is on its way of it.
    Over,
}

/// The ends of a transfer and the way between them; `None` where the brand has it no more.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    pub from: Option<&'a Location>,
    pub to: Option<&'a Location>,
    pub lane: Option<&'a Lane>,
}

/// When a transfer that has just come to `status` is to be looked at first; `None`: never.
pub fn first_look_ms(status: Status, eta: &Eta) -> Option<i64> {
    match status {
        Status::Reserved | Status::Requested => Some(eta.picked_by_ms.min(eta.departs_at_ms)),
        Status::Approved | Status::Picking => Some(eta.departs_at_ms),
        Status::InTransit => Some(eta.ready_at_ms),
        _ => None,
    }
}

/// Looks at a transfer that is in `status` and promises `eta`. What nobody has decided about
/// cannot be kept once it would miss its departure if it were picked from now on; what is to
/// leave, once its departure is `late_minutes` past; what is on the road, once it is that
/// late at the destination.
pub fn look(
    status: Status,
    eta: &Eta,
    way: Way<'_>,
    policy: &TransferPolicy,
    now_ms: i64,
) -> Found {
    let late_ms = policy.late_minutes.saturating_mul(MINUTE_MS);
    let due_ms = match status {
        Status::Reserved | Status::Requested => {
            return undecided(eta, way, policy, now_ms);
        }
        Status::Approved | Status::Picking => eta.departs_at_ms.saturating_add(late_ms),
        Status::InTransit => eta.ready_at_ms.saturating_add(late_ms),
        _ => return Found::Over,
    };
    if now_ms <= due_ms {
        return Found::OnTime {
            look_again_ms: due_ms.saturating_add(1),
        };
    }
    match status {
        Status::InTransit => Found::Slipped {
            eta: a_day_later(eta, way, policy, now_ms),
            why: MISSED_ARRIVAL,
        },
        _ => Found::Slipped {
            eta: next_departure(status, eta, way, policy, now_ms),
            why: MISSED_DEPARTURE,
        },
    }
}

fn undecided(eta: &Eta, way: Way<'_>, policy: &TransferPolicy, now_ms: i64) -> Found {
    let anew = from_now(way, policy, policy.picking_minutes, now_ms);
    let misses = match &anew {
        Some(anew) => anew.departs_at_ms > eta.departs_at_ms,
        None => now_ms > eta.departs_at_ms,
    };
    match misses {
        true => Found::Slipped {
            eta: anew.unwrap_or_else(|| days_later(eta, way, policy, now_ms)),
            why: NOT_DECIDED_IN_TIME,
        },
        false => Found::OnTime {
            look_again_ms: now_ms.saturating_add(WAITING_LOOK_MS),
        },
    }
}

/// What a source that says yes at `now_ms` can promise, where that is later than `eta`.
pub fn on_approval(eta: &Eta, way: Way<'_>, policy: &TransferPolicy, now_ms: i64) -> Option<Eta> {
    match undecided(eta, way, policy, now_ms) {
        Found::Slipped { eta, .. } => Some(eta),
        _ => None,
    }
}

/// Whether goods that have not left come too much later than they were first promised.
pub fn slips_too_far(doc: &TransferDoc, policy: &TransferPolicy) -> bool {
    let first = doc.eta_history.first();
    let first_ms = first.map_or(doc.eta.ready_at_ms, |change: &EtaChange| {
        change.ready_at_ms_before
    });
    let slip_ms = doc.eta.ready_at_ms.saturating_sub(first_ms);
    slip_ms > policy.max_slip_hours.saturating_mul(HOUR_MS)
}

fn from_now(
    way: Way<'_>,
    policy: &TransferPolicy,
    picking_minutes: i64,
    now_ms: i64,
) -> Option<Eta> {
    let (from, to, lane) = (way.from?, way.to?, way.lane?);
    lane::eta_after_picking(lane, from, to, policy, picking_minutes, now_ms)
}

/// Whoever began to pick is taken to be done.
fn next_departure(
    status: Status,
    eta: &Eta,
    way: Way<'_>,
    policy: &TransferPolicy,
    now_ms: i64,
) -> Eta {
    let picking_minutes = match status {
        Status::Picking => 0,
        _ => policy.picking_minutes,
    };
    from_now(way, policy, picking_minutes, now_ms)
        .unwrap_or_else(|| days_later(eta, way, policy, now_ms))
}

/// Goods on the road that are late are expected with the same round of another day.
fn a_day_later(eta: &Eta, way: Way<'_>, policy: &TransferPolicy, now_ms: i64) -> Eta {
    let days = days_until(eta.arrives_at_ms, now_ms);
    let arrives_at_ms = eta.arrives_at_ms.saturating_add(days * DAY_MS);
    Eta {
        arrives_at_ms,
        ready_at_ms: ready(eta, way, policy, arrives_at_ms),
        reasons: Vec::new(),
        ..eta.clone()
    }
}

/// Where nothing better is known: the same hours of the first day that is still to come.
fn days_later(eta: &Eta, way: Way<'_>, policy: &TransferPolicy, now_ms: i64) -> Eta {
    let by_ms = days_until(eta.departs_at_ms, now_ms) * DAY_MS;
    let arrives_at_ms = eta.arrives_at_ms.saturating_add(by_ms);
    Eta {
        picked_by_ms: eta.picked_by_ms.saturating_add(by_ms),
        departs_at_ms: eta.departs_at_ms.saturating_add(by_ms),
        arrives_at_ms,
        ready_at_ms: ready(eta, way, policy, arrives_at_ms),
        reasons: Vec::new(),
    }
}

/// Whole days after which `at_ms` is later than `now_ms`; 1 at least.
fn days_until(at_ms: i64, now_ms: i64) -> i64 {
    now_ms.saturating_sub(at_ms).max(0) / DAY_MS + 1
}

fn ready(eta: &Eta, way: Way<'_>, policy: &TransferPolicy, arrives_at_ms: i64) -> i64 {
    let open = way
        .to
        .and_then(|to| lane::ready_after_arrival(to, policy, arrives_at_ms));
    let took_ms = eta.ready_at_ms.saturating_sub(eta.arrives_at_ms).max(0);
    open.unwrap_or_else(|| arrives_at_ms.saturating_add(took_ms))
}

#[cfg(test)]
mod tests;
