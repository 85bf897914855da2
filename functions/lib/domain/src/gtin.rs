//! Global Trade Item Numbers (GS1 General Specifications, section 7.9).

use std::fmt;

/// A GTIN-8, -12, -13 or -14 with a correct check digit, kept as 14 digits so that
/// the same number compares equal however many leading zeros it was written with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtin(String);

/// Why a text is no GTIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GtinError {
    /// Not 8, 12, 13 or 14 ASCII digits.
    Form,
    /// The right form, but the last digit should have been `expected`.
    CheckDigit { expected: u8 },
    /// A number that people type where one is asked for, such as `0000000000000`.
    Placeholder,
}

impl fmt::Display for GtinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => write!(f, "a GTIN has 8, 12, 13 or 14 digits"),
            Self::CheckDigit { expected } => write!(f, "wrong check digit, {expected} expected"),
            Self::Placeholder => write!(f, "a placeholder, no article's number"),
        }
    }
}

impl std::error::Error for GtinError {}

impl Gtin {
    /// Reads a GTIN as it stands on a label or in a file, digits only.
    pub fn parse(text: &str) -> Result<Self, GtinError> {
        if !Self::has_form(text) {
            return Err(GtinError::Form);
        }
        let (body, last) = text.as_bytes().split_at(text.len() - 1);
        let expected = check_digit(body);
        if last != [b'0' + expected] {
            return Err(GtinError::CheckDigit { expected });
        }
        if is_placeholder(body) {
            return Err(GtinError::Placeholder);
        }
        Ok(Self(format!("{text:0>14}")))
    }

    /// The GTIN of these digits and the check digit that they lack; `None` unless they are
    /// 7, 11, 12 or 13 ASCII digits.
    pub fn complete(digits: &str) -> Option<Self> {
        let whole = format!("{digits}{}", check_digit(digits.as_bytes()));
        Self::parse(&whole).ok()
    }

    /// Whether `text` looks like a GTIN, check digit aside.
    pub fn has_form(text: &str) -> bool {
        matches!(text.len(), 8 | 12 | 13 | 14) && text.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// All 14 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The symbology's usual name and the digits as printed: `EAN` (8 or 13), `UPC` (12) or `GTIN` (14).
    pub fn barcode(&self) -> (&'static str, &str) {
        let significant = self.0.trim_start_matches('0').len();
        let (kind, length) = match significant {
            0..=8 => ("EAN", 8),
            9..=12 => ("UPC", 12),
            13 => ("EAN", 13),
            _ => ("GTIN", 14),
        };
        (kind, self.0.get(self.0.len() - length..).unwrap_or(&self.0))
    }
}

/// Whether the digits, but for leading zeros, are all the same or count up: `1111111`, `01234567`.
fn is_placeholder(body: &[u8]) -> bool {
    let zeros = body.iter().take_while(|digit| **digit == b'0').count();
    let significant = body.get(zeros..).unwrap_or_default();
    // Fewer digits than an EAN-8 has can happen to look so.
    let steps = |step: u8| {
        significant
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if (a - b'0' + step) % 10 == b - b'0'))
    };
    significant.is_empty() || significant.len() >= 7 && (steps(0) || steps(1))
}

/// The digit that makes the weighted sum (3, 1, 3, … from the right) a multiple of ten.
fn check_digit(body: &[u8]) -> u8 {
    let sum: u32 = body
        .iter()
        .rev()
        .zip([3, 1].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit.saturating_sub(b'0')) * weight)
        .sum();
    ((10 - sum % 10) % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn examples_of_every_length() {
        for (text, kind) in [
            ("96385074", "EAN"),
            ("036000291452", "UPC"),
            ("4006381333931", "EAN"),
            ("10614141000415", "GTIN"),
        ] {
            let gtin = Gtin::parse(text).expect(text);
            assert_eq!(gtin.as_str().len(), 14);
            assert_eq!(gtin.barcode(), (kind, text));
        }
    }

    #[test]
    fn a_missing_check_digit_is_added() {
        assert_eq!(
            Gtin::complete("400638133393"),
            Gtin::parse("4006381333931").ok()
        );
        for digits in ["", "1234", "40063813339a", "４００６３８１３３３９３"] {
            assert_eq!(Gtin::complete(digits), None, "{digits}");
        }
    }

    #[test]
    fn leading_zeros_do_not_make_another_number() {
        assert_eq!(Gtin::parse("0036000291452"), Gtin::parse("036000291452"));
    }

    #[test]
    fn what_is_no_gtin_says_why() {
        for text in [
            "",
            "123",
            "400638133393a",
            " 4006381333931",
            "４００６３８１３",
            "123456789012345",
        ] {
            assert_eq!(Gtin::parse(text), Err(GtinError::Form), "{text}");
        }
        assert_eq!(
            Gtin::parse("4006381333932"),
            Err(GtinError::CheckDigit { expected: 1 })
        );
    }

    #[test]
    fn placeholders_are_no_gtin() {
        for text in [
            "00000000",
            "0000000000000",
            "1111111111116",
            "12345670",
            "1234567890128",
            "0123456789012",
            "012345678905",
        ] {
            assert_eq!(Gtin::parse(text), Err(GtinError::Placeholder), "{text}");
        }
        assert!(Gtin::parse("00000017").is_ok());
    }

    fn body() -> impl Strategy<Value = String> {
        prop_oneof!["[0-9]{7}", "[0-9]{11}", "[0-9]{12}", "[0-9]{13}"]
    }

    proptest! {
        #[test]
        fn exactly_one_check_digit_is_right(body in body()) {
            prop_assume!(!is_placeholder(body.as_bytes()));
            let valid: Vec<_> = (0..10).filter_map(|digit| Gtin::parse(&format!("{body}{digit}")).ok()).collect();
            prop_assert_eq!(valid.len(), 1);
        }

        #[test]
        fn a_mistyped_digit_is_noticed(body in body(), at in 0usize..7, by in 1u8..10) {
            let gtin = format!("{body}{}", check_digit(body.as_bytes()));
            let mut typed = gtin.into_bytes();
            typed[at] = b'0' + (typed[at] - b'0' + by) % 10;
            let typed = String::from_utf8(typed).unwrap();
            let wrong = matches!(Gtin::parse(&typed), Err(GtinError::CheckDigit { .. }));
            prop_assert!(wrong);
        }

        #[test]
        fn the_printed_form_names_the_same_item(body in body()) {
            prop_assume!(!is_placeholder(body.as_bytes()));
            let gtin = Gtin::parse(&format!("{body}{}", check_digit(body.as_bytes()))).unwrap();
            prop_assert_eq!(Gtin::parse(gtin.barcode().1), Ok(gtin.clone()));
        }

        #[test]
        fn no_text_panics(text in ".{0,20}") {
            let _ = Gtin::parse(&text);
        }
    }
}
