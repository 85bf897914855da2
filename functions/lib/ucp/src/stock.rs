//! What of a SKU is where: Aisle's own API, made to be cached by a CDN.

use aisle_domain::instant::rfc3339;
use aisle_domain::places::Place;
use serde::{Deserialize, Serialize};

use crate::page::{Invalid, Pagination};

#[cfg(feature = "openapi")]
pub mod api;

/// How long an answer may be served from a cache, in seconds, without asking again.
pub const MAX_AGE_S: u32 = 5;
/// And how much longer while a fresh one is fetched behind the client's back.
pub const STALE_WHILE_REVALIDATE_S: u32 = 30;

/// Places on a page when the request does not say how many.
pub const DEFAULT_PLACES: usize = 50;
/// And at most.
pub const MAX_PLACES: usize = 200;

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
    /// Of all pages.
    pub total: StockTotal,
    /// The locations that shoppers can visit and that have some: nearest first when `near`
    /// was given, else those with most units first.
    pub locations: Vec<StockAt>,
    pub pagination: Pagination,
    /// What can be sent to a shopper.
    pub ships: Ships,
}

/// What shoppers find at locations that they can visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StockTotal {
    /// Units that can be promised there.
    pub available: i64,
    /// Locations that have any.
    pub locations: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StockAt {
    pub location_id: String,
    pub code: String,
    pub name: String,
    pub address_locality: String,
    /// Units that can be promised: on hand, less what is reserved or kept back; at least 1.
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

/// Where a page of places ended: by distance, or by units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The bits of the distance in metres, or the units.
    #[serde(rename = "n")]
    pub number: u64,
    #[serde(rename = "i")]
    pub location_id: String,
}

/// Places on a page, from `limit` in the query.
pub fn places_on_a_page(limit: Option<&str>) -> Result<usize, Invalid> {
    let Some(limit) = limit else {
        return Ok(DEFAULT_PLACES);
    };
    let number = limit.parse().ok();
    number
        .filter(|number| (1..=MAX_PLACES).contains(number))
        .ok_or_else(|| {
            let detail = format!("must be a number from 1 to {MAX_PLACES}");
            Invalid::new("invalid_limit", "limit", detail)
        })
}

/// The instant of the last change, as it is shown.
pub fn as_of(changed_at_ms: Option<i64>) -> Option<String> {
    changed_at_ms.map(rfc3339)
}

impl StockAt {
    pub fn new(place: &Place, available: i64, distance_m: Option<f64>) -> Self {
        Self {
            location_id: place.id.clone(),
            code: place.code.clone(),
            name: place.name.clone(),
            address_locality: place.address_locality.clone(),
            available,
            distance_m: distance_m.map(|distance_m| distance_m.round() as i64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_200_places() {
        assert_eq!(places_on_a_page(None), Ok(50));
        assert_eq!(places_on_a_page(Some("200")), Ok(200));
        for wrong in ["0", "201", "-1", "", "x", "1.5", "99999999999999999999"] {
            let error = places_on_a_page(Some(wrong)).unwrap_err();
            assert_eq!(
                (error.code, error.path.as_str()),
                ("invalid_limit", "limit")
            );
        }
    }
}
