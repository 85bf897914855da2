//! Counted stock from a CSV file with Aisle's own columns (docs/IMPORT.md), one row each.

use crate::gtin::Gtin;

use super::report::{Finding, Report};
use super::table::{Header, Row};
use super::{Format, cell};

/// The most units of a SKU at a location.
pub const MAX_UNITS: i64 = 1_000_000_000;

/// How a row names its variant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Item {
    Sku(String),
    /// 14 digits.
    Gtin(String),
}

/// What was counted of an item at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub line: u64,
    pub item: Item,
    pub location_code: String,
    pub on_hand: i64,
    /// Units never promised; `None` leaves what is set.
    pub safety: Option<i64>,
}

/// Reads a file of stock counts.
pub struct StockFile {
    sku: Option<usize>,
    gtin: Option<usize>,
    location_code: Option<usize>,
    on_hand: Option<usize>,
    safety: Option<usize>,
}

impl StockFile {
    /// Fails with the columns that the file lacks.
    pub fn new(header: &Header) -> Result<Self, Vec<&'static str>> {
        let position = |name| header.position(&[name]);
        let item: &[&str] = &["sku", "gtin"];
        match header.missing(&[item, &["location_code"], &["on_hand"]]) {
            missing if !missing.is_empty() => Err(missing),
            _ => Ok(Self {
                sku: position("sku"),
                gtin: position("gtin"),
                location_code: position("location_code"),
                on_hand: position("on_hand"),
                safety: position("safety"),
            }),
        }
    }

    fn count(&self, row: &Row) -> Result<Count, Finding> {
        let fault =
            |column: &'static str| move |reason: String| Finding::new(row.line, column, reason);
        let safety = row.get(self.safety);
        Ok(Count {
            line: row.line,
            item: self.item(row)?,
            location_code: cell::required(row.get(self.location_code))
                .map_err(fault("location_code"))?,
            on_hand: cell::count(row.get(self.on_hand), MAX_UNITS).map_err(fault("on_hand"))?,
            safety: (!safety.is_empty())
                .then(|| cell::count(safety, MAX_UNITS))
                .transpose()
                .map_err(fault("safety"))?,
        })
    }

    fn item(&self, row: &Row) -> Result<Item, Finding> {
        let sku = cell::code(row.get(self.sku))
            .map_err(|reason| Finding::new(row.line, "sku", reason))?;
        if !sku.is_empty() {
            return Ok(Item::Sku(sku));
        }
        let fault = |reason: String| {
            Finding::new(
                row.line,
                if self.gtin.is_some() { "gtin" } else { "sku" },
                reason,
            )
        };
        let gtin = cell::code(row.get(self.gtin)).map_err(fault)?;
        if gtin.is_empty() {
            return Err(fault("missing".into()));
        }
        Gtin::parse(&gtin)
            .map(|gtin| Item::Gtin(gtin.as_str().into()))
            .map_err(|error| fault(error.to_string()))
    }
}

impl Format for StockFile {
    type Item = Count;

    fn row(&mut self, row: Row, report: &mut Report) -> Option<Count> {
        report.rows += 1;
        self.count(&row)
            .map_err(|finding| report.refuse(finding))
            .ok()
    }

    fn finish(&mut self, _report: &mut Report) -> Option<Count> {
        None
    }
}
