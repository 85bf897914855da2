//! Products from a product file for Google Merchant Center: a row for each article; those of
//! one `item_group_id` are variants of one product and may stand anywhere.

use crate::money::Currency;
use crate::product::{Media, Product, Variant};

use super::assembly::{self, Assembly, Handles, Labels, category_and_those_above};
use super::gather::{Gather, too_late};
use super::header::{Column, Header, Names};
use super::product::ProductDraft;
use super::report::{Finding, Report};
use super::table::Row;
use super::{Format, cell, html, sku};

const ID: Names = &["id"];
const TITLE: Names = &["title"];
const DESCRIPTION: Names = &["description"];
const IMAGE: Names = &["image_link"];
const ADDITIONAL_IMAGES: Names = &["additional_image_link"];
const PRICE: Names = &["price"];
const SALE_PRICE: Names = &["sale_price"];
const SALE_DATES: Names = &["sale_price_effective_date"];
const GROUP: Names = &["item_group_id"];
const BRAND: Names = &["brand"];
const GTIN: Names = &["gtin"];
const TYPE: Names = &["product_type"];
const CATEGORY: Names = &["google_product_category"];
const WEIGHT: Names = &["shipping_weight", "product_weight"];
const TAX: Names = &["tax_category"];
/// What no file for other purposes has beside id, title and price.
const SIGNS: [&str; 5] = [
    "link",
    "image_link",
    "availability",
    "item_group_id",
    "condition",
];

const KNOWN: &[Names] = &[
    ID,
    TITLE,
    DESCRIPTION,
    IMAGE,
    ADDITIONAL_IMAGES,
    PRICE,
    SALE_PRICE,
    GROUP,
    BRAND,
    GTIN,
    TYPE,
];
/// Attributes that mean something for which there is no place.
const UNUSED: Names = &[
    "link",
    "mobile_link",
    "canonical_link",
    "lifestyle_image_link",
    "structured_title",
    "structured_description",
    "google_product_category",
    "sale_price_effective_date",
    "product_weight",
    "product_detail",
    "product_highlight",
    "display_ads_id",
    "display_ads_title",
    "custom_label_0",
    "maximum_retail_price",
    "auto_pricing_min_price",
];

/// Attributes by which the articles of a group may differ, and how an option is called for each.
const VARYING: [(Names, &str); 9] = [
    (&["color"], "Color"),
    (&["size"], "Size"),
    (&["material"], "Material"),
    (&["pattern"], "Pattern"),
    (&["gender"], "Gender"),
    (&["age_group"], "Age group"),
    (&["size_type"], "Size type"),
    (&["size_system"], "Size system"),
    (&["condition"], "Condition"),
];
/// The option that tells articles apart that differ in none of [`VARYING`].
const LAST_RESORT: &str = "Article";
/// The value of an option that an article of a group lacks.
const NONE: &str = "-";

const LABELS: Labels = Labels {
    sku: "id",
    barcode: "gtin",
    option: "item_group_id",
    image: "image_link",
};

/// Reads a product file of a brand.
pub struct MerchantFile {
    columns: Columns,
    warnings: Vec<Finding>,
    gather: Gather,
    handles: Handles,
}

struct Columns {
    currency: Currency,
    id: Column,
    title: Column,
    description: Column,
    image: Column,
    /// The attribute may come in several columns.
    additional_images: Vec<usize>,
    price: Column,
    sale_price: Column,
    sale_dates: Column,
    group: Column,
    brand: Column,
    gtin: Column,
    product_type: Column,
    category: Column,
    weight: Column,
    tax_category: Column,
    varying: [Column; VARYING.len()],
}

impl MerchantFile {
    /// Whether a header is that of such a file.
    pub fn is(header: &Header) -> bool {
        [ID, TITLE, PRICE].iter().all(|names| header.has(names))
            && !header.has(&["Handle"])
            && header.has(&SIGNS)
    }

    pub fn new(header: &Header, currency: Currency) -> Self {
        Self {
            columns: Columns::of(header, currency),
            warnings: header.warnings(KNOWN, UNUSED),
            gather: Gather::default(),
            handles: Handles::default(),
        }
    }

    fn product(&mut self, rows: &[Row], report: &mut Report) -> Option<ProductDraft> {
        let first = rows.first()?;
        let names = self.columns.varying(rows);
        let columns = &self.columns;
        let group = columns.group.cell(first);
        let handle = sku::slug(if group.is_empty() {
            columns.id.cell(first)
        } else {
            group
        });
        let admitted = self.handles.admit(&handle);
        let product = admitted
            .map_err(|reason| columns.id.fault(first, reason))
            .and_then(|()| columns.product(rows, first, &handle, &names, report));
        let product = match product {
            Ok(product) => product,
            Err(finding) => {
                let reason = format!("the product cannot be used: {}", finding.reason);
                let others = rows.iter().skip(1);
                let others = others.map(|row| Finding::new(row.line, &finding.column, &*reason));
                let others: Vec<Finding> = others.collect();
                report.refuse(finding);
                others.into_iter().for_each(|other| report.refuse(other));
                return None;
            }
        };
        let mut assembly = Assembly::new(product, &LABELS);
        for row in rows {
            let variant = columns.variant(row, &names, report);
            let added = variant.and_then(|variant| assembly.add(variant, row.line, report));
            match added {
                Ok(()) => columns.images(&mut assembly, row, report),
                Err(finding) => assembly.refuse(finding, report),
            }
        }
        assembly.into_draft()
    }
}

impl Format for MerchantFile {
    type Item = ProductDraft;

    fn row(&mut self, row: Row, report: &mut Report) -> Option<ProductDraft> {
        report.rows += 1;
        let group = self.columns.group.cell(&row).to_owned();
        if group.is_empty() {
            return self.product(&[row], report);
        }
        match self.gather.push(&group, row) {
            Ok(rows) => rows.and_then(|rows| self.product(&rows, report)),
            Err(row) => {
                report.refuse(self.columns.group.fault(&row, too_late()));
                None
            }
        }
    }

    fn finish(&mut self, report: &mut Report) -> Option<ProductDraft> {
        while let Some(rows) = self.gather.pop() {
            let product = self.product(&rows, report);
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

/// An option of a group's product, and how to know an article's value.
enum Varying {
    Attribute(usize),
    Id,
}

impl Columns {
    fn of(header: &Header, currency: Currency) -> Self {
        let column = |names| Column::of(header, names);
        let additional = ADDITIONAL_IMAGES.first().copied().unwrap_or_default();
        Self {
            currency,
            id: column(ID),
            title: column(TITLE),
            description: column(DESCRIPTION),
            image: column(IMAGE),
            additional_images: header.beginning_with(additional).collect(),
            price: column(PRICE),
            sale_price: column(SALE_PRICE),
            sale_dates: column(SALE_DATES),
            group: column(GROUP),
            brand: column(BRAND),
            gtin: column(GTIN),
            product_type: column(TYPE),
            category: column(CATEGORY),
            weight: column(WEIGHT),
            tax_category: column(TAX),
            varying: VARYING.map(|(names, _)| column(names)),
        }
    }

    /// What tells the articles of a group apart.
    fn varying(&self, rows: &[Row]) -> Vec<Varying> {
        if rows.len() < 2 {
            return Vec::new();
        }
        let differs = |column: &Column| {
            let mut cells = rows.iter().map(|row| column.cell(row));
            let first = cells.next();
            cells.any(|cell| Some(cell) != first)
        };
        let attributes = (0..).zip(&self.varying);
        let mut varying: Vec<Varying> = attributes
            .filter(|(_, column)| differs(column))
            .map(|(at, _)| Varying::Attribute(at))
            .collect();
        let mut seen = std::collections::HashSet::new();
        let values = |row| -> Vec<&str> { varying.iter().map(|by| self.value(by, row)).collect() };
        if !rows.iter().all(|row| seen.insert(values(row))) {
            varying.push(Varying::Id);
        }
        varying
    }

    fn value<'a>(&self, by: &Varying, row: &'a Row) -> &'a str {
        let cell = match by {
            Varying::Attribute(at) => self.varying.get(*at).map_or("", |column| column.cell(row)),
            Varying::Id => self.id.cell(row),
        };
        if cell.is_empty() { NONE } else { cell }
    }

    fn product(
        &self,
        rows: &[Row],
        first: &Row,
        handle: &str,
        varying: &[Varying],
        report: &mut Report,
    ) -> Result<Product, Finding> {
        self.id.read(first, cell::required)?;
        let title = self.title.read(first, cell::required)?;
        let titles = rows.iter().map(|row| self.title.cell(row));
        let product_type = self.product_type.read(first, cell::text)?;
        let category = self.category.read(first, cell::text)?;
        // Google's categories may also be numbers of its own taxonomy, which say nothing here.
        let is_named = category.contains(|c: char| c.is_alphabetic());
        let category = if product_type.is_empty() && is_named {
            &category
        } else {
            &product_type
        };
        let name = |by: &Varying| match by {
            Varying::Attribute(at) => VARYING.get(*at).map_or(LAST_RESORT, |(_, name)| name),
            Varying::Id => LAST_RESORT,
        };
        Ok(Product {
            handle: handle.to_owned(),
            title: shared_beginning(titles).unwrap_or(title),
            vendor: self.brand.read(first, cell::text)?,
            categories: category_and_those_above(category),
            product_type: product_type.clone(),
            published: true,
            options: assembly::options(varying.iter().map(|by| name(by).to_owned())),
            body_html: html::body(&self.description, first, report),
            ..Product::empty()
        })
    }

    fn variant(
        &self,
        row: &Row,
        varying: &[Varying],
        report: &mut Report,
    ) -> Result<Variant, Finding> {
        let values = varying.iter().map(|by| cell::text(self.value(by, row)));
        let option_values: Vec<String> = values
            .collect::<Result<_, _>>()
            .map_err(|reason| Finding::new(row.line, LABELS.option, reason))?;
        let (price_minor, compare_at_price_minor) = self.prices(row, report)?;
        let gtin = self.gtin.read(row, cell::gtin);
        Ok(Variant {
            id: String::new(),
            sku: self
                .id
                .read(row, |id| cell::required(id).and_then(|id| cell::code(&id)))?,
            gtin: gtin.unwrap_or_else(|finding| {
                report.warn(finding);
                None
            }),
            title: option_values.join(" / "),
            option_values,
            price_minor,
            compare_at_price_minor,
            tax_category: self.tax_category.read(row, cell::text)?.to_lowercase(),
            requires_shipping: true,
            weight_g: weight_g(self.weight.cell(row)),
            image_url: cell::image_url(self.image.cell(row)).ok(),
            active: true,
        })
    }

    /// What is asked for, and what it cost before.
    fn prices(&self, row: &Row, report: &mut Report) -> Result<(i64, Option<i64>), Finding> {
        let money = |cell: &str| cell::money_minor(cell, self.currency);
        let price = self.price.read(row, money)?;
        let sale = self.sale_price.cell(row);
        if sale.is_empty() {
            return Ok((price, None));
        }
        if !self.sale_dates.cell(row).is_empty() {
            let reason =
                "left out: it holds for a time only, and prices here hold until they are changed";
            report.warn(self.sale_price.fault(row, reason));
            return Ok((price, None));
        }
        let sale = self.sale_price.read(row, money)?;
        Ok((sale, Some(price).filter(|price| *price > sale)))
    }

    fn images(&self, assembly: &mut Assembly, row: &Row, report: &mut Report) {
        let more = self.additional_images.iter();
        let more = more.flat_map(|at| cell::list(row.get(Some(*at)), ','));
        let all = std::iter::once(self.image.cell(row).to_owned()).chain(more);
        for image in all.filter(|image| !image.is_empty()) {
            match self.image.read(row, |_| cell::image_url(&image)) {
                Ok(url) => {
                    let media = Media {
                        url,
                        alt_text: String::new(),
                    };
                    assembly.image(media, 0, row.line, report);
                }
                Err(finding) => report.warn(finding),
            }
        }
    }
}

/// A weight with its unit, such as `1.2 kg`.
fn weight_g(cell: &str) -> Option<i64> {
    let (number, unit) = cell.split_at_checked(cell.find(char::is_alphabetic)?)?;
    cell::weight_in(number.trim(), cell::grams_of(unit)?)
}

/// The words with which all titles begin, for the titles of variants often end with what tells
/// them apart; `None` when there is only one, or they share none.
fn shared_beginning<'a>(mut titles: impl Iterator<Item = &'a str>) -> Option<String> {
    let first = titles.next()?;
    let mut words: Vec<&str> = first.split_whitespace().collect();
    let all = words.len();
    for title in titles {
        let shared = words.iter().zip(title.split_whitespace());
        let count = shared.take_while(|(own, other)| **own == *other).count();
        words.truncate(count);
    }
    if words.len() == all {
        return None;
    }
    let beginning = words.join(" ");
    let beginning = beginning.trim_end_matches(|c: char| {
        !c.is_alphanumeric() && !matches!(c, ')' | '!' | '?' | '.' | '"')
    });
    (!beginning.is_empty()).then(|| beginning.to_owned())
}
