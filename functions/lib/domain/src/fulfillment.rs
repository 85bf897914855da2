//! How goods reach the shopper: shipping to an address or collection at a store.
//!
//! Words are UCP's: a *method* serves some lines, has *destinations* to choose from and
//! *options* (at what speed and price).

mod pickup;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::brand::{Brand, ShippingMethod};
use crate::lane::EtaReason;
use crate::location::{Address, Location};
use crate::notice::Refusal;
use crate::place;
use crate::totals::Taxed;

pub use pickup::{PickupSearch, pickup_options};

/// Stores listed for collection, at most; the one that is selected is always among them.
pub const MAX_PICKUP_DESTINATIONS: usize = 50;
const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    Shipping,
    Pickup,
}

impl MethodKind {
    /// Also the method's id: a checkout has each kind at most once.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shipping => "shipping",
            Self::Pickup => "pickup",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Shipping, Self::Pickup]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A method as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodRequest {
    pub kind: MethodKind,
    /// Line ids; `None`: every line that no other method names.
    pub line_ids: Option<Vec<String>>,
    /// Addresses to ship to; `None` keeps what the checkout has.
    pub addresses: Option<Vec<ShippingAddress>>,
    pub selected_destination_id: Option<String>,
    pub selected_option_id: Option<String>,
}

/// Where a parcel goes (UCP `shipping_destination.json`), as the client wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ShippingAddress {
    /// Unique in its method; a client that gives none gets `dest_1`, `dest_2`, ….
    #[serde(default)]
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_locality: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, or what no country is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_country: Option<String>,
}

impl ShippingAddress {
    /// With country and region as codes, where they are understood.
    pub fn in_codes(mut self) -> Self {
        place::as_codes_opt(&mut self.address_country, &mut self.address_region);
        self
    }
}

/// Why a store can be chosen for collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PickupReason {
    /// Its own stock covers everything that is to be collected.
    HasEverything,
    /// Its own stock covers a part of it.
    HasPart,
    /// Other locations bring what it lacks.
    TransferNeeded,
    /// It is open and prepares the order now.
    OpenNow,
    /// It prepares the order once it has opened.
    OpensLater,
    /// The store that the shopper looks at.
    StoreInContext,
}

/// A store where the goods can be collected. The promise is the pair of instants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickupStore {
    pub id: String,
    pub name: String,
    pub address: Address,
    /// IANA name.
    pub time_zone: String,
    /// From when the goods can be collected.
    pub ready_at_ms: i64,
    /// Until when they are kept.
    pub pickup_by_ms: i64,
    /// From the store in the shopper's context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<i64>,
    pub reasons: Vec<PickupReason>,
    /// Pieces that lie there already, told where others have to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub here_now: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incoming: Vec<Incoming>,
}

/// Pieces that another location brings to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    pub from_location_id: String,
    /// `None`: a place that shoppers do not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_name: Option<String>,
    pub quantity: i64,
    /// When it arrives at the store's door, and when it can be collected.
    pub arrives_at_ms: i64,
    pub ready_at_ms: i64,
    /// What it waits for on its way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<EtaReason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    Address(ShippingAddress),
    Store(PickupStore),
}

impl Destination {
    pub fn id(&self) -> &str {
        match self {
            Self::Address(address) => &address.id,
            Self::Store(store) => &store.id,
        }
    }

    /// ISO 3166-1 alpha-2 and the region in it, each empty where unknown.
    pub fn country_and_region(&self) -> (&str, &str) {
        match self {
            Self::Address(address) => (
                address.address_country.as_deref().unwrap_or_default(),
                address.address_region.as_deref().unwrap_or_default(),
            ),
            Self::Store(store) => (
                &store.address.address_country,
                &store.address.address_region,
            ),
        }
    }
}

/// A way to have a method's goods, at a price for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryOption {
    pub id: String,
    pub title: String,
    pub description: String,
    /// Minor units, with tax when the brand's prices include it.
    pub price_minor: i64,
    /// When the goods are there, absent while no destination is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_ms: Option<i64>,
}

/// A method as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    pub kind: MethodKind,
    pub line_ids: Vec<String>,
    pub destinations: Vec<Destination>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_destination_id: Option<String>,
    pub options: Vec<DeliveryOption>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_option_id: Option<String>,
    /// The selected option's price and the tax on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<Taxed>,
}

impl Method {
    pub fn destination(&self) -> Option<&Destination> {
        let id = self.selected_destination_id.as_deref()?;
        self.destinations
            .iter()
            .find(|destination| destination.id() == id)
    }

    pub fn option(&self) -> Option<&DeliveryOption> {
        let id = self.selected_option_id.as_deref()?;
        self.options.iter().find(|option| option.id == id)
    }

    /// What to ask for to get this method again.
    pub fn request(&self) -> MethodRequest {
        let address = |destination: &Destination| match destination {
            Destination::Address(address) => Some(address.clone()),
            Destination::Store(_) => None,
        };
        MethodRequest {
            kind: self.kind,
            line_ids: Some(self.line_ids.clone()),
            addresses: Some(self.destinations.iter().filter_map(address).collect()),
            selected_destination_id: self.selected_destination_id.clone(),
            selected_option_id: self.selected_option_id.clone(),
        }
    }
}

/// That a method could serve these lines, as a hint to the shopper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailableMethod {
    pub kind: MethodKind,
    pub line_ids: Vec<String>,
    /// From when, in UTC; `None`: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Which lines each requested method serves, in the requests' order: those it names, or
/// all that no method names. Refused: an unknown line, a line or a kind twice.
pub fn assign_lines(
    requests: &[MethodRequest],
    goods: &[&str],
) -> Result<Vec<Vec<String>>, Refusal> {
    let mut named = BTreeSet::new();
    let mut kinds = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        let path = format!("$.fulfillment.methods[{index}]");
        if kinds.contains(&request.kind) {
            return Err(Refusal::new(
                "method_twice",
                format!("{path}.type"),
                "one method of each type is supported",
            ));
        }
        kinds.push(request.kind);
        for (position, id) in request.line_ids.iter().flatten().enumerate() {
            let refuse = |code, detail: &str| {
                Refusal::new(code, format!("{path}.line_item_ids[{position}]"), detail)
            };
            if !goods.contains(&id.as_str()) {
                return Err(refuse(
                    "line_unknown",
                    "no line with this id needs delivery",
                ));
            }
            if !named.insert(id.as_str()) {
                return Err(refuse("line_twice", "the line is named already"));
            }
        }
    }
    let mut rest: Vec<String> = goods
        .iter()
        .filter(|id| !named.contains(**id))
        .map(|id| (*id).to_owned())
        .collect();
    let assigned = |request: &MethodRequest| match &request.line_ids {
        Some(ids) => ids.clone(),
        None => std::mem::take(&mut rest),
    };
    Ok(requests.iter().map(assigned).collect())
}

/// The locations that send parcels.
pub fn shipping_locations(locations: &[Location]) -> Vec<&Location> {
    locations
        .iter()
        .filter(|location| location.services.ship)
        .collect()
}

/// The locations whose stock can be sold online.
pub fn selling_locations(locations: &[Location]) -> Vec<&str> {
    let sells = |location: &&Location| location.services.ship || location.hands_over();
    locations
        .iter()
        .filter(sells)
        .map(|location| location.id.as_str())
        .collect()
}

/// How parcels go to `country`, by code or by name, cheapest first; to none if it is no country.
pub fn shipping_options(brand: &Brand, country: &str, now_ms: i64) -> Vec<DeliveryOption> {
    let Some(country) = place::country(country) else {
        return Vec::new();
    };
    let serves = |method: &&ShippingMethod| {
        method.countries.is_empty() || method.countries.iter().any(|served| served == country.code)
    };
    let mut options: Vec<DeliveryOption> = brand
        .shipping_methods
        .iter()
        .filter(serves)
        .map(|method| shipping_option(method, now_ms))
        .collect();
    options.sort_by(|a, b| (a.price_minor, &a.id).cmp(&(b.price_minor, &b.id)));
    options
}

fn shipping_option(method: &ShippingMethod, now_ms: i64) -> DeliveryOption {
    let after = |days: i64| Some(now_ms.saturating_add(days.saturating_mul(DAY_MS)));
    let description = match (method.earliest_days, method.latest_days) {
        (from, to) if from == to => format!("Arrives in {to} days"),
        (from, to) => format!("Arrives in {from} to {to} days"),
    };
    DeliveryOption {
        id: method.id.clone(),
        title: method.title.clone(),
        description,
        price_minor: method.price_minor,
        earliest_ms: after(method.earliest_days),
        latest_ms: after(method.latest_days),
    }
}
