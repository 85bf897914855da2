//! What of a SKU is where: Aisle's own API, made to be cached by a CDN.

use aisle_domain::geo::{Degrees, distance_m};
use aisle_domain::instant::rfc3339;
use aisle_domain::location::Location;
use aisle_domain::supply::Supply;
use serde::Serialize;

#[cfg(feature = "openapi")]
pub mod api;

/// How long an answer may be served from a cache, in seconds, without asking again.
pub const MAX_AGE_S: u32 = 5;
/// And how much longer while a fresh one is fetched behind the client's back.
pub const STALE_WHILE_REVALIDATE_S: u32 = 30;

/// The stock of one SKU. The same balances give the same bytes, so that the ETag holds
/// for as long as nothing changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StockAnswer {
    pub sku: String,
    /// What a cart takes as `item.id`.
    pub variant_id: String,
    pub product_id: String,
    /// When a balance of this SKU last changed, RFC 3339; absent when there never was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Every location that shoppers can visit: nearest first when `near` was given, else by name.
    pub locations: Vec<StockAt>,
    /// What can be sent to a shopper.
    pub ships: Ships,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StockAt {
    pub location_id: String,
    pub code: String,
    pub name: String,
    pub address_locality: String,
    /// Units that can be promised: on hand, less what is reserved or kept back; never negative.
    pub available: i64,
    /// Metres from `near` along the WGS 84 geodesic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ships {
    /// Units at all locations that ship, warehouses included, as one sum: those are not shown one by one.
    pub available: i64,
}

impl StockAnswer {
    pub fn new(
        (sku, variant_id, product_id): (String, String, String),
        changed_at_ms: Option<i64>,
        locations: &[Location],
        supply: &Supply,
        near: Option<Degrees>,
    ) -> Self {
        let visible = locations.iter().filter(|location| location.visible);
        let mut rows: Vec<StockAt> = visible
            .map(|location| StockAt::new(location, supply, near))
            .collect();
        rows.sort_by(|a, b| {
            (a.distance_m, &a.name, &a.code).cmp(&(b.distance_m, &b.name, &b.code))
        });
        Self {
            sku,
            variant_id,
            product_id,
            as_of: changed_at_ms.map(rfc3339),
            locations: rows,
            ships: Ships {
                available: supply.shippable(),
            },
        }
    }
}

impl StockAt {
    fn new(location: &Location, supply: &Supply, near: Option<Degrees>) -> Self {
        Self {
            location_id: location.id.clone(),
            code: location.code.clone(),
            name: location.name.clone(),
            address_locality: location.address.address_locality.clone(),
            available: supply.at(&location.id),
            distance_m: near.map(|near| distance_m(near, location.geo)),
        }
    }
}
