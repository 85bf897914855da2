//! Chance that can be repeated: what a thing is like depends on the seed and on its number,
//! not on what was made before it. So nothing need be remembered to make it again.

use aisle_domain::id;

/// What a number counts, so that product 7 and order 7 have nothing in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Kind {
    Brand = 1,
    Place,
    Product,
    Shelf,
    Order,
    OrderRow,
}

/// A stream of numbers that look random (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn of(seed: u64, kind: Kind, number: u64) -> Self {
        let mut mixed = Self(seed ^ (kind as u64).wrapping_mul(0xd6e8_feb8_6659_fd93));
        let start = mixed.next() ^ number.wrapping_mul(0xa076_1d64_78bd_642f);
        let mut mixed = Self(start);
        Self(mixed.next())
    }

    /// A stream of its own beside this one.
    pub fn branch(mut self, number: u64) -> Self {
        self.0 ^= number.wrapping_mul(0x2545_f491_4f6c_dd1d);
        self
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to below `count`, each as likely; 0 of none.
    pub fn below(&mut self, count: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(count)) >> 64) as u64
    }

    pub fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }

    /// From 0 to below `count`, the n-th about n times as seldom as the first (Zipf's law).
    pub fn ranked(&mut self, count: u64) -> u64 {
        let rank = ((count + 1) as f64).powf(self.unit()) as u64;
        rank.clamp(1, count.max(1)) - 1
    }

    pub fn pick_ranked<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.ranked(list.len() as u64) as usize]
    }

    /// Normally distributed, mean 0, deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (1.0 - self.unit(), self.unit());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    pub fn bytes(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.next().to_le_bytes());
        bytes[8..].copy_from_slice(&self.next().to_le_bytes()[..2]);
        bytes
    }

    /// A UUIDv7 of the instant.
    pub fn id(&mut self, at_ms: i64) -> String {
        id::new_id(at_ms, self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_is_the_same_and_another_is_not() {
        let first = |seed, kind, number| Chance::of(seed, kind, number).next();
        assert_eq!(first(1, Kind::Order, 7), first(1, Kind::Order, 7));
        assert_ne!(first(1, Kind::Order, 7), first(2, Kind::Order, 7));
        assert_ne!(first(1, Kind::Order, 7), first(1, Kind::Product, 7));
        assert_ne!(first(1, Kind::Order, 7), first(1, Kind::Order, 8));
    }

    #[test]
    fn ranks_stay_in_bounds_and_the_first_leads() {
        let mut chance = Chance::of(1, Kind::Product, 0);
        let mut counts = [0_u32; 50];
        for _ in 0..50_000 {
            counts[chance.ranked(50) as usize] += 1;
        }
        assert!(counts[0] > 3 * counts[4] && counts[49] > 0, "{counts:?}");
        assert_eq!(chance.ranked(0), 0);
    }
}
