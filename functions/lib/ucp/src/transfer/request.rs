//! What is asked for: the bodies of requests, with what the shape alone cannot check.

use aisle_domain::cart::MAX_QUANTITY;
use aisle_domain::geo::Degrees;
use aisle_domain::gtin::{Gtin, GtinError};
use aisle_domain::instant;
use aisle_domain::transfer::counts::Line;
use serde::{Deserialize, Serialize};

use crate::page::{Invalid, MAX_TEXT_BYTES, check_length};

/// Items of a request, at most.
pub const MAX_ITEMS: usize = 50;
/// Longest note or reason, in bytes.
pub const MAX_NOTE_BYTES: usize = 500;

/// An item and how many of it. Exactly one of `id`, `sku` and `gtin` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WantedItem {
    /// What a cart takes as `item.id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// GTIN-8, -12, -13 or -14 with its check digit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    /// 1 to 999 pieces.
    pub quantity: i64,
}

/// Where the goods are wanted: exactly one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Place {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_id: Option<String>,
    /// `latitude,longitude` in decimal degrees: the nearest store that hands over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<String>,
}

/// Body of `POST /transfers/quote`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuoteRequest {
    /// At most 50; several that name the same article are summed.
    pub items: Vec<WantedItem>,
    pub to: Place,
}

/// Body of `POST /transfers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateRequest {
    /// Whose goods they will be: needed of a shopper. Without it they are for the
    /// destination's shelf, and only its or the source's staff can ask for them.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub beneficiary: Option<Beneficiary>,
    /// At most 50; several that name the same article are summed.
    pub items: Vec<WantedItem>,
    pub to: Place,
    /// Staff only: the source is this location and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Whether several sources will do where no single one has enough.
    #[serde(default)]
    pub accept_split: bool,
    /// At most 500 bytes, without personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Beneficiary {
    #[serde(rename = "type")]
    pub kind: BeneficiaryKind,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum BeneficiaryKind {
    Cart,
    Checkout,
    Order,
}

/// Body of `POST /transfers/{id}/refuse` and `…/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReasonRequest {
    /// 1 to 500 bytes, without personal data.
    pub reason: String,
}

/// Body of `POST /transfers/{id}/ship`; an empty object ships all that was requested.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShipRequest {
    /// What leaves; a line that is not named leaves whole. What does not leave is released.
    #[serde(default)]
    pub lines: Vec<ShippedLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShippedLine {
    pub sku: String,
    /// From 0 to what was requested.
    pub shipped: i64,
}

/// Body of `POST /transfers/{id}/receive`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiveRequest {
    /// What was unpacked now, each SKU once.
    #[serde(default)]
    pub lines: Vec<UnpackedLine>,
    /// Instead of `lines`: what was scanned since the last time.
    #[serde(default)]
    pub scanned: bool,
    /// Nothing more is expected: what is still in transit is looked for elsewhere, and is
    /// missing once the transfer is closed.
    #[serde(default, rename = "final")]
    pub is_final: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnpackedLine {
    pub sku: String,
    /// Good pieces, which go onto the shelf.
    #[serde(default)]
    pub received: i64,
    /// Pieces that cannot be sold.
    #[serde(default)]
    pub damaged: i64,
}

/// Body of `POST /transfers/{id}/events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventRequest {
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// RFC 3339: when the goods are at the destination's door. Needed for `delayed` and
    /// `arriving`; `arrived` means now without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_at: Option<String>,
}

/// What whoever carries the goods can say about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EventKind {
    /// On the road since now.
    Departed,
    /// They come at another time than was said.
    Delayed,
    /// On the last leg.
    Arriving,
    /// At the destination's door; receiving is the next step.
    Arrived,
}

/// What an [`WantedItem`] calls its item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemName {
    Id(String),
    Sku(String),
    /// Normalised to 14 digits.
    Gtin(String),
}

impl ItemName {
    pub fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::Sku(text) | Self::Gtin(text) => text,
        }
    }
}

/// What a [`Place`] says.
#[derive(Debug, Clone, PartialEq)]
pub enum Destination {
    Location(String),
    NearestTo(Degrees),
}

impl BeneficiaryKind {
    /// As it is written in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cart => "cart",
            Self::Checkout => "checkout",
            Self::Order => "order",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Cart, Self::Checkout, Self::Order]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

impl EventKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Departed => "departed",
            Self::Delayed => "delayed",
            Self::Arriving => "arriving",
            Self::Arrived => "arrived",
        }
    }
}

/// The items by name, with their quantities, in the order of the request.
pub fn items(requests: &[WantedItem]) -> Result<Vec<(ItemName, i64)>, Invalid> {
    if requests.is_empty() || requests.len() > MAX_ITEMS {
        let detail = format!("1 to {MAX_ITEMS} items");
        return Err(Invalid::new("invalid_items", "$.items", detail));
    }
    let named = |(at, item): (usize, &WantedItem)| item.named(&format!("$.items[{at}]"));
    requests.iter().enumerate().map(named).collect()
}

impl WantedItem {
    fn named(&self, path: &str) -> Result<(ItemName, i64), Invalid> {
        if !(1..=MAX_QUANTITY).contains(&self.quantity) {
            let detail = format!("1 to {MAX_QUANTITY} pieces");
            return Err(Invalid::new(
                "invalid_quantity",
                format!("{path}.quantity"),
                detail,
            ));
        }
        let name = match (&self.id, &self.sku, &self.gtin) {
            (Some(id), None, None) => ItemName::Id(id.clone()),
            (None, Some(sku), None) => ItemName::Sku(sku.clone()),
            (None, None, Some(gtin)) => {
                let wrong = |error: GtinError| {
                    Invalid::new("invalid_gtin", format!("{path}.gtin"), error.to_string())
                };
                ItemName::Gtin(Gtin::parse(gtin).map_err(wrong)?.as_str().into())
            }
            _ => {
                let detail = "name the item by exactly one of id, sku and gtin";
                return Err(Invalid::new("invalid_item", path, detail));
            }
        };
        check_length(path, name.text(), MAX_TEXT_BYTES)?;
        Ok((name, self.quantity))
    }
}

impl Place {
    pub fn destination(&self) -> Result<Destination, Invalid> {
        match (&self.location_id, &self.near) {
            (Some(id), None) => {
                check_length("$.to.location_id", id, MAX_TEXT_BYTES)?;
                Ok(Destination::Location(id.clone()))
            }
            (None, Some(near)) => Degrees::parse(near)
                .map(Destination::NearestTo)
                .map_err(|_| {
                    let detail =
                        "must be latitude,longitude in decimal degrees, within ±90 and ±180";
                    Invalid::new("invalid_geo", "$.to.near", detail)
                }),
            _ => Err(Invalid::new(
                "invalid_destination",
                "$.to",
                "name exactly one of location_id and near",
            )),
        }
    }
}

impl ReasonRequest {
    pub fn check(&self) -> Result<(), Invalid> {
        if self.reason.trim().is_empty() {
            return Err(Invalid::new("missing_reason", "$.reason", "say why"));
        }
        check_length("$.reason", &self.reason, MAX_NOTE_BYTES)
    }
}

impl CreateRequest {
    pub fn check(&self) -> Result<(), Invalid> {
        if let Some(note) = &self.note {
            check_length("$.note", note, MAX_NOTE_BYTES)?;
        }
        if let Some(from) = &self.from {
            check_length("$.from", from, MAX_TEXT_BYTES)?;
        }
        match &self.beneficiary {
            Some(one) => check_length("$.for.id", &one.id, MAX_TEXT_BYTES),
            None => Ok(()),
        }
    }
}

impl ShipRequest {
    /// What leaves of each of `lines`, in their order.
    pub fn quantities(&self, lines: &[Line]) -> Result<Vec<i64>, Invalid> {
        for (name, text) in [("carrier", &self.carrier), ("tracking", &self.tracking)] {
            if let Some(text) = text {
                check_length(&format!("$.{name}"), text, MAX_TEXT_BYTES)?;
            }
        }
        let skus = self.lines.iter().map(|line| line.sku.as_str());
        each_known_once(skus, lines)?;
        let of = |line: &Line| {
            let named = self.lines.iter().find(|one| one.sku == line.sku);
            named.map_or(line.requested, |one| one.shipped)
        };
        Ok(lines.iter().map(of).collect())
    }
}

impl ReceiveRequest {
    /// Good and damaged pieces of each of `lines`, in their order.
    pub fn quantities(&self, lines: &[Line]) -> Result<Vec<(i64, i64)>, Invalid> {
        let skus = self.lines.iter().map(|line| line.sku.as_str());
        each_known_once(skus, lines)?;
        for (at, line) in self.lines.iter().enumerate() {
            for (name, count) in [("received", line.received), ("damaged", line.damaged)] {
                if !(0..=MAX_QUANTITY).contains(&count) {
                    let path = format!("$.lines[{at}].{name}");
                    let detail = format!("0 to {MAX_QUANTITY} pieces");
                    return Err(Invalid::new("invalid_quantity", path, detail));
                }
            }
        }
        let of = |line: &Line| {
            let named = self.lines.iter().find(|one| one.sku == line.sku);
            named.map_or((0, 0), |one| (one.received, one.damaged))
        };
        Ok(lines.iter().map(of).collect())
    }
}

fn each_known_once<'a>(skus: impl Iterator<Item = &'a str>, lines: &[Line]) -> Result<(), Invalid> {
    let mut seen = std::collections::BTreeSet::new();
    for (at, sku) in skus.enumerate() {
        let path = || format!("$.lines[{at}].sku");
        if !lines.iter().any(|line| line.sku == sku) {
            return Err(Invalid::new(
                "unknown_line",
                path(),
                "not a line of this transfer",
            ));
        }
        if !seen.insert(sku) {
            return Err(Invalid::new(
                "line_twice",
                path(),
                "the line is named already",
            ));
        }
    }
    Ok(())
}

impl EventRequest {
    /// When the goods are at the door, in milliseconds, where it was said.
    pub fn expected_at_ms(&self) -> Result<Option<i64>, Invalid> {
        let wrong = |detail: &str| Invalid::new("invalid_instant", "$.expected_at", detail);
        match &self.expected_at {
            Some(text) => instant::parse_rfc3339(text)
                .map(Some)
                .ok_or_else(|| wrong("not an RFC 3339 instant")),
            None if matches!(self.kind, EventKind::Delayed | EventKind::Arriving) => {
                Err(wrong("say when the goods are expected"))
            }
            None => Ok(None),
        }
    }
}
