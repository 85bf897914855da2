//! Scans as a device sends them, many at once.

use aisle_domain::instant::parse_rfc3339;
use aisle_domain::scan::Fault;
use serde::{Deserialize, Serialize};

use crate::page::Invalid;

/// Most scans of one request.
pub const MAX_SCANS: usize = 500;

/// Body of every `POST …/scans`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScanRequest {
    /// What the device's clock says while it sends this, RFC 3339: so that a clock that is
    /// wrong does no harm.
    pub device_now: String,
    /// 1 to 500.
    pub scans: Vec<ScanItem>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScanItem {
    /// A number that the device gives to one scan and never to another, whatever they are
    /// for, within 0 and 2^53 - 1.
    pub sequence: i64,
    /// The barcode: 8, 12, 13 or 14 digits. Either this or `sku`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Where in the store; in counts only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Units, 1 unless given; below zero takes back what was scanned too much. In a count
    /// 0 says that somebody looked and there is none.
    #[serde(default = "one")]
    pub quantity: i64,
    /// In receiving only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// When it was taken by the device's clock, RFC 3339.
    pub scanned_at: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Condition {
    Good,
    /// Not to be sold.
    Damaged,
}

impl Condition {
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Damaged => "damaged",
        }
    }
}

/// What became of a batch of scans. What is refused leaves the others as they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScanAnswer {
    /// How many count from now on.
    pub new: usize,
    /// How many had counted already.
    pub known: usize,
    pub refused: Vec<Refused>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refused {
    /// Place in the request's `scans`, from 0.
    pub index: usize,
    pub sequence: i64,
    /// For programs, such as `unknown_gtin` or `in_the_future`.
    pub reason: String,
    pub detail: String,
}

impl Refused {
    pub fn new(index: usize, sequence: i64, fault: Fault) -> Self {
        Self {
            index,
            sequence,
            reason: fault.code().into(),
            detail: fault.detail().into(),
        }
    }
}

impl ScanRequest {
    /// The device's present, in milliseconds since the epoch, once the request is one that
    /// can be looked at scan by scan.
    pub fn device_now_ms(&self) -> Result<i64, Invalid> {
        if !(1..=MAX_SCANS).contains(&self.scans.len()) {
            return Err(Invalid::new(
                "invalid_scans",
                "$.scans",
                "1 to 500 scans can be sent at once",
            ));
        }
        let wrong = || Invalid::new("invalid_value", "$.device_now", "not an RFC 3339 instant");
        parse_rfc3339(&self.device_now).ok_or_else(wrong)
    }
}

fn one() -> i64 {
    1
}
