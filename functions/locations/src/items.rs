//! `filters.items`: what a location must have in stock to provide all items at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use aisle_domain::places::Place;
use aisle_store::StoreError;
use aisle_store::model::{CellSum, Level, Model, ProductDoc, Ref, Target};
use aisle_ucp::location::ItemFilter;

/// Units of any one of some SKUs.
struct Wanted {
    /// None for an item that does not exist: that is nowhere.
    alternatives: Vec<String>,
    quantity: i64,
}

/// All that is wanted, and in which cells there is any of it.
pub struct Items<'a> {
    model: Model<'a>,
    brand_id: &'a str,
    wanted: Vec<Wanted>,
    cells: HashMap<String, HashSet<String>>,
}

impl<'a> Items<'a> {
    /// What the items add up to: two of them can name the same SKU, and then want the sum. A
    /// product is there when any one of its variants is.
    pub async fn read(
        model: Model<'a>,
        brand_id: &'a str,
        items: &[ItemFilter],
    ) -> Result<Self, StoreError> {
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
        let mut cells = HashMap::new();
        for stock in model.stock(brand_id, &skus).await?.iter().flatten() {
            let sums = stock.cells()?.into_iter();
            let has = sums.map(|CellSum(cell, ..)| cell).collect();
            cells.insert(stock.sku.clone(), has);
        }
        let wanted = units.into_iter().map(|(alternatives, quantity)| Wanted {
            alternatives,
            quantity,
        });
        Ok(Self {
            model,
            brand_id,
            wanted: wanted.collect(),
            cells,
        })
    }

    /// Whether each place can provide all of it now.
    pub async fn are_at(&self, places: &[&Place]) -> Result<Vec<bool>, StoreError> {
        let mut asked = Vec::new();
        for sku in self.wanted.iter().flat_map(|wanted| &wanted.alternatives) {
            let there = self.cells.get(sku);
            let in_cells = places.iter().map(|place| &place.cell);
            let known = in_cells.filter(|cell| there.is_some_and(|there| there.contains(*cell)));
            asked.extend(known.map(|cell| (sku.clone(), cell.clone())));
        }
        asked.sort_unstable();
        asked.dedup();
        let levels = self.model.levels(self.brand_id, &asked).await?;
        let mut units: HashMap<(&str, &str), i64> = HashMap::new();
        for ((sku, _), levels) in asked.iter().zip(&levels) {
            let levels = levels.iter();
            units.extend(levels.map(|Level(id, units, _)| ((sku.as_str(), id.as_str()), *units)));
        }
        let has = |place: &Place, wanted: &Wanted| {
            let enough = |sku: &String| {
                let there = units.get(&(sku.as_str(), place.id.as_str()));
                there.is_some_and(|units| *units >= wanted.quantity)
            };
            wanted.alternatives.iter().any(enough)
        };
        let provides =
            |place: &&Place| place.sells && self.wanted.iter().all(|wanted| has(place, wanted));
        Ok(places.iter().map(provides).collect())
    }
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
