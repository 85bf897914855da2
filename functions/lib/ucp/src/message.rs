//! Messages to shoppers, for who writes their words.

#[cfg(feature = "openapi")]
pub mod api;

use aisle_domain::contact::Channel;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Which words to show, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewRequest {
    /// Such as `order_ready`.
    pub template: String,
    /// Absent: a text.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// BCP 47; absent: the brand's language.
    #[serde(default)]
    pub locale: Option<String>,
    /// What fills the template: `number`, `store`, `link`, `code`, and `ready_at_ms` and
    /// `pickup_by_ms` with `time_zone`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, Value>))]
    pub values: Map<String, Value>,
}

/// The words as they would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Preview {
    /// Of a mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    pub text: String,
    /// Of a text: `gsm7`, or `ucs2` when a character needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// What the provider counts and charges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments: Option<i64>,
}
