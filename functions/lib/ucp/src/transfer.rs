//! Goods that one location sends to another: Aisle's own API. Instants are RFC 3339 with
//! the offset of the place where they matter.

use aisle_domain::location::Location;
use aisle_domain::transfer::{Failure, Requester, Shipment, Status};
use serde::{Deserialize, Serialize};

use crate::page::Pagination;

#[cfg(feature = "openapi")]
pub mod api;
mod request;
mod view;

pub use request::*;
pub use view::Places;

/// How goods can come to a store. Nothing was set aside for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    pub to: LocationName,
    /// One for each source that is proposed; empty when the goods cannot come.
    pub transfers: Vec<Proposal>,
    /// From when all of it can be collected, and until when it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickup_by: Option<String>,
    /// Why nothing is proposed: `no_source`, `not_enough` or `too_many_sources`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the sources lack together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortages: Vec<ShortItem>,
    /// Every place that was looked at, and why it was taken or not.
    pub sources: Vec<Source>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LocationName {
    pub location_id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Proposal {
    pub from: LocationName,
    pub lines: Vec<ProposedLine>,
    pub eta: Eta,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProposedLine {
    pub sku: String,
    pub quantity: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShortItem {
    pub sku: String,
    pub requested: i64,
    pub available: i64,
}

/// The way of the goods in instants: the first two with the source's offset, the others
/// with the destination's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Eta {
    pub picked_by: String,
    pub departs_at: String,
    pub arrives_at: String,
    /// From when they can be collected or lie on the shelf.
    pub ready_at: String,
    /// What they wait for on their way, such as `after_cut_off` or `source_closed_that_day`.
    pub reasons: Vec<String>,
}

/// A place that goods could come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    pub location_id: String,
    pub name: String,
    pub chosen: bool,
    /// Pieces of what is wanted that it could give.
    pub available: i64,
    /// Metres to the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<String>,
    /// Such as `earliest`, `not_enough`, `no_lane` or `refused_before`.
    pub reasons: Vec<String>,
}

/// A transfer as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Transfer {
    pub id: String,
    /// What people call it, such as `T-7Q4ZK-M0TCX`.
    pub number: String,
    pub status: Status,
    pub requester: Requester,
    /// Whose goods they are; absent: the destination's own.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub beneficiary: Option<Beneficiary>,
    pub from: LocationName,
    pub to: LocationName,
    pub lines: Vec<TransferLine>,
    pub eta: Eta,
    /// How the promise moved, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eta_history: Vec<EtaChange>,
    /// Every place that was looked at when the source was chosen, also those that had failed
    /// before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// The transfer in whose stead this one goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaced>,
    /// Why it does not bring all that it was to bring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When nobody has acted by then, it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why it was refused or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<Shipment>,
    pub created_at: String,
}

/// Pieces of a SKU, from the transfer's beginning:
/// shipped + surplus = in transit + received + damaged + missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransferLine {
    pub sku: String,
    pub requested: i64,
    pub shipped: i64,
    pub in_transit: i64,
    pub received: i64,
    pub damaged: i64,
    pub missing: i64,
    pub surplus: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EtaChange {
    pub at: String,
    pub ready_at_before: String,
    pub ready_at: String,
    /// For programs, such as `delayed` or `missed_departure`.
    pub reason: String,
}

/// A transfer that was dropped, from where it would have come, and why it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Replaced {
    pub id: String,
    pub from: LocationName,
    pub reason: Failure,
}

/// Answer of `POST /transfers`: one for each source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedTransfers {
    pub transfers: Vec<Transfer>,
    /// When the last of them is ready.
    pub ready_at: String,
    pub pickup_by: String,
}

/// Answer of `GET /transfers`, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransferList {
    pub transfers: Vec<Transfer>,
    pub pagination: Pagination,
}

impl LocationName {
    fn of(locations: &[Location], id: &str) -> Self {
        let known = locations.iter().find(|location| location.id == id);
        Self {
            location_id: id.into(),
            name: known.map_or_else(String::new, |location| location.name.clone()),
        }
    }
}
