//! The listening side: HTTP/1.1 with keep-alive, drained on shutdown.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wasmtime_wasi_http::Error;

use crate::app::App;
use crate::log::LoggedBody;

/// How long a client may take over a request's head, or keep a connection idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Pause after a failed `accept`, which fails again at once while files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// An answer of this type ends when it likes, and its client comes back (server-sent events).
const EVENTS: &str = "text/event-stream";

/// Serves `app` until `closing`, then lets requests under way finish, for at most `drain`.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    closing: CancellationToken,
    drain: Duration,
) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closing.cancelled() => break,
        };
        match accepted {
            Ok((stream, client)) => {
                serve_connection(stream, client, app.clone(), &graceful, &closing);
            }
            Err(error) => {
                eprintln!("warning: cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    drop(app);
    if tokio::time::timeout(drain, graceful.shutdown())
        .await
        .is_err()
    {
        eprintln!("warning: some requests did not finish within {drain:?} and were cut off");
    }
}

fn serve_connection(
    stream: TcpStream,
    client: SocketAddr,
    app: Arc<App>,
    graceful: &GracefulShutdown,
    closing: &CancellationToken,
) {
    let closing = closing.clone();
    if let Err(error) = stream.set_nodelay(true) {
        eprintln!("warning: cannot set TCP_NODELAY: {error}");
    }
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (app, closing) = (app.clone(), closing.clone());
        async move {
            let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
            let response = app.serve(request, client).await;
            Ok::<_, std::convert::Infallible>(ServedBody::of(response, closing))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // A client that goes away, or sends no HTTP, is no event for the log; what a
        // component did wrong has been logged with its request.
        let _ = connection.await;
    });
}

/// A response body that, where it is a stream of events, ends with the edge.
struct ServedBody {
    inner: LoggedBody,
    closing: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl ServedBody {
    fn of(response: Response<LoggedBody>, closing: CancellationToken) -> Response<Self> {
        let events = response.headers().get(CONTENT_TYPE);
        let events = events.is_some_and(|kind| kind.as_bytes().starts_with(EVENTS.as_bytes()));
        response.map(|inner| Self {
            inner,
            closing: events.then(|| Box::pin(closing.cancelled_owned())),
        })
    }
}

impl Body for ServedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(closing) = &mut self.closing
            && closing.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
