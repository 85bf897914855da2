//! What a basket costs: lines, delivery and tax, added up.
//!
//! Tax is computed and rounded per line and for the delivery as a whole, then summed,
//! so that the parts shown always add up to the whole. Delivery is taxed at the
//! general rate (category '') of the place that it goes to.

use serde::{Deserialize, Serialize};

use crate::money::{self, AmountOverflow};
use crate::tax;

/// An amount and the tax on it, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taxed {
    /// As priced: with the tax when the brand's prices include it, otherwise without.
    pub amount_minor: i64,
    pub tax_minor: i64,
    /// Parts per million.
    pub rate_ppm: i64,
}

impl Taxed {
    pub fn new(amount_minor: i64, rate_ppm: i64, included: bool) -> Result<Self, AmountOverflow> {
        Ok(Self {
            amount_minor,
            tax_minor: tax::tax_minor(amount_minor, rate_ppm, included)?,
            rate_ppm,
        })
    }
}

/// All tax of one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxShare {
    pub rate_ppm: i64,
    pub tax_minor: i64,
}

/// The amounts of a cart, a checkout or an order, in minor units, none negative.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Sum of the lines as priced.
    pub subtotal_minor: i64,
    /// `None` until every delivery is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfillment_minor: Option<i64>,
    /// By rate, the lowest first; rates of 0 are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tax: Vec<TaxShare>,
    /// The tax is part of the other amounts instead of coming on top.
    pub tax_included: bool,
    pub total_minor: i64,
}

impl Totals {
    /// Adds up `lines` and, when chosen, `fulfillment`.
    pub fn add_up(
        lines: &[Taxed],
        fulfillment: Option<&[Taxed]>,
        tax_included: bool,
    ) -> Result<Self, AmountOverflow> {
        let subtotal_minor = money::sum(lines.iter().map(|line| line.amount_minor))?;
        let delivery = fulfillment.unwrap_or_default();
        let fulfillment_minor = money::sum(delivery.iter().map(|taxed| taxed.amount_minor))?;
        let tax = by_rate(lines.iter().chain(delivery))?;
        let added = if tax_included {
            0
        } else {
            money::sum(tax.iter().map(|share| share.tax_minor))?
        };
        Ok(Self {
            subtotal_minor,
            fulfillment_minor: fulfillment.map(|_| fulfillment_minor),
            tax,
            tax_included,
            total_minor: money::sum([subtotal_minor, fulfillment_minor, added])?,
        })
    }

    /// All tax, in minor units, whether included or added.
    pub fn tax_minor(&self) -> i64 {
        self.tax
            .iter()
            .fold(0, |sum, share| sum.saturating_add(share.tax_minor))
    }
}

fn by_rate<'a>(amounts: impl Iterator<Item = &'a Taxed>) -> Result<Vec<TaxShare>, AmountOverflow> {
    let mut shares = std::collections::BTreeMap::<i64, i64>::new();
    for taxed in amounts.filter(|taxed| taxed.rate_ppm > 0) {
        let sum = shares.entry(taxed.rate_ppm).or_default();
        *sum = money::sum([*sum, taxed.tax_minor])?;
    }
    Ok(shares
        .into_iter()
        .map(|(rate_ppm, tax_minor)| TaxShare {
            rate_ppm,
            tax_minor,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taxed(included: bool) -> impl Strategy<Value = Taxed> {
        let rates = prop_oneof![
            Just(0),
            Just(70_000),
            Just(88_750),
            Just(190_000),
            0..=500_000_i64
        ];
        (0..=10_000_000_i64, rates)
            .prop_map(move |(amount, rate)| Taxed::new(amount, rate, included).unwrap())
    }

    fn basket() -> impl Strategy<Value = (bool, Vec<Taxed>, Option<Vec<Taxed>>)> {
        any::<bool>().prop_flat_map(|included| {
            let lines = prop::collection::vec(taxed(included), 0..100);
            let delivery = prop::option::of(prop::collection::vec(taxed(included), 0..3));
            (Just(included), lines, delivery)
        })
    }

    proptest! {
        #[test]
        fn the_parts_add_up_to_the_total((included, lines, delivery) in basket()) {
            let totals = Totals::add_up(&lines, delivery.as_deref(), included).unwrap();
            let added = if included { 0 } else { totals.tax_minor() };
            prop_assert_eq!(totals.subtotal_minor + totals.fulfillment_minor.unwrap_or(0) + added, totals.total_minor);
            let parts = lines.iter().chain(delivery.iter().flatten());
            prop_assert_eq!(parts.map(|part| part.tax_minor).sum::<i64>(), totals.tax_minor());
        }

        #[test]
        fn nothing_is_negative_and_included_tax_is_less_than_the_total((included, lines, delivery) in basket()) {
            let totals = Totals::add_up(&lines, delivery.as_deref(), included).unwrap();
            prop_assert!(totals.tax.iter().all(|share| share.tax_minor >= 0 && share.rate_ppm > 0));
            prop_assert!(totals.total_minor >= totals.tax_minor());
        }

        #[test]
        fn included_and_added_are_the_same_tax_seen_from_two_sides(net in 0..=10_000_000_i64, rate in 0..=500_000_i64) {
            let added = Taxed::new(net, rate, false).unwrap();
            let included = Taxed::new(net + added.tax_minor, rate, true).unwrap();
            prop_assert!((included.tax_minor - added.tax_minor).abs() <= 1);
        }
    }

    #[test]
    fn a_basket_that_costs_more_than_can_be_written_is_refused() {
        let line = Taxed {
            amount_minor: money::MAX_MINOR,
            tax_minor: 0,
            rate_ppm: 0,
        };
        assert_eq!(
            Totals::add_up(&[line, line], None, true),
            Err(AmountOverflow)
        );
    }
}
