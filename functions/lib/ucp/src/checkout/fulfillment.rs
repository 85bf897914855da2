//! How goods reach the shopper (`types/fulfillment*.json`).

use aisle_domain::fulfillment as domain;
use aisle_domain::instant;
use aisle_domain::location::Address;
use aisle_domain::notice::Refusal;
use serde::{Deserialize, Serialize};

use crate::cart::{Total, text_opt};

/// Destinations in one method of a request, at most.
const MAX_DESTINATIONS: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FulfillmentRequest {
    /// At most one of each type. Empty: the business proposes one.
    #[serde(default)]
    pub methods: Vec<MethodRequest>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MethodRequest {
    /// On updates, may stand for the type.
    #[serde(default, deserialize_with = "text_opt")]
    pub id: Option<String>,
    /// `shipping` or `pickup`.
    #[serde(default, rename = "type", deserialize_with = "text_opt")]
    pub kind: Option<String>,
    /// Absent: every line that no other method names.
    #[serde(default)]
    pub line_item_ids: Option<Vec<String>>,
    /// Where to ship to; of a pickup, only the business names destinations.
    #[serde(default)]
    pub destinations: Option<Vec<PostalAddress>>,
    /// Of a pickup, the id of a store.
    #[serde(default, deserialize_with = "text_opt")]
    pub selected_destination_id: Option<String>,
    #[serde(default)]
    pub groups: Vec<GroupRequest>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupRequest {
    #[serde(default, deserialize_with = "text_opt")]
    pub selected_option_id: Option<String>,
}

/// `types/postal_address.json`, with the id that it goes by as a destination.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PostalAddress {
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub id: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub first_name: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_name: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub phone_number: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub street_address: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub extended_address: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub address_locality: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub address_region: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub address_country: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckoutFulfillment {
    pub methods: Vec<CheckoutMethod>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub available_methods: Vec<AvailableMethod>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckoutMethod {
    pub id: String,
    /// `shipping` or `pickup`.
    #[serde(rename = "type")]
    pub kind: String,
    pub line_item_ids: Vec<String>,
    pub destinations: Vec<CheckoutDestination>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_destination_id: Option<String>,
    /// Exactly one.
    pub groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type")]
pub enum CheckoutDestination {
    #[serde(rename = "shipping_address")]
    Address(PostalAddress),
    #[serde(rename = "business_location")]
    Store(PickupStore),
}

/// A store that can hand over everything that is to be collected, some of it after a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PickupStore {
    pub id: String,
    pub name: String,
    pub address: PostalAddress,
    /// From when the goods can be collected: RFC 3339, in the store's time.
    pub ready_at: String,
    /// Until when they are kept: RFC 3339, in the store's time.
    pub pickup_by: String,
    /// From the store in `context.location`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<i64>,
    /// Why it can be chosen: `has_everything`, `has_part`, `transfer_needed`, `open_now`,
    /// `opens_later`, `store_in_context`.
    pub reasons: Vec<String>,
    /// Pieces that lie there already, told where others have to be brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_now: Option<i64>,
    /// What other locations bring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<IncomingTransfer>,
}

/// Pieces on their way to a store of collection, once the checkout is completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncomingTransfer {
    /// The store that they come from; absent: a warehouse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<SendingStore>,
    /// Pieces.
    pub quantity: i64,
    /// When they are expected at the store: RFC 3339, in its time.
    pub arrives_at: String,
    /// From when they can be collected: RFC 3339, in the store's time.
    pub ready_at: String,
    /// What they wait for on their way, such as `after_cut_off` or `destination_opens_later`.
    pub reasons: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendingStore {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Group {
    pub id: String,
    pub line_item_ids: Vec<String>,
    pub options: Vec<FulfillmentOption>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_option_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FulfillmentOption {
    pub id: String,
    pub title: String,
    pub description: PlainText,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest_fulfillment_time: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_fulfillment_time: Option<String>,
    pub totals: Vec<Total>,
}

/// `types/description.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlainText {
    pub plain: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AvailableMethod {
    #[serde(rename = "type")]
    pub kind: String,
    pub line_item_ids: Vec<String>,
    /// `now`, or RFC 3339.
    pub fulfillable_on: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl FulfillmentRequest {
    /// What the domain makes of it. Refused: a type that nobody serves, more
    /// destinations or choices than allowed.
    pub fn into_domain(self) -> Result<Vec<domain::MethodRequest>, Refusal> {
        self.methods
            .into_iter()
            .enumerate()
            .map(|(index, method)| method.into_domain(index))
            .collect()
    }
}

impl MethodRequest {
    fn into_domain(self, index: usize) -> Result<domain::MethodRequest, Refusal> {
        let refuse = |code, member: &str, detail: String| {
            Err(Refusal::new(
                code,
                format!("$.fulfillment.methods[{index}].{member}"),
                detail,
            ))
        };
        let named = self.kind.as_deref().or(self.id.as_deref());
        let Some(kind) = named.and_then(domain::MethodKind::parse) else {
            return refuse(
                "method_unknown",
                "type",
                "must be shipping or pickup".into(),
            );
        };
        let addresses = self
            .destinations
            .filter(|_| kind == domain::MethodKind::Shipping);
        if addresses
            .as_ref()
            .is_some_and(|addresses| addresses.len() > MAX_DESTINATIONS)
        {
            return refuse(
                "too_many_destinations",
                "destinations",
                format!("at most {MAX_DESTINATIONS} are allowed"),
            );
        }
        if self
            .line_item_ids
            .as_ref()
            .is_some_and(|ids| ids.len() > aisle_domain::cart::MAX_LINES)
        {
            return refuse(
                "too_many_lines",
                "line_item_ids",
                "more than a checkout can have".into(),
            );
        }
        Ok(domain::MethodRequest {
            kind,
            line_ids: self.line_item_ids,
            addresses: addresses.map(|addresses| addresses.into_iter().map(Into::into).collect()),
            selected_destination_id: self.selected_destination_id,
            selected_option_id: self
                .groups
                .into_iter()
                .find_map(|group| group.selected_option_id),
        })
    }
}

impl From<PostalAddress> for domain::ShippingAddress {
    fn from(address: PostalAddress) -> Self {
        Self {
            id: address.id.unwrap_or_default(),
            first_name: address.first_name,
            last_name: address.last_name,
            phone_number: address.phone_number,
            street_address: address.street_address,
            extended_address: address.extended_address,
            address_locality: address.address_locality,
            address_region: address.address_region,
            postal_code: address.postal_code,
            address_country: address.address_country,
        }
    }
}

impl From<&domain::ShippingAddress> for PostalAddress {
    fn from(address: &domain::ShippingAddress) -> Self {
        let address = address.clone();
        Self {
            id: Some(address.id),
            first_name: address.first_name,
            last_name: address.last_name,
            phone_number: address.phone_number,
            street_address: address.street_address,
            extended_address: address.extended_address,
            address_locality: address.address_locality,
            address_region: address.address_region,
            postal_code: address.postal_code,
            address_country: address.address_country,
        }
    }
}

impl From<&Address> for PostalAddress {
    fn from(address: &Address) -> Self {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Self {
            street_address: Some(address.street_address.clone()),
            extended_address: address.extended_address.clone(),
            address_locality: given(&address.address_locality),
            address_region: given(&address.address_region),
            postal_code: given(&address.postal_code),
            address_country: Some(address.address_country.clone()),
            ..Self::default()
        }
    }
}

impl CheckoutFulfillment {
    pub(crate) fn new(methods: &[domain::Method], available: &[domain::AvailableMethod]) -> Self {
        Self {
            methods: methods.iter().map(CheckoutMethod::new).collect(),
            available_methods: available.iter().map(AvailableMethod::new).collect(),
        }
    }
}

impl CheckoutMethod {
    fn new(method: &domain::Method) -> Self {
        let id = method.kind.name().to_owned();
        let time_zone = match method.destination() {
            Some(domain::Destination::Store(store)) => store.time_zone.as_str(),
            _ => "UTC",
        };
        let group = Group {
            id: format!("{id}_1"),
            line_item_ids: method.line_ids.clone(),
            options: method
                .options
                .iter()
                .map(|option| FulfillmentOption::new(option, time_zone))
                .collect(),
            selected_option_id: method.selected_option_id.clone(),
        };
        Self {
            kind: id.clone(),
            id,
            line_item_ids: method.line_ids.clone(),
            destinations: method
                .destinations
                .iter()
                .map(CheckoutDestination::new)
                .collect(),
            selected_destination_id: method.selected_destination_id.clone(),
            groups: vec![group],
        }
    }
}

impl CheckoutDestination {
    fn new(destination: &domain::Destination) -> Self {
        match destination {
            domain::Destination::Address(address) => Self::Address(address.into()),
            domain::Destination::Store(store) => Self::Store(PickupStore::new(store)),
        }
    }
}

impl PickupStore {
    fn new(store: &domain::PickupStore) -> Self {
        let reason = |reason: &domain::PickupReason| match reason {
            domain::PickupReason::HasEverything => "has_everything",
            domain::PickupReason::HasPart => "has_part",
            domain::PickupReason::TransferNeeded => "transfer_needed",
            domain::PickupReason::OpenNow => "open_now",
            domain::PickupReason::OpensLater => "opens_later",
            domain::PickupReason::StoreInContext => "store_in_context",
        };
        Self {
            id: store.id.clone(),
            name: store.name.clone(),
            address: (&store.address).into(),
            ready_at: instant::rfc3339_in(store.ready_at_ms, &store.time_zone),
            pickup_by: instant::rfc3339_in(store.pickup_by_ms, &store.time_zone),
            distance_m: store.distance_m,
            reasons: store
                .reasons
                .iter()
                .map(|own| reason(own).to_owned())
                .collect(),
            available_now: store.here_now,
            transfers: store
                .incoming
                .iter()
                .map(|incoming| IncomingTransfer::new(incoming, &store.time_zone))
                .collect(),
        }
    }
}

impl IncomingTransfer {
    fn new(incoming: &domain::Incoming, time_zone: &str) -> Self {
        let reasons = incoming.reasons.iter();
        Self {
            from: incoming.from_name.as_ref().map(|name| SendingStore {
                id: incoming.from_location_id.clone(),
                name: name.clone(),
            }),
            quantity: incoming.quantity,
            arrives_at: instant::rfc3339_in(incoming.arrives_at_ms, time_zone),
            ready_at: instant::rfc3339_in(incoming.ready_at_ms, time_zone),
            reasons: reasons.map(|reason| reason.name().to_owned()).collect(),
        }
    }
}

impl FulfillmentOption {
    fn new(option: &domain::DeliveryOption, time_zone: &str) -> Self {
        let at = |ms: Option<i64>| ms.map(|ms| instant::rfc3339_in(ms, time_zone));
        Self {
            id: option.id.clone(),
            title: option.title.clone(),
            description: PlainText {
                plain: option.description.clone(),
            },
            earliest_fulfillment_time: at(option.earliest_ms),
            latest_fulfillment_time: at(option.latest_ms),
            totals: vec![Total::new("total", "Total", option.price_minor)],
        }
    }
}

impl AvailableMethod {
    fn new(method: &domain::AvailableMethod) -> Self {
        Self {
            kind: method.kind.name().to_owned(),
            line_item_ids: method.line_ids.clone(),
            fulfillable_on: method
                .from_ms
                .map_or_else(|| "now".to_owned(), instant::rfc3339),
            description: method.description.clone(),
        }
    }
}
