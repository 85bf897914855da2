//! Changes of some columns of variants that are stored.

use std::collections::{BTreeMap, HashMap};

use aisle_domain::import::update::{SkuUpdate, unknown};
use aisle_domain::import::{Finding, Report, fingerprint};
use aisle_domain::product::Product;
use aisle_http::Error;
use aisle_store::values;

use super::{Change, Products, names};
use crate::imports::Run;

/// Of a change in a batch: each may read and write a whole product.
pub const WEIGHT: usize = 5;

/// The column that finds a variant.
const SKU: &str = "Variant SKU";

/// A stored product, and the lines of the file that change it.
struct Stored {
    version: i64,
    product: Product,
    lines: Vec<u64>,
}

/// What is stored of what a batch of changes names.
struct Known {
    /// Id to product.
    products: BTreeMap<String, Stored>,
    /// SKU to the id of its product.
    skus: HashMap<String, String>,
    /// GTIN to the id of its product and the SKU that has it.
    gtins: HashMap<String, (String, String)>,
}

impl Products<'_> {
    pub(super) async fn write_updates(
        &mut self,
        updates: Vec<SkuUpdate>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut known = Known::read(self.run, &updates).await?;
        let before: HashMap<String, Product> = (known.products.iter())
            .map(|(id, stored)| (id.clone(), stored.product.clone()))
            .collect();
        for update in updates {
            if let Err(finding) = known.apply(update, report) {
                report.refuse(finding);
            }
        }
        let mut changes = Vec::new();
        for (id, stored) in known.products {
            if stored.lines.is_empty() {
                continue;
            }
            match before.get(&id) == Some(&stored.product) {
                true => self.tally.unchanged += 1,
                false => changes.push(stored.into_change()),
            }
        }
        self.save(&changes, report).await
    }
}

impl Stored {
    fn into_change(self) -> Change {
        Change {
            // Another fingerprint than that of any file of products, so that the next one
            // is compared with what is there now.
            fingerprint: fingerprint::of(&("update", &self.product)),
            version: Some(self.version),
            lines: self.lines,
            product: self.product,
        }
    }
}

impl Known {
    /// One call.
    async fn read(run: &Run<'_>, updates: &[SkuUpdate]) -> Result<Self, Error> {
        let skus = updates.iter().flat_map(|update| update.item.skus());
        let gtins = updates
            .iter()
            .filter_map(|update| update.gtin.as_ref()?.as_deref());
        let dialect = run.db.dialect();
        let sql = format!(
            "WITH named AS (SELECT sku, product_id FROM variant WHERE brand_id = ?1 AND sku {}) \
             SELECT 'sku' AS kind, sku AS name, product_id, '' AS text, 0 AS version FROM named \
             UNION ALL SELECT 'product', '', id, doc, version FROM product WHERE id IN (SELECT product_id FROM named) \
             UNION ALL SELECT 'gtin', gtin, product_id, sku, 0 FROM variant WHERE brand_id = ?1 AND gtin {}",
            dialect.among("?2"),
            dialect.among("?3"),
        );
        let skus = names(skus.map(String::as_str));
        let rows = run
            .db
            .query(sql, values![&run.brand.id, skus, names(gtins)])
            .await?;
        let mut known = Self {
            products: BTreeMap::new(),
            skus: HashMap::new(),
            gtins: HashMap::new(),
        };
        for row in rows {
            let (name, id) = (row.text("name")?, row.text("product_id")?);
            match row.text("kind")?.as_str() {
                "sku" => drop(known.skus.insert(name, id)),
                "gtin" => drop(known.gtins.insert(name, (id, row.text("text")?))),
                _ => {
                    let stored = Stored {
                        version: row.int("version")?,
                        product: row.json("text")?,
                        lines: Vec::new(),
                    };
                    known.products.insert(id, stored);
                }
            }
        }
        Ok(known)
    }

    fn apply(&mut self, mut update: SkuUpdate, report: &mut Report) -> Result<(), Finding> {
        let fault = |reason: String| Finding::new(update.line, SKU, reason);
        let skus = update.item.skus();
        let found = skus
            .iter()
            .find_map(|sku| Some((sku.clone(), self.skus.get(sku)?.clone())));
        let (sku, id) =
            found.ok_or_else(|| fault(unknown(skus.last().map_or("", String::as_str))))?;
        let stored = self.products.get_mut(&id);
        let stored = stored.ok_or_else(|| fault(unknown(&sku)))?;
        if let Some(Some(gtin)) = &update.gtin {
            let holder = self.gtins.entry(gtin.clone()).or_insert((id, sku.clone()));
            if holder.1 != sku {
                let reason = format!("GTIN {gtin} left out: {} has it", holder.1);
                report.warn(Finding::new(update.line, "Variant Barcode", reason));
                update.gtin = None;
            }
        }
        let applied = update.apply(&mut stored.product, &sku);
        applied.map_err(|reason| Finding::new(update.line, SKU, reason))?;
        stored.lines.push(update.line);
        Ok(())
    }
}
