//! Request bodies as JSON: refused with the place where they are wrong.

mod node;

use serde::de::DeserializeOwned;

use crate::Error;

/// Objects and arrays inside each other, at most.
const MAX_DEPTH: u32 = 32;

/// Parses a body; a refusal names the member that is wrong (RFC 9535 JSONPath).
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    guard(body)?;
    let value = serde_json::from_slice(body)
        .map_err(|error| Error::bad_request("malformed_json", "$", &error.to_string()))?;
    node::read(value)
        .map_err(|(path, error)| Error::bad_request("invalid_value", &path, &error.to_string()))
}

/// Refuses what would be parsed but must not be stored or recursed into: deep nesting,
/// and NUL characters, which PostgreSQL's text cannot hold.
fn guard(body: &[u8]) -> Result<(), Error> {
    let mut depth = 0_u32;
    let mut in_string = false;
    let mut bytes = body.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                if body.get(at + 1..at + 6) == Some(b"u0000".as_slice()) {
                    return Err(Error::bad_request(
                        "invalid_value",
                        "$",
                        "text must not contain the character U+0000",
                    ));
                }
                bytes.next();
            }
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    let detail =
                        format!("objects and arrays are nested more than {MAX_DEPTH} deep");
                    return Err(Error::bad_request("nested_too_deep", "$", &detail));
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Cart {
        line_items: Vec<Line>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Line {
        quantity: i64,
    }

    fn refusal(body: &str) -> (String, String) {
        let error = parse::<Cart>(body.as_bytes()).unwrap_err();
        assert_eq!(error.status(), 400);
        (
            error.code().to_owned(),
            error.path().unwrap_or_default().to_owned(),
        )
    }

    fn refused(code: &str, path: &str) -> (String, String) {
        (code.into(), path.into())
    }

    #[test]
    fn a_refusal_names_the_place() {
        assert_eq!(
            refusal(r#"{"line_items":[{"quantity":"2"}]}"#),
            refused("invalid_value", "$.line_items[0].quantity")
        );
        assert_eq!(
            refusal(r#"{"line_items":[],"more":1}"#),
            refused("invalid_value", "$.more")
        );
        assert_eq!(refusal("{}"), refused("invalid_value", "$"));
        assert_eq!(
            refusal(r#"{"line_items":[{}]}"#),
            refused("invalid_value", "$.line_items[0]")
        );
        assert_eq!(
            refusal(r#"{"line_items":[[2]]}"#),
            refused("invalid_value", "$.line_items[0]")
        );
        assert_eq!(refusal("[[]]"), refused("invalid_value", "$"));
        assert_eq!(
            refusal(r#"{"it's more":1}"#),
            refused("invalid_value", r"$['it\'s more']")
        );
        assert_eq!(refusal(r#"{"line_items":["#).0, "malformed_json");
        assert_eq!(refusal(r#"{"line_items":[]} {}"#).0, "malformed_json");
        assert_eq!(refusal("").0, "malformed_json");
    }

    #[test]
    fn a_good_body_is_parsed() {
        let cart: Cart =
            parse(br#"{"line_items":[{"quantity":2,"note":"\\u0000 [[[{{{"}]}"#).unwrap();
        assert_eq!(cart.line_items[0].quantity, 2);
    }

    #[test]
    fn a_number_without_a_fraction_is_an_integer() {
        let quantity = |number: &str| {
            let body = format!(r#"{{"line_items":[{{"quantity":{number}}}]}}"#);
            parse::<Cart>(body.as_bytes()).map(|cart| cart.line_items[0].quantity)
        };
        for (number, integer) in [("1.0", 1), ("-2.000", -2), ("1e2", 100), ("10.0E-1", 1)] {
            assert_eq!(quantity(number).ok(), Some(integer), "{number}");
        }
        for number in ["1.5", "1e-1", "1e300", "9.3e18"] {
            assert!(quantity(number).is_err(), "{number}");
        }
    }

    #[test]
    fn nesting_and_nul_are_bounded() {
        assert_eq!(refusal(&"[".repeat(10_000)).0, "nested_too_deep");
        assert_eq!(refusal(r#"{"line_items":"a\u0000"}"#).0, "invalid_value");
        assert_eq!(refusal("\"\\").0, "malformed_json");
    }
}
