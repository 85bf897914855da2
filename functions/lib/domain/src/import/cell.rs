//! What a cell of a file can mean: numbers, money, flags, addresses of images.

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

/// The absolute http or https address of an image.
pub fn image_url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let unsafe_character = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | '\\' | '`')
    };
    match rest {
        Some(rest)
            if !rest.is_empty()
                && text.len() <= MAX_URL_BYTES
                && !text.contains(unsafe_character) =>
        {
            Ok(text.into())
        }
        _ => Err("not an http or https address".into()),
    }
}

/// `text`, a decimal number without sign, times ten to the power of `digits`, and whether
/// that lost nothing. No floating point: 19.99 must not become 1998.
fn scaled(text: &str, digits: u32) -> Option<(i64, bool)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
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
            "1,50",
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
        assert!(degrees_e7("52,5").is_err() && degrees_e7("--1").is_err());
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
        assert!(image_url("https://images.example/a_925x.jpg?v=1").is_ok());
        for text in [
            "javascript:alert(1)",
            "https://",
            "//images.example/a",
            "https://a.example/\" onload=\"x",
            "data:image/png;base64,AA",
        ] {
            assert!(image_url(text).is_err(), "{text}");
        }
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
            let _ = (price_minor(&text, 2), degrees_e7(&text), weight_g(&text), count(&text, 9), code(&text), image_url(&text));
        }
    }
}
