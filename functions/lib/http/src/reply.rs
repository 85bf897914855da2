//! An answer: status, headers, and a body whose length is known, or a stream of events.

use aisle_store::sha256_hex;
use bytes::Bytes;
use futures::stream;
use http::{HeaderName, HeaderValue, Response, header};
use serde::Serialize;

use crate::Error;
use crate::events::{Event, ReplyBody};

/// What a function answers.
#[derive(Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: ReplyBody,
    tagged: bool,
}

impl Reply {
    /// A JSON document.
    pub fn json<T: Serialize>(status: u16, value: &T) -> Result<Self, Error> {
        let body = serde_json::to_vec(value).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self::bytes(status, "application/json", body))
    }

    pub fn bytes(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status,
            headers: vec![content_type],
            body: ReplyBody::Whole(body.into()),
            tagged: false,
        }
    }

    /// An answer without a body, such as 204.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: ReplyBody::Whole(Bytes::new()),
            tagged: false,
        }
    }

    /// Server-sent events, one after the other as `next` makes them, until it makes none. It
    /// runs beside and beyond the call, so it must not keep what others wait for; a client
    /// that has gone is found out at the next event, and `next` is dropped then.
    pub fn events(next: impl AsyncFnMut() -> Option<Event> + 'static) -> Self {
        let events = stream::unfold(next, |mut next| async move {
            let event = next().await?;
            Some((event.into_bytes(), next))
        });
        let content_type = HeaderValue::from_static("text/event-stream");
        Self {
            body: ReplyBody::Stream(Box::pin(events)),
            headers: vec![(header::CONTENT_TYPE, content_type)],
            ..Self::empty(200)
        }
        // Proxies of nginx's kind would wait for a buffer's worth of events.
        .header("x-accel-buffering", "no")
    }

    /// Adds a header; a value that no header can have is left out.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// Lets caches keep it for `max_age_s` and serve it for `stale_s` more while they ask
    /// again (RFC 9111, RFC 5861), with a strong ETag of the body. The brand comes from
    /// the host, which is part of a cache's key anyway.
    pub fn cached(mut self, max_age_s: u32, stale_s: u32) -> Self {
        self.tagged = true;
        self.header(
            "cache-control",
            &format!("public, max-age={max_age_s}, stale-while-revalidate={stale_s}"),
        )
    }

    /// Lets the client itself keep it, and ask each time whether it still holds, with a
    /// strong ETag of the body.
    pub fn validated(mut self) -> Self {
        self.tagged = true;
        self.header("cache-control", "private, no-cache")
    }

    pub fn status(&self) -> u16 {
        self.status
    }

    /// Empty for a stream.
    pub fn body(&self) -> &[u8] {
        match &self.body {
            ReplyBody::Whole(body) => body,
            ReplyBody::Stream(_) => &[],
        }
    }

    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .and_then(|(_, value)| value.to_str().ok())
    }

    pub(crate) fn error_json<T: Serialize>(
        status: u16,
        content_type: &'static str,
        value: &T,
    ) -> Self {
        Self::bytes(
            status,
            content_type,
            serde_json::to_vec(value).unwrap_or_default(),
        )
    }

    /// Tags the body, and answers 304 (RFC 9110, section 15.4.5) to a client that has it.
    pub(crate) fn revalidated(self, if_none_match: Option<&str>) -> Self {
        if !self.tagged || self.status != 200 {
            return self;
        }
        let digest = sha256_hex(self.body());
        let etag = format!("\"{}\"", digest.get(..32).unwrap_or(&digest));
        self.validated_by(&etag, if_none_match)
    }

    /// The same with an ETag that says which version it is.
    pub(crate) fn validated_by(mut self, etag: &str, if_none_match: Option<&str>) -> Self {
        if if_none_match.is_some_and(|tags| matches(tags, etag)) {
            self.status = 304;
            self.body = ReplyBody::Whole(Bytes::new());
            self.headers
                .retain(|(name, _)| name != header::CONTENT_TYPE);
        }
        self.header("etag", etag)
    }

    pub(crate) fn into_response(self) -> Response<ReplyBody> {
        // Without a length the runtime sends head and body apart, and a client on a
        // kept-alive connection sits out a delayed acknowledgement.
        let length = match &self.body {
            ReplyBody::Whole(_) if matches!(self.status, 204 | 304) => None,
            ReplyBody::Whole(body) => Some(HeaderValue::from(body.len())),
            ReplyBody::Stream(_) => None,
        };
        let mut response = Response::new(self.body);
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or_default();
        response.headers_mut().extend(self.headers);
        if let Some(length) = length {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length);
        }
        // A cart's or an order's address is all that protects it: no cache may keep what
        // nobody said is public.
        response
            .headers_mut()
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        response
    }
}

/// `If-None-Match`: weak comparison (RFC 9110, section 13.1.2).
fn matches(tags: &str, etag: &str) -> bool {
    tags.trim() == "*"
        || tags
            .split(',')
            .map(str::trim)
            .any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    fn cached() -> Reply {
        Reply::json(200, &[1, 2]).unwrap().cached(5, 30)
    }

    #[test]
    fn a_length_that_is_known_is_said() {
        let response = cached().revalidated(None).into_response();
        assert_eq!(response.headers()["content-length"], "5");
        assert_eq!(
            response.headers()["cache-control"],
            "public, max-age=5, stale-while-revalidate=30"
        );
        assert!(
            !Reply::empty(204)
                .into_response()
                .headers()
                .contains_key("content-length")
        );
    }

    #[test]
    fn a_client_that_has_the_body_is_told_so() {
        let etag = cached()
            .revalidated(None)
            .header_value("etag")
            .unwrap()
            .to_owned();
        for tags in [etag.clone(), format!("\"other\", W/{etag}"), "*".into()] {
            let reply = cached().revalidated(Some(&tags));
            assert_eq!((reply.status(), reply.body().len()), (304, 0));
            assert_eq!(reply.header_value("etag"), Some(etag.as_str()));
        }
        assert_eq!(cached().revalidated(Some("\"other\"")).status(), 200);
    }

    #[test]
    fn only_what_may_be_cached_is_tagged() {
        let reply = Reply::json(200, &1).unwrap().revalidated(Some("*"));
        assert_eq!((reply.status(), reply.header_value("etag")), (200, None));
        let private = Reply::json(200, &1).unwrap().validated();
        let private = private.revalidated(Some("*")).into_response();
        assert_eq!(private.status(), 304);
        assert_eq!(private.headers()["cache-control"], "private, no-cache");
    }

    #[test]
    fn a_stream_has_no_length_and_is_not_kept() {
        let mut left = 2;
        let reply = Reply::events(async move || {
            left -= 1;
            (left >= 0).then_some(Event::Heartbeat)
        });
        let response = reply.revalidated(Some("*")).into_response();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(!response.headers().contains_key("content-length"));
        let ReplyBody::Stream(events) = response.into_body() else {
            panic!("no stream")
        };
        let events: Vec<_> = futures::executor::block_on(events.collect());
        assert_eq!(events, [":\n\n", ":\n\n"]);
    }
}
