//! The columns of a Shopify product export, and what one row of it says.

use crate::money::Currency;
use crate::product::Variant;

use super::assembly::Labels;
use super::header::{Column, Header, Names};
use super::product::MAX_TAGS;
use super::report::Finding;
use super::table::Row;
use super::{cell, sku};

// The classic export's name first, then that of exports since 2024, then others that are met.
pub const HANDLE: Names = &["Handle", "URL handle", "Product handle"];
pub const TITLE: Names = &["Title", "Product title"];
pub const BODY: Names = &["Body (HTML)", "Description", "Body", "Product description"];
pub const VENDOR: Names = &["Vendor", "Brand"];
pub const CATEGORY: Names = &[
    "Product Category",
    "Google Shopping / Google Product Category",
];
pub const TYPE: Names = &["Type", "Product type", "Custom product type"];
pub const TAGS: Names = &["Tags"];
pub const PUBLISHED: Names = &["Published", "Published on online store"];
pub const STATUS: Names = &["Status"];
pub const OPTION_NAMES: [Names; 3] = [&["Option1 Name"], &["Option2 Name"], &["Option3 Name"]];
pub const OPTION_VALUES: [Names; 3] = [&["Option1 Value"], &["Option2 Value"], &["Option3 Value"]];
pub const SKU: Names = &["Variant SKU", "SKU"];
pub const GRAMS: Names = &[
    "Variant Grams",
    "Weight value (grams)",
    "Grams",
    "Weight (g)",
];
pub const PRICE: Names = &["Variant Price", "Price"];
pub const COMPARE_AT_PRICE: Names = &["Variant Compare At Price", "Compare-at price", "Compare at"];
pub const REQUIRES_SHIPPING: Names = &["Variant Requires Shipping", "Requires shipping"];
pub const TAXABLE: Names = &["Variant Taxable", "Charge tax", "Taxable"];
pub const TAX_CODE: Names = &["Variant Tax Code", "Tax code"];
pub const BARCODE: Names = &["Variant Barcode", "Barcode", "GTIN", "EAN", "UPC"];
const VARIANT_IMAGE: Names = &["Variant Image", "Variant image URL"];
const IMAGE: Names = &["Image Src", "Product image URL", "Image URL"];
const IMAGE_POSITION: Names = &["Image Position"];
const IMAGE_ALT: Names = &["Image Alt Text"];

/// All columns that are used.
pub const KNOWN: &[Names] = &[
    HANDLE,
    TITLE,
    BODY,
    VENDOR,
    CATEGORY,
    TYPE,
    TAGS,
    PUBLISHED,
    STATUS,
    OPTION_NAMES[0],
    OPTION_NAMES[1],
    OPTION_NAMES[2],
    OPTION_VALUES[0],
    OPTION_VALUES[1],
    OPTION_VALUES[2],
    SKU,
    GRAMS,
    PRICE,
    COMPARE_AT_PRICE,
    REQUIRES_SHIPPING,
    TAXABLE,
    TAX_CODE,
    BARCODE,
    VARIANT_IMAGE,
    IMAGE,
    IMAGE_POSITION,
    IMAGE_ALT,
];

/// Columns of Shopify's exports that mean something for which there is no place.
pub const UNUSED: Names = &[
    "Variant Inventory Tracker",
    "Variant Inventory Qty",
    "Variant Inventory Policy",
    "Variant Fulfillment Service",
    "Variant Weight Unit",
    "Weight unit for display",
    "Inventory tracker",
    "Inventory quantity",
    "Continue selling when out of stock",
    "Fulfillment service",
    "Gift Card",
    "SEO Title",
    "SEO Description",
    "Google Shopping / Gender",
    "Google Shopping / Age Group",
    "Google Shopping / MPN",
    "Google Shopping / AdWords Grouping",
    "Google Shopping / AdWords Labels",
    "Google Shopping / Condition",
    "Google Shopping / Custom Product",
    "Google Shopping / Custom Label 0",
    "Google Shopping / Custom Label 1",
    "Google Shopping / Custom Label 2",
    "Google Shopping / Custom Label 3",
    "Google Shopping / Custom Label 4",
    "Collection",
    "Cost per item",
    "Unit Price Total Measure",
    "Unit Price Total Measure Unit",
    "Unit Price Base Measure",
    "Unit Price Base Measure Unit",
    "Option1 Linked To",
    "Option2 Linked To",
    "Option3 Linked To",
];

pub const LABELS: Labels = Labels {
    sku: "Variant SKU",
    barcode: "Variant Barcode",
    option: "Option1 Value",
    image: "Image Src",
};

/// The columns without which a file is no product export.
pub const REQUIRED: &[Names] = &[HANDLE, TITLE, PRICE];

/// The tax category of a variant whose `Variant Taxable` is false.
pub const EXEMPT: &str = "exempt";

pub struct Columns {
    pub handle: Column,
    pub title: Column,
    pub body: Column,
    pub vendor: Column,
    pub category: Column,
    pub product_type: Column,
    pub tags: Column,
    pub published: Column,
    pub status: Column,
    pub option_names: [Column; 3],
    pub option_values: [Column; 3],
    pub sku: Column,
    pub barcode: Column,
    pub image: Column,
    pub image_position: Column,
    pub image_alt: Column,
    currency: Currency,
    grams: Column,
    price: Column,
    compare_at_price: Column,
    requires_shipping: Column,
    taxable: Column,
    tax_code: Column,
    variant_image: Column,
}

impl Columns {
    pub fn of(header: &Header, currency: Currency) -> Self {
        let column = |names| Column::of(header, names);
        Self {
            currency,
            handle: column(HANDLE),
            title: column(TITLE),
            body: column(BODY),
            vendor: column(VENDOR),
            category: column(CATEGORY),
            product_type: column(TYPE),
            tags: column(TAGS),
            published: column(PUBLISHED),
            status: column(STATUS),
            option_names: OPTION_NAMES.map(column),
            option_values: OPTION_VALUES.map(column),
            sku: column(SKU),
            barcode: column(BARCODE),
            image: column(IMAGE),
            image_position: column(IMAGE_POSITION),
            image_alt: column(IMAGE_ALT),
            grams: column(GRAMS),
            price: column(PRICE),
            compare_at_price: column(COMPARE_AT_PRICE),
            requires_shipping: column(REQUIRES_SHIPPING),
            taxable: column(TAXABLE),
            tax_code: column(TAX_CODE),
            variant_image: column(VARIANT_IMAGE),
        }
    }

    /// Whether a row that continues a product adds a variant, not only an image.
    pub fn has_variant(&self, row: &Row) -> bool {
        let cells = [&self.sku, &self.price, &self.barcode];
        cells
            .into_iter()
            .chain(&self.option_values)
            .any(|column| !column.cell(row).is_empty())
    }

    /// The names of the product's options, from its first row: 0 to 3 without a gap.
    pub fn options(&self, row: &Row) -> Result<Vec<String>, Finding> {
        let mut names: Vec<String> = Vec::new();
        for (at, column) in self.option_names.iter().enumerate() {
            let name = column.read(row, cell::text)?;
            if name.is_empty() {
                continue;
            }
            if at != names.len() {
                return Err(column.fault(row, "the option before it has no name"));
            }
            if names.contains(&name) {
                return Err(column.fault(row, "two options of the same name"));
            }
            names.push(name);
        }
        Ok(names)
    }

    /// The row's variant (without id); `left_out`: what is not taken over into it.
    pub fn variant(
        &self,
        row: &Row,
        handle: &str,
        options: usize,
        left_out: &mut Vec<Finding>,
    ) -> Result<Variant, Finding> {
        let option_values = self.values(row, options)?;
        let price = |cell: &str| cell::money_minor(cell, self.currency);
        let price_minor = self.price.read(row, price)?;
        let compare_at = |cell: &str| match cell {
            "" => Ok(0),
            cell => price(cell).map_err(|reason| format!("left out: {reason}")),
        };
        let compare_at = self.optional(&self.compare_at_price, row, compare_at, left_out);
        Ok(Variant {
            id: String::new(),
            sku: self.sku(row, handle, &option_values)?,
            gtin: self
                .optional(&self.barcode, row, cell::gtin, left_out)
                .flatten(),
            title: option_values.join(" / "),
            option_values,
            price_minor,
            // A price that is not higher strikes nothing through.
            compare_at_price_minor: compare_at.filter(|list| *list > price_minor),
            tax_category: self.tax_category(row)?,
            requires_shipping: self
                .requires_shipping
                .read(row, |cell| cell::flag(cell, true))?,
            weight_g: self
                .optional(&self.grams, row, cell::weight_g, left_out)
                .flatten(),
            image_url: self.optional_image(&self.variant_image, row, left_out),
            active: true,
        })
    }

    /// The address in an image column, if it is one.
    pub fn optional_image(
        &self,
        column: &Column,
        row: &Row,
        left_out: &mut Vec<Finding>,
    ) -> Option<String> {
        if column.cell(row).is_empty() {
            return None;
        }
        self.optional(column, row, cell::image_url, left_out)
    }

    /// What is left out when it cannot be used, instead of refusing its row.
    fn optional<T>(
        &self,
        column: &Column,
        row: &Row,
        meaning: impl FnOnce(&str) -> Result<T, String>,
        left_out: &mut Vec<Finding>,
    ) -> Option<T> {
        let value = column.read(row, meaning);
        value.map_err(|finding| left_out.push(finding)).ok()
    }

    fn values(&self, row: &Row, options: usize) -> Result<Vec<String>, Finding> {
        let mut values = Vec::with_capacity(options);
        for (at, column) in self.option_values.iter().enumerate() {
            if at < options {
                values.push(column.read(row, cell::required)?);
            } else if !column.cell(row).is_empty() {
                return Err(column.fault(row, "a value of an option that has no name"));
            }
        }
        Ok(values)
    }

    fn sku(&self, row: &Row, handle: &str, values: &[String]) -> Result<String, Finding> {
        let sku = self.sku.read(row, cell::code)?;
        if !sku.is_empty() {
            return Ok(sku);
        }
        cell::text(&sku::derived(handle, values)).map_err(|reason| {
            self.sku
                .fault(row, format!("missing, and made up: {reason}"))
        })
    }

    fn tax_category(&self, row: &Row) -> Result<String, Finding> {
        let code = self.tax_code.read(row, cell::text)?;
        let taxable = self.taxable.read(row, |cell| cell::flag(cell, true))?;
        Ok(if taxable {
            code.to_lowercase()
        } else {
            EXEMPT.into()
        })
    }
}

/// The tags of a cell, each once.
pub fn tags(cell: &str) -> Result<Vec<String>, String> {
    let mut tags = Vec::new();
    for tag in cell::list(cell, ',') {
        let tag = cell::text(&tag)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        if tags.len() > MAX_TAGS {
            return Err(format!("more than {MAX_TAGS} tags"));
        }
    }
    Ok(tags)
}

/// Whether a product of this status is for shoppers.
pub fn is_active(cell: &str) -> Result<bool, String> {
    match cell.to_ascii_lowercase().as_str() {
        "" | "active" => Ok(true),
        "draft" | "archived" | "unlisted" => Ok(false),
        _ => Err("not one of active, draft, archived, unlisted".into()),
    }
}
