//! What can be had in place of a transfer that does not bring what it was to bring: from the
//! shelf of the store itself, and from other sources.

use aisle_domain::plan::{Allocation, Demand};
use aisle_domain::sourcing::{self, Considered};
use aisle_domain::transfer::{self, Failure, PlannedTransfer, Unit, with_failed};
use aisle_domain::{geo, location::Location};
use aisle_store::transfers::Transfer;

use crate::waiting::Waiting;

pub struct Instead {
    /// Free at the store where the order is collected.
    pub here: Vec<Allocation>,
    pub planned: Vec<PlannedTransfer>,
    /// What nobody has.
    pub lacking: Demand,
    /// Every place that was looked at, those that failed before included.
    pub considered: Vec<Considered>,
}

impl Instead {
    /// `None`: the order lacks nothing of what `failed` was to bring.
    pub fn of(waiting: &Waiting<'_>, failed: &Transfer, why: Failure) -> Option<Self> {
        let all = waiting.lacks();
        // Stock was read of what this transfer brings; the rest has been looked for before.
        let skus = failed.lines.iter().map(|line| line.sku.as_str());
        let lacks = Demand::sum(skus.map(|sku| (sku, all.units(sku))));
        if lacks.is_empty() {
            return None;
        }
        let store = waiting.location_id();
        let free = |(sku, units): (&str, i64)| Allocation {
            sku: sku.to_owned(),
            location_id: store.to_owned(),
            quantity: units.min(waiting.facts.availability.at(sku, store)),
        };
        let here: Vec<Allocation> = lacks
            .iter()
            .map(free)
            .filter(|one| one.quantity > 0)
            .collect();
        let met = here.iter().map(|one| (one.sku.as_str(), one.quantity));
        let rest = lacks.without(&Demand::sum(met));
        let gave_up = given_up(waiting, failed, why, &rest);
        let mut instead = Self {
            here,
            planned: Vec::new(),
            lacking: Demand::default(),
            considered: gave_up.clone(),
        };
        if !rest.is_empty() {
            instead.ask(waiting, rest, &gave_up);
        }
        Some(instead)
    }

    fn ask(&mut self, waiting: &Waiting<'_>, rest: Demand, gave_up: &[Considered]) {
        let facts = waiting.facts;
        let is_left = |one: &&Location| gave_up.iter().all(|other| other.location_id != one.id);
        let places = facts.locations.all.iter();
        let others: Vec<Location> = places.filter(is_left).cloned().collect();
        let Some(to) = facts.location(waiting.location_id()) else {
            self.lacking = rest;
            return;
        };
        let quoted = transfer::quote(
            &rest,
            &facts.availability,
            to,
            &others,
            &facts.lanes,
            &waiting.brand.policies,
            facts.now_ms,
        );
        match quoted {
            Ok(quote) => {
                self.considered = with_failed(&quote.considered, gave_up);
                let considered = &self.considered;
                let told = |one: PlannedTransfer| PlannedTransfer {
                    considered: considered.clone(),
                    ..one
                };
                self.planned = quote.transfers.into_iter().map(told).collect();
            }
            Err(refused) => {
                self.considered = with_failed(&refused.considered, gave_up);
                self.lacking = rest;
            }
        }
    }

    /// When the last of it is ready; `here_ready_ms` is when the store has prepared its own.
    pub fn ready_at_ms(&self, here_ready_ms: Option<i64>) -> Option<i64> {
        let brought = self.planned.iter().map(|one| one.eta.ready_at_ms);
        brought.chain(here_ready_ms).max()
    }

    pub fn taken_here(&self) -> Vec<Unit> {
        let unit = |one: &Allocation| Unit {
            sku: one.sku.clone(),
            quantity: one.quantity,
        };
        self.here.iter().map(unit).collect()
    }

    /// What the shopper is told of it, and for programs.
    pub fn told(&self, source: &str, why: Failure) -> (String, Vec<&'static str>) {
        let here = (!self.here.is_empty()).then_some("own_shelf");
        let other = (!self.planned.is_empty()).then_some("other_source");
        let none = (!self.lacking.is_empty()).then_some("no_source");
        let what = match (here, other, none) {
            (None, _, None) => "another source was found",
            (Some(_), None, None) => "the store has it itself",
            (Some(_), Some(_), None) => {
                "the store has a part of it itself, and another source was found"
            }
            (None, _, Some(_)) => "and no other place can send it; we will be in touch",
            (Some(_), _, Some(_)) => {
                "the store has a part of it itself, and no other place can send the rest; we will be in touch"
            }
        };
        let glue = match (here, none) {
            (None, Some(_)) => ",",
            _ => ";",
        };
        let description = format!("Not all comes from {source}{glue} {what}");
        let reasons = [Some(why.name()), here, other, none];
        (description, reasons.into_iter().flatten().collect())
    }
}

/// The sources that failed the order, the latest first, each with why, and with what they
/// could give of `rest`.
fn given_up(
    waiting: &Waiting<'_>,
    failed: &Transfer,
    why: Failure,
    rest: &Demand,
) -> Vec<Considered> {
    let facts = waiting.facts;
    let to = facts.location(waiting.location_id());
    let earlier = waiting.transfers.iter().rev().filter_map(|one| {
        let why = Failure::of(one.status_now(), &one.doc)?;
        Some((one.from_location_id.as_str(), why))
    });
    let latest = (failed.from_location_id.as_str(), why);
    let mut all: Vec<Considered> = Vec::new();
    for (id, why) in std::iter::once(latest).chain(earlier) {
        let known = all.iter().any(|one| one.location_id == id);
        let Some(from) = facts.location(id).filter(|_| !known) else {
            continue;
        };
        let distance_m = to.map(|to| geo::distance_m(from.geo, to.geo));
        let available = sourcing::units_at(rest, &facts.availability, id);
        all.push(sourcing::ruled_out(from, distance_m, available, why.into()));
    }
    all
}

pub fn units(demand: &Demand) -> Vec<Unit> {
    let unit = |(sku, quantity): (&str, i64)| Unit {
        sku: sku.to_owned(),
        quantity,
    };
    demand.iter().map(unit).collect()
}
