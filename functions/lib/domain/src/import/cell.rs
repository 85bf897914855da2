//! What a cell of a file can mean: numbers, money, flags, codes, addresses of images.

use url::Url;

use crate::gtin::{Gtin, GtinError};
use crate::money::Currency;

/// The longest short text (titles, names, codes), in characters.
pub const MAX_TEXT_CHARS: usize = 255;
const MAX_URL_BYTES: usize = 2_048;
/// The highest price, in minor units: a thousand full carts of it still fit 64 bits.
const MAX_PRICE_MINOR: i64 = 1_000_000_000_000;

/// A price in decimal notation as integer minor units of a currency with `exponent`
/// decimals (ISO 4217). Digits that the currency does not have must be zeros.
pub fn price_minor(text: &str, exponent: u32) -> Result<i64, String> {
    if text.starts_with('-') {
        return Err("a price cannot be negative".into());
    }
    match scaled(text, exponent) {
        Some((minor, true)) if minor <= MAX_PRICE_MINOR => Ok(minor),
        Some((_, true)) => Err("too high a price".into()),
        Some((_, false)) => Err(format!("the currency has {exponent} decimals, not more")),
        None => Err("not a price such as 19.95".into()),
    }
}

/// A price that may name its currency before or after the number, such as `19.95 EUR`: it
/// must be `currency`.
pub fn money_minor(text: &str, currency: Currency) -> Result<i64, String> {
    let is_code =
        |word: &str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let (number, code) = match text.split_once(char::is_whitespace) {
        Some((number, code)) if is_code(code.trim()) => (number, code.trim()),
        Some((code, number)) if is_code(code) => (number.trim(), code),
        _ => (text, currency.code()),
    };
    if code != currency.code() {
        return Err(format!("in {code}, but the brand sells in {currency}"));
    }
    price_minor(number, u32::from(currency.exponent()))
}

/// Degrees in decimal notation as ten-millionths of a degree; further digits are cut off.
pub fn degrees_e7(text: &str) -> Result<i64, String> {
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or((1, text), |digits| (-1, digits));
    scaled(digits, 7)
        .map(|(value, _)| sign * value)
        .ok_or_else(|| "not a number of degrees such as 52.5163".into())
}

/// Grams; a fraction is cut off, zero means unknown.
pub fn weight_g(text: &str) -> Result<Option<i64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let (grams, _) = scaled(text, 0).ok_or("not a weight in grams")?;
    Ok((grams > 0).then_some(grams))
}

/// How many grams a unit of mass has, by its usual short name.
pub fn grams_of(unit: &str) -> Option<f64> {
    match unit.trim().to_ascii_lowercase().as_str() {
        "g" => Some(1.0),
        "kg" => Some(1_000.0),
        "lb" | "lbs" => Some(453.592_37),
        "oz" => Some(28.349_523_125),
        _ => None,
    }
}

/// A number of units of `unit_g` grams each as grams; a fraction is cut off, `None`: unknown.
pub fn weight_in(text: &str, unit_g: f64) -> Option<i64> {
    // A weight is measured, not counted: floating point loses nothing that matters.
    let thousandths = scaled(text, 3).map(|(thousandths, _)| thousandths as f64)?;
    let grams = (thousandths * unit_g / 1_000.0) as i64;
    (grams > 0).then_some(grams)
}

/// A whole number from 0 to `most`.
pub fn count(text: &str, most: i64) -> Result<i64, String> {
    let number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse::<i64>().ok())
        .flatten();
    number
        .filter(|number| *number <= most)
        .ok_or_else(|| format!("not a whole number from 0 to {most}"))
}

/// Yes or no; `default` when the cell is empty.
pub fn flag(text: &str, default: bool) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "" => Ok(default),
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err("neither true nor false".into()),
    }
}

/// A short text, possibly empty.
pub fn text(text: &str) -> Result<String, String> {
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(format!("longer than {MAX_TEXT_CHARS} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("contains a control character or a line break".into());
    }
    Ok(text.into())
}

/// A short text that must be there.
pub fn required(cell: &str) -> Result<String, String> {
    if cell.is_empty() {
        return Err("missing".into());
    }
    text(cell)
}

/// A SKU or barcode. Spreadsheets and Shopify put an apostrophe before a number to keep its zeros.
pub fn code(cell: &str) -> Result<String, String> {
    text(cell.strip_prefix('\'').unwrap_or(cell).trim())
}

/// A barcode as 14 digits, however its digits are grouped; `Err` tells why it is left out:
/// what is no GTIN is the retailer's own code, a slip, or a placeholder.
pub fn gtin(cell: &str) -> Result<Option<String>, String> {
    let code = code(cell)?;
    let digits: String = code.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if digits.is_empty() {
        return Ok(None);
    }
    match Gtin::parse(&digits) {
        Ok(gtin) => Ok(Some(gtin.as_str().into())),
        Err(error @ GtinError::Form) => Err(format!("left out: {error}")),
        Err(error) => Err(format!("{code} left out: {error}")),
    }
}

/// The absolute http or https address of an image, in its normal form (WHATWG URL Standard).
pub fn image_url(text: &str) -> Result<String, String> {
    let wrong = || "not an http or https address".to_owned();
    // None of these stands in an address; what has them was not written as one.
    let suspicious = |c: char| c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | '\\' | '`');
    if text.contains(suspicious) || !text.contains("://") {
        return Err(wrong());
    }
    let url = Url::parse(text).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.as_str().len() > MAX_URL_BYTES {
        return Err(wrong());
    }
    Ok(url.into())
}

/// What `separator` separates, without outer spaces and empty parts. A backslash before a
/// separator makes it part of the text.
pub fn list(cell: &str, separator: char) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let mut characters = cell.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\\' && characters.peek() == Some(&separator) {
            part.extend(characters.next());
        } else if character == separator {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(character);
        }
    }
    parts.push(part);
    let trimmed = parts.iter().map(|part| part.trim().to_owned());
    trimmed.filter(|part| !part.is_empty()).collect()
}

/// `text`, a decimal number without sign, times ten to the power of `digits`, and whether
/// that lost nothing. No floating point: 19.99 must not become 1998.
fn scaled(text: &str, digits: u32) -> Option<(i64, bool)> {
    let (whole, fraction) = split_decimal(text, digits);
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !all_digits(&whole) || !all_digits(fraction) {
        return None;
    }
    let kept = fraction.len().min(digits as usize);
    let (kept, lost) = fraction.split_at(kept);
    let missing = digits.checked_sub(u32::try_from(kept.len()).ok()?)?;
    let number: i64 = format!("0{whole}{kept}").parse().ok()?;
    Some((
        number.checked_mul(10_i64.checked_pow(missing)?)?,
        lost.bytes().all(|byte| byte == b'0'),
    ))
}

/// A number before and behind its decimal point, which is a comma in half of the world.
/// Thousands may be grouped where nothing else can be meant: `1,299.00`, `1.299,00`. A lone
/// comma before three digits could be either, so it stays, and what has it is no number,
/// unless so many decimals are usual that it is none that groups (`digits`).
fn split_decimal(text: &str, digits: u32) -> (std::borrow::Cow<'_, str>, &str) {
    let (whole, fraction) = match (text.rfind('.'), text.rfind(',')) {
        (Some(point), comma) if comma.is_none_or(|comma| comma < point) => {
            (text.get(..point), text.get(point + 1..))
        }
        (None, Some(comma)) if text.len() - comma - 1 == 3 && digits < 3 => (Some(text), Some("")),
        (_, Some(comma)) => (text.get(..comma), text.get(comma + 1..)),
        _ => (Some(text), Some("")),
    };
    let (whole, fraction) = (whole.unwrap_or(text), fraction.unwrap_or_default());
    let grouping = if text
        .get(whole.len()..)
        .is_some_and(|rest| rest.starts_with('.'))
    {
        ','
    } else {
        '.'
    };
    let mut groups = whole.split(grouping);
    let first = groups.next().unwrap_or_default();
    let is_grouped = whole.len() < text.len()
        && (1..=3).contains(&first.len())
        && groups.all(|group| group.len() == 3);
    match is_grouped {
        true => (whole.replace(grouping, "").into(), fraction),
        false => (whole.into(), fraction),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prices_become_minor_units() {
        for (text, exponent, minor) in [
            ("19.99", 2, 1999),
            ("50", 2, 5000),
            ("50.", 2, 5000),
            (".5", 2, 50),
            ("1.50", 1, 15),
            ("1200", 0, 1200),
            ("1.250", 3, 1250),
            ("0019.90", 2, 1990),
            ("1,50", 2, 150),
            ("1,5", 2, 150),
            ("1,299.00", 2, 129_900),
            ("1.299,00", 2, 129_900),
            ("1,234,567.5", 2, 123_456_750),
        ] {
            assert_eq!(price_minor(text, exponent), Ok(minor), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "",
            "-1",
            ".",
            "1,505",
            "1,299",
            "12,34.00",
            "1.2,3.4",
            ",",
            "1.505",
            "EUR 1",
            "1e3",
            "1.2.3",
            "99999999999999999999",
            "10000000001",
            "١",
        ] {
            assert!(price_minor(text, 2).is_err(), "{text}");
        }
    }

    #[test]
    fn degrees_weights_counts_and_flags() {
        assert_eq!(degrees_e7("-73.98565432"), Ok(-739_856_543));
        assert_eq!(degrees_e7("52"), Ok(520_000_000));
        assert_eq!(degrees_e7("52,5163"), Ok(525_163_000));
        assert!(degrees_e7("52°5").is_err() && degrees_e7("--1").is_err());
        assert_eq!(
            (weight_g("453.59"), weight_g("0.0"), weight_g("")),
            (Ok(Some(453)), Ok(None), Ok(None))
        );
        assert_eq!(count("12", 20), Ok(12));
        for text in ["", "-1", "+1", "1.5", "21", "99999999999999999999"] {
            assert!(count(text, 20).is_err(), "{text}");
        }
        assert_eq!(
            (flag("TRUE", false), flag("", true), flag("no", true)),
            (Ok(true), Ok(true), Ok(false))
        );
        assert!(flag("maybe", true).is_err());
    }

    #[test]
    fn image_addresses_carry_no_script() {
        for (text, address) in [
            (
                "https://images.example/a_925x.jpg?v=1",
                "https://images.example/a_925x.jpg?v=1",
            ),
            ("HTTPS://CDN.example/A.jpg", "https://cdn.example/A.jpg"),
            (
                "http://images.example/two words.jpg",
                "http://images.example/two%20words.jpg",
            ),
        ] {
            assert_eq!(image_url(text).as_deref(), Ok(address));
        }
        for text in [
            "javascript:alert(1)",
            "https://",
            "https:images.example/a",
            "ftp://images.example/a",
            "//images.example/a",
            "https://a.example/\" onload=\"x",
            "data:image/png;base64,AA",
        ] {
            assert!(image_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_price_may_name_the_currency_of_the_brand_only() {
        let euro = Currency::parse("EUR").expect("a currency");
        for text in ["19.95", "19.95 EUR", "EUR 19.95", "19,95 EUR"] {
            assert_eq!(money_minor(text, euro), Ok(1_995), "{text}");
        }
        let other = money_minor("19.95 USD", euro);
        assert_eq!(other, Err("in USD, but the brand sells in EUR".into()));
        assert!(money_minor("19.95 euros", euro).is_err());
    }

    #[test]
    fn a_barcode_is_a_gtin_or_left_out_with_a_reason() {
        assert_eq!(gtin("'4006381333931"), Ok(Some("04006381333931".into())));
        assert_eq!(gtin("978-3-16-148410-0"), Ok(Some("09783161484100".into())));
        assert_eq!(gtin(" "), Ok(None));
        for text in [
            "4006381333932",
            "20231105",
            "0000000000000",
            "SHELF-7",
            "1111111111116",
        ] {
            assert!(
                gtin(text).is_err_and(|reason| reason.contains("left out")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_list_may_have_its_separator_inside_a_part() {
        assert_eq!(
            list("Tops > Tees, Cups\\, mugs,, ", ','),
            ["Tops > Tees", "Cups, mugs"]
        );
        assert_eq!(list("", ','), [""; 0]);
    }

    proptest! {
        #[test]
        fn every_amount_survives_its_notation(minor in 0i64..MAX_PRICE_MINOR, exponent in 0u32..4) {
            let unit = 10_i64.pow(exponent);
            let text = if exponent == 0 { minor.to_string() } else {
                format!("{}.{:0width$}", minor / unit, minor % unit, width = exponent as usize)
            };
            prop_assert_eq!(price_minor(&text, exponent), Ok(minor));
        }

        #[test]
        fn no_text_panics(text in ".{0,30}") {
            let _ = (price_minor(&text, 2), degrees_e7(&text), weight_g(&text), count(&text, 9), code(&text), image_url(&text), gtin(&text), list(&text, ','));
        }
    }
}
