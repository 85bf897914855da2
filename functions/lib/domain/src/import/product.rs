//! Products of a file: which format it has, and what becomes of a product that it describes.

use std::collections::{HashMap, HashSet};

use crate::money::Currency;
use crate::product::{Product, Variant};

use super::assembly::Labels;
use super::header::{Header, Lacking};
use super::merchant::MerchantFile;
use super::report::{Finding, Report};
use super::shopify::ShopifyFile;
use super::table::Row;
use super::update::{SkuUpdate, UpdateFile};
use super::woocommerce::WooFile;
use super::{Format, fingerprint, sku};

/// The most variants of a product.
pub const MAX_VARIANTS: usize = 2_000;
/// The most images of a product.
pub const MAX_IMAGES: usize = 250;
/// The most tags of a product.
pub const MAX_TAGS: usize = 250;
/// The most products of a file, so that what is remembered of their handles stays small.
pub const MAX_PRODUCTS: usize = 100_000;
/// How many SKUs are tried for a variant whose own is another product's.
const TRIED_SKUS: usize = 3;

/// What a file of products says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductItem {
    /// All there is to a product.
    Product(Box<ProductDraft>),
    /// Something about one variant or its product.
    Update(Box<SkuUpdate>),
}

/// A file of products, in the format that its header shows.
pub enum ProductFile {
    Shopify(Box<ShopifyFile>),
    WooCommerce(Box<WooFile>),
    Merchant(Box<MerchantFile>),
    Update(Box<UpdateFile>),
}

impl ProductFile {
    /// Whether a header is that of a file of products.
    pub fn is(header: &Header) -> bool {
        WooFile::is(header)
            || MerchantFile::is(header)
            || ShopifyFile::is(header)
            || UpdateFile::is(header)
    }

    /// `currency`: the brand's. Fails with the columns that a Shopify export would have.
    pub fn new(header: &Header, currency: Currency) -> Result<Self, Lacking> {
        if WooFile::is(header) {
            return Ok(Self::WooCommerce(Box::new(WooFile::new(header, currency))));
        }
        if MerchantFile::is(header) {
            let file = MerchantFile::new(header, currency);
            return Ok(Self::Merchant(Box::new(file)));
        }
        match ShopifyFile::new(header, currency) {
            Err(_) if UpdateFile::is(header) => {
                Ok(Self::Update(Box::new(UpdateFile::new(header, currency))))
            }
            shopify => Ok(Self::Shopify(Box::new(shopify?))),
        }
    }
}

impl Format for ProductFile {
    type Item = ProductItem;

    fn row(&mut self, row: Row, report: &mut Report) -> Option<ProductItem> {
        let product = |draft| ProductItem::Product(Box::new(draft));
        match self {
            Self::Shopify(file) => file.row(row, report).map(product),
            Self::WooCommerce(file) => file.row(row, report).map(product),
            Self::Merchant(file) => file.row(row, report).map(product),
            Self::Update(file) => {
                let update = file.row(row, report);
                update.map(|update| ProductItem::Update(Box::new(update)))
            }
        }
    }

    fn finish(&mut self, report: &mut Report) -> Option<ProductItem> {
        let draft = match self {
            Self::Shopify(file) => file.finish(report),
            Self::WooCommerce(file) => file.finish(report),
            Self::Merchant(file) => file.finish(report),
            Self::Update(_) => None,
        };
        draft.map(|draft| ProductItem::Product(Box::new(draft)))
    }

    fn warnings(&self) -> Vec<Finding> {
        match self {
            Self::Shopify(file) => file.warnings(),
            Self::WooCommerce(file) => file.warnings(),
            Self::Merchant(file) => file.warnings(),
            Self::Update(file) => file.warnings(),
        }
    }
}

/// A product as a file describes it: neither it nor its variants have ids yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductDraft {
    pub product: Product,
    /// The file's line of each variant.
    pub lines: Vec<u64>,
    /// No row of the product was refused: a variant that is not here left the range.
    pub complete: bool,
    /// What the format calls its columns.
    pub labels: &'static Labels,
    /// The SKU that each variant came with.
    asked_skus: Vec<String>,
}

impl ProductDraft {
    pub fn new(product: Product, labels: &'static Labels) -> Self {
        Self {
            product,
            lines: Vec::new(),
            complete: true,
            labels,
            asked_skus: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, variant: Variant, line: u64, asked_sku: String) {
        self.product.variants.push(variant);
        self.lines.push(line);
        self.asked_skus.push(asked_sku);
    }

    /// Tells whether the file says something new about the product.
    pub fn fingerprint(&self) -> String {
        fingerprint::of(&(&self.product, self.complete))
    }

    /// The SKUs that [`ProductDraft::claim`] may give to variants whose own belong to
    /// another product (`taken`): who has them must be known before.
    pub fn alternatives(&self, taken: impl Fn(&str) -> bool) -> Vec<String> {
        let variants = self.product.variants.iter().zip(&self.asked_skus);
        let contested = variants.filter(|(variant, _)| taken(&variant.sku));
        contested
            .flat_map(|(variant, asked)| self.own_skus(variant, asked))
            .collect()
    }

    fn own_skus(&self, variant: &Variant, asked: &str) -> impl Iterator<Item = String> + use<> {
        let handle = &self.product.handle;
        sku::alternatives(asked, handle, &variant.option_values, false).take(TRIED_SKUS)
    }

    /// Gives the variants whose SKU another product has, stored or earlier in the file, one
    /// of their own, and takes away GTINs that another product has. What is left of both is
    /// the draft's from here on.
    pub fn claim(&mut self, holders: &mut Holders, report: &mut Report) {
        let mut own: HashSet<String> = self.skus().map(str::to_owned).collect();
        for at in 0..self.product.variants.len() {
            let (Some(line), Some(variant)) = (self.lines.get(at), self.product.variants.get(at))
            else {
                continue;
            };
            let other = holders.other(&variant.sku, self).map(str::to_owned);
            let asked = self.asked_skus.get(at).map_or("", String::as_str);
            let free = |sku: &String| !own.contains(sku) && holders.other(sku, self).is_none();
            let mut tried = self.own_skus(variant, asked);
            if let Some((holder, sku)) = other.zip(tried.find(free)) {
                let reason =
                    format!("SKU {asked} belongs to product {holder}; this variant gets {sku}");
                report.warn(Finding::new(*line, self.labels.sku, reason));
                own.insert(sku.clone());
                if let Some(variant) = self.product.variants.get_mut(at) {
                    variant.sku = sku;
                }
            }
        }
        let handle = self.product.handle.clone();
        for (variant, line) in self.product.variants.iter_mut().zip(&self.lines) {
            holders.skus.insert(variant.sku.clone(), handle.clone());
            let Some(gtin) = variant.gtin.clone() else {
                continue;
            };
            match holders.gtins.get(&gtin).filter(|holder| **holder != handle) {
                Some(holder) => {
                    variant.gtin = None;
                    let reason = format!("GTIN {gtin} left out: it belongs to product {holder}");
                    report.warn(Finding::new(*line, self.labels.barcode, reason));
                }
                None => drop(holders.gtins.insert(gtin, handle.clone())),
            }
        }
    }

    /// The variants' SKUs.
    pub fn skus(&self) -> impl Iterator<Item = &str> {
        let variants = self.product.variants.iter();
        variants.map(|variant| variant.sku.as_str())
    }

    /// The variants' GTINs.
    pub fn gtins(&self) -> impl Iterator<Item = &str> {
        let variants = self.product.variants.iter();
        variants.filter_map(|variant| variant.gtin.as_deref())
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

/// Which product of the brand, by handle, has which SKU and GTIN.
#[derive(Debug, Clone, Default)]
pub struct Holders {
    pub skus: HashMap<String, String>,
    pub gtins: HashMap<String, String>,
}

impl Holders {
    /// Adds what others have; it counts more than what was known.
    pub fn add(&mut self, others: &Self) {
        let copied = |map: &HashMap<String, String>| map.clone().into_iter();
        self.skus.extend(copied(&others.skus));
        self.gtins.extend(copied(&others.gtins));
    }

    /// What a draft has is its own.
    pub fn note(&mut self, draft: &ProductDraft) {
        let handle = &draft.product.handle;
        let own = |name: &str| (name.to_owned(), handle.clone());
        self.skus.extend(draft.skus().map(own));
        self.gtins.extend(draft.gtins().map(own));
    }

    /// The handle of the other product that has this SKU.
    fn other(&self, sku: &str, draft: &ProductDraft) -> Option<&str> {
        let holder = self.skus.get(sku).map(String::as_str);
        holder.filter(|holder| *holder != draft.product.handle)
    }
}

impl Product {
    /// Fills in which values each option has, in the order of the variants that can be bought.
    pub(super) fn collect_option_values(&mut self) {
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
