//! A product being put together from the rows of a file, whatever its format.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::product::{Media, Product, ProductOption, Variant};

use super::product::{MAX_IMAGES, MAX_PRODUCTS, MAX_VARIANTS, ProductDraft};
use super::report::{Finding, Report};
use super::sku::{self, NO_OPTION};

/// What a format calls the columns in which two rows can stand in each other's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels {
    pub sku: &'static str,
    pub barcode: &'static str,
    pub option: &'static str,
    pub image: &'static str,
}

/// The rows of a product so far.
pub struct Assembly {
    /// Why the product as a whole cannot be used, and with it none of its rows.
    pub refused: bool,
    draft: ProductDraft,
    media: Vec<(i64, Media)>,
    skus: HashSet<String>,
    gtins: HashSet<String>,
    values: HashSet<Vec<String>>,
}

impl Assembly {
    /// `product` has facts and options, but neither variants nor media.
    pub fn new(product: Product, labels: &'static Labels) -> Self {
        Self {
            refused: false,
            draft: ProductDraft::new(product, labels),
            media: Vec::new(),
            skus: HashSet::new(),
            gtins: HashSet::new(),
            values: HashSet::new(),
        }
    }

    /// A product none of whose rows can be used.
    pub fn refused(handle: &str, labels: &'static Labels) -> Self {
        let product = Product {
            handle: handle.into(),
            ..Product::empty()
        };
        Self {
            refused: true,
            ..Self::new(product, labels)
        }
    }

    pub fn handle(&self) -> &str {
        &self.draft.product.handle
    }

    /// How many options the product has.
    pub fn options(&self) -> usize {
        self.draft.product.options.len()
    }

    /// One of the product's rows is not used: variants that are missing may be on it.
    pub fn refuse(&mut self, finding: Finding, report: &mut Report) {
        self.draft.complete = false;
        report.refuse(finding);
    }

    /// Adds a variant, with a SKU and without the GTIN of an earlier one.
    pub fn add(
        &mut self,
        mut variant: Variant,
        line: u64,
        report: &mut Report,
    ) -> Result<(), Finding> {
        let labels = self.draft.labels;
        if self.draft.product.variants.len() >= MAX_VARIANTS {
            let reason = format!("more than {MAX_VARIANTS} variants of one product");
            return Err(Finding::new(line, "", reason));
        }
        if !self.values.insert(variant.option_values.clone()) {
            let reason = "a variant with these option values is on an earlier row already";
            return Err(Finding::new(line, labels.option, reason));
        }
        let asked = variant.sku.clone();
        if self.skus.contains(&asked) {
            let mut own = sku::alternatives(&asked, self.handle(), &variant.option_values, true);
            variant.sku = own.find(|own| !self.skus.contains(own)).unwrap_or_default();
            let reason = format!(
                "SKU {asked} is on an earlier row already; this variant gets {}",
                variant.sku
            );
            report.warn(Finding::new(line, labels.sku, reason));
        }
        let taken = variant.gtin.take_if(|gtin| self.gtins.contains(gtin));
        if let Some(gtin) = taken {
            let reason = format!("GTIN {gtin} left out: it is on an earlier row already");
            report.warn(Finding::new(line, labels.barcode, reason));
        }
        self.skus.insert(variant.sku.clone());
        self.gtins.extend(variant.gtin.clone());
        self.draft.push(variant, line, asked);
        Ok(())
    }

    /// Adds an image unless it is there already; images are in the order of `position`.
    pub fn image(&mut self, media: Media, position: i64, line: u64, report: &mut Report) {
        if self.media.iter().any(|(_, other)| other.url == media.url) {
            return;
        }
        if self.media.len() >= MAX_IMAGES {
            let reason = format!("left out: more than {MAX_IMAGES} images");
            return report.warn(Finding::new(line, self.draft.labels.image, reason));
        }
        self.media.push((position, media));
    }

    /// The product, if there is anything of it to buy.
    pub fn into_draft(self) -> Option<ProductDraft> {
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

/// The handles of a file so far, as hashes: eight bytes each, whatever their length.
#[derive(Default)]
pub struct Handles(HashSet<u64>);

impl Handles {
    /// Takes note of a product's handle, or says why there cannot be such a product.
    pub fn admit(&mut self, handle: &str) -> Result<(), String> {
        if self.0.len() >= MAX_PRODUCTS {
            return Err(format!("more than {MAX_PRODUCTS} products in one file"));
        }
        if !self.0.insert(hash(handle)) {
            return Err(
                "the rows of a product must follow each other, and those of this one ended earlier"
                    .into(),
            );
        }
        if handle.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '%' | '\\'))
        {
            return Err("a handle is part of an address: no spaces, no / ? # % \\".into());
        }
        Ok(())
    }

    pub fn has(&self, handle: &str) -> bool {
        self.0.contains(&hash(handle))
    }
}

/// Of a name, for sets that must stay small.
pub fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// Options of these names, without values yet.
pub fn options(names: impl IntoIterator<Item = String>) -> Vec<ProductOption> {
    let option = |name| ProductOption {
        name,
        values: Vec::new(),
    };
    names.into_iter().map(option).collect()
}

/// `A > B > C` is in `A`, in `A > B` and in itself, so that a filter on any of them finds it.
pub fn category_and_those_above(category: &str) -> Vec<String> {
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

impl Product {
    pub(super) fn empty() -> Self {
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
