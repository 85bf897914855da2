//! Symbols that say which article they are on: GS1 element strings and Digital Link URIs, and
//! the numbers of articles as they are printed.

use percent_encoding::percent_decode_str;

use super::{GROUP_SEPARATOR, Reading};
use crate::gtin::Gtin;

/// Application identifiers whose values have a length that is given, by their first two digits,
/// with the length of both together: no separator follows them (GS1 General Specifications,
/// figure 7.8.5-2).
const PREDEFINED: [(&str, usize); 22] = [
    ("00", 20),
    ("01", 16),
    ("02", 16),
    ("03", 16),
    ("04", 18),
    ("11", 8),
    ("12", 8),
    ("13", 8),
    ("14", 8),
    ("15", 8),
    ("16", 8),
    ("17", 8),
    ("18", 8),
    ("19", 8),
    ("20", 4),
    ("31", 10),
    ("32", 10),
    ("33", 10),
    ("34", 10),
    ("35", 10),
    ("36", 10),
    ("41", 16),
];

/// Digits of an application identifier, by its first two (section 3.2).
fn identifier_digits(first_two: &str) -> Option<usize> {
    let number: u8 = first_two.parse().ok()?;
    match number {
        0..=4 | 10..=22 | 30 | 37 | 90..=99 => Some(2),
        23..=25 | 40..=42 => Some(3),
        31..=36 | 39 | 43 | 70..=72 | 80..=82 => Some(4),
        _ => None,
    }
}

/// An element string with an article in it, whatever else it says and in which order, since
/// none is prescribed (section 7.8): with brackets as it is printed, or as it is scanned.
pub fn element_string(text: &str) -> Option<Reading> {
    let elements = match text.starts_with('(') {
        true => bracketed(text)?,
        false => scanned(text)?,
    };
    let value_of = |wanted: &str| {
        let mut found = elements
            .iter()
            .filter(|(identifier, _)| *identifier == wanted);
        found.next().map(|(_, value)| *value)
    };
    Some(Reading::Item {
        gtin: Gtin::parse(value_of("01")?).ok()?,
        serial: value_of("21").map(Into::into),
    })
}

/// `(01)04006381333931(21)A1`. A value may hold brackets, but not around two to four digits.
fn bracketed(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut elements = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (identifier, after) = opening(rest)?;
        let end = (0..after.len())
            .filter(|at| after.is_char_boundary(*at))
            .find(|at| after.get(*at..).and_then(opening).is_some());
        let (value, left) = after.split_at(end.unwrap_or(after.len()));
        elements.push((identifier, value.trim()));
        rest = left;
    }
    Some(elements)
}

/// The identifier in brackets at the beginning, and what follows.
fn opening(text: &str) -> Option<(&str, &str)> {
    let (identifier, after) = text.strip_prefix('(')?.split_once(')')?;
    let digits = identifier.bytes().all(|byte| byte.is_ascii_digit());
    ((2..=4).contains(&identifier.len()) && digits).then_some((identifier, after))
}

fn scanned(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut elements = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let first_two = rest.get(..2)?;
        let given = PREDEFINED.iter().find(|(prefix, _)| *prefix == first_two);
        let end = match given {
            Some((_, length)) => *length,
            None => rest.find(GROUP_SEPARATOR).unwrap_or(rest.len()),
        };
        let (element, left) = rest.split_at_checked(end)?;
        let (identifier, value) = element.split_at_checked(identifier_digits(first_two)?)?;
        if value.is_empty() {
            return None;
        }
        elements.push((identifier, value));
        rest = left.trim_start_matches(GROUP_SEPARATOR);
    }
    Some(elements)
}

/// A GS1 Digital Link URI (GS1 Digital Link Standard: URI Syntax 1.5, section 4): the path's
/// pairs from the article's on; what stands before belongs to the site. `segments` as they
/// stand in the path.
pub fn digital_link(segments: &[&str]) -> Option<Reading> {
    let decoded: Vec<String> = segments
        .iter()
        .map(|segment| percent_decode_str(segment).decode_utf8().map(Into::into))
        .collect::<Result<_, _>>()
        .ok()?;
    let article = |pair: &[String]| match pair {
        [key, value] if key == "01" || key == "gtin" => Gtin::parse(value).ok(),
        _ => None,
    };
    let (at, gtin) = decoded
        .windows(2)
        .enumerate()
        .find_map(|(at, pair)| Some((at, article(pair)?)))?;
    let mut qualifiers = decoded.get(at + 2..)?.chunks_exact(2);
    let serial = qualifiers.find_map(|pair| match pair {
        [key, value] if key == "21" => Some(value.clone()),
        _ => None,
    });
    Some(Reading::Item { gtin, serial })
}

/// The article whose number is printed so: groups of digits with blanks or hyphens, an ISBN of
/// ten digits, or a number with the two or five digits of an add-on behind it (GS1 General
/// Specifications, section 5.2.2.5), which books and periodicals have.
pub fn printed(text: &str) -> Option<Gtin> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let grouped = digits.len() != text.len();
    let isbn = || isbn_10(&digits);
    let with_add_on = || {
        let number = match digits.len() {
            14 | 17 => 12,
            15 | 18 => 13,
            _ => return None,
        };
        Gtin::parse(digits.get(..number)?).ok()
    };
    let whole = grouped.then(|| Gtin::parse(&digits).ok()).flatten();
    whole.or_else(isbn).or_else(with_add_on)
}

/// An ISBN as it was until 2006, as the GTIN that it has become (ISO 2108, annex A).
fn isbn_10(text: &str) -> Option<Gtin> {
    let (body, check) = text.split_at_checked(9)?;
    let check = match check {
        "X" | "x" => 10,
        digit if digit.len() == 1 => digit.parse::<u32>().ok()?,
        _ => return None,
    };
    let digits: Option<Vec<u32>> = body.chars().map(|c| c.to_digit(10)).collect();
    let weighted = digits?
        .iter()
        .zip((2..=10).rev())
        .map(|(digit, weight)| digit * weight)
        .sum::<u32>();
    if (weighted + check) % 11 != 0 {
        return None;
    }
    Gtin::complete(&format!("978{body}"))
}

/// A UPC-E of eight digits as the UPC-A that it shortens (GS1 General Specifications,
/// section 5.2.2.4).
pub fn upc_e(text: &str) -> Option<Gtin> {
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

    fn item(gtin: &str, serial: Option<&str>) -> Option<Reading> {
        Some(Reading::Item {
            gtin: Gtin::parse(gtin).unwrap(),
            serial: serial.map(Into::into),
        })
    }

    #[test]
    fn elements_come_in_any_order() {
        for (text, gtin, serial) in [
            (
                "1021072911\u{1d}172405310100693570007182",
                "00693570007182",
                None,
            ),
            ("17270101010400638133393121A1", "04006381333931", Some("A1")),
            ("21A1\u{1d}0104006381333931", "04006381333931", Some("A1")),
            (
                "(10)LOT(7)(01)04006381333931(21)A1",
                "04006381333931",
                Some("A1"),
            ),
            (
                "(01) 04006381333931 (21) A(1)",
                "04006381333931",
                Some("A(1)"),
            ),
            (
                "0198456789014533310300003521SER1",
                "98456789014533",
                Some("SER1"),
            ),
            (
                "01040063813339313922995\u{1d}21A1",
                "04006381333931",
                Some("A1"),
            ),
            (
                "8008270101120000\u{1d}010400638133393121A1",
                "04006381333931",
                Some("A1"),
            ),
        ] {
            assert_eq!(element_string(text), item(gtin, serial), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_element_string_is_not_read_as_one() {
        for text in [
            "",
            "01",
            "0104006381333932",
            "10ABC",
            "9999",
            "01040063813339312",
            "(01)",
            "(x)1",
            "0104006381333931ZZ",
        ] {
            assert_eq!(element_string(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_link_is_read_from_its_article_on() {
        let link = |path: &str| digital_link(&path.split('/').skip(1).collect::<Vec<_>>());
        for (path, serial) in [
            ("/01/09520123456788/21/AB%2F12", Some("AB/12")),
            ("/01/09520123456788/10/21/21/X1", Some("X1")),
            ("/store/21/01/09520123456788", None),
            ("/a/b/c/01/09520123456788/22/2A/10/L/21/X1", Some("X1")),
            ("/01/09520123456788/21", None),
            ("/gtin/9520123456788", None),
        ] {
            assert_eq!(link(path), item("9520123456788", serial), "{path}");
        }
        assert_eq!(link("/01/09520123456789"), None);
        assert_eq!(link("/01/%ff"), None);
    }

    #[test]
    fn numbers_are_read_as_they_are_printed() {
        for (text, gtin) in [
            ("4 006381 333931", "4006381333931"),
            ("0 36000 29145 2", "036000291452"),
            ("978-3-16-148410-0", "9783161484100"),
            ("0-306-40615-2", "9780306406157"),
            ("080442957X", "9780804429573"),
            ("978316148410051299", "9783161484100"),
            ("9783161484100 51299", "9783161484100"),
            ("977147396801203", "9771473968012"),
            ("03600029145212", "036000291452"),
        ] {
            assert_eq!(printed(text), Gtin::parse(gtin).ok(), "{text}");
        }
        for text in [
            "",
            "4006381333932",
            "4 006381 333932",
            "0306406153",
            "hello",
            "12345678901234567890",
        ] {
            assert_eq!(printed(text), None, "{text}");
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

    proptest! {
        #[test]
        fn the_order_of_elements_does_not_matter(lot in "[A-Z0-9]{1,8}", serial in "[A-Z0-9]{1,8}", turn in 0usize..3) {
            let mut elements = [format!("10{lot}\u{1d}"), format!("21{serial}\u{1d}"), "0104006381333931".to_owned()];
            elements.rotate_left(turn);
            prop_assert_eq!(element_string(&elements.concat()), item("4006381333931", Some(&serial)));
        }

        #[test]
        fn no_text_panics(text in "(\\(01\\)|01|10|21|31)?[ -~\u{1d}é]{0,40}") {
            let _ = (element_string(&text), printed(&text), upc_e(&text));
            let _ = digital_link(&text.split('/').collect::<Vec<_>>());
        }
    }
}
