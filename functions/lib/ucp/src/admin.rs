//! Administration: brands, locations and imports. Aisle's own API, for keys of the retailer.

use aisle_domain::brand::Brand;
use aisle_domain::import::{Finding, Report};
use aisle_domain::location::Location;
use serde::{Deserialize, Serialize};

use crate::page::Pagination;

#[cfg(feature = "openapi")]
pub mod api;

/// The largest file of an import, in bytes.
pub const MAX_IMPORT_BYTES: usize = 64 << 20;
/// Most brands that trade at one location.
pub const MAX_LOCATION_BRANDS: usize = 50;

/// Answer of `GET /admin/brands`, by handle.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BrandList {
    pub brands: Vec<Brand>,
}

/// Body of `POST /admin/locations` and `PUT /admin/locations/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LocationRequest {
    /// Handles of the brands that trade there: at least one.
    pub brands: Vec<String>,
    pub location: Location,
}

/// A location as it is stored. Its ETag is its version.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LocationRecord {
    /// Grows by one with each change.
    pub version: i64,
    /// Handles of the brands that trade there.
    pub brands: Vec<String>,
    pub location: Location,
}

/// Answer of `GET /admin/locations`, in the order in which they were created.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LocationList {
    pub locations: Vec<LocationRecord>,
    pub pagination: Pagination,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ImportKind {
    /// Products of Shopify, WooCommerce or Google Merchant Center, or changes by SKU.
    Products,
    Locations,
    /// Counted stock, also of Shopify's inventory.
    Stock,
    /// Transfer lanes.
    Lanes,
}

impl ImportKind {
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Products, Self::Locations, Self::Stock, Self::Lanes]
            .into_iter()
            .find(|kind| kind.name() == text)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Locations => "locations",
            Self::Stock => "stock",
            Self::Lanes => "lanes",
        }
    }
}

/// How many products, locations, balances or lanes an import touched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tally {
    pub created: u64,
    pub updated: u64,
    /// Already as the file says; nothing was written.
    pub unchanged: u64,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportResult {
    /// Under which `GET /admin/imports/{id}` tells it again; a dry run has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Nothing was written: this is what would have become of the file.
    pub dry_run: bool,
    pub kind: ImportKind,
    /// Handle of the brand.
    pub brand: String,
    /// Name of the file, as given.
    pub file: String,
    /// Data rows read, without the header.
    pub rows: u64,
    #[serde(flatten)]
    pub tally: Tally,
    /// Rows that were not used; each has its reason in `errors`.
    pub refused: u64,
    /// The first 1,000 refused rows.
    pub errors: Vec<ImportFinding>,
    /// Refused rows beyond those.
    pub errors_omitted: u64,
    /// What was left out of rows that were used: the first 1,000.
    pub warnings: Vec<ImportFinding>,
    pub warnings_omitted: u64,
}

/// Something about one row of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportFinding {
    pub file: String,
    /// Line on which the row begins, from 1; the header is line 1.
    pub line: u64,
    /// Empty when it is about the row as a whole.
    pub column: String,
    pub reason: String,
}

impl ImportResult {
    /// `id`: of the record of the import; `None` of a dry run.
    pub fn new(
        id: Option<String>,
        kind: ImportKind,
        brand: &str,
        file: &str,
        tally: Tally,
        report: Report,
    ) -> Self {
        // A batch judges its rows together, so that a fault of one found while reading comes
        // before that of an earlier one found while writing.
        let findings = |mut findings: Vec<Finding>| {
            findings.sort_by_key(|finding| finding.line);
            let of_file = |Finding {
                               line,
                               column,
                               reason,
                           }| ImportFinding {
                file: file.into(),
                line,
                column,
                reason,
            };
            findings.into_iter().map(of_file).collect()
        };
        Self {
            dry_run: id.is_none(),
            id,
            kind,
            brand: brand.into(),
            file: file.into(),
            rows: report.rows,
            tally,
            refused: report.refused,
            errors: findings(report.errors),
            errors_omitted: report.errors_omitted,
            warnings: findings(report.warnings),
            warnings_omitted: report.warnings_omitted,
        }
    }
}
