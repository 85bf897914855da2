//! Store locator: search and lookup (UCP 2026-08-25, `common/location`).

use std::collections::BTreeSet;

use aisle_domain::brand::Brand;
use aisle_domain::fulfillment::shipping_options;
use aisle_domain::geo::{Degrees, Geo, geodesic_m};
use aisle_domain::hours;
use aisle_domain::instant::parse_rfc3339;
use aisle_domain::location::Location;
use aisle_domain::place;
use aisle_domain::places::Place;
use aisle_domain::search::words;
use serde::{Deserialize, Serialize};

use crate::page::{
    Invalid, MAX_LOOKUP_IDS, MAX_QUERY_BYTES, MAX_TEXT_BYTES, PageRequest, check_length, search_id,
};

#[cfg(feature = "openapi")]
pub mod api;
pub mod view;

/// Most items or amenities in one filter.
const MAX_LIST: usize = 100;

/// `location_search.json`, `search_request`. An empty request browses.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchRequest {
    /// Words of a name, street, city or postal code.
    pub query: Option<String>,
    pub distance: Option<Distance>,
    pub serves: Option<Serves>,
    pub filters: Option<Filters>,
    #[serde(default)]
    pub pagination: PageRequest,
}

/// `location_lookup.json`, `lookup_request`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LookupRequest {
    /// Location ids and codes, mixed. The first 100 distinct ones are looked up.
    pub ids: Vec<String>,
    pub distance: Option<Distance>,
    pub serves: Option<Serves>,
    pub filters: Option<Filters>,
}

/// What a location must be or do. Everything given must hold.
#[derive(Clone, Copy)]
pub struct Criteria<'a> {
    pub distance: Option<&'a Distance>,
    pub serves: Option<&'a Serves>,
    pub filters: Option<&'a Filters>,
}

/// `types/location_distance.json`: within `max` metres of `center`, inclusive, along the WGS 84 geodesic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Distance {
    pub center: Point,
    pub max: f64,
}

/// `types/geo.json`: decimal degrees, WGS 84.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Point {
    pub latitude: f64,
    pub longitude: f64,
}

/// `types/location_serves.json`: exactly one target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Serves {
    pub point: Option<Point>,
    pub address: Option<Locality>,
}

/// `types/locality.json`. We deliver by country, so `address_country` decides and is needed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Locality {
    /// ISO 3166-1 alpha-2.
    pub address_country: Option<String>,
    pub address_region: Option<String>,
    pub postal_code: Option<String>,
}

/// `types/location_filter.json`. A filter that is not known is refused.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Filters {
    pub hours: Option<OpenAt>,
    /// All of these, by identifier.
    #[serde(default)]
    pub amenities: Vec<String>,
    /// All of these must be there now.
    pub items: Option<Vec<ItemFilter>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpenAt {
    /// RFC 3339 with `Z` or a numeric offset; the location's own time zone decides.
    pub open_at: String,
}

/// An item that must be there: UCP's plain identifier means one unit; with a quantity it is
/// an extension, so that the stores for a whole cart can be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum ItemFilter {
    Id(String),
    Units { id: String, quantity: i64 },
}

impl ItemFilter {
    pub fn id(&self) -> &str {
        match self {
            Self::Id(id) | Self::Units { id, .. } => id,
        }
    }

    pub fn quantity(&self) -> i64 {
        match self {
            Self::Id(_) => 1,
            Self::Units { quantity, .. } => *quantity,
        }
    }
}

/// What a checked request demands of a location, apart from its items.
pub struct Demand<'a> {
    /// A point and the metres around it.
    center: Option<(Degrees, f64)>,
    /// Whether what ships serves the target, if there is one.
    served: Option<bool>,
    open_at_ms: Option<i64>,
    amenities: &'a [String],
}

impl<'a> Criteria<'a> {
    /// Checks the operands against what can be evaluated; nothing is approximated.
    pub fn demand(&self, brand: &Brand) -> Result<Demand<'a>, Invalid> {
        self.filters.map(Filters::check).transpose()?;
        let hours = self.filters.and_then(|filters| filters.hours.as_ref());
        Ok(Demand {
            center: self.distance.map(Distance::check).transpose()?,
            served: self.serves.map(|serves| serves.check(brand)).transpose()?,
            open_at_ms: hours
                .map(|hours| parse_instant(&hours.open_at))
                .transpose()?,
            amenities: self.filters.map_or(&[], |filters| &filters.amenities),
        })
    }

    pub fn items(&self) -> &'a [ItemFilter] {
        self.filters
            .and_then(|filters| filters.items.as_deref())
            .unwrap_or_default()
    }
}

impl SearchRequest {
    pub fn criteria(&self) -> Criteria<'_> {
        Criteria {
            distance: self.distance.as_ref(),
            serves: self.serves.as_ref(),
            filters: self.filters.as_ref(),
        }
    }

    /// Identifies the search for its cursors: everything but the page.
    pub fn id(&self, brand_id: &str) -> u64 {
        search_id(&(
            brand_id,
            &self.query,
            &self.distance,
            &self.serves,
            &self.filters,
        ))
    }

    pub fn check(&self) -> Result<(), Invalid> {
        check_length(
            "$.query",
            self.query.as_deref().unwrap_or_default(),
            MAX_QUERY_BYTES,
        )
    }

    /// The words of the query that tell places apart. A word that begins no word of any
    /// place says something else ("store", "near", "me") and is passed over, unless all do:
    /// then `None`, for nothing is meant.
    pub fn telling_words(&self, places: &[Place]) -> Option<Vec<String>> {
        let query = words::asked(self.query.as_deref().unwrap_or_default());
        let is_known = |word: &String| places.iter().any(|place| place.is_called(word));
        let known: Vec<String> = query
            .iter()
            .filter(|word| is_known(word))
            .cloned()
            .collect();
        (query.is_empty() || !known.is_empty()).then_some(known)
    }
}

impl LookupRequest {
    pub fn criteria(&self) -> Criteria<'_> {
        Criteria {
            distance: self.distance.as_ref(),
            serves: self.serves.as_ref(),
            filters: self.filters.as_ref(),
        }
    }

    /// The distinct identifiers that are looked up, and how many are left aside.
    pub fn batch(&self) -> Result<(Vec<&str>, usize), Invalid> {
        if self.ids.is_empty() {
            return Err(Invalid::new(
                "invalid_request",
                "$.ids",
                "must not be empty",
            ));
        }
        let mut seen = BTreeSet::new();
        let mut distinct: Vec<&str> = self
            .ids
            .iter()
            .map(String::as_str)
            .filter(|id| seen.insert(*id))
            .collect();
        let left_aside = distinct.len().saturating_sub(MAX_LOOKUP_IDS);
        distinct.truncate(MAX_LOOKUP_IDS);
        Ok((distinct, left_aside))
    }
}

impl Distance {
    fn check(&self) -> Result<(Degrees, f64), Invalid> {
        let center = self.center.check("$.distance.center")?;
        if self.max.is_nan() || self.max < 0.0 {
            return Err(Invalid::new(
                "invalid_distance",
                "$.distance.max",
                "must not be negative",
            ));
        }
        Ok((center, self.max))
    }
}

impl Point {
    fn check(&self, path: &str) -> Result<Degrees, Invalid> {
        let bounds = [
            ("latitude", self.latitude, 90.0),
            ("longitude", self.longitude, 180.0),
        ];
        for (member, degrees, limit) in bounds {
            if !(-limit..=limit).contains(&degrees) {
                let detail = format!("not within ±{limit} degrees");
                return Err(Invalid::new(
                    "invalid_geo",
                    format!("{path}.{member}"),
                    detail,
                ));
            }
        }
        Ok(Degrees {
            latitude: self.latitude,
            longitude: self.longitude,
        })
    }
}

impl Serves {
    /// Whether a location that ships serves the target.
    fn check(&self, brand: &Brand) -> Result<bool, Invalid> {
        match (&self.point, &self.address) {
            (Some(point), None) => {
                point.check("$.serves.point")?;
                let everywhere = brand
                    .shipping_methods
                    .iter()
                    .any(|method| method.countries.is_empty());
                let detail = "delivery is by country: send serves.address.address_country instead";
                everywhere
                    .then_some(true)
                    .ok_or_else(|| Invalid::new("target_not_evaluable", "$.serves.point", detail))
            }
            (None, Some(address)) => address.check(brand),
            _ => Err(Invalid::new(
                "invalid_request",
                "$.serves",
                "exactly one target is required",
            )),
        }
    }
}

impl Locality {
    fn check(&self, brand: &Brand) -> Result<bool, Invalid> {
        let path = "$.serves.address.address_country";
        let country = self.address_country.as_deref().unwrap_or_default();
        if place::country(country).is_none() {
            let detail = "delivery is by country: its ISO 3166-1 code or its name is needed";
            return Err(Invalid::new("target_not_evaluable", path, detail));
        }
        Ok(!shipping_options(brand, country, 0).is_empty())
    }
}

impl Filters {
    fn check(&self) -> Result<(), Invalid> {
        let items = self.items.as_deref();
        if items.is_some_and(<[_]>::is_empty) {
            return Err(Invalid::new(
                "invalid_request",
                "$.filters.items",
                "must not be empty",
            ));
        }
        let items = items.unwrap_or_default();
        for (path, length) in [
            ("$.filters.items", items.len()),
            ("$.filters.amenities", self.amenities.len()),
        ] {
            if length > MAX_LIST {
                return Err(Invalid::new(
                    "too_long",
                    path,
                    format!("more than {MAX_LIST} entries"),
                ));
            }
        }
        for (index, item) in items.iter().enumerate() {
            let path = format!("$.filters.items[{index}]");
            check_length(&path, item.id(), MAX_TEXT_BYTES)?;
            if items
                .iter()
                .take(index)
                .any(|earlier| earlier.id() == item.id())
            {
                return Err(Invalid::new(
                    "invalid_request",
                    path,
                    "the item is named twice",
                ));
            }
            if !(1..=999).contains(&item.quantity()) {
                return Err(Invalid::new(
                    "invalid_quantity",
                    format!("{path}.quantity"),
                    "not within 1 and 999",
                ));
            }
        }
        Ok(())
    }
}

fn parse_instant(text: &str) -> Result<i64, Invalid> {
    let wrong = || {
        Invalid::new(
            "invalid_instant",
            "$.filters.hours.open_at",
            "no RFC 3339 instant with Z or an offset",
        )
    };
    parse_rfc3339(text).ok_or_else(wrong)
}

impl Demand<'_> {
    /// Whether a place meets what can be told without its document.
    pub fn admits_place(&self, place: &Place) -> bool {
        let near = self
            .center
            .is_none_or(|(center, max_m)| geodesic_m(center, place.geo) <= max_m);
        near && self.served.is_none_or(|served| served && place.ships)
    }

    /// Whether a location's document is needed to tell the rest.
    pub fn needs_documents(&self) -> bool {
        self.open_at_ms.is_some() || !self.amenities.is_empty()
    }

    /// Whether the location meets that rest: hours and amenities.
    pub fn admits(&self, location: &Location) -> bool {
        let open = self
            .open_at_ms
            .is_none_or(|at| hours::is_open_at(location, at));
        open && self
            .amenities
            .iter()
            .all(|wanted| location.amenities.contains(wanted))
    }

    /// The centre and the radius in metres, where there is one.
    pub fn around(&self) -> Option<(Degrees, f64)> {
        self.center
    }

    /// Metres to the centre of the radius, where there is one.
    pub fn distance_m(&self, point: Geo) -> Option<f64> {
        self.center.map(|(center, _)| geodesic_m(center, point))
    }
}
