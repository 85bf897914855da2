//! Products from a Shopify product export: rows of one handle, one after the other.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::product::{Media, Product, ProductOption, Variant};

use super::product_row::{Columns, NO_OPTION, REQUIRED};
use super::report::{Finding, Report};
use super::table::{Header, Row};
use super::{Format, cell, fingerprint, html};

/// The most variants of a product.
pub const MAX_VARIANTS: usize = 2_000;
/// The most images of a product.
pub const MAX_IMAGES: usize = 250;
/// The most tags of a product.
pub const MAX_TAGS: usize = 250;
/// The most products of a file, so that what is remembered of their handles stays small.
pub const MAX_PRODUCTS: usize = 100_000;

/// A product as a file describes it: neither it nor its variants have ids yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductDraft {
    pub product: Product,
    /// The file's line of each variant.
    pub lines: Vec<u64>,
    /// No row of the product was refused: a variant that is not here left the range.
    pub complete: bool,
}

impl ProductDraft {
    /// Tells whether the file says something new about the product.
    pub fn fingerprint(&self) -> String {
        fingerprint::of(&(&self.product, self.complete))
    }

    /// Takes out the variants for which there is a reason to refuse them.
    pub fn refuse_variants(
        &mut self,
        report: &mut Report,
        reason: impl Fn(&Variant) -> Option<(&'static str, String)>,
    ) {
        let variants = std::mem::take(&mut self.product.variants);
        let lines = std::mem::take(&mut self.lines);
        for (variant, line) in variants.into_iter().zip(lines) {
            if let Some((column, reason)) = reason(&variant) {
                self.complete = false;
                report.refuse(Finding::new(line, column, reason));
            } else {
                self.product.variants.push(variant);
                self.lines.push(line);
            }
        }
        self.product.collect_option_values();
    }

    /// The document to store: ids kept where the product or the SKU is known, new ones
    /// otherwise. What the file no longer names stays for old orders, no longer for sale,
    /// and gives up its GTIN to a variant that now claims it.
    pub fn into_product(
        self,
        stored: Option<Product>,
        mut new_id: impl FnMut() -> String,
    ) -> Product {
        let (product_id, mut known) = stored
            .map(|stored| (stored.id, stored.variants))
            .unwrap_or_default();
        let mut product = self.product;
        product.id = if product_id.is_empty() {
            new_id()
        } else {
            product_id
        };
        for variant in &mut product.variants {
            let same = known.iter().position(|known| known.sku == variant.sku);
            variant.id = same.map_or_else(&mut new_id, |at| known.remove(at).id);
        }
        let claimed: HashSet<_> = product
            .variants
            .iter()
            .filter_map(|variant| variant.gtin.clone())
            .collect();
        for mut variant in known {
            variant.active &=
                !self.complete && variant.option_values.len() == product.options.len();
            variant.gtin = variant.gtin.filter(|gtin| !claimed.contains(gtin));
            product.variants.push(variant);
        }
        product.collect_option_values();
        product
    }
}

impl Product {
    /// Fills in which values each option has, in the order of the variants that can be bought.
    fn collect_option_values(&mut self) {
        for (at, option) in self.options.iter_mut().enumerate() {
            let mut seen = HashSet::new();
            let values = self
                .variants
                .iter()
                .filter(|variant| variant.active)
                .filter_map(|variant| variant.option_values.get(at));
            option.values = values
                .filter(|value| seen.insert(*value))
                .cloned()
                .collect();
        }
    }
}

/// Reads a product export of a brand.
pub struct ProductFile {
    columns: Columns,
    exponent: u32,
    open: Option<Group>,
    /// Hashes of the handles that were read: eight bytes each, whatever their length.
    seen: HashSet<u64>,
}

/// The rows of one handle so far.
struct Group {
    handle: String,
    /// Why the product as a whole cannot be used, and with it none of its rows.
    refused: bool,
    draft: ProductDraft,
    media: Vec<(i64, Media)>,
    skus: HashSet<String>,
    gtins: HashSet<String>,
    values: HashSet<Vec<String>>,
}

impl ProductFile {
    /// `exponent`: decimals of the brand's currency. Fails with the columns that the file lacks.
    pub fn new(header: &Header, exponent: u32) -> Result<Self, Vec<&'static str>> {
        match header.missing(REQUIRED) {
            missing if !missing.is_empty() => Err(missing),
            _ => Ok(Self {
                columns: Columns::of(header),
                exponent,
                open: None,
                seen: HashSet::new(),
            }),
        }
    }

    fn begin(&mut self, row: &Row, handle: &str, report: &mut Report) {
        let product = self
            .new_handle(row, handle)
            .and_then(|()| self.product(row, handle));
        let refused = product.is_err();
        let mut group = Group::new(handle);
        group.refused = refused;
        match product {
            Ok(product) => {
                group.draft.product = product;
                self.variant(&mut group, row, report);
            }
            Err(finding) => report.refuse(finding),
        }
        self.open = Some(group);
    }

    fn new_handle(&mut self, row: &Row, handle: &str) -> Result<(), Finding> {
        let fault = |reason: String| Err(self.columns.handle.fault(row, reason));
        if self.seen.len() >= MAX_PRODUCTS {
            return fault(format!("more than {MAX_PRODUCTS} products in one file"));
        }
        let mut hasher = DefaultHasher::new();
        handle.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return fault(
                "the rows of a product must follow each other, and those of this one ended earlier"
                    .into(),
            );
        }
        if handle.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '%' | '\\'))
        {
            return fault("a handle is part of an address: no spaces, no / ? # % \\".into());
        }
        Ok(())
    }

    fn product(&self, row: &Row, handle: &str) -> Result<Product, Finding> {
        let columns = &self.columns;
        let names = columns.options(row)?;
        let product_type = columns.product_type.read(row, cell::text)?;
        let category = columns.category.read(row, cell::text)?;
        let category = if category.is_empty() {
            &product_type
        } else {
            &category
        };
        Ok(Product {
            id: String::new(),
            handle: columns.handle.read(row, |_| cell::text(handle))?,
            title: columns.title.read(row, cell::required)?,
            body_html: html::sanitise(columns.body.cell(row)),
            vendor: columns.vendor.read(row, cell::text)?,
            tags: columns.tags.read(row, tags)?,
            categories: category_and_those_above(category),
            product_type,
            published: columns.published.read(row, |cell| cell::flag(cell, true))?
                & columns.status.read(row, is_active)?,
            options: names
                .into_iter()
                .map(|name| ProductOption {
                    name,
                    values: Vec::new(),
                })
                .collect(),
            media: Vec::new(),
            variants: Vec::new(),
        })
    }

    fn variant(&self, group: &mut Group, row: &Row, report: &mut Report) {
        let options = group.draft.product.options.len();
        let read = self
            .columns
            .variant(row, &group.handle, options, self.exponent);
        let added = read.and_then(|(variant, left_out)| {
            group.add(variant, row, &self.columns)?;
            Ok(left_out)
        });
        match added {
            Ok(left_out) => {
                left_out
                    .into_iter()
                    .for_each(|finding| report.warn(finding));
                let mut left_out = Vec::new();
                if let Some(url) =
                    self.columns
                        .optional_image(&self.columns.image, row, &mut left_out)
                {
                    self.image(group, row, url, report);
                }
                left_out
                    .into_iter()
                    .for_each(|finding| report.warn(finding));
            }
            Err(finding) => group.refuse(finding, report),
        }
    }

    fn image_only(&self, group: &mut Group, row: &Row, report: &mut Report) {
        if self.columns.image.cell(row).is_empty() {
            return group.refuse(
                Finding::new(row.line, "", "neither a variant nor an image"),
                report,
            );
        }
        match self.columns.image.read(row, cell::image_url) {
            Ok(url) => self.image(group, row, url, report),
            Err(finding) => report.refuse(finding),
        }
    }

    fn image(&self, group: &mut Group, row: &Row, url: String, report: &mut Report) {
        if group.media.iter().any(|(_, media)| media.url == url) {
            return;
        }
        if group.media.len() >= MAX_IMAGES {
            return report.warn(
                self.columns
                    .image
                    .fault(row, format!("left out: more than {MAX_IMAGES} images")),
            );
        }
        let alt_text = self
            .columns
            .image_alt
            .read(row, |text| Ok(text.chars().take(512).collect()))
            .unwrap_or_default();
        let position = cell::count(self.columns.image_position.cell(row), 10_000).unwrap_or(10_000);
        group.media.push((position, Media { url, alt_text }));
    }

    fn close(&mut self) -> Option<ProductDraft> {
        self.open.take().and_then(Group::into_draft)
    }
}

impl Format for ProductFile {
    type Item = ProductDraft;

    fn row(&mut self, row: Row, report: &mut Report) -> Option<ProductDraft> {
        report.rows += 1;
        let handle = self.columns.handle.cell(&row);
        if handle.is_empty() {
            report.refuse(self.columns.handle.fault(&row, "missing"));
            return None;
        }
        match self.open.take() {
            Some(mut group) if group.handle == handle => {
                if group.refused {
                    report.refuse(
                        self.columns
                            .handle
                            .fault(&row, "the product's first row was refused"),
                    );
                } else if self.columns.has_variant(&row) {
                    self.variant(&mut group, &row, report);
                } else {
                    self.image_only(&mut group, &row, report);
                }
                self.open = Some(group);
                None
            }
            complete => {
                self.begin(&row, handle, report);
                complete.and_then(Group::into_draft)
            }
        }
    }

    fn finish(&mut self, _report: &mut Report) -> Option<ProductDraft> {
        self.close()
    }
}

impl Group {
    fn new(handle: &str) -> Self {
        Self {
            handle: handle.into(),
            refused: false,
            draft: ProductDraft {
                product: Product::empty(),
                lines: Vec::new(),
                complete: true,
            },
            media: Vec::new(),
            skus: HashSet::new(),
            gtins: HashSet::new(),
            values: HashSet::new(),
        }
    }

    fn refuse(&mut self, finding: Finding, report: &mut Report) {
        self.draft.complete = false;
        report.refuse(finding);
    }

    fn add(&mut self, variant: Variant, row: &Row, columns: &Columns) -> Result<(), Finding> {
        if self.draft.lines.len() >= MAX_VARIANTS {
            return Err(Finding::new(
                row.line,
                "",
                format!("more than {MAX_VARIANTS} variants of one product"),
            ));
        }
        if self.skus.contains(&variant.sku) {
            return Err(columns.sku.fault(
                row,
                format!("SKU {} is on an earlier row already", variant.sku),
            ));
        }
        if let Some(gtin) = variant
            .gtin
            .as_ref()
            .filter(|gtin| self.gtins.contains(*gtin))
        {
            return Err(columns
                .barcode
                .fault(row, format!("GTIN {gtin} is on an earlier row already")));
        }
        if !self.values.insert(variant.option_values.clone()) {
            let [first, ..] = columns.option_values;
            return Err(first.fault(
                row,
                "a variant with these option values is on an earlier row already",
            ));
        }
        self.skus.insert(variant.sku.clone());
        self.gtins.extend(variant.gtin.clone());
        self.draft.product.variants.push(variant);
        self.draft.lines.push(row.line);
        Ok(())
    }

    fn into_draft(self) -> Option<ProductDraft> {
        let mut draft = self.draft;
        if self.refused || draft.product.variants.is_empty() {
            return None;
        }
        let mut media = self.media;
        media.sort_by_key(|(position, _)| *position);
        draft.product.media = media.into_iter().map(|(_, media)| media).collect();
        draft.product.drop_default_option();
        draft.product.collect_option_values();
        Some(draft)
    }
}

impl Product {
    fn empty() -> Self {
        Self {
            id: String::new(),
            handle: String::new(),
            title: String::new(),
            body_html: String::new(),
            vendor: String::new(),
            product_type: String::new(),
            tags: Vec::new(),
            categories: Vec::new(),
            published: false,
            options: Vec::new(),
            media: Vec::new(),
            variants: Vec::new(),
        }
    }

    /// Shopify gives a product without options one called `Title` with the value `Default Title`.
    fn drop_default_option(&mut self) {
        if let ([option], [variant]) = (self.options.as_slice(), self.variants.as_mut_slice())
            && option.name == NO_OPTION.0
            && variant.option_values == [NO_OPTION.1]
        {
            self.options.clear();
            variant.option_values.clear();
            variant.title.clear();
        }
        for variant in self
            .variants
            .iter_mut()
            .filter(|variant| variant.title.is_empty())
        {
            variant.title.clone_from(&self.title);
        }
    }
}

fn tags(cell: &str) -> Result<Vec<String>, String> {
    let mut tags = Vec::new();
    for tag in cell.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        let tag = cell::text(tag)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        if tags.len() > MAX_TAGS {
            return Err(format!("more than {MAX_TAGS} tags"));
        }
    }
    Ok(tags)
}

/// `A > B > C` is in `A`, in `A > B` and in itself, so that a filter on any of them finds it.
fn category_and_those_above(category: &str) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    for name in category
        .split('>')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        path.push(
            path.last()
                .map_or_else(|| name.to_owned(), |above| format!("{above} > {name}")),
        );
    }
    path
}

fn is_active(cell: &str) -> Result<bool, String> {
    match cell.to_ascii_lowercase().as_str() {
        "" | "active" => Ok(true),
        "draft" | "archived" | "unlisted" => Ok(false),
        _ => Err("not one of active, draft, archived, unlisted".into()),
    }
}
