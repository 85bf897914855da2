//! Which article lies where: every article in one warehouse, a few hot ones in all stores,
//! the others in as many stores as there are rows left. A balance is found by its number and
//! its number by what it is of, so that none need be remembered.

use crate::chance::{Chance, Kind};
use crate::products::{Range, VARIANTS};

/// Of the balances at stores, the share that is kept for articles that are everywhere.
const EVERYWHERE_SHARE: u64 = 3;

/// The balances of a brand.
#[derive(Debug, Clone)]
pub struct Shelves {
    seed: u64,
    /// Variants that have balances: those with the lowest numbers.
    variants: u64,
    warehouses: u64,
    stores: u64,
    /// Variants that every store has.
    everywhere: u64,
    /// Stores that have each other variant, and how many of the variants have one more.
    spread: u64,
    spread_more: u64,
}

impl Shelves {
    pub fn new(range: &Range, warehouses: u64, stores: u64, rows: u64) -> Self {
        let variants = range.variants().min(rows);
        let at_stores = (rows - variants).min(variants * stores);
        let full = at_stores == variants * stores;
        let everywhere = match full {
            true => variants,
            false => {
                (at_stores / EVERYWHERE_SHARE / stores.max(1)).min(variants) / VARIANTS * VARIANTS
            }
        };
        let (rest, others) = (at_stores - everywhere * stores, variants - everywhere);
        let mut shelves = Self {
            seed: range.seed,
            variants,
            warehouses,
            stores,
            everywhere,
            spread: 0,
            spread_more: 0,
        };
        if let (Some(spread), Some(more)) = (rest.checked_div(others), rest.checked_rem(others)) {
            (shelves.spread, shelves.spread_more) = (spread.min(stores), more);
        }
        shelves
    }

    /// Balances in all.
    pub fn rows(&self) -> u64 {
        self.first_row(self.variants)
    }

    pub fn variants(&self) -> u64 {
        self.variants
    }

    /// The number of the variant's first balance, the one at its warehouse.
    pub fn first_row(&self, variant: u64) -> u64 {
        let hot = variant.min(self.everywhere);
        let others = variant - hot;
        hot * (1 + self.stores) + others * (1 + self.spread) + others.min(self.spread_more)
    }

    /// The warehouse that sends the variant.
    pub fn warehouse(&self, variant: u64) -> u64 {
        variant / VARIANTS % self.warehouses
    }

    /// How many stores have the variant.
    pub fn spread(&self, variant: u64) -> u64 {
        match variant {
            none if none >= self.variants => 0,
            hot if hot < self.everywhere => self.stores,
            other => self.spread + u64::from(other - self.everywhere < self.spread_more),
        }
    }

    /// The place (see [`crate::places::Places`]) of a variant's `at`-th store.
    pub fn store(&self, variant: u64, at: u64) -> u64 {
        self.warehouses + (self.first_store(variant) + at) % self.stores
    }

    /// The balance of the variant at the place, if there is one.
    pub fn row(&self, variant: u64, place: u64) -> Option<u64> {
        if variant >= self.variants {
            return None;
        }
        let Some(store) = place.checked_sub(self.warehouses) else {
            return (place == self.warehouse(variant)).then(|| self.first_row(variant));
        };
        let at = (store + self.stores - self.first_store(variant)) % self.stores;
        (at < self.spread(variant)).then(|| self.first_row(variant) + 1 + at)
    }

    /// The places that have the variant, in the order of its balances.
    pub fn places(&self, variant: u64) -> impl Iterator<Item = u64> {
        let at_stores = (0..self.spread(variant)).map(move |at| self.store(variant, at));
        std::iter::once(self.warehouse(variant)).chain(at_stores)
    }

    /// All variants of a product are in the same stores.
    fn first_store(&self, variant: u64) -> u64 {
        Chance::of(self.seed, Kind::Shelf, variant / VARIANTS).below(self.stores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_balance_has_its_number() {
        for (count, stores, rows) in [
            (100, 12, 300),
            (100, 12, 900),
            (100, 12, 10_000),
            (50, 1, 120),
            (10, 7, 20),
        ] {
            let range = Range {
                seed: 1,
                count,
                prefix: "A".into(),
                since_ms: 0,
            };
            let shelves = Shelves::new(&range, 2, stores, rows);
            let most = range.variants() * (1 + stores);
            assert_eq!(shelves.rows(), rows.min(most), "{count} {stores} {rows}");
            let mut next = 0;
            for variant in 0..shelves.variants() {
                let mut seen = Vec::new();
                for place in shelves.places(variant) {
                    assert_eq!(shelves.row(variant, place), Some(next));
                    assert!(!seen.contains(&place));
                    seen.push(place);
                    next += 1;
                }
                let absent = (0..2 + stores).filter(|place| !seen.contains(place));
                assert!(
                    absent
                        .into_iter()
                        .all(|place| shelves.row(variant, place).is_none())
                );
            }
        }
    }
}
