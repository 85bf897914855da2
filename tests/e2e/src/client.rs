//! A shopper's or an administrator's HTTP client: one keep-alive connection, one brand.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::events::Events;

pub(crate) type Body = BoxBody<Bytes, Infallible>;

/// A connection to the edge under one host name. Requests on it go one after the other.
pub struct Client {
    address: SocketAddr,
    host: String,
    headers: HeaderMap,
    connection: Mutex<Option<SendRequest<Body>>>,
}

impl Client {
    pub fn new(address: SocketAddr, host: &str) -> Self {
        let host = format!("{host}:{}", address.port());
        Self {
            address,
            host,
            headers: HeaderMap::new(),
            connection: Mutex::new(None),
        }
    }

    /// A client that asks for this host and port, wherever they lead.
    pub fn with_authority(address: SocketAddr, authority: &str) -> Self {
        Self {
            host: authority.into(),
            ..Self::new(address, "")
        }
    }

    /// Sends `name: value` with every request.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(
            name,
            HeaderValue::from_str(value).expect("a valid header value"),
        );
        self
    }

    /// The origin under which the brand answers.
    pub fn origin(&self) -> String {
        format!("http://{}", self.host)
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub fn put(&self, path: &str) -> Call<'_> {
        self.call(Method::PUT, path)
    }

    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host);
        let mut request = request
            .body(Full::default().boxed())
            .expect("a valid request");
        request.headers_mut().extend(self.headers.clone());
        Call {
            client: self,
            request,
        }
    }

    async fn send(&self, request: Request<Body>) -> Result<Answer> {
        let mut connection = self.connection.lock().await;
        let usable = connection
            .as_ref()
            .is_some_and(|sender| !sender.is_closed());
        if !usable {
            *connection = Some(self.connect().await?);
        }
        let sender = connection.as_mut().context("no connection")?;
        sender.ready().await?;
        let method = request.method().clone();
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body,
        }
        .with_known_length(&method)
    }

    async fn connect(&self) -> Result<SendRequest<Body>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // A connection that the server ends shows in the request that was on it.
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// A request under construction.
pub struct Call<'a> {
    client: &'a Client,
    request: Request<Body>,
}

impl Call<'_> {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().insert(
            name,
            HeaderValue::from_str(value).expect("a valid header value"),
        );
        self
    }

    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn json(self, body: &Value) -> Self {
        self.text("application/json", body.to_string())
    }

    pub fn csv(self, body: impl Into<Bytes>) -> Self {
        self.text("text/csv", body)
    }

    pub fn text(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Full::new(body.into()).boxed();
        self.header("content-type", content_type)
    }

    /// A body that is made while it is sent, of unknown length.
    pub fn stream(
        mut self,
        content_type: &'static str,
        chunks: impl Iterator<Item = Bytes> + Send + Sync + Unpin + 'static,
    ) -> Self {
        *self.request.body_mut() = Chunks(chunks).boxed();
        self.header("content-type", content_type)
    }

    pub async fn send(self) -> Result<Answer> {
        let what = format!("{} {}", self.request.method(), self.request.uri());
        self.client.send(self.request).await.context(what)
    }

    /// Opens a stream of events, on a connection of its own.
    pub async fn events(self) -> Result<Events> {
        let mut sender = self.client.connect().await?;
        let response = sender.send_request(self.request).await?;
        Events::of(sender, response).await
    }

    /// Sends a body that the server may refuse before it has read it.
    pub async fn send_long(self) -> Result<Answer> {
        crate::interrupted::exchange(self.client.address, self.request).await
    }

    /// Sends, and fails with the whole answer unless it has this status.
    pub async fn expect(self, status: u16) -> Result<Answer> {
        let what = format!("{} {}", self.request.method(), self.request.uri());
        let answer = self.send().await?;
        ensure!(
            answer.status == status,
            "{what}: expected {status}, got {answer:?}"
        );
        Ok(answer)
    }
}

/// A complete response.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// A header's text; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Without a `Content-Length` a keep-alive client may wait 40 ms for the last packet.
    fn with_known_length(self, method: &Method) -> Result<Self> {
        let bodiless = *method == Method::HEAD
            || self.status == StatusCode::NOT_MODIFIED
            || self.status == StatusCode::NO_CONTENT;
        let length = self.header("content-length");
        ensure!(
            bodiless || length == self.body.len().to_string(),
            "Content-Length is {length:?}: {self:?}"
        );
        Ok(self)
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.text();
        write!(
            out,
            "{} {}",
            self.status,
            text.chars().take(2000).collect::<String>()
        )
    }
}

struct Chunks<I>(I);

impl<I: Iterator<Item = Bytes> + Unpin> http_body::Body for Chunks<I> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|chunk| Ok(http_body::Frame::data(chunk))))
    }
}
