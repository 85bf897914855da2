//! The databases, by their bulk paths.

use std::path::Path;

use anyhow::{Context, Result};
use bytes::Bytes;
use futures::SinkExt;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio::runtime::Handle;
use tokio_postgres::Client;

use crate::rows::{Cell, Chunk, Table, copy_text};
use crate::search;

/// Pages that SQLite keeps in memory while it is filled, in KiB.
const SQLITE_CACHE_KIB: i64 = 512 << 10;
/// Bytes that are given to PostgreSQL at a time.
const COPY_BYTES: usize = 1 << 20;

/// A database that is being filled.
pub trait Target {
    /// Writes the rows, all or none.
    fn write(&mut self, chunk: Chunk) -> Result<()>;

    /// What `sql` answers: rows of texts.
    fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>>;

    /// Makes what was written last and readers quick.
    fn finish(&mut self) -> Result<()>;
}

/// SQLite: prepared statements, one transaction for each chunk.
pub struct Sqlite(rusqlite::Connection);

impl Sqlite {
    /// # Errors
    /// The file is none of SQLite's.
    pub fn open(file: &Path) -> Result<Self> {
        let connection = rusqlite::Connection::open(file)
            .with_context(|| format!("cannot open {}", file.display()))?;
        connection.busy_timeout(std::time::Duration::from_secs(30))?;
        // In write-ahead mode this is safe, but that the last chunks can be lost with the power.
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "cache_size", -SQLITE_CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self(connection))
    }
}

impl rusqlite::ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Null => ValueRef::Null,
        }))
    }
}

/// What of an article is where, by cell: what the relay would make of the balances.
const SUM_STOCK: &str = "\
    INSERT INTO stock_cell (brand_id, sku, cell, units, places, collectable, shippable, everywhere, changed_at_ms, version) \
    SELECT f.brand_id, f.sku, p.cell, CAST(sum(f.free * p.visible) AS BIGINT), \
      CAST(sum(CASE WHEN f.free > 0 THEN p.visible ELSE 0 END) AS BIGINT), \
      CAST(sum(f.free * p.hands_over) AS BIGINT), CAST(sum(f.free * p.ships) AS BIGINT), \
      CAST(sum(f.free) AS BIGINT), max(f.updated_at_ms), max(v.version) \
    FROM (SELECT brand_id, sku, location_id, updated_at_ms, \
        CASE WHEN on_hand - reserved > safety THEN on_hand - reserved - safety ELSE 0 END AS free FROM stock) f \
    JOIN place p ON p.location_id = f.location_id JOIN place_cell v ON v.cell = p.cell \
    JOIN brand_location b ON b.brand_id = f.brand_id AND b.location_id = f.location_id \
    WHERE NOT EXISTS (SELECT 1 FROM stock_cell k WHERE k.brand_id = f.brand_id AND k.sku = f.sku) \
    GROUP BY f.brand_id, f.sku, p.cell";

impl Target for Sqlite {
    fn write(&mut self, chunk: Chunk) -> Result<()> {
        let transaction = self
            .0
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for (table, cells) in &chunk.tables {
            let mut insert = transaction.prepare_cached(&insert(table))?;
            for row in cells.chunks_exact(table.columns.len()) {
                insert
                    .execute(rusqlite::params_from_iter(row))
                    .with_context(|| format!("a row of {}: {row:?}", table.name))?;
            }
        }
        search::write_sqlite(&transaction, &chunk.searched)?;
        Ok(transaction.commit()?)
    }

    fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        let mut statement = self.0.prepare(sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect())?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn finish(&mut self) -> Result<()> {
        search::finish_sqlite(&self.0)?;
        self.0.execute_batch(SUM_STOCK)?;
        self.0.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(())
    }
}

fn insert(table: &Table) -> String {
    let places: Vec<String> = (1..=table.columns.len())
        .map(|at| format!("?{at}"))
        .collect();
    let columns = table.columns.join(", ");
    format!(
        "INSERT INTO {} ({columns}) VALUES ({})",
        table.name,
        places.join(", ")
    )
}

/// PostgreSQL: COPY, all in one transaction.
pub struct Postgres {
    client: Client,
    runtime: Handle,
}

impl Postgres {
    /// # Errors
    /// The database takes no transaction.
    pub fn begin(client: Client, runtime: Handle) -> Result<Self> {
        runtime.block_on(client.batch_execute("BEGIN; SET LOCAL synchronous_commit = off"))?;
        runtime.block_on(search::begin_postgres(&client))?;
        Ok(Self { client, runtime })
    }
}

impl Target for Postgres {
    fn write(&mut self, chunk: Chunk) -> Result<()> {
        self.runtime.block_on(async {
            for (table, cells) in &chunk.tables {
                copy(&self.client, table, cells).await?;
            }
            search::write_postgres(&self.client, &chunk.searched).await
        })
    }

    fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        use tokio_postgres::SimpleQueryMessage::Row;
        let messages = self.runtime.block_on(self.client.simple_query(sql))?;
        let text = |row: tokio_postgres::SimpleQueryRow| {
            (0..row.len())
                .map(|at| row.get(at).map(Into::into))
                .collect()
        };
        let rows = messages.into_iter().filter_map(|message| match message {
            Row(row) => Some(text(row)),
            _ => None,
        });
        Ok(rows.collect())
    }

    fn finish(&mut self) -> Result<()> {
        self.runtime
            .block_on(search::finish_postgres(&self.client))?;
        self.runtime
            .block_on(self.client.batch_execute(SUM_STOCK))?;
        self.runtime.block_on(self.client.batch_execute("COMMIT"))?;
        // Also sets what lets an index answer alone.
        self.runtime
            .block_on(self.client.batch_execute("VACUUM (ANALYZE)"))?;
        Ok(())
    }
}

/// Writes rows of one table.
pub async fn copy(client: &Client, table: &Table, cells: &[Cell]) -> Result<()> {
    let sql = format!(
        "COPY {} ({}) FROM STDIN",
        table.name,
        table.columns.join(", ")
    );
    let text = Bytes::from(copy_text(table, cells));
    let sink = client.copy_in(&sql).await?;
    futures::pin_mut!(sink);
    for at in (0..text.len()).step_by(COPY_BYTES) {
        let end = (at + COPY_BYTES).min(text.len());
        sink.send(text.slice(at..end)).await?;
    }
    sink.finish()
        .await
        .with_context(|| format!("rows of {}", table.name))?;
    Ok(())
}
