//! What a request names by SKU or by barcode.

use aisle_domain::gtin::Gtin;
use aisle_domain::scan::Fault;
use aisle_http::{Call, Error};
use aisle_store::idempotency::Claim;
use aisle_store::scans::{self, Asked, Items};
use aisle_ucp::page::MAX_TEXT_BYTES;

/// A SKU, or the 14 digits of a GTIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Sku(String),
    Gtin(String),
}

impl Item {
    /// One of the two that a request can give.
    pub fn parse(gtin: Option<&str>, sku: Option<&str>) -> Result<Self, Fault> {
        match (gtin, sku) {
            (Some(gtin), None) => Gtin::parse(gtin)
                .map(|gtin| Self::Gtin(gtin.as_str().into()))
                .map_err(|_| Fault::InvalidGtin),
            (None, Some(sku)) if sku.len() > MAX_TEXT_BYTES => Err(Fault::UnknownSku),
            (None, Some(sku)) => Ok(Self::Sku(sku.into())),
            _ => Err(Fault::InvalidItem),
        }
    }

    /// The SKU that it is, if it is one of the brand's.
    pub fn find<'a>(&'a self, items: &'a Items) -> Result<&'a str, Fault> {
        match self {
            Self::Sku(sku) => items
                .has(sku)
                .then_some(sku.as_str())
                .ok_or(Fault::UnknownSku),
            Self::Gtin(gtin) => items.by_gtin(gtin).ok_or(Fault::UnknownGtin),
        }
    }
}

/// SKUs and GTINs of what could be read, as the store is asked for them.
pub fn named<'a>(items: impl IntoIterator<Item = &'a Item>) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut skus, mut gtins) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Sku(sku) => skus.push(sku.as_str()),
            Item::Gtin(gtin) => gtins.push(gtin.as_str()),
        }
    }
    for names in [&mut skus, &mut gtins] {
        names.sort_unstable();
        names.dedup();
    }
    (skus, gtins)
}

/// What a request names, each with its JSONPath.
pub type Wanted = (String, Result<Item, Fault>);

/// Reads what the brand has of it, and what the request's key was answered before.
pub async fn read(
    call: &Call,
    brand_id: &str,
    wanted: &[Wanted],
    claim: Option<&Claim>,
) -> Result<Asked, Error> {
    let readable = wanted.iter().filter_map(|(_, item)| item.as_ref().ok());
    let (skus, gtins) = named(readable);
    Ok(scans::items(call.db(), brand_id, (&skus, &gtins), claim).await?)
}

/// The SKUs of all that a request names, in its order; 422 at the place of the first that
/// is none.
pub fn resolve(items: &Items, wanted: &[Wanted]) -> Result<Vec<String>, Error> {
    let found = wanted.iter().map(|(path, item)| {
        let sku = item.as_ref().map_err(|fault| *fault);
        let sku = sku.and_then(|item| item.find(items));
        sku.map(str::to_owned)
            .map_err(|fault| Error::unprocessable(fault.code(), path, fault.detail()))
    });
    found.collect()
}
