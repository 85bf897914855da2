//! Products of a file into the database.

use std::collections::HashMap;

use aisle_domain::import::product::ProductDraft;
use aisle_domain::import::{Finding, Report};
use aisle_domain::product::{Product, Variant};
use aisle_http::Error;
use aisle_store::{new_id, values};
use aisle_ucp::admin::Tally;

use super::Run;
use super::feed::{self, Target};

mod save;

/// A product's own share of a batch's weight, beside its variants.
const PRODUCT_WEIGHT: usize = 10;

pub struct Products<'a> {
    run: &'a Run<'a>,
    tally: Tally,
}

impl<'a> Products<'a> {
    pub fn new(run: &'a Run<'a>) -> Self {
        Self {
            run,
            tally: Tally::default(),
        }
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
        let saved = feed::save(changes, async |changes: &[Change]| {
            save::commit(run.db, &run.brand.id, changes).await
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
    type Item = ProductDraft;

    const BATCH_WEIGHT: usize = 1_000;

    fn weight(draft: &ProductDraft) -> usize {
        PRODUCT_WEIGHT + draft.lines.len()
    }

    async fn write(
        &mut self,
        mut drafts: Vec<ProductDraft>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut known = Known::read(self.run, &drafts).await?;
        for draft in &mut drafts {
            known.claim(draft, report);
        }
        drafts.retain(|draft| !draft.product.variants.is_empty());
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
    /// SKU to the handle of the product that has it.
    skus: HashMap<String, String>,
    /// GTIN to the handle of the product that has it.
    gtins: HashMap<String, String>,
}

impl Known {
    /// One call.
    async fn read(run: &Run<'_>, drafts: &[ProductDraft]) -> Result<Self, Error> {
        let handles = drafts.iter().map(|draft| draft.product.handle.as_str());
        let variants = || drafts.iter().flat_map(|draft| &draft.product.variants);
        let skus = variants().map(|variant| variant.sku.as_str());
        let gtins = variants().filter_map(|variant| variant.gtin.as_deref());
        let dialect = run.db.dialect();
        let sql = format!(
            "SELECT 'product' AS kind, handle AS name, handle, fingerprint FROM product \
             WHERE brand_id = ?1 AND handle {} \
             UNION ALL SELECT 'sku', v.sku, p.handle, '' FROM variant v JOIN product p ON p.id = v.product_id \
             WHERE v.brand_id = ?1 AND v.sku {} \
             UNION ALL SELECT 'gtin', v.gtin, p.handle, '' FROM variant v JOIN product p ON p.id = v.product_id \
             WHERE v.brand_id = ?1 AND v.gtin {}",
            dialect.among("?2"),
            dialect.among("?3"),
            dialect.among("?4"),
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
                "sku" => drop(known.skus.insert(name, handle)),
                _ => drop(known.gtins.insert(name, handle)),
            }
        }
        Ok(known)
    }

    /// Refuses the draft's variants whose SKU or GTIN another product has, stored or earlier
    /// in the batch; the others are its own from here on.
    fn claim(&mut self, draft: &mut ProductDraft, report: &mut Report) {
        let handle = draft.product.handle.clone();
        draft.refuse_variants(report, |variant| self.taken(variant, &handle));
        for variant in &draft.product.variants {
            self.skus.insert(variant.sku.clone(), handle.clone());
            self.gtins
                .extend(variant.gtin.clone().map(|gtin| (gtin, handle.clone())));
        }
    }

    fn taken(&self, variant: &Variant, handle: &str) -> Option<(&'static str, String)> {
        let of_another =
            |holder: Option<&String>| holder.filter(|holder| *holder != handle).cloned();
        if let Some(holder) = of_another(self.skus.get(&variant.sku)) {
            return Some((
                "Variant SKU",
                format!("SKU {} belongs to product {holder}", variant.sku),
            ));
        }
        let gtin = variant.gtin.as_ref()?;
        let holder = of_another(self.gtins.get(gtin))?;
        Some((
            "Variant Barcode",
            format!("GTIN {gtin} belongs to product {holder}"),
        ))
    }
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
