//! What a catalog answer is made of: products, their stock, the store in mind. Each is
//! looked for in this instance's memory, then in the read model.

use std::rc::Rc;

use aisle_domain::brand::Brand;
use aisle_domain::gtin::{Gtin, GtinError};
use aisle_domain::location::Location;
use aisle_domain::places::{Nearest, Place};
use aisle_domain::product::Variant;
use aisle_domain::supply::{OtherStore, Supply};
use aisle_store::model::{Level, Model, Read, Ref, Summary, Target};
use aisle_store::{StoreError, memory};
use aisle_ucp::catalog::fulfillment::{Scope, store_named};
use aisle_ucp::catalog::view::{Availability, ProductView, VariantState};
use aisle_ucp::catalog::{Filters, Input, PriceBounds};
use aisle_ucp::page::Context;
use futures::future::{join_all, try_join};

/// What a product with what is shown of it takes, about.
const VIEW_BYTES: usize = 8 << 10;

pub struct Shelf<'a> {
    pub model: Model<'a>,
    pub brand: &'a Brand,
    /// The one that the request names.
    pub store: Option<Rc<Read<Location>>>,
    /// Whether there is any store that hands over.
    pub collected_anywhere: bool,
}

impl<'a> Shelf<'a> {
    pub async fn open(
        model: Model<'a>,
        brand: &'a Brand,
        filters: &Filters,
        context: &Context,
    ) -> Result<Self, StoreError> {
        let names = store_named(filters, context);
        let stores = model.locations_named(&brand.id, names.as_slice());
        let (stores, cells) = try_join(stores, model.cells(&brand.id)).await?;
        let store = stores.into_iter().next().flatten();
        Ok(Self {
            model,
            brand,
            store: store.filter(|store| store.visible),
            collected_anywhere: cells.iter().any(|cell| cell.hands_over > 0),
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
        let candidates: Vec<Vec<Ref>> = unknown.iter().map(|id| Ref::readings(id)).collect();
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

    /// The products that shoppers see among these, in their order. The stock of what is
    /// probably wanted of them is fetched beside.
    pub async fn views(
        &self,
        ids: &[String],
        skus: &[String],
    ) -> Result<Vec<Option<Rc<ProductView>>>, StoreError> {
        let stock = self.model.stock(&self.brand.id, skus);
        Ok(try_join(self.products(ids), stock).await?.0)
    }

    async fn products(&self, ids: &[String]) -> Result<Vec<Option<Rc<ProductView>>>, StoreError> {
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
                memory::keep_of(&key(id), Rc::clone(view), VIEW_BYTES);
            }
        }
        Ok(views)
    }

    /// What can be promised of each variant, in order.
    pub async fn supplies(&self, variants: &[&Variant]) -> Result<Vec<Supply>, StoreError> {
        let skus: Vec<String> = variants.iter().map(|variant| variant.sku.clone()).collect();
        let stock = self.model.stock(&self.brand.id, &skus).await?;
        let supply = |stock: &Option<Rc<Read<Summary>>>| {
            let sums = stock
                .as_ref()
                .map(|stock| (stock.shippable, stock.collectable));
            let (shippable, collectable) = sums.unwrap_or_default();
            Supply {
                shippable,
                collectable,
                ..Supply::default()
            }
        };
        let mut supplies: Vec<Supply> = stock.iter().map(supply).collect();
        let Some(store) = &self.store else {
            return Ok(supplies);
        };
        let here = self.model.levels_at(&self.brand.id, &skus, store).await?;
        for (supply, Level(_, units, _)) in supplies.iter_mut().zip(here) {
            supply.at_store = units;
        }
        let others = supplies.iter().zip(&stock).map(async |(supply, stock)| {
            let stock = stock.as_ref().filter(|_| supply.collectable > 0);
            match stock.filter(|_| supply.at_store == 0 || !store.hands_over()) {
                Some(stock) => self.nearest_to(store, stock).await,
                None => Ok(None),
            }
        });
        let others = join_all(others).await;
        for (supply, other) in supplies.iter_mut().zip(others) {
            supply.nearest = other?;
        }
        Ok(supplies)
    }

    /// The store nearest to another one that hands over and has one.
    async fn nearest_to(
        &self,
        store: &Location,
        stock: &Read<Summary>,
    ) -> Result<Option<OtherStore>, StoreError> {
        let hands_over = |place: &Place| place.hands_over && place.id != store.id;
        let (brand_id, nearest) = (&self.brand.id, Nearest::new(1, None));
        let from = store.geo.into();
        let found = self
            .model
            .nearest_with(brand_id, stock, from, nearest, hands_over);
        Ok(found.await?.0.into_iter().next().map(|near| OtherStore {
            id: near.id,
            name: near.what.0.name,
            distance_m: near.distance_m.round() as i64,
        }))
    }
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
