//! Goods that are weighed or priced in the store carry a number that each company makes up by
//! itself: beginning with 20 to 29 or 02, with the article, then its weight or price inside
//! (GS1 General Specifications, section 2.1.12). Which is which, the brand's policy says.

use serde::{Deserialize, Serialize};

use super::Reading;
use crate::gtin::Gtin;

/// Digits of the number as it is read here.
const DIGITS: usize = 13;

/// How one kind of such numbers is made up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeasureRule {
    /// How the number begins, in its form of 13 digits: `20` to `29`, or `02`.
    pub prefix: String,
    /// Digits that name the article, behind the prefix.
    pub item_digits: u8,
    /// Digits between article and value that check the value, and are not looked at.
    #[serde(default)]
    pub check_digits: u8,
    pub carries: Carries,
    /// Digits of the value behind its point: of kilograms, or of the currency's main unit.
    pub decimals: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Carries {
    Weight,
    Price,
}

/// What the label says of this one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Measure {
    WeightG(i64),
    /// In minor units of the brand's currency.
    PriceMinor(i64),
}

impl MeasureRule {
    /// Whether numbers can be made up so.
    pub fn is_valid(&self) -> bool {
        let restricted = self.prefix == "02"
            || (self.prefix.len() == 2
                && self.prefix.starts_with('2')
                && self.prefix.bytes().all(|byte| byte.is_ascii_digit()));
        let taken = 2 + usize::from(self.item_digits) + usize::from(self.check_digits);
        restricted
            && self.item_digits > 0
            && (taken + 1..DIGITS).contains(&(DIGITS - 1))
            && self.decimals <= 4
    }

    /// The article, as a number with nothing inside and as the digits that name it, and the
    /// measure; for a currency with so many digits behind its point.
    fn read(&self, number: &str, currency_decimals: u8) -> Option<Reading> {
        let rest = number.strip_prefix(&self.prefix)?;
        let (item, rest) = rest.split_at_checked(usize::from(self.item_digits))?;
        let value = rest.get(usize::from(self.check_digits)..rest.len() - 1)?;
        let value: i64 = value.parse().ok()?;
        let scaled = |decimals: u8| match decimals.checked_sub(self.decimals) {
            Some(up) => value.checked_mul(10_i64.pow(up.into())),
            None => Some(value / 10_i64.pow((self.decimals - decimals).into())),
        };
        let measure = match self.carries {
            Carries::Weight => Measure::WeightG(scaled(3)?),
            Carries::Price => Measure::PriceMinor(scaled(currency_decimals)?),
        };
        let stem = format!("{}{item}", self.prefix);
        Some(Reading::Measured {
            gtin: Gtin::complete(&format!("{stem:0<12}"))?,
            item: item.to_owned(),
            measure,
        })
    }
}

/// What the number says by the first of the rules that is about it.
pub fn measured(gtin: &Gtin, rules: &[MeasureRule], currency_decimals: u8) -> Option<Reading> {
    let number = gtin.as_str().strip_prefix('0')?;
    let rule = rules.iter().find(|rule| number.starts_with(&rule.prefix))?;
    rule.read(number, currency_decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(prefix: &str, check_digits: u8, carries: Carries, decimals: u8) -> MeasureRule {
        let item_digits = 5 - check_digits;
        MeasureRule {
            prefix: prefix.into(),
            item_digits,
            check_digits,
            carries,
            decimals,
        }
    }

    fn read(number: &str) -> Option<Reading> {
        let rules = [
            rule("28", 0, Carries::Price, 2),
            rule("29", 0, Carries::Weight, 3),
            rule("02", 1, Carries::Price, 2),
        ];
        measured(&Gtin::complete(number).unwrap(), &rules, 2)
    }

    #[test]
    fn the_value_inside_is_read_by_the_brands_rule() {
        let found = |item: &str, stem: &str, measure| {
            Some(Reading::Measured {
                gtin: Gtin::complete(stem).unwrap(),
                item: item.into(),
                measure,
            })
        };
        assert_eq!(
            read("281234500499"),
            found("12345", "281234500000", Measure::PriceMinor(499))
        );
        assert_eq!(
            read("291234501250"),
            found("12345", "291234500000", Measure::WeightG(1_250))
        );
        assert_eq!(
            read("021234900350"),
            found("1234", "021234000000", Measure::PriceMinor(350))
        );
        assert_eq!(read("201234501250"), None);
        assert_eq!(read("400638133393"), None);
    }

    #[test]
    fn a_price_is_in_the_currencys_own_units() {
        let rules = [rule("28", 0, Carries::Price, 2)];
        let price =
            |decimals| match measured(&Gtin::complete("281234500499").unwrap(), &rules, decimals) {
                Some(Reading::Measured {
                    measure: Measure::PriceMinor(price_minor),
                    ..
                }) => price_minor,
                other => panic!("{other:?}"),
            };
        assert_eq!((price(0), price(2), price(3)), (4, 499, 4_990));
    }

    #[test]
    fn rules_that_leave_no_value_are_refused() {
        assert!(rule("28", 0, Carries::Price, 2).is_valid());
        for bad in [
            rule("30", 0, Carries::Price, 2),
            rule("2", 0, Carries::Price, 2),
            rule("2x", 0, Carries::Price, 2),
            rule("28", 0, Carries::Price, 5),
            MeasureRule {
                item_digits: 0,
                ..rule("28", 0, Carries::Price, 2)
            },
            MeasureRule {
                item_digits: 10,
                ..rule("28", 0, Carries::Price, 2)
            },
            MeasureRule {
                item_digits: 255,
                check_digits: 255,
                ..rule("28", 0, Carries::Price, 2)
            },
        ] {
            assert!(!bad.is_valid(), "{bad:?}");
        }
    }
}
