//! The columns of a Shopify product export, and what one row of it says.

use crate::gtin::{Gtin, GtinError};
use crate::product::Variant;

use super::cell;
use super::report::Finding;
use super::table::{Header, Row};

/// A column's names: the classic export's first, then the one of exports since 2024.
type Names = &'static [&'static str];

const HANDLE: Names = &["Handle", "URL handle"];
const TITLE: Names = &["Title"];
const BODY: Names = &["Body (HTML)", "Description"];
const VENDOR: Names = &["Vendor"];
const CATEGORY: Names = &[
    "Product Category",
    "Google Shopping / Google Product Category",
];
const TYPE: Names = &["Type"];
const TAGS: Names = &["Tags"];
const PUBLISHED: Names = &["Published", "Published on online store"];
const STATUS: Names = &["Status"];
const OPTION_NAMES: [Names; 3] = [&["Option1 Name"], &["Option2 Name"], &["Option3 Name"]];
const OPTION_VALUES: [Names; 3] = [&["Option1 Value"], &["Option2 Value"], &["Option3 Value"]];
const SKU: Names = &["Variant SKU", "SKU"];
const GRAMS: Names = &["Variant Grams", "Weight value (grams)"];
const PRICE: Names = &["Variant Price", "Price"];
const COMPARE_AT_PRICE: Names = &["Variant Compare At Price", "Compare-at price"];
const REQUIRES_SHIPPING: Names = &["Variant Requires Shipping", "Requires shipping"];
const TAXABLE: Names = &["Variant Taxable", "Charge tax"];
const TAX_CODE: Names = &["Variant Tax Code", "Tax code"];
const BARCODE: Names = &["Variant Barcode", "Barcode"];
const VARIANT_IMAGE: Names = &["Variant Image", "Variant image URL"];
const IMAGE: Names = &["Image Src", "Product image URL"];
const IMAGE_POSITION: Names = &["Image Position"];
const IMAGE_ALT: Names = &["Image Alt Text"];

/// The columns without which a file is no product export.
pub const REQUIRED: &[Names] = &[HANDLE, TITLE, PRICE];

/// The tax category of a variant whose `Variant Taxable` is false.
pub const EXEMPT: &str = "exempt";

/// What Shopify writes as the only option of a product that has none.
pub const NO_OPTION: (&str, &str) = ("Title", "Default Title");

/// A column of this file: its documented name, for findings, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    name: &'static str,
    position: Option<usize>,
}

impl Column {
    fn of(header: &Header, names: Names) -> Self {
        Self {
            name: names.first().copied().unwrap_or_default(),
            position: header.position(names),
        }
    }

    pub fn cell<'a>(&self, row: &'a Row) -> &'a str {
        row.get(self.position)
    }

    /// The cell's meaning, or the finding that names it.
    pub fn read<T>(
        &self,
        row: &Row,
        meaning: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Finding> {
        meaning(self.cell(row)).map_err(|reason| self.fault(row, reason))
    }

    pub fn fault(&self, row: &Row, reason: impl Into<String>) -> Finding {
        Finding::new(row.line, self.name, reason)
    }
}

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
    grams: Column,
    price: Column,
    compare_at_price: Column,
    requires_shipping: Column,
    taxable: Column,
    tax_code: Column,
    variant_image: Column,
}

impl Columns {
    pub fn of(header: &Header) -> Self {
        let column = |names| Column::of(header, names);
        Self {
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

    /// The row's variant (without id), and what had to be left out of it.
    pub fn variant(
        &self,
        row: &Row,
        handle: &str,
        options: usize,
        exponent: u32,
    ) -> Result<(Variant, Vec<Finding>), Finding> {
        let mut left_out = Vec::new();
        let option_values = self.values(row, options)?;
        let price_minor = self
            .price
            .read(row, |cell| cell::price_minor(cell, exponent))?;
        let compare_at = self.compare_at_price.read(row, |cell| match cell {
            "" => Ok(0),
            cell => cell::price_minor(cell, exponent),
        })?;
        let variant = Variant {
            id: String::new(),
            sku: self.sku(row, handle, &option_values)?,
            gtin: self.gtin(row, &mut left_out)?,
            title: option_values.join(" / "),
            option_values,
            price_minor,
            compare_at_price_minor: (compare_at > 0).then_some(compare_at),
            tax_category: self.tax_category(row)?,
            requires_shipping: self
                .requires_shipping
                .read(row, |cell| cell::flag(cell, true))?,
            weight_g: self.grams.read(row, cell::weight_g)?,
            image_url: self.optional_image(&self.variant_image, row, &mut left_out),
            active: true,
        };
        Ok((variant, left_out))
    }

    /// The address in an image column; one that cannot be used is left out, not refused with its row.
    pub fn optional_image(
        &self,
        column: &Column,
        row: &Row,
        left_out: &mut Vec<Finding>,
    ) -> Option<String> {
        if column.cell(row).is_empty() {
            return None;
        }
        column
            .read(row, cell::image_url)
            .map_err(|finding| left_out.push(finding))
            .ok()
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
        cell::text(&derived_sku(handle, values)).map_err(|reason| {
            self.sku
                .fault(row, format!("missing, and made up: {reason}"))
        })
    }

    /// A number of a GTIN's form must be one; anything else is the retailer's own code,
    /// which has no place in the model.
    fn gtin(&self, row: &Row, left_out: &mut Vec<Finding>) -> Result<Option<String>, Finding> {
        let barcode = self.barcode.read(row, cell::code)?;
        if barcode.is_empty() {
            return Ok(None);
        }
        match Gtin::parse(&barcode) {
            Ok(gtin) => Ok(Some(gtin.as_str().to_owned())),
            Err(error @ GtinError::CheckDigit { .. }) => {
                Err(self.barcode.fault(row, error.to_string()))
            }
            Err(error @ GtinError::Form) => {
                left_out.push(self.barcode.fault(row, format!("left out: {error}")));
                Ok(None)
            }
        }
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

/// The SKU of a variant that has none: the handle and the option values in lower case,
/// joined by `_`, every run of other characters than letters and digits as `-`. It
/// depends on nothing else, so that the next import finds the same variant.
pub fn derived_sku(handle: &str, values: &[String]) -> String {
    let values = values
        .iter()
        .map(String::as_str)
        .filter(|value| *value != NO_OPTION.1);
    std::iter::once(handle)
        .chain(values)
        .map(slug)
        .collect::<Vec<_>>()
        .join("_")
}

fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_sku_is_readable_and_depends_on_the_variant_only() {
        let values = |values: &[&str]| {
            values
                .iter()
                .map(|value| value.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            derived_sku("chain-bracelet", &values(&["Blue", "S / M"])),
            "chain-bracelet_blue_s-m"
        );
        assert_eq!(derived_sku("mug", &values(&["Default Title"])), "mug");
        assert_eq!(derived_sku("thé", &values(&["Été 2026"])), "thé_été-2026");
        assert_ne!(
            derived_sku("a", &values(&["b-c"])),
            derived_sku("a-b", &values(&["c"]))
        );
    }
}
