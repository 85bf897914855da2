//! Choosing where goods come from: one function for parcels, collection and transfers.
//! The rules are the brand's data, and every place that was looked at says why it was
//! taken or not.

mod order;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::location::Location;
use crate::plan::{Allocation, Availability, Demand, Shortage};
use crate::policy::SourcingRule;
use order::Ranked;

/// Places in a recorded decision, at most; those that were chosen are always among them.
pub const MAX_CONSIDERED: usize = 20;
/// How many of the best places are combined when the fewest sources are looked for, and how
/// many sources such a combination has at most: beyond, the place that gives most is next.
const COMBINED_PLACES: usize = 24;
const COMBINED_SOURCES: usize = 3;

/// A place that may be asked.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    pub location: &'a Location,
    /// To the destination; `None` where that is not known.
    pub distance_m: Option<i64>,
    /// When its goods would be ready at the destination; `None` where that does not matter.
    pub ready_at_ms: Option<i64>,
}

/// A place that was looked at, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    pub location_id: String,
    pub chosen: bool,
    /// Units of the demand that it could give.
    pub available: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at_ms: Option<i64>,
    pub reasons: Vec<SourcingReason>,
}

/// Why a place was chosen or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SourcingReason {
    /// Chosen: it has all that is wanted.
    HasEverything,
    /// Chosen: it gives a part, and others the rest.
    GivesPart,
    /// Chosen before others, because it is nearer.
    Nearest,
    /// Chosen before others, because it keeps more units.
    KeepsMost,
    /// Chosen before others, because it is a warehouse.
    Warehouse,
    /// Chosen before others, because its goods are ready first.
    Earliest,
    /// It has none of what is wanted.
    OutOfStock,
    /// It has less than is wanted, and another has more.
    NotEnough,
    /// Another is nearer.
    Further,
    /// Another keeps more units.
    LowStock,
    /// Another is a warehouse.
    NotAWarehouse,
    /// Another's goods are ready earlier.
    Later,
    /// No rule tells it from a place that was chosen; the name does.
    LaterByName,
    /// No lane leads from it to the destination.
    NoLane,
    /// Nobody can say when goods from it would be ready.
    Closed,
    /// It sends nothing to other locations.
    DoesNotTransfer,
    /// It was asked before, and said no.
    RefusedBefore,
    /// It was asked before, and that was called off.
    CalledOffBefore,
    /// It was asked before, and nobody answered in time.
    DidNotAnswer,
    /// It was asked before, and would send too late.
    TooLate,
    /// It was asked before, and not all of it came.
    SentTooFew,
}

impl SourcingReason {
    /// As it is written to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::HasEverything => "has_everything",
            Self::GivesPart => "gives_part",
            Self::Nearest => "nearest",
            Self::KeepsMost => "keeps_most",
            Self::Warehouse => "warehouse",
            Self::Earliest => "earliest",
            Self::OutOfStock => "out_of_stock",
            Self::NotEnough => "not_enough",
            Self::Further => "further",
            Self::LowStock => "low_stock",
            Self::NotAWarehouse => "not_a_warehouse",
            Self::Later => "later",
            Self::LaterByName => "later_by_name",
            Self::NoLane => "no_lane",
            Self::Closed => "closed",
            Self::DoesNotTransfer => "does_not_transfer",
            Self::RefusedBefore => "refused_before",
            Self::CalledOffBefore => "called_off_before",
            Self::DidNotAnswer => "did_not_answer",
            Self::TooLate => "too_late",
            Self::SentTooFew => "sent_too_few",
        }
    }
}

/// Where the goods come from, and why from there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Decision {
    /// In order of SKU, and of preference within it.
    pub allocations: Vec<Allocation>,
    /// Best first, the chosen ones before the others.
    pub considered: Vec<Considered>,
    /// By which it was decided.
    pub rules: Vec<SourcingRule>,
}

/// Meets `demand` from at most `max_sources` of `candidates`. They are put in order by
/// `rules`: the first that tells two of them apart decides, then name and id. With
/// [`SourcingRule::FewestPackages`] the smallest number of sources is taken, and of equal
/// ones the best; without it the best place gives what it has, then the next, unless only
/// fewer sources keep to `max_sources`. Fails with what cannot be had: too few units, or
/// too few in that many places.
pub fn choose(
    demand: &Demand,
    availability: &Availability,
    candidates: &[Candidate],
    rules: &[SourcingRule],
    max_sources: usize,
) -> Result<Decision, Vec<Shortage>> {
    let ranked = Ranked::new(demand, availability, candidates, rules);
    let sources = ranked
        .sources(max_sources)
        .ok_or_else(|| ranked.shortages(demand, max_sources))?;
    let taken = ranked.take(&sources);
    let chosen: Vec<usize> = (0..ranked.len())
        .filter(|place| taken.iter().any(|(from, _, _)| from == place))
        .collect();
    let allocations = taken
        .iter()
        .filter_map(|(place, sku, quantity)| {
            Some(Allocation {
                sku: ranked.skus.get(*sku)?.0.to_owned(),
                location_id: ranked.location_id(*place)?.to_owned(),
                quantity: *quantity,
            })
        })
        .collect();
    Ok(Decision {
        allocations,
        considered: ranked.considered(&chosen),
        rules: rules.to_vec(),
    })
}

/// Every candidate with what it could give, when none of them can be chosen.
pub fn survey(
    demand: &Demand,
    availability: &Availability,
    candidates: &[Candidate],
    rules: &[SourcingRule],
) -> Vec<Considered> {
    Ranked::new(demand, availability, candidates, rules).considered(&[])
}

/// A place that was looked at and is no candidate.
pub fn ruled_out(
    location: &Location,
    distance_m: Option<i64>,
    available: i64,
    reason: SourcingReason,
) -> Considered {
    Considered {
        location_id: location.id.clone(),
        chosen: false,
        available,
        distance_m,
        ready_at_ms: None,
        reasons: vec![reason],
    }
}

/// Units of `demand` that a place could give.
pub fn units_at(demand: &Demand, availability: &Availability, location_id: &str) -> i64 {
    demand.iter().fold(0, |sum, (sku, wanted)| {
        sum.saturating_add(availability.at(sku, location_id).min(wanted))
    })
}

/// The allocations of each location, by its id.
pub fn by_location(allocations: &[Allocation]) -> BTreeMap<&str, Vec<&Allocation>> {
    let mut grouped = BTreeMap::<&str, Vec<&Allocation>>::new();
    for allocation in allocations {
        grouped
            .entry(&allocation.location_id)
            .or_default()
            .push(allocation);
    }
    grouped
}
