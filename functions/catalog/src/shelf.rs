//! What a catalog answer is made of: products, their stock, the brand's locations. Each is
//! looked for in this instance's memory, then in the read model.

use std::rc::Rc;

use aisle_domain::brand::Brand;
use aisle_domain::gtin::{Gtin, GtinError};
use aisle_domain::id::is_id;
use aisle_domain::product::Variant;
use aisle_domain::supply::Supply;
use aisle_store::model::{Locations, Model, Ref, StockDoc, Target};
use aisle_store::{StoreError, memory};
use aisle_ucp::catalog::fulfillment::Scope;
use aisle_ucp::catalog::view::{Availability, ProductView, VariantState};
use aisle_ucp::catalog::{Input, PriceBounds};

pub struct Shelf<'a> {
    pub model: Model<'a>,
    pub brand: &'a Brand,
    pub locations: Rc<Locations>,
}

impl<'a> Shelf<'a> {
    pub async fn open(model: Model<'a>, brand: &'a Brand) -> Result<Self, StoreError> {
        let locations = model.locations(&brand.id).await?;
        Ok(Self {
            model,
            brand,
            locations,
        })
    }

    /// What each identifier names; `None` for what names nothing.
    pub async fn find(&self, ids: &[&str]) -> Result<Vec<Option<Rc<Target>>>, StoreError> {
        let key = |id: &str| format!("{}/target/{id}", self.brand.id);
        let mut found: Vec<Option<Rc<Target>>> =
            ids.iter().map(|id| memory::get(&key(id))).collect();
        let unknown: Vec<&str> = ids
            .iter()
            .zip(&found)
            .filter(|(_, known)| known.is_none())
            .map(|(id, _)| *id)
            .collect();
        if unknown.is_empty() {
            return Ok(found);
        }
        let candidates: Vec<Vec<Ref>> = unknown.iter().map(|id| readings(id)).collect();
        let mut targets = self
            .model
            .resolve_any(&self.brand.id, &candidates)
            .await?
            .into_iter();
        for (id, slot) in ids
            .iter()
            .zip(&mut found)
            .filter(|(_, known)| known.is_none())
        {
            *slot = targets.next().flatten().map(Rc::new);
            if let Some(target) = slot {
                memory::keep(&key(id), Rc::clone(target));
            }
        }
        Ok(found)
    }

    /// The products that shoppers see among these, in their order.
    pub async fn views(&self, ids: &[String]) -> Result<Vec<Option<Rc<ProductView>>>, StoreError> {
        let key = |id: &str| format!("{}/view/{id}", self.brand.id);
        let mut views: Vec<Option<Rc<ProductView>>> =
            ids.iter().map(|id| memory::get(&key(id))).collect();
        let missing: Vec<String> = ids
            .iter()
            .zip(&views)
            .filter(|(_, view)| view.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        if missing.is_empty() {
            return Ok(views);
        }
        let mut docs = self
            .model
            .products(&self.brand.id, &missing)
            .await?
            .into_iter();
        for (id, slot) in ids
            .iter()
            .zip(&mut views)
            .filter(|(_, view)| view.is_none())
        {
            let product = docs.next().flatten().map(|doc| doc.product);
            *slot = product
                .and_then(|product| ProductView::new(product, &self.brand.currency))
                .map(Rc::new);
            if let Some(view) = slot {
                memory::keep(&key(id), Rc::clone(view));
            }
        }
        Ok(views)
    }

    /// The stock of each SKU, in order.
    pub async fn stock(&self, skus: &[String]) -> Result<Vec<Rc<StockDoc>>, StoreError> {
        let key = |sku: &str| format!("{}/stock/{sku}", self.brand.id);
        let known: Vec<Option<Rc<StockDoc>>> =
            skus.iter().map(|sku| memory::get(&key(sku))).collect();
        let missing: Vec<String> = skus
            .iter()
            .zip(&known)
            .filter(|(_, doc)| doc.is_none())
            .map(|(sku, _)| sku.clone())
            .collect();
        let read = if missing.is_empty() {
            Vec::new()
        } else {
            self.model.stock(&self.brand.id, &missing).await?
        };
        let mut read = read.into_iter().map(|doc| {
            let doc = Rc::new(doc);
            memory::keep(&key(&doc.sku), Rc::clone(&doc));
            doc
        });
        Ok(known
            .into_iter()
            .filter_map(|doc| doc.or_else(|| read.next()))
            .collect())
    }

    /// What can be promised of each variant, in order.
    pub async fn supplies(&self, variants: &[&Variant]) -> Result<Vec<Supply>, StoreError> {
        let skus: Vec<String> = variants.iter().map(|variant| variant.sku.clone()).collect();
        let stock = self.stock(&skus).await?;
        let levels = |doc: &Rc<StockDoc>| -> Vec<(String, i64)> {
            doc.levels
                .iter()
                .map(|level| (level.location_id.clone(), level.available()))
                .collect()
        };
        let supply = |doc| {
            let levels = levels(doc);
            Supply::new(
                &self.locations.all,
                levels.iter().map(|(id, units)| (id.as_str(), *units)),
            )
        };
        Ok(stock.iter().map(supply).collect())
    }
}

/// What an identifier may mean, the likeliest first.
fn readings(id: &str) -> Vec<Ref> {
    if is_id(id) {
        return vec![Ref::Id(id.into())];
    }
    let gtin = Gtin::parse(id)
        .ok()
        .map(|gtin| Ref::Gtin(gtin.as_str().into()));
    gtin.into_iter()
        .chain([Ref::Sku(id.into()), Ref::Handle(id.into())])
        .collect()
}

/// The right check digit, when the identifier is a GTIN but for that digit.
pub fn mistyped_gtin(id: &str) -> Option<GtinError> {
    Gtin::parse(id)
        .err()
        .filter(|error| matches!(error, GtinError::CheckDigit { .. }))
}

/// Whether a variant passes the filters about itself and its stock.
pub fn passes(
    variant: &Variant,
    supply: &Supply,
    price: Option<PriceBounds>,
    scope: &Scope,
) -> bool {
    price.is_none_or(|bounds| bounds.contain(variant.price_minor)) && scope.admits(supply)
}

/// What the answer says about a variant now.
pub fn state(
    variant: &Variant,
    supply: &Supply,
    scope: &Scope,
    inputs: Vec<Input>,
) -> VariantState {
    VariantState {
        availability: Availability::of(supply.is_obtainable()),
        fulfillment: variant.requires_shipping.then(|| scope.fulfillment(supply)),
        inputs,
    }
}
