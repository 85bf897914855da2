//! A guest that asks the runtime for everything that it promises, one path for each
//! thing; the tests of `infra/local` say what must come of it.

mod sql;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::Context;
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::{Response, StatusCode};
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{BoxBody, FullBody, IntoResponse, Request, body, box_body};
use spin_sdk::http_service;
use spin_sdk::key_value::Store;
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for as wait_for_ns;
use spin_sdk::wasip3::random::random::get_random_u64;

/// Requests answered by this instance.
static ANSWERED: AtomicU64 = AtomicU64::new(0);
/// A number that tells one instance from another.
static INSTANCE: OnceLock<u64> = OnceLock::new();
/// What a memory hog asks for at a time.
const CHUNK_BYTES: usize = 16 << 20;
/// Pause between two looks at a key that somebody else is to set.
const LOOK_AGAIN_AFTER_NS: u64 = 1_000_000;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    match answer(request).await {
        Ok(response) => response,
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")),
    }
}

async fn answer(request: Request) -> anyhow::Result<Response<BoxBody>> {
    let path = request.uri().path().to_owned();
    let path = path.strip_prefix("/locked").unwrap_or(&path);
    let argument = |name: &str| argument(&request, name);
    // Between the parameters of an address, where the query has its own `&`.
    let address = || anyhow::Ok(argument("address")?.replace('~', "&"));
    let said = match path {
        "/hello" => "ok".to_owned(),
        "/hello/unmeasured" => return Ok(Response::new(box_body(FullBody::new("ok".into())))),
        "/count" => count(),
        "/loop" => endless(),
        "/trap" => panic!("the probe was asked to trap"),
        "/memory" => hog(),
        "/mirror" => return Ok(mirror(request)),
        "/stream" => return Ok(stream()),
        "/background" => background(argument("key")?),
        "/background/trap" => background_trap(argument("url")?),
        "/variable" => spin_sdk::variables::get(argument("name")?).await?,
        "/fetch" => fetch(&argument("url")?).await,
        "/kv/open" => opened(Store::open(argument("label")?).await),
        "/kv/set" => {
            let value = argument("value")?;
            Store::open_default()
                .await?
                .set(argument("key")?, value.as_bytes())
                .await?;
            String::new()
        }
        "/kv/get" => stored(&argument("key")?).await?,
        "/kv/delete" => {
            Store::open_default()
                .await?
                .delete(argument("key")?)
                .await?;
            String::new()
        }
        "/kv/keys" => keys().await?,
        "/postgres/endless" => sql::endless_on_postgres(&address()?, false).await?,
        "/postgres/endless-heavy" => sql::endless_on_postgres(&address()?, true).await?,
        "/hold" => hold(&argument("key")?).await?,
        _ => match path.strip_prefix("/sql/") {
            Some(question) => sql::answer(question).await?,
            None => echo(&request),
        },
    };
    Ok(text(StatusCode::OK, said))
}

fn text(status: StatusCode, said: String) -> Response<BoxBody> {
    let length = said.len();
    let mut response = Response::new(box_body(FullBody::new(Bytes::from(said))));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(http::header::CONTENT_LENGTH, length.into());
    response
}

/// An argument of the query; the tests send none that needs decoding.
fn argument(request: &Request, name: &str) -> anyhow::Result<String> {
    let query = request.uri().query().unwrap_or_default();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.into_iter().find(|(key, _)| *key == name);
    found
        .map(|(_, value)| value.to_owned())
        .with_context(|| format!("needs ?{name}="))
}

fn echo(request: &Request) -> String {
    let headers: Vec<(&str, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.as_str(),
                String::from_utf8_lossy(value.as_bytes()).into(),
            )
        })
        .collect();
    serde_json::json!({
        "method": request.method().as_str(),
        "uri": request.uri().to_string(),
        "headers": headers,
    })
    .to_string()
}

fn count() -> String {
    format!("{} {}", instance(), ANSWERED.fetch_add(1, Relaxed) + 1)
}

fn instance() -> u64 {
    *INSTANCE.get_or_init(get_random_u64)
}

fn endless() -> ! {
    loop {
        std::hint::black_box(ANSWERED.load(Relaxed));
    }
}

fn hog() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(vec![1u8; CHUNK_BYTES]);
        std::hint::black_box(&held);
    }
}

fn mirror(request: Request) -> Response<BoxBody> {
    let mut incoming = request.into_body().stream();
    let (mut outgoing, body) = body::stream::<Bytes>();
    spin_sdk::wasip3::spawn(async move {
        while let Some(Ok(chunk)) = incoming.next().await {
            if outgoing.send(chunk).await.is_err() {
                return;
            }
        }
    });
    Response::new(box_body(body))
}

fn stream() -> Response<BoxBody> {
    let (mut outgoing, body) = body::stream::<Bytes>();
    spin_sdk::wasip3::spawn(async move {
        for part in ["one ", "two ", "three"] {
            if outgoing.send(part.into()).await.is_err() {
                return;
            }
        }
    });
    Response::new(box_body(body))
}

/// Answers first and writes afterwards.
fn background(key: String) -> String {
    spin_sdk::wasip3::spawn(async move {
        // A store that fails leaves the key unset, which is what the test looks at.
        if let Ok(store) = Store::open_default().await {
            let _ = store.set(key, b"done".as_slice()).await;
        }
    });
    "later".to_owned()
}

/// Answers first and traps once `url` has answered.
fn background_trap(url: String) -> String {
    spin_sdk::wasip3::spawn(async move {
        fetch(&url).await;
        panic!("the probe was asked to trap after its answer");
    });
    "later".to_owned()
}

async fn fetch(url: &str) -> String {
    match spin_sdk::http::get(url).await {
        Ok(response) => {
            let status = response.status().as_u16();
            match response.into_body().bytes().await {
                Ok(body) => format!("{status} {}", String::from_utf8_lossy(&body)),
                Err(error) => format!("broken off: {error:?}"),
            }
        }
        Err(error) => format!("refused: {error:?}"),
    }
}

fn opened<T, E: std::fmt::Debug>(result: Result<T, E>) -> String {
    result.map_or_else(|error| format!("{error:?}"), |_| "opened".to_owned())
}

async fn stored(key: &str) -> anyhow::Result<String> {
    let value = Store::open_default().await?.get(key).await?;
    Ok(value.map_or_else(
        || "none".to_owned(),
        |v| String::from_utf8_lossy(&v).into_owned(),
    ))
}

async fn keys() -> anyhow::Result<String> {
    let mut keys = Store::open_default()
        .await?
        .get_keys()
        .await
        .collect()
        .await?;
    keys.sort();
    Ok(keys.join(" "))
}

/// Says in which instance it waits, and answers once `key` is set by somebody else.
async fn hold(key: &str) -> anyhow::Result<String> {
    let store = Store::open_default().await?;
    store
        .set(format!("{key}.held-by"), instance().to_string().as_bytes())
        .await?;
    wait_for(&store, key).await?;
    Ok(count())
}

async fn wait_for(store: &Store, key: &str) -> anyhow::Result<()> {
    while store.get(key).await?.is_none() {
        // Only a task that really pauses lets its instance take another request.
        wait_for_ns(LOOK_AGAIN_AFTER_NS).await;
    }
    Ok(())
}
