//! The order book of three years: guests' orders, parcels and collections, each as the
//! checkout, the store's desk and the till would have left it.

mod life;
mod place;

use aisle_domain::brand::Brand;
use aisle_domain::location::Location;

use crate::chance::{Chance, Kind};
use crate::places::Places;
use crate::products::{Range, VARIANTS};
use crate::shelves::Shelves;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// How far back the first order lies.
pub const BOOK_MS: i64 = 3 * 365 * DAY_MS;
/// Of a hundred orders, those that are collected at a store.
const COLLECTED_PERCENT: u64 = 35;
/// Lines of an order, at most.
const MAX_LINES: usize = 5;
/// Looks for another article that lies at the same place.
const TRIES: usize = 6;

/// What orders are made of.
pub struct Book<'a> {
    pub seed: u64,
    pub count: u64,
    /// The end of the three years.
    pub until_ms: i64,
    pub brand: &'a Brand,
    pub range: &'a Range,
    pub places: &'a Places,
    pub shelves: &'a Shelves,
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its goods are set aside.
    Open,
    /// They lie at the till.
    Ready,
    /// They are gone.
    Fulfilled,
}

/// An order in few words: enough to know what it does to the shelves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    pub placed_at_ms: i64,
    pub collected: bool,
    pub state: State,
    /// When its goods were laid ready, if they were.
    pub ready_at_ms: i64,
    /// When they left, if they did.
    pub gone_at_ms: i64,
    /// Where all of it comes from.
    pub place: u64,
    /// Variant and pieces, each variant once.
    pub lines: Vec<(u64, i64)>,
}

impl Book<'_> {
    /// The order with this number; orders are numbered in the order of time.
    pub fn drawn(&self, number: u64) -> Drawn {
        let mut chance = Chance::of(self.seed, Kind::Order, number);
        let share = (number as f64 + chance.unit()) / self.count as f64;
        let placed_at_ms = self.until_ms - BOOK_MS + (share * BOOK_MS as f64) as i64;
        let first = self.article(&mut chance);
        let stores = self.shelves.spread(first);
        let store = self.shelves.store(first, chance.below(stores.max(1)));
        let hands_over = stores > 0 && self.places.all[store as usize].hands_over();
        let collected = chance.happens(COLLECTED_PERCENT) && hands_over;
        let place = if collected {
            store
        } else {
            self.shelves.warehouse(first)
        };
        let mut lines = vec![(first, pieces(&mut chance))];
        while lines.len() < MAX_LINES && chance.happens(38) {
            let other = (0..TRIES).map(|_| self.article(&mut chance)).find(|other| {
                self.shelves.row(*other, place).is_some()
                    && lines.iter().all(|(known, _)| known != other)
            });
            lines.extend(other.map(|other| (other, 1)));
        }
        let hours = |from: u64, more: u64, chance: &mut Chance| {
            placed_at_ms
                + (from + chance.below(more)) as i64 * HOUR_MS
                + chance.below(60) as i64 * MINUTE_MS
        };
        // Parcels leave within two days; what is collected waits for up to some more.
        let ready_at_ms = hours(4, 20, &mut chance);
        let gone_at_ms = match collected {
            true => ready_at_ms + hours(2, 96, &mut chance) - placed_at_ms,
            false => hours(12, 36, &mut chance),
        };
        let state = match collected {
            _ if gone_at_ms < self.until_ms => State::Fulfilled,
            true if ready_at_ms < self.until_ms => State::Ready,
            _ => State::Open,
        };
        Drawn {
            placed_at_ms,
            collected,
            state,
            ready_at_ms,
            gone_at_ms,
            place,
            lines,
        }
    }

    /// A variant that has balances; the lower its number the better it sells.
    fn article(&self, chance: &mut Chance) -> u64 {
        let products = (self.shelves.variants() / VARIANTS).max(1);
        let product = chance.ranked(products);
        (product * VARIANTS + chance.below(VARIANTS)).min(self.shelves.variants() - 1)
    }

    fn location(&self, place: u64) -> &Location {
        &self.places.all[place as usize]
    }
}

fn pieces(chance: &mut Chance) -> i64 {
    if chance.happens(12) {
        2 + chance.below(3) as i64
    } else {
        1
    }
}
