//! What an account's devices keep in step with: Aisle's own API.

use serde::{Deserialize, Serialize};

use crate::cart::Cart;

#[cfg(feature = "openapi")]
pub mod api;

/// Most changes in one answer; what else there is follows with the answer's cursor.
pub const MAX_CHANGES: usize = 500;

/// Answer of `GET /sync`, and the data of the stream's events.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Synced {
    /// In the order in which they happened, each thing once, as it is now. At most 500.
    pub changes: Vec<Change>,
    /// With which to ask the next time. Good for this account alone.
    pub cursor: String,
    /// Whether more is there already.
    pub more: bool,
}

/// Something that has changed since the device asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// `cart`, `order`, `invite` or `notice`.
    pub kind: String,
    pub id: String,
    /// It is there no more: bought, canceled, expired, merged, or no longer the account's.
    pub deleted: bool,
    /// Of a cart: its ETag is the same number in quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// What it is now, unless it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<Document>,
}

/// A thing as it is now.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Document {
    /// As `GET /carts/{id}` answers it.
    Cart(Box<Cart>),
    Order(OrderSummary),
    Invite(InviteSummary),
    Notice(NoticeSummary),
}

/// Enough for a list of orders; `GET /orders/{id}` has the rest.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderSummary {
    pub id: String,
    /// What people call it.
    pub number: String,
    /// `confirmed` or `cancelled`.
    pub status: String,
    /// RFC 3339.
    pub placed_at: String,
    /// ISO 4217.
    pub currency: String,
    /// Minor units.
    pub total_minor: i64,
    /// How many lines it has.
    pub lines: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickup: Option<PickupSummary>,
}

/// How far the collection of an order has come, and what is promised.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PickupSummary {
    /// `awaiting_transfer`, `preparing`, `ready`, `collected` or `cancelled`.
    pub status: String,
    pub location_id: String,
    /// RFC 3339.
    pub ready_at: String,
    /// RFC 3339.
    pub pickup_by: String,
}

/// A link that was sent to somebody; to whom is not said.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteSummary {
    pub id: String,
    /// `order`, `cart` or `account`.
    pub scope: String,
    pub subject_id: String,
    /// `sms` or `email`.
    pub channel: String,
    /// `open`, `claimed`, `revoked` or `expired`.
    pub status: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub expires_at: String,
}

/// A text or mail to the account; what it says and where it went is not said.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoticeSummary {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// `sms` or `email`.
    pub channel: String,
    /// Names its words, such as `order_ready`.
    pub template: String,
    /// `queued`, `sending`, `sent`, `delivered`, `failed` or `suppressed`.
    pub status: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
}
