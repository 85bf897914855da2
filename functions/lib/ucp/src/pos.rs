//! The point of sale: what tills send and are answered. Aisle's own API.

use aisle_domain::cart::LineRequest;
use serde::{Deserialize, Serialize};

use crate::page::{Invalid, Pagination, check_length};

#[cfg(feature = "openapi")]
pub mod api;
mod collection;
mod sale;
mod scan;
mod till;

pub use collection::*;
pub use sale::*;
pub use scan::*;
pub use till::*;

/// The longest code, name, reference or reason, in bytes.
pub const MAX_TEXT_BYTES: usize = 255;
/// Scopes of people and devices.
pub const SCOPES: [&str; 5] = ["pos", "cash", "stock", "transfer", "approve"];
/// Lines of one hand-over, and items of one sale, at most.
pub const MAX_LINES: usize = aisle_domain::cart::MAX_LINES;

/// Body of `POST /admin/devices`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceRequest {
    /// A location at which the brand trades.
    pub location_id: String,
    /// What people call it, such as `Till 2`.
    pub name: String,
    /// Among `pos`, `cash`, `stock`, `transfer` and `approve`.
    pub scopes: Vec<String>,
}

/// A till or a scanner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Device {
    pub id: String,
    pub location_id: String,
    pub name: String,
    pub scopes: Vec<String>,
    /// RFC 3339.
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// What the device signs its people on with. Shown once, when it is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Answer of `GET /admin/devices`, in the order in which they were created.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceList {
    pub devices: Vec<Device>,
    pub pagination: Pagination,
}

/// Body of `POST /admin/staff`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StaffRequest {
    /// What the person types to sign on; unique in the brand.
    pub code: String,
    pub name: String,
    /// 4 to 12 digits.
    pub pin: String,
    /// Among `pos`, `cash`, `stock`, `transfer` and `approve`.
    pub scopes: Vec<String>,
}

/// Somebody who works in the brand's stores.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StaffMember {
    pub id: String,
    pub code: String,
    pub name: String,
    pub scopes: Vec<String>,
    /// RFC 3339.
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// Answer of `GET /admin/staff`, in the order in which they were created.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StaffList {
    pub staff: Vec<StaffMember>,
    pub pagination: Pagination,
}

/// Body of `POST /pos/sign-on`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignOnRequest {
    pub staff_code: String,
    pub pin: String,
}

/// A person at a device.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// For `Authorization: Bearer`. Shown once.
    pub token: String,
    /// RFC 3339, in the store's time.
    pub expires_at: String,
    pub staff_id: String,
    pub name: String,
    pub location_id: String,
    pub device_id: String,
    /// What both the person and the device may do.
    pub scopes: Vec<String>,
}

/// Scopes as the database keeps them: each once, separated by spaces.
pub fn scopes(scopes: &[String]) -> Result<String, Invalid> {
    let wrong = |path: String, detail: &str| Err(Invalid::new("invalid_scopes", path, detail));
    if scopes.is_empty() {
        return wrong("$.scopes".into(), "at least one");
    }
    if let Some(index) = scopes
        .iter()
        .position(|one| !SCOPES.contains(&one.as_str()))
    {
        let detail = "not among pos, cash, stock, transfer and approve";
        return wrong(format!("$.scopes[{index}]"), detail);
    }
    let known = SCOPES
        .iter()
        .filter(|known| scopes.iter().any(|one| one == **known));
    Ok(known.copied().collect::<Vec<_>>().join(" "))
}

/// Refuses a text that is empty, too long, or has control characters.
pub fn check_text(path: &str, text: &str) -> Result<(), Invalid> {
    check_length(path, text, MAX_TEXT_BYTES)?;
    if text.trim().is_empty() || text.contains(char::is_control) {
        return Err(Invalid::new(
            "invalid_text",
            path,
            "empty, or with control characters",
        ));
    }
    Ok(())
}

/// What an item at the till is called by.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaleItem {
    /// Exactly one of `id` (a variant's), `sku` and `gtin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    /// Pieces, 1 unless given.
    #[serde(default = "one")]
    pub quantity: i64,
}

fn one() -> i64 {
    1
}

impl SaleItem {
    /// The item as a line to be priced. Its GTIN is brought to 14 digits.
    pub fn request(&self, index: usize) -> Result<LineRequest, Invalid> {
        let wrong =
            |detail: &str| Invalid::new("invalid_item", format!("$.items[{index}]"), detail);
        let item = match (&self.id, &self.sku, &self.gtin) {
            (Some(id), None, None) => id.clone(),
            (None, Some(sku), None) => sku.clone(),
            (None, None, Some(gtin)) => aisle_domain::gtin::Gtin::parse(gtin)
                .map_err(|error| wrong(&error.to_string()))?
                .as_str()
                .to_owned(),
            _ => return Err(wrong("exactly one of id, sku and gtin names the item")),
        };
        if item.is_empty() || item.len() > MAX_TEXT_BYTES {
            return Err(wrong("empty or too long"));
        }
        Ok(LineRequest {
            id: None,
            item,
            quantity: self.quantity,
            other_unit: false,
        })
    }
}
