//! Where the goods of an order come from: the plan that is checked is the plan that
//! is reserved.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

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
            if let Some(left) = self
                .0
                .get_mut(&allocation.sku)
                .and_then(|p| p.get_mut(&allocation.location_id))
            {
                *left = left.saturating_sub(allocation.quantity).max(0);
            }
        }
        self
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
    /// The first location, warehouses before stores, that has everything: one parcel.
    OneLocationHasAll,
    /// No location has everything: the fewest parcels that the order of locations gives.
    SplitOverLocations,
}

/// Allocations, each (SKU, location) once, in the order in which they are reserved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    pub allocations: Vec<Allocation>,
    pub reasons: Vec<Reason>,
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
        }
    }

    /// Both plans as one.
    pub fn and(self, other: Self) -> Self {
        Self::new(
            self.allocations.into_iter().chain(other.allocations),
            self.reasons.into_iter().chain(other.reasons),
        )
    }
}

/// Everything from the store that the shopper collects at.
pub fn plan_pickup(
    demand: &Demand,
    availability: &Availability,
    location_id: &str,
) -> Result<Plan, Vec<Shortage>> {
    let shortages = availability.shortages(demand, &[location_id]);
    if !shortages.is_empty() {
        return Err(shortages);
    }
    Ok(Plan::new(
        from_one(demand, location_id),
        [Reason::ChosenStore],
    ))
}

/// Everything from the first of `ranked` locations that has it all; where none has,
/// each SKU from as few of them as their order gives.
pub fn plan_shipping(
    demand: &Demand,
    availability: &Availability,
    ranked: &[&str],
) -> Result<Plan, Vec<Shortage>> {
    if demand.is_empty() {
        return Ok(Plan::default());
    }
    if let Some(id) = ranked
        .iter()
        .find(|id| availability.shortages(demand, &[id]).is_empty())
    {
        return Ok(Plan::new(from_one(demand, id), [Reason::OneLocationHasAll]));
    }
    let shortages = availability.shortages(demand, ranked);
    if !shortages.is_empty() {
        return Err(shortages);
    }
    let split = demand
        .iter()
        .flat_map(|(sku, units)| split(sku, units, availability, ranked));
    Ok(Plan::new(split, [Reason::SplitOverLocations]))
}

fn from_one(demand: &Demand, location_id: &str) -> impl Iterator<Item = Allocation> {
    demand.iter().map(move |(sku, quantity)| Allocation {
        sku: sku.to_owned(),
        location_id: location_id.to_owned(),
        quantity,
    })
}

fn split<'a>(
    sku: &'a str,
    units: i64,
    availability: &'a Availability,
    ranked: &'a [&'a str],
) -> impl Iterator<Item = Allocation> + 'a {
    let whole = ranked.iter().find(|id| availability.at(sku, id) >= units);
    let places = whole.map_or(ranked, std::slice::from_ref);
    places
        .iter()
        .scan(units, move |open, id| {
            let quantity = availability.at(sku, id).min(*open);
            *open -= quantity;
            Some(Allocation {
                sku: sku.to_owned(),
                location_id: (*id).to_owned(),
                quantity,
            })
        })
        .filter(|allocation| allocation.quantity > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SKUS: [&str; 4] = ["A", "B", "C", "D"];
    const PLACES: [&str; 3] = ["north", "south", "west"];

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
            match plan_shipping(&demand, &availability, &PLACES) {
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
                if let Ok(second) = plan_shipping(&shipped, &left, &PLACES) {
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
        let one =
            plan_shipping(&Demand::sum([("A", 2), ("B", 1)]), &availability, &PLACES).unwrap();
        assert_eq!(one.reasons, [Reason::OneLocationHasAll]);
        assert!(
            one.allocations
                .iter()
                .all(|allocation| allocation.location_id == "south")
        );
        let split =
            plan_shipping(&Demand::sum([("A", 3), ("B", 1)]), &availability, &PLACES).unwrap();
        assert_eq!(
            (split.allocations.len(), split.reasons),
            (3, vec![Reason::SplitOverLocations])
        );
        let short =
            plan_shipping(&Demand::sum([("A", 4), ("B", 1)]), &availability, &PLACES).unwrap_err();
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
