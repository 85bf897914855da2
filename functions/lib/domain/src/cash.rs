//! Cash where the smallest coin is larger than the smallest unit of the currency.

use crate::policy::PaymentPolicy;

/// Where no coins below so many minor units are in use, or cash is rounded to them by law or
/// custom.
const STEPS: [(&str, i64); 14] = [
    ("AUD", 5),
    ("CAD", 5),
    ("CHF", 5),
    ("CLP", 10),
    ("CZK", 100),
    ("DKK", 50),
    ("HKD", 10),
    ("HUF", 500),
    ("ILS", 10),
    ("MYR", 5),
    ("NOK", 100),
    ("NZD", 10),
    ("SEK", 100),
    ("ZAR", 10),
];

/// Countries of the euro that round to five cents (ISO 3166-1 alpha-2).
const EUR_ROUNDS_IN: [&str; 8] = ["BE", "EE", "FI", "IE", "IT", "LT", "NL", "SK"];
const EUR_STEP: i64 = 5;

/// What cash in `currency` is rounded to at a store in `country`, in minor units; 1: nothing.
pub fn step_minor(policy: &PaymentPolicy, currency: &str, country: &str) -> i64 {
    let usual = || match currency {
        "EUR" if EUR_ROUNDS_IN.contains(&country) => EUR_STEP,
        _ => STEPS
            .iter()
            .find(|(own, _)| *own == currency)
            .map_or(1, |(_, step)| *step),
    };
    policy.cash_rounding_minor.unwrap_or_else(usual).max(1)
}

/// The amount that can be paid in cash nearest to this one, half away from zero.
pub fn round(amount_minor: i64, step_minor: i64) -> i64 {
    let step = step_minor.max(1);
    let rest = amount_minor % step;
    let down = amount_minor - rest;
    match rest.abs() >= step - rest.abs() && rest != 0 {
        true => down.saturating_add(step * rest.signum()),
        false => down,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cash_is_rounded_as_is_usual_or_as_the_brand_says() {
        let usual = PaymentPolicy::default();
        for (currency, country, step) in [
            ("CHF", "CH", 5),
            ("SEK", "SE", 100),
            ("EUR", "NL", 5),
            ("EUR", "FI", 5),
            ("EUR", "DE", 1),
            ("USD", "US", 1),
            ("JPY", "JP", 1),
        ] {
            assert_eq!(
                step_minor(&usual, currency, country),
                step,
                "{currency} {country}"
            );
        }
        let own = PaymentPolicy {
            cash_rounding_minor: Some(1),
        };
        assert_eq!(step_minor(&own, "CHF", "CH"), 1);
    }

    #[test]
    fn the_nearest_amount_is_paid() {
        let rounded =
            [1_001, 1_002, 1_003, 1_007, 1_008, 0, -1_002, -1_003].map(|minor| round(minor, 5));
        assert_eq!(
            rounded,
            [1_000, 1_000, 1_005, 1_005, 1_010, 0, -1_000, -1_005]
        );
        assert_eq!([49, 50, 149].map(|minor| round(minor, 100)), [0, 100, 100]);
        assert_eq!(round(1_234, 1), 1_234);
    }

    proptest::proptest! {
        #[test]
        fn the_difference_is_at_most_half_a_coin(amount in -1_000_000_i64..1_000_000, step in 1_i64..1_000) {
            let rounded = round(amount, step);
            proptest::prop_assert_eq!(rounded % step, 0);
            proptest::prop_assert!((rounded - amount).abs() * 2 <= step);
        }
    }
}
