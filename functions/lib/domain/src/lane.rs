//! Transfer lanes: on which days goods leave one location for another, and when they can
//! be collected there.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::hours::{self, TimeOfDay, Weekday};
use crate::location::Location;
use crate::policy::TransferPolicy;

/// How far ahead a departure is looked for, in days.
const HORIZON_DAYS: usize = 400;
/// The longest way: 60 days.
pub const MAX_TRANSIT_MINUTES: i64 = 60 * 24 * 60;
const MINUTE_MS: i64 = 60_000;

/// The document of `transfer_lane.doc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lane {
    pub from_location_id: String,
    pub to_location_id: String,
    /// Local days of the source on which goods leave.
    pub days: Vec<Weekday>,
    /// Local time of the source; what is picked by then leaves then.
    pub cut_off: TimeOfDay,
    /// From departure to arrival at the destination's door.
    pub transit_minutes: i64,
}

/// When goods that are asked for now are where they are wanted, step by step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eta {
    pub picked_by_ms: i64,
    pub departs_at_ms: i64,
    pub arrives_at_ms: i64,
    /// From when they can be collected, or lie on the shelf.
    pub ready_at_ms: i64,
    /// What made it later than the bare minutes of picking, transit and receiving.
    pub reasons: Vec<EtaReason>,
}

/// What goods wait for on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EtaReason {
    /// Nobody is at the source to pick them yet.
    SourceOpensLater,
    /// The source closes before they are picked.
    SourceClosesFirst,
    /// They are picked after the cut-off of a day of departure.
    AfterCutOff,
    /// Nothing leaves on a day between.
    NoDepartureThatDay,
    /// On a day of departure the source is closed, as on a holiday.
    SourceClosedThatDay,
    /// On a day of departure the source has other hours than usual, and at the cut-off
    /// nobody is there to hand them over.
    SourceClosedAtCutOff,
    /// They arrive while the destination is closed.
    DestinationOpensLater,
    /// The destination closes before they are unpacked.
    DestinationClosesFirst,
    /// Whoever carries them says when they arrive.
    Reported,
}

impl EtaReason {
    /// As it is written to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::SourceOpensLater => "source_opens_later",
            Self::SourceClosesFirst => "source_closes_first",
            Self::AfterCutOff => "after_cut_off",
            Self::NoDepartureThatDay => "no_departure_that_day",
            Self::SourceClosedThatDay => "source_closed_that_day",
            Self::SourceClosedAtCutOff => "source_closed_at_cut_off",
            Self::DestinationOpensLater => "destination_opens_later",
            Self::DestinationClosesFirst => "destination_closes_first",
            Self::Reported => "reported",
        }
    }
}

/// When goods asked for at `now_ms` are ready at `to`: picked in open time of `from`, gone
/// with the next departure on a day on which `from` is open and can hand them over, received
/// in open time of `to`. The hours are always those of the very date. `None`: no promise can
/// be made, because hours are unknown or nothing leaves within 400 days.
pub fn eta(
    lane: &Lane,
    from: &Location,
    to: &Location,
    policy: &TransferPolicy,
    now_ms: i64,
) -> Option<Eta> {
    eta_after_picking(lane, from, to, policy, policy.picking_minutes, now_ms)
}

/// The same for goods of which `picking_minutes` of work are left: 0 once they are picked.
pub fn eta_after_picking(
    lane: &Lane,
    from: &Location,
    to: &Location,
    policy: &TransferPolicy,
    picking_minutes: i64,
    now_ms: i64,
) -> Option<Eta> {
    let mut reasons = Vec::new();
    let picked_by_ms = hours::ready_at_ms(from, now_ms, picking_minutes)?;
    if !hours::is_open_at(from, now_ms) {
        reasons.push(EtaReason::SourceOpensLater);
    } else if picked_by_ms > after_minutes(now_ms, picking_minutes) {
        reasons.push(EtaReason::SourceClosesFirst);
    }
    let departs_at_ms = departure(lane, from, picked_by_ms, &mut reasons)?;
    let transit_ms = lane.transit_minutes.max(0).checked_mul(MINUTE_MS)?;
    let arrives_at_ms = departs_at_ms.checked_add(transit_ms)?;
    let ready_at_ms = ready_after_arrival(to, policy, arrives_at_ms)?;
    if !hours::is_open_at(to, arrives_at_ms) {
        reasons.push(EtaReason::DestinationOpensLater);
    } else if ready_at_ms > after_minutes(arrives_at_ms, policy.receiving_minutes) {
        reasons.push(EtaReason::DestinationClosesFirst);
    }
    reasons.sort_unstable();
    reasons.dedup();
    Some(Eta {
        picked_by_ms,
        departs_at_ms,
        arrives_at_ms,
        ready_at_ms,
        reasons,
    })
}

fn after_minutes(from_ms: i64, minutes: i64) -> i64 {
    from_ms.saturating_add(minutes.max(0).saturating_mul(MINUTE_MS))
}

/// When goods that reach the door of `to` at `arrives_at_ms` are ready there: after the
/// policy's receiving minutes of open time. `None` when its hours are unknown.
pub fn ready_after_arrival(
    to: &Location,
    policy: &TransferPolicy,
    arrives_at_ms: i64,
) -> Option<i64> {
    hours::ready_at_ms(to, arrives_at_ms, policy.receiving_minutes)
}

/// The first departure from `picked_by_ms` on, and why not an earlier one.
fn departure(
    lane: &Lane,
    from: &Location,
    picked_by_ms: i64,
    reasons: &mut Vec<EtaReason>,
) -> Option<i64> {
    let zone = TimeZone::get(&from.time_zone).ok()?;
    let first = hours::local(&zone, picked_by_ms)?.date();
    let dates = std::iter::successors(Some(first), |date| date.tomorrow().ok());
    for date in dates.take(HORIZON_DAYS) {
        if !lane.days.contains(&Weekday::from(date.weekday())) {
            reasons.push(EtaReason::NoDepartureThatDay);
        } else if !hours::opens_on(from, date) {
            reasons.push(EtaReason::SourceClosedThatDay);
        } else {
            match cut_off_on(lane, &zone, date)? {
                at if at < picked_by_ms => reasons.push(EtaReason::AfterCutOff),
                at if hours::is_missed_at(from, &zone, at) => {
                    reasons.push(EtaReason::SourceClosedAtCutOff);
                }
                at => return Some(at),
            }
        }
    }
    None
}

/// A cut-off that the clocks skip is as much later as they skip; of two, the first counts.
fn cut_off_on(lane: &Lane, zone: &TimeZone, date: Date) -> Option<i64> {
    let label = lane.cut_off.on(date);
    let at = zone.to_ambiguous_timestamp(label).compatible().ok()?;
    Some(at.as_millisecond())
}

#[cfg(test)]
mod tests;
