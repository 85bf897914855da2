//! Tax on sales: which rate applies where, and how much of an amount it is.

pub use crate::brand::TaxRate;
use crate::money::{self, AmountOverflow};

/// What a rate of 100 % is in parts per million.
const WHOLE_PPM: i64 = 1_000_000;

/// Where a sale is taxed: where the goods go to, or where they are collected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaxPlace {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 3166-2 subdivision without the country, or empty.
    pub region: String,
}

impl TaxPlace {
    /// `region` may be given with its country, as in `US-NY`.
    pub fn new(country: &str, region: &str) -> Self {
        let (country, region) = (country.trim().to_uppercase(), region.trim().to_uppercase());
        let bare = region
            .strip_prefix(&country)
            .and_then(|rest| rest.strip_prefix('-'));
        Self {
            region: bare.unwrap_or(&region).to_owned(),
            country,
        }
    }
}

/// The rate in parts per million for goods of `category` sold to `place`, 0 where the
/// table has none. The most specific row wins: region before country, then category
/// before the general rate.
pub fn rate_ppm(rates: &[TaxRate], place: &TaxPlace, category: &str) -> i64 {
    let matches = |own: &str, wanted: &str| own.is_empty() || own == wanted;
    rates
        .iter()
        .filter(|rate| rate.country == place.country)
        .filter(|rate| matches(&rate.region, &place.region) && matches(&rate.category, category))
        .max_by_key(|rate| (!rate.region.is_empty(), !rate.category.is_empty()))
        .map_or(0, |rate| rate.rate_ppm.max(0))
}

/// The tax on `amount_minor`, in minor units, rounded half away from zero: what the
/// amount contains when `included`, otherwise what is added to it.
pub fn tax_minor(amount_minor: i64, rate_ppm: i64, included: bool) -> Result<i64, AmountOverflow> {
    let whole = if included {
        WHOLE_PPM.saturating_add(rate_ppm)
    } else {
        WHOLE_PPM
    };
    money::share(amount_minor, rate_ppm, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(country: &str, region: &str, category: &str, rate_ppm: i64) -> TaxRate {
        TaxRate {
            country: country.into(),
            region: region.into(),
            category: category.into(),
            rate_ppm,
        }
    }

    #[test]
    fn the_most_specific_rate_applies() {
        let rates = [
            rate("US", "", "", 1),
            rate("US", "", "food", 2),
            rate("US", "NY", "", 3),
            rate("US", "NY", "food", 4),
            rate("DE", "", "", 190_000),
        ];
        let at =
            |country, region, category| rate_ppm(&rates, &TaxPlace::new(country, region), category);
        assert_eq!(at("us", "US-NY", "food"), 4);
        assert_eq!(at("US", "ny", "books"), 3);
        assert_eq!(at("US", "CA", "food"), 2);
        assert_eq!(at("US", "", ""), 1);
        assert_eq!(at("DE", "BE", "books"), 190_000);
        assert_eq!(at("FR", "", ""), 0);
    }

    #[test]
    fn included_tax_is_taken_out_and_added_tax_comes_on_top() {
        assert_eq!(tax_minor(11_900, 190_000, true), Ok(1_900));
        assert_eq!(tax_minor(10_000, 190_000, false), Ok(1_900));
        assert_eq!(tax_minor(9_999, 88_750, false), Ok(887));
        assert_eq!(tax_minor(0, 190_000, true), Ok(0));
    }
}
