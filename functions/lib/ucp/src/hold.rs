//! Holds and the pull list: Aisle's own API.

#[cfg(feature = "openapi")]
pub mod api;

use aisle_domain::hold as domain;
use aisle_domain::instant::rfc3339_in;
use aisle_domain::location::Location;
use serde::{Deserialize, Serialize};

use crate::cart::{text, text_opt};
use crate::page::Pagination;

/// Body of `POST /holds`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HoldRequest {
    /// 1 to 20; the brand's policy says how many units in all.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 20))]
    pub items: Vec<HeldUnits>,
    /// The store that is to keep them.
    #[serde(deserialize_with = "text")]
    pub location_id: String,
    pub contact: HoldContact,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldUnits {
    #[serde(deserialize_with = "text")]
    pub sku: String,
    /// At least 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub quantity: i64,
}

/// Who is to be told: a phone number, an email address, or both.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HoldContact {
    /// 1 to 100 characters.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// E.164.
    #[serde(default, deserialize_with = "text_opt")]
    pub phone_number: Option<String>,
    #[serde(default, deserialize_with = "text_opt")]
    pub email: Option<String>,
}

/// A person's name and number belong in no log.
impl std::fmt::Debug for HoldContact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("HoldContact")
            .finish_non_exhaustive()
    }
}

impl From<HoldContact> for domain::Contact {
    fn from(contact: HoldContact) -> Self {
        Self {
            name: contact.name,
            phone_number: contact.phone_number,
            email: contact.email,
        }
    }
}

/// Body of `POST /holds/{id}/not-found`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotFoundRequest {
    /// What is missing of what is held: 1 to 20.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 20))]
    pub lines: Vec<HeldUnits>,
    /// As many units of this SKU are kept in their place.
    #[serde(default, deserialize_with = "text_opt")]
    pub substitute_sku: Option<String>,
}

/// Body of `POST /holds/pickups/{order_id}/not-found`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PickupNotFoundRequest {
    /// What is missing of the order: 1 to 20.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 20))]
    pub lines: Vec<HeldUnits>,
}

/// A hold as it stands. Its contact is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hold {
    pub id: String,
    /// What people call it, such as `H-7Q4ZK-M0TCX`.
    pub number: String,
    /// `requested`, `pulled`, `converted`, `released` or `expired`.
    pub status: String,
    pub location: HoldPlace,
    /// What is kept; nothing any more once it is over.
    pub items: Vec<KeptItem>,
    /// What was not found, and what is kept in its place.
    pub changes: Vec<HoldChange>,
    /// RFC 3339, in the store's time, as all instants here.
    pub created_at: String,
    /// By when the store means to have the goods at the till.
    pub ready_at: String,
    /// Until when they are kept.
    pub expires_at: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HoldPlace {
    pub id: String,
    pub code: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeptItem {
    pub sku: String,
    pub title: String,
    /// Units.
    pub quantity: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HoldChange {
    pub missing: KeptItem,
    /// Absent: nothing is kept in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub substitute: Option<KeptItem>,
    pub at: String,
}

/// What a hold's answer is made of beside its document.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub id: &'a str,
    pub number: &'a str,
    pub status: domain::Status,
    pub location: &'a Location,
    pub created_at_ms: i64,
    pub expires_at_ms: i64,
}

impl Hold {
    pub fn new(view: View, hold: &domain::Hold) -> Self {
        let there = |at_ms| rfc3339_in(at_ms, &view.location.time_zone);
        let kept = view.status.is_open() || view.status == domain::Status::Converted;
        let change = |change: &domain::Change| HoldChange {
            missing: (&change.missing).into(),
            substitute: change.substitute.as_ref().map(Into::into),
            at: there(change.at_ms),
        };
        Self {
            id: view.id.to_owned(),
            number: view.number.to_owned(),
            status: view.status.name().to_owned(),
            location: HoldPlace {
                id: view.location.id.clone(),
                code: view.location.code.clone(),
                name: view.location.name.clone(),
            },
            items: hold.lines.iter().filter(|_| kept).map(Into::into).collect(),
            changes: hold.changes.iter().map(change).collect(),
            created_at: there(view.created_at_ms),
            ready_at: there(hold.ready_at_ms),
            expires_at: there(view.expires_at_ms),
        }
    }
}

impl From<&domain::HoldLine> for KeptItem {
    fn from(line: &domain::HoldLine) -> Self {
        Self {
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
        }
    }
}

/// Answer of `GET /holds/pull-list`: what is to be taken off the shelves of a store, the
/// most urgent first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PullList {
    pub tasks: Vec<PullTask>,
    pub pagination: Pagination,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PullTask {
    /// `hold` or `order`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Of the hold or the order.
    pub id: String,
    pub number: String,
    /// What to write on the bag: the name that the shopper gave.
    pub name: String,
    pub items: Vec<KeptItem>,
    /// Units in all.
    pub units: i64,
    /// When it was promised to lie ready: RFC 3339, in the store's time.
    pub due_at: String,
    /// Until when it is kept.
    pub keep_until: String,
}

/// An order's collection as it stands: answer of the routes below `/holds/pickups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PickupState {
    pub order_id: String,
    pub number: String,
    /// `preparing` or `ready`.
    pub status: String,
    pub location_id: String,
    /// RFC 3339, in the store's time.
    pub ready_at: String,
    pub pickup_by: String,
}

/// Answer of a housekeeping run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HousekeepingRun {
    /// Holds and layaways that were moved on.
    pub settled: usize,
    /// Whether the run stopped at its limit, so that some may be left.
    pub more: bool,
}
