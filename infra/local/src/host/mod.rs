//! What a guest may use, and the state behind one instance of it.

pub mod http;
pub mod kv;
pub mod pg_values;
pub mod postgres;
pub mod sqlite;
pub mod variables;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use tokio::sync::{mpsc, oneshot};
use tokio_util::task::task_tracker::TaskTrackerToken;
use wasmtime::component::{
    Accessor, Destination, FutureReader, HasData, Linker, ResourceTable, StreamProducer,
    StreamReader, StreamResult,
};
use wasmtime::{StoreContextMut, StoreLimits};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::allowed_hosts::AllowedHosts;
use crate::app::App;
use crate::bindings;
use crate::log::RequestRecord;
use crate::stats::Counters;

/// Rows or keys that a producer may be ahead of the guest, as on Spin.
const STREAM_BUFFER: usize = 4;

/// What one component of the app may use; shared by its instances.
pub struct ComponentHost {
    /// Id in the manifest.
    pub id: String,
    /// The component's variables, filled in.
    pub variables: BTreeMap<String, String>,
    /// Stores that it may open, by label.
    pub key_value: BTreeMap<String, kv::KeyValueStore>,
    /// Databases that it may open, by label.
    pub sqlite: BTreeMap<String, sqlite::Database>,
    /// Pools of PostgreSQL connections, shared by the app.
    pub postgres: Arc<postgres::Pools>,
    /// Where it may connect to.
    pub allowed_hosts: AllowedHosts,
    /// What it did.
    pub counters: Counters,
    /// The app, for calls to other components.
    pub app: Weak<App>,
}

/// The state of one instance.
pub struct Guest {
    /// What the component may use.
    pub component: Arc<ComponentHost>,
    /// The request accepted last: with one request per instance at a time, the one
    /// that every call is made for.
    pub request: Arc<RequestRecord>,
    /// Whether it has one request at a time.
    pub exclusive: bool,
    /// Resources held by the guest.
    pub table: ResourceTable,
    /// Bounds on the instance's memory.
    pub limits: StoreLimits,
    /// Standard WASI.
    pub wasi: WasiCtx,
    /// `wasi:http`.
    pub http: WasiHttpCtx,
    /// Outgoing requests.
    pub outbound: http::Outbound,
    /// Held while the instance lives, so that a shutdown can wait for it.
    pub _alive: TaskTrackerToken,
}

/// How a statement begins that says that it is heavy: a comment with its kind,
/// `/* heavy: search */`. A heavy statement reads, waits for a place, and ends with its client.
const HEAVY: &str = "/* heavy: ";

/// The kind of a statement that says that it is heavy.
pub fn heavy_kind(statement: &str) -> Option<&str> {
    let (kind, _) = statement.strip_prefix(HEAVY)?.split_once(" */")?;
    Some(kind)
}

/// Whom a statement is for.
#[derive(Clone)]
pub struct Caller {
    /// The component that issued it.
    pub component: Arc<ComponentHost>,
    /// The request that waits for it, where there is just one that can.
    pub request: Option<Arc<RequestRecord>>,
}

impl Caller {
    /// Notes that the request changes something: it goes on then, whoever has gone.
    pub fn changes(&self) {
        if let Some(request) = &self.request {
            request.changes.store(true, Relaxed);
        }
    }

    /// Whether the request's client has gone, and nothing was changed for it.
    pub fn has_gone(&self) -> bool {
        self.request
            .as_ref()
            .is_some_and(|request| request.gone.is_cancelled() && !request.changes.load(Relaxed))
    }

    /// Returns once the request's client has gone.
    pub async fn gone(&self) {
        match &self.request {
            Some(request) => request.gone.cancelled().await,
            None => std::future::pending().await,
        }
    }
}

impl Guest {
    fn caller(&self) -> Caller {
        Caller {
            component: self.component.clone(),
            request: self.exclusive.then(|| self.request.clone()),
        }
    }

    fn count_sql(&self) {
        self.component.counters.sql.fetch_add(1, Relaxed);
        self.request.sql.fetch_add(1, Relaxed);
    }

    fn count_key_value(&self) {
        self.component.counters.key_value.fetch_add(1, Relaxed);
        self.request.key_value.fetch_add(1, Relaxed);
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outbound,
        }
    }
}

/// Names [`Guest`] to the generated bindings.
pub struct GuestData;

impl HasData for GuestData {
    type Data<'a> = &'a mut Guest;
}

/// A linker with everything that a component can import.
///
/// # Errors
/// None in practice: the interfaces do not overlap.
pub fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    bindings::key_value::add_to_linker::<_, GuestData>(&mut linker, |guest| guest)?;
    bindings::sqlite::add_to_linker::<_, GuestData>(&mut linker, |guest| guest)?;
    bindings::postgres::add_to_linker::<_, GuestData>(&mut linker, |guest| guest)?;
    bindings::variables::add_to_linker::<_, GuestData>(&mut linker, |guest| guest)?;
    Ok(linker)
}

/// A stream on its way to a guest, and the result that follows it.
pub struct Streamed<Item, Error> {
    items: mpsc::Receiver<Item>,
    result: oneshot::Receiver<Result<(), Error>>,
}

/// A guest's ends of a [`Streamed`].
pub type Readers<Item, Error> = (StreamReader<Item>, FutureReader<Result<(), Error>>);

/// The producing side of a [`Streamed`].
pub struct Producer<Item, Error> {
    items: mpsc::Sender<Item>,
    result: oneshot::Sender<Result<(), Error>>,
}

/// A new stream with its producer.
pub fn streamed<Item, Error>() -> (Producer<Item, Error>, Streamed<Item, Error>) {
    let (items_in, items) = mpsc::channel(STREAM_BUFFER);
    let (result_in, result) = oneshot::channel();
    (
        Producer {
            items: items_in,
            result: result_in,
        },
        Streamed { items, result },
    )
}

impl<Item, Error> Producer<Item, Error> {
    /// Hands `result` to the guest, after the items.
    pub fn finish(self, result: Result<(), Error>) {
        // Nobody listens any more when the guest has dropped its end: not an error.
        let _ = self.result.send(result);
    }
}

impl<Item, Error> Streamed<Item, Error>
where
    Item: wasmtime::component::Lower + wasmtime::component::Lift + Send + Sync + 'static,
    Error: wasmtime::component::Lower + wasmtime::component::Lift + Send + Sync + 'static,
{
    /// Hands the stream and its result to the guest.
    ///
    /// # Errors
    /// The instance has no room for more streams.
    pub fn into_readers<T: Send + 'static>(
        self,
        accessor: &Accessor<T, GuestData>,
    ) -> wasmtime::Result<Readers<Item, Error>> {
        accessor.with(|mut access| {
            let items = StreamReader::new(&mut access, Items(self.items))?;
            let result = FutureReader::new(&mut access, self.result)?;
            Ok((items, result))
        })
    }
}

struct Items<Item>(mpsc::Receiver<Item>);

impl<D, Item: Send + Sync + wasmtime::component::Lower + 'static> StreamProducer<D>
    for Items<Item>
{
    type Item = Item;
    type Buffer = Option<Item>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Item, Option<Item>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if destination.remaining(store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match self.0.poll_recv(cx) {
            Poll::Ready(Some(item)) => {
                destination.set_buffer(Some(item));
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(None) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_in_front_says_that_a_statement_is_heavy() {
        assert_eq!(heavy_kind("/* heavy: search */ SELECT 1"), Some("search"));
        for light in ["SELECT 1", "SELECT 1 /* heavy: search */", "/* heavy: x"] {
            assert_eq!(heavy_kind(light), None, "{light}");
        }
    }
}
