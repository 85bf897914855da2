//! The write batch: the one way in which state changes.

use crate::{
    BatchError, Db, Dialect, Row, Sql, Value,
    db::{Connection, Tries},
    error::Failure,
    heavy::Heavy,
    sql::{self, Form},
};

/// Statements that run in order, all or nothing. Each may say how many rows it must
/// touch; the first that does not ends the batch, undone, and names itself.
///
/// ```text
/// let results = Batch::new()
///     .expect(1, "INSERT INTO cart (…) VALUES (?1, …) ON CONFLICT DO NOTHING", values![id])
///     .add("INSERT INTO outbox …", values![…])
///     .commit(&db)
///     .await?;
/// ```
#[derive(Debug, Default)]
pub struct Batch {
    statements: Vec<Statement>,
    may_be_lost: bool,
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sql: Sql,
    pub(crate) params: Vec<Value>,
    pub(crate) expect: Option<u64>,
    pub(crate) rows: bool,
    pub(crate) counted: bool,
}

impl Statement {
    /// Whether it is sure to change nothing.
    pub(crate) fn only_reads(&self) -> bool {
        self.rows && self.sql.text(Dialect::Sqlite).starts_with("SELECT")
    }
}

/// What one statement of a committed batch did.
#[derive(Debug, Clone)]
pub struct StatementResult {
    /// Rows that it changed, as far as it was to be counted or must touch so many; of a statement
    /// that returns rows, how many came back.
    pub changes: u64,
    /// Empty unless the statement was added with `rows` or `expect_rows`.
    pub rows: Vec<Row>,
}

impl Batch {
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of statements so far, which is the index of the next one.
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// A change that may touch any number of rows.
    pub fn add(&mut self, sql: impl Into<Sql>, params: Vec<Value>) -> &mut Self {
        self.push(sql.into(), params, None, [false, false])
    }

    /// The same, which tells how many it touched.
    pub fn count(&mut self, sql: impl Into<Sql>, params: Vec<Value>) -> &mut Self {
        self.push(sql.into(), params, None, [false, true])
    }

    /// A change that must touch exactly `count` rows.
    pub fn expect(&mut self, count: u64, sql: impl Into<Sql>, params: Vec<Value>) -> &mut Self {
        self.push(sql.into(), params, Some(count), [false, true])
    }

    /// A SELECT, or a change with RETURNING, whose rows come back.
    pub fn rows(&mut self, sql: impl Into<Sql>, params: Vec<Value>) -> &mut Self {
        self.push(sql.into(), params, None, [true, true])
    }

    /// The same, which must return exactly `count` rows.
    pub fn expect_rows(
        &mut self,
        count: u64,
        sql: impl Into<Sql>,
        params: Vec<Value>,
    ) -> &mut Self {
        self.push(sql.into(), params, Some(count), [true, true])
    }

    /// Runs the batch: one call on PostgreSQL. Work that lost to a deadlock, a
    /// serialisation failure or a lock is tried again a few times; it left nothing behind.
    pub async fn commit(&self, db: &Db) -> Result<Vec<StatementResult>, BatchError> {
        let form = db.dialect().pick(Form::Sqlite, Form::PostgresRun);
        let translated = self
            .statements
            .iter()
            .map(|one| sql::translate(one.sql.text(db.dialect()), &one.params, form));
        let texts = translated.collect::<Result<Vec<_>, _>>()?;
        let mut tries = Tries::new(db);
        loop {
            match db
                .with_connection(async |connection| self.run(connection, &texts, db.heavy()).await)
                .await
            {
                Err(failure) => tries.again(failure).await?,
                Ok(results) => {
                    db.heavy()
                        .done(!self.statements.iter().all(Statement::only_reads));
                    return Ok(results);
                }
            }
        }
    }

    async fn run(
        &self,
        connection: &Connection,
        texts: &[String],
        heavy: &Heavy,
    ) -> Result<Vec<StatementResult>, Failure> {
        let (statements, lasting) = (&self.statements, !self.may_be_lost);
        match connection {
            Connection::Sqlite(connection) => {
                connection.batch(statements, texts, heavy, lasting).await
            }
            Connection::Postgres(connection) => {
                connection.batch(statements, texts, heavy, lasting).await
            }
        }
    }

    /// Commits without waiting for the disk: after a loss of power the batch may be gone, whole,
    /// with all that was committed after it. For drafts, and for what is done again when it is
    /// missing; never for a promise that nothing else leads back to.
    pub fn may_be_lost(&mut self) -> &mut Self {
        self.may_be_lost = true;
        self
    }

    fn push(
        &mut self,
        sql: Sql,
        params: Vec<Value>,
        expect: Option<u64>,
        [rows, counted]: [bool; 2],
    ) -> &mut Self {
        self.statements.push(Statement {
            sql,
            params,
            expect,
            rows,
            counted,
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values;

    #[test]
    fn statements_keep_their_order_and_terms() {
        let mut batch = Batch::new();
        batch
            .expect(1, "UPDATE a", vec![])
            .add("UPDATE b", values!["x"]);
        let third = batch.len();
        batch.expect_rows(2, "SELECT 1", vec![]);
        assert_eq!(third, 2);
        let terms: Vec<_> = batch
            .statements
            .iter()
            .map(|one| (one.expect, one.rows))
            .collect();
        assert_eq!(terms, [(Some(1), false), (None, false), (Some(2), true)]);
    }
}
