//! How a variant can be fulfilled, on catalog answers (UCP 2026-08-25, `fulfillment`,
//! "Catalog Discovery").

use aisle_domain::brand::Brand;
use aisle_domain::fulfillment::{DeliveryOption, shipping_options};
use aisle_domain::hours;
use aisle_domain::instant::rfc3339_in;
use aisle_domain::location::Location;
use aisle_domain::supply::{Restriction, Supply};
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
    /// Whether there is any store that hands over.
    collected_anywhere: bool,
    /// The store that `fulfills_to` or, failing that, the context names.
    store: Option<&'a Location>,
    ready_at_ms: Option<i64>,
    shipping: Vec<DeliveryOption>,
    restriction: Option<Restriction>,
}

/// The id or code of the store that a request names: `fulfills_to` decides about the
/// destination, only without it does the context.
pub fn store_named<'r>(filters: &'r Filters, context: &'r Context) -> Option<&'r str> {
    match &filters.fulfills_to {
        Some(destination) => destination.location.as_deref(),
        None => context.location.as_deref(),
    }
}

impl<'a> Scope<'a> {
    /// `store` is what [`store_named`] names among the brand's locations. A store in the
    /// context that does not exist is a hint that leads nowhere, not an error.
    pub fn new(
        brand: &'a Brand,
        store: Option<&'a Location>,
        collected_anywhere: bool,
        filters: &Filters,
        context: &Context,
        now_ms: i64,
    ) -> Self {
        let country = match &filters.fulfills_to {
            Some(destination) => destination.address_country.as_deref(),
            None => context.address_country.as_deref(),
        };
        let country = country.unwrap_or(&brand.country);
        let store = store.filter(|store| store.visible);
        Self {
            collected_anywhere,
            store,
            ready_at_ms: store
                .and_then(|store| hours::ready_at_ms(store, now_ms, store.preparation_minutes)),
            shipping: shipping_options(brand, country, now_ms),
            restriction: restriction(brand, store, filters, now_ms),
        }
    }

    /// How a variant must reach the shopper to pass the filters; `None`: it need not.
    pub fn restriction(&self) -> Option<&Restriction> {
        self.restriction.as_ref()
    }

    /// Whether a variant with this supply passes the filters about fulfillment.
    pub fn admits(&self, supply: &Supply) -> bool {
        let meets = |restriction| supply.meets(restriction);
        self.restriction.as_ref().is_none_or(meets)
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
            let units = supply.collectable;
            let text = "Pickup at a store".to_owned();
            return self
                .collected_anywhere
                .then(|| Method::new("pickup", text, units > 0));
        };
        let in_stock = store.hands_over() && supply.at_store > 0;
        let ready_at = self
            .ready_at_ms
            .filter(|_| in_stock)
            .map(|at| rfc3339_in(at, &store.time_zone));
        let nearest = supply.nearest.as_ref().filter(|_| ready_at.is_none());
        let description = match (&ready_at, nearest) {
            (Some(at), _) => format!("Pickup at {} from {at}", store.name),
            (None, Some(other)) => {
                let km = (other.distance_m + 500) / 1000;
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
            nearest: nearest.map(|other| NearestStore {
                location: other.id.clone(),
                name: other.name.clone(),
                distance_m: other.distance_m,
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
                supply.shippable > 0,
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
/// shipping; a way that they exclude, or that we do not know, adds nothing.
fn restriction(
    brand: &Brand,
    store: Option<&Location>,
    filters: &Filters,
    now_ms: i64,
) -> Option<Restriction> {
    let (to, ways) = (&filters.fulfills_to, &filters.methods);
    if to.is_none() && ways.is_none() {
        return None;
    }
    let by = |way: &str| {
        ways.as_ref()
            .is_none_or(|ways| ways.iter().any(|known| known == way))
    };
    let to_store = to.as_ref().is_some_and(|to| to.location.is_some());
    let to_address = to.is_some() && !to_store;
    let country = to
        .as_ref()
        .and_then(|to| to.address_country.as_deref())
        .unwrap_or(&brand.country);
    let collected = by("pickup") && !to_address;
    let here = store.filter(|store| to_store && collected && store.hands_over());
    Some(Restriction {
        store: here.map(|store| store.id.clone()),
        collected: collected && !to_store,
        shipped: by("shipping")
            && !to_store
            && !shipping_options(brand, country, now_ms).is_empty(),
    })
}
