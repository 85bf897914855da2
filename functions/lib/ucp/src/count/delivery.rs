//! Goods from outside: announced, scanned as they arrive, and put on the shelf.

use aisle_domain::delivery::Line;
use serde::{Deserialize, Serialize};

use crate::page::{Invalid, Pagination, check_length};

/// Most lines of an announcement.
pub const MAX_LINES: usize = 1_000;
/// The longest reference, in bytes.
pub const MAX_REFERENCE_BYTES: usize = 100;
/// The most units of one line.
pub const MAX_LINE_UNITS: i64 = 1_000_000;

/// Body of `POST /deliveries`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryRequest {
    /// The supplier's number, one delivery for each: 1 to 100 bytes.
    pub reference: String,
    /// Where it goes; staff receive at their own location and need not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_id: Option<String>,
    /// What was announced (an advance ship notice), up to 1,000 lines; empty: not known.
    #[serde(default)]
    pub lines: Vec<AnnouncedLine>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnouncedLine {
    /// Either this or `sku`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Units, 1 to 1,000,000. Lines of the same SKU are added up.
    pub quantity: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DeliveryStatus {
    Expected,
    /// Something of it was scanned.
    Receiving,
    Closed,
    Cancelled,
}

impl DeliveryStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Receiving => "receiving",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Expected,
            Self::Receiving,
            Self::Closed,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|status| status.name() == name)
    }
}

/// A delivery.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliverySummary {
    pub id: String,
    pub location_id: String,
    pub reference: String,
    pub status: DeliveryStatus,
    /// RFC 3339 with the location's offset.
    pub created_at: String,
    pub updated_at: String,
}

/// A delivery with its lines.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    #[serde(flatten)]
    pub summary: DeliverySummary,
    /// By SKU.
    pub lines: Vec<ReceivedLine>,
}

/// A SKU that was announced, or arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceivedLine {
    pub sku: String,
    /// Units that were to come; absent when nothing was said about the delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<i64>,
    /// Units that arrived and can be sold.
    pub good: i64,
    pub damaged: i64,
    /// Units that arrived beyond (positive) or short of what was announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<i64>,
}

impl From<Line> for ReceivedLine {
    fn from(line: Line) -> Self {
        Self {
            difference: line.difference(),
            sku: line.sku,
            announced: line.announced,
            good: line.good,
            damaged: line.damaged,
        }
    }
}

/// A transfer as it is unpacked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receiving {
    pub transfer_id: String,
    /// The transfer's.
    pub status: String,
    /// By SKU; `announced` is what was shipped.
    pub lines: Vec<ReceivedLine>,
}

/// Answer of `GET /deliveries`, the latest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryList {
    pub deliveries: Vec<DeliverySummary>,
    pub pagination: Pagination,
}

impl DeliveryRequest {
    pub fn check(&self) -> Result<(), Invalid> {
        check_length("$.reference", &self.reference, MAX_REFERENCE_BYTES)?;
        if self.reference.trim().is_empty() || self.reference.contains(char::is_control) {
            return Err(Invalid::new(
                "invalid_value",
                "$.reference",
                "empty, or with control characters",
            ));
        }
        if self.lines.len() > MAX_LINES {
            return Err(Invalid::new("too_many", "$.lines", "more than 1000 lines"));
        }
        let wrong = |line: &AnnouncedLine| !(1..=MAX_LINE_UNITS).contains(&line.quantity);
        match self.lines.iter().position(wrong) {
            Some(index) => Err(Invalid::new(
                "invalid_value",
                format!("$.lines[{index}].quantity"),
                "not within 1 and 1000000",
            )),
            None => Ok(()),
        }
    }
}
