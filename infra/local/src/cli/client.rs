//! HTTP requests to an edge, as any client would send them.

use std::path::PathBuf;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::BodyExt;
use serde_json::Value;
use wasmtime_wasi_http::{WasiBody, default_send_request};

use super::keys;

/// Which edge is meant.
#[derive(Debug, clap::Args)]
pub struct Target {
    /// The edge to send to, here or on Spin.
    #[arg(long, default_value = "http://127.0.0.1:3000")]
    url: String,
    /// An admin key; by default that of the state folder.
    #[arg(long)]
    key: Option<String>,
    /// Folder in which `cargo up` keeps its state.
    #[arg(long, default_value = ".aisle")]
    state: PathBuf,
}

impl Target {
    /// # Errors
    /// No key is given, and the state folder has none.
    pub fn client(&self) -> anyhow::Result<Client> {
        let key = match &self.key {
            Some(key) => key.clone(),
            None => keys::admin(&self.state)?,
        };
        Ok(Client {
            url: self.url.trim_end_matches('/').to_owned(),
            key,
        })
    }
}

/// An edge and the admin key for it.
pub struct Client {
    /// Root URL without a slash at its end.
    pub url: String,
    /// Admin key.
    pub key: String,
}

/// A request's body with its type and length.
pub struct Payload {
    /// MIME type.
    pub content_type: &'static str,
    /// Length in bytes.
    pub length: u64,
    /// The bytes.
    pub body: WasiBody,
}

impl Client {
    /// Sends `payload` and returns the JSON of the answer.
    ///
    /// # Errors
    /// Nobody answers there, or the answer is no success: its title and detail.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        payload: Payload,
    ) -> anyhow::Result<Value> {
        let uri: Uri = format!("{}{path}", self.url)
            .parse()
            .context("the URL is not valid")?;
        let host = uri.authority().context("the URL has no host")?.to_string();
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(http::header::HOST, host)
            .header(AUTHORIZATION, format!("Bearer {}", self.key))
            .header(CONTENT_TYPE, payload.content_type)
            .header(CONTENT_LENGTH, payload.length)
            .body(payload.body)?;
        let (response, connection) = default_send_request(request, None)
            .await
            .map_err(|error| anyhow::anyhow!("no answer from {}: {error:?}", self.url))?;
        let connection = tokio::spawn(connection);
        let status = response.status();
        let body = response.into_body().collect().await;
        connection.abort();
        let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error:?}"))?;
        read(status, &body.to_bytes())
    }
}

fn read(status: StatusCode, body: &Bytes) -> anyhow::Result<Value> {
    let document = serde_json::from_slice::<Value>(body).unwrap_or_default();
    if status.is_success() {
        return Ok(document);
    }
    let field = |name: &str| {
        document
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    bail!("{status}: {} {}", field("title"), field("detail"))
}
