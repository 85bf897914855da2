//! What a basket costs: lines, delivery and tax, added up.
//!
//! Tax is computed and rounded per line and for the delivery as a whole, then summed,
//! so that the parts shown always add up to the whole. Delivery is taxed at the
//! general rate (category '') of the place that it goes to.

use serde::{Deserialize, Serialize};

use crate::cash;
use crate::money::{self, AmountOverflow};
use crate::tax::{self, TaxRate};

/// An amount and the tax on it, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taxed {
    /// As priced: with the tax when the brand's prices include it, otherwise without.
    pub amount_minor: i64,
    pub tax_minor: i64,
    /// Parts per million, of all taxes together.
    pub rate_ppm: i64,
    /// What the tax is made of, where that has names; adds up to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxShare>,
}

impl Taxed {
    /// Each tax is computed and rounded on its own.
    pub fn new(
        amount_minor: i64,
        rates: &[&TaxRate],
        included: bool,
    ) -> Result<Self, AmountOverflow> {
        let shares = rates.iter().map(|rate| TaxShare {
            name: rate.name.clone(),
            rate_ppm: rate.rate_ppm.max(0),
            tax_minor: 0,
        });
        Self::of(amount_minor, shares.collect(), included)
    }

    /// Another amount, taxed as this one is.
    pub fn for_amount(&self, amount_minor: i64, included: bool) -> Result<Self, AmountOverflow> {
        Self::of(amount_minor, self.shares(), included)
    }

    fn of(
        amount_minor: i64,
        mut taxes: Vec<TaxShare>,
        included: bool,
    ) -> Result<Self, AmountOverflow> {
        let rate_ppm = taxes.iter().map(|share| share.rate_ppm);
        let rate_ppm = rate_ppm.fold(0_i64, i64::saturating_add);
        for share in &mut taxes {
            share.tax_minor = tax::tax_minor(amount_minor, share.rate_ppm, rate_ppm, included)?;
        }
        let tax_minor = money::sum(taxes.iter().map(|share| share.tax_minor))?;
        if let [TaxShare { name, .. }] = &taxes[..]
            && name.is_empty()
        {
            taxes.clear();
        }
        Ok(Self {
            amount_minor,
            tax_minor,
            rate_ppm,
            taxes,
        })
    }

    /// What the tax is made of, with and without names.
    pub fn shares(&self) -> Vec<TaxShare> {
        if !self.taxes.is_empty() {
            return self.taxes.clone();
        }
        vec![TaxShare {
            name: String::new(),
            rate_ppm: self.rate_ppm,
            tax_minor: self.tax_minor,
        }]
    }
}

/// All tax of one name and rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxShare {
    /// Such as `GST`; empty: just tax.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
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
    /// By rate, the lowest first, then by name; rates of 0 are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tax: Vec<TaxShare>,
    /// The tax is part of the other amounts instead of coming on top.
    pub tax_included: bool,
    /// What rounding adds to the total, or takes off it, because it is paid in cash.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cash_rounding_minor: i64,
    pub total_minor: i64,
}

fn is_zero(minor: &i64) -> bool {
    *minor == 0
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
            cash_rounding_minor: 0,
            total_minor: money::sum([subtotal_minor, fulfillment_minor, added])?,
        })
    }

    /// The same, paid in coins of `step_minor` and more.
    pub fn in_cash(mut self, step_minor: i64) -> Self {
        let paid_minor = cash::round(self.total_minor, step_minor);
        self.cash_rounding_minor += paid_minor - self.total_minor;
        self.total_minor = paid_minor;
        self
    }

    /// All tax, in minor units, whether included or added.
    pub fn tax_minor(&self) -> i64 {
        self.tax
            .iter()
            .fold(0, |sum, share| sum.saturating_add(share.tax_minor))
    }
}

fn by_rate<'a>(amounts: impl Iterator<Item = &'a Taxed>) -> Result<Vec<TaxShare>, AmountOverflow> {
    let mut shares = std::collections::BTreeMap::<(i64, String), i64>::new();
    for share in amounts.flat_map(Taxed::shares) {
        if share.rate_ppm > 0 {
            let sum = shares.entry((share.rate_ppm, share.name)).or_default();
            *sum = money::sum([*sum, share.tax_minor])?;
        }
    }
    Ok(shares
        .into_iter()
        .map(|((rate_ppm, name), tax_minor)| TaxShare {
            name,
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
        (0..=10_000_000_i64, prop::collection::vec(rates, 0..3)).prop_map(move |(amount, rates)| {
            let rates: Vec<TaxRate> = rates.into_iter().map(rate).collect();
            let rates: Vec<&TaxRate> = rates.iter().collect();
            Taxed::new(amount, &rates, included).unwrap()
        })
    }

    fn rate(rate_ppm: i64) -> TaxRate {
        TaxRate {
            country: "CA".into(),
            region: String::new(),
            category: String::new(),
            name: format!("T{}", rate_ppm % 3),
            rate_ppm,
        }
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
            prop_assert_eq!(parts.clone().map(|part| part.tax_minor).sum::<i64>(), totals.tax_minor());
            for part in parts {
                prop_assert_eq!(part.shares().iter().map(|share| share.tax_minor).sum::<i64>(), part.tax_minor);
            }
        }

        #[test]
        fn nothing_is_negative_and_included_tax_is_less_than_the_total((included, lines, delivery) in basket()) {
            let totals = Totals::add_up(&lines, delivery.as_deref(), included).unwrap();
            prop_assert!(totals.tax.iter().all(|share| share.tax_minor >= 0 && share.rate_ppm > 0));
            prop_assert!(totals.total_minor >= totals.tax_minor());
        }

        #[test]
        fn included_and_added_are_the_same_tax_seen_from_two_sides(net in 0..=10_000_000_i64, rate in 0..=500_000_i64) {
            let added = Taxed::new(net, &[&self::rate(rate)], false).unwrap();
            let included = Taxed::new(net + added.tax_minor, &[&self::rate(rate)], true).unwrap();
            prop_assert!((included.tax_minor - added.tax_minor).abs() <= 1);
        }
    }

    #[test]
    fn what_cash_is_rounded_by_is_its_own_line() {
        let line = Taxed::new(1_002, &[], true).unwrap();
        let paid = Totals::add_up(&[line], None, true).unwrap().in_cash(5);
        assert_eq!(
            (
                paid.subtotal_minor,
                paid.cash_rounding_minor,
                paid.total_minor
            ),
            (1_002, -2, 1_000)
        );
    }

    #[test]
    fn two_taxes_on_one_amount_are_two_shares() {
        let (gst, pst) = (rate(50_000), rate(70_000));
        let added = Taxed::new(10_000, &[&gst, &pst], false).unwrap();
        assert_eq!((added.tax_minor, added.rate_ppm), (1_200, 120_000));
        let totals = Totals::add_up(&[added.clone(), added], None, false).unwrap();
        let shares: Vec<i64> = totals.tax.iter().map(|share| share.tax_minor).collect();
        assert_eq!((shares, totals.total_minor), (vec![1_000, 1_400], 22_400));
        let included = Taxed::new(11_200, &[&gst, &pst], true).unwrap();
        let shares: Vec<i64> = included.taxes.iter().map(|share| share.tax_minor).collect();
        assert_eq!(shares, [500, 700]);
    }

    #[test]
    fn a_basket_that_costs_more_than_can_be_written_is_refused() {
        let line = Taxed {
            amount_minor: money::MAX_MINOR,
            tax_minor: 0,
            rate_ppm: 0,
            taxes: Vec::new(),
        };
        assert_eq!(
            Totals::add_up(&[line.clone(), line], None, true),
            Err(AmountOverflow)
        );
    }
}
