//! Somebody else's server that an app sends to: on a port of its own, until the test ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

pub type Reply = Response<BoxBody<Bytes, Infallible>>;

/// Answers every request by `answer`; `None` hangs up without an answer.
pub async fn serve(
    answer: impl Fn(&Parts, &[u8]) -> Option<Reply> + Send + Sync + 'static,
) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = service_fn(async |request: Request<Incoming>| {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await?.to_bytes();
                    answer(&head, &body).context("hangs up")
                });
                // A client that goes away ends its own connection.
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Ok(address)
}

pub fn json(status: u16, body: &Value) -> Reply {
    let body = Full::new(Bytes::from(body.to_string()));
    reply(status, BodyExt::boxed(body))
}

pub fn empty(status: u16) -> Reply {
    reply(status, BoxBody::default())
}

/// An answer that never ends.
pub fn endless(status: u16) -> Reply {
    const PIECE: Bytes = Bytes::from_static(&[b' '; 4_096]);
    let pieces = futures::stream::repeat_with(|| Ok(Frame::data(PIECE)));
    reply(status, BodyExt::boxed(StreamBody::new(pieces)))
}

fn reply(status: u16, body: BoxBody<Bytes, Infallible>) -> Reply {
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    response.body(body).expect("a valid response")
}
