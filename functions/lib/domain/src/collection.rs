//! Collecting at a store: what lies there, and what other locations have to bring.

#[cfg(test)]
mod tests;

use crate::lane::{self, Lane};
use crate::location::Location;
use crate::plan::{self, Availability, Demand, Plan, Reason, Shortage};
use crate::policy::Policies;
use crate::transfer::{self, Held};

/// The places that can bring goods to a store, and the ways between them.
#[derive(Debug, Clone, Copy)]
pub struct Network<'a> {
    pub locations: &'a [Location],
    pub lanes: &'a [Lane],
    /// Set aside for this shopper before. What it holds counts as available.
    pub held: &'a [Held],
    pub policies: &'a Policies,
    pub now_ms: i64,
}

impl Network<'_> {
    /// What `store` gives itself, what of the shopper's transfers is on its way there, and
    /// what else has to be brought. Fails with what cannot be had there.
    pub fn plan_at(
        &self,
        demand: &Demand,
        availability: &Availability,
        store: &Location,
    ) -> Result<Plan, Vec<Shortage>> {
        let here = Demand::sum(
            demand
                .iter()
                .map(|(sku, wanted)| (sku, availability.at(sku, &store.id).min(wanted))),
        );
        let lacking = demand.without(&here);
        if lacking.is_empty() || !self.policies.transfers.for_shoppers {
            return plan::plan_pickup(demand, availability, &store.id);
        }
        let (adopted, open) = self.adopt(lacking, store);
        let own = plan::plan_pickup(&here, availability, &store.id)?;
        let mut brought = Plan {
            adopted,
            reasons: vec![Reason::Transferred],
            ..Plan::default()
        };
        if !open.is_empty() {
            let left = availability.clone().without(&brought);
            let (locations, lanes) = (self.locations, self.lanes);
            let quote = transfer::quote(
                &open,
                &left,
                store,
                locations,
                lanes,
                self.policies,
                self.now_ms,
            )
            .map_err(|refused| in_all(demand, &open, refused.shortages))?;
            brought.transfers = quote.transfers;
        }
        Ok(own.and(brought))
    }

    /// The shopper's transfers to `store` that bring nothing but what it lacks, as they
    /// would be promised now, and what is still wanted beside them.
    fn adopt(&self, lacking: Demand, store: &Location) -> (Vec<Held>, Demand) {
        let mut open = lacking;
        let mut adopted = Vec::new();
        for held in self.held {
            let units = Demand::sum(
                held.planned
                    .units
                    .iter()
                    .map(|unit| (unit.sku.as_str(), unit.quantity)),
            );
            let fits = units
                .iter()
                .all(|(sku, quantity)| quantity <= open.units(sku));
            if held.planned.to_location_id == store.id && fits {
                open = open.without(&units);
                adopted.push(self.promised_now(held, store));
            }
        }
        (adopted, open)
    }

    /// Nobody picks for a shopper who has not bought: the promise counts from now. Without
    /// its lane it stays as it was.
    fn promised_now(&self, held: &Held, store: &Location) -> Held {
        let mut held = held.clone();
        let from = &held.planned.from_location_id;
        let source = self.locations.iter().find(|source| source.id == *from);
        let lane = self
            .lanes
            .iter()
            .find(|lane| lane.from_location_id == *from && lane.to_location_id == store.id);
        let now = source.zip(lane).and_then(|(from, lane)| {
            lane::eta(lane, from, store, &self.policies.transfers, self.now_ms)
        });
        if let Some(eta) = now {
            held.planned.eta = eta;
        }
        held
    }
}

/// Shortages of what was still `open`, as shortages of the whole `demand`.
fn in_all(demand: &Demand, open: &Demand, shortages: Vec<Shortage>) -> Vec<Shortage> {
    let whole = |short: Shortage| {
        let requested = demand.units(&short.sku);
        Shortage {
            available: requested - open.units(&short.sku) + short.available,
            requested,
            sku: short.sku,
        }
    };
    shortages.into_iter().map(whole).collect()
}
