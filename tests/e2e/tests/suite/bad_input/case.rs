//! One bad request, and the words in which the table of them is written.

use http::Method;
use serde_json::Value;

/// One bad request and what must come of it.
pub struct Case {
    pub what: &'static str,
    pub method: Method,
    pub path: String,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: Body,
    /// `None`: a shopper's request. `Some(None)`: with the right admin key.
    pub admin_key: Option<Option<&'static str>>,
    /// Statuses that are right.
    pub statuses: &'static [u16],
    /// The error's code, where it is part of the contract.
    pub code: Option<&'static str>,
    /// The place that it must name.
    pub names: Option<&'static str>,
}

pub enum Body {
    None,
    Json(Value),
    Text(&'static str, String),
    /// That many mebibytes of unknown length.
    Stream {
        content_type: &'static str,
        chunks: usize,
    },
}

pub fn case(what: &'static str, method: Method, path: impl Into<String>, body: Body) -> Case {
    let statuses = &[400, 422];
    Case {
        what,
        method,
        path: path.into(),
        headers: Vec::new(),
        body,
        admin_key: None,
        statuses,
        code: None,
        names: None,
    }
}

pub fn post(what: &'static str, path: impl Into<String>, body: Value) -> Case {
    case(what, Method::POST, path, Body::Json(body))
}

pub fn put(what: &'static str, path: impl Into<String>, body: Value) -> Case {
    case(what, Method::PUT, path, Body::Json(body))
}

pub fn get(what: &'static str, path: impl Into<String>) -> Case {
    case(what, Method::GET, path, Body::None)
}

impl Case {
    pub fn names(self, path: &'static str) -> Self {
        Self {
            names: Some(path),
            ..self
        }
    }

    pub fn status(self, statuses: &'static [u16]) -> Self {
        Self { statuses, ..self }
    }

    pub fn code(self, code: &'static str) -> Self {
        Self {
            code: Some(code),
            ..self
        }
    }

    pub fn with_admin_key(self) -> Self {
        Self {
            admin_key: Some(None),
            ..self
        }
    }

    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}
