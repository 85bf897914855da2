//! Sending more than the other side wants to have.
//!
//! A server that refuses a long body answers at once and hangs up. An ordinary client that
//! is still writing then sees its connection break, often before it has seen the answer.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Answer;

/// Writes and reads at the same time on a connection of its own: what breaks is the
/// writing only.
pub(crate) async fn exchange(
    address: SocketAddr,
    request: Request<BoxBody<Bytes, Infallible>>,
) -> Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let (mut reading, writing) = stream.split();
    let mut received = Vec::new();
    let (_, read) = tokio::join!(write(writing, request), reading.read_to_end(&mut received));
    parse(&received).with_context(|| {
        format!(
            "no complete answer ({read:?}): {}",
            String::from_utf8_lossy(&received)
        )
    })
}

async fn write(
    mut out: impl AsyncWrite + Unpin,
    request: Request<BoxBody<Bytes, Infallible>>,
) -> Result<()> {
    let (parts, mut body) = request.into_parts();
    let length = body.size_hint().exact();
    let mut head = format!(
        "{} {} HTTP/1.1\r\nconnection: close\r\n",
        parts.method, parts.uri
    );
    for (name, value) in &parts.headers {
        head += &format!("{name}: {}\r\n", value.to_str()?);
    }
    head += &match length {
        Some(length) => format!("content-length: {length}\r\n\r\n"),
        None => "transfer-encoding: chunked\r\n\r\n".to_owned(),
    };
    out.write_all(head.as_bytes()).await?;
    while let Some(frame) = body.frame().await {
        let data = frame?.into_data().unwrap_or_default();
        if length.is_none() {
            out.write_all(format!("{:x}\r\n", data.len()).as_bytes())
                .await?;
        }
        out.write_all(&data).await?;
        if length.is_none() {
            out.write_all(b"\r\n").await?;
        }
    }
    if length.is_none() {
        out.write_all(b"0\r\n\r\n").await?;
    }
    Ok(())
}

/// An answer with a `Content-Length`, if all of it is there.
fn parse(received: &[u8]) -> Option<Answer> {
    let end = received
        .windows(4)
        .position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(received.get(..end)?).ok()?;
    let mut lines = head.split("\r\n");
    let status: StatusCode = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((
            name.parse::<HeaderName>().ok()?,
            value.trim().parse::<HeaderValue>().ok()?,
        ))
    };
    let headers: HeaderMap = lines.filter_map(header).collect();
    let length: usize = headers.get("content-length")?.to_str().ok()?.parse().ok()?;
    let body = received.get(end + 4..end + 4 + length)?;
    Some(Answer {
        status,
        headers,
        body: Bytes::copy_from_slice(body),
    })
}
