//! What a cart or a checkout has to say about itself, and what it refuses to read.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The checkout cannot be completed before this is put right; the client can do that.
    Error,
    Warning,
    Info,
}

/// A remark about a document, kept with it. UCP calls it a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub level: Level,
    /// For programs; UCP's standard codes where there is one, such as `out_of_stock`.
    pub code: String,
    /// For people.
    pub text: String,
    /// RFC 9535 JSONPath in the answer, such as `$.line_items[0]`; absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Facts for programs, such as `available`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl Notice {
    pub fn error(code: &str, path: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Level::Error, code, path.into(), text.into())
    }

    pub fn warning(code: &str, path: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Level::Warning, code, path.into(), text.into())
    }

    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }

    fn new(level: Level, code: &str, path: String, text: String) -> Self {
        Self {
            level,
            code: code.to_owned(),
            text,
            path: Some(path),
            details: Map::new(),
        }
    }
}

/// A request that makes no sense, whatever the state of the shop: nothing changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    /// RFC 9535 JSONPath in the request.
    pub path: String,
    pub detail: String,
}

impl Refusal {
    pub fn new(code: &'static str, path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code,
            path: path.into(),
            detail: detail.into(),
        }
    }
}
