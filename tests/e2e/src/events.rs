//! A stream of server-sent events, as a client sees it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use serde_json::Value;

use crate::client::Body;

/// A bound on patience, not on time: a stream that says nothing for so long never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open stream. It is closed when it is dropped.
pub struct Events {
    body: Incoming,
    read: String,
    _connection: SendRequest<Body>,
}

/// An event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: Value,
}

impl Events {
    pub(crate) async fn of(
        connection: SendRequest<Body>,
        response: Response<Incoming>,
    ) -> Result<Self> {
        let status = response.status();
        let header = |name: &str| {
            let value = response.headers().get(name);
            value
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let (kind, length) = (header("content-type"), header("content-length"));
        let (_, body) = response.into_parts();
        if status != 200 {
            let said = body.collect().await?.to_bytes();
            anyhow::bail!("no stream: {status} {}", String::from_utf8_lossy(&said));
        }
        ensure!(kind.as_deref() == Some("text/event-stream"), "{kind:?}");
        ensure!(length.is_none(), "a stream has no length, not {length:?}");
        Ok(Self {
            body,
            read: String::new(),
            _connection: connection,
        })
    }

    /// The next event; `None` when the server has ended the stream as it should.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        tokio::time::timeout(PATIENCE, self.read_next())
            .await
            .context("the stream says nothing")?
    }

    /// The next event, which there must be.
    pub async fn must_say(&mut self) -> Result<Event> {
        self.next().await?.context("the stream has ended")
    }

    async fn read_next(&mut self) -> Result<Option<Event>> {
        loop {
            while let Some((block, rest)) = self.read.split_once("\n\n") {
                let event = Event::parse(block)?;
                self.read = rest.to_owned();
                if event.is_some() {
                    return Ok(event);
                }
            }
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            if let Ok(data) = frame?.into_data() {
                self.read.push_str(std::str::from_utf8(&data)?);
            }
        }
    }
}

impl Event {
    /// `None` for a comment.
    fn parse(block: &str) -> Result<Option<Self>> {
        let field = |name: &str| {
            let mut lines = block.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let Some(data) = field("data") else {
            ensure!(block.starts_with(':'), "neither event nor comment: {block}");
            return Ok(None);
        };
        Ok(Some(Self {
            name: field("event").context("an event without a name")?.into(),
            id: field("id").context("an event without an id")?.into(),
            data: serde_json::from_str(data)?,
        }))
    }
}
