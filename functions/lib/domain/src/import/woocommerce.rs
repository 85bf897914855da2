//! Products from WooCommerce's product export: a row for each product and each variation,
//! which names its parent and may stand anywhere.

use std::collections::HashMap;

use crate::money::Currency;
use crate::product::{Media, Product, Variant};

use super::assembly::{self, Assembly, Handles, Labels, category_and_those_above};
use super::gather::{Gather, too_late};
use super::header::{Column, Header, Names};
use super::product::ProductDraft;
use super::report::{Finding, Report};
use super::shopify_row::{EXEMPT, tags};
use super::table::Row;
use super::{Format, cell, html, sku};

const TYPE: Names = &["Type"];
const SKU: Names = &["SKU"];
const NAME: Names = &["Name"];
const PUBLISHED: Names = &["Published"];
const VISIBILITY: Names = &["Visibility in catalog"];
const SHORT_DESCRIPTION: Names = &["Short description"];
const DESCRIPTION: Names = &["Description"];
const REGULAR_PRICE: Names = &["Regular price"];
const SALE_PRICE: Names = &["Sale price"];
const CATEGORIES: Names = &["Categories"];
const IMAGES: Names = &["Images"];
const PARENT: Names = &["Parent"];
const GTIN: Names = &["GTIN, UPC, EAN, or ISBN"];
const TAX_STATUS: Names = &["Tax status"];
const TAX_CLASS: Names = &["Tax class"];

/// Columns that are looked for by name.
const KNOWN: &[Names] = &[
    TYPE,
    SKU,
    NAME,
    PUBLISHED,
    VISIBILITY,
    SHORT_DESCRIPTION,
    DESCRIPTION,
    REGULAR_PRICE,
    SALE_PRICE,
    CATEGORIES,
    IMAGES,
    PARENT,
    GTIN,
    TAX_STATUS,
    TAX_CLASS,
    &["Tags"],
    &["Brands"],
];
/// Columns that mean something for which there is no place.
const UNUSED: Names = &[
    "ID",
    "Is featured?",
    "Date sale price starts",
    "Date sale price ends",
    "In stock?",
    "Stock",
    "Low stock amount",
    "Backorders allowed?",
    "Sold individually?",
    "Allow customer reviews?",
    "Purchase note",
    "Shipping class",
    "Download limit",
    "Download expiry days",
    "Grouped products",
    "Upsells",
    "Cross-sells",
    "External URL",
    "Button text",
    "Position",
];
/// The most attributes that are looked for.
const MAX_ATTRIBUTES: usize = 30;
/// The value of an option that a variation leaves open.
const ANY: &str = "Any";

const LABELS: Labels = Labels {
    sku: "SKU",
    barcode: "GTIN, UPC, EAN, or ISBN",
    option: "Attribute 1 value(s)",
    image: "Images",
};

/// Reads a WooCommerce export of a brand.
pub struct WooFile {
    columns: Columns,
    warnings: Vec<Finding>,
    gather: Gather,
    /// Other names of products whose variations may use them.
    also: HashMap<String, String>,
    handles: Handles,
}

struct Columns {
    currency: Currency,
    id: Column,
    product_type: Column,
    sku: Column,
    gtin: Column,
    name: Column,
    published: Column,
    visibility: Column,
    short_description: Column,
    description: Column,
    sale_starts: Column,
    sale_ends: Column,
    tax_status: Column,
    tax_class: Column,
    regular_price: Column,
    sale_price: Column,
    categories: Column,
    tags: Column,
    brands: Column,
    images: Column,
    parent: Column,
    /// Where the weight stands, and grams of its unit, which the column's name has.
    weight: Option<(usize, f64)>,
    /// Name and value of each attribute.
    attributes: Vec<(Option<usize>, Option<usize>)>,
}

/// What a row is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A product with its one variant.
    Simple,
    /// A product whose variants have rows of their own.
    Variable,
    Variation,
}

impl WooFile {
    /// Whether a header is that of a WooCommerce export.
    pub fn is(header: &Header) -> bool {
        [NAME, REGULAR_PRICE].iter().all(|names| header.has(names))
    }

    pub fn new(header: &Header, currency: Currency) -> Self {
        Self {
            columns: Columns::of(header, currency),
            warnings: header.warnings(KNOWN, UNUSED),
            gather: Gather::default(),
            also: HashMap::new(),
            handles: Handles::default(),
        }
    }

    /// The name under which a product and its variations come together.
    fn key(&mut self, row: &Row, role: Role) -> String {
        let columns = &self.columns;
        if role == Role::Variation {
            let parent = columns.parent.cell(row);
            let key = match parent.strip_prefix("id:") {
                Some(id) => format!("id:{}", id.trim()),
                None => format!("sku:{parent}"),
            };
            return self.also.get(&key).cloned().unwrap_or(key);
        }
        let by_id = format!("id:{}", columns.id.cell(row));
        match columns.sku.cell(row) {
            "" => by_id,
            sku => {
                let by_sku = format!("sku:{sku}");
                self.also.insert(by_id, by_sku.clone());
                by_sku
            }
        }
    }

    /// What a group of rows is: a product, or nothing that can be used.
    fn product(&mut self, rows: Vec<Row>, report: &mut Report) -> Option<ProductDraft> {
        let is_parent = |row: &Row| self.columns.role(row) != Ok(Role::Variation);
        let Some(parent) = rows.iter().position(is_parent) else {
            for row in &rows {
                let reason = "no row of the file is the product that it is a variation of";
                report.refuse(self.columns.parent.fault(row, reason));
            }
            return None;
        };
        let mut rows = rows;
        let parent = rows.remove(parent);
        let names = self.columns.option_names(&rows);
        let product = self
            .handle(&parent)
            .and_then(|handle| self.columns.product(&parent, handle, &names, report));
        let product = match product {
            Ok(product) => product,
            Err(finding) => {
                report.refuse(finding);
                for row in &rows {
                    let reason = "the row of the product was refused";
                    report.refuse(self.columns.parent.fault(row, reason));
                }
                return None;
            }
        };
        let mut assembly = Assembly::new(product, &LABELS);
        self.columns.images(&mut assembly, &parent, report);
        if self.columns.role(&parent) == Ok(Role::Simple) {
            self.variant(&mut assembly, &parent, &parent, &[], report);
        } else if rows.is_empty() {
            let reason = "a variable product without variations has nothing to sell";
            report.refuse(self.columns.product_type.fault(&parent, reason));
        }
        for row in &rows {
            self.variant(&mut assembly, row, &parent, &names, report);
        }
        assembly.into_draft()
    }

    fn variant(
        &self,
        assembly: &mut Assembly,
        row: &Row,
        parent: &Row,
        names: &[String],
        report: &mut Report,
    ) {
        let variant = self
            .columns
            .variant(row, parent, assembly.handle(), names, report);
        let added = variant.and_then(|variant| assembly.add(variant, row.line, report));
        if let Err(finding) = added {
            assembly.refuse(finding, report);
        }
    }

    /// The SKU makes the better handle: an id means another product in another shop.
    fn handle(&mut self, row: &Row) -> Result<String, Finding> {
        let columns = &self.columns;
        let slug = |column: &Column| sku::slug(column.cell(row));
        let id = slug(&columns.id);
        let own = [slug(&columns.sku), id.clone(), slug(&columns.name)];
        let own = own
            .into_iter()
            .find(|own| !own.is_empty())
            .unwrap_or_default();
        let handle = match self.handles.has(&own) && !id.is_empty() && own != id {
            true => format!("{own}-{id}"),
            false => own,
        };
        let admitted = self.handles.admit(&handle);
        admitted.map_err(|reason| columns.sku.fault(row, reason))?;
        columns.sku.read(row, |_| cell::required(&handle))
    }
}

impl Format for WooFile {
    type Item = ProductDraft;

    fn row(&mut self, row: Row, report: &mut Report) -> Option<ProductDraft> {
        report.rows += 1;
        let role = match self.columns.role(&row) {
            Ok(role) => role,
            Err(reason) => {
                report.refuse(self.columns.product_type.fault(&row, reason));
                return None;
            }
        };
        if role == Role::Simple {
            return self.product(vec![row], report);
        }
        let key = self.key(&row, role);
        match self.gather.push(&key, row) {
            Ok(rows) => rows.and_then(|rows| self.product(rows, report)),
            Err(row) => {
                report.refuse(self.columns.parent.fault(&row, too_late()));
                None
            }
        }
    }

    fn finish(&mut self, report: &mut Report) -> Option<ProductDraft> {
        while let Some(rows) = self.gather.pop() {
            let product = self.product(rows, report);
            if product.is_some() {
                return product;
            }
        }
        None
    }

    fn warnings(&self) -> Vec<Finding> {
        self.warnings.clone()
    }
}

impl Columns {
    fn of(header: &Header, currency: Currency) -> Self {
        let column = |names| Column::of(header, names);
        let attribute = |number: usize| {
            let name = header.position(&[&format!("Attribute {number} name")]);
            let value = header.position(&[
                &format!("Attribute {number} value(s)"),
                &format!("Attribute {number} value"),
            ]);
            (name, value)
        };
        Self {
            currency,
            id: column(&["ID"]),
            product_type: column(TYPE),
            sku: column(SKU),
            gtin: column(GTIN),
            name: column(NAME),
            published: column(PUBLISHED),
            visibility: column(VISIBILITY),
            short_description: column(SHORT_DESCRIPTION),
            description: column(DESCRIPTION),
            sale_starts: column(&["Date sale price starts"]),
            sale_ends: column(&["Date sale price ends"]),
            tax_status: column(TAX_STATUS),
            tax_class: column(TAX_CLASS),
            regular_price: column(REGULAR_PRICE),
            sale_price: column(SALE_PRICE),
            categories: column(CATEGORIES),
            tags: column(&["Tags"]),
            brands: column(&["Brands"]),
            images: column(IMAGES),
            parent: column(PARENT),
            weight: header.beginning_with("Weight").next().map(|at| {
                let unit = header.name(at).split(['(', ')']).nth(1);
                (at, cell::grams_of(unit.unwrap_or("kg")).unwrap_or(1_000.0))
            }),
            attributes: (1..=MAX_ATTRIBUTES).map(attribute).collect(),
        }
    }

    fn role(&self, row: &Row) -> Result<Role, String> {
        let types = self.product_type.cell(row).to_ascii_lowercase();
        let is = |wanted: &str| types.split([',', ' ']).any(|word| word == wanted);
        match () {
            () if is("external") => Err("sold on another site, not here".into()),
            () if is("grouped") => {
                Err("a group has no price of its own; what is in it has rows of its own".into())
            }
            // Extensions have types of their own, such as `subscription_variation`.
            () if types.contains("variation") => Ok(Role::Variation),
            () if types.contains("variable") => Ok(Role::Variable),
            () => Ok(Role::Simple),
        }
    }

    /// Names and values of the row's attributes.
    fn attributes<'a>(&self, row: &'a Row) -> impl Iterator<Item = (&'a str, &'a str)> {
        let cells = self.attributes.iter();
        let cells = cells.map(|(name, value)| (row.get(*name), row.get(*value)));
        cells.filter(|(name, _)| !name.is_empty())
    }

    /// The attributes by which the variations differ, in the order of their coming.
    fn option_names(&self, variations: &[Row]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let used = |(name, value): (&str, &str)| (!value.is_empty()).then(|| name.to_owned());
        for name in variations
            .iter()
            .flat_map(|row| self.attributes(row))
            .filter_map(used)
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn product(
        &self,
        row: &Row,
        handle: String,
        names: &[String],
        report: &mut Report,
    ) -> Result<Product, Finding> {
        let names: Vec<String> = names
            .iter()
            .map(|name| cell::text(name))
            .collect::<Result<_, _>>()
            .map_err(|reason| Finding::new(row.line, "Attribute 1 name", reason))?;
        let mut categories: Vec<String> = Vec::new();
        for category in cell::list(self.categories.cell(row), ',') {
            let category = self.categories.read(row, |_| cell::text(&category))?;
            let new = category_and_those_above(&category);
            categories.extend(
                new.into_iter()
                    .filter(|one| !categories.contains(one))
                    .collect::<Vec<_>>(),
            );
        }
        let visible = !self.visibility.cell(row).eq_ignore_ascii_case("hidden");
        Ok(Product {
            handle,
            title: self.name.read(row, cell::required)?,
            vendor: self.brands.read(row, cell::text)?,
            tags: self.tags.read(row, tags)?,
            categories,
            published: visible & self.published.read(row, is_published)?,
            options: assembly::options(names),
            body_html: self.body(row, report),
            ..Product::empty()
        })
    }

    /// WooCommerce shows the short description first; in its exports, `\n` ends a line.
    fn body(&self, row: &Row, report: &mut Report) -> String {
        let parts = [&self.short_description, &self.description].map(|column| {
            html::cleaned(column, row, &column.cell(row).replace("\\n", "\n"), report)
        });
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        parts.join("\n")
    }

    fn images(&self, assembly: &mut Assembly, row: &Row, report: &mut Report) {
        for (position, image) in (0..).zip(cell::list(self.images.cell(row), ',')) {
            match self.images.read(row, |_| cell::image_url(&image)) {
                Ok(url) => {
                    let media = Media {
                        url,
                        alt_text: String::new(),
                    };
                    assembly.image(media, position, row.line, report);
                }
                Err(finding) => report.warn(finding),
            }
        }
    }

    fn variant(
        &self,
        row: &Row,
        parent: &Row,
        handle: &str,
        names: &[String],
        report: &mut Report,
    ) -> Result<Variant, Finding> {
        let value = |name: &String| {
            let mut attributes = self.attributes(row);
            let found = attributes
                .find(|(own, _)| own == name)
                .map(|(_, value)| value);
            let value = found.filter(|value| !value.is_empty()).unwrap_or(ANY);
            cell::text(value).map_err(|reason| Finding::new(row.line, LABELS.option, reason))
        };
        let option_values: Vec<String> = names.iter().map(value).collect::<Result<_, _>>()?;
        let (price_minor, compare_at_price_minor) = self.prices(row, report)?;
        let own = self.sku.read(row, cell::code)?;
        let sku = match own.as_str() {
            "" => self
                .sku
                .read(row, |_| cell::text(&sku::derived(handle, &option_values)))?,
            _ => own,
        };
        let gtin = self.gtin.read(row, cell::gtin);
        let images = cell::list(self.images.cell(row), ',');
        Ok(Variant {
            id: String::new(),
            sku,
            gtin: gtin.unwrap_or_else(|finding| {
                report.warn(finding);
                None
            }),
            title: option_values.join(" / "),
            price_minor,
            compare_at_price_minor,
            tax_category: self.tax_category(row, parent)?,
            requires_shipping: !self
                .product_type
                .cell(row)
                .to_ascii_lowercase()
                .contains("virtual"),
            weight_g: self.weight_g(row).or_else(|| self.weight_g(parent)),
            image_url: images.first().and_then(|image| cell::image_url(image).ok()),
            // Of a product, `Published` says who sees it; of a variation, whether it is sold.
            active: self.role(row) != Ok(Role::Variation)
                || self.published.read(row, is_published)?,
            option_values,
        })
    }

    /// What is asked for, and what it cost before.
    fn prices(&self, row: &Row, report: &mut Report) -> Result<(i64, Option<i64>), Finding> {
        let price = |column: &Column| {
            column.read(row, |cell| match cell {
                "" => Ok(None),
                cell => cell::money_minor(cell, self.currency).map(Some),
            })
        };
        let (regular, sale) = (price(&self.regular_price)?, price(&self.sale_price)?);
        let is_limited = [&self.sale_starts, &self.sale_ends]
            .iter()
            .any(|column| !column.cell(row).is_empty());
        match (regular, sale) {
            (Some(regular), Some(_)) if is_limited => {
                let reason = "left out: it holds for a time only, and prices here hold until they are changed";
                report.warn(self.sale_price.fault(row, reason));
                Ok((regular, None))
            }
            (Some(regular), Some(sale)) => {
                Ok((sale, Some(regular).filter(|regular| *regular > sale)))
            }
            (Some(price), None) | (None, Some(price)) => Ok((price, None)),
            (None, None) => Err(self
                .regular_price
                .fault(row, "missing: what has no price cannot be bought")),
        }
    }

    fn tax_category(&self, row: &Row, parent: &Row) -> Result<String, Finding> {
        let row = match self.tax_class.cell(row) {
            "parent" => parent,
            _ => row,
        };
        if matches!(self.tax_status.cell(row), "none" | "shipping") {
            return Ok(EXEMPT.into());
        }
        let class = self.tax_class.read(row, cell::text)?.to_lowercase();
        let is_general = matches!(class.as_str(), "standard" | "parent");
        Ok(if is_general { String::new() } else { class })
    }

    fn weight_g(&self, row: &Row) -> Option<i64> {
        let (at, unit_g) = self.weight?;
        cell::weight_in(row.get(Some(at)), unit_g)
    }
}

/// 1 is public, 0 private, -1 a draft, for which the export has an apostrophe.
fn is_published(cell: &str) -> Result<bool, String> {
    match cell.trim_start_matches('\'') {
        "-1" => Ok(false),
        cell => cell::flag(cell, true),
    }
}
