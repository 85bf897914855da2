//! `spin:sqlite@3.1.0`: one real connection for each that a guest opens.
//!
//! A connection is closed when the guest drops it, or is stopped; SQLite then rolls
//! back what was not committed. Statements run on threads of their own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::{Value as SqlValue, ValueRef};
use tokio::sync::oneshot;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::{Guest, GuestData, Producer, Streamed, streamed};
use crate::bindings::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};

/// Largest row that a guest may read, as on Spin.
const MAX_ROW_BYTES: usize = 128 << 20;

/// A connection that a guest holds, opened with its first statement.
#[derive(Clone)]
pub struct Connection {
    path: PathBuf,
    opened: Arc<Mutex<Option<rusqlite::Connection>>>,
}

type Rows = (Vec<String>, Streamed<RowResult, Error>);

impl Connection {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            opened: Arc::default(),
        }
    }

    /// Runs `work` on the connection, which nothing else uses meanwhile.
    fn with<R>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *opened {
            Some(connection) => connection,
            empty => empty.insert(open(&self.path)?),
        };
        work(connection)
    }

    /// Starts a statement. Its columns are known when it is prepared; its rows, its
    /// changes and its error come after, so an error shows only in the result.
    async fn query(self, statement: String, parameters: Vec<Value>) -> Result<Rows, Error> {
        let (columns_in, columns) = oneshot::channel();
        let (producer, rows) = streamed();
        tokio::task::spawn_blocking(move || {
            let result = self
                .with(|connection| run(connection, &statement, parameters, columns_in, &producer));
            producer.finish(result);
        });
        // Without columns the statement could not even be prepared: as on Spin the
        // guest gets none, and the reason from the result.
        Ok((columns.await.unwrap_or_default(), rows))
    }

    async fn ask<R: Send + 'static>(
        self,
        question: impl FnOnce(&rusqlite::Connection) -> R + Send + 'static,
    ) -> wasmtime::Result<R> {
        let answer =
            tokio::task::spawn_blocking(move || self.with(|connection| Ok(question(connection))));
        answer
            .await?
            .map_err(|error| wasmtime::format_err!("{error:?}"))
    }
}

/// Opens a file as Spin does: five seconds of patience with a lock, no `ATTACH` of files.
fn open(path: &std::path::Path) -> Result<rusqlite::Connection, Error> {
    use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
    let connection = rusqlite::Connection::open(path).map_err(io)?;
    connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }));
    Ok(connection)
}

fn run(
    connection: &rusqlite::Connection,
    statement: &str,
    parameters: Vec<Value>,
    columns: oneshot::Sender<Vec<String>>,
    producer: &Producer<RowResult, Error>,
) -> Result<(), Error> {
    let mut statement = connection.prepare(statement).map_err(io)?;
    let names = statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let width = names.len();
    let gone = |_| Error::Io("the guest stopped listening".to_owned());
    columns.send(names).map_err(gone)?;
    let parameters = parameters.into_iter().map(sql_value);
    let mut rows = statement
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
        let sent = producer.items.blocking_send(RowResult { values });
        sent.map_err(|_| Error::Io("row send error".to_owned()))?;
    }
    Ok(())
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

fn opened(
    guest: &mut Guest,
    database: &str,
) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
    let Some(path) = guest.component.sqlite.get(database).cloned() else {
        return Ok(Err(Error::AccessDenied));
    };
    Ok(Ok(guest.table.push(Connection::new(path))?))
}

impl Guest {
    /// The connection behind a guest's handle.
    fn sqlite(&self, handle: &Resource<Connection>) -> wasmtime::Result<Connection> {
        Ok(self.table.get(handle)?.clone())
    }
}

impl Host for Guest {}

impl HostConnection for Guest {
    async fn open(
        &mut self,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        opened(self, &database)
    }

    async fn execute(
        &mut self,
        handle: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        self.count_sql();
        let connection = self.sqlite(&handle)?;
        let (columns, mut streamed) = match connection.query(statement, parameters).await {
            Ok(started) => started,
            Err(error) => return Ok(Err(error)),
        };
        let mut rows = Vec::new();
        while let Some(row) = streamed.items.recv().await {
            rows.push(row);
        }
        let result = streamed.result.await?;
        Ok(result.map(|()| QueryResult { columns, rows }))
    }

    async fn last_insert_rowid(&mut self, handle: Resource<Connection>) -> wasmtime::Result<i64> {
        self.sqlite(&handle)?
            .ask(rusqlite::Connection::last_insert_rowid)
            .await
    }

    async fn changes(&mut self, handle: Resource<Connection>) -> wasmtime::Result<u64> {
        self.sqlite(&handle)?
            .ask(rusqlite::Connection::changes)
            .await
    }

    async fn drop(&mut self, handle: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostConnectionWithStore<T> for GuestData {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        accessor.with(|mut access| opened(access.get(), &database))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<
        Result<
            (
                Vec<String>,
                StreamReader<RowResult>,
                FutureReader<Result<(), Error>>,
            ),
            Error,
        >,
    > {
        let connection = accessor.with(|mut access| {
            let guest = access.get();
            guest.count_sql();
            guest.sqlite(&handle)
        })?;
        let (columns, streamed) = match connection.query(statement, parameters).await {
            Ok(started) => started,
            Err(error) => return Ok(Err(error)),
        };
        let (rows, result) = streamed.into_readers(accessor)?;
        Ok(Ok((columns, rows, result)))
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let connection = accessor.with(|mut access| access.get().sqlite(&handle))?;
        connection
            .ask(rusqlite::Connection::last_insert_rowid)
            .await
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        let connection = accessor.with(|mut access| access.get().sqlite(&handle))?;
        connection.ask(rusqlite::Connection::changes).await
    }
}
