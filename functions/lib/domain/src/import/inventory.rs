//! The columns of Shopify's inventory export, of which there are two kinds: one row for each
//! variant and location, and one row for each variant with a column for each location.

use super::header::{Column, Header, Names};
use super::report::{Finding, Report};
use super::shopify_row::{HANDLE, OPTION_VALUES, TITLE};
use super::stock::{Count, Item, MAX_UNITS};
use super::table::Row;
use super::{cell, sku};

const SKU: Names = &["SKU"];
const LOCATION: Names = &["Location"];
/// What somebody typed for the import, then what the export says.
const ON_HAND: [Names; 3] = [
    &["On hand (new)"],
    &["On hand (current)", "On hand"],
    &["Available", "Available (not editable)"],
];
/// Columns that only such an export has.
const SIGNS: [&str; 2] = ["HS Code", "COO"];
/// The last columns before those of the locations.
const BEFORE_LOCATIONS: [&str; 3] = ["COO", "HS Code", "SKU"];
/// What stands in the place of a number where a variant is never kept.
const NOT_STOCKED: &str = "not stocked";

/// Where such an export says what.
pub struct Inventory {
    sku: Column,
    handle: Column,
    option_values: [Column; 3],
    places: Places,
}

enum Places {
    /// The location's name and the numbers.
    Rows(Column, Vec<Column>),
    /// Name and position of each location's column.
    Columns(Vec<(String, usize)>),
}

impl Inventory {
    /// The export that has this header, if it is one.
    pub fn of(header: &Header) -> Option<Self> {
        let column = |names| Column::of(header, names);
        let names_variant = header.has(SKU) || header.has(HANDLE);
        let on_hand = ON_HAND.iter().map(|names| column(*names));
        let on_hand: Vec<Column> = on_hand.filter(Column::is_there).collect();
        let places = if header.has(LOCATION) && !on_hand.is_empty() {
            Places::Rows(column(LOCATION), on_hand)
        } else if header.has(HANDLE) && header.has(TITLE) && header.has(&SIGNS) {
            let last = BEFORE_LOCATIONS
                .iter()
                .filter_map(|name| header.position(&[name]))
                .max()?;
            let locations = (last + 1..header.len()).map(|at| (header.name(at).to_owned(), at));
            Places::Columns(locations.filter(|(name, _)| !name.is_empty()).collect())
        } else {
            return None;
        };
        names_variant.then(|| Self {
            sku: column(SKU),
            handle: column(HANDLE),
            option_values: OPTION_VALUES.map(column),
            places,
        })
    }

    /// What the row says of each location, by its name; nothing of a location where the
    /// variant is not kept.
    pub fn counts(&self, row: &Row, report: &mut Report) -> Result<Vec<Count>, Finding> {
        let item = self.item(row)?;
        let count = |location: &str, on_hand| Count {
            line: row.line,
            item: item.clone(),
            location: location.to_owned(),
            on_hand,
            safety: None,
        };
        match &self.places {
            Places::Rows(location, on_hand) => {
                let name = location.read(row, cell::required)?;
                let filled = on_hand.iter().find(|column| !column.cell(row).is_empty());
                let Some(column) = filled.or(on_hand.first()) else {
                    return Ok(Vec::new());
                };
                let fault = |reason| column.fault(row, reason);
                let units = units(column.cell(row), fault, report)?;
                Ok(units.map(|units| count(&name, units)).into_iter().collect())
            }
            Places::Columns(locations) => {
                let mut counts = Vec::new();
                for (name, at) in locations {
                    let fault = |reason| Finding::new(row.line, name, reason);
                    match units(row.get(Some(*at)), fault, report) {
                        Ok(units) => counts.extend(units.map(|units| count(name, units))),
                        // The row's other locations are not to blame.
                        Err(finding) => report.warn(finding),
                    }
                }
                Ok(counts)
            }
        }
    }

    /// The variant that a row names.
    fn item(&self, row: &Row) -> Result<Item, Finding> {
        let sku = self.sku.read(row, cell::code)?;
        let handle = self.handle.cell(row);
        if handle.is_empty() {
            return match sku.is_empty() {
                true => Err(self.sku.fault(row, "missing")),
                false => Ok(Item::Sku(sku)),
            };
        }
        let values = self.option_values.iter().map(|column| column.cell(row));
        let values = values.filter(|value| !value.is_empty()).map(str::to_owned);
        let values: Vec<String> = values.collect();
        Ok(Item::OneOf(sku::candidates(&sku, handle, &values)))
    }
}

/// Units on hand; `None` where the variant is not kept.
fn units(
    cell: &str,
    fault: impl Fn(String) -> Finding,
    report: &mut Report,
) -> Result<Option<i64>, Finding> {
    if cell.eq_ignore_ascii_case(NOT_STOCKED) {
        return Ok(None);
    }
    // Shopify counts below zero what was sold without being there.
    if let Some(oversold) = cell.strip_prefix('-')
        && cell::count(oversold, MAX_UNITS).is_ok()
    {
        let reason = format!("{cell} is taken as 0: a shelf cannot hold less");
        report.warn(fault(reason));
        return Ok(Some(0));
    }
    cell::count(cell, MAX_UNITS).map(Some).map_err(fault)
}
