//! Numbers that a text can be sent to: read as people write them, kept as E.164.
//!
//! What numbers exist is Google's libphonenumber metadata, in the crate `rlibphonenumber`. Numbers
//! that cost their owner's caller extra, or that no text reaches, are refused: paid numbers
//! are how text messages are turned into money (toll fraud).

use rlibphonenumber::{
    PHONE_NUMBER_UTIL, ParseError, PhoneNumberFormat, PhoneNumberType, Region, ValidationError,
};

use crate::typed::plain;

use super::{ContactError, TEL};

/// Characters of a number as it is typed, at most: E.164's 15 digits and what people put between.
const MAX_CHARS: usize = 40;
/// Bytes of it before it is looked at: as many characters, none of more than four bytes, and
/// as many again that nobody sees.
const MAX_BYTES: usize = 8 * MAX_CHARS;

const NOT_MOBILE: ContactError = ContactError {
    code: "phone_not_mobile",
    detail: "no text can be sent to this number; give a mobile one",
};

/// A number that texts can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// ITU-T E.164, such as `+4915112345678`.
    pub e164: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub kind: PhoneKind,
}

/// How sure it is that the number is a mobile one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneKind {
    Mobile,
    /// Where a number does not tell whether it is mobile, as in North America.
    FixedLineOrMobile,
}

/// Reads a number, in national form as in `default_country` (ISO 3166-1 alpha-2). Refused:
/// what is no number, no number of its country, or none that a text should be sent to.
pub fn phone(text: &str, default_country: &str) -> Result<Phone, ContactError> {
    let malformed = ContactError::new("phone_malformed", "this is no phone number");
    if text.len() > MAX_BYTES {
        return Err(malformed);
    }
    let typed = plain(text).to_ascii_lowercase();
    let text = typed.strip_prefix(TEL).unwrap_or(&typed);
    let spoken = |c: char| c.is_ascii_digit() || " +-()./".contains(c);
    if text.is_empty() || text.chars().count() > MAX_CHARS || !text.chars().all(spoken) {
        return Err(malformed);
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits < 5 {
        return Err(too_short());
    }
    // A number that names its country must not lose a digit that is a prefix in another.
    let national = !text.starts_with('+');
    let default = national.then(|| Region::try_from(default_country).ok());
    let number = PHONE_NUMBER_UTIL
        .parse(text, default.flatten())
        .map_err(unreadable)?;
    if !number.is_valid() {
        return Err(why_invalid(number.is_possible_with_reason().err(), digits));
    }
    let kind = textable(number.get_type())?;
    // A number of no country, such as an international freephone one, is no mobile.
    let region = number.get_region_code().ok_or(NOT_MOBILE)?;
    Ok(Phone {
        kind,
        e164: number.format_as(PhoneNumberFormat::E164).into_owned(),
        country: region.to_string(),
    })
}

/// The country of a number in E.164 form, where it has one.
pub fn country_of(e164: &str) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(e164, None).ok()?;
    Some(number.get_region_code()?.to_string())
}

fn textable(kind: PhoneNumberType) -> Result<PhoneKind, ContactError> {
    let refused = |code, detail| Err(ContactError::new(code, detail));
    match kind {
        PhoneNumberType::Mobile => Ok(PhoneKind::Mobile),
        PhoneNumberType::FixedLineOrMobile => Ok(PhoneKind::FixedLineOrMobile),
        PhoneNumberType::PremiumRate => refused(
            "phone_premium_rate",
            "nothing is sent to premium-rate numbers",
        ),
        PhoneNumberType::SharedCost | PhoneNumberType::PersonalNumber => refused(
            "phone_extra_cost",
            "nothing is sent to numbers that cost extra",
        ),
        _ => Err(NOT_MOBILE),
    }
}

fn unreadable(error: ParseError) -> ContactError {
    match error {
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => too_short(),
        ParseError::TooLongNsn => too_long(),
        ParseError::InvalidCountryCode => ContactError::new(
            "phone_country_unknown",
            "no country has this calling code; write the number as +COUNTRY NUMBER",
        ),
        ParseError::NotANumber(_) => {
            ContactError::new("phone_malformed", "this is no phone number")
        }
    }
}

/// A number whose country is known and that is not one of its numbers.
fn why_invalid(length: Option<ValidationError>, digits: usize) -> ContactError {
    const LONGEST: usize = 15;
    match length {
        Some(ValidationError::TooShort) => too_short(),
        Some(ValidationError::TooLong) => too_long(),
        _ if digits > LONGEST => too_long(),
        _ => ContactError::new("phone_invalid", "there is no such number in its country"),
    }
}

fn too_short() -> ContactError {
    ContactError::new("phone_too_short", "the number is too short")
}

fn too_long() -> ContactError {
    ContactError::new("phone_too_long", "the number is too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        phone(text, "DE").map_or_else(|error| error.code, |_| "fine")
    }

    #[test]
    fn a_number_has_one_form_however_it_is_typed() {
        for text in [
            "+4915112345678",
            "+49 151 12345678",
            "0151/12345678",
            "(0151) 1234-5678",
            "0049 151 12345678",
            "+49 (0)151 12345678",
            " 0151\u{a0}12345678 ",
            "\u{202d}+49 151 12345678\u{202c}",
            "\u{feff}0151\u{200b}1234\u{ad}5678",
            "0151\u{2212}1234\u{2011}5678",
            "０１５１１２３４５６７８",
            "٠١٥١١٢٣٤٥٦٧٨",
            "+۴۹۱۵۱۱۲۳۴۵۶۷۸",
            "tel:+49-151-12345678",
            "TEL:015112345678",
        ] {
            let found = phone(text, "DE").unwrap();
            assert_eq!(found.e164, "+4915112345678", "{text}");
            assert_eq!(
                (found.country.as_str(), found.kind),
                ("DE", PhoneKind::Mobile)
            );
        }
    }

    #[test]
    fn the_country_is_the_numbers_own() {
        let country = |text: &str| phone(text, "DE").unwrap().country;
        assert_eq!(country("+12125550123"), "US");
        assert_eq!(country("+16135550123"), "CA");
        let abroad = phone("+4915112345678", "US").unwrap();
        assert_eq!(
            (abroad.e164.as_str(), abroad.country.as_str()),
            ("+4915112345678", "DE")
        );
        assert_eq!(country("+34612345678"), "ES");
        assert_eq!(country("+393401234567"), "IT");
        assert_eq!(phone("(212) 555-0123", "US").unwrap().e164, "+12125550123");
        assert_eq!(
            phone("+12125550123", "DE").unwrap().kind,
            PhoneKind::FixedLineOrMobile
        );
        assert_eq!(country_of("+34612345678").as_deref(), Some("ES"));
        assert_eq!(country_of("what?"), None);
    }

    #[test]
    fn numbers_that_cost_extra_are_refused() {
        assert_eq!(code("0900 1234567"), "phone_premium_rate");
        assert_eq!(code("+1 900 234 5678"), "phone_premium_rate");
        assert_eq!(code("+44 871 234 5678"), "phone_premium_rate");
        assert_eq!(code("+49 180 5123456"), "phone_extra_cost");
        assert_eq!(code("+44 70 1234 5678"), "phone_extra_cost");
    }

    #[test]
    fn what_no_text_reaches_is_refused() {
        assert_eq!(code("030 123456"), "phone_not_mobile");
        assert_eq!(code("+1 800 234 5678"), "phone_not_mobile");
        assert_eq!(code("+800 12345678"), "phone_not_mobile");
    }

    #[test]
    fn what_is_no_number_says_why() {
        assert_eq!(code(""), "phone_malformed");
        assert_eq!(code("ada@example.com"), "phone_malformed");
        assert_eq!(code("+49 151 12345678;ext=1"), "phone_malformed");
        assert_eq!(code("1-800-FLOWERS"), "phone_malformed");
        assert_eq!(code(&"1".repeat(41)), "phone_malformed");
        assert_eq!(code("0151"), "phone_too_short");
        assert_eq!(code("+1 212 55"), "phone_too_short");
        assert_eq!(code("+1 212 555 01234"), "phone_too_long");
        assert_eq!(code("+49 151 12345678901234"), "phone_too_long");
        assert_eq!(code("+999 12345678"), "phone_country_unknown");
        assert_eq!(code("+1 212 155 0123"), "phone_invalid");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_typed_is_a_trap(text in "[0-9+() ./-]{0,45}", country in "[A-Z]{0,3}") {
            if let Ok(found) = phone(&text, &country) {
                let again = phone(&found.e164, "").expect("a number reads its own form");
                proptest::prop_assert_eq!(again.e164, found.e164);
            }
        }
    }
}
