//! A connection and the statements on it, one after the other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rusqlite::StatementStatus;
use rusqlite::types::{Value as SqlValue, ValueRef};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};

use super::workers::{Permit, Workers};
use crate::bindings::sqlite::{Error, RowResult, Value};
use crate::host::{Caller, Streamed, heavy_kind, streamed};

/// Largest row that a guest may read, as on Spin.
const MAX_ROW_BYTES: usize = 128 << 20;
/// Steps of SQLite's machine between two looks at whether anybody still waits: microseconds.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;

/// The SQLite of an app.
#[derive(Clone)]
pub struct Database {
    /// The file.
    pub path: PathBuf,
    /// What its statements share.
    pub workers: Arc<Workers>,
    /// The longest that a statement may take.
    pub statement_timeout: Duration,
}

/// A connection that a guest holds, opened with its first statement.
#[derive(Clone)]
pub struct Connection {
    database: Database,
    opened: Arc<Mutex<Opened>>,
}

/// The columns of a statement, and its rows.
pub type Rows = (Vec<String>, Streamed<RowResult, Error>);

/// What a connection holds.
#[derive(Default)]
struct Opened {
    connection: Option<rusqlite::Connection>,
    /// Both until the connection is out of its transaction.
    write_turn: Option<Permit>,
    heavy_place: Option<Permit>,
}

/// A statement on its way.
struct Statement {
    text: String,
    parameters: Vec<Value>,
    columns: oneshot::Sender<Vec<String>>,
    rows: mpsc::Sender<RowResult>,
    deadline: Instant,
    caller: Caller,
    /// While it works and is not heavy.
    thread: Option<Permit>,
}

/// How far a statement came on its thread.
enum Step {
    Ended(Result<(), Error>),
    /// It changes something, and it is somebody else's turn.
    WaitsForTurn(OwnedMutexGuard<Opened>, Statement),
}

impl Connection {
    /// A connection to `database` that is not open yet.
    pub fn new(database: Database) -> Self {
        Self {
            database,
            opened: Arc::default(),
        }
    }

    /// Starts a statement. Its columns are known when it is prepared; its rows, its
    /// changes and its error come after, so an error shows only in the result.
    pub async fn query(self, text: String, parameters: Vec<Value>, caller: Caller) -> Rows {
        let (columns_in, columns) = oneshot::channel();
        let (producer, streamed) = streamed();
        let statement = Statement {
            text,
            parameters,
            columns: columns_in,
            rows: producer.items.clone(),
            deadline: Instant::now() + self.database.statement_timeout,
            caller,
            thread: None,
        };
        tokio::spawn(async move {
            let result = tokio::select! {
                biased;
                result = self.run(statement) => result,
                () = producer.items.closed() => Err(nobody_waits()),
            };
            producer.finish(result);
        });
        // Without columns the statement could not even be prepared: as on Spin the
        // guest gets none, and the reason from the result.
        (columns.await.unwrap_or_default(), streamed)
    }

    /// What SQLite says about the connection itself.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub async fn ask<R: Send + 'static>(
        self,
        question: impl FnOnce(&rusqlite::Connection) -> R + Send + 'static,
    ) -> wasmtime::Result<R> {
        let mut opened = self.opened.lock_owned().await;
        let path = self.database.path;
        let answer =
            tokio::task::spawn_blocking(move || open(&mut opened.connection, &path).map(question));
        answer
            .await?
            .map_err(|error| wasmtime::format_err!("{error:?}"))
    }

    async fn run(self, mut statement: Statement) -> Result<(), Error> {
        let mut opened = self.opened.lock_owned().await;
        let workers = &self.database.workers;
        if let Some(kind) = heavy_kind(&statement.text)
            && opened.heavy_place.is_none()
        {
            opened.heavy_place = Some(workers.heavy_place(kind).await?);
        }
        loop {
            if opened.heavy_place.is_none() {
                statement.thread = Some(workers.thread(statement.deadline).await?);
            }
            let database = self.database.clone();
            let step = tokio::task::spawn_blocking(move || statement.step(opened, &database));
            match step.await.map_err(|error| Error::Io(error.to_string()))? {
                Step::Ended(result) => return result,
                Step::WaitsForTurn(held, waiting) => (opened, statement) = (held, waiting),
            }
            opened.write_turn = Some(workers.write_turn().await?);
        }
    }
}

impl Statement {
    /// Runs it, unless it must wait for its turn first. On a thread that may block.
    fn step(mut self, mut opened: OwnedMutexGuard<Opened>, database: &Database) -> Step {
        let Opened {
            connection,
            write_turn,
            heavy_place,
        } = &mut *opened;
        let connection = match open(connection, &database.path) {
            Ok(connection) => connection,
            Err(error) => return Step::Ended(Err(error)),
        };
        let prepared = match connection.prepare(&self.text) {
            Ok(prepared) => prepared,
            Err(error) => return Step::Ended(Err(io(error))),
        };
        let changes = !prepared.readonly();
        if changes {
            if write_turn.is_none() {
                *write_turn = database.workers.write_turn_now();
            }
            if write_turn.is_none() {
                drop(prepared);
                self.thread = None;
                return Step::WaitsForTurn(opened, self);
            }
            self.caller.changes();
        }
        let stop = Stop {
            rows: self.rows.clone(),
            deadline: self.deadline,
            caller: self.caller.clone(),
            ends_with_its_client: !changes && connection.is_autocommit(),
        };
        let result = if stop.now() {
            Err(nobody_waits())
        } else {
            connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || stop.now()));
            let result = self.send_rows(prepared);
            connection.progress_handler(0, None::<fn() -> bool>);
            result
        };
        if matches!(&result, Err(Error::Io(why)) if why == INTERRUPTED) {
            self.caller
                .component
                .counters
                .sql_stopped
                .fetch_add(1, Relaxed);
        }
        if connection.is_autocommit() {
            *write_turn = None;
            *heavy_place = None;
        }
        Step::Ended(result)
    }

    fn send_rows(&mut self, mut prepared: rusqlite::Statement<'_>) -> Result<(), Error> {
        let names = prepared.column_names().into_iter().map(str::to_owned);
        let names = names.collect::<Vec<_>>();
        let width = names.len();
        let (unused, _) = oneshot::channel();
        let columns = std::mem::replace(&mut self.columns, unused);
        columns.send(names).map_err(|_| nobody_waits())?;
        let parameters = std::mem::take(&mut self.parameters);
        let parameters = parameters.into_iter().map(sql_value);
        let sent = self.send_each(&mut prepared, width, parameters);
        let steps = prepared.get_status(StatementStatus::VmStep);
        let counters = &self.caller.component.counters;
        counters
            .sql_steps
            .fetch_add(u64::try_from(steps).unwrap_or_default(), Relaxed);
        sent
    }

    fn send_each(
        &mut self,
        prepared: &mut rusqlite::Statement<'_>,
        width: usize,
        parameters: impl Iterator<Item = SqlValue>,
    ) -> Result<(), Error> {
        let mut rows = prepared
            .query(rusqlite::params_from_iter(parameters))
            .map_err(io)?;
        while let Some(row) = rows.next().map_err(io)? {
            let values: Vec<Value> = (0..width)
                .map(|column| row.get_ref(column).map_err(io).and_then(guest_value))
                .collect::<Result<_, _>>()?;
            if values.iter().map(size).sum::<usize>() > MAX_ROW_BYTES {
                return Err(Error::Io(format!(
                    "a row is larger than {MAX_ROW_BYTES} bytes"
                )));
            }
            self.send(RowResult { values })?;
        }
        Ok(())
    }

    /// Who reads it may be blocked by a statement that waits for this one's thread: while
    /// this one waits for a reader, that is free.
    fn send(&mut self, row: RowResult) -> Result<(), Error> {
        match self.rows.try_send(row) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(nobody_waits()),
            Err(TrySendError::Full(row)) => {
                self.thread = None;
                let sent = self.rows.blocking_send(row);
                sent.map_err(|_| nobody_waits())
            }
        }
    }
}

/// When a statement ends before its end.
struct Stop {
    rows: mpsc::Sender<RowResult>,
    deadline: Instant,
    caller: Caller,
    /// It changes nothing and stands in no transaction.
    ends_with_its_client: bool,
}

impl Stop {
    fn now(&self) -> bool {
        self.rows.is_closed()
            || self.deadline <= Instant::now()
            || self.ends_with_its_client && self.caller.has_gone()
    }
}

/// Closing rolls back, and whoever closes last writes the log back: not on a thread that
/// serves requests. The turn to write ends after it.
impl Drop for Opened {
    fn drop(&mut self) {
        let held = (
            self.connection.take(),
            self.write_turn.take(),
            self.heavy_place.take(),
        );
        if let ((Some(_), ..), Ok(runtime)) = (&held, Handle::try_current()) {
            runtime.spawn_blocking(move || drop(held));
        }
    }
}

/// The connection, opened as Spin does it: five seconds of patience with a lock, no
/// `ATTACH` of files.
fn open<'a>(
    opened: &'a mut Option<rusqlite::Connection>,
    path: &Path,
) -> Result<&'a rusqlite::Connection, Error> {
    use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
    if opened.is_none() {
        let connection = rusqlite::Connection::open(path).map_err(io)?;
        connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
            AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => {
                Authorization::Deny
            }
            _ => Authorization::Allow,
        }));
        *opened = Some(connection);
    }
    opened.as_ref().ok_or_else(nobody_waits)
}

fn sql_value(value: Value) -> SqlValue {
    match value {
        Value::Integer(integer) => SqlValue::Integer(integer),
        Value::Real(real) => SqlValue::Real(real),
        Value::Text(text) => SqlValue::Text(text),
        Value::Blob(bytes) => SqlValue::Blob(bytes),
        Value::Null => SqlValue::Null,
    }
}

fn guest_value(value: ValueRef<'_>) -> Result<Value, Error> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => Value::Text(
            String::from_utf8(text.to_vec())
                .map_err(|_| Error::Io("a text value is not UTF-8".to_owned()))?,
        ),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

fn size(value: &Value) -> usize {
    let own = match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => 0,
    };
    own + std::mem::size_of::<Value>()
}

fn io(error: rusqlite::Error) -> Error {
    Error::Io(error.to_string())
}

/// SQLite's own word for a statement that was stopped.
const INTERRUPTED: &str = "interrupted";

fn nobody_waits() -> Error {
    Error::Io(INTERRUPTED.to_owned())
}
