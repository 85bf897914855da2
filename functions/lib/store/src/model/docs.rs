//! The documents of the read model, and the keys they go by.

use aisle_domain::{gtin::Gtin, id::is_id, product::Product};
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
    /// Of the variant, or of the one whose stock is wanted first when the product is named.
    #[serde(deserialize_with = "Option::deserialize")]
    pub sku: Option<String>,
}

/// A product and how old the reading is.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductDoc {
    pub as_of_ms: i64,
    pub product: Product,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_carry_the_brand_and_the_kind() {
        assert_eq!(Ref::Sku("A/1".into()).key("b"), "b/ref/sku/A/1");
    }
}
