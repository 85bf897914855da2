//! Reading the files that retailers have: CSV in, drafts of products, locations, lanes
//! and stock out, and a report of every row that could not be used.

mod assembly;
pub mod cell;
pub mod fingerprint;
mod gather;
pub mod header;
pub mod html;
mod inventory;
pub mod lane;
pub mod location;
mod merchant;
pub mod product;
pub mod report;
pub mod schedule;
mod shopify;
mod shopify_row;
mod sku;
pub mod stock;
pub mod table;
pub mod text;
pub mod update;
mod woocommerce;

pub use assembly::category_and_those_above;
pub use header::{Header, Lacking};
pub use report::{Finding, Report};
pub use table::{Row, Table};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Products,
    Locations,
    Stock,
    Lanes,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Products => "products",
            Self::Locations => "locations",
            Self::Stock => "stock",
            Self::Lanes => "lanes",
        })
    }
}

impl Kind {
    /// The kind of file that has this header.
    pub fn of(header: &Header) -> Option<Self> {
        // An inventory names products too, and a location file may have a column of SKUs.
        if stock::StockFile::is(header) {
            Some(Self::Stock)
        } else if lane::LaneFile::is(header) {
            Some(Self::Lanes)
        } else if location::LocationFile::is(header) {
            Some(Self::Locations)
        } else if product::ProductFile::is(header) {
            Some(Self::Products)
        } else {
            None
        }
    }
}

/// A file's format: turns rows into items, one at a time, keeping no more than the
/// item that is not complete yet.
pub trait Format {
    type Item;

    /// Takes the next row. Answers an item when this row shows that the one before is complete.
    fn row(&mut self, row: Row, report: &mut Report) -> Option<Self::Item>;

    /// Another item of the row that was taken last.
    fn more(&mut self) -> Option<Self::Item> {
        None
    }

    /// No row follows: an item that was still open, `None` when none is left.
    fn finish(&mut self, report: &mut Report) -> Option<Self::Item>;

    /// What the header says that is worth a word: columns that are not used although they look
    /// like others, defaults that apply to all rows.
    fn warnings(&self) -> Vec<Finding> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
