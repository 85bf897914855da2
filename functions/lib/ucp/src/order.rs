//! Orders (`shopping/order.json`).

pub mod actions;
#[cfg(feature = "openapi")]
pub mod api;
mod timeline;

use aisle_domain::fulfillment::{self, MethodKind};
use aisle_domain::instant;
use aisle_domain::order as domain;
use aisle_domain::pass::PickupStatus;
use serde::{Deserialize, Serialize};

use crate::cart::{self, Item, Total};
use crate::checkout::{OrderPayment, PaymentTerm, PostalAddress, TERMS_CAPABILITY};
use crate::envelope::Ucp;

pub use timeline::{Entry, MAX_ENTRIES, Recorded, Timeline};

/// The capability that order answers declare.
pub const CAPABILITY: &str = "dev.ucp.shopping.order";

/// An order as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Order {
    pub ucp: Ucp,
    pub id: String,
    /// What people call it.
    pub label: String,
    pub checkout_id: String,
    pub permalink_url: String,
    /// When it was placed: RFC 3339.
    pub placed_at: String,
    pub line_items: Vec<OrderLineItem>,
    pub fulfillment: OrderFulfillment,
    /// How far the collection has come, of an order that is collected at a store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickup: Option<Pickup>,
    /// Refunds, returns and other changes after the purchase.
    pub adjustments: Vec<Adjustment>,
    /// ISO 4217.
    pub currency: String,
    pub totals: Vec<Total>,
    /// Where it is paid in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<OrderPayment>,
}

/// `types/order_line_item.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderLineItem {
    pub id: String,
    pub item: Item,
    pub quantity: OrderQuantity,
    pub totals: Vec<Total>,
    /// `processing`, `partial`, `fulfilled` or `removed`.
    pub status: String,
}

/// Pieces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderQuantity {
    pub original: i64,
    pub total: i64,
    pub fulfilled: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderFulfillment {
    /// What was promised.
    pub expectations: Vec<Expectation>,
    /// What happened: the latest 100, the oldest first.
    pub events: Vec<FulfillmentEvent>,
}

/// The collection of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pickup {
    /// `awaiting_transfer`, `preparing`, `ready`, `collected` or `cancelled`.
    pub status: String,
    pub location_id: String,
    /// From when the goods can be collected, as promised now: RFC 3339, in the store's time.
    pub ready_at: String,
    /// Until when they are kept: RFC 3339, in the store's time.
    pub pickup_by: String,
}

/// A promise (`types/expectation.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Expectation {
    pub id: String,
    pub line_items: Vec<LineQuantity>,
    /// `shipping` or `pickup`.
    pub method_type: String,
    /// Of a pickup, the store's address.
    pub destination: PostalAddress,
    pub description: String,
    /// `now`, or RFC 3339.
    pub fulfillable_on: String,
    /// Where to collect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<ExpectedStore>,
    /// From when the goods can be collected: RFC 3339, in the store's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<String>,
    /// Until when they are kept: RFC 3339, in the store's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickup_by: Option<String>,
    /// Latest day of delivery: RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver_by: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExpectedStore {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineQuantity {
    /// Id of the line.
    pub id: String,
    /// Pieces.
    pub quantity: i64,
}

/// `types/fulfillment_event.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FulfillmentEvent {
    pub id: String,
    /// RFC 3339.
    pub occurred_at: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub line_items: Vec<LineQuantity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// `types/adjustment.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Adjustment {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// RFC 3339.
    pub occurred_at: String,
    /// `pending`, `completed` or `failed`.
    pub status: String,
    /// What the payer has more (positive) or less to pay.
    pub totals: Vec<Total>,
    /// Why.
    pub description: String,
}

/// Money that is owed to the payer or went back, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    pub id: String,
    /// `due`, `paid` or `refused`.
    pub status: String,
    pub amount_minor: i64,
    pub requested_at_ms: i64,
    /// The decision, such as `not_collected`.
    pub decision: String,
}

/// Where the shopper sees the order, on the brand's own page. `origin` is scheme and authority.
pub fn permalink(origin: &str, order_id: &str) -> String {
    format!("{origin}/my/orders/{order_id}")
}

impl Order {
    pub fn new(order: &domain::Order, origin: &str) -> Self {
        let included = order.totals.tax_included;
        let promised = order.expectations.iter().enumerate();
        Self {
            ucp: match order.schedule {
                Some(_) => Ucp::success(&[CAPABILITY, TERMS_CAPABILITY]),
                None => Ucp::success(&[CAPABILITY]),
            },
            id: order.id.clone(),
            label: order.number.clone(),
            checkout_id: order.checkout_session_id.clone(),
            permalink_url: permalink(origin, &order.id),
            placed_at: instant::rfc3339(order.placed_at_ms),
            line_items: order
                .lines
                .iter()
                .map(|line| OrderLineItem::new(line, included))
                .collect(),
            fulfillment: OrderFulfillment {
                expectations: promised
                    .map(|(index, one)| Expectation::new(index, one, order))
                    .collect(),
                events: Vec::new(),
            },
            pickup: None,
            adjustments: Vec::new(),
            currency: order.currency.clone(),
            totals: cart::totals(&order.totals, "Total"),
            payment: order.schedule.as_ref().map(|schedule| OrderPayment {
                accepted_term: PaymentTerm::layaway(
                    schedule,
                    order.pickup().map(|expected| &expected.destination),
                ),
            }),
        }
    }

    /// Adds what happened since, the oldest first.
    pub fn with_events(mut self, order: &domain::Order, recorded: &[Recorded]) -> Self {
        let events = recorded.iter();
        self.fulfillment.events = events
            .filter_map(|one| FulfillmentEvent::new(order, one))
            .collect();
        self
    }

    /// Adds how far the collection has come, and between which instants it is possible.
    pub fn with_pickup(
        mut self,
        order: &domain::Order,
        status: PickupStatus,
        location_id: &str,
        (ready_at_ms, pickup_by_ms): (i64, i64),
    ) -> Self {
        self.pickup = Some(Pickup {
            status: status.name().to_owned(),
            location_id: location_id.to_owned(),
            ready_at: timeline::there(order, ready_at_ms),
            pickup_by: timeline::there(order, pickup_by_ms),
        });
        self
    }
}

impl Order {
    /// Adds what goes back to the payer.
    pub fn with_refunds(mut self, order: &domain::Order, refunds: &[Refund]) -> Self {
        let shown = |refund: &Refund| Adjustment::new(order, refund);
        self.adjustments.extend(refunds.iter().map(shown));
        self
    }
}

impl Adjustment {
    fn new(order: &domain::Order, refund: &Refund) -> Self {
        Self {
            id: refund.id.clone(),
            kind: "refund".to_owned(),
            occurred_at: timeline::there(order, refund.requested_at_ms),
            status: match refund.status.as_str() {
                "paid" => "completed",
                "refused" => "failed",
                _ => "pending",
            }
            .to_owned(),
            totals: vec![Total::new("total", "Refund", -refund.amount_minor)],
            description: refund.decision.replace('_', " "),
        }
    }
}

impl OrderLineItem {
    fn new(ordered: &domain::OrderLine, tax_included: bool) -> Self {
        let (line, fulfilled) = (&ordered.line, ordered.fulfilled);
        let total = line.quantity - ordered.cancelled;
        let status = match fulfilled {
            _ if total == 0 => "removed",
            0 => "processing",
            some if some < total => "partial",
            _ => "fulfilled",
        };
        Self {
            id: line.id.clone(),
            item: Item::new(line),
            quantity: OrderQuantity {
                original: line.quantity,
                total,
                fulfilled,
            },
            totals: cart::line_totals(&line.amount, tax_included),
            status: status.to_owned(),
        }
    }
}

impl Expectation {
    fn new(index: usize, expected: &domain::Expectation, order: &domain::Order) -> Self {
        let lines = order.lines.iter().map(|ordered| &ordered.line);
        let named = lines.filter(|line| expected.line_ids.contains(&line.id));
        let quantity = |line: &aisle_domain::cart::Line| LineQuantity {
            id: line.id.clone(),
            quantity: line.quantity,
        };
        let store = match &expected.destination {
            fulfillment::Destination::Store(store) => Some(store),
            fulfillment::Destination::Address(_) => None,
        };
        let there = |ms: i64| {
            store.map_or_else(
                || instant::rfc3339(ms),
                |store| instant::rfc3339_in(ms, &store.time_zone),
            )
        };
        let (earliest, latest) = (
            expected.option.earliest_ms.map(there),
            expected.option.latest_ms.map(there),
        );
        let collected = expected.kind == MethodKind::Pickup;
        Self {
            id: format!("expectation_{}", index + 1),
            line_items: named.map(quantity).collect(),
            method_type: expected.kind.name().to_owned(),
            destination: match &expected.destination {
                fulfillment::Destination::Store(store) => (&store.address).into(),
                fulfillment::Destination::Address(address) => address.into(),
            },
            description: expected.option.description.clone(),
            fulfillable_on: earliest
                .clone()
                .filter(|_| collected)
                .unwrap_or_else(|| "now".to_owned()),
            location: store.map(|store| ExpectedStore {
                id: store.id.clone(),
                name: store.name.clone(),
            }),
            ready_at: earliest.filter(|_| collected),
            pickup_by: latest.clone().filter(|_| collected),
            deliver_by: latest.filter(|_| !collected),
        }
    }
}
