//! A place where the retailer keeps, hands over or ships goods.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::brand::TaxRate;
pub use crate::geo::Geo;
use crate::hours::{self, ExceptionHours, ScheduleError, WeeklyHours};
use crate::place;

/// The document of `location.doc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Location {
    /// UUIDv7; empty in a request that creates the location.
    #[serde(default)]
    pub id: String,
    /// The retailer's own short code, such as `NYC-01`.
    pub code: String,
    pub name: String,
    pub kind: LocationKind,
    /// Shown to shoppers. Never for a place that they cannot enter.
    pub visible: bool,
    pub address: Address,
    pub geo: Geo,
    /// IANA name, such as `America/New_York`, in which all its hours are.
    pub time_zone: String,
    #[serde(default)]
    pub hours: WeeklyHours,
    #[serde(default)]
    pub exception_hours: Vec<ExceptionHours>,
    /// Reverse-domain names, such as `dev.ucp.amenity.parking`.
    #[serde(default)]
    pub amenities: Vec<String>,
    pub services: Services,
    /// E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Working minutes from an order to its goods lying ready.
    pub preparation_minutes: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LocationKind {
    Store,
    Warehouse,
}

/// A postal address in UCP's field names (`postal_address.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Address {
    pub street_address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_address: Option<String>,
    /// Empty where addresses have none, as in Singapore.
    #[serde(default)]
    pub address_locality: String,
    /// ISO 3166-2 subdivision without the country, or as it is written there, or empty.
    #[serde(default)]
    pub address_region: String,
    /// May be empty where mail arrives without, as in Hong Kong.
    #[serde(default)]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub address_country: String,
}

/// What the place does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Services {
    /// Sells at a till.
    #[serde(default)]
    pub sell: bool,
    /// Hands over online orders.
    #[serde(default)]
    pub pickup: bool,
    /// Ships parcels to shoppers.
    #[serde(default)]
    pub ship: bool,
    /// Sends goods to other locations.
    #[serde(default)]
    pub transfer: bool,
}

/// A field that cannot be right, as a path in the document and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub path: String,
    pub detail: String,
}

impl Address {
    /// With country and region as codes, where they are understood.
    pub fn in_codes(mut self) -> Self {
        place::as_codes(&mut self.address_country, &mut self.address_region);
        self
    }

    /// That the country is one, by its code, and that there is what its addresses need.
    fn validate(&self) -> Result<(), FieldError> {
        let wrong = |field: &str, detail: String| {
            Err(FieldError {
                path: format!("address.{field}"),
                detail,
            })
        };
        let known = place::country(&self.address_country);
        let Some(country) = known.filter(|known| known.code == self.address_country) else {
            return wrong(
                "address_country",
                "no ISO 3166-1 code or name of a country".into(),
            );
        };
        let needed = [
            ("street_address", &self.street_address, true),
            (
                "address_locality",
                &self.address_locality,
                country.needs_locality,
            ),
            ("postal_code", &self.postal_code, country.needs_postal_code),
        ];
        let lacks = |(_, text, needed): &(&str, &String, bool)| *needed && text.trim().is_empty();
        match needed.into_iter().find(lacks) {
            Some((field, ..)) => wrong(field, format!("addresses in {} need it", country.name)),
            None => Ok(()),
        }
    }
}

impl Location {
    /// Checks what the shape alone cannot: coordinates, time zone, schedule, country.
    /// Errors name the first wrong field, such as `hours[2]`.
    pub fn validate(&self) -> Result<(), FieldError> {
        let wrong = |path: &str, detail: &str| {
            Err(FieldError {
                path: path.into(),
                detail: detail.into(),
            })
        };
        if self.code.is_empty() || self.name.is_empty() {
            return wrong(
                if self.code.is_empty() { "code" } else { "name" },
                "must not be empty",
            );
        }
        if self.geo.latitude_e7.abs() > 900_000_000 {
            return wrong("geo.latitude_e7", "beyond 90 degrees");
        }
        if self.geo.longitude_e7.abs() > 1_800_000_000 {
            return wrong("geo.longitude_e7", "beyond 180 degrees");
        }
        if TimeZone::get(&self.time_zone).is_err() {
            return wrong("time_zone", "no IANA time zone");
        }
        self.address.validate()?;
        if !(0..=43_200).contains(&self.preparation_minutes) {
            return wrong("preparation_minutes", "not within 0 and 43200 (30 days)");
        }
        if self.visible && self.kind == LocationKind::Warehouse {
            return wrong("visible", "a warehouse is not shown to shoppers");
        }
        hours::validate(&self.hours, &self.exception_hours).map_err(
            |ScheduleError { path, detail }| FieldError {
                path,
                detail: detail.into(),
            },
        )
    }

    /// Checks that a brand can tell which tax applies here.
    pub fn is_taxed_by(&self, rates: &[TaxRate]) -> Result<(), FieldError> {
        let address = &self.address;
        place::find(rates, &address.address_country, &address.address_region)
            .map(|_| ())
            .map_err(|unclear| FieldError {
                path: format!("address.{}", unclear.field()),
                detail: unclear.detail(),
            })
    }

    /// Whether a shopper can collect an order here.
    pub fn hands_over(&self) -> bool {
        self.visible && self.services.pickup
    }
}
