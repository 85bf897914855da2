//! Presence: what a shopper's device reports, and the board on which a store sees who is
//! coming. Aisle's own API.

use aisle_domain::instant::rfc3339_in;
use aisle_domain::presence::{self as domain, Signal, State};
use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
pub mod api;

/// The longest name of a version of the consent's text, in bytes.
pub const MAX_CONSENT_BYTES: usize = 64;
/// Most people on a board; the others follow as these are served.
pub const MAX_ARRIVALS: usize = 100;

/// Body of `POST /orders/{id}/presence`. Nothing else is taken: where somebody is must not
/// reach the server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PresenceReport {
    pub state: State,
    pub signal: Signal,
    /// Without it nothing is kept: 422.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
}

/// What the shopper agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Consent {
    /// The version of the text that was shown: 1 to 64 bytes.
    pub version: String,
}

/// What the store knows of whoever collects an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PresenceAnswer {
    pub order_id: String,
    /// The store.
    pub location_id: String,
    pub state: State,
    pub signal: Signal,
    /// Since when the state holds: RFC 3339 with the store's offset.
    pub since: String,
    /// When it is forgotten unless it is reported again.
    pub expires_at: String,
}

impl PresenceAnswer {
    pub fn new(
        order_id: &str,
        location_id: &str,
        known: &domain::Presence,
        time_zone: &str,
    ) -> Self {
        Self {
            order_id: order_id.into(),
            location_id: location_id.into(),
            state: known.state,
            signal: known.signal,
            since: rfc3339_in(known.since_ms, time_zone),
            expires_at: rfc3339_in(known.expires_at_ms, time_zone),
        }
    }
}

/// Answer of `GET /pos/arrivals`, and the data of the stream's events: who has arrived
/// before who is on the way, what is ready first, then who came first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Board {
    pub location_id: String,
    /// At most 100.
    pub arrivals: Vec<Arrival>,
}

/// Somebody who comes for an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Arrival {
    pub order_id: String,
    pub order_number: String,
    /// First name and initial; absent when the order has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub state: State,
    pub signal: Signal,
    /// Since when the state holds: RFC 3339 with the store's offset.
    pub since: String,
    pub pickup: ArrivalPickup,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArrivalPickup {
    /// `awaiting_transfer`, `preparing` or `ready`.
    pub status: String,
    /// From when the order was promised to lie ready: RFC 3339 with the store's offset.
    pub ready_at: String,
}
