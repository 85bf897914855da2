//! `ETag` and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1) over a row's version.

use crate::{Call, Error};

/// The strong validator of a version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// 412 when the caller names another version than this one, or any where there is none.
pub fn check(call: &Call, version: Option<i64>) -> Result<(), Error> {
    match call.header("if-match") {
        Some(tags) if !matches(tags, version) => {
            let detail = "the version is another one; read it again, then decide";
            Err(Error::new(412, "precondition_failed", detail).at("If-Match"))
        }
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

fn matches(tags: &str, version: Option<i64>) -> bool {
    let Some(version) = version else { return false };
    let own = etag(version);
    tags.trim() == "*" || tags.split(',').any(|tag| tag.trim() == own)
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
}
