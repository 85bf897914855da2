//! Tax on sales: which rates apply where, and how much of an amount they are.

pub use crate::brand::TaxRate;
use crate::money::{self, AmountOverflow};

/// What a rate of 100 % is in parts per million.
const WHOLE_PPM: i64 = 1_000_000;

/// Where a sale is taxed: where the goods go to, or where they are collected. What people
/// write becomes one by [`crate::place::find`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaxPlace {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 3166-2 subdivision without the country, or empty.
    pub region: String,
}

/// The rates for goods of `category` sold to `place`, in the table's order; none where it has
/// none. The most specific rows win: region before country, then category before all. Rows as
/// specific as each other add up, such as a state's and a city's.
pub fn rates_at<'a>(rates: &'a [TaxRate], place: &TaxPlace, category: &str) -> Vec<&'a TaxRate> {
    let matches = |own: &str, wanted: &str| own.is_empty() || own == wanted;
    let specific = |rate: &&TaxRate| (!rate.region.is_empty(), !rate.category.is_empty());
    let applies = |rate: &&TaxRate| {
        rate.country == place.country
            && matches(&rate.region, &place.region)
            && matches(&rate.category, category)
    };
    let best = rates
        .iter()
        .filter(applies)
        .map(|rate| specific(&rate))
        .max();
    rates
        .iter()
        .filter(applies)
        .filter(|rate| Some(specific(rate)) == best)
        .collect()
}

/// All of [`rates_at`] together, in parts per million.
pub fn rate_ppm(rates: &[TaxRate], place: &TaxPlace, category: &str) -> i64 {
    rates_at(rates, place, category)
        .iter()
        .fold(0, |sum, rate| sum.saturating_add(rate.rate_ppm.max(0)))
}

/// The tax of one of several rates on `amount_minor`, in minor units, rounded half away from
/// zero: what the amount contains when `included`, otherwise what is added to it. `all_ppm` is
/// the sum of the rates, this one among them.
pub fn tax_minor(
    amount_minor: i64,
    rate_ppm: i64,
    all_ppm: i64,
    included: bool,
) -> Result<i64, AmountOverflow> {
    let whole = if included {
        WHOLE_PPM.saturating_add(all_ppm)
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
            name: String::new(),
            rate_ppm,
        }
    }

    fn place(country: &str, region: &str) -> TaxPlace {
        TaxPlace {
            country: country.into(),
            region: region.into(),
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
        let at = |country, region, category| rate_ppm(&rates, &place(country, region), category);
        assert_eq!(at("US", "NY", "food"), 4);
        assert_eq!(at("US", "NY", "books"), 3);
        assert_eq!(at("US", "CA", "food"), 2);
        assert_eq!(at("US", "", ""), 1);
        assert_eq!(at("DE", "BE", "books"), 190_000);
        assert_eq!(at("FR", "", ""), 0);
    }

    #[test]
    fn rates_for_one_place_and_category_add_up() {
        let named = |region: &str, name: &str, rate_ppm| TaxRate {
            name: name.into(),
            ..rate("CA", region, "", rate_ppm)
        };
        let rates = [
            named("", "GST", 50_000),
            named("BC", "GST", 50_000),
            named("BC", "PST", 70_000),
        ];
        let names = |region| -> Vec<&str> {
            let rates = rates_at(&rates, &place("CA", region), "");
            rates.iter().map(|rate| rate.name.as_str()).collect()
        };
        assert_eq!(names("BC"), ["GST", "PST"]);
        assert_eq!(names("AB"), ["GST"]);
        assert_eq!(rate_ppm(&rates, &place("CA", "BC"), ""), 120_000);
    }

    #[test]
    fn included_tax_is_taken_out_and_added_tax_comes_on_top() {
        let tax = |amount, ppm, included| tax_minor(amount, ppm, ppm, included);
        assert_eq!(tax(11_900, 190_000, true), Ok(1_900));
        assert_eq!(tax(10_000, 190_000, false), Ok(1_900));
        assert_eq!(tax(9_999, 88_750, false), Ok(887));
        assert_eq!(tax(0, 190_000, true), Ok(0));
        assert_eq!(tax_minor(11_200, 50_000, 120_000, true), Ok(500));
    }
}
