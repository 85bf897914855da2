//! What happened to an order since it was placed: as UCP's fulfillment events, and in full
//! on a route of our own, because UCP's shape has no room for moved promises and reasons.

use aisle_domain::instant;
use aisle_domain::order::{self as domain, TimelineEntry, TimelineKind};
use serde::{Deserialize, Serialize};

use super::{FulfillmentEvent, LineQuantity};

/// The latest entries that an order shows; older ones stay in the database.
pub const MAX_ENTRIES: usize = 100;

/// An entry as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub id: String,
    pub occurred_at_ms: i64,
    pub entry: TimelineEntry,
}

/// The answer of `GET /orders/{id}/timeline`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Timeline {
    pub order_id: String,
    /// The latest 100, the oldest first.
    pub entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Entry {
    pub id: String,
    /// RFC 3339, in the store's time when the order is collected at one.
    pub occurred_at: String,
    /// Such as `transfer_approved`, `moved_earlier`, `ready_for_pickup`, `picked_up`.
    pub kind: String,
    /// For the shopper.
    pub description: String,
    /// Pieces of the lines that it is about.
    pub line_items: Vec<LineQuantity>,
    /// Where it happened or is to happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_id: Option<String>,
    /// What had been promised, when the promise moved: RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at_before: Option<String>,
    /// What is promised since then: RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<String>,
    /// Why, for programs.
    pub reasons: Vec<String>,
}

impl Timeline {
    pub fn new(order: &domain::Order, recorded: &[Recorded]) -> Self {
        Self {
            order_id: order.id.clone(),
            entries: recorded.iter().map(|one| Entry::new(order, one)).collect(),
        }
    }
}

impl Entry {
    fn new(order: &domain::Order, recorded: &Recorded) -> Self {
        let entry = &recorded.entry;
        Self {
            id: recorded.id.clone(),
            occurred_at: there(order, recorded.occurred_at_ms),
            kind: entry.kind.name().to_owned(),
            description: entry.description.clone(),
            line_items: lines(order, entry),
            location_id: entry.location_id.clone(),
            ready_at_before: entry.ready_at_ms_before.map(|ms| there(order, ms)),
            ready_at: entry.ready_at_ms.map(|ms| there(order, ms)),
            reasons: entry.reasons.clone(),
        }
    }
}

impl FulfillmentEvent {
    /// `None` for what concerns the payment and not the goods.
    pub(super) fn new(order: &domain::Order, recorded: &Recorded) -> Option<Self> {
        let entry = &recorded.entry;
        let kind = match entry.kind {
            TimelineKind::InstalmentPaid
            | TimelineKind::InstalmentReminder
            | TimelineKind::PickupPersonChanged
            | TimelineKind::ReturnRequested
            | TimelineKind::Refunded
            | TimelineKind::RefundFailed => return None,
            // UCP's own words for these two.
            TimelineKind::Preparing => "processing",
            TimelineKind::Cancelled => "canceled",
            other => other.name(),
        };
        Some(Self {
            id: recorded.id.clone(),
            occurred_at: there(order, recorded.occurred_at_ms),
            kind: kind.to_owned(),
            line_items: lines(order, entry),
            description: Some(entry.description.clone()),
        })
    }
}

/// An entry without lines is about all of them.
fn lines(order: &domain::Order, entry: &TimelineEntry) -> Vec<LineQuantity> {
    let quantity = |id: &str, quantity: i64| LineQuantity {
        id: id.to_owned(),
        quantity,
    };
    if entry.lines.is_empty() {
        let all = order.lines.iter().map(|ordered| &ordered.line);
        return all.map(|line| quantity(&line.id, line.quantity)).collect();
    }
    let named = entry.lines.iter().filter(|(_, pieces)| *pieces > 0);
    named.map(|(id, pieces)| quantity(id, *pieces)).collect()
}

/// The instant on the wall of the store where the order is collected, else in UTC.
pub(super) fn there(order: &domain::Order, at_ms: i64) -> String {
    match order.pickup().map(|expected| &expected.destination) {
        Some(aisle_domain::fulfillment::Destination::Store(store)) => {
            instant::rfc3339_in(at_ms, &store.time_zone)
        }
        _ => instant::rfc3339(at_ms),
    }
}
