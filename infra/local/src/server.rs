//! The listening side: HTTP/1.1 with keep-alive, drained on shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::Error;

use crate::app::App;

/// How long a client may take over a request's head, or keep a connection idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Pause after a failed `accept`, which fails again at once while files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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
            Ok((stream, client)) => serve_connection(stream, client, app.clone(), &graceful),
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
) {
    if let Err(error) = stream.set_nodelay(true) {
        eprintln!("warning: cannot set TCP_NODELAY: {error}");
    }
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let app = app.clone();
        async move {
            let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
            Ok::<_, std::convert::Infallible>(app.serve(request, client).await)
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
