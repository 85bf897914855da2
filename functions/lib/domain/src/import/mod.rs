//! Reading the files that retailers have: CSV in, drafts of products, locations, lanes
//! and stock out, and a report of every row that could not be used.

pub mod cell;
pub mod fingerprint;
pub mod html;
pub mod lane;
pub mod location;
pub mod product;
mod product_row;
pub mod report;
pub mod schedule;
pub mod stock;
pub mod table;

pub use report::{Finding, Report};
pub use table::{Header, Row, Table};

/// A file's format: turns rows into items, one at a time, keeping no more than the
/// item that is not complete yet.
pub trait Format {
    type Item;

    /// Takes the next row. Answers an item when this row shows that the one before is complete.
    fn row(&mut self, row: Row, report: &mut Report) -> Option<Self::Item>;

    /// No row follows: the item that was still open.
    fn finish(&mut self, report: &mut Report) -> Option<Self::Item>;
}

#[cfg(test)]
mod tests;
