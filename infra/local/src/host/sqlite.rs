//! `spin:sqlite@3.1.0`: one real connection for each that a guest opens.
//!
//! A connection is closed when the guest drops it, or is stopped; SQLite then rolls
//! back what was not committed. Statements run on threads of their own, so many at a time
//! ([`workers`]). One that nobody waits for any more, or that takes too long, is
//! interrupted; on Spin it goes on.

mod connection;
mod workers;

pub use connection::{Connection, Database};
pub use workers::Workers;

use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::{Guest, GuestData};
use crate::bindings::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};

fn opened(
    guest: &mut Guest,
    database: &str,
) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
    let Some(database) = guest.component.sqlite.get(database).cloned() else {
        return Ok(Err(Error::AccessDenied));
    };
    Ok(Ok(guest.table.push(Connection::new(database))?))
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
        let started = connection.query(statement, parameters, self.caller());
        let (columns, mut streamed) = started.await;
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
        let (connection, caller) = accessor.with(|mut access| {
            let guest = access.get();
            guest.count_sql();
            wasmtime::error::Ok((guest.sqlite(&handle)?, guest.caller()))
        })?;
        let (columns, streamed) = connection.query(statement, parameters, caller).await;
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
