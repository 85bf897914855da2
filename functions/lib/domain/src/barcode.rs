//! What a scanner read, or somebody typed at a till: what the text can mean.

use crate::account;
use crate::gtin::Gtin;
use crate::id::is_id;
use crate::order::is_number;
use crate::pass;

/// The longest text that is looked at, in bytes: more than any symbol at a till carries.
pub const MAX_TEXT_BYTES: usize = 1_000;
/// The longest SKU, in bytes.
const MAX_SKU_BYTES: usize = 256;
/// Separates what is of variable length in a GS1 element string (FNC1 as it is transmitted).
const GROUP_SEPARATOR: char = '\u{1d}';

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
/// | anything | article, by SKU |
pub fn readings(text: &str) -> Vec<Reading> {
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
        .or_else(|| element_string(text))
    {
        return vec![reading];
    }
    let item = |gtin| Reading::Item { gtin, serial: None };
    let mut readings: Vec<Reading> = Gtin::parse(text).ok().map(item).into_iter().collect();
    readings.extend(upc_e(text).map(item));
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

/// An address of ours, or a GS1 Digital Link URI (GS1 Digital Link Standard 1.1, section 4),
/// whose domain does not matter.
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
    if let Some(gtin) = pairs().find_map(|(key, value)| gtin_under(key, value)) {
        let serial = pairs().find(|(key, _)| *key == "21");
        let serial = serial.map(|(_, serial)| serial.to_owned());
        return Some(Reading::Item { gtin, serial });
    }
    pairs().find_map(|(kind, id)| by_id(kind, id))
}

fn gtin_under(key: &str, value: &str) -> Option<Gtin> {
    (key == "01" || key == "gtin")
        .then(|| Gtin::parse(value).ok())
        .flatten()
}

/// A GS1 element string that begins with a GTIN (GS1 General Specifications, section 7.8),
/// with brackets as it is printed or without as it is scanned.
fn element_string(text: &str) -> Option<Reading> {
    if let Some(rest) = text.strip_prefix("(01)") {
        let (gtin, rest) = rest.split_at_checked(14)?;
        let serial = rest.split_once("(21)").map(|(_, serial)| serial);
        let serial = serial.and_then(|serial| serial.split('(').next());
        return Some(Reading::Item {
            gtin: Gtin::parse(gtin).ok()?,
            serial: serial.map(Into::into),
        });
    }
    let (gtin, mut rest) = text.strip_prefix("01")?.split_at_checked(14)?;
    let gtin = Gtin::parse(gtin).ok()?;
    let mut serial = None;
    while let Some((identifier, value)) = rest.split_at_checked(2) {
        let end = match identifier {
            // Dates have six digits.
            "11" | "12" | "13" | "15" | "16" | "17" => 6,
            "20" => 2,
            _ => value.find(GROUP_SEPARATOR).unwrap_or(value.len()),
        };
        let (value, left) = value.split_at_checked(end)?;
        if identifier == "21" {
            serial = Some(value.to_owned());
        }
        rest = left.trim_start_matches(GROUP_SEPARATOR);
    }
    Some(Reading::Item { gtin, serial })
}

/// A UPC-E of eight digits as the UPC-A that it shortens (GS1 General Specifications,
/// section 5.2.2.4).
fn upc_e(text: &str) -> Option<Gtin> {
    let digits = (text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.split_at(1))?;
    let (system, rest) = digits;
    let (body, check) = rest.split_at(6);
    if system != "0" && system != "1" {
        return None;
    }
    let (five, last) = body.split_at(5);
    let (first, second) = (five.get(..2)?, five.get(2..)?);
    let long = match last {
        "0" | "1" | "2" => format!("{system}{first}{last}0000{second}{check}"),
        "3" => format!("{system}{}00000{}{check}", five.get(..3)?, five.get(3..)?),
        "4" => format!("{system}{}00000{}{check}", five.get(..4)?, five.get(4..)?),
        _ => format!("{system}{five}0000{last}{check}"),
    };
    Gtin::parse(&long).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            ("\u{1d}0104006381333931172701011099\u{1d}21A1", serial()),
        ] {
            assert_eq!(readings(text).first(), Some(&expected), "{text:?}");
        }
    }

    #[test]
    fn a_short_upc_is_the_long_one() {
        for (short, long) in [
            ("01234505", "012000003455"),
            ("04252614", "042100005264"),
            ("01234531", "012300000451"),
            ("01234543", "012340000053"),
            ("01234565", "012345000065"),
        ] {
            assert_eq!(upc_e(short), Gtin::parse(long).ok(), "{short}");
            assert!(upc_e(short).is_some(), "{short}");
        }
        assert_eq!(upc_e("01234506"), None);
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
