//! What a scanner read, or somebody typed at a till: what the text can mean.

mod gs1;
mod measure;

pub use measure::{Carries, Measure, MeasureRule};

use crate::account;
use crate::gtin::Gtin;
use crate::id::is_id;
use crate::order::is_number;
use crate::pass;
use crate::typed;

/// The longest text that is looked at, in bytes: more than any symbol at a till carries.
pub const MAX_TEXT_BYTES: usize = 1_000;
/// The longest SKU, in bytes.
const MAX_SKU_BYTES: usize = 256;
/// Separates what is of variable length in a GS1 element string (FNC1 as it is transmitted).
const GROUP_SEPARATOR: char = '\u{1d}';

/// What a brand has agreed on for the numbers that it makes up itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'a> {
    pub measures: &'a [MeasureRule],
    /// Digits of the brand's currency behind its point.
    pub currency_decimals: u8,
}

impl Rules<'_> {
    fn read(&self, gtin: &Gtin) -> Option<Reading> {
        measure::measured(gtin, self.measures, self.currency_decimals)
    }
}

/// A thing that a text can stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The token of a pickup pass, genuine or not.
    Pass(String),
    /// The six characters that stand for a pass.
    PassCode(String),
    /// An article, and the one piece of it, where the symbol says which.
    Item {
        gtin: Gtin,
        serial: Option<String>,
    },
    /// Goods that were weighed or priced in the store: the article's number with nothing inside,
    /// the digits that name it, and what the label says.
    Measured {
        gtin: Gtin,
        item: String,
        measure: Measure,
    },
    Sku(String),
    OrderNumber(String),
    OrderId(String),
    TransferNumber(String),
    HoldNumber(String),
    /// What the shopper's phone shows of a cart.
    CartId(String),
    CheckoutId(String),
    /// What the shopper's phone shows of their account, for a short while.
    CustomerCode(String),
}

/// What `text` can mean, the likeliest first; nothing for a text that means nothing here.
///
/// | text | meaning |
/// |---|---|
/// | `AP1…` | pickup pass |
/// | `https://…/carts/ID`, `AISLE:CART:ID`, and so for `checkout-sessions`/`CHECKOUT` and `orders`/`ORDER` | what it names |
/// | `AISLE:C:CODE` | customer |
/// | `https://…/01/GTIN[/21/SERIAL]` | article, by GS1 Digital Link |
/// | `(01)GTIN(21)SERIAL`, `01GTIN21SERIAL` | article, by GS1 element string |
/// | 8, 12, 13 or 14 digits with their check digit | article, by GTIN; 8 digits also by UPC-E |
/// | `T-…`, `H-…` | transfer, hold |
/// | `7Q4ZK-M0TCX` | order |
/// | 6 characters | pass, by its code |
/// | digits with blanks or hyphens, an ISBN of ten, a number with its add-on | article, as it is printed |
/// | a number of 13 digits that `rules` are about | article with weight or price |
/// | anything | article, by SKU |
pub fn readings(text: &str, rules: &Rules) -> Vec<Reading> {
    let text = without_symbology(text.trim());
    if text.is_empty() || text.len() > MAX_TEXT_BYTES {
        return Vec::new();
    }
    if pass::is_pass_text(text) {
        return vec![Reading::Pass(text.to_owned())];
    }
    if let Some(code) = account::customer_code_in(&text.to_ascii_uppercase()) {
        return vec![Reading::CustomerCode(code.to_owned())];
    }
    if let Some(reading) = named(text)
        .or_else(|| link(text))
        .or_else(|| gs1::element_string(text))
    {
        return vec![reading];
    }
    let item = |gtin| Reading::Item { gtin, serial: None };
    let number = typed::plain(text);
    let article = Gtin::parse(&number).ok();
    let measured = article.as_ref().and_then(|gtin| rules.read(gtin));
    let mut readings: Vec<Reading> = article.map(item).into_iter().collect();
    readings.extend(measured);
    readings.extend(gs1::upc_e(&number).map(item));
    readings.extend(gs1::printed(&number).map(item));
    let capitals = text.to_ascii_uppercase();
    match capitals.split_once('-') {
        Some(("T", number)) if is_number(number) => {
            readings.push(Reading::TransferNumber(capitals.clone()));
        }
        Some(("H", number)) if is_number(number) => {
            readings.push(Reading::HoldNumber(capitals.clone()));
        }
        _ if is_number(&capitals) => readings.push(Reading::OrderNumber(capitals.clone())),
        _ => {}
    }
    if is_id(text) {
        readings.push(Reading::OrderId(text.to_owned()));
    }
    if text.len() <= MAX_SKU_BYTES && !text.contains(char::is_control) {
        readings.push(Reading::Sku(text.to_owned()));
    }
    readings.extend(pass::normalise_code(text).map(Reading::PassCode));
    readings
}

/// The text behind the identifier of the symbology (ISO/IEC 15424, such as `]C1`), where a
/// scanner is set to send it, and behind a leading FNC1.
fn without_symbology(text: &str) -> &str {
    let code = text.strip_prefix(']').and_then(|rest| rest.get(2..));
    code.unwrap_or(text).trim_start_matches(GROUP_SEPARATOR)
}

/// `AISLE:CART:ID` and its kin.
fn named(text: &str) -> Option<Reading> {
    let mut parts = text.split(':');
    let scheme = parts.next()?.eq_ignore_ascii_case("aisle");
    let (kind, name) = (parts.next()?.to_ascii_lowercase(), parts.next()?);
    if !scheme || parts.next().is_some() {
        return None;
    }
    by_id(&kind, &name.to_ascii_lowercase())
}

fn by_id(kind: &str, id: &str) -> Option<Reading> {
    let id = is_id(id).then(|| id.to_owned())?;
    match kind {
        "cart" | "carts" => Some(Reading::CartId(id)),
        "checkout" | "checkout-sessions" => Some(Reading::CheckoutId(id)),
        "order" | "orders" => Some(Reading::OrderId(id)),
        _ => None,
    }
}

/// An address of ours, or a GS1 Digital Link URI, whose domain does not matter.
fn link(text: &str) -> Option<Reading> {
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let path = rest.split(['?', '#']).next()?;
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let pairs = || {
        segments
            .windows(2)
            .filter_map(|pair| Some((*pair.first()?, *pair.last()?)))
    };
    gs1::digital_link(&segments).or_else(|| pairs().find_map(|(kind, id)| by_id(kind, id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn readings(text: &str) -> Vec<Reading> {
        super::readings(text, &Rules::default())
    }

    const ID: &str = "019a0a0a-0a0a-7a0a-8a0a-0a0a0a0a0a0a";

    fn item(gtin: &str, serial: Option<&str>) -> Reading {
        Reading::Item {
            gtin: Gtin::parse(gtin).unwrap(),
            serial: serial.map(Into::into),
        }
    }

    #[test]
    fn an_article_is_read_however_its_number_is_written() {
        let ean = || item("4006381333931", None);
        let serial = || item("4006381333931", Some("A1"));
        for (text, expected) in [
            ("4006381333931", ean()),
            (" 4006381333931\r\n", ean()),
            ("]E04006381333931", ean()),
            ("04006381333931", ean()),
            ("036000291452", item("036000291452", None)),
            ("96385074", item("96385074", None)),
            ("https://id.gs1.org/01/04006381333931", ean()),
            (
                "https://shop.example/p/01/04006381333931/21/A1?11=250101",
                serial(),
            ),
            ("(01)04006381333931(17)270101(21)A1", serial()),
            ("]C10104006381333931", ean()),
            ("4 006381 333931", ean()),
            ("４００６３８１３３３９３１", ean()),
            ("]E0400638133393112", ean()),
            ("\u{1d}0104006381333931172701011099\u{1d}21A1", serial()),
        ] {
            assert_eq!(readings(text).first(), Some(&expected), "{text:?}");
        }
    }

    #[test]
    fn documents_are_told_apart() {
        let token = format!("ap1{}", "a".repeat(218));
        for (text, expected) in [
            (token.as_str(), Reading::Pass(token.clone())),
            ("7q4zk-m0tcx", Reading::OrderNumber("7Q4ZK-M0TCX".into())),
            (
                "T-7Q4ZK-M0TCX",
                Reading::TransferNumber("T-7Q4ZK-M0TCX".into()),
            ),
            ("h-7Q4ZK-M0TCX", Reading::HoldNumber("H-7Q4ZK-M0TCX".into())),
            (
                &format!("AISLE:CART:{}", ID.to_uppercase()),
                Reading::CartId(ID.into()),
            ),
            (
                &format!("https://north.example/carts/{ID}"),
                Reading::CartId(ID.into()),
            ),
            (
                &format!("http://x/checkout-sessions/{ID}"),
                Reading::CheckoutId(ID.into()),
            ),
            (
                &format!("https://x/orders/{ID}#top"),
                Reading::OrderId(ID.into()),
            ),
            (ID, Reading::OrderId(ID.into())),
            (
                "aisle:c:0123456abz",
                Reading::CustomerCode("0123456ABZ".into()),
            ),
            ("NF-COAT-M", Reading::Sku("NF-COAT-M".into())),
        ] {
            assert_eq!(readings(text).first(), Some(&expected), "{text}");
        }
        let six = readings("a7k-9q2");
        assert_eq!(six.last(), Some(&Reading::PassCode("A7K9Q2".into())));
        assert_eq!(six.len(), 2);
    }

    #[test]
    fn what_means_nothing_is_not_guessed_at() {
        for text in ["", "  ", "\u{1d}", &"x".repeat(MAX_TEXT_BYTES + 1)] {
            assert_eq!(readings(text), [], "{text}");
        }
        for text in ["AISLE:C:", "AISLE:C:a b", "AISLE:C:0123", "other:c:abc"] {
            assert_eq!(readings(text), [Reading::Sku(text.into())], "{text}");
        }
        // A wrong check digit makes no article; somebody may have a SKU like that.
        assert_eq!(
            readings("4006381333932"),
            [Reading::Sku("4006381333932".into())]
        );
        assert_eq!(readings("https://x/01/04006381333932").len(), 1);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\(01\\)|01|\\]C1|https://x/01/|aisle:)?[ -~\u{1d}é]{0,40}") {
            let _ = readings(&text);
        }
    }
}
