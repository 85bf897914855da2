//! Rows on their way into a database.

use std::fmt::Write;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Int(i64),
    Null,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! cells {
    ($($value:expr),* $(,)?) => { [$($crate::rows::Cell::from($value)),*] };
}
pub(crate) use cells;

/// A table and the columns that are written.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [&'static str],
}

macro_rules! tables {
    ($($constant:ident: $name:literal ($($column:ident),* $(,)?);)*) => {
        $(pub static $constant: Table = Table { name: $name, columns: &[$(stringify!($column)),*] };)*
    };
}

tables! {
    BRAND: "brand" (id, handle, is_default, doc, version, updated_at_ms);
    BRAND_HOST: "brand_host" (host, brand_id);
    TAX_RATE: "tax_rate" (brand_id, country, region, category, rate_ppm);
    LOCATION: "location" (id, code, doc, fingerprint, version, updated_at_ms);
    BRAND_LOCATION: "brand_location" (brand_id, location_id);
    LANE: "transfer_lane" (brand_id, from_location_id, to_location_id, doc, fingerprint, version, updated_at_ms);
    DEVICE: "device" (id, brand_id, location_id, name, token_hash, scopes, created_at_ms);
    STAFF: "staff" (id, brand_id, code, name, pin_hash, scopes, created_at_ms);
    PRODUCT: "product" (id, brand_id, handle, title, published, price_min_minor, price_max_minor, doc,
        fingerprint, version, updated_at_ms);
    VARIANT: "variant" (id, brand_id, product_id, sku, gtin, position, price_minor, tax_category, active);
    STOCK: "stock" (brand_id, sku, location_id, on_hand, reserved, safety, updated_at_ms);
    MOVEMENT: "stock_movement" (id, brand_id, sku, location_id, on_hand_delta, reserved_delta, reason,
        document_type, document_id, at_ms);
    SESSION: "checkout_session" (id, brand_id, status, doc, version, updated_at_ms, expires_at_ms);
    ORDER: "customer_order" (id, brand_id, number, checkout_session_id, status, doc, version,
        created_at_ms, updated_at_ms);
    PAYMENT: "payment" (id, brand_id, order_id, attempt, handler, amount_minor, currency, status,
        provider_reference, updated_at_ms);
    ALLOCATION: "allocation" (brand_id, order_id, sku, location_id, quantity, status);
    PICKUP: "pickup" (brand_id, order_id, location_id, status, ready_at_ms, pickup_by_ms, version, updated_at_ms);
    PICKUP_PASS: "pickup_pass" (id, brand_id, order_id, location_id, code, issued_at_ms, expires_at_ms);
    HAND_OVER: "hand_over" (id, brand_id, order_id, pass_id, location_id, device_id, staff_id, doc, handed_at_ms);
    ORDER_EVENT: "order_event" (id, brand_id, order_id, type, doc, occurred_at_ms);
    AUDIT: "audit" (id, brand_id, location_id, device_id, staff_id, action, subject_type, subject_id, doc, at_ms);
    OUTBOX: "outbox" (id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms, done_at_ms);
    NOTICE: "notice" (event_id, brand_id, order_id, type, doc, occurred_at_ms, due_at_ms, done_at_ms);
    CONTACT: "order_contact" (brand_id, order_id, channel, address, locale, created_at_ms);
    RETENTION: "retention_progress" (brand_id, kind, up_to_ms, up_to_id);
}

/// Rows of several tables, to be written in the order in which the tables first came.
#[derive(Debug, Default)]
pub struct Chunk {
    pub tables: Vec<(&'static Table, Vec<Cell>)>,
    /// Products to be made findable.
    pub searched: Vec<crate::search::Searched>,
    /// Things that it makes complete, for the progress.
    pub made: u64,
}

impl Chunk {
    pub fn add<const N: usize>(&mut self, table: &'static Table, row: [Cell; N]) {
        debug_assert_eq!(N, table.columns.len(), "{}", table.name);
        let known = self
            .tables
            .iter()
            .position(|(known, _)| std::ptr::eq(*known, table));
        let at = known.unwrap_or_else(|| {
            self.tables.push((table, Vec::new()));
            self.tables.len() - 1
        });
        self.tables[at].1.extend(row);
    }
}

/// The rows as PostgreSQL's COPY reads them (text format).
pub fn copy_text(table: &Table, cells: &[Cell]) -> String {
    let mut text = String::with_capacity(cells.len() * 24);
    for row in cells.chunks_exact(table.columns.len()) {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                text.push('\t');
            }
            match cell {
                Cell::Null => text.push_str("\\N"),
                Cell::Int(number) => {
                    // Writing into a string cannot fail.
                    let _ = write!(text, "{number}");
                }
                Cell::Text(value) => escape(value, &mut text),
            }
        }
        text.push('\n');
    }
    text
}

fn escape(value: &str, text: &mut String) {
    let special = |c: char| matches!(c, '\\' | '\t' | '\n' | '\r');
    let mut rest = value;
    while let Some(at) = rest.find(special) {
        let (plain, from) = rest.split_at(at);
        text.push_str(plain);
        text.push_str(match from.as_bytes()[0] {
            b'\\' => "\\\\",
            b'\t' => "\\t",
            b'\n' => "\\n",
            _ => "\\r",
        });
        rest = &from[1..];
    }
    text.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copied_text_keeps_what_is_special_to_copy() {
        static TABLE: Table = Table {
            name: "t",
            columns: &["a", "b", "c"],
        };
        let cells = cells!["a\tb\\c\nd", 7, None::<i64>];
        assert_eq!(copy_text(&TABLE, &cells), "a\\tb\\\\c\\nd\t7\t\\N\n");
    }
}
