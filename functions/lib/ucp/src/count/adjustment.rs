//! Stock put right by hand, one SKU at a time, with the reason.

use serde::{Deserialize, Serialize};

use crate::page::{Invalid, check_length};

/// The most units by which a balance is changed at once, either way.
pub const MAX_DELTA: i64 = 100_000;
/// The longest note, in bytes.
pub const MAX_NOTE_BYTES: usize = 200;

/// Body of `POST /adjustments`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdjustmentRequest {
    /// Either this or `sku`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Units that are there beyond (positive) or short of what the balance says: within
    /// ±100,000 and not 0.
    pub delta: i64,
    pub reason: AdjustmentReason,
    /// For those who look into it later, in the audit trail, where nothing is ever erased:
    /// nothing about persons. Up to 200 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AdjustmentReason {
    Damaged,
    Lost,
    /// Adds units; all others but `correction` take some away.
    Found,
    Sample,
    InternalUse,
    /// Either way.
    Correction,
}

impl AdjustmentReason {
    /// The movement's reason in the stock ledger. What was found out about a shelf is a count:
    /// a count of the same shelf that is under way must not correct it once more.
    pub fn movement(self) -> &'static str {
        match self {
            Self::Found | Self::Lost | Self::Correction => aisle_domain::count::REASON,
            Self::Damaged | Self::Sample | Self::InternalUse => "adjustment",
        }
    }
}

/// Answer of `POST /adjustments`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Adjustment {
    /// The document of the movement in the stock ledger.
    pub id: String,
    pub location_id: String,
    pub sku: String,
    pub delta: i64,
    pub reason: AdjustmentReason,
}

impl AdjustmentRequest {
    pub fn check(&self) -> Result<(), Invalid> {
        let wrong = |detail: &str| Err(Invalid::new("invalid_value", "$.delta", detail));
        if self.delta == 0 || !(-MAX_DELTA..=MAX_DELTA).contains(&self.delta) {
            return wrong("0, or not within ±100000");
        }
        match self.reason {
            AdjustmentReason::Correction => {}
            AdjustmentReason::Found if self.delta < 0 => {
                return wrong("what is found adds units");
            }
            AdjustmentReason::Found => {}
            _ if self.delta > 0 => return wrong("this reason takes units away"),
            _ => {}
        }
        let note = self.note.as_deref().unwrap_or_default();
        check_length("$.note", note, MAX_NOTE_BYTES)
    }
}
