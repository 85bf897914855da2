//! The access log and the messages about components, one line each on stderr.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::WasiBody;

/// One request under way, and what it has cost so far.
#[derive(Debug)]
pub struct RequestRecord {
    /// Id in the log and in `x-request-id`.
    pub id: String,
    /// When it came in.
    pub started: Instant,
    /// SQL statements issued for it.
    pub sql: AtomicU64,
    /// Key-value operations issued for it.
    pub key_value: AtomicU64,
    /// Cancelled when its client goes before an answer has begun.
    pub gone: CancellationToken,
    /// Whether it has begun to change the database.
    pub changes: AtomicBool,
}

/// What the log says about a request besides its costs.
#[derive(Debug)]
pub struct LogLine {
    /// HTTP method.
    pub method: String,
    /// Path without its query, which may hold what a log must not.
    pub path: String,
    /// Answering component, `-` when no route matched.
    pub component: String,
    /// Status of the answer.
    pub status: u16,
}

impl RequestRecord {
    /// A request that begins now.
    pub fn new(id: String) -> Arc<Self> {
        Arc::new(Self {
            id,
            started: Instant::now(),
            sql: AtomicU64::new(0),
            key_value: AtomicU64::new(0),
            gone: CancellationToken::new(),
            changes: AtomicBool::new(false),
        })
    }

    fn write(&self, line: &LogLine, bytes: u64) {
        let duration_ms = self.started.elapsed().as_secs_f64() * 1000.0;
        eprintln!(
            "request_id={} method={} path={} status={} duration_ms={duration_ms:.1} bytes={bytes} component={} sql={} kv={}",
            self.id,
            line.method,
            line.path,
            line.status,
            line.component,
            self.sql.load(Relaxed),
            self.key_value.load(Relaxed),
        );
    }
}

/// A response body that writes the access log's line when it ends, however it ends.
pub struct LoggedBody {
    inner: WasiBody,
    record: Arc<RequestRecord>,
    line: Option<LogLine>,
    bytes: u64,
    _place: Option<OwnedSemaphorePermit>,
}

impl LoggedBody {
    /// Wraps `inner`; without a `line` nothing is written.
    pub fn new(inner: WasiBody, record: Arc<RequestRecord>, line: Option<LogLine>) -> Self {
        Self {
            inner,
            record,
            line,
            bytes: 0,
            _place: None,
        }
    }

    /// Keeps the request's place among those under way until the body has ended.
    pub fn holding(mut self, place: Option<OwnedSemaphorePermit>) -> Self {
        self._place = place;
        self
    }
}

impl Body for LoggedBody {
    type Data = Bytes;
    type Error = wasmtime_wasi_http::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for LoggedBody {
    fn drop(&mut self) {
        if let Some(line) = &self.line {
            self.record.write(line, self.bytes);
        }
    }
}
