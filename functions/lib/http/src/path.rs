//! Paths and query strings, percent-decoded once and strictly.

use percent_encoding::percent_decode_str;

use crate::Error;

/// The path's segments; a trailing slash makes no segment of its own.
pub(crate) fn segments(path: &str) -> Result<Vec<String>, Error> {
    raw_segments(path)
        .map(|segment| decoded(segment, "path"))
        .collect()
}

/// The same of what may be no text, to tell routes apart before anything is refused.
pub(crate) fn segments_lossy(path: &str) -> Vec<String> {
    raw_segments(path)
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect()
}

fn raw_segments(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    inner.split('/').filter(move |_| !inner.is_empty())
}

/// Names and values in their order (`application/x-www-form-urlencoded`).
pub(crate) fn query(query: &str) -> Result<Vec<(String, String)>, Error> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(&name.replace('+', " "), "query")?;
            let value = decoded(&value.replace('+', " "), &name)?;
            Ok((name, value))
        })
        .collect()
}

/// Text that every database can hold: UTF-8 without NUL.
fn decoded(text: &str, place: &str) -> Result<String, Error> {
    let decoded = percent_decode_str(text).decode_utf8();
    match decoded {
        Ok(decoded) if !decoded.contains('\0') => Ok(decoded.into_owned()),
        _ => Err(Error::bad_request(
            "invalid_encoding",
            place,
            "this is not percent-encoded UTF-8 text",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_after_they_are_split() {
        assert_eq!(segments("/stock/A%2F1%20b").unwrap(), ["stock", "A/1 b"]);
        assert_eq!(segments("/carts/").unwrap(), ["carts"]);
        assert_eq!(segments("/").unwrap(), Vec::<String>::new());
        assert_eq!(segments("/a//b").unwrap(), ["a", "", "b"]);
    }

    #[test]
    fn a_query_keeps_its_order_and_repeats() {
        let pairs = query("near=40.7%2C-74&q=wool+coat&&q=a%3Db&flag").unwrap();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("near", "40.7,-74"),
                ("q", "wool coat"),
                ("q", "a=b"),
                ("flag", "")
            ]
        );
    }

    #[test]
    fn what_is_not_text_is_refused() {
        for bad in ["/stock/%ff", "/stock/%00"] {
            assert_eq!(segments(bad).unwrap_err().status(), 400);
        }
        assert_eq!(query("q=%C3").unwrap_err().status(), 400);
    }
}
