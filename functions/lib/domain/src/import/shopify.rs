//! Products from a Shopify product export: rows of one handle, one after the other.

use crate::money::Currency;
use crate::product::{Media, Product};

use super::assembly::{self, Assembly, Handles, category_and_those_above};
use super::header::{Header, Lacking};
use super::product::ProductDraft;
use super::report::{Finding, Report};
use super::shopify_row::{self, Columns, LABELS, REQUIRED};
use super::table::Row;
use super::{Format, cell, html};

/// Reads a product export of a brand.
pub struct ShopifyFile {
    columns: Columns,
    warnings: Vec<Finding>,
    open: Option<Assembly>,
    handles: Handles,
}

impl ShopifyFile {
    /// Whether a header may be that of a product export.
    pub fn is(header: &Header) -> bool {
        header.has(shopify_row::HANDLE) && header.has(shopify_row::TITLE)
    }

    /// Fails with the columns that the file lacks.
    pub fn new(header: &Header, currency: Currency) -> Result<Self, Lacking> {
        header.require(REQUIRED)?;
        Ok(Self {
            columns: Columns::of(header, currency),
            warnings: header.warnings(shopify_row::KNOWN, shopify_row::UNUSED),
            open: None,
            handles: Handles::default(),
        })
    }

    fn begin(&mut self, row: &Row, handle: &str, report: &mut Report) {
        let admitted = self.handles.admit(handle);
        let product = admitted
            .map_err(|reason| self.columns.handle.fault(row, reason))
            .and_then(|()| self.product(row, handle, report));
        self.open = Some(match product {
            Ok(product) => {
                let mut assembly = Assembly::new(product, &LABELS);
                self.variant(&mut assembly, row, report);
                assembly
            }
            Err(finding) => {
                report.refuse(finding);
                Assembly::refused(handle, &LABELS)
            }
        });
    }

    fn product(&self, row: &Row, handle: &str, report: &mut Report) -> Result<Product, Finding> {
        let columns = &self.columns;
        let names = columns.options(row)?;
        let product_type = columns.product_type.read(row, cell::text)?;
        let category = columns.category.read(row, cell::text)?;
        let category = if category.is_empty() {
            &product_type
        } else {
            &category
        };
        let product = Product {
            handle: columns.handle.read(row, |_| cell::text(handle))?,
            title: columns.title.read(row, cell::required)?,
            vendor: columns.vendor.read(row, cell::text)?,
            tags: columns.tags.read(row, shopify_row::tags)?,
            categories: category_and_those_above(category),
            product_type,
            published: columns.published.read(row, |cell| cell::flag(cell, true))?
                & columns.status.read(row, shopify_row::is_active)?,
            options: assembly::options(names),
            ..Product::empty()
        };
        Ok(Product {
            body_html: html::body(&columns.body, row, report),
            ..product
        })
    }

    fn variant(&self, assembly: &mut Assembly, row: &Row, report: &mut Report) {
        let columns = &self.columns;
        let mut left_out = Vec::new();
        let options = assembly.options();
        let added = columns
            .variant(row, assembly.handle(), options, &mut left_out)
            .and_then(|variant| assembly.add(variant, row.line, report));
        if let Err(finding) = added {
            return assembly.refuse(finding, report);
        }
        if let Some(url) = columns.optional_image(&columns.image, row, &mut left_out) {
            self.image(assembly, row, url, report);
        }
        left_out
            .into_iter()
            .for_each(|finding| report.warn(finding));
    }

    fn image_only(&self, assembly: &mut Assembly, row: &Row, report: &mut Report) {
        if self.columns.image.cell(row).is_empty() {
            let finding = Finding::new(row.line, "", "neither a variant nor an image");
            return assembly.refuse(finding, report);
        }
        match self.columns.image.read(row, cell::image_url) {
            Ok(url) => self.image(assembly, row, url, report),
            Err(finding) => report.refuse(finding),
        }
    }

    fn image(&self, assembly: &mut Assembly, row: &Row, url: String, report: &mut Report) {
        let alt_text = self.columns.image_alt.cell(row).chars().take(512).collect();
        let position = cell::count(self.columns.image_position.cell(row), 10_000);
        let media = Media { url, alt_text };
        assembly.image(media, position.unwrap_or(10_000), row.line, report);
    }
}

impl Format for ShopifyFile {
    type Item = ProductDraft;

    fn row(&mut self, row: Row, report: &mut Report) -> Option<ProductDraft> {
        report.rows += 1;
        let handle = self.columns.handle.cell(&row);
        if handle.is_empty() {
            report.refuse(self.columns.handle.fault(&row, "missing"));
            return None;
        }
        match self.open.take() {
            Some(mut assembly) if assembly.handle() == handle => {
                if assembly.refused {
                    report.refuse(
                        self.columns
                            .handle
                            .fault(&row, "the product's first row was refused"),
                    );
                } else if self.columns.has_variant(&row) {
                    self.variant(&mut assembly, &row, report);
                } else {
                    self.image_only(&mut assembly, &row, report);
                }
                self.open = Some(assembly);
                None
            }
            complete => {
                self.begin(&row, handle, report);
                complete.and_then(Assembly::into_draft)
            }
        }
    }

    fn finish(&mut self, _report: &mut Report) -> Option<ProductDraft> {
        self.open.take().and_then(Assembly::into_draft)
    }

    fn warnings(&self) -> Vec<Finding> {
        self.warnings.clone()
    }
}
