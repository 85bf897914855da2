//! What a scanner read, and what can be done with it now.

use aisle_domain::barcode::Measure;
use serde::{Deserialize, Serialize};

use super::CollectionView;

/// Body of `POST /pos/scan`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScannedText {
    /// As the scanner sent it or somebody typed it, 1,000 bytes at most.
    pub text: String,
}

/// What it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Scanned {
    /// `order`, `item`, `transfer`, `hold`, `customer`, `cart` or `checkout`: the member of
    /// this name says more.
    pub kind: String,
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<CollectionView>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ScannedItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<ScannedDocument>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<ScannedDocument>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<ScannedCustomer>,
    pub actions: Vec<Action>,
}

/// Something to do with what was scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Action {
    /// Such as `hand_over`, `sell`, `receive`, `convert`, `continue`.
    pub name: String,
    pub method: String,
    pub path: String,
    /// Whether it would be done now, by this person at this till.
    pub possible: bool,
    /// Why not, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An article and where it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScannedItem {
    pub sku: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    pub title: String,
    /// Minor units of the brand's currency.
    pub price_minor: i64,
    pub currency: String,
    /// Units on this shelf that nobody holds.
    pub available_here: i64,
    /// Units that all other locations can promise.
    pub available_elsewhere: i64,
    /// The one piece, where its symbol says which (GS1 AI 21).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The weight or the price that the label of this piece says, by the brand's
    /// `policies.scanning.measures`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
}

/// A transfer or a hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScannedDocument {
    pub number: String,
    pub status: String,
    /// Where it is held or where it comes from.
    pub location_id: String,
    /// Where a transfer goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_location_id: Option<String>,
}

/// Somebody who showed who they are: no more of them than it takes to serve them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScannedCustomer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Their orders that lie ready at this store, the longest ready first, 20 at most.
    pub ready_orders: Vec<ReadyOrder>,
    /// The cart that they have begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadyOrder {
    pub id: String,
    pub number: String,
}

impl Scanned {
    /// An answer that says no more than what it is.
    pub fn new(kind: &str, id: &str, actions: Vec<Action>) -> Self {
        Self {
            kind: kind.into(),
            id: id.into(),
            order: None,
            item: None,
            transfer: None,
            hold: None,
            customer: None,
            actions,
        }
    }
}

impl Action {
    /// `reason`: why it is not possible.
    pub fn post(name: &str, path: String, reason: Option<&str>) -> Self {
        Self {
            name: name.into(),
            method: "POST".into(),
            path,
            possible: reason.is_none(),
            reason: reason.map(Into::into),
        }
    }
}
