//! One refusal for the whole surface: a UCP envelope on UCP routes, RFC 9457 elsewhere.

use aisle_store::{BatchError, StoreError};
use aisle_ucp::envelope::{ErrorResponse, Message, Problem, Severity, Ucp};
use aisle_ucp::page::Invalid;
use serde_json::{Map, Value};

use crate::Reply;

/// Why a call gets no resource. Carries what the client is told and, for faults of ours,
/// what only the log is told.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    status: u16,
    code: String,
    detail: String,
    path: Option<String>,
    severity: Severity,
    extensions: Map<String, Value>,
    headers: Vec<(&'static str, String)>,
    messages: Vec<Message>,
    log: Option<String>,
}

impl Error {
    /// A refusal with an HTTP status, a stable code for programs and words for people.
    pub fn new(status: u16, code: &str, detail: &str) -> Self {
        let severity = match status {
            400 | 409 | 413 | 415 | 422 | 429 | 503 => Severity::Recoverable,
            _ => Severity::Unrecoverable,
        };
        Self(Box::new(Inner {
            status,
            code: code.into(),
            detail: detail.into(),
            path: None,
            severity,
            extensions: Map::new(),
            headers: Vec::new(),
            messages: Vec::new(),
            log: None,
        }))
    }

    /// 400: the request is malformed at `path` (a JSONPath, or a parameter's or header's name).
    pub fn bad_request(code: &str, path: &str, detail: &str) -> Self {
        Self::new(400, code, detail).at(path)
    }

    /// 422: well formed, but cannot be done as asked at `path`.
    pub fn unprocessable(code: &str, path: &str, detail: &str) -> Self {
        Self::new(422, code, detail).at(path)
    }

    /// 422: a member of a body whose shape is right has no sensible value.
    pub fn invalid_member(invalid: Invalid) -> Self {
        Self::unprocessable(invalid.code, &invalid.path, &invalid.detail)
    }

    /// 401, with the challenge that RFC 9110, section 11.6.1, demands.
    pub fn unauthorized(detail: &str) -> Self {
        Self::new(401, "unauthorized", detail).header("www-authenticate", "Bearer realm=\"aisle\"")
    }

    /// 403: known, but not allowed to do this.
    pub fn forbidden(detail: &str) -> Self {
        Self::new(403, "forbidden", detail)
    }

    /// 404.
    pub fn not_found(code: &str, detail: &str) -> Self {
        Self::new(404, code, detail)
    }

    /// 409: the state of the resource does not allow it.
    pub fn conflict(code: &str, detail: &str) -> Self {
        Self::new(409, code, detail)
    }

    /// 413: more than `limit_bytes`.
    pub fn too_large(limit_bytes: usize) -> Self {
        let detail = format!("the body is larger than {limit_bytes} bytes");
        Self::new(413, "payload_too_large", &detail).with("limit_bytes", limit_bytes)
    }

    /// 503: worth another try after so many seconds.
    pub fn unavailable(retry_after_s: u32, detail: &str) -> Self {
        Self::new(503, "unavailable", detail).header("retry-after", &retry_after_s.to_string())
    }

    /// 500: a fault of ours. `log` goes to the log and not to the client.
    pub fn internal(log: impl Into<String>) -> Self {
        Self::new(
            500,
            "internal",
            "this is a fault of the server; it was logged",
        )
        .logged(log)
    }

    /// Where in the request: a JSONPath, or a parameter's or header's name.
    pub fn at(mut self, path: &str) -> Self {
        self.0.path = Some(path.into());
        self
    }

    /// A fact for programs, such as `available`: an extension member.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extensions.insert(name.into(), value.into());
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    /// What a UCP platform can do about it.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.0.severity = severity;
        self
    }

    /// On a UCP route these are the messages, instead of the one made of code and detail.
    pub fn messages(mut self, messages: Vec<Message>) -> Self {
        self.0.messages = messages;
        self
    }

    fn logged(mut self, log: impl Into<String>) -> Self {
        self.0.log = Some(log.into());
        self
    }

    pub fn status(&self) -> u16 {
        self.0.status
    }

    pub fn code(&self) -> &str {
        &self.0.code
    }

    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    pub(crate) fn header_value(&self, name: &str) -> Option<&str> {
        let mut headers = self.0.headers.iter();
        let found = headers.find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What the log must know: only of faults of ours.
    pub(crate) fn log(&self) -> Option<&str> {
        let inner = &self.0;
        (inner.status >= 500).then(|| inner.log.as_deref().unwrap_or(&inner.detail))
    }

    /// The answer, in the form that the route's clients expect.
    pub(crate) fn render(self, ucp: bool) -> Reply {
        let headers = self.0.headers.clone();
        let reply = if ucp {
            self.into_envelope()
        } else {
            self.into_problem()
        };
        headers
            .into_iter()
            .fold(reply, |reply, (name, value)| reply.header(name, &value))
    }

    fn into_envelope(self) -> Reply {
        let Inner {
            status,
            code,
            detail,
            path,
            severity,
            extensions,
            messages,
            ..
        } = *self.0;
        let messages = if messages.is_empty() {
            let mut message = Message::error(&code, detail, severity);
            message.details = extensions;
            match path {
                // `types/message_error.json`: only a JSONPath is a path.
                Some(path) if path.starts_with('$') => message.path = Some(path),
                Some(parameter) => message = message.detail("parameter", parameter),
                None => {}
            }
            vec![message]
        } else {
            messages
        };
        Reply::error_json(
            status,
            "application/json",
            &ErrorResponse {
                ucp: Ucp::error(),
                messages,
            },
        )
    }

    fn into_problem(self) -> Reply {
        let Inner {
            status,
            code,
            detail,
            path,
            extensions,
            ..
        } = *self.0;
        let title = http::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason());
        let problem = Problem {
            kind: format!("urn:aisle:problem:{code}"),
            title: title.unwrap_or("Error").into(),
            status,
            code,
            detail,
            path,
            extensions,
        };
        Reply::error_json(status, "application/problem+json", &problem)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let log = error.to_string();
        match error {
            StoreError::Unavailable(_) => {
                Self::unavailable(1, "the database does not answer; try again").logged(log)
            }
            StoreError::Busy(_) => {
                Self::unavailable(1, "too much of this kind is being asked for; try again")
                    .logged(log)
            }
            StoreError::SchemaMismatch { .. } => Self::unavailable(
                30,
                "the database's schema does not fit this version of the service",
            )
            .logged(log),
            StoreError::Bug(_) => Self::internal(log),
        }
    }
}

/// For batches whose expectations cannot fail for a reason that a client should learn.
impl From<BatchError> for Error {
    fn from(error: BatchError) -> Self {
        StoreError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short() -> Error {
        Error::conflict("out_of_stock", "only 2 are left")
            .at("$.line_items[0]")
            .with("available", 2)
    }

    fn body(reply: &Reply) -> Value {
        serde_json::from_slice(reply.body()).unwrap()
    }

    #[test]
    fn a_ucp_route_answers_its_envelope() {
        let reply = short().render(true);
        assert_eq!(
            (reply.status(), reply.header_value("content-type")),
            (409, Some("application/json"))
        );
        let body = body(&reply);
        assert_eq!(body["ucp"]["status"], "error");
        assert_eq!(
            body["messages"][0],
            serde_json::json!({
                "type": "error", "code": "out_of_stock", "content": "only 2 are left",
                "severity": "recoverable", "path": "$.line_items[0]", "available": 2,
            })
        );
    }

    #[test]
    fn in_the_envelope_a_header_is_no_path() {
        let reply = Error::bad_request("invalid_profile_url", "UCP-Agent", "bad").render(true);
        let message = &body(&reply)["messages"][0];
        assert_eq!(message["parameter"], "UCP-Agent");
        assert_eq!(message.get("path"), None);
    }

    #[test]
    fn an_own_route_answers_a_problem() {
        let reply = short().header("retry-after", "1").render(false);
        assert_eq!(
            reply.header_value("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(reply.header_value("retry-after"), Some("1"));
        assert_eq!(
            body(&reply),
            serde_json::json!({
                "type": "urn:aisle:problem:out_of_stock", "title": "Conflict", "status": 409, "code": "out_of_stock",
                "detail": "only 2 are left", "path": "$.line_items[0]", "available": 2,
            })
        );
    }

    #[test]
    fn what_went_wrong_inside_stays_inside() {
        let error = Error::from(StoreError::Bug("secret".into()));
        assert!(error.log().is_some_and(|log| log.contains("secret")));
        assert!(!String::from_utf8_lossy(error.render(false).body()).contains("secret"));
        let error = Error::from(StoreError::SchemaMismatch {
            found: 1,
            expected: 2,
        });
        assert_eq!(error.status(), 503);
        assert!(
            error
                .log()
                .is_some_and(|log| log.contains("version 1") && log.contains("version 2"))
        );
        assert_eq!(short().log(), None);
    }
}
