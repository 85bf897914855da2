//! What something costs, as entries that add up (`types/totals.json`).

use aisle_domain::totals::{Taxed, Totals};
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
        totals.push(Total::new("tax", &tax_text("Tax", amount.rate_ppm), added));
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
        total.lines.extend(totals.tax.iter().map(|share| {
            part(
                "tax",
                tax_text("Tax included", share.rate_ppm),
                share.tax_minor,
            )
        }));
    } else if let [share] = &totals.tax[..] {
        entries.push(Total::new(
            "tax",
            &tax_text("Tax", share.rate_ppm),
            share.tax_minor,
        ));
    } else if !totals.tax.is_empty() {
        let lines = totals
            .tax
            .iter()
            .map(|share| part("tax", tax_text("Tax", share.rate_ppm), share.tax_minor));
        entries.push(Total {
            lines: lines.collect(),
            ..Total::new("tax", "Tax", totals.tax_minor())
        });
    }
    entries.push(total);
    entries
}

/// `Tax 8.875 %`: the rate with as many decimals as it has.
fn tax_text(label: &str, rate_ppm: i64) -> String {
    let (whole, rest) = (rate_ppm / 10_000, rate_ppm % 10_000);
    match format!("{rest:04}").trim_end_matches('0') {
        "" => format!("{label} {whole} %"),
        decimals => format!("{label} {whole}.{decimals} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rates, delivery among them.
    fn basket(tax_included: bool) -> Totals {
        let taxed = |amount, rate_ppm| Taxed::new(amount, rate_ppm, tax_included).unwrap();
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

    #[test]
    fn a_rate_is_shown_as_exactly_as_it_is() {
        let shown = [190_000, 88_750, 55_000, 1].map(|rate_ppm| tax_text("Tax", rate_ppm));
        assert_eq!(
            shown,
            ["Tax 19 %", "Tax 8.875 %", "Tax 5.5 %", "Tax 0.0001 %"]
        );
    }
}
