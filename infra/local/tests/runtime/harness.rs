//! An edge that runs the probe, and a client for it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use aisle_edge::{Edge, EdgeOptions, build_components};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// Looks at a state that something else brings about, before a test gives up.
const MAX_LOOKS: usize = 2_000;

pub struct Probe {
    pub edge: Edge,
    pub state: TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

pub fn manifest() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/probe/spin.toml")
}

/// Options for the probe on a state folder, after building it.
pub fn options(state: &TempDir) -> EdgeOptions {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        build_components(&manifest(), |step| eprintln!("{step}")).expect("the probe builds");
    });
    let mut options = EdgeOptions::new(manifest());
    options.state_dir = state.path().to_owned();
    options.variables.insert("token".into(), "s3cret".into());
    options
}

impl Probe {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut EdgeOptions)) -> Self {
        let state = TempDir::new().expect("a temporary folder");
        let mut options = options(&state);
        change(&mut options);
        let edge = Edge::start(options).await.expect("the edge starts");
        Self { edge, state }
    }

    /// With a deadline that a test can wait for.
    pub async fn with_short_deadline() -> Self {
        Self::start_with(|options| options.request_timeout = Duration::from_millis(300)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        get(self.edge.addr(), path).await
    }

    /// The body of a 200.
    pub async fn ask(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.body
    }

    /// Asks until the answer is `wanted`.
    pub async fn ask_until(&self, path: &str, wanted: &str) {
        for _ in 0..MAX_LOOKS {
            if self.ask(path).await == wanted {
                return;
            }
        }
        panic!("{path} never answered {wanted:?}");
    }
}

pub async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the edge listens");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("a connection");
    tokio::spawn(connection);
    sender
}

pub fn request(address: SocketAddr, path: &str) -> http::request::Builder {
    Request::builder().uri(path).header("host", address.to_string())
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, request(address, path).body(Full::default()).expect("a request")).await
}

pub async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let mut connection = connect(address).await;
    let response = connection.send_request(request).await.expect("an answer");
    read(response).await.expect("a whole answer")
}

pub async fn read(response: http::Response<Incoming>) -> Result<Answer, hyper::Error> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
