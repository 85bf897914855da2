//! Where the goods of an order come from: the plan that is checked is the plan that
//! is reserved.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::location::Location;
use crate::policy::SourcingRule;
use crate::sourcing::{self, Candidate, Considered};
use crate::transfer::{Held, PlannedTransfer};

/// A balance of table `stock`, in units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLevel {
    pub sku: String,
    pub location_id: String,
    pub on_hand: i64,
    pub reserved: i64,
    /// Kept back from online sale.
    pub safety: i64,
}

impl StockLevel {
    /// Available to promise: what is on hand and neither reserved nor kept back, never negative.
    pub fn available(&self) -> i64 {
        self.on_hand
            .saturating_sub(self.reserved)
            .saturating_sub(self.safety)
            .max(0)
    }
}

/// Units wanted by SKU, summed over all lines: two lines can want the same unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demand(BTreeMap<String, i64>);

impl Demand {
    /// Sums `(sku, quantity)`; quantities below 1 want nothing.
    pub fn sum<'a>(lines: impl IntoIterator<Item = (&'a str, i64)>) -> Self {
        let mut demand = BTreeMap::<String, i64>::new();
        for (sku, quantity) in lines.into_iter().filter(|(_, quantity)| *quantity > 0) {
            let sum = demand.entry(sku.to_owned()).or_default();
            *sum = sum.saturating_add(quantity);
        }
        Self(demand)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `(sku, units)`, in order of SKU.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(sku, units)| (sku.as_str(), *units))
    }

    /// What is still wanted once `met` is there.
    pub fn without(&self, met: &Self) -> Self {
        Self::sum(
            self.iter()
                .map(|(sku, units)| (sku, units - met.units(sku))),
        )
    }

    pub fn units(&self, sku: &str) -> i64 {
        self.0.get(sku).copied().unwrap_or_default()
    }
}

/// What each location can still promise, by SKU.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Availability(BTreeMap<String, BTreeMap<String, i64>>);

impl Availability {
    pub fn new(levels: &[StockLevel]) -> Self {
        let mut by_sku = BTreeMap::<String, BTreeMap<String, i64>>::new();
        for level in levels {
            by_sku
                .entry(level.sku.clone())
                .or_default()
                .insert(level.location_id.clone(), level.available());
        }
        Self(by_sku)
    }

    pub fn at(&self, sku: &str, location_id: &str) -> i64 {
        self.0
            .get(sku)
            .and_then(|places| places.get(location_id))
            .copied()
            .unwrap_or_default()
    }

    /// What the named locations can promise together.
    pub fn among<'a>(&self, sku: &str, location_ids: impl IntoIterator<Item = &'a str>) -> i64 {
        let places: BTreeSet<&str> = location_ids.into_iter().collect();
        places
            .iter()
            .fold(0, |sum: i64, id| sum.saturating_add(self.at(sku, id)))
    }

    /// The demand that the named locations cannot meet together, in order of SKU.
    pub fn shortages(&self, demand: &Demand, location_ids: &[&str]) -> Vec<Shortage> {
        let short = |(sku, requested): (&str, i64)| {
            let available = self.among(sku, location_ids.iter().copied());
            (available < requested).then(|| Shortage {
                sku: sku.to_owned(),
                requested,
                available,
            })
        };
        demand.iter().filter_map(short).collect()
    }

    /// What is left once `plan` is reserved.
    pub fn without(mut self, plan: &Plan) -> Self {
        for allocation in &plan.allocations {
            self.remove(allocation);
        }
        for planned in plan.transfers() {
            planned
                .allocations()
                .iter()
                .for_each(|one| self.remove(one));
        }
        self
    }

    /// With units that somebody gives back.
    pub fn with(mut self, allocations: impl IntoIterator<Item = Allocation>) -> Self {
        for one in allocations {
            let places = self.0.entry(one.sku).or_default();
            let left = places.entry(one.location_id).or_default();
            *left = left.saturating_add(one.quantity);
        }
        self
    }

    fn remove(&mut self, allocation: &Allocation) {
        let places = self.0.get_mut(&allocation.sku);
        if let Some(left) = places.and_then(|places| places.get_mut(&allocation.location_id)) {
            *left = left.saturating_sub(allocation.quantity).max(0);
        }
    }
}

/// Units of a SKU that a location is to set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    pub sku: String,
    pub location_id: String,
    pub quantity: i64,
}

/// Why the goods come from where they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The shopper collects there.
    ChosenStore,
    /// The best location, by the brand's rules, that has everything: one parcel.
    OneLocationHasAll,
    /// Several locations, by the brand's rules.
    SplitOverLocations,
    /// Other locations send what the store at which the shopper collects lacks.
    Transferred,
}

/// Allocations, each (SKU, location) once, in the order in which they are reserved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    pub allocations: Vec<Allocation>,
    pub reasons: Vec<Reason>,
    /// What is brought to the store at which the shopper collects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<PlannedTransfer>,
    /// Transfers to that store which the shopper has asked for before, and which become the order's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adopted: Vec<Held>,
    /// The places that were looked at for parcels, and why they were chosen or not; those
    /// for a transfer are kept with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<Considered>,
}

/// A SKU of which there is less than wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    pub sku: String,
    pub requested: i64,
    pub available: i64,
}

impl Plan {
    fn new(
        units: impl IntoIterator<Item = Allocation>,
        reasons: impl IntoIterator<Item = Reason>,
    ) -> Self {
        let mut sums = BTreeMap::<(String, String), i64>::new();
        for Allocation {
            sku,
            location_id,
            quantity,
        } in units
        {
            let sum = sums.entry((sku, location_id)).or_default();
            *sum = sum.saturating_add(quantity);
        }
        let allocation = |((sku, location_id), quantity)| Allocation {
            sku,
            location_id,
            quantity,
        };
        let reasons: BTreeSet<Reason> = reasons.into_iter().collect();
        Self {
            allocations: sums.into_iter().map(allocation).collect(),
            reasons: reasons.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Both plans as one.
    pub fn and(mut self, mut other: Self) -> Self {
        self.transfers.append(&mut other.transfers);
        self.adopted.append(&mut other.adopted);
        self.considered.append(&mut other.considered);
        let sum = Self::new(
            self.allocations.into_iter().chain(other.allocations),
            self.reasons.into_iter().chain(other.reasons),
        );
        Self {
            transfers: self.transfers,
            adopted: self.adopted,
            considered: self.considered,
            ..sum
        }
    }

    /// All that is brought to the store, whether it is set aside already or not.
    pub fn transfers(&self) -> impl Iterator<Item = &PlannedTransfer> {
        let adopted = self.adopted.iter().map(|held| &held.planned);
        adopted.chain(&self.transfers)
    }
}

/// Everything from the shelf of the store that the shopper collects at.
pub fn plan_pickup(
    demand: &Demand,
    availability: &Availability,
    location_id: &str,
) -> Result<Plan, Vec<Shortage>> {
    let shortages = availability.shortages(demand, &[location_id]);
    if !shortages.is_empty() {
        return Err(shortages);
    }
    let allocations = demand.iter().map(|(sku, quantity)| Allocation {
        sku: sku.to_owned(),
        location_id: location_id.to_owned(),
        quantity,
    });
    Ok(Plan::new(allocations, [Reason::ChosenStore]))
}

/// Parcels from `locations`, which all ship, as `rules` choose them. How far they are from
/// an address is not known.
pub fn plan_shipping(
    demand: &Demand,
    availability: &Availability,
    locations: &[&Location],
    rules: &[SourcingRule],
) -> Result<Plan, Vec<Shortage>> {
    if demand.is_empty() {
        return Ok(Plan::default());
    }
    let candidates: Vec<Candidate> = locations
        .iter()
        .map(|location| Candidate {
            location,
            distance_m: None,
            ready_at_ms: None,
        })
        .collect();
    let decision = sourcing::choose(demand, availability, &candidates, rules, usize::MAX)?;
    let places = decision.considered.iter().filter(|place| place.chosen);
    let reason = match places.count() {
        1 => Reason::OneLocationHasAll,
        _ => Reason::SplitOverLocations,
    };
    Ok(Plan {
        considered: decision.considered,
        ..Plan::new(decision.allocations, [reason])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SKUS: [&str; 4] = ["A", "B", "C", "D"];
    const PLACES: [&str; 3] = ["north", "south", "west"];

    fn ship(demand: &Demand, availability: &Availability) -> Result<Plan, Vec<Shortage>> {
        let places = PLACES.map(|place| crate::sourcing::tests::location(place, "warehouse"));
        let rules = crate::policy::SourcingPolicy::default().shipping;
        plan_shipping(demand, availability, &places.each_ref(), &rules)
    }

    fn levels() -> impl Strategy<Value = Vec<StockLevel>> {
        let level = |(sku, place): (&'static str, &'static str)| {
            (0..40_i64, 0..40_i64, 0..5_i64).prop_map(move |(on_hand, reserved, safety)| {
                StockLevel {
                    sku: sku.into(),
                    location_id: place.into(),
                    on_hand,
                    reserved: reserved.min(on_hand),
                    safety,
                }
            })
        };
        SKUS.iter()
            .flat_map(|sku| PLACES.iter().map(move |place| (*sku, *place)))
            .map(level)
            .collect::<Vec<_>>()
    }

    fn lines() -> impl Strategy<Value = Vec<(&'static str, i64)>> {
        prop::collection::vec((prop::sample::select(&SKUS[..]), 1..20_i64), 0..12)
    }

    fn assert_reservable(
        plan: &Plan,
        demand: &Demand,
        availability: &Availability,
    ) -> Result<(), TestCaseError> {
        for allocation in &plan.allocations {
            prop_assert!(allocation.quantity > 0);
            prop_assert!(
                allocation.quantity <= availability.at(&allocation.sku, &allocation.location_id)
            );
        }
        let keys = |plan: &Plan| {
            plan.allocations
                .iter()
                .map(|a| (a.sku.clone(), a.location_id.clone()))
                .collect()
        };
        let (listed, distinct): (Vec<_>, BTreeSet<_>) =
            (keys(plan), keys(plan).into_iter().collect());
        prop_assert_eq!(
            listed,
            distinct.into_iter().collect::<Vec<_>>(),
            "sorted, each once"
        );
        for (sku, units) in demand.iter() {
            let planned: i64 = plan
                .allocations
                .iter()
                .filter(|a| a.sku == sku)
                .map(|a| a.quantity)
                .sum();
            prop_assert_eq!(planned, units);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn demand_is_summed_over_lines(lines in lines()) {
            let demand = Demand::sum(lines.iter().copied());
            for sku in SKUS {
                let wanted: i64 = lines.iter().filter(|line| line.0 == sku).map(|line| line.1).sum();
                prop_assert_eq!(demand.units(sku), wanted);
            }
        }

        #[test]
        fn a_plan_gives_exactly_the_demand_within_what_is_available(levels in levels(), lines in lines()) {
            let (demand, availability) = (Demand::sum(lines), Availability::new(&levels));
            match ship(&demand, &availability) {
                Ok(plan) => assert_reservable(&plan, &demand, &availability)?,
                Err(shortages) => prop_assert!(shortages.iter().all(|short| short.available < short.requested)),
            }
            if let Ok(plan) = plan_pickup(&demand, &availability, "south") {
                assert_reservable(&plan, &demand, &availability)?;
                prop_assert!(plan.allocations.iter().all(|allocation| allocation.location_id == "south"));
            }
        }

        #[test]
        fn two_plans_never_promise_the_same_unit(levels in levels(), collected in lines(), shipped in lines()) {
            let availability = Availability::new(&levels);
            let (collected, shipped) = (Demand::sum(collected), Demand::sum(shipped));
            if let Ok(first) = plan_pickup(&collected, &availability, "north") {
                let left = availability.clone().without(&first);
                if let Ok(second) = ship(&shipped, &left) {
                    let both = Demand::sum(collected.iter().chain(shipped.iter()));
                    assert_reservable(&first.and(second), &both, &availability)?;
                }
            }
        }
    }

    #[test]
    fn one_parcel_is_preferred_and_a_shortage_names_what_is_left() {
        let level = |sku: &str, place: &str, on_hand| StockLevel {
            sku: sku.into(),
            location_id: place.into(),
            on_hand,
            reserved: 0,
            safety: 0,
        };
        let levels = [
            level("A", "north", 1),
            level("A", "south", 2),
            level("B", "south", 1),
            level("B", "north", 1),
        ];
        let availability = Availability::new(&levels);
        let one = ship(&Demand::sum([("A", 2), ("B", 1)]), &availability).unwrap();
        assert_eq!(one.reasons, [Reason::OneLocationHasAll]);
        assert!(
            one.allocations
                .iter()
                .all(|allocation| allocation.location_id == "south")
        );
        let split = ship(&Demand::sum([("A", 3), ("B", 1)]), &availability).unwrap();
        assert_eq!(
            (split.allocations.len(), split.reasons),
            (3, vec![Reason::SplitOverLocations])
        );
        let short = ship(&Demand::sum([("A", 4), ("B", 1)]), &availability).unwrap_err();
        assert_eq!(
            short,
            [Shortage {
                sku: "A".into(),
                requested: 4,
                available: 3
            }]
        );
    }
}
