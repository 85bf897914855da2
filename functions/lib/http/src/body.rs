//! Bodies that come in: never more of them than was asked for.

use bytes::Bytes;
use futures::StreamExt;
use http::HeaderMap;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::wasip3::http_compat::IncomingRequestBody;

use crate::Error;

/// The largest body of a request that is not an import.
pub(crate) const MAX_BYTES: usize = 256 << 10;

/// A body read piece by piece, up to a limit.
pub struct BodyStream {
    chunks: futures::stream::LocalBoxStream<'static, Result<Bytes, String>>,
    left: usize,
    limit: usize,
    /// Bytes that are still to come, where the request says how many there are.
    expected: Option<u64>,
}

impl BodyStream {
    /// Refuses at once what says itself that it is larger.
    pub(crate) fn new(
        body: IncomingRequestBody,
        headers: &HeaderMap,
        limit: usize,
    ) -> Result<Self, Error> {
        let expected = content_length(headers)?;
        if expected.is_some_and(|length| length > limit as u64) {
            return Err(Error::too_large(limit));
        }
        let chunks = body
            .stream()
            .map(|chunk| chunk.map_err(|error| error.to_string()))
            .boxed_local();
        Ok(Self {
            chunks,
            left: limit,
            limit,
            expected,
        })
    }

    /// The next piece, `None` at the end; 413 as soon as the limit is passed.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        // All is there: asking once more, only to learn that it is the end, and then for
        // trailers, would cost two further round trips to the runtime.
        if self.expected == Some(0) {
            return Ok(None);
        }
        let Some(chunk) = self.chunks.next().await else {
            return Ok(None);
        };
        let chunk = chunk.map_err(|error| {
            Error::bad_request(
                "incomplete_body",
                "body",
                &format!("the body ended early: {error}"),
            )
        })?;
        self.left = self
            .left
            .checked_sub(chunk.len())
            .ok_or_else(|| Error::too_large(self.limit))?;
        self.expected = self
            .expected
            .map(|left| left.saturating_sub(chunk.len() as u64));
        Ok(Some(chunk))
    }

    pub(crate) async fn collect(mut self) -> Result<Bytes, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = self.next().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }
}

/// Refuses a body that says that it is something else than JSON.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Error> {
    match media_type(headers) {
        Some(kind) if !is_json(&kind) => Err(unsupported("the body must be application/json")),
        _ => Ok(()),
    }
}

/// What a body says that it is, in lower case and without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(http::header::CONTENT_TYPE)?;
    let kind = content_type.to_str().unwrap_or_default().split(';').next();
    Some(kind.unwrap_or_default().trim().to_ascii_lowercase())
}

/// 415.
pub(crate) fn unsupported(detail: &str) -> Error {
    Error::new(415, "unsupported_media_type", detail).at("Content-Type")
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Error> {
    let Some(length) = headers.get(http::header::CONTENT_LENGTH) else {
        return Ok(None);
    };
    let length = length.to_str().ok().and_then(|length| length.parse().ok());
    length.map(Some).ok_or_else(|| {
        Error::bad_request("invalid_header", "Content-Length", "this is not a length")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(
            http::HeaderName::from_static(name),
            http::HeaderValue::from_static(value),
        )])
    }

    #[test]
    fn only_json_is_read_as_json() {
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/merge-patch+json",
        ] {
            assert!(
                require_json(&headers("content-type", good)).is_ok(),
                "{good}"
            );
        }
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "",
        ] {
            assert_eq!(
                require_json(&headers("content-type", bad))
                    .unwrap_err()
                    .status(),
                415,
                "{bad}"
            );
        }
        assert!(require_json(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_length_is_a_number() {
        assert_eq!(
            content_length(&headers("content-length", "52428800")).unwrap(),
            Some(52_428_800)
        );
        assert_eq!(
            content_length(&headers("content-length", "-1"))
                .unwrap_err()
                .status(),
            400
        );
    }
}
