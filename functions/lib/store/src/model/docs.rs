//! The documents of the read model, and the keys they go by.

use aisle_domain::{gtin::Gtin, id::is_id, location::Location, product::Product};
use serde::{Deserialize, Serialize};

/// What a shopper or a client may call a product by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ref {
    /// A variant's id, or a product's.
    Id(String),
    Sku(String),
    /// Normalised to 14 digits.
    Gtin(String),
    Handle(String),
}

/// What a [`Ref`] names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub product_id: String,
    /// Absent when the reference names the product as a whole.
    pub variant_id: Option<String>,
}

/// A product and how old the reading is.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductDoc {
    pub as_of_ms: i64,
    pub product: Product,
}

/// The stock of one SKU at every location that keeps a balance of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockDoc {
    pub sku: String,
    /// When the balances were read.
    pub as_of_ms: i64,
    pub levels: Vec<Level>,
}

/// A balance, in units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    pub location_id: String,
    pub on_hand: i64,
    pub reserved: i64,
    /// Kept back from online sale.
    pub safety: i64,
    /// When the balance last changed: what an answer can be validated by.
    pub updated_at_ms: i64,
}

/// The locations that trade under a brand, those invisible to shoppers included.
#[derive(Debug, Clone, PartialEq)]
pub struct Locations {
    pub as_of_ms: i64,
    pub all: Vec<Location>,
}

impl Level {
    /// Available to promise: on hand − reserved − safety, never less than nothing.
    pub fn available(&self) -> i64 {
        (self.on_hand - self.reserved - self.safety).max(0)
    }
}

impl Ref {
    /// What an identifier of unknown kind can mean, the likeliest first.
    pub fn readings(id: &str) -> Vec<Self> {
        if is_id(id) {
            return vec![Self::Id(id.into())];
        }
        let gtin = Gtin::parse(id).map(|gtin| Self::Gtin(gtin.as_str().into()));
        gtin.into_iter()
            .chain([Self::Sku(id.into()), Self::Handle(id.into())])
            .collect()
    }

    pub(super) fn key(&self, brand_id: &str) -> String {
        let (kind, value) = self.parts();
        reference_key(brand_id, kind, value)
    }

    /// The kind's name and the value.
    pub(super) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Id(value) => ("id", value),
            Self::Sku(value) => ("sku", value),
            Self::Gtin(value) => ("gtin", value),
            Self::Handle(value) => ("handle", value),
        }
    }
}

/// All brands in one document: a handful, and any host must be resolvable without a
/// query, also one that belongs to no brand.
pub(super) const BRANDS_KEY: &str = "brands";

pub(super) fn product_key(brand_id: &str, id: &str) -> String {
    format!("{brand_id}/product/{id}")
}

pub(super) fn reference_key(brand_id: &str, kind: &str, value: &str) -> String {
    format!("{brand_id}/ref/{kind}/{value}")
}

pub(super) fn stock_key(brand_id: &str, sku: &str) -> String {
    format!("{brand_id}/stock/{sku}")
}

pub(super) fn locations_key(brand_id: &str) -> String {
    format!("{brand_id}/locations")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_carry_the_brand_and_the_kind() {
        assert_eq!(Ref::Sku("A/1".into()).key("b"), "b/ref/sku/A/1");
        assert_eq!(stock_key("b", "A"), "b/stock/A");
    }

    #[test]
    fn available_is_never_negative() {
        let available = |on_hand, reserved, safety| {
            let location_id = String::new();
            Level {
                location_id,
                on_hand,
                reserved,
                safety,
                updated_at_ms: 0,
            }
            .available()
        };
        assert_eq!((available(10, 3, 2), available(3, 1, 5)), (5, 0));
    }
}
