//! Changes of some columns of variants that are there already, one row for each SKU. What a
//! file has no column for stays as it is.

use crate::money::Currency;
use crate::product::{Product, Variant};

use super::assembly::category_and_those_above;
use super::header::{Column, Header, Names};
use super::report::{Finding, Report};
use super::shopify_row::{self as names, EXEMPT};
use super::stock::Item;
use super::table::Row;
use super::{Format, cell, html, sku};

/// What can be changed.
const CHANGEABLE: &[Names] = &[
    names::PRICE,
    names::COMPARE_AT_PRICE,
    names::TITLE,
    names::BODY,
    names::VENDOR,
    names::CATEGORY,
    names::TYPE,
    names::TAGS,
    names::PUBLISHED,
    names::STATUS,
    names::BARCODE,
    names::GRAMS,
    names::REQUIRES_SHIPPING,
    names::TAXABLE,
    names::TAX_CODE,
];

/// Changes of one variant and of its product; `None` leaves what is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkuUpdate {
    pub line: u64,
    /// The variant.
    pub item: Item,
    /// As 14 digits; the inner `None` takes it away.
    pub gtin: Option<Option<String>>,
    price_minor: Option<i64>,
    compare_at_price_minor: Option<Option<i64>>,
    weight_g: Option<Option<i64>>,
    requires_shipping: Option<bool>,
    taxable: Option<bool>,
    tax_code: Option<String>,
    title: Option<String>,
    body_html: Option<String>,
    vendor: Option<String>,
    product_type: Option<String>,
    category: Option<String>,
    tags: Option<Vec<String>>,
    published: Option<bool>,
}

/// Reads a file of such changes.
pub struct UpdateFile {
    currency: Currency,
    sku: Column,
    handle: Column,
    option_values: [Column; 3],
    price: Column,
    compare_at_price: Column,
    title: Column,
    body: Column,
    vendor: Column,
    category: Column,
    product_type: Column,
    tags: Column,
    published: Column,
    status: Column,
    barcode: Column,
    grams: Column,
    requires_shipping: Column,
    taxable: Column,
    tax_code: Column,
    warnings: Vec<Finding>,
}

impl UpdateFile {
    /// Whether a header has SKUs and anything that can be changed, but not all of a product.
    pub fn is(header: &Header) -> bool {
        header.has(names::SKU) && CHANGEABLE.iter().any(|names| header.has(names))
    }

    pub fn new(header: &Header, currency: Currency) -> Self {
        let column = |names| Column::of(header, names);
        let unused = [
            names::UNUSED,
            &["Option1 Name", "Option2 Name", "Option3 Name"],
        ]
        .concat();
        Self {
            currency,
            sku: column(names::SKU),
            handle: column(names::HANDLE),
            option_values: names::OPTION_VALUES.map(column),
            price: column(names::PRICE),
            compare_at_price: column(names::COMPARE_AT_PRICE),
            title: column(names::TITLE),
            body: column(names::BODY),
            vendor: column(names::VENDOR),
            category: column(names::CATEGORY),
            product_type: column(names::TYPE),
            tags: column(names::TAGS),
            published: column(names::PUBLISHED),
            status: column(names::STATUS),
            barcode: column(names::BARCODE),
            grams: column(names::GRAMS),
            requires_shipping: column(names::REQUIRES_SHIPPING),
            taxable: column(names::TAXABLE),
            tax_code: column(names::TAX_CODE),
            warnings: header.warnings(CHANGEABLE, &unused),
        }
    }

    fn update(&self, row: &Row, report: &mut Report) -> Result<SkuUpdate, Finding> {
        // Of what every variant has, an empty cell says nothing.
        let money = |cell: &str| cell::money_minor(cell, self.currency);
        let published = filled(&self.published, row, |cell| cell::flag(cell, true))?;
        let active = filled(&self.status, row, names::is_active)?;
        let gtin = here(&self.barcode, row, cell::gtin).unwrap_or_else(|finding| {
            report.warn(finding);
            None
        });
        Ok(SkuUpdate {
            line: row.line,
            item: self.item(row)?,
            gtin,
            price_minor: filled(&self.price, row, money)?,
            compare_at_price_minor: here(&self.compare_at_price, row, |cell| match cell {
                "" => Ok(None),
                cell => money(cell).map(|price| Some(price).filter(|price| *price > 0)),
            })?,
            weight_g: here(&self.grams, row, cell::weight_g)?,
            requires_shipping: filled(&self.requires_shipping, row, |cell| cell::flag(cell, true))?,
            taxable: filled(&self.taxable, row, |cell| cell::flag(cell, true))?,
            tax_code: here(&self.tax_code, row, cell::text)?.map(|code| code.to_lowercase()),
            title: filled(&self.title, row, cell::text)?,
            body_html: (self.body.is_there()).then(|| html::body(&self.body, row, report)),
            vendor: here(&self.vendor, row, cell::text)?,
            product_type: here(&self.product_type, row, cell::text)?,
            category: here(&self.category, row, cell::text)?,
            tags: here(&self.tags, row, names::tags)?,
            published: match (published, active) {
                (None, None) => None,
                (published, active) => Some(published.unwrap_or(true) & active.unwrap_or(true)),
            },
        })
    }

    fn item(&self, row: &Row) -> Result<Item, Finding> {
        let sku = self.sku.read(row, |cell| {
            cell::required(cell).and_then(|cell| cell::code(&cell))
        })?;
        let handle = self.handle.cell(row);
        if handle.is_empty() {
            return Ok(Item::Sku(sku));
        }
        let values = self.option_values.iter().map(|column| column.cell(row));
        let values: Vec<String> = values
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect();
        Ok(Item::OneOf(sku::candidates(&sku, handle, &values)))
    }
}

/// The meaning of a cell if the file has the column.
fn here<T>(
    column: &Column,
    row: &Row,
    meaning: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, Finding> {
    (column.is_there())
        .then(|| column.read(row, meaning))
        .transpose()
}

/// The meaning of a cell if there is anything in it.
fn filled<T>(
    column: &Column,
    row: &Row,
    meaning: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, Finding> {
    (!column.cell(row).is_empty())
        .then(|| column.read(row, meaning))
        .transpose()
}

impl Format for UpdateFile {
    type Item = SkuUpdate;

    fn row(&mut self, row: Row, report: &mut Report) -> Option<SkuUpdate> {
        report.rows += 1;
        self.update(&row, report)
            .map_err(|finding| report.refuse(finding))
            .ok()
    }

    fn finish(&mut self, _report: &mut Report) -> Option<SkuUpdate> {
        None
    }

    fn warnings(&self) -> Vec<Finding> {
        self.warnings.clone()
    }
}

impl SkuUpdate {
    /// Changes the variant of this SKU, and its product. `Err` says why it cannot be changed.
    pub fn apply(&self, product: &mut Product, sku: &str) -> Result<(), String> {
        let variant = (product.variants.iter_mut()).find(|variant| variant.sku == sku);
        let variant = variant.ok_or_else(|| unknown(sku))?;
        if !variant.active {
            return Err(format!(
                "{sku} left the range; a file of products that names it brings it back"
            ));
        }
        self.change_variant(variant);
        let set = |place: &mut String, value: &Option<String>| {
            if let Some(value) = value {
                place.clone_from(value);
            }
        };
        if let Some(title) = &self.title {
            // A variant of a product without options goes by the product's name.
            let alone = product.options.is_empty();
            for variant in product.variants.iter_mut().filter(|_| alone) {
                variant.title.clone_from(title);
            }
        }
        set(&mut product.title, &self.title);
        set(&mut product.body_html, &self.body_html);
        set(&mut product.vendor, &self.vendor);
        set(&mut product.product_type, &self.product_type);
        let category = self
            .category
            .as_deref()
            .filter(|category| !category.is_empty());
        if let Some(category) = category.or(self.product_type.as_deref()) {
            product.categories = category_and_those_above(category);
        }
        if let Some(tags) = &self.tags {
            product.tags.clone_from(tags);
        }
        product.published = self.published.unwrap_or(product.published);
        Ok(())
    }

    fn change_variant(&self, variant: &mut Variant) {
        variant.price_minor = self.price_minor.unwrap_or(variant.price_minor);
        let compare_at = self.compare_at_price_minor;
        let compare_at = compare_at.unwrap_or(variant.compare_at_price_minor);
        // A price that is not higher strikes nothing through.
        variant.compare_at_price_minor = compare_at.filter(|list| *list > variant.price_minor);
        if let Some(gtin) = &self.gtin {
            variant.gtin.clone_from(gtin);
        }
        variant.weight_g = self.weight_g.unwrap_or(variant.weight_g);
        variant.requires_shipping = (self.requires_shipping).unwrap_or(variant.requires_shipping);
        let was_exempt = variant.tax_category == EXEMPT;
        let code = match &self.tax_code {
            Some(code) => code.clone(),
            None if was_exempt => String::new(),
            None => variant.tax_category.clone(),
        };
        variant.tax_category = match self.taxable.unwrap_or(!was_exempt) {
            true => code,
            false => EXEMPT.into(),
        };
    }
}

/// Why a SKU cannot be used that the brand does not have.
pub fn unknown(sku: &str) -> String {
    format!("the brand has no variant {sku}")
}
