//! The runtime's SQLite. One statement at a time, read to its end, then its result,
//! then `changes()`: any other order hangs, misses errors or counts the wrong rows.

use std::rc::Rc;

use spin_sdk::sqlite;

use crate::{
    Row, Value,
    batch::{Statement, StatementResult},
    error::Failure,
    heavy::Heavy,
    row::Field,
};

pub(crate) struct Connection(sqlite::Connection);

impl Connection {
    pub(crate) async fn open() -> Result<Self, Failure> {
        sqlite::Connection::open_default()
            .await
            .map(Self)
            .map_err(failure)
    }

    pub(crate) async fn query(&self, text: &str, params: &[Value]) -> Result<Vec<Row>, Failure> {
        let mut result = self
            .0
            .execute(text, params.iter().map(parameter))
            .await
            .map_err(failure)?;
        let columns: Rc<[String]> = result.columns().into();
        let mut rows = Vec::new();
        while let Some(row) = result.next().await {
            rows.push(Row::new(
                columns.clone(),
                row.values
                    .into_iter()
                    .map(field)
                    .collect::<Result<_, _>>()?,
            ));
        }
        result.result().await.map_err(failure)?;
        Ok(rows)
    }

    /// All or nothing. When this future is dropped half-way the connection goes with it,
    /// and SQLite undoes what a closed connection left open.
    pub(crate) async fn batch(
        &self,
        statements: &[Statement],
        texts: &[String],
        heavy: &Heavy,
    ) -> Result<Vec<StatementResult>, Failure> {
        // IMMEDIATE: a transaction that begins as a reader cannot become a writer later
        // without the chance of a failure that no waiting cures. Who only reads takes
        // nobody's turn to write.
        let begin = match statements.iter().all(Statement::only_reads) {
            true => "BEGIN",
            false => "BEGIN IMMEDIATE",
        };
        self.query(&heavy.sqlite(begin.into()), &[]).await?;
        let outcome = match self.run(statements, texts).await {
            Ok(results) => self.query("COMMIT", &[]).await.map(|_| results),
            Err(failure) => Err(failure),
        };
        if outcome.is_err() {
            // Refused only when SQLite has rolled back by itself already.
            let _ = self.query("ROLLBACK", &[]).await;
        }
        outcome
    }

    async fn run(
        &self,
        statements: &[Statement],
        texts: &[String],
    ) -> Result<Vec<StatementResult>, Failure> {
        let mut results = Vec::with_capacity(statements.len());
        for (index, (statement, text)) in statements.iter().zip(texts).enumerate() {
            let rows = self.query(text, &statement.params).await?;
            let changes = if statement.rows {
                rows.len() as u64
            } else {
                self.0.changes().await
            };
            if statement.expect.is_some_and(|expected| expected != changes) {
                return Err(Failure::Unmet {
                    statement: index,
                    changes,
                });
            }
            results.push(StatementResult {
                changes,
                rows: if statement.rows { rows } else { Vec::new() },
            });
        }
        Ok(results)
    }
}

fn parameter(value: &Value) -> sqlite::Value {
    match value {
        Value::Int(number) => (*number).into(),
        Value::Text(text) => text.clone().into(),
    }
}

fn field(value: sqlite::Value) -> Result<Field, Failure> {
    match value {
        sqlite::Value::Null => Ok(Field::Null),
        sqlite::Value::Integer(number) => Ok(Field::Int(number)),
        sqlite::Value::Text(text) => Ok(Field::Text(text)),
        sqlite::Value::Real(_) | sqlite::Value::Blob(_) => {
            Err(Failure::Bug("a column is neither BIGINT nor TEXT".into()))
        }
    }
}

fn failure(error: sqlite::Error) -> Failure {
    match error {
        sqlite::Error::Io(text) => io_failure(text),
        other => Failure::Unavailable(other.to_string()),
    }
}

/// SQLite's own words are all that the interface passes on.
fn io_failure(text: String) -> Failure {
    let has = |words: &str| text.contains(words);
    if has("places for heavy statements") {
        Failure::Busy(text)
    } else if has("database is locked")
        || has("database table is locked")
        || has("database is busy")
    {
        Failure::Contended(text)
    } else if has("constraint failed") {
        Failure::Violated(text)
    } else if has("no such table") {
        Failure::NoTable(text)
    } else if has("unable to open")
        || has("disk I/O")
        || has("database or disk is full")
        || has("readonly database")
        // It took too long, or its client has gone.
        || has("interrupted")
    {
        Failure::Unavailable(text)
    } else {
        Failure::Bug(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlites_words_are_understood() {
        let kind = |text: &str| io_failure(text.into());
        assert!(matches!(kind("database is locked"), Failure::Contended(_)));
        assert!(matches!(kind("interrupted"), Failure::Unavailable(_)));
        assert!(matches!(
            kind("all places for heavy statements (search) are taken"),
            Failure::Busy(_)
        ));
        assert!(matches!(
            kind("UNIQUE constraint failed: cart.id"),
            Failure::Violated(_)
        ));
        assert!(matches!(
            kind("no such table: schema_version"),
            Failure::NoTable(_)
        ));
        assert!(matches!(
            kind("unable to open database file"),
            Failure::Unavailable(_)
        ));
        assert!(matches!(
            kind("near \"FORM\": syntax error"),
            Failure::Bug(_)
        ));
    }
}
