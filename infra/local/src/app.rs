//! The app: its components, its routes, and the way of a request through them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use http::uri::{Authority, Scheme, Uri};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::sync::Semaphore;
use uuid::Uuid;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{
    ExpirationError, InstantiationError, ProxyHandler, TrapOrPanicError,
};

use crate::allowed_hosts::internal_component;
use crate::instances::Factory;
use crate::log::{LogLine, LoggedBody, RequestRecord};
use crate::routes::{Matched, Routes};
use crate::stats::Stats;

/// The address that Spin gives a component called by another one.
const INTERNAL_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
/// Requests that a component has under way at a time, streams included: so that no one
/// component takes all instances that there can be.
const MAX_UNDER_WAY: usize = 400;
/// Seconds after which a request that was turned away may come again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
/// Longest request id taken over from a client.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// A running app.
pub struct App {
    /// Its public routes.
    pub routes: Routes,
    /// Its components by id.
    pub components: BTreeMap<String, Running>,
    /// Whether each request gets its line in the log.
    pub access_log: bool,
}

/// A component of a running app.
pub struct Running {
    handler: ProxyHandler<Factory>,
    places: Arc<Semaphore>,
}

impl Running {
    /// A component whose instances `factory` makes.
    pub fn new(factory: Factory) -> Self {
        Self {
            handler: ProxyHandler::new(factory),
            places: Arc::new(Semaphore::new(MAX_UNDER_WAY)),
        }
    }
}

impl App {
    /// Answers a request from outside.
    pub async fn serve(
        &self,
        request: Request<WasiBody>,
        client: SocketAddr,
    ) -> Response<LoggedBody> {
        self.answer(request, client, self.access_log).await
    }

    /// Answers a request from outside, with or without its line in the log.
    pub async fn answer(
        &self,
        mut request: Request<WasiBody>,
        client: SocketAddr,
        access_log: bool,
    ) -> Response<LoggedBody> {
        let record = RequestRecord::new(request_id(&request));
        let headers = request.headers_mut();
        headers.remove(CONNECTION);
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        if host.is_some_and(|host| internal_component(without_port(host)).is_some()) {
            headers.remove(HOST);
        }
        if let Err(reason) = set_authority(&mut request) {
            let line = access_log.then(|| line(&request, "-", StatusCode::BAD_REQUEST));
            return logged(plain(StatusCode::BAD_REQUEST, reason), record, line);
        }
        match self.routes.find(request.uri().path()) {
            Some(matched) => self.run(matched, request, client, record, access_log).await,
            None => {
                let line = access_log.then(|| line(&request, "-", StatusCode::NOT_FOUND));
                logged(
                    plain(StatusCode::NOT_FOUND, "no route for this path\n"),
                    record,
                    line,
                )
            }
        }
    }

    /// A call from one component to another; `None` when there is no such component.
    pub async fn call(
        &self,
        component: &str,
        request: Request<WasiBody>,
        request_id: &str,
    ) -> Option<Response<LoggedBody>> {
        self.components.get(component)?;
        let record = RequestRecord::new(request_id.to_owned());
        let matched = Matched::internal(component, request.uri().path());
        // Boxed: a call can lead to another one.
        Some(Box::pin(self.run(matched, request, INTERNAL_CLIENT, record, self.access_log)).await)
    }

    /// What every component did so far.
    pub fn stats(&self) -> Stats {
        let counts = |running: &Running| running.handler.state().host.counters.snapshot();
        let components = self
            .components
            .iter()
            .map(|(id, running)| (id.clone(), counts(running)));
        Stats {
            components: components.collect(),
        }
    }

    async fn run(
        &self,
        matched: Matched,
        mut request: Request<WasiBody>,
        client: SocketAddr,
        record: Arc<RequestRecord>,
        access_log: bool,
    ) -> Response<LoggedBody> {
        let Some(Running { handler, places }) = self.components.get(&matched.component) else {
            let reason = "the route's component is not loaded\n";
            return logged(
                plain(StatusCode::INTERNAL_SERVER_ERROR, reason),
                record,
                None,
            );
        };
        let uri = request.uri().clone();
        matched.add_headers(request.headers_mut(), &uri, client);
        let mut line = access_log.then(|| line(&request, &matched.component, StatusCode::OK));
        handler.state().host.counters.requests.fetch_add(1, Relaxed);
        let place = places.clone().try_acquire_owned().ok();
        let response = match &place {
            Some(_) => answered(handler, &record, request).await,
            None => busy(),
        };
        if let Some(line) = &mut line {
            line.status = response.status().as_u16();
        }
        logged(response, record, line).map(|body| body.holding(place))
    }
}

/// The component's answer. Dropped before there is one, it leaves word that nobody waits.
async fn answered(
    handler: &ProxyHandler<Factory>,
    record: &Arc<RequestRecord>,
    request: Request<WasiBody>,
) -> Response<WasiBody> {
    let unanswered = record.gone.clone().drop_guard();
    let answer = handler.handle(record.clone(), request).await;
    unanswered.disarm();
    answer.unwrap_or_else(|error| failure(&error, handler.state(), record))
}

/// The answer when there is no room for another request.
fn busy() -> Response<WasiBody> {
    let reason = "too many requests are under way; try again\n";
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, reason);
    response
        .headers_mut()
        .insert(http::header::RETRY_AFTER, RETRY_AFTER);
    response
}

fn line<B>(request: &Request<B>, component: &str, status: StatusCode) -> LogLine {
    LogLine {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        component: component.to_owned(),
        status: status.as_u16(),
    }
}

/// The answer when the component gave none: 504 past its deadline, 503 when there was no
/// room for an instance, 500 otherwise.
fn failure(
    error: &wasmtime::Error,
    factory: &Factory,
    record: &RequestRecord,
) -> Response<WasiBody> {
    let component = &factory.host.id;
    let timeout = factory.limits.request_timeout;
    // A guest that never pauses is stopped with its instance, which looks like a trap.
    let stopped = error.is::<TrapOrPanicError>();
    if error.is::<ExpirationError>() || (stopped && record.started.elapsed() >= timeout) {
        eprintln!(
            "component={component} request_id={} no answer within {timeout:?}",
            record.id
        );
        let reason = format!("component `{component}` gave no answer within {timeout:?}\n");
        return plain(StatusCode::GATEWAY_TIMEOUT, reason);
    }
    if error.is::<InstantiationError<Arc<RequestRecord>>>() {
        eprintln!("component={component} request_id={} {error:#}", record.id);
        return busy();
    }
    if !stopped {
        eprintln!(
            "component={component} request_id={} the request failed: {error:?}",
            record.id
        );
    }
    let reason = format!("component `{component}` failed; its log says why\n");
    plain(StatusCode::INTERNAL_SERVER_ERROR, reason)
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<WasiBody> {
    let body = Full::new(text.into())
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let text_plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text_plain);
    response
}

fn logged(
    mut response: Response<WasiBody>,
    record: Arc<RequestRecord>,
    line: Option<LogLine>,
) -> Response<LoggedBody> {
    if let Ok(id) = HeaderValue::from_str(&record.id) {
        response.headers_mut().entry("x-request-id").or_insert(id);
    }
    response.map(|body| LoggedBody::new(body, record, line))
}

/// The client's `x-request-id` when it is short and harmless in a log, or a new one.
fn request_id<B>(request: &Request<B>) -> String {
    let given = request
        .headers()
        .get("x-request-id")
        .and_then(|id| id.to_str().ok());
    let harmless = |id: &&str| {
        (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    given
        .filter(harmless)
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// Puts the host into the URI, where a guest finds it.
fn set_authority<B>(request: &mut Request<B>) -> Result<(), &'static str> {
    let from_header = match request.headers().get(HOST) {
        None => None,
        Some(host) => {
            let host = host
                .to_str()
                .ok()
                .and_then(|host| host.parse::<Authority>().ok());
            Some(host.ok_or("the host header is not valid\n")?)
        }
    };
    let mut parts = request.uri().clone().into_parts();
    parts.authority = match (from_header, parts.authority.take()) {
        (None, None) => return Err("the request has no host header\n"),
        (Some(a), Some(b)) if a != b => {
            return Err("the host header and the request's URL name different hosts\n");
        }
        (Some(authority), _) | (None, Some(authority)) => Some(authority),
    };
    parts.scheme = Some(Scheme::HTTP);
    if parts.path_and_query.is_none() {
        parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    }
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| "the request's URL is not valid\n")?;
    Ok(())
}

fn without_port(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}
