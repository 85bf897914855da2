//! Products of a file into the database.

use std::collections::HashMap;

use aisle_domain::import::product::{Holders, ProductDraft, ProductItem};
use aisle_domain::import::update::SkuUpdate;
use aisle_domain::import::{Finding, Report};
use aisle_domain::product::Product;
use aisle_http::Error;
use aisle_store::{new_id, values};
use aisle_ucp::admin::Tally;

use super::Run;
use super::feed::{self, Target};

mod save;
mod update;

/// A product's own share of a batch's weight, beside its variants.
const PRODUCT_WEIGHT: usize = 10;

pub struct Products<'a> {
    run: &'a Run<'a>,
    tally: Tally,
    /// What a dry run would have written, as far as later rows depend on it.
    unwritten: Holders,
}

impl<'a> Products<'a> {
    pub fn new(run: &'a Run<'a>) -> Self {
        Self {
            run,
            tally: Tally::default(),
            unwritten: Holders::default(),
        }
    }

    async fn write_products(
        &mut self,
        mut drafts: Vec<ProductDraft>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut known = Known::read(self.run, &drafts).await?;
        known.holders.add(&self.unwritten);
        known.read_alternatives(self.run, &drafts).await?;
        for draft in &mut drafts {
            draft.claim(&mut known.holders, report);
        }
        if self.run.dry_run {
            drafts.iter().for_each(|draft| self.unwritten.note(draft));
        }
        let changed = self.changed(drafts, &known);
        let mut stored = stored(self.run, &changed, &known).await?;
        let changes: Vec<Change> = changed
            .into_iter()
            .map(|(draft, fingerprint)| {
                let stored = stored.remove(&draft.product.handle);
                Change::new(draft, fingerprint, stored)
            })
            .collect();
        self.save(&changes, report).await
    }

    /// Those that differ from what is stored; the others are counted.
    fn changed(&mut self, drafts: Vec<ProductDraft>, known: &Known) -> Vec<(ProductDraft, String)> {
        let mut changed = Vec::new();
        for draft in drafts {
            let fingerprint = draft.fingerprint();
            let stored = known.products.get(&draft.product.handle);
            if stored == Some(&fingerprint) {
                self.tally.unchanged += 1;
            } else {
                changed.push((draft, fingerprint));
            }
        }
        changed
    }

    async fn save(&mut self, changes: &[Change], report: &mut Report) -> Result<(), Error> {
        let run = self.run;
        let saved = feed::save(changes, async |changes: &[Change]| match run.dry_run {
            true => Ok(()),
            false => save::commit(run.db, &run.brand.id, changes).await,
        })
        .await?;
        for (change, saved) in changes.iter().zip(saved) {
            match change.version {
                _ if !saved => change
                    .lines
                    .iter()
                    .for_each(|line| report.refuse(Finding::new(*line, "", feed::NOT_SAVED))),
                None => self.tally.created += 1,
                Some(_) => self.tally.updated += 1,
            }
        }
        Ok(())
    }
}

impl Target for Products<'_> {
    type Item = ProductItem;

    const BATCH_WEIGHT: usize = 1_000;

    fn weight(item: &ProductItem) -> usize {
        match item {
            ProductItem::Product(draft) => PRODUCT_WEIGHT + draft.lines.len(),
            ProductItem::Update(_) => update::WEIGHT,
        }
    }

    async fn write(&mut self, items: Vec<ProductItem>, report: &mut Report) -> Result<(), Error> {
        let mut drafts = Vec::<ProductDraft>::new();
        let mut updates = Vec::<SkuUpdate>::new();
        for item in items {
            match item {
                ProductItem::Product(draft) => drafts.push(*draft),
                ProductItem::Update(update) => updates.push(*update),
            }
        }
        if !drafts.is_empty() {
            self.write_products(drafts, report).await?;
        }
        if !updates.is_empty() {
            self.write_updates(updates, report).await?;
        }
        Ok(())
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

/// A product that is not yet as the file says.
struct Change {
    product: Product,
    fingerprint: String,
    /// Of the stored product that it replaces.
    version: Option<i64>,
    /// The file's lines, for a refusal.
    lines: Vec<u64>,
}

impl Change {
    fn new(draft: ProductDraft, fingerprint: String, stored: Option<(i64, Product)>) -> Self {
        let (version, stored) = stored.unzip();
        let lines = draft.lines.clone();
        Self {
            product: draft.into_product(stored, new_id),
            fingerprint,
            version,
            lines,
        }
    }
}

/// What is stored of a batch's products, and which product has which SKU and GTIN.
#[derive(Default)]
struct Known {
    /// Handle to fingerprint.
    products: HashMap<String, String>,
    holders: Holders,
}

impl Known {
    /// One call.
    async fn read(run: &Run<'_>, drafts: &[ProductDraft]) -> Result<Self, Error> {
        let handles = drafts.iter().map(|draft| draft.product.handle.as_str());
        let skus = drafts.iter().flat_map(ProductDraft::skus);
        let gtins = drafts.iter().flat_map(ProductDraft::gtins);
        let dialect = run.db.dialect();
        let sql = format!(
            "SELECT 'product' AS kind, handle AS name, handle, fingerprint FROM product \
             WHERE brand_id = ?1 AND handle {} UNION ALL {} UNION ALL {}",
            dialect.among("?2"),
            holders_of("sku", &dialect.among("?3")),
            holders_of("gtin", &dialect.among("?4")),
        );
        let rows = run
            .db
            .query(
                sql,
                values![&run.brand.id, names(handles), names(skus), names(gtins)],
            )
            .await?;
        let mut known = Self::default();
        for row in rows {
            let (name, handle) = (row.text("name")?, row.text("handle")?);
            match row.text("kind")?.as_str() {
                "product" => drop(known.products.insert(name, row.text("fingerprint")?)),
                "sku" => drop(known.holders.skus.insert(name, handle)),
                _ => drop(known.holders.gtins.insert(name, handle)),
            }
        }
        Ok(known)
    }

    /// Who has the SKUs that may be given instead of those that another product has: one call
    /// where there are any.
    async fn read_alternatives(
        &mut self,
        run: &Run<'_>,
        drafts: &[ProductDraft],
    ) -> Result<(), Error> {
        let mut earlier: HashMap<&str, &str> = HashMap::new();
        let mut alternatives = Vec::new();
        for draft in drafts {
            let handle = draft.product.handle.as_str();
            let taken = |sku: &str| {
                let stored = self.holders.skus.get(sku).map(String::as_str);
                let holder = stored.or_else(|| earlier.get(sku).copied());
                holder.is_some_and(|holder| holder != handle)
            };
            alternatives.extend(draft.alternatives(taken));
            earlier.extend(draft.skus().map(|sku| (sku, handle)));
        }
        if alternatives.is_empty() {
            return Ok(());
        }
        let sql = holders_of("sku", &run.db.dialect().among("?2"));
        let alternatives = names(alternatives.iter().map(String::as_str));
        for row in run
            .db
            .query(sql, values![&run.brand.id, alternatives])
            .await?
        {
            self.holders
                .skus
                .insert(row.text("name")?, row.text("handle")?);
        }
        Ok(())
    }
}

/// A query for the handles of the products that have one of `values` in this column of `variant`.
fn holders_of(column: &str, values: &str) -> String {
    format!(
        "SELECT '{column}' AS kind, v.{column} AS name, p.handle AS handle, '' AS fingerprint FROM variant v \
         JOIN product p ON p.id = v.product_id WHERE v.brand_id = ?1 AND v.{column} {values}"
    )
}

/// The stored documents that the changes replace, by handle: one call, or none.
async fn stored(
    run: &Run<'_>,
    changed: &[(ProductDraft, String)],
    known: &Known,
) -> Result<HashMap<String, (i64, Product)>, Error> {
    let handles = changed
        .iter()
        .map(|(draft, _)| draft.product.handle.as_str())
        .filter(|handle| known.products.contains_key(*handle));
    let handles: Vec<&str> = handles.collect();
    if handles.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT handle, version, doc FROM product WHERE brand_id = ?1 AND handle {}",
        run.db.dialect().among("?2"),
    );
    let handles = names(handles.into_iter());
    let rows = run.db.query(sql, values![&run.brand.id, handles]).await?;
    let mut stored = HashMap::new();
    for row in rows {
        stored.insert(row.text("handle")?, (row.int("version")?, row.json("doc")?));
    }
    Ok(stored)
}

/// As a JSON array.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<serde_json::Value>().to_string()
}
