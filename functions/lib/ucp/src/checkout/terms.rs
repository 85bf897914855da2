//! When a checkout is paid (`payment_terms.json`).

use aisle_domain::checkout::Session;
use aisle_domain::fulfillment::{Destination, Method};
use aisle_domain::instant::rfc3339_in;
use aisle_domain::layaway::{Part, Schedule};
use aisle_domain::payment_terms::Term;
use serde::{Deserialize, Serialize};

use crate::cart::text_opt;

/// The extension that offers payment terms.
pub const TERMS_CAPABILITY: &str = "dev.ucp.shopping.payment_terms";

/// The choice of a term (`payment_terms.json`, `payment`, of an update).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TermChoice {
    /// One of the checkout's `payment.terms[].id`.
    #[serde(default, deserialize_with = "text_opt")]
    pub selected_term_id: Option<String>,
}

/// The terms on offer (`payment_terms.json`, `payment`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckoutPayment {
    pub terms: Vec<PaymentTerm>,
    pub selected_term_id: String,
}

/// The term that was accepted (`payment_terms.json`, `order_payment`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderPayment {
    pub accepted_term: PaymentTerm,
}

/// `types/payment_term.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentTerm {
    pub id: String,
    pub title: String,
    /// For people.
    pub description: TermText,
    /// One for each payment.
    pub schedules: Vec<PaymentSchedule>,
}

/// `types/payment_schedule.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentSchedule {
    pub id: String,
    /// `immediate`: at completion; `deferred`: at `due_at`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When this is due, in full.
    pub description: TermText,
    /// RFC 3339, in the store's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// Minor units of the checkout's currency.
    pub amount: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TermText {
    pub plain: String,
}

impl CheckoutPayment {
    /// Nothing where all is paid at once anyway.
    pub fn new(session: &Session) -> Option<Self> {
        let terms = session.payment_terms.as_ref()?;
        let place = session.methods.iter().find_map(Method::destination);
        let pay_now = PaymentTerm {
            id: Term::PayNow.id().to_owned(),
            title: "Pay now".to_owned(),
            description: "Pay everything now and collect it as soon as it is ready.".into(),
            schedules: vec![immediate(session.totals.total_minor)],
        };
        Some(Self {
            terms: vec![pay_now, PaymentTerm::layaway(&terms.schedule, place)],
            selected_term_id: terms.selected.id().to_owned(),
        })
    }
}

impl PaymentTerm {
    /// The layaway with this schedule, of goods that are kept at `place`.
    pub fn layaway(schedule: &Schedule, place: Option<&Destination>) -> Self {
        let time_zone = match place {
            Some(Destination::Store(store)) => &store.time_zone,
            _ => "UTC",
        };
        let last = rfc3339_in(schedule.deadline_ms, time_zone);
        let part = |part: &Part| match part.position {
            1 => immediate(part.amount_minor),
            _ => deferred(part, time_zone),
        };
        Self {
            id: Term::Layaway.id().to_owned(),
            title: "Layaway".to_owned(),
            description: format!(
                "Pay a part now and the rest by {}. The store keeps the goods for you and hands them over when all is paid.",
                day(&last)
            )
            .as_str()
            .into(),
            schedules: schedule.parts.iter().map(part).collect(),
        }
    }
}

fn immediate(amount: i64) -> PaymentSchedule {
    PaymentSchedule {
        id: "part_1".to_owned(),
        kind: "immediate".to_owned(),
        description: "Due now, when you place the order.".into(),
        due_at: None,
        amount,
    }
}

fn deferred(part: &Part, time_zone: &str) -> PaymentSchedule {
    let due_at = rfc3339_in(part.due_at_ms, time_zone);
    PaymentSchedule {
        id: format!("part_{}", part.position),
        kind: "deferred".to_owned(),
        description: format!("Due on {}.", day(&due_at)).as_str().into(),
        due_at: Some(due_at),
        amount: part.amount_minor,
    }
}

/// The date of an instant in RFC 3339.
fn day(instant: &str) -> &str {
    instant.get(..10).unwrap_or(instant)
}

impl From<&str> for TermText {
    fn from(plain: &str) -> Self {
        Self {
            plain: plain.to_owned(),
        }
    }
}
