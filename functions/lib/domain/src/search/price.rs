//! Prices as buckets, so that a range of prices is a handful of exact words.

/// Levels of buckets; one of a level holds four of the level below.
const LEVELS: u32 = 5;

/// The bucket of a price in minor units: sixteen to each doubling, so that a bucket's ends
/// are no more than 7 % apart.
fn bucket(price_minor: i64) -> u32 {
    let price = price_minor.max(0).unsigned_abs();
    if price < 32 {
        return price as u32;
    }
    let exponent = price.ilog2();
    (exponent - 3) * 16 + ((price >> (exponent - 4)) & 15) as u32
}

/// The buckets that a price is in, one of each level, as `(level, number)`.
pub fn buckets(price_minor: i64) -> impl Iterator<Item = (u32, u32)> {
    let bucket = bucket(price_minor);
    (0..LEVELS).map(move |level| (level, bucket >> (2 * level)))
}

/// The fewest buckets that hold every price from `min_minor` to `max_minor`, both included:
/// at most 28. They hold a few prices beyond each end. None when the range is empty.
pub fn cover(min_minor: i64, max_minor: i64) -> Vec<(u32, u32)> {
    if min_minor > max_minor {
        return Vec::new();
    }
    let (mut low, mut end) = (bucket(min_minor), bucket(max_minor) + 1);
    let mut cover = Vec::new();
    for level in 0..LEVELS {
        let is_top = level + 1 == LEVELS;
        while low < end && (is_top || low % 4 != 0) {
            cover.push((level, low));
            low += 1;
        }
        while low < end && end % 4 != 0 {
            end -= 1;
            cover.push((level, end));
        }
        low /= 4;
        end /= 4;
    }
    cover
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn buckets_grow_with_the_price_without_a_gap() {
        let numbers: Vec<u32> = (0..5_000).map(bucket).collect();
        assert!(
            numbers
                .windows(2)
                .all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1)
        );
        assert_eq!(bucket(i64::MAX), 959);
    }

    proptest! {
        #[test]
        fn a_range_is_covered_by_few_buckets(min in 0i64..10_000_000, width in 0i64..10_000_000, price in 0i64..20_000_000) {
            let max = min + width;
            let cover = cover(min, max);
            prop_assert!(cover.len() <= 28);
            let found = buckets(price).any(|one| cover.contains(&one));
            if (min..=max).contains(&price) {
                prop_assert!(found);
            } else if price < min - min / 8 - 1 || price > max + max / 8 + 1 {
                prop_assert!(!found);
            }
        }
    }

    #[test]
    fn every_range_has_an_end() {
        assert!(cover(5, 4).is_empty());
        assert!(cover(0, i64::MAX).len() <= 28 && cover(i64::MAX, i64::MAX).len() == 1);
    }
}
