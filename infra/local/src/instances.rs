//! Instances of a component: started when all others are busy, used for one request
//! after the other, dropped when idle. The queue between them is the one that Spin
//! uses too; this module says how instances are made and how long they may live.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;
use wasmtime::component::{GuestTaskId, ResourceTable};
use wasmtime::{Store, StoreContextMut, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpView};

use crate::host::http::Outbound;
use crate::host::{ComponentHost, Guest};
use crate::log::RequestRecord;

/// Requests that an instance answers before it is replaced, as on Spin.
const MAX_REQUESTS: usize = 128;
/// How long an instance waits for its next request, as on Spin.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a component may go on once its answer has begun, with the body or beyond it:
/// streams end by themselves after five minutes. On Spin there is no such bound.
const AFTER_ANSWER: Duration = Duration::from_secs(360);

/// The bounds within which an instance works.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests that an instance may have under way at a time.
    pub max_concurrent_requests: usize,
    /// Time until an answer begins.
    pub request_timeout: Duration,
    /// Memory of one instance.
    pub max_memory_bytes: usize,
    /// Instances that are alive, for a shutdown to wait for.
    pub alive: TaskTracker,
    /// Cancelled when the edge shuts down.
    pub closing: CancellationToken,
}

/// Makes the instances of one component.
pub struct Factory {
    /// The component, compiled and linked.
    pub pre: ServicePre<Guest>,
    /// What it may use.
    pub host: Arc<ComponentHost>,
    /// Its bounds.
    pub limits: Limits,
}

impl HandlerState for Factory {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiration, Worker>> {
        let mut store = Store::new(self.pre.engine(), self.new_guest());
        store.limiter(|guest| &mut guest.limits);
        // Each tick of the engine's clock hands the thread back, so that a guest that
        // never waits cannot keep the deadline from being looked at.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(
                1,
                Box::pin(tokio::task::yield_now()),
            ))
        });
        let service = self.pre.instantiate_async(&mut store).await?;
        self.host.counters.instances.fetch_add(1, Relaxed);
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: Guest::http,
            expiration: Expiration::new(&self.limits),
            state: Worker {
                host: self.host.clone(),
                limits: self.limits.clone(),
            },
        })
    }
}

impl Factory {
    fn new_guest(&self) -> Guest {
        let request = RequestRecord::new(String::new());
        let limits = StoreLimitsBuilder::new()
            .memory_size(self.limits.max_memory_bytes)
            .trap_on_grow_failure(true)
            .build();
        Guest {
            component: self.host.clone(),
            request: request.clone(),
            exclusive: self.limits.max_concurrent_requests == 1,
            table: ResourceTable::new(),
            limits,
            // What a component prints belongs with the log; stdout is the program's own.
            wasi: WasiCtx::builder()
                .stdout(tokio::io::stderr())
                .inherit_stderr()
                .build(),
            http: WasiHttpCtx::new(),
            outbound: Outbound {
                component: self.host.clone(),
                request,
            },
            _alive: self.limits.alive.token(),
        }
    }
}

/// One instance, as its queue sees it.
pub struct Worker {
    host: Arc<ComponentHost>,
    limits: Limits,
}

impl WorkerState for Worker {
    type StoreData = Guest;
    type RequestData = Arc<RequestRecord>;

    fn should_accept_request(&self, under_way: usize, total: usize) -> ShouldAccept {
        if total >= MAX_REQUESTS {
            ShouldAccept::Never
        } else if under_way >= self.limits.max_concurrent_requests {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, Guest>,
        request: Arc<RequestRecord>,
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        let guest = store.data_mut();
        guest.outbound.request = request.clone();
        guest.request = request;
        Box::pin(tokio::time::sleep(self.limits.request_timeout))
    }

    fn drop(&self, store: Store<Guest>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            self.host.counters.traps.fetch_add(1, Relaxed);
            eprintln!(
                "component={} request_id={} the instance failed: {error:?}",
                self.host.id,
                store.data().request.id
            );
        }
    }
}

/// When an instance ends: after idling, or when it overruns its deadline.
pub struct Expiration {
    request_timeout: Duration,
    timer: Pin<Box<Sleep>>,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Expiration {
    fn new(limits: &Limits) -> Self {
        Self {
            request_timeout: limits.request_timeout,
            timer: Box::pin(tokio::time::sleep(IDLE_TIMEOUT)),
            closing: Box::pin(limits.closing.clone().cancelled_owned()),
        }
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        let allowed = match status {
            WorkerStatus::Idle if self.closing.as_mut().poll(cx).is_ready() => {
                return Poll::Ready(());
            }
            WorkerStatus::Idle => IDLE_TIMEOUT,
            WorkerStatus::Requests => self.request_timeout,
            WorkerStatus::PostReturn => AFTER_ANSWER,
        };
        let deadline = tokio::time::Instant::from_std(since) + allowed;
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        self.timer.as_mut().poll(cx)
    }
}
