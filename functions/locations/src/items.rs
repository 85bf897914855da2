//! `filters.items`: what a location must have in stock to provide all items at once.

use std::collections::BTreeMap;

use aisle_domain::location::Location;
use aisle_store::StoreError;
use aisle_store::model::{Model, ProductDoc, Ref, StockDoc, Target};
use aisle_ucp::location::ItemFilter;

/// Units of any one of some SKUs.
#[derive(Default)]
pub struct Wanted {
    /// The stock of each SKU that will do. None for an item that does not exist: that is nowhere.
    alternatives: Vec<StockDoc>,
    quantity: i64,
}

impl Wanted {
    /// Whether the location can provide the units now.
    pub fn is_at(&self, location: &Location) -> bool {
        let provides = location.services.sell || location.services.pickup;
        let here = |stock: &StockDoc| {
            stock
                .levels
                .iter()
                .any(|level| level.location_id == location.id && level.available() >= self.quantity)
        };
        provides && self.alternatives.iter().any(here)
    }
}

/// What the items add up to: two of them can name the same SKU, and then want the sum. A
/// product is there when any one of its variants is.
pub async fn wanted(
    model: Model<'_>,
    brand_id: &str,
    items: &[ItemFilter],
) -> Result<Vec<Wanted>, StoreError> {
    let readings: Vec<Vec<Ref>> = items.iter().map(|item| Ref::readings(item.id())).collect();
    let targets = model.resolve_any(brand_id, &readings).await?;
    let product_ids: Vec<String> = targets
        .iter()
        .flatten()
        .map(|target| target.product_id.clone())
        .collect();
    let mut products = model.products(brand_id, &product_ids).await?.into_iter();
    let mut units: BTreeMap<Vec<String>, i64> = BTreeMap::new();
    for (item, target) in items.iter().zip(targets) {
        let skus = target
            .map(|target| skus(&target, products.next().flatten()))
            .unwrap_or_default();
        let sum = units.entry(skus).or_default();
        *sum = sum.saturating_add(item.quantity());
    }
    let skus: Vec<String> = units.keys().flatten().cloned().collect();
    let mut stock = model.stock(brand_id, &skus).await?.into_iter();
    let wanted = units.into_iter().map(|(skus, quantity)| Wanted {
        alternatives: stock.by_ref().take(skus.len()).collect(),
        quantity,
    });
    Ok(wanted.collect())
}

/// The SKUs that a target names and that can be bought.
fn skus(target: &Target, product: Option<ProductDoc>) -> Vec<String> {
    let Some(ProductDoc { product, .. }) = product.filter(|doc| doc.product.published) else {
        return Vec::new();
    };
    let named = |id: &String| target.variant_id.as_ref().is_none_or(|wanted| wanted == id);
    product
        .active_variants()
        .filter(|variant| named(&variant.id))
        .map(|variant| variant.sku.clone())
        .collect()
}
