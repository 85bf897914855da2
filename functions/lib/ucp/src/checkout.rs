//! Checkout sessions (`shopping/checkout.json`) with fulfillment, and how they are paid.

#[cfg(feature = "openapi")]
pub mod api;
mod fulfillment;
mod payment;
mod terms;

use aisle_domain::checkout as domain;
use aisle_domain::notice::{Notice, Refusal};
use aisle_domain::{brand, instant};
use serde::{Deserialize, Serialize};

pub use fulfillment::*;
pub use payment::*;
pub use terms::*;

use crate::cart::{
    self, Buyer, BuyerContext, LineItem, LineItemRequest, Link, Total, check_currencies,
    line_requests, text_opt,
};
use crate::envelope::{Message, Ucp};

/// The capability that checkout answers declare.
pub const CAPABILITY: &str = "dev.ucp.shopping.checkout";
/// The extension that adds shipping and pickup to it.
pub const FULFILLMENT_CAPABILITY: &str = "dev.ucp.shopping.fulfillment";

/// Create or replace a checkout session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckoutRequest {
    /// On create: take lines, buyer and context from this cart, whatever else is sent.
    #[serde(default, deserialize_with = "text_opt")]
    pub cart_id: Option<String>,
    /// All lines. At most 100.
    #[serde(default)]
    pub line_items: Option<Vec<LineItemRequest>>,
    #[serde(default)]
    pub buyer: Option<Buyer>,
    #[serde(default)]
    pub context: Option<BuyerContext>,
    #[serde(default)]
    pub fulfillment: Option<FulfillmentRequest>,
    /// May be named, but only as what it is anyway: the brand's currency (ISO 4217).
    #[serde(default, deserialize_with = "text_opt")]
    pub currency: Option<String>,
    /// A hold of the shopper's own: what it keeps does not stand in the shopper's way. The
    /// purchase ends it, and what of it is not bought goes back to the shelf.
    #[serde(default, deserialize_with = "text_opt")]
    pub hold_id: Option<String>,
    /// On update: the payment term that is chosen.
    #[serde(default)]
    pub payment: Option<TermChoice>,
}

/// A checkout session as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checkout {
    pub ucp: Ucp,
    pub id: String,
    /// `incomplete`, `ready_for_complete`, `complete_in_progress`, `completed` or `canceled`.
    pub status: String,
    pub line_items: Vec<LineItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<BuyerContext>,
    /// ISO 4217.
    pub currency: String,
    pub totals: Vec<Total>,
    pub fulfillment: CheckoutFulfillment,
    /// Where there is a choice of when to pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<CheckoutPayment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    pub links: Vec<Link>,
    /// RFC 3339.
    pub expires_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderConfirmation>,
}

/// The order that came of a checkout (`types/order_confirmation.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderConfirmation {
    pub id: String,
    /// What people call it.
    pub label: String,
    pub permalink_url: String,
}

impl CheckoutRequest {
    /// What the domain makes of it, its `cart_id` apart. Refused: no lines at all, a
    /// currency that is not the brand's, a fulfillment type that nobody serves.
    pub fn into_domain(self, brand: &brand::Brand) -> Result<domain::CheckoutRequest, Refusal> {
        check_currencies(self.currency.as_deref(), self.context.as_ref(), brand)?;
        Ok(domain::CheckoutRequest {
            lines: line_requests(self.line_items)?,
            buyer: self.buyer.unwrap_or_default().into(),
            context: self.context.unwrap_or_default().into(),
            methods: self.fulfillment.unwrap_or_default().into_domain()?,
            payment_term: self.payment.and_then(|choice| choice.selected_term_id),
            hold_id: self.hold_id,
        })
    }
}

/// What a checkout's answer needs beside the session.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub id: &'a str,
    pub status: domain::Status,
    pub brand: &'a brand::Brand,
    pub expires_at_ms: i64,
    /// Scheme and authority of the request, for the order's permalink.
    pub origin: &'a str,
}

impl Checkout {
    pub fn new(view: View, session: &domain::Session) -> Self {
        let included = view.brand.prices_include_tax;
        let shown = |order: &domain::OrderReference| OrderConfirmation {
            id: order.id.clone(),
            label: order.number.clone(),
            permalink_url: crate::order::permalink(view.origin, &order.id),
        };
        let completed = view.status == domain::Status::Completed;
        let payment = CheckoutPayment::new(session);
        let mut capabilities = vec![CAPABILITY, FULFILLMENT_CAPABILITY];
        capabilities.extend(payment.as_ref().map(|_| TERMS_CAPABILITY));
        Self {
            ucp: Ucp {
                payment_handlers: Some(payment_handlers()),
                ..Ucp::success(&capabilities)
            },
            id: view.id.to_owned(),
            status: view.status.name().to_owned(),
            line_items: session
                .lines
                .iter()
                .map(|line| LineItem::new(line, included))
                .collect(),
            buyer: cart::buyer(&session.buyer),
            context: cart::context(&session.context),
            currency: session.currency.clone(),
            totals: cart::totals(&session.totals, "Total"),
            fulfillment: CheckoutFulfillment::new(&session.methods, &session.available_methods),
            payment,
            messages: session.notices.iter().map(cart::message).collect(),
            links: cart::links(view.brand),
            expires_at: instant::rfc3339(view.expires_at_ms),
            order: session.order.as_ref().filter(|_| completed).map(shown),
        }
    }

    /// Adds remarks about this request only, which are not kept.
    pub fn with(mut self, notices: &[Notice]) -> Self {
        self.messages.extend(notices.iter().map(cart::message));
        self
    }
}
