//! A till's day: what is in its drawer.

use serde::{Deserialize, Serialize};

/// Body of `POST /pos/till-days`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TillDayRequest {
    /// Minor units of the brand's currency that lie in the drawer.
    pub opening_float_minor: i64,
}

/// A till's day. Amounts are minor units.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TillDay {
    pub id: String,
    pub device_id: String,
    /// ISO 4217.
    pub currency: String,
    pub opening_float_minor: i64,
    /// What must be in the drawer: the float, and what went in and out since.
    pub expected_minor: i64,
    /// What was found in it, once it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_minor: Option<i64>,
    /// Counted less expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference_minor: Option<i64>,
    /// RFC 3339, in the store's time.
    pub opened_at: String,
    /// Whether it is over.
    pub closed: bool,
}

/// Body of `POST /pos/till-days/{id}/entries`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntryRequest {
    pub kind: EntryKind,
    /// More than nothing.
    pub amount_minor: i64,
    /// Why; kept in the audit trail.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EntryKind {
    PaidIn,
    PaidOut,
}

impl EntryKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::PaidIn => "paid_in",
            Self::PaidOut => "paid_out",
        }
    }
}

/// Cash that went into or out of a drawer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrawerEntry {
    pub id: String,
    pub kind: EntryKind,
    /// Positive: into it.
    pub amount_minor: i64,
}

/// Body of `POST /pos/till-days/{id}/close`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CloseRequest {
    pub counted_minor: i64,
}
