//! `ETag`, `If-Match` and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1) over a row's
//! version.

use crate::{Call, Error, Reply};

/// Tags in one `If-Match`, at most.
const MAX_TAGS: usize = 20;

/// The strong validator of a version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// 412 when the caller names another version than this one, or any where there is none.
pub fn check(call: &Call, version: Option<i64>) -> Result<(), Error> {
    match call.header("if-match") {
        Some(tags) if !matches(tags, version) => Err(failed(version)),
        _ => Ok(()),
    }
}

/// The same, for what must not be changed unseen: 428 (RFC 6585) without the header.
pub fn require(call: &Call, version: i64) -> Result<(), Error> {
    if call.header("if-match").is_none() {
        let detail = "say which version is to be changed: If-Match with its ETag, or *";
        return Err(Error::new(428, "precondition_required", detail).at("If-Match"));
    }
    check(call, Some(version))
}

/// 412, with the ETag that there is.
pub fn failed(version: Option<i64>) -> Error {
    let detail = "the version is another one; read it again, then decide";
    let error = Error::new(412, "precondition_failed", detail).at("If-Match");
    match version {
        Some(version) => error.header("etag", &etag(version)),
        None => error,
    }
}

/// What a caller says about the version that it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    Absent,
    /// `*`: whatever there is.
    Any,
    /// The versions of the strong tags; a weak one matches nothing, nor does a foreign one.
    Versions(Vec<i64>),
}

/// Reads `If-Match`: 400 when it has not the form that the standard gives it.
pub fn if_match(call: &Call) -> Result<IfMatch, Error> {
    let mut lines = call.header_lines("if-match").peekable();
    if lines.peek().is_none() {
        return Ok(IfMatch::Absent);
    }
    let lines: Option<Vec<&str>> = lines.map(|line| line.to_str().ok()).collect();
    let parsed = lines.and_then(|lines| parse(&lines.join(",")));
    parsed.ok_or_else(|| {
        let detail = "give the ETag that was answered, as it is, with its quotes; or *";
        Error::bad_request("invalid_if_match", "If-Match", detail)
    })
}

/// The answer to a reading with its ETag, 304 where the client has it already.
pub fn shown(call: &Call, reply: Reply, version: i64) -> Reply {
    reply.validated_by(&etag(version), call.header("if-none-match"))
}

fn matches(tags: &str, version: Option<i64>) -> bool {
    let Some(version) = version else { return false };
    let own = etag(version);
    tags.trim() == "*" || tags.split(',').any(|tag| tag.trim() == own)
}

fn parse(text: &str) -> Option<IfMatch> {
    if text.trim() == "*" {
        return Some(IfMatch::Any);
    }
    let (mut versions, mut count, mut rest) = (Vec::new(), 0, text.trim());
    while !rest.is_empty() {
        let (weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        if !tag
            .bytes()
            .all(|byte| byte == b'!' || (0x23..=0x7e).contains(&byte))
        {
            return None;
        }
        versions.extend(version(tag).filter(|_| !weak));
        count += 1;
        rest = after.trim_start();
        if !rest.is_empty() {
            // A list may have empty members (section 5.6.1).
            rest = rest.strip_prefix(',')?.trim_start_matches([',', ' ', '\t']);
        }
    }
    (1..=MAX_TAGS)
        .contains(&count)
        .then_some(IfMatch::Versions(versions))
}

/// The version that a tag of ours stands for.
fn version(tag: &str) -> Option<i64> {
    let version = tag.parse().ok().filter(|version| *version > 0)?;
    (etag(version).trim_matches('"') == tag).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_matched_strongly() {
        assert!(
            matches("\"3\"", Some(3)) && matches("\"1\", \"3\"", Some(3)) && matches("*", Some(3))
        );
        assert!(!matches("W/\"3\"", Some(3)) && !matches("3", Some(3)) && !matches("*", None));
    }

    #[test]
    fn tags_are_read_as_the_standard_writes_them() {
        let versions = |list: &[i64]| Some(IfMatch::Versions(list.to_vec()));
        for (text, expected) in [
            ("*", Some(IfMatch::Any)),
            (" * ", Some(IfMatch::Any)),
            ("\"3\"", versions(&[3])),
            ("\"3\", \"7\"", versions(&[3, 7])),
            ("\"3\",, \"7\" ,", versions(&[3, 7])),
            ("W/\"3\"", versions(&[])),
            ("W/\"3\", \"4\"", versions(&[4])),
            ("\"abc\", \"a,b\"", versions(&[])),
            ("\"03\", \"+3\", \"0\", \"-3\"", versions(&[])),
            ("\"99999999999999999999\"", versions(&[])),
            ("", None),
            ("3", None),
            ("\"3", None),
            ("3\"", None),
            ("w/\"3\"", None),
            ("\"3\" \"4\"", None),
            ("*, \"3\"", None),
            ("\"a b\"", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse(&"\"1\",".repeat(21)), None);
    }
}
