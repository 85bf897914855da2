//! `spin:postgres@4.2.0`, over one pool of connections per address.
//!
//! Like Spin, every statement is prepared anew, and a connection is wiped clean
//! before it is used again: nothing is faster here than it will be there. A statement
//! that nobody waits for any more is cancelled, and its connection not used again; on Spin
//! it goes on until the database ends it.

#![expect(clippy::result_large_err, reason = "the error is the interface's own")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use futures::{FutureExt, StreamExt};
use tokio_postgres::config::{Host as PgHost, SslMode};
use tokio_postgres::{CancelToken, NoTls, Row as PgRow};
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::pg_values::{column, guest_row, sql_values};
use super::{Caller, Guest, GuestData, Producer, Streamed, heavy_kind, streamed};
use crate::bindings::postgres::{
    Column, DbError, Error, Host, HostConnection, HostConnectionBuilder,
    HostConnectionBuilderWithStore, HostConnectionWithStore, ParameterValue, QueryError, Row,
    RowSet,
};

/// Connections per address, as on Spin.
const MAX_CONNECTIONS: usize = 64;

/// A connection that a guest holds; back in its pool when dropped.
#[derive(Clone)]
pub struct Connection(Arc<Held>);

struct Held {
    /// There until it is dropped.
    object: Option<Object>,
    abandoned: AtomicBool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.abandoned.load(Relaxed)
            && let Some(object) = self.object.take()
        {
            // Out of the pool, and closed: its statement may still be on its way out.
            drop(Object::take(object));
        }
    }
}

/// A statement under way: cancelled unless it has ended when this is dropped.
struct Running {
    connection: Connection,
    caller: Caller,
    ended: bool,
}

impl Running {
    fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let token = match &self.connection.0.object {
            Some(object) if !self.ended => object.cancel_token(),
            _ => return,
        };
        self.connection.0.abandoned.store(true, Relaxed);
        let counters = &self.caller.component.counters;
        counters.sql_stopped.fetch_add(1, Relaxed);
        tokio::spawn(cancel(token));
    }
}

/// Asks the server to end a statement. A failure costs nothing but time: it has a deadline.
async fn cancel(token: CancelToken) {
    let cancelled = match crate::tls::connector() {
        Ok(tls) => token.cancel_query(tls).await.map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    if let Err(error) = cancelled {
        eprintln!("warning: a statement of PostgreSQL could not be cancelled: {error:#}");
    }
}

/// An address on its way to becoming a connection.
pub struct ConnectionBuilder(String);

/// The pools of an app, by address.
#[derive(Default)]
pub struct Pools(Mutex<HashMap<String, Pool>>);

type Rows = (Vec<Column>, Streamed<Row, Error>);

impl Pools {
    async fn connect(&self, address: &str) -> Result<Connection, Error> {
        let failed = |error: anyhow::Error| Error::ConnectionFailed(format!("{error:?}"));
        let pool = self.pool(address).map_err(failed)?;
        let object = pool.get().await.map_err(|error| failed(error.into()))?;
        Ok(Connection(Arc::new(Held {
            object: Some(object),
            abandoned: AtomicBool::new(false),
        })))
    }

    fn pool(&self, address: &str) -> anyhow::Result<Pool> {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(address) {
            return Ok(pool.clone());
        }
        let pool = new_pool(address)?;
        pools.insert(address.to_owned(), pool.clone());
        Ok(pool)
    }
}

fn new_pool(address: &str) -> anyhow::Result<Pool> {
    let config: tokio_postgres::Config = address.parse().context("the address is not valid")?;
    let clean = ManagerConfig {
        recycling_method: RecyclingMethod::Clean,
    };
    let manager = if config.get_ssl_mode() == SslMode::Disable {
        Manager::from_config(config, NoTls, clean)
    } else {
        Manager::from_config(config, crate::tls::connector()?, clean)
    };
    Ok(Pool::builder(manager).max_size(MAX_CONNECTIONS).build()?)
}

impl Connection {
    fn running(&self, caller: Caller) -> Running {
        Running {
            connection: self.clone(),
            caller,
            ended: false,
        }
    }

    fn client(&self) -> Result<&Object, Error> {
        let object = self.0.object.as_ref();
        object.ok_or_else(|| Error::ConnectionFailed("the connection is closed".to_owned()))
    }

    async fn execute(
        &self,
        statement: &str,
        values: Vec<ParameterValue>,
        caller: Caller,
    ) -> Result<u64, Error> {
        let values = sql_values(&values)?;
        let running = self.running(caller);
        let changed = self.client()?.execute_raw(statement, values).await;
        running.end();
        changed.map_err(query_failed)
    }

    /// Runs a query. Its columns are those of the first row: as on Spin there are
    /// none when there is no row.
    async fn query(
        &self,
        statement: &str,
        values: Vec<ParameterValue>,
        caller: Caller,
    ) -> Result<Rows, Error> {
        let values = sql_values(&values)?;
        let running = self.running(caller.clone());
        // Only of what says so it is known that it changes nothing.
        let ends_with_its_client = heavy_kind(statement).is_some();
        let gone = async move {
            match ends_with_its_client {
                true => caller.gone().await,
                false => std::future::pending().await,
            }
        };
        let mut gone = Box::pin(gone.fuse());
        let started = async {
            let rows = self.client()?.query_raw(statement, values).await;
            // Fused: asked again after its end, the stream says that the connection is closed.
            let mut rows = Box::pin(rows.map_err(query_failed)?.fuse());
            let first = rows.next().await;
            Ok((first, rows))
        };
        let (first, rows) = tokio::select! {
            started = started => match started {
                Ok(started) => started,
                Err(error) => {
                    running.end();
                    return Err(error);
                }
            },
            () = &mut gone => return Err(nobody_waits()),
        };
        let columns = match &first {
            Some(Ok(row)) => row.columns().iter().map(column).collect(),
            _ => Vec::new(),
        };
        let (producer, streamed) = streamed();
        tokio::spawn(async move {
            let rows = futures::stream::iter(first).chain(rows);
            let sent = tokio::select! {
                sent = send_rows(rows, &producer) => sent,
                () = producer.items.closed() => Err(Unsent::Dropped),
                () = gone => Err(Unsent::Dropped),
            };
            let result = match sent {
                Ok(()) => Ok(()),
                Err(Unsent::Failed(error)) => Err(error),
                Err(Unsent::Dropped) => {
                    drop(running);
                    return producer.finish(Err(nobody_waits()));
                }
            };
            running.end();
            producer.finish(result);
        });
        Ok((columns, streamed))
    }
}

/// Why not all rows of a query reached the guest.
enum Unsent {
    Failed(Error),
    /// Nobody reads them.
    Dropped,
}

async fn send_rows(
    rows: impl futures::Stream<Item = Result<PgRow, tokio_postgres::Error>>,
    producer: &Producer<Row, Error>,
) -> Result<(), Unsent> {
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.next().await {
        let row = row.map_err(|error| Unsent::Failed(query_failed(error)))?;
        let row = guest_row(&row).map_err(|error| {
            Unsent::Failed(Error::QueryFailed(QueryError::Text(format!("{error:?}"))))
        })?;
        producer
            .items
            .send(row)
            .await
            .map_err(|_| Unsent::Dropped)?;
    }
    Ok(())
}

fn nobody_waits() -> Error {
    Error::QueryFailed(QueryError::Text("nobody waits for it any more".to_owned()))
}

fn query_failed(error: tokio_postgres::Error) -> Error {
    let as_text = format!("{error:?}");
    Error::QueryFailed(match error.as_db_error() {
        None => QueryError::Text(as_text),
        Some(db) => QueryError::DbError(DbError {
            as_text,
            severity: db.severity().to_owned(),
            code: db.code().code().to_owned(),
            message: db.message().to_owned(),
            detail: db.detail().map(str::to_owned),
            extras: extras(db),
        }),
    })
}

fn extras(db: &tokio_postgres::error::DbError) -> Vec<(String, String)> {
    let text = |name: &str, value: Option<&str>| Some((name.to_owned(), value?.to_owned()));
    [
        text("column", db.column()),
        text("constraint", db.constraint()),
        text("routine", db.routine()),
        text("hint", db.hint()),
        text("table", db.table()),
        text("datatype", db.datatype()),
        text("schema", db.schema()),
        text("file", db.file()),
        db.line().map(|line| ("line".to_owned(), line.to_string())),
        text("where_", db.where_()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Checks an address against the component's `allowed_outbound_hosts`.
fn check_allowed(guest: &Guest, address: &str) -> Result<(), Error> {
    let config: tokio_postgres::Config = address
        .parse()
        .map_err(|error: tokio_postgres::Error| Error::ConnectionFailed(error.to_string()))?;
    let ports = config.get_ports();
    for (index, host) in config.get_hosts().iter().enumerate() {
        let PgHost::Tcp(host) = host else {
            let reason = "Unix sockets are not supported on WebAssembly";
            return Err(Error::ConnectionFailed(reason.to_owned()));
        };
        let port = ports.get(index).or(ports.first()).copied();
        if !guest.component.allowed_hosts.allows("postgres", host, port) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            return Err(Error::ConnectionFailed(format!(
                "address postgres://{host}{port} is not permitted"
            )));
        }
    }
    Ok(())
}

async fn connect<T: Send + 'static>(
    accessor: &Accessor<T, GuestData>,
    address: String,
) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
    let allowed = accessor.with(|mut access| {
        let guest = access.get();
        check_allowed(guest, &address).map(|()| guest.component.postgres.clone())
    });
    let connection = match allowed {
        Ok(pools) => pools.connect(&address).await,
        Err(error) => Err(error),
    };
    match connection {
        Ok(connection) => {
            accessor.with(|mut access| Ok(Ok(access.get().table.push(connection)?)))
        }
        Err(error) => Ok(Err(error)),
    }
}

impl Guest {
    async fn connect(
        &mut self,
        address: &str,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        if let Err(error) = check_allowed(self, address) {
            return Ok(Err(error));
        }
        match self.component.postgres.connect(address).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    /// The connection behind a guest's handle, and for whom: the statement is counted.
    fn statement_on(
        &self,
        handle: &Resource<Connection>,
    ) -> wasmtime::Result<(Connection, Caller)> {
        self.count_sql();
        Ok((self.table.get(handle)?.clone(), self.caller()))
    }
}

impl Host for Guest {}

impl HostConnection for Guest {
    async fn open(
        &mut self,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        self.connect(&address).await
    }

    async fn query(
        &mut self,
        handle: Resource<Connection>,
        statement: String,
        values: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, Error>> {
        let (connection, caller) = self.statement_on(&handle)?;
        let (columns, mut streamed) = match connection.query(&statement, values, caller).await {
            Ok(started) => started,
            Err(error) => return Ok(Err(error)),
        };
        let mut rows = Vec::new();
        while let Some(row) = streamed.items.recv().await {
            rows.push(row);
        }
        Ok(streamed.result.await?.map(|()| RowSet { columns, rows }))
    }

    async fn execute(
        &mut self,
        handle: Resource<Connection>,
        statement: String,
        values: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let (connection, caller) = self.statement_on(&handle)?;
        Ok(connection.execute(&statement, values, caller).await)
    }

    async fn drop(&mut self, handle: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostConnectionWithStore<T> for GuestData {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        connect(accessor, address).await
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        statement: String,
        values: Vec<ParameterValue>,
    ) -> wasmtime::Result<
        Result<
            (
                Vec<Column>,
                StreamReader<Row>,
                FutureReader<Result<(), Error>>,
            ),
            Error,
        >,
    > {
        let (connection, caller) =
            accessor.with(|mut access| access.get().statement_on(&handle))?;
        let (columns, streamed) = match connection.query(&statement, values, caller).await {
            Ok(started) => started,
            Err(error) => return Ok(Err(error)),
        };
        let (rows, result) = streamed.into_readers(accessor)?;
        Ok(Ok((columns, rows, result)))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        statement: String,
        values: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let (connection, caller) =
            accessor.with(|mut access| access.get().statement_on(&handle))?;
        Ok(connection.execute(&statement, values, caller).await)
    }
}

impl HostConnectionBuilder for Guest {
    async fn new(&mut self, address: String) -> wasmtime::Result<Resource<ConnectionBuilder>> {
        Ok(self.table.push(ConnectionBuilder(address))?)
    }

    async fn set_ca_root(
        &mut self,
        _builder: Resource<ConnectionBuilder>,
        _certificate: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let reason = "the local edge trusts the public certificate authorities only";
        Ok(Err(Error::Other(reason.to_owned())))
    }

    async fn build(
        &mut self,
        builder: Resource<ConnectionBuilder>,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let address = self.table.get(&builder)?.0.clone();
        self.connect(&address).await
    }

    async fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostConnectionBuilderWithStore<T> for GuestData {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let address = accessor
            .with(|mut access| wasmtime::error::Ok(access.get().table.get(&builder)?.0.clone()))?;
        connect(accessor, address).await
    }
}
