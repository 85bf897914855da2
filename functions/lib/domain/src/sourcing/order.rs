//! Candidates in the order that the rules give them, and which of them are taken.

use std::cmp::{Ordering, Reverse};

use super::{
    COMBINED_PLACES, COMBINED_SOURCES, Candidate, Considered, MAX_CONSIDERED, SourcingReason,
};
use crate::location::LocationKind;
use crate::plan::{Availability, Demand, Shortage};
use crate::policy::SourcingRule;

struct Place<'a> {
    candidate: Candidate<'a>,
    /// What it could give, for each wanted SKU, at most what is wanted.
    gives: Vec<i64>,
    /// The fewest units that would be left of one of the SKUs.
    keeps: i64,
    /// It has all that is wanted.
    whole: bool,
}

pub(super) struct Ranked<'a> {
    places: Vec<Place<'a>>,
    /// SKU and units wanted.
    pub skus: Vec<(&'a str, i64)>,
    rules: &'a [SourcingRule],
}

impl Place<'_> {
    fn units(&self) -> i64 {
        self.gives
            .iter()
            .fold(0, |sum, units| sum.saturating_add(*units))
    }
}

fn compare(rule: SourcingRule, a: &Place, b: &Place) -> Ordering {
    let known = |value: Option<i64>| value.unwrap_or(i64::MAX);
    match rule {
        SourcingRule::Nearest => known(a.candidate.distance_m).cmp(&known(b.candidate.distance_m)),
        SourcingRule::FewestPackages => b.whole.cmp(&a.whole),
        SourcingRule::ProtectLowStock => b.keeps.cmp(&a.keeps),
        SourcingRule::PreferWarehouse => {
            let store = |place: &Place| place.candidate.location.kind == LocationKind::Store;
            store(a).cmp(&store(b))
        }
        SourcingRule::Earliest => {
            known(a.candidate.ready_at_ms).cmp(&known(b.candidate.ready_at_ms))
        }
    }
}

impl<'a> Ranked<'a> {
    pub fn new(
        demand: &'a Demand,
        availability: &Availability,
        candidates: &[Candidate<'a>],
        rules: &'a [SourcingRule],
    ) -> Self {
        let skus: Vec<(&str, i64)> = demand.iter().collect();
        let place = |candidate: &Candidate<'a>| {
            let at = |sku: &str| availability.at(sku, &candidate.location.id);
            let gives: Vec<i64> = skus
                .iter()
                .map(|(sku, units)| at(sku).min(*units))
                .collect();
            let left = skus
                .iter()
                .zip(&gives)
                .map(|((sku, _), gives)| at(sku) - gives);
            Place {
                candidate: *candidate,
                keeps: left.min().unwrap_or_default(),
                whole: skus
                    .iter()
                    .zip(&gives)
                    .all(|((_, wanted), gives)| gives == wanted),
                gives,
            }
        };
        let mut places: Vec<Place> = candidates.iter().map(place).collect();
        places.sort_by(|a, b| {
            let name =
                |place: &Place<'a>| (&place.candidate.location.name, &place.candidate.location.id);
            rules
                .iter()
                .map(|rule| compare(*rule, a, b))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| name(a).cmp(&name(b)))
        });
        Self {
            places,
            skus,
            rules,
        }
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn location_id(&self, place: usize) -> Option<&'a str> {
        let place = self.places.get(place)?;
        Some(place.candidate.location.id.as_str())
    }

    /// The places to take from, best first; `None` when that many cannot meet the demand.
    pub fn sources(&self, max_sources: usize) -> Option<Vec<usize>> {
        let in_order = || self.first_come(max_sources);
        let fewest = || {
            self.smallest(max_sources)
                .or_else(|| self.greedy(max_sources))
        };
        match self.rules.contains(&SourcingRule::FewestPackages) {
            true => fewest().or_else(in_order),
            false => in_order().or_else(fewest),
        }
    }

    /// Each place in order, as long as something is wanted that it has.
    fn first_come(&self, max_sources: usize) -> Option<Vec<usize>> {
        let mut open = self.wanted();
        let mut sources = Vec::new();
        for (index, place) in self.places.iter().enumerate() {
            if !is_met(&open) && subtract(&mut open, place) > 0 {
                sources.push(index);
            }
        }
        (is_met(&open) && sources.len() <= max_sources).then_some(sources)
    }

    /// The smallest set that meets the demand, of equal ones the first in order.
    fn smallest(&self, max_sources: usize) -> Option<Vec<usize>> {
        let useful: Vec<usize> = (0..self.len())
            .filter(|index| {
                self.places
                    .get(*index)
                    .is_some_and(|place| place.units() > 0)
            })
            .take(COMBINED_PLACES)
            .collect();
        (0..=max_sources.min(COMBINED_SOURCES))
            .find_map(|size| self.combine(&useful, size, self.wanted()))
    }

    /// The first `size` of `places`, in order, that meet what is `open`.
    fn combine(&self, places: &[usize], size: usize, open: Vec<i64>) -> Option<Vec<usize>> {
        if size == 0 {
            return is_met(&open).then(Vec::new);
        }
        places.iter().enumerate().find_map(|(position, index)| {
            let mut left = open.clone();
            subtract(&mut left, self.places.get(*index)?);
            let rest = places.get(position + 1..).unwrap_or_default();
            let mut found = self.combine(rest, size - 1, left)?;
            found.insert(0, *index);
            Some(found)
        })
    }

    /// The place that gives most of what is still wanted, again and again.
    fn greedy(&self, max_sources: usize) -> Option<Vec<usize>> {
        let mut open = self.wanted();
        let mut sources = Vec::new();
        while !is_met(&open) && sources.len() < max_sources {
            let gives = |place: &Place| {
                let mut left = open.clone();
                subtract(&mut left, place)
            };
            let next = self
                .places
                .iter()
                .enumerate()
                .filter(|(index, _)| !sources.contains(index))
                .map(|(index, place)| (gives(place), Reverse(index)))
                .max()?;
            let (1.., Reverse(index)) = next else {
                return None;
            };
            subtract(&mut open, self.places.get(index)?);
            sources.push(index);
        }
        sources.sort_unstable();
        is_met(&open).then_some(sources)
    }

    fn wanted(&self) -> Vec<i64> {
        self.skus.iter().map(|(_, units)| *units).collect()
    }

    /// `(place, index of the SKU, units)` from `sources`, from each in order. Where few
    /// packages count, a SKU is not split when one of them has all of it.
    pub fn take(&self, sources: &[usize]) -> Vec<(usize, usize, i64)> {
        let mut taken = Vec::new();
        for (sku, (_, wanted)) in self.skus.iter().enumerate() {
            let gives = |index: &usize| {
                let place = self.places.get(*index);
                place
                    .and_then(|place| place.gives.get(sku))
                    .copied()
                    .unwrap_or_default()
            };
            let whole = sources
                .iter()
                .find(|index| gives(index) >= *wanted)
                .filter(|_| self.rules.contains(&SourcingRule::FewestPackages));
            let mut open = *wanted;
            for index in whole.map_or(sources, std::slice::from_ref) {
                let quantity = gives(index).min(open);
                if quantity > 0 {
                    taken.push((*index, sku, quantity));
                    open -= quantity;
                }
            }
        }
        taken
    }

    /// What `max_sources` places cannot give of `demand`; where all places together have
    /// everything, each SKU of which no such few have enough.
    pub fn shortages(&self, demand: &Demand, max_sources: usize) -> Vec<Shortage> {
        let short_of = |most: usize| {
            let short = |(sku, (name, requested)): (usize, (&str, i64))| {
                let mut gives: Vec<i64> = self
                    .places
                    .iter()
                    .filter_map(|place| place.gives.get(sku).copied())
                    .collect();
                gives.sort_unstable_by_key(|units| Reverse(*units));
                let available = gives
                    .iter()
                    .take(most)
                    .fold(0_i64, |sum, units| sum.saturating_add(*units));
                (available < requested).then(|| Shortage {
                    sku: name.to_owned(),
                    requested,
                    available,
                })
            };
            demand
                .iter()
                .enumerate()
                .filter_map(short)
                .collect::<Vec<_>>()
        };
        let all = short_of(usize::MAX);
        let few = if all.is_empty() {
            short_of(max_sources)
        } else {
            all
        };
        match few.is_empty() {
            // Enough of each SKU, but not of all in the same few places.
            true => self.unmet_by_best(max_sources),
            false => few,
        }
    }

    fn unmet_by_best(&self, max_sources: usize) -> Vec<Shortage> {
        let mut open = self.wanted();
        for place in self.places.iter().take(max_sources) {
            subtract(&mut open, place);
        }
        let short = |((sku, requested), open): (&(&str, i64), i64)| Shortage {
            sku: (*sku).to_owned(),
            requested: *requested,
            available: requested - open,
        };
        self.skus
            .iter()
            .zip(open)
            .filter(|(_, open)| *open > 0)
            .map(short)
            .collect()
    }

    /// What became of each place, the `chosen` ones first.
    pub fn considered(&self, chosen: &[usize]) -> Vec<Considered> {
        let is_chosen = |index: &usize| chosen.contains(index);
        let others = (0..self.len()).filter(|index| !is_chosen(index));
        chosen
            .iter()
            .copied()
            .chain(others)
            .take(MAX_CONSIDERED.max(chosen.len()))
            .filter_map(|index| {
                let place = self.places.get(index)?;
                Some(Considered {
                    location_id: place.candidate.location.id.clone(),
                    chosen: is_chosen(&index),
                    available: place.units(),
                    distance_m: place.candidate.distance_m,
                    ready_at_ms: place.candidate.ready_at_ms,
                    reasons: match is_chosen(&index) {
                        true => self.why(place, chosen),
                        false => vec![self.why_not(place, chosen)],
                    },
                })
            })
            .collect()
    }

    fn why(&self, place: &Place, chosen: &[usize]) -> Vec<SourcingReason> {
        let runner_up = self
            .places
            .iter()
            .enumerate()
            .find(|(index, other)| !chosen.contains(index) && other.units() > 0);
        let decisive = runner_up.and_then(|(_, other)| {
            self.rules
                .iter()
                .find(|rule| compare(**rule, place, other).is_lt())
        });
        let because = decisive.and_then(|rule| match rule {
            SourcingRule::Nearest => Some(SourcingReason::Nearest),
            SourcingRule::FewestPackages => None,
            SourcingRule::ProtectLowStock => Some(SourcingReason::KeepsMost),
            SourcingRule::PreferWarehouse => Some(SourcingReason::Warehouse),
            SourcingRule::Earliest => Some(SourcingReason::Earliest),
        });
        let extent = match place.whole {
            true => SourcingReason::HasEverything,
            false => SourcingReason::GivesPart,
        };
        std::iter::once(extent).chain(because).collect()
    }

    fn why_not(&self, place: &Place, chosen: &[usize]) -> SourcingReason {
        let best = chosen.first().and_then(|index| self.places.get(*index));
        let (Some(best), 1..) = (best, place.units()) else {
            return match place.units() {
                0 => SourcingReason::OutOfStock,
                _ => SourcingReason::NotEnough,
            };
        };
        let decisive = self
            .rules
            .iter()
            .find(|rule| compare(**rule, best, place).is_lt());
        match decisive {
            Some(SourcingRule::Nearest) => SourcingReason::Further,
            Some(SourcingRule::FewestPackages) => SourcingReason::NotEnough,
            Some(SourcingRule::ProtectLowStock) => SourcingReason::LowStock,
            Some(SourcingRule::PreferWarehouse) => SourcingReason::NotAWarehouse,
            Some(SourcingRule::Earliest) => SourcingReason::Later,
            None if place.units() < best.units() => SourcingReason::NotEnough,
            None => SourcingReason::LaterByName,
        }
    }
}

/// Takes what `place` gives off `open`; how many units that are.
fn subtract(open: &mut [i64], place: &Place) -> i64 {
    open.iter_mut()
        .zip(&place.gives)
        .fold(0, |sum, (open, gives)| {
            let taken = (*gives).min(*open);
            *open -= taken;
            sum.saturating_add(taken)
        })
}

fn is_met(open: &[i64]) -> bool {
    open.iter().all(|units| *units == 0)
}
