//! `spin:postgres@4.2.0`, over one pool of connections per address.
//!
//! Like Spin, every statement is prepared anew, and a connection is wiped clean
//! before it is used again: nothing is faster here than it will be there.

#![expect(clippy::result_large_err, reason = "the error is the interface's own")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use futures::StreamExt;
use tokio_postgres::config::{Host as PgHost, SslMode};
use tokio_postgres::{NoTls, Row as PgRow};
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::pg_values::{column, guest_row, sql_values};
use super::{Guest, GuestData, Producer, Streamed, streamed};
use crate::bindings::postgres::{
    Column, DbError, Error, Host, HostConnection, HostConnectionBuilder,
    HostConnectionBuilderWithStore, HostConnectionWithStore, ParameterValue, QueryError, Row,
    RowSet,
};

/// Connections per address, as on Spin.
const MAX_CONNECTIONS: usize = 64;

/// A connection that a guest holds; back in its pool when dropped.
#[derive(Clone)]
pub struct Connection(Arc<deadpool_postgres::Object>);

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
        Ok(Connection(Arc::new(object)))
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
    async fn execute(&self, statement: &str, values: Vec<ParameterValue>) -> Result<u64, Error> {
        let values = sql_values(&values)?;
        self.0
            .execute_raw(statement, values)
            .await
            .map_err(query_failed)
    }

    /// Runs a query. Its columns are those of the first row: as on Spin there are
    /// none when there is no row.
    async fn query(&self, statement: &str, values: Vec<ParameterValue>) -> Result<Rows, Error> {
        let values = sql_values(&values)?;
        let rows = self
            .0
            .query_raw(statement, values)
            .await
            .map_err(query_failed)?;
        // Fused: asked again after its end, the stream says that the connection is closed.
        let mut rows = Box::pin(rows.fuse());
        let first = rows.next().await;
        let columns = match &first {
            Some(Ok(row)) => row.columns().iter().map(column).collect(),
            _ => Vec::new(),
        };
        let (producer, streamed) = streamed();
        let connection = self.clone();
        tokio::spawn(async move {
            let rows = futures::stream::iter(first).chain(rows);
            let result = send_rows(rows, &producer).await;
            producer.finish(result);
            drop(connection);
        });
        Ok((columns, streamed))
    }
}

async fn send_rows(
    rows: impl futures::Stream<Item = Result<PgRow, tokio_postgres::Error>>,
    producer: &Producer<Row, Error>,
) -> Result<(), Error> {
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.next().await {
        let row = guest_row(&row.map_err(query_failed)?)
            .map_err(|error| Error::QueryFailed(QueryError::Text(format!("{error:?}"))))?;
        if producer.items.send(row).await.is_err() {
            // The guest has read enough.
            return Ok(());
        }
    }
    Ok(())
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

    /// The connection behind a guest's handle, with the statement counted.
    fn statement_on(&self, handle: &Resource<Connection>) -> wasmtime::Result<Connection> {
        self.count_sql();
        Ok(self.table.get(handle)?.clone())
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
        let connection = self.statement_on(&handle)?;
        let (columns, mut streamed) = match connection.query(&statement, values).await {
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
        let connection = self.statement_on(&handle)?;
        Ok(connection.execute(&statement, values).await)
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
        let connection = accessor.with(|mut access| access.get().statement_on(&handle))?;
        let (columns, streamed) = match connection.query(&statement, values).await {
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
        let connection = accessor.with(|mut access| access.get().statement_on(&handle))?;
        Ok(connection.execute(&statement, values).await)
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
