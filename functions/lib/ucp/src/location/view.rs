//! A location as it travels.

use std::collections::BTreeMap;

use aisle_domain::geo::Degrees;
use aisle_domain::hours::{self, DailyHours, ExceptionHours};
use aisle_domain::location::{Address, Location};
use serde::Serialize;

use super::Point;
use crate::envelope::{Message, Ucp};
use crate::page::Pagination;

/// `types/location.json`, with the distance where a centre was given.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LocationView {
    pub id: String,
    /// The retailer's short code, also accepted by lookup.
    pub code: String,
    pub name: String,
    pub address: AddressView,
    pub geo: Point,
    /// By identifier.
    pub amenities: BTreeMap<String, Amenity>,
    /// Absent when not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub hours: Vec<DailyHours>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub exception_hours: Vec<ExceptionHours>,
    pub timezone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether it hands over online orders.
    pub pickup: bool,
    /// Whole metres from `distance.center`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<i64>,
    /// On lookups: the identifiers that led here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<LookupInput>,
}

/// `types/postal_address.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddressView {
    pub street_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_address: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address_locality: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address_region: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub postal_code: String,
    pub address_country: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Amenity {
    pub description: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LookupInput {
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Answer {
    pub ucp: Ucp,
    pub locations: Vec<LocationView>,
    /// On searches only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
}

impl LocationView {
    /// Exceptions that are over are left out, as UCP asks.
    pub fn new(
        location: &Location,
        distance_m: Option<f64>,
        inputs: Vec<LookupInput>,
        now_ms: i64,
    ) -> Self {
        let center = Degrees::from(location.geo);
        let current = |exception: &&ExceptionHours| hours::may_still_matter(exception, now_ms);
        Self {
            id: location.id.clone(),
            code: location.code.clone(),
            name: location.name.clone(),
            address: AddressView::from(&location.address),
            geo: Point {
                latitude: center.latitude,
                longitude: center.longitude,
            },
            amenities: location
                .amenities
                .iter()
                .map(|id| {
                    (
                        id.clone(),
                        Amenity {
                            description: describe(id),
                        },
                    )
                })
                .collect(),
            hours: location.hours.0.clone(),
            exception_hours: location
                .exception_hours
                .iter()
                .filter(current)
                .cloned()
                .collect(),
            timezone: location.time_zone.clone(),
            phone_number: location.phone.clone(),
            pickup: location.hands_over(),
            distance_m: distance_m.map(|metres| metres.round() as i64),
            inputs,
        }
    }
}

impl From<&Address> for AddressView {
    fn from(address: &Address) -> Self {
        let Address {
            street_address,
            extended_address,
            address_locality,
            address_region,
            postal_code,
            address_country,
        } = address.clone();
        Self {
            street_address,
            extended_address,
            address_locality,
            address_region,
            postal_code,
            address_country,
        }
    }
}

/// A buyer-facing label for an amenity identifier: its last part in words.
fn describe(amenity: &str) -> String {
    let name = amenity.rsplit('.').next().unwrap_or(amenity);
    let words = match name {
        "wi_fi" => "Wi-Fi".to_owned(),
        "in_store_pickup" => "In-store pickup".to_owned(),
        other => other.replace(['_', '-'], " "),
    };
    let mut letters = words.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string())
        .unwrap_or_else(|| "Amenity".into());
    first + letters.as_str()
}
