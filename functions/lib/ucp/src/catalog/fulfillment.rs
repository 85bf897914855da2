//! How a variant can be fulfilled, on catalog answers (UCP 2026-08-25, `fulfillment`,
//! "Catalog Discovery").

use aisle_domain::brand::Brand;
use aisle_domain::fulfillment::{DeliveryOption, shipping_options};
use aisle_domain::hours;
use aisle_domain::instant::rfc3339_in;
use aisle_domain::location::Location;
use aisle_domain::supply::Supply;
use serde::Serialize;

use super::Filters;
use super::view::{Availability, Description};
use crate::page::Context;

/// `fulfillment.json`, `catalog_fulfillment`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fulfillment {
    pub methods: Vec<Method>,
}

/// `fulfillment.json`, `catalog_fulfillment_method`, with the promise as instants.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Method {
    /// `pickup` or `shipping`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub description: Description,
    pub availability: Availability,
    /// The store at which `pickup` was evaluated, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// From when an order of now could be collected there: RFC 3339, in the store's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<String>,
    /// The nearest other store that has it, when this one has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<NearestStore>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ShippingOption>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NearestStore {
    pub location: String,
    pub name: String,
    pub distance_m: i64,
}

/// `types/fulfillment_option_base.json`; the id is the one that a checkout offers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShippingOption {
    pub id: String,
    pub title: String,
    pub description: Description,
}

/// What a request says about where its items are to go, and what follows from it.
pub struct Scope<'a> {
    locations: &'a [Location],
    /// The store that `fulfills_to` or, failing that, the context names.
    store: Option<&'a Location>,
    ready_at_ms: Option<i64>,
    shipping: Vec<DeliveryOption>,
    restriction: Option<Vec<&'a str>>,
}

impl<'a> Scope<'a> {
    /// `fulfills_to` decides about the destination; only without it does the context. A store
    /// in the context that does not exist is a hint that leads nowhere, not an error.
    pub fn new(
        brand: &'a Brand,
        locations: &'a [Location],
        filters: &Filters,
        context: &Context,
        now_ms: i64,
    ) -> Self {
        let named = match &filters.fulfills_to {
            Some(destination) => (
                destination.location.as_deref(),
                destination.address_country.as_deref(),
            ),
            None => (
                context.location.as_deref(),
                context.address_country.as_deref(),
            ),
        };
        let is_named = |at: &&Location| {
            at.visible && named.0.is_some_and(|name| at.id == name || at.code == name)
        };
        let store = locations.iter().find(is_named);
        let country = named.1.unwrap_or(&brand.country);
        Self {
            locations,
            store,
            ready_at_ms: store
                .and_then(|store| hours::ready_at_ms(store, now_ms, store.preparation_minutes)),
            shipping: shipping_options(brand, country, now_ms),
            restriction: restriction(brand, locations, filters, now_ms),
        }
    }

    /// At which locations a variant must lie to pass the filters; `None`: it need not.
    pub fn restriction(&self) -> Option<&[&'a str]> {
        self.restriction.as_deref()
    }

    /// Whether a variant with this supply passes the filters about fulfillment.
    pub fn admits(&self, supply: &Supply) -> bool {
        self.restriction
            .as_ref()
            .is_none_or(|places| places.iter().any(|id| supply.at(id) > 0))
    }

    /// The methods for something physical of which there is `supply`.
    pub fn fulfillment(&self, supply: &Supply) -> Fulfillment {
        Fulfillment {
            methods: [self.pickup(supply), self.ship(supply)]
                .into_iter()
                .flatten()
                .collect(),
        }
    }

    fn pickup(&self, supply: &Supply) -> Option<Method> {
        let Some(store) = self.store else {
            let anywhere = self.locations.iter().any(Location::hands_over);
            let units = supply.collectable();
            return anywhere.then(|| Method::new("pickup", "Pickup at a store".into(), units > 0));
        };
        let in_stock = store.hands_over() && supply.at(&store.id) > 0;
        let ready_at = self
            .ready_at_ms
            .filter(|_| in_stock)
            .map(|at| rfc3339_in(at, &store.time_zone));
        let nearest = if ready_at.is_none() {
            supply.nearest_to(store, self.locations)
        } else {
            None
        };
        let description = match (&ready_at, nearest) {
            (Some(at), _) => format!("Pickup at {} from {at}", store.name),
            (None, Some((other, distance_m))) => {
                let km = (distance_m + 500) / 1000;
                format!(
                    "Not to be had at {} now; {}, {km} km away, has it",
                    store.name, other.name
                )
            }
            (None, None) => format!("Not to be had at {} now", store.name),
        };
        let available = ready_at.is_some();
        Some(Method {
            location: Some(store.id.clone()),
            ready_at,
            nearest: nearest.map(|(other, distance_m)| NearestStore {
                location: other.id.clone(),
                name: other.name.clone(),
                distance_m,
            }),
            ..Method::new("pickup", description, available)
        })
    }

    fn ship(&self, supply: &Supply) -> Option<Method> {
        let cheapest = self.shipping.first()?;
        let option = |option: &DeliveryOption| ShippingOption {
            id: option.id.clone(),
            title: option.title.clone(),
            description: Description::plain(option.description.clone()),
        };
        Some(Method {
            options: self.shipping.iter().map(option).collect(),
            ..Method::new(
                "shipping",
                cheapest.description.clone(),
                supply.shippable() > 0,
            )
        })
    }
}

impl Method {
    fn new(kind: &'static str, description: String, available: bool) -> Self {
        Self {
            kind,
            description: Description::plain(description),
            availability: Availability::of(available),
            location: None,
            ready_at: None,
            nearest: None,
            options: Vec::new(),
        }
    }
}

/// What `fulfills_to` and `methods` demand. A store fulfils by pickup, an address by
/// shipping; a way that they exclude, or that we do not know, adds no location.
fn restriction<'a>(
    brand: &Brand,
    locations: &'a [Location],
    filters: &Filters,
    now_ms: i64,
) -> Option<Vec<&'a str>> {
    let (to, ways) = (&filters.fulfills_to, &filters.methods);
    if to.is_none() && ways.is_none() {
        return None;
    }
    let by = |way: &str| {
        ways.as_ref()
            .is_none_or(|ways| ways.iter().any(|known| known == way))
    };
    let to_store = to.as_ref().and_then(|to| to.location.as_deref());
    let to_address = to.is_some() && to_store.is_none();
    let country = to
        .as_ref()
        .and_then(|to| to.address_country.as_deref())
        .unwrap_or(&brand.country);
    let picked_up = by("pickup") && !to_address;
    let shipped = by("shipping")
        && to_store.is_none()
        && !shipping_options(brand, country, now_ms).is_empty();
    let serves = |location: &&Location| {
        let here = to_store.is_none_or(|name| location.id == name || location.code == name);
        (picked_up && location.hands_over() && here) || (shipped && location.services.ship)
    };
    Some(
        locations
            .iter()
            .filter(serves)
            .map(|location| location.id.as_str())
            .collect(),
    )
}
