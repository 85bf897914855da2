//! Counted stock from a CSV file with Aisle's own columns (docs/IMPORT.md), one row each, or
//! from Shopify's inventory export.

use crate::gtin::Gtin;

use super::header::{Header, Lacking, Names};
use super::inventory::Inventory;
use super::report::{Finding, Report};
use super::table::Row;
use super::{Format, cell};

const ITEM: Names = &["sku", "gtin"];
const LOCATION_CODE: Names = &["location_code"];
const ON_HAND: Names = &["on_hand"];

/// The most units of a SKU at a location.
pub const MAX_UNITS: i64 = 1_000_000_000;

/// How a row names its variant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Item {
    Sku(String),
    /// 14 digits.
    Gtin(String),
    /// The first of these SKUs that the brand has.
    OneOf(Vec<String>),
}

impl Item {
    /// The SKUs that may be meant, the likeliest first; none for a GTIN.
    pub fn skus(&self) -> &[String] {
        match self {
            Self::Sku(sku) => std::slice::from_ref(sku),
            Self::OneOf(skus) => skus,
            Self::Gtin(_) => &[],
        }
    }
}

/// What was counted of an item at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub line: u64,
    pub item: Item,
    /// Code of a location or, where no location has it, the name of one.
    pub location: String,
    pub on_hand: i64,
    /// Units never promised; `None` leaves what is set.
    pub safety: Option<i64>,
}

/// Reads a file of stock counts.
pub struct StockFile {
    columns: Columns,
    /// Counts of the row that was taken last, still to be given out.
    waiting: std::collections::VecDeque<Count>,
}

enum Columns {
    Own(Own),
    Shopify(Inventory),
}

struct Own {
    sku: Option<usize>,
    gtin: Option<usize>,
    location_code: Option<usize>,
    on_hand: Option<usize>,
    safety: Option<usize>,
}

impl StockFile {
    /// Whether a header is that of a file of stock.
    pub fn is(header: &Header) -> bool {
        let required = [LOCATION_CODE, ON_HAND];
        required.iter().all(|names| header.has(names)) || Inventory::of(header).is_some()
    }

    /// Fails with the columns that the file lacks.
    pub fn new(header: &Header) -> Result<Self, Lacking> {
        let position = |name| header.position(&[name]);
        let own = || {
            header.require(&[ITEM, LOCATION_CODE, ON_HAND])?;
            Ok(Columns::Own(Own {
                sku: position("sku"),
                gtin: position("gtin"),
                location_code: position("location_code"),
                on_hand: position("on_hand"),
                safety: position("safety"),
            }))
        };
        let columns = match Inventory::of(header) {
            Some(inventory) if !header.has(LOCATION_CODE) => Columns::Shopify(inventory),
            _ => own()?,
        };
        Ok(Self {
            columns,
            waiting: Default::default(),
        })
    }
}

impl Own {
    fn count(&self, row: &Row) -> Result<Count, Finding> {
        let fault =
            |column: &'static str| move |reason: String| Finding::new(row.line, column, reason);
        let safety = row.get(self.safety);
        Ok(Count {
            line: row.line,
            item: self.item(row)?,
            location: cell::required(row.get(self.location_code))
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
        match &self.columns {
            Columns::Own(own) => match own.count(&row) {
                Ok(count) => self.waiting.push_back(count),
                Err(finding) => report.refuse(finding),
            },
            Columns::Shopify(inventory) => match inventory.counts(&row, report) {
                Ok(counts) => self.waiting.extend(counts),
                Err(finding) => report.refuse(finding),
            },
        }
        self.more()
    }

    fn more(&mut self) -> Option<Count> {
        self.waiting.pop_front()
    }

    fn finish(&mut self, _report: &mut Report) -> Option<Count> {
        None
    }
}
