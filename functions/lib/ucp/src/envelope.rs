//! The `ucp` object that opens every UCP message, and the messages inside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The release of the protocol that every UCP answer declares.
pub const UCP_VERSION: &str = "2026-08-25";

/// The `ucp` member of a response (`ucp.json`, `response_*_schema`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ucp {
    pub version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Capability name to the versions of it that are active for this answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capabilities: BTreeMap<String, Vec<ActiveCapability>>,
    /// How an order can be paid; on checkouts only. Handler name to its configurations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_handlers: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Success,
    Error,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActiveCapability {
    pub version: String,
}

impl Ucp {
    /// A successful answer under the named capabilities.
    pub fn success(capabilities: &[&str]) -> Self {
        let version = || ActiveCapability {
            version: UCP_VERSION.into(),
        };
        Self {
            version: UCP_VERSION.into(),
            status: Some(Status::Success),
            capabilities: capabilities
                .iter()
                .map(|name| (name.to_string(), vec![version()]))
                .collect(),
            payment_handlers: None,
        }
    }

    /// An answer that carries no resource, only messages (`types/error_response.json`).
    pub fn error() -> Self {
        Self {
            status: Some(Status::Error),
            ..Self::success(&[])
        }
    }
}

/// An entry of `messages[]` (`types/message.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    #[serde(rename = "type")]
    pub kind: MessageKind,
    pub code: String,
    pub content: String,
    /// Present on errors only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// RFC 9535 JSONPath of what the message is about, such as `$.line_items[0]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Facts for a program, such as `available`; an extension of the message shape.
    #[serde(default, flatten)]
    pub details: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    Info,
    Warning,
    Error,
}

/// What a platform can do about an error (`types/message_error.json`, `severity`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Recoverable,
    RequiresBuyerInput,
    RequiresBuyerReview,
    Unrecoverable,
}

impl Message {
    pub fn info(code: &str, content: impl Into<String>) -> Self {
        Self::new(MessageKind::Info, code, content.into())
    }

    pub fn warning(code: &str, content: impl Into<String>) -> Self {
        Self::new(MessageKind::Warning, code, content.into())
    }

    pub fn error(code: &str, content: impl Into<String>, severity: Severity) -> Self {
        Self {
            severity: Some(severity),
            ..Self::new(MessageKind::Error, code, content.into())
        }
    }

    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub fn detail(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }

    fn new(kind: MessageKind, code: &str, content: String) -> Self {
        Self {
            kind,
            code: code.into(),
            content,
            severity: None,
            path: None,
            details: Default::default(),
        }
    }
}

/// What a UCP route answers when there is no resource to show (`types/error_response.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorResponse {
    pub ucp: Ucp,
    pub messages: Vec<Message>,
}

/// What Aisle's own API answers when it refuses (RFC 9457). Further members are facts
/// about this problem, such as `available`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI reference that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// Stable, for programs.
    pub code: String,
    /// For people: what is wrong with this very request.
    pub detail: String,
    /// RFC 9535 JSONPath of the member, or the name of the parameter, that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(default, flatten)]
    pub extensions: serde_json::Map<String, serde_json::Value>,
}
