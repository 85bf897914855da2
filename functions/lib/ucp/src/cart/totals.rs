//! What something costs, as entries that add up (`types/totals.json`).

use aisle_domain::totals::{TaxShare, Taxed, Totals};
use serde::{Deserialize, Serialize};

/// An entry of `totals[]` (`types/totals.json`): all but `total` add up to `total`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Total {
    /// `subtotal`, `fulfillment`, `tax` or `total`.
    #[serde(rename = "type")]
    pub kind: String,
    pub display_text: String,
    /// Minor units.
    pub amount: i64,
    /// What the entry is made of; adds up to its amount.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<TotalLine>,
}

/// A part of a total. Of prices that include tax, the tax is a part of type `tax`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TotalLine {
    #[serde(rename = "type")]
    pub kind: String,
    pub display_text: String,
    /// Minor units.
    pub amount: i64,
}

impl Total {
    pub(crate) fn new(kind: &str, display_text: &str, amount: i64) -> Self {
        Self {
            kind: kind.to_owned(),
            display_text: display_text.to_owned(),
            amount,
            lines: Vec::new(),
        }
    }
}

pub(crate) fn line_totals(amount: &Taxed, tax_included: bool) -> Vec<Total> {
    let added = if tax_included { 0 } else { amount.tax_minor };
    let mut totals = vec![Total::new("subtotal", "Subtotal", amount.amount_minor)];
    if added > 0 {
        let shares = amount.shares();
        totals.extend(
            shares
                .iter()
                .map(|share| Total::new("tax", &tax_text("Tax", share), share.tax_minor)),
        );
    }
    totals.push(Total::new(
        "total",
        "Total",
        amount.amount_minor.saturating_add(added),
    ));
    totals
}

/// Tax that comes on top is an entry of its own; tax that the prices include is shown as
/// a part of the total, because the entries have to add up to it.
pub(crate) fn totals(totals: &Totals, total_text: &str) -> Vec<Total> {
    let mut entries = vec![Total::new("subtotal", "Subtotal", totals.subtotal_minor)];
    entries.extend(
        totals
            .fulfillment_minor
            .map(|minor| Total::new("fulfillment", "Delivery", minor)),
    );
    let mut total = Total::new("total", total_text, totals.total_minor);
    let part = |kind: &str, display_text: String, amount| TotalLine {
        kind: kind.to_owned(),
        display_text,
        amount,
    };
    if totals.tax_included && !totals.tax.is_empty() {
        let net = totals.total_minor.saturating_sub(totals.tax_minor());
        total.lines.push(part("net", "Without tax".to_owned(), net));
        total.lines.extend(
            totals
                .tax
                .iter()
                .map(|share| part("tax", tax_text("Tax included", share), share.tax_minor)),
        );
    } else {
        let (named, unnamed): (Vec<_>, Vec<_>) =
            totals.tax.iter().partition(|share| !share.name.is_empty());
        entries.extend(unnamed_tax(&unnamed));
        entries.extend(
            named
                .into_iter()
                .map(|share| Total::new("tax", &tax_text("Tax", share), share.tax_minor)),
        );
    }
    entries.extend(cash_rounding(totals.cash_rounding_minor));
    entries.push(total);
    entries
}

/// One entry for all of it, by rate.
fn unnamed_tax(shares: &[&TaxShare]) -> Option<Total> {
    let part = |share: &&TaxShare| TotalLine {
        kind: "tax".to_owned(),
        display_text: tax_text("Tax", share),
        amount: share.tax_minor,
    };
    match shares {
        [] => None,
        [share] => Some(Total::new("tax", &tax_text("Tax", share), share.tax_minor)),
        several => {
            let sum = several.iter().map(|share| share.tax_minor);
            Some(Total {
                lines: several.iter().map(part).collect(),
                ..Total::new("tax", "Tax", sum.fold(0, i64::saturating_add))
            })
        }
    }
}

/// UCP has no type for it: what is added is a fee, what is taken off a discount.
fn cash_rounding(minor: i64) -> Option<Total> {
    let kind = if minor > 0 { "fee" } else { "discount" };
    (minor != 0).then(|| Total::new(kind, "Cash rounding", minor))
}

/// `Tax 8.875 %`, or `GST 5 %`: the rate with as many decimals as it has.
fn tax_text(label: &str, share: &TaxShare) -> String {
    let label = match share.name.as_str() {
        "" => label,
        name => name,
    };
    let (whole, rest) = (share.rate_ppm / 10_000, share.rate_ppm % 10_000);
    match format!("{rest:04}").trim_end_matches('0') {
        "" => format!("{label} {whole} %"),
        decimals => format!("{label} {whole}.{decimals} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aisle_domain::tax::TaxRate;

    /// Two rates, delivery among them.
    fn basket(tax_included: bool) -> Totals {
        let taxed =
            |amount, rate_ppm| Taxed::new(amount, &[&rate("", rate_ppm)], tax_included).unwrap();
        let lines = [taxed(11_900, 190_000), taxed(999, 70_000)];
        Totals::add_up(&lines, Some(&[taxed(495, 190_000)]), tax_included).unwrap()
    }

    #[test]
    fn entries_add_up_to_the_total_and_parts_to_their_entry() {
        for included in [true, false] {
            let entries = totals(&basket(included), "Total");
            let sum = |kind: &dyn Fn(&str) -> bool| -> i64 {
                let entries = entries.iter().filter(|entry| kind(&entry.kind));
                entries.map(|entry| entry.amount).sum()
            };
            assert_eq!(sum(&|kind| kind != "total"), sum(&|kind| kind == "total"));
            let itemised: Vec<_> = entries
                .iter()
                .filter(|entry| !entry.lines.is_empty())
                .collect();
            assert_eq!(itemised.len(), 1, "the tax by rate");
            for entry in itemised {
                let parts: i64 = entry.lines.iter().map(|line| line.amount).sum();
                assert_eq!(parts, entry.amount);
            }
        }
    }

    #[test]
    fn included_tax_is_a_part_and_added_tax_an_entry() {
        let kinds = |included| -> Vec<String> {
            totals(&basket(included), "Total")
                .into_iter()
                .map(|entry| entry.kind)
                .collect()
        };
        assert_eq!(kinds(true), ["subtotal", "fulfillment", "total"]);
        assert_eq!(kinds(false), ["subtotal", "fulfillment", "tax", "total"]);
    }

    fn rate(name: &str, rate_ppm: i64) -> TaxRate {
        TaxRate {
            country: "CA".into(),
            region: String::new(),
            category: String::new(),
            name: name.into(),
            rate_ppm,
        }
    }

    #[test]
    fn each_tax_that_has_a_name_is_an_entry() {
        let rates = [rate("GST", 50_000), rate("PST", 70_000)];
        let line = Taxed::new(10_000, &[&rates[0], &rates[1]], false).unwrap();
        let taxes = |entries: Vec<Total>| -> Vec<(String, i64)> {
            let taxes = entries.into_iter().filter(|entry| entry.kind == "tax");
            taxes
                .map(|entry| (entry.display_text, entry.amount))
                .collect()
        };
        let expected = [("GST 5 %".to_owned(), 500), ("PST 7 %".to_owned(), 700)];
        assert_eq!(taxes(line_totals(&line, false)), expected);
        let all = Totals::add_up(&[line], None, false).unwrap();
        assert_eq!(taxes(totals(&all, "Total")), expected);
    }

    #[test]
    fn cash_rounding_is_an_entry_and_all_adds_up() {
        for step in [5, 100] {
            let basket = basket(true).in_cash(step);
            let entries = totals(&basket, "Total");
            let parts = entries.iter().filter(|entry| entry.kind != "total");
            assert_eq!(
                parts.map(|entry| entry.amount).sum::<i64>(),
                basket.total_minor
            );
            assert_eq!(basket.total_minor % step, 0);
        }
    }

    #[test]
    fn a_rate_is_shown_as_exactly_as_it_is() {
        let shown = [190_000, 88_750, 55_000, 1].map(|rate_ppm| {
            let share = TaxShare {
                name: String::new(),
                rate_ppm,
                tax_minor: 0,
            };
            tax_text("Tax", &share)
        });
        assert_eq!(
            shown,
            ["Tax 19 %", "Tax 8.875 %", "Tax 5.5 %", "Tax 0.0001 %"]
        );
    }
}
