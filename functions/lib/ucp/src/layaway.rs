//! Layaways after the purchase: Aisle's own API. The choice at the checkout is UCP's
//! `payment_terms`.

#[cfg(feature = "openapi")]
pub mod api;

use aisle_domain::instant::rfc3339_in;
use aisle_domain::layaway::{Settlement, Status};
use serde::{Deserialize, Serialize};

use crate::checkout::PaymentRequest;

/// Body of `POST /layaways/{order_id}/payments`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartPaymentRequest {
    /// Which part, from 1: must be the next one that is due, which it is when absent.
    #[serde(default)]
    pub position: Option<i64>,
    /// As at the completion of a checkout.
    pub payment: PaymentRequest,
}

/// Minor units of an ISO 4217 currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Money {
    pub amount: i64,
    pub currency: String,
}

/// A layaway as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Layaway {
    pub order_id: String,
    /// What people call the order.
    pub number: String,
    /// `active`, `paid`, `cancelled` or `defaulted`.
    pub status: String,
    pub total: Money,
    pub paid: Money,
    /// The deposit first.
    pub instalments: Vec<LayawayPart>,
    /// The position of the part that is to be paid next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_position: Option<i64>,
    /// Until when the last part can be paid: RFC 3339, in the store's time, as all instants here.
    pub deadline: String,
    /// What ending it costs: what it would while it is active, what it did when it was ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<LayawaySettlement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LayawayPart {
    pub position: i64,
    pub due_at: String,
    pub amount: Money,
    /// `due`, `paid` or `cancelled`.
    pub status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LayawaySettlement {
    /// Kept of what was paid.
    pub fee: Money,
    /// Given back.
    pub refund: Money,
}

/// A part as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartView {
    pub position: i64,
    pub due_at_ms: i64,
    pub amount_minor: i64,
    pub status: String,
}

/// What a layaway's answer is made of.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub order_id: &'a str,
    pub number: &'a str,
    pub status: Status,
    pub currency: &'a str,
    pub total_minor: i64,
    pub parts: &'a [PartView],
    pub deadline_ms: i64,
    pub settlement: Option<Settlement>,
    /// IANA name.
    pub time_zone: &'a str,
}

impl Layaway {
    pub fn new(view: View) -> Self {
        let there = |at_ms| rfc3339_in(at_ms, view.time_zone);
        let money = |amount| Money {
            amount,
            currency: view.currency.to_owned(),
        };
        let of = |status: &'static str| view.parts.iter().filter(move |part| part.status == status);
        let part = |part: &PartView| LayawayPart {
            position: part.position,
            due_at: there(part.due_at_ms),
            amount: money(part.amount_minor),
            status: part.status.clone(),
        };
        Self {
            order_id: view.order_id.to_owned(),
            number: view.number.to_owned(),
            status: view.status.name().to_owned(),
            total: money(view.total_minor),
            paid: money(of("paid").map(|part| part.amount_minor).sum()),
            instalments: view.parts.iter().map(part).collect(),
            next_position: of("due").map(|part| part.position).min(),
            deadline: there(view.deadline_ms),
            cancellation: view.settlement.map(|settlement| LayawaySettlement {
                fee: money(settlement.fee_minor),
                refund: money(settlement.refund_due_minor),
            }),
        }
    }
}
