//! The generator's HTTP client: keep-alive connections, as many as requests are under way.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

type Connection = SendRequest<Full<Bytes>>;

/// Where a brand answers.
pub struct Http {
    address: SocketAddr,
    host: String,
    idle: Mutex<Vec<Connection>>,
}

/// A request under construction.
pub struct Call {
    method: Method,
    path: String,
    body: Bytes,
    bearer: Option<String>,
    key: Option<String>,
}

/// A complete answer.
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

impl Http {
    pub fn new(address: SocketAddr, host: &str) -> Self {
        let host = format!("{host}:{}", address.port());
        Self {
            address,
            host,
            idle: Mutex::default(),
        }
    }

    /// Sends on an idle connection, or on a new one where all are busy.
    ///
    /// # Errors
    /// No answer, or none in time.
    pub async fn send(&self, call: Call) -> Result<Answer> {
        match tokio::time::timeout(PATIENCE, self.exchange(call)).await {
            Ok(answer) => answer,
            Err(_) => anyhow::bail!("no answer in {PATIENCE:?}"),
        }
    }

    async fn exchange(&self, call: Call) -> Result<Answer> {
        let mut connection = self.connection().await?;
        let response = connection.send_request(call.request(&self.host)?).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        self.idle().push(connection);
        Ok(Answer { status, body })
    }

    async fn connection(&self) -> Result<Connection> {
        while let Some(mut connection) = self.next_idle() {
            if connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
        let stream = TcpStream::connect(self.address)
            .await
            .context("cannot connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    fn next_idle(&self) -> Option<Connection> {
        self.idle().pop()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, Bytes::new())
    }

    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        Self::new(Method::POST, path, body.to_string().into())
    }

    pub fn put(path: impl Into<String>, body: &Value) -> Self {
        Self::new(Method::PUT, path, body.to_string().into())
    }

    fn new(method: Method, path: impl Into<String>, body: Bytes) -> Self {
        Self {
            method,
            path: path.into(),
            body,
            bearer: None,
            key: None,
        }
    }

    pub fn bearer(self, token: &str) -> Self {
        Self {
            bearer: Some(format!("Bearer {token}")),
            ..self
        }
    }

    /// With a key of its own, so that it could be repeated.
    pub fn keyed(self) -> Self {
        Self {
            key: Some(uuid::Uuid::new_v4().to_string()),
            ..self
        }
    }

    fn request(self, host: &str) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header(HOST, host);
        if !self.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(bearer) = self.bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        if let Some(key) = self.key {
            request = request.header("idempotency-key", key);
        }
        Ok(request.body(Full::new(self.body))?)
    }
}

impl Answer {
    pub fn json(&self) -> Result<Value> {
        let text = || format!("{} {}", self.status, String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).with_context(text)
    }

    /// # Errors
    /// It is no success.
    pub fn expect_ok(&self) -> Result<()> {
        let text = String::from_utf8_lossy(&self.body);
        anyhow::ensure!(
            (200..300).contains(&self.status),
            "got {} {text:.500}",
            self.status
        );
        Ok(())
    }

    /// The document, if the answer has this status.
    pub fn expect(&self, status: u16) -> Result<Value> {
        let text = String::from_utf8_lossy(&self.body);
        anyhow::ensure!(
            self.status == status,
            "expected {status}, got {} {text:.500}",
            self.status
        );
        if self.body.is_empty() {
            Ok(Value::Null)
        } else {
            self.json()
        }
    }
}
