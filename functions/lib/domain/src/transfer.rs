//! Goods that one location sends to another: the life of a transfer, and the quote that
//! says from where they can come and when they are ready.

pub mod care;
pub mod counts;
mod failure;
pub mod need;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::geo;
use crate::lane::{self, Eta, Lane};
use crate::location::Location;
use crate::plan::{Allocation, Availability, Demand, Shortage};
use crate::policy::Policies;
use crate::sourcing::{self, Candidate, Considered, MAX_CONSIDERED, SourcingReason};

pub use failure::{Failure, Replaces, Resourced, with_failed};

/// Changes of a promise that a transfer keeps.
const MAX_ETA_CHANGES: usize = 120;

/// Where a transfer stands; table `transfer` keeps it beside the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Status {
    /// Set aside at the source for what is not paid yet.
    Reserved,
    /// Somebody at the source is to say yes or no.
    Requested,
    Approved,
    Picking,
    InTransit,
    /// All of it has arrived or is accounted for.
    Received,
    Closed,
    /// The source cannot or will not send it.
    Refused,
    Cancelled,
    /// Nobody acted in time.
    Expired,
}

impl Status {
    pub const ALL: [Self; 10] = [
        Self::Reserved,
        Self::Requested,
        Self::Approved,
        Self::Picking,
        Self::InTransit,
        Self::Received,
        Self::Closed,
        Self::Refused,
        Self::Cancelled,
        Self::Expired,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Picking => "picking",
            Self::InTransit => "in_transit",
            Self::Received => "received",
            Self::Closed => "closed",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Goods are still to come of it.
    pub fn is_open(self) -> bool {
        self.holds_stock() || self == Self::InTransit
    }

    /// Its units are set aside on the source's shelf.
    pub fn holds_stock(self) -> bool {
        matches!(
            self,
            Self::Reserved | Self::Requested | Self::Approved | Self::Picking
        )
    }

    /// Whether a transfer in this state can come into the state `next`. A source may refuse
    /// until the goods have left, since it may not find what the books say that it has.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Reserved => matches!(
                next,
                Self::Requested | Self::Approved | Self::Cancelled | Self::Expired
            ),
            Self::Requested => matches!(
                next,
                Self::Approved | Self::Refused | Self::Cancelled | Self::Expired
            ),
            Self::Approved => matches!(
                next,
                Self::Picking | Self::InTransit | Self::Refused | Self::Cancelled
            ),
            Self::Picking => matches!(next, Self::InTransit | Self::Refused | Self::Cancelled),
            Self::InTransit => next == Self::Received,
            Self::Received => next == Self::Closed,
            Self::Closed | Self::Refused | Self::Cancelled | Self::Expired => false,
        }
    }
}

/// Pieces of a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub sku: String,
    pub quantity: i64,
}

/// What one source is to send to one destination, and when it is ready there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTransfer {
    pub from_location_id: String,
    pub to_location_id: String,
    /// In order of SKU.
    pub units: Vec<Unit>,
    pub eta: Eta,
    /// The decision that chose this source.
    #[serde(default)]
    pub considered: Vec<Considered>,
}

/// A transfer that is set aside for the shopper already (status `reserved`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Of table `transfer`.
    pub id: String,
    pub planned: PlannedTransfer,
}

impl PlannedTransfer {
    /// What is set aside for it at the source.
    pub fn allocations(&self) -> Vec<Allocation> {
        let allocation = |unit: &Unit| Allocation {
            sku: unit.sku.clone(),
            location_id: self.from_location_id.clone(),
            quantity: unit.quantity,
        };
        self.units.iter().map(allocation).collect()
    }

    /// Pieces, of all SKUs.
    pub fn pieces(&self) -> i64 {
        self.units
            .iter()
            .fold(0, |sum, unit| sum.saturating_add(unit.quantity))
    }
}

/// Who asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Requester {
    Shopper,
    Staff,
}

/// A promise that became another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtaChange {
    pub at_ms: i64,
    pub ready_at_ms_before: i64,
    pub ready_at_ms: i64,
    /// Why, for programs.
    pub reason: String,
}

/// The document of `transfer.doc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferDoc {
    pub requester: Requester,
    /// In order of SKU.
    pub units: Vec<Unit>,
    pub eta: Eta,
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eta_history: Vec<EtaChange>,
    /// The decision that chose the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<Considered>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why the source refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_reason: Option<String>,
    /// Why somebody called it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_reason: Option<String>,
    /// How it travels, once it has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<Shipment>,
    /// Why it does not bring all that it was to bring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// In whose stead it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaces>,
}

/// Who carries the goods, and under which number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shipment {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<String>,
}

impl TransferDoc {
    pub fn new(requester: Requester, planned: &PlannedTransfer) -> Self {
        Self {
            requester,
            units: planned.units.clone(),
            eta: planned.eta.clone(),
            eta_history: Vec::new(),
            considered: planned.considered.clone(),
            note: None,
            refused_reason: None,
            cancelled_reason: None,
            shipment: None,
            failure: None,
            replaces: None,
        }
    }

    /// Replaces the promise and keeps what it was, of very many changes the first and the
    /// latest; nothing happens when it is the same.
    pub fn move_eta(&mut self, eta: Eta, at_ms: i64, reason: &str) {
        if eta == self.eta {
            return;
        }
        if eta.ready_at_ms != self.eta.ready_at_ms {
            if self.eta_history.len() >= MAX_ETA_CHANGES {
                self.eta_history.remove(1);
            }
            self.eta_history.push(EtaChange {
                at_ms,
                ready_at_ms_before: self.eta.ready_at_ms,
                ready_at_ms: eta.ready_at_ms,
                reason: reason.to_owned(),
            });
        }
        self.eta = eta;
    }
}

/// How a demand can come to a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// One for each source, in order of their ids.
    pub transfers: Vec<PlannedTransfer>,
    /// When the last of it is ready.
    pub ready_at_ms: i64,
    /// Every place that was looked at, the chosen ones first.
    pub considered: Vec<Considered>,
}

/// Why a demand cannot come to a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoTransfer {
    pub reason: NoTransferReason,
    /// What all sources together, or as many as may be asked, cannot give.
    pub shortages: Vec<Shortage>,
    /// Every place that was looked at, and why it cannot be used.
    pub considered: Vec<Considered>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum NoTransferReason {
    /// Nothing is wanted.
    NothingWanted,
    /// No place that sends goods there can say when they would be ready.
    NoSource,
    /// The sources have less than is wanted, together.
    NotEnough,
    /// They have it, but more of them would have to be asked than the policy allows.
    TooManySources,
}

impl NoTransferReason {
    /// As it is written to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::NothingWanted => "nothing_wanted",
            Self::NoSource => "no_source",
            Self::NotEnough => "not_enough",
            Self::TooManySources => "too_many_sources",
        }
    }
}

/// A location that can send goods, with its lane's promise.
struct Source<'a> {
    candidate: Candidate<'a>,
    eta: Eta,
}

/// Which sources can bring `demand` to `to`, which of them are proposed, and when it is
/// ready there: by the brand's rules for transfers, from as many places as its policy
/// allows. Sources are `locations` that transfer, have a lane to `to`, and can promise an
/// instant.
pub fn quote(
    demand: &Demand,
    availability: &Availability,
    to: &Location,
    locations: &[Location],
    lanes: &[Lane],
    policies: &Policies,
    now_ms: i64,
) -> Result<Quote, NoTransfer> {
    let refused = |reason, shortages, considered| NoTransfer {
        reason,
        shortages,
        considered,
    };
    if demand.is_empty() {
        return Err(refused(NoTransferReason::NothingWanted, vec![], vec![]));
    }
    let leading_here: HashMap<&str, &Lane> = lanes
        .iter()
        .filter(|lane| lane.to_location_id == to.id)
        .map(|lane| (lane.from_location_id.as_str(), lane))
        .collect();
    let (mut sources, mut ruled_out) = (Vec::new(), Vec::new());
    for from in locations.iter().filter(|from| from.id != to.id) {
        let units = sourcing::units_at(demand, availability, &from.id);
        let lane = leading_here.get(from.id.as_str()).copied();
        // What has nothing to give need not say why it would not.
        if units == 0 && lane.is_none() {
            continue;
        }
        let distance_m = Some(geo::distance_m(from.geo, to.geo));
        match promise(from, to, lane, policies, now_ms) {
            Ok(eta) => sources.push(Source {
                candidate: Candidate {
                    location: from,
                    distance_m,
                    ready_at_ms: Some(eta.ready_at_ms),
                },
                eta,
            }),
            Err(reason) => ruled_out.push(sourcing::ruled_out(from, distance_m, units, reason)),
        }
    }
    let candidates: Vec<Candidate> = sources.iter().map(|source| source.candidate).collect();
    let rules = &policies.sourcing.transfer;
    let most = usize::try_from(policies.transfers.max_sources).unwrap_or_default();
    let with_others = |considered: Vec<Considered>| {
        let rest = MAX_CONSIDERED.saturating_sub(considered.len());
        considered
            .into_iter()
            .chain(ruled_out.into_iter().take(rest))
            .collect::<Vec<_>>()
    };
    let decision = match sourcing::choose(demand, availability, &candidates, rules, most) {
        Ok(decision) => decision,
        Err(shortages) => {
            let ids: Vec<&str> = candidates
                .iter()
                .map(|candidate| candidate.location.id.as_str())
                .collect();
            let reason = match availability.shortages(demand, &ids).is_empty() {
                _ if ids.is_empty() => NoTransferReason::NoSource,
                true => NoTransferReason::TooManySources,
                false => NoTransferReason::NotEnough,
            };
            let considered = sourcing::survey(demand, availability, &candidates, rules);
            return Err(refused(reason, shortages, with_others(considered)));
        }
    };
    let considered = with_others(decision.considered);
    let planned = |(from, allocations): (&str, Vec<&Allocation>)| {
        let source = sources
            .iter()
            .find(|source| source.candidate.location.id == from)?;
        let unit = |allocation: &&Allocation| Unit {
            sku: allocation.sku.clone(),
            quantity: allocation.quantity,
        };
        Some(PlannedTransfer {
            from_location_id: from.to_owned(),
            to_location_id: to.id.clone(),
            units: allocations.iter().map(unit).collect(),
            eta: source.eta.clone(),
            considered: considered.clone(),
        })
    };
    let transfers: Vec<PlannedTransfer> = sourcing::by_location(&decision.allocations)
        .into_iter()
        .filter_map(planned)
        .collect();
    let ready_at_ms = transfers
        .iter()
        .map(|planned| planned.eta.ready_at_ms)
        .max();
    Ok(Quote {
        ready_at_ms: ready_at_ms.unwrap_or(now_ms),
        transfers,
        considered,
    })
}

fn promise(
    from: &Location,
    to: &Location,
    lane: Option<&Lane>,
    policies: &Policies,
    now_ms: i64,
) -> Result<Eta, SourcingReason> {
    if !from.services.transfer {
        return Err(SourcingReason::DoesNotTransfer);
    }
    let lane = lane.ok_or(SourcingReason::NoLane)?;
    lane::eta(lane, from, to, &policies.transfers, now_ms).ok_or(SourcingReason::Closed)
}
