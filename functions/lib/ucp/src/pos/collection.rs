//! Handing orders over, and what is settled or looked into later.

use aisle_domain::order::Order;
use serde::{Deserialize, Serialize};

use crate::page::{Invalid, Pagination};

use super::{MAX_LINES, check_text};

/// Hand-overs in one settling, at most.
pub const MAX_SETTLED: usize = 50;

/// Pieces of a line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinePieces {
    pub line_id: String,
    pub quantity: i64,
}

/// What a person showed beside the pass. Never its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShownIdentification {
    pub kind: IdentificationKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum IdentificationKind {
    IdentityCard,
    Passport,
    DrivingLicence,
    /// Another document with a picture.
    Other,
}

/// Body of `POST /pos/orders/{id}/hand-over`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandOverRequest {
    /// The token that was scanned, or …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<String>,
    /// … the six characters that were typed, or …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// … why neither is needed: for somebody with the scope `approve`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
    /// What of it; absent: all that is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<LinePieces>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identification: Option<ShownIdentification>,
    /// The goods lie here although nobody has said that they are ready.
    #[serde(default)]
    pub goods_are_here: bool,
}

impl HandOverRequest {
    /// The wanted pieces by line.
    pub fn pieces(&self) -> Result<Vec<(String, i64)>, Invalid> {
        if let Some(reason) = &self.override_reason {
            check_text("$.override_reason", reason)?;
        }
        pieces("$.lines", self.lines.as_deref().unwrap_or_default())
    }
}

fn pieces(path: &str, lines: &[LinePieces]) -> Result<Vec<(String, i64)>, Invalid> {
    if lines.len() > MAX_LINES {
        return Err(Invalid::new("too_many_lines", path, "at most 100"));
    }
    let pieces = |line: &LinePieces| (line.line_id.clone(), line.quantity);
    Ok(lines.iter().map(pieces).collect())
}

/// Goods that left with a shopper.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandedOver {
    pub id: String,
    pub order_id: String,
    pub lines: Vec<LinePieces>,
    /// Nothing is left to collect.
    pub complete: bool,
}

/// Body of `POST /pos/hand-overs/settle`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettleRequest {
    /// In the order in which they were made; 50 at most.
    pub hand_overs: Vec<OfflineHandOver>,
}

/// A hand-over that a till made while it was offline.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OfflineHandOver {
    /// UUIDv7 that the till gave it: settling it again changes nothing.
    pub id: String,
    /// The token whose signature the till verified.
    pub pass: String,
    /// When, by the till's clock: RFC 3339.
    pub handed_at: String,
    /// Its place among what the till did offline, within 0 and 2^53 - 1: each number once.
    pub sequence: i64,
    /// Who made it; absent: who settles it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<MadeBy>,
    /// What was shown beside the pass, where the brand's policy asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identification: Option<ShownIdentification>,
    /// What of it; absent: all that was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<LinePieces>>,
}

/// Who handed over while nobody could check that they were signed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MadeBy {
    pub staff_id: String,
    pub known_by: KnownBy,
}

/// How the till knew who it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum KnownBy {
    /// Signed on before the till went offline.
    Session,
    /// A badge was scanned.
    Scanned,
    /// They said so.
    Declared,
}

impl OfflineHandOver {
    /// The wanted pieces by line.
    pub fn pieces(&self) -> Result<Vec<(String, i64)>, Invalid> {
        pieces("$.lines", self.lines.as_deref().unwrap_or_default())
    }
}

/// Answer of `POST /pos/hand-overs/settle`, in the order of the request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettleAnswer {
    pub results: Vec<Settled>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settled {
    pub id: String,
    /// `settled`, `already_settled`, `incident` (it was handed over before, or should not
    /// have been, or not so: somebody must look into it) or `refused` (no hand-over of this
    /// till at all).
    pub result: String,
    /// Whether the goods have left the books, also by a hand-over that is an incident.
    pub booked: bool,
    /// Why, for programs: such as `already_used`, `expired`, `settled_late`,
    /// `over_offline_limit`, `identification_needed`, `unknown_staff`, `sequence_taken`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_id: Option<String>,
}

/// Something that a person must look into.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Incident {
    pub id: String,
    pub kind: String,
    pub subject_type: String,
    pub subject_id: String,
    /// What is known.
    pub details: serde_json::Value,
    /// RFC 3339, in the store's time.
    pub created_at: String,
}

/// Answer of `GET /pos/incidents`: what is open, the oldest first, 100 at most.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentList {
    pub incidents: Vec<Incident>,
}

/// Body of `POST /pos/incidents/{id}/resolve`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResolveRequest {
    /// What was found out; kept in the audit trail.
    pub note: String,
}

/// An order as a till sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CollectionView {
    pub id: String,
    pub number: String,
    /// Of the collection: `awaiting_transfer`, `preparing`, `ready`, `collected` or
    /// `cancelled`; absent: the order is not collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Where it is collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_id: Option<String>,
    /// RFC 3339, in this store's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickup_by: Option<String>,
    /// Whom to ask for.
    pub buyer: String,
    /// Who collects it instead, as the shopper said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickup_person: Option<String>,
    pub lines: Vec<CollectionLine>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CollectionLine {
    pub id: String,
    pub sku: String,
    pub title: String,
    pub quantity: i64,
    /// Pieces that were handed over.
    pub fulfilled: i64,
}

impl CollectionView {
    /// An order without what is known of its collection.
    pub fn new(order: &Order) -> Self {
        let names = [&order.buyer.first_name, &order.buyer.last_name];
        let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        Self {
            id: order.id.clone(),
            number: order.number.clone(),
            status: None,
            location_id: None,
            ready_at: None,
            pickup_by: None,
            buyer: names.join(" "),
            pickup_person: None,
            lines: order
                .lines
                .iter()
                .map(|one| CollectionLine {
                    id: one.line.id.clone(),
                    sku: one.line.sku.clone(),
                    title: one.line.title.clone(),
                    quantity: one.line.quantity,
                    fulfilled: one.fulfilled,
                })
                .collect(),
        }
    }
}

/// An entry of the audit trail.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    pub id: String,
    /// RFC 3339, in the store's time.
    pub at: String,
    pub staff_id: String,
    pub device_id: String,
    /// Such as `order.handed_over`.
    pub action: String,
    pub subject_type: String,
    pub subject_id: String,
    pub details: serde_json::Value,
}

/// Answer of `GET /pos/audit`: of the own location, the latest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditTrail {
    pub entries: Vec<AuditEntry>,
    pub pagination: Pagination,
}
