//! What is really in the database, read and set past the functions.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

/// The database of one environment.
#[derive(Debug, Clone)]
pub enum Database {
    /// The file of the embedded SQLite.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database.
    Postgres(String),
}

/// One row, every value as text.
pub type TextRow = Vec<Option<String>>;

/// Every row of every table that holds business state. What the relay makes of that in its own
/// time (news of orders, and what is sent) is left out.
pub type Snapshot = BTreeMap<&'static str, Vec<TextRow>>;

/// What happened, without how far the relay has come with it, which it does in its own time.
const OUTBOX: &str = "seq, id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms";

/// What somebody asked for, without how far it has come.
const MESSAGE: &str = "id, brand_id, dedup_key, channel, address, purpose, template FROM message WHERE purpose <> 'update'";

/// The buyer's own address is added by the relay.
const CONTACT: &str = "* FROM order_contact WHERE channel <> 'email'";

const TABLES: &[&str] = &[
    "account",
    "account_cart",
    "account_change",
    "account_checkout",
    "account_identity",
    "account_order",
    "account_refresh",
    "account_session",
    "admin_key",
    "allocation",
    "audit",
    "brand",
    "brand_host",
    "brand_location",
    "cart",
    "cart_merged",
    "cart_version",
    "checkout_session",
    "category_count",
    "consent",
    "count_session",
    "customer_code",
    "customer_order",
    "delivery",
    "device",
    "device_scan",
    "drawer_entry",
    "hand_over",
    "hold",
    "import_run",
    "incident",
    "instalment",
    "invite",
    "layaway",
    "location",
    "message",
    "offline_hand_over",
    "one_time_code",
    "opt_out",
    "order_contact",
    "order_event",
    "outbox",
    "payment",
    "pickup",
    "pickup_pass",
    "pickup_person",
    "pickup_reminder",
    "presence",
    "product",
    "refund",
    "return_request",
    "search_category",
    "search_entry",
    "staff",
    "staff_session",
    "stock",
    "stock_movement",
    "tax_rate",
    "till_day",
    "transfer",
    "transfer_lane",
    "transfer_line",
    "variant",
];

impl Database {
    /// Runs one statement (literals inline) and answers its rows.
    pub async fn rows(&self, sql: &str) -> Result<Vec<TextRow>> {
        match self {
            Self::Sqlite(file) => sqlite_rows(file.clone(), sql.to_owned()).await,
            Self::Postgres(url) => postgres_rows(url, sql).await,
        }
        .with_context(|| sql.to_owned())
    }

    /// The single number that `sql` answers.
    pub async fn number(&self, sql: &str) -> Result<i64> {
        let rows = self.rows(sql).await?;
        let value = rows.first().and_then(|row| row.first()).cloned().flatten();
        value
            .with_context(|| format!("no value: {sql}"))?
            .parse()
            .with_context(|| sql.to_owned())
    }

    /// Everything, in an order that does not depend on how it got there.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let mut tables = Snapshot::new();
        for &table in TABLES {
            let what = match table {
                "outbox" => format!("{OUTBOX} FROM outbox"),
                "message" => MESSAGE.to_owned(),
                "order_contact" => CONTACT.to_owned(),
                _ => format!("* FROM {table}"),
            };
            let mut rows = self.rows(&format!("SELECT {what}")).await?;
            rows.sort();
            tables.insert(table, rows);
        }
        Ok(tables)
    }

    /// In which columns of which tables, of all that the database has, one of the needles is
    /// found, in whatever case.
    pub async fn search(&self, needles: &[&str]) -> Result<Vec<String>> {
        let columns = match self {
            Self::Sqlite(_) => {
                "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
            }
            Self::Postgres(_) => {
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
            }
        };
        let mut found = Vec::new();
        for column in self.rows(columns).await? {
            let [Some(table), Some(column)] = column.as_slice() else {
                continue;
            };
            let found_in = needles.iter().map(|needle| {
                let needle = needle.to_lowercase().replace('\'', "''");
                format!("lower(CAST(\"{column}\" AS TEXT)) LIKE '%{needle}%'")
            });
            let found_in: Vec<String> = found_in.collect();
            let sql = format!(
                "SELECT count(*) FROM \"{table}\" WHERE {}",
                found_in.join(" OR ")
            );
            if self.number(&sql).await? > 0 {
                found.push(format!("{table}.{column}"));
            }
        }
        Ok(found)
    }

    /// Fails with the violations when the stock ledger contradicts itself.
    pub async fn check_invariants(&self) -> Result<()> {
        let violations = self.rows(aisle_store::stock::INVARIANTS).await?;
        anyhow::ensure!(
            violations.is_empty(),
            "the stock ledger contradicts itself: {violations:?}"
        );
        Ok(())
    }

    /// Sets the database's clock forward, for every later statement.
    pub async fn set_clock_forward_ms(&self, offset_ms: i64) -> Result<()> {
        self.rows(&format!("UPDATE clock SET offset_ms = {offset_ms}"))
            .await
            .map(drop)
    }
}

/// What differs between two snapshots, by table: rows that went and rows that came.
pub fn difference(
    before: &Snapshot,
    after: &Snapshot,
) -> BTreeMap<&'static str, (Vec<TextRow>, Vec<TextRow>)> {
    let without = |rows: &[TextRow], other: &[TextRow]| -> Vec<TextRow> {
        rows.iter()
            .filter(|row| !other.contains(row))
            .cloned()
            .collect()
    };
    let tables = before
        .iter()
        .filter(|(table, rows)| after[*table] != **rows);
    tables
        .map(|(table, rows)| {
            (
                *table,
                (without(rows, &after[table]), without(&after[table], rows)),
            )
        })
        .collect()
}

async fn sqlite_rows(file: PathBuf, sql: String) -> Result<Vec<TextRow>> {
    tokio::task::spawn_blocking(move || {
        let connection = rusqlite::Connection::open(file)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        let mut statement = connection.prepare(&sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns)
                .map(|column| sqlite_text(row, column))
                .collect()
        })?;
        rows.collect::<rusqlite::Result<Vec<TextRow>>>()
            .map_err(Into::into)
    })
    .await?
}

fn sqlite_text(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    use rusqlite::types::ValueRef::{Blob, Integer, Null, Real, Text};
    Ok(match row.get_ref(column)? {
        Null => None,
        Integer(number) => Some(number.to_string()),
        Real(number) => Some(number.to_string()),
        Text(bytes) | Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    })
}

async fn postgres_rows(url: &str, sql: &str) -> Result<Vec<TextRow>> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    let messages = client.simple_query(sql).await?;
    drop(client);
    connection.await??;
    let text = |row: tokio_postgres::SimpleQueryRow| {
        (0..row.len())
            .map(|column| row.get(column).map(Into::into))
            .collect()
    };
    let rows = messages.into_iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(text(row)),
        _ => None,
    });
    Ok(rows.collect())
}
