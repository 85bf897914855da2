//! Who calls, and in which version of the protocol: the `UCP-Agent` header.
//!
//! UCP binds the platform to send it with every request; a business is told what to
//! answer when the profile or the version is wrong, not when the header is missing. So
//! a request without one is served: a person with `curl` is a client as well. Profiles
//! are not fetched, so a platform states its version in the header or the body, if at all.

use aisle_ucp::UCP_VERSION;
use aisle_ucp::envelope::Severity;

use crate::Error;

/// Checks the header when there is one: a Dictionary Structured Field (RFC 8941, section
/// 3.2) with the member `profile`, a string with an absolute URL.
pub(crate) fn check(header: &str) -> Result<(), Error> {
    let members = dictionary(header)
        .ok_or_else(|| invalid("the header is not a Dictionary Structured Field"))?;
    let member = |name: &str| {
        members
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    };
    match member("profile") {
        Some(Item::Text(url)) if is_url(url) => {}
        Some(_) => return Err(invalid("its member profile is not an absolute URL")),
        None => return Err(invalid("its member profile is missing")),
    }
    // Platforms write the version as a member of its own or as the profile's parameter.
    match member("version").or_else(|| member("profile;version")) {
        Some(Item::Text(version)) => check_version(version, "UCP-Agent"),
        _ => Ok(()),
    }
}

/// Refuses every version of the protocol but ours, as `version_unsupported`.
pub(crate) fn check_version(version: &str, path: &str) -> Result<(), Error> {
    if version == UCP_VERSION {
        return Ok(());
    }
    let detail = format!(
        "Version {version} is not supported. This business implements version {UCP_VERSION}."
    );
    Err(Error::unprocessable("version_unsupported", path, &detail)
        .severity(Severity::Unrecoverable)
        .with("supported_versions", vec![UCP_VERSION]))
}

fn invalid(detail: &str) -> Error {
    Error::bad_request("invalid_profile_url", "UCP-Agent", detail).severity(Severity::Unrecoverable)
}

fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some()
        && text
            .parse::<http::Uri>()
            .is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()))
}

/// A member's value as far as we read it.
#[derive(Debug, PartialEq, Eq)]
enum Item {
    Text(String),
    Other,
}

/// The members in their order, each followed by its parameters as `member;parameter`;
/// `None` when the syntax is wrong.
fn dictionary(text: &str) -> Option<Vec<(String, Item)>> {
    let mut rest = text.trim_matches(' ');
    let mut members = Vec::new();
    while !rest.is_empty() {
        let (name, after) = key(rest)?;
        let (value, mut after) = value(after)?;
        members.push((name.to_owned(), value));
        while let Some(parameter) = after.strip_prefix(';') {
            let (of_name, parameter) = key(parameter.trim_start_matches(' '))?;
            let (value, next) = self::value(parameter)?;
            members.push((format!("{name};{of_name}"), value));
            after = next;
        }
        rest = after.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            break;
        }
        rest = rest.strip_prefix(',')?.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            // A comma at the end announces a member that does not come.
            return None;
        }
    }
    Some(members)
}

fn key(text: &str) -> Option<(&str, &str)> {
    text.starts_with(|c: char| c.is_ascii_lowercase() || c == '*')
        .then_some(())?;
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.*".contains(c);
    Some(split(text, inside))
}

/// What follows a key: `=` and an item, or nothing, which means true.
fn value(text: &str) -> Option<(Item, &str)> {
    text.strip_prefix('=')
        .map_or(Some((Item::Other, text)), item)
}

/// A string, or anything that is one run of token characters (tokens, numbers, booleans).
fn item(text: &str) -> Option<(Item, &str)> {
    if let Some(inner) = text.strip_prefix('"') {
        return string(inner);
    }
    let inside = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/?=".contains(c);
    let (token, rest) = split(text, inside);
    (!token.is_empty()).then_some((Item::Other, rest))
}

fn string(inner: &str) -> Option<(Item, &str)> {
    let mut value = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((Item::Text(value), inner.get(at + 1..)?)),
            '\\' => match characters.next()? {
                (_, escaped @ ('"' | '\\')) => value.push(escaped),
                _ => return None,
            },
            ' '..='~' => value.push(character),
            _ => return None,
        }
    }
    None
}

fn split(text: &str, inside: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !inside(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(header: &str) -> (u16, String) {
        check(header).map_or_else(
            |error| (error.status(), error.code().to_owned()),
            |()| (200, String::new()),
        )
    }

    #[test]
    fn a_platform_with_a_profile_is_served() {
        for header in [
            r#"profile="https://agent.example/p.json""#,
            r#"profile="https://agent.example/p.json";v=1, other, n=2;a;b="x""#,
            r#"version="2026-08-25", profile="http://127.0.0.1:9000/p.json""#,
        ] {
            assert_eq!(answer(header), (200, String::new()), "{header}");
        }
    }

    #[test]
    fn a_version_that_we_do_not_speak_is_named() {
        for separator in [", ", ";", "; "] {
            let header =
                format!(r#"profile="https://agent.example"{separator}version="2019-01-01""#);
            assert_eq!(
                answer(&header),
                (422, "version_unsupported".into()),
                "{header}"
            );
        }
    }

    #[test]
    fn a_malformed_header_is_refused() {
        for header in [
            "",
            "agent/1.0",
            "profile=https",
            r#"profile="https://agent.example"#,
            r#"profile="ftp://agent.example""#,
            r#"profile="https://""#,
            r#"profile="https://a.example","#,
            r#"profile="https://a.example" version="1""#,
            r#"Profile="https://a.example""#,
            "profile=\"https://a.example/\u{e9}\"",
            r#"profile="\x""#,
        ] {
            assert_eq!(
                answer(header),
                (400, "invalid_profile_url".into()),
                "{header}"
            );
        }
    }
}
