//! An edge that runs the probe, and a client for it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use aisle_edge::{ComponentStats, Edge, EdgeOptions, build_components};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;

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
    options.request_timeout = Duration::from_secs(30);
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

    /// A body that is being sent, and what comes back of it.
    pub async fn mirror(&self) -> (UnboundedSender<&'static str>, Incoming) {
        let (parts, incoming) = tokio::sync::mpsc::unbounded_channel::<&'static str>();
        let frames = futures::stream::unfold(incoming, |mut incoming| async move {
            let part = incoming.recv().await?;
            let frame = Frame::data(Bytes::from(part));
            Some((Ok::<_, std::convert::Infallible>(frame), incoming))
        });
        let stream = TcpStream::connect(self.edge.addr()).await;
        let io = TokioIo::new(stream.expect("the edge listens"));
        let (mut sender, connection) = handshake(io).await.expect("a connection");
        tokio::spawn(connection);
        let asked = request(self.edge.addr(), "/mirror").method("POST");
        let asked = asked.body(StreamBody::new(Box::pin(frames)));
        let asked = sender.send_request(asked.expect("a request"));
        (parts, asked.await.expect("an answer").into_body())
    }

    /// The value of a key, once somebody has set it.
    pub async fn wait_for_key(&self, key: &str) -> String {
        let path = format!("/kv/get?key={key}");
        for _ in 0..MAX_LOOKS {
            let value = self.ask(&path).await;
            if value != "none" {
                return value;
            }
        }
        panic!("nobody set {key}");
    }

    /// Returns once `count` instances of the probe have failed.
    pub async fn wait_for_traps(&self, count: u64) {
        self.until("traps", count, |probe| probe.traps).await;
    }

    /// Returns once a count of the probe's has come to `wanted`.
    pub async fn until(&self, name: &str, wanted: u64, count: impl Fn(ComponentStats) -> u64) {
        for _ in 0..MAX_LOOKS {
            if count(self.edge.stats().component("probe")) >= wanted {
                return;
            }
            // A round trip to another component, to let time pass.
            self.ask("/locked/hello").await;
        }
        panic!("{name} never came to {wanted}");
    }
}

/// A server that answers when it is told to: what a component waits for.
pub struct SlowServer(TcpListener);

/// A request to a [`SlowServer`] that has no answer yet.
pub struct Waiting(TcpStream);

impl SlowServer {
    pub async fn bind() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a free port"))
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.0.local_addr().expect("a bound address"))
    }

    pub async fn next_request(&self) -> Waiting {
        let (mut stream, _) = self.0.accept().await.expect("a connection");
        let read = stream.read(&mut [0; 1024]).await.expect("a request");
        assert_ne!(read, 0, "the client went away");
        Waiting(stream)
    }
}

impl Waiting {
    pub async fn answer(mut self, body: &str) {
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        self.0.write_all(answer.as_bytes()).await.expect("a reader");
    }
}

pub async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the edge listens");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("a connection");
    tokio::spawn(connection);
    sender
}

pub fn request(address: SocketAddr, path: &str) -> http::request::Builder {
    Request::builder()
        .uri(path)
        .header("host", address.to_string())
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    send(
        address,
        request(address, path)
            .body(Full::default())
            .expect("a request"),
    )
    .await
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
