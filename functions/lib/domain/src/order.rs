//! An order: what was bought, frozen as it was promised and paid.

use serde::{Deserialize, Deserializer, Serialize};

use crate::cancellation::CancellationPolicy;
use crate::cart::{Buyer, Line};
use crate::checkout::{OrderReference, Session};
use crate::fulfillment::{self, DeliveryOption, Destination, MethodKind};
use crate::layaway::Schedule;
use crate::plan::Plan;
use crate::policy::Policies;
use crate::returns::ReturnPolicy;
use crate::totals::Totals;
use crate::transfer::Resourced;

/// Letters and digits that nobody mistakes for one another (Crockford's base 32).
const NUMBER_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The document of table `customer_order`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// UUIDv7; who knows it may read the order.
    pub id: String,
    /// What people call it, such as `7Q4ZK-M0TCX`.
    pub number: String,
    pub checkout_session_id: String,
    /// ISO 4217.
    pub currency: String,
    pub placed_at_ms: i64,
    pub lines: Vec<OrderLine>,
    #[serde(default)]
    pub buyer: Buyer,
    pub expectations: Vec<Expectation>,
    /// Where the goods come from, and why from there: exactly what was reserved.
    pub plan: Plan,
    pub totals: Totals,
    /// The parts in which it is paid; absent: it was paid at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What was decided when a source did not keep to the plan, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resourced: Vec<Resourced>,
    /// What the brand changes afterwards does not touch it. Absent: as the brand has it now.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "understood"
    )]
    pub sold_under: Option<SoldUnder>,
}

/// The policies that an order was sold under, as far as they matter afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoldUnder {
    pub returns: ReturnPolicy,
    pub cancellation: CancellationPolicy,
}

/// Policies know all their fields; of an order that another build wrote, with others, the
/// rest can still be read.
fn understood<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SoldUnder>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(serde_json::from_value(value).ok())
}

/// What was bought and how much of it has been handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub line: Line,
    /// Pieces, at most the line's quantity.
    pub fulfilled: i64,
    /// Pieces that will not be handed over any more.
    #[serde(default, skip_serializing_if = "is_none")]
    pub cancelled: i64,
}

fn is_none(pieces: &i64) -> bool {
    *pieces == 0
}

impl OrderLine {
    /// Pieces that are still owed to the shopper.
    pub fn open(&self) -> i64 {
        self.line.quantity - self.fulfilled - self.cancelled
    }
}

/// A promise: these lines, there, then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    pub kind: MethodKind,
    pub line_ids: Vec<String>,
    pub destination: Destination,
    pub option: DeliveryOption,
}

impl Order {
    /// What can be given back, by the policy it was sold under; by `now` where it kept none.
    pub fn return_policy<'a>(&'a self, now: &'a Policies) -> &'a ReturnPolicy {
        let kept = self.sold_under.as_ref();
        kept.map_or(&now.returns, |sold_under| &sold_under.returns)
    }

    /// The same for calling it off.
    pub fn cancellation_policy<'a>(&'a self, now: &'a Policies) -> &'a CancellationPolicy {
        let kept = self.sold_under.as_ref();
        kept.map_or(&now.cancellation, |sold_under| &sold_under.cancellation)
    }

    /// Notes that nothing more of it will be handed over.
    pub fn call_off(&mut self) {
        for line in &mut self.lines {
            line.cancelled += line.open();
        }
    }

    /// The promise of collection, if the order has one.
    pub fn pickup(&self) -> Option<&Expectation> {
        self.expectations
            .iter()
            .find(|expected| expected.kind == MethodKind::Pickup)
    }

    /// Moves the promise of collection to other instants.
    pub fn move_pickup(&mut self, ready_at_ms: i64, pickup_by_ms: i64) {
        let collected = |expected: &&mut Expectation| expected.kind == MethodKind::Pickup;
        if let Some(expected) = self.expectations.iter_mut().find(collected) {
            expected.option.earliest_ms = Some(ready_at_ms);
            expected.option.latest_ms = Some(pickup_by_ms);
            if let Destination::Store(store) = &mut expected.destination {
                (store.ready_at_ms, store.pickup_by_ms) = (ready_at_ms, pickup_by_ms);
                if let Some(option) = fulfillment::pickup_options(Some(store)).pop() {
                    expected.option.description = option.description;
                }
            }
        }
    }

    /// Freezes `session` as the order `reference` of the instant `now_ms`, sold under
    /// `policies`. A method whose
    /// destination or option is not chosen promises nothing and is left out.
    pub fn place(
        reference: OrderReference,
        session_id: &str,
        session: &Session,
        policies: &Policies,
        now_ms: i64,
    ) -> Self {
        let OrderReference { id, number } = reference;
        let promised = session
            .methods
            .iter()
            .filter(|method| !method.line_ids.is_empty());
        let expectations = promised.filter_map(|method| {
            Some(Expectation {
                kind: method.kind,
                line_ids: method.line_ids.clone(),
                destination: method.destination()?.clone(),
                option: method.option()?.clone(),
            })
        });
        Self {
            id,
            number,
            checkout_session_id: session_id.to_owned(),
            currency: session.currency.clone(),
            placed_at_ms: now_ms,
            lines: session
                .lines
                .iter()
                .map(|line| OrderLine {
                    line: line.clone(),
                    fulfilled: 0,
                    cancelled: 0,
                })
                .collect(),
            buyer: session.buyer.clone(),
            expectations: expectations.collect(),
            plan: session.plan.clone(),
            totals: session.totals.clone(),
            schedule: session.agreed_schedule().cloned(),
            resourced: Vec::new(),
            sold_under: Some(SoldUnder {
                returns: policies.returns.clone(),
                cancellation: policies.cancellation.clone(),
            }),
        }
    }
}

/// What happened to an order: a document of table `order_event`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    pub kind: TimelineKind,
    /// Line id and pieces that it is about; empty: the whole order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<(String, i64)>,
    /// For the shopper, in the brand's language.
    pub description: String,
    /// Where it happened or is to happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_id: Option<String>,
    /// The promise before and after, when it moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at_ms_before: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at_ms: Option<i64>,
    /// Why, for programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

impl TimelineEntry {
    /// An entry about the whole order that says nothing but this.
    pub fn new(kind: TimelineKind, description: impl Into<String>) -> Self {
        Self {
            kind,
            lines: Vec::new(),
            description: description.into(),
            location_id: None,
            ready_at_ms_before: None,
            ready_at_ms: None,
            reasons: Vec::new(),
        }
    }
}

/// What kind of thing happened. The names are those of UCP's fulfillment events where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimelineKind {
    TransferRequested,
    TransferApproved,
    /// Refused, cancelled, expired, late or arrived short; another source may have been found.
    TransferFailed,
    InTransit,
    TransferReceived,
    /// The promise became an earlier one.
    MovedEarlier,
    /// The promise became a later one.
    MovedLater,
    Preparing,
    ReadyForPickup,
    PickedUp,
    PartiallyPickedUp,
    /// The shopper is on the way or there.
    Arriving,
    InstalmentPaid,
    InstalmentReminder,
    /// It will not be kept much longer.
    PickupReminder,
    /// It was not collected, and is not kept any more.
    NotCollected,
    Cancelled,
    /// Another person collects it.
    PickupPersonChanged,
    /// The shopper wants to give something back.
    ReturnRequested,
    /// Money went back, or could not go back the way it came.
    Refunded,
    RefundFailed,
}

impl TimelineKind {
    /// As it is written in the database and to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::TransferRequested => "transfer_requested",
            Self::TransferApproved => "transfer_approved",
            Self::TransferFailed => "transfer_failed",
            Self::InTransit => "in_transit",
            Self::TransferReceived => "transfer_received",
            Self::MovedEarlier => "moved_earlier",
            Self::MovedLater => "moved_later",
            Self::Preparing => "preparing",
            Self::ReadyForPickup => "ready_for_pickup",
            Self::PickedUp => "picked_up",
            Self::PartiallyPickedUp => "partially_picked_up",
            Self::Arriving => "arriving",
            Self::InstalmentPaid => "instalment_paid",
            Self::InstalmentReminder => "instalment_reminder",
            Self::PickupReminder => "pickup_reminder",
            Self::NotCollected => "not_collected",
            Self::Cancelled => "cancelled",
            Self::PickupPersonChanged => "pickup_person_changed",
            Self::ReturnRequested => "return_requested",
            Self::Refunded => "refunded",
            Self::RefundFailed => "refund_failed",
        }
    }
}

/// An order number of 50 random bits, easy to read out. A brand's numbers are unique by
/// constraint; these make a clash a matter of 2⁻⁵⁰ for each pair.
pub fn number(random: [u8; 10]) -> String {
    let digit = |byte: &u8| char::from(NUMBER_ALPHABET[usize::from(byte & 31)]);
    let (first, last) = random.split_at(5);
    format!(
        "{}-{}",
        first.iter().map(digit).collect::<String>(),
        last.iter().map(digit).collect::<String>()
    )
}

/// Whether `text` has the form of an order number, in capitals.
pub fn is_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |(place, byte): (usize, &u8)| match place {
        5 => *byte == b'-',
        _ => NUMBER_ALPHABET.contains(byte),
    };
    bytes.len() == 11 && bytes.iter().enumerate().all(digit)
}

/// An order of three pieces of one article, so many of them handed over.
#[cfg(test)]
pub(crate) fn three_of_one_article(fulfilled: i64) -> Order {
    serde_json::from_value(serde_json::json!({
        "id": "o", "number": "7Q4ZK-M0TCX", "checkout_session_id": "s", "currency": "EUR", "placed_at_ms": 0,
        "lines": [{"fulfilled": fulfilled, "line": {
            "id": "l1", "variant_id": "v", "sku": "A", "title": "A", "price_minor": 100, "tax_category": "",
            "requires_shipping": true, "on_sale": true, "quantity": 3,
            "amount": {"amount_minor": 300, "tax_minor": 0, "rate_ppm": 0}}}],
        "expectations": [], "plan": {"allocations": [], "reasons": []},
        "totals": {"subtotal_minor": 300, "tax_included": true, "total_minor": 300},
    }))
    .unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sold_under_a_policy_keeps_it() {
        let mut order = three_of_one_article(3);
        let mut now = Policies::default();
        now.returns.allowed = false;
        now.cancellation.allowed = false;
        assert!(!order.return_policy(&now).allowed && !order.cancellation_policy(&now).allowed);
        order.sold_under = Some(SoldUnder {
            returns: ReturnPolicy::default(),
            cancellation: CancellationPolicy::default(),
        });
        let mut stored = serde_json::to_value(&order).unwrap();
        order = serde_json::from_value(stored.clone()).unwrap();
        assert!(order.return_policy(&now).allowed && order.cancellation_policy(&now).allowed);
        stored["sold_under"]["returns"]["of_a_newer_build"] = true.into();
        order = serde_json::from_value(stored).unwrap();
        assert!(!order.return_policy(&now).allowed);
    }

    #[test]
    fn numbers_can_be_read_out() {
        assert_eq!(number([0, 1, 2, 3, 4, 5, 6, 7, 8, 255]), "01234-5678Z");
        for byte in 0..=255 {
            let text = number([byte; 10]);
            assert!(
                text.len() == 11 && !text.contains(['I', 'L', 'O', 'U']),
                "{text}"
            );
            assert!(is_number(&text));
        }
        for bad in ["", "7Q4ZK-M0TC", "7Q4ZKM0TCX1", "7q4zk-m0tcx", "ÜQ4ZK-M0TC"] {
            assert!(!is_number(bad), "{bad}");
        }
    }
}
