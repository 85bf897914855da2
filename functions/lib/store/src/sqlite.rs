//! The runtime's SQLite. A read goes beside other work of its request. A batch goes without
//! a pause from the lock, for which all other writers wait, to its release.
//!
//! What a connection learns of the schema costs more than a statement, so an instance keeps
//! one for its next request.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use spin_sdk::sqlite::wit::sqlite;

use crate::{
    Row, Value,
    batch::{Statement, StatementResult},
    error::Failure,
    heavy::Heavy,
    row::Field,
};

/// How long SQLite itself waits for a lock. It looks less and less often, so that who waits
/// long would wait ever longer: after this time the count begins anew.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 10";

/// How long a batch waits for its turn. Well inside the deadline of the call, so that the
/// caller learns why.
const TURN: Duration = Duration::from_secs(3);

thread_local! {
    /// The connection that the instance's next request begins with.
    static IDLE: Cell<Option<Connection>> = const { Cell::new(None) };
}

pub(crate) struct Connection {
    inner: sqlite::Connection,
    /// Whether commits wait until the disk has them; not known of a new one.
    lasting: Cell<Option<bool>>,
    /// A transaction could not be ended.
    is_stuck: Cell<bool>,
}

impl Connection {
    pub(crate) async fn open() -> Result<Self, Failure> {
        if let Some(idle) = IDLE.take() {
            return Ok(idle);
        }
        let opened = sqlite::Connection::open_async("default".into()).await;
        let connection = Self {
            inner: opened.map_err(failure)?,
            lasting: Cell::new(None),
            is_stuck: Cell::new(false),
        };
        connection.at_once(BUSY_TIMEOUT, &[])?;
        Ok(connection)
    }

    /// Leaves the connection to the instance's next request. One on which anything has failed,
    /// or was cut short, is none to keep.
    pub(crate) fn keep(self) {
        if !self.is_stuck.get() {
            IDLE.set(Some(self));
        }
    }

    pub(crate) async fn query(&self, text: &str, params: &[Value]) -> Result<Vec<Row>, Failure> {
        let params = params.iter().map(parameter).collect();
        let started = self.inner.execute_async(text.to_owned(), params).await;
        let (columns, rows, result) = started.map_err(failure)?;
        // Read to the end before the result is asked for: the other way round it hangs.
        let rows = rows.collect().await;
        result.await.map_err(failure)?;
        typed(columns, rows)
    }

    /// All or nothing. `lasting`: it is on the disk when this answers.
    pub(crate) async fn batch(
        &self,
        statements: &[Statement],
        texts: &[String],
        heavy: &Heavy,
        lasting: bool,
    ) -> Result<Vec<StatementResult>, Failure> {
        match statements.iter().all(Statement::only_reads) {
            // Who only reads takes nobody's turn to write.
            true => self.at_once(&heavy.sqlite("BEGIN".into()), &[]).map(drop)?,
            false => {
                self.make_lasting(lasting)?;
                self.begin(heavy).await?;
            }
        }
        let outcome = self.run(statements, texts).and_then(|results| {
            self.at_once("COMMIT", &[])?;
            Ok(results)
        });
        if outcome.is_err() {
            // Refused where SQLite has rolled back by itself already, too: not worth a guess.
            let undone = self.at_once("ROLLBACK", &[]);
            self.is_stuck.set(undone.is_err());
        }
        outcome
    }

    /// In write-ahead mode a commit is whole after a loss of power in any case, and never lost
    /// without those that came after it; whether it may be lost is what differs.
    fn make_lasting(&self, lasting: bool) -> Result<(), Failure> {
        if self.lasting.replace(Some(lasting)) != Some(lasting) {
            let level = if lasting { "FULL" } else { "NORMAL" };
            self.at_once(&format!("PRAGMA synchronous = {level}"), &[])?;
        }
        Ok(())
    }

    /// IMMEDIATE: a transaction that begins as a reader cannot become a writer later without
    /// the chance of a failure that no waiting cures.
    async fn begin(&self, heavy: &Heavy) -> Result<(), Failure> {
        let since = Instant::now();
        let begin = heavy.sqlite("BEGIN IMMEDIATE".into());
        loop {
            match self.at_once(&begin, &[]) {
                Err(Failure::Contended(_)) if since.elapsed() < TURN => {
                    // Others of this instance get on meanwhile, and a deadline can pass.
                    spin_sdk::time::sleep(Duration::from_micros(500)).await;
                }
                outcome => return outcome.map(drop),
            }
        }
    }

    fn run(
        &self,
        statements: &[Statement],
        texts: &[String],
    ) -> Result<Vec<StatementResult>, Failure> {
        let mut results = Vec::with_capacity(statements.len());
        for (index, (statement, text)) in statements.iter().zip(texts).enumerate() {
            let rows = self.at_once(text, &statement.params)?;
            let changes = match statement {
                Statement { rows: true, .. } => rows.len() as u64,
                Statement { counted: true, .. } => self.inner.changes(),
                _ => 0,
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

    /// Runs a statement in one call, while which the instance does nothing else.
    fn at_once(&self, text: &str, params: &[Value]) -> Result<Vec<Row>, Failure> {
        let params: Vec<_> = params.iter().map(parameter).collect();
        let result = self.inner.execute(text, &params).map_err(failure)?;
        typed(result.columns, result.rows)
    }
}

fn typed(columns: Vec<String>, rows: Vec<sqlite::RowResult>) -> Result<Vec<Row>, Failure> {
    let columns: Rc<[String]> = columns.into();
    let typed = |row: sqlite::RowResult| {
        let fields = row.values.into_iter().map(field);
        Ok(Row::new(columns.clone(), fields.collect::<Result<_, _>>()?))
    };
    rows.into_iter().map(typed).collect()
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
