//! Accounts, the devices that are signed in to them, and what is new for each device.

mod account;
mod belongings;
mod codes;
mod customer_code;
mod erase;
mod export;
mod forget;
mod identities;
mod orders;
mod proof;
mod refresh;
mod retention;
mod sessions;
mod sign_in;
mod sure;
mod sync;
mod tokens;
mod web;

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("accounts", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    let segments = call.segments();
    let rest = match &segments[..] {
        ["accounts", rest @ ..] => rest,
        ["sync", rest @ ..] => return news(&call, rest).await,
        _ => return Err(call.not_found()),
    };
    match rest {
        ["me", ..] => own(&call, rest).await,
        ["web", ..] => page(&call, rest).await,
        _ => anybody(&call, rest).await,
    }
}

/// What is new for a device.
async fn news(call: &Call, path: &[&str]) -> Result<Reply, Error> {
    match (call.method(), path) {
        ("GET", []) => sync::changes(call).await,
        ("GET", ["stream"]) => sync::stream(call).await,
        (_, [] | ["stream"]) => Err(call.method_not_allowed("GET, HEAD")),
        _ => Err(call.not_found()),
    }
}

/// What nobody needs an account for.
async fn anybody(call: &Call, path: &[&str]) -> Result<Reply, Error> {
    match (call.method(), path) {
        ("POST", ["codes"]) => codes::send(call).await,
        ("POST", ["sessions"]) => sign_in::sign_in(call).await,
        ("POST", ["sessions", "refresh"]) => refresh::refresh(call).await,
        ("POST", ["sign-out"]) => sessions::sign_out(call).await,
        ("POST", ["housekeeping"]) => retention::run(call).await,
        (_, ["codes" | "sessions" | "sign-out" | "housekeeping"] | ["sessions", "refresh"]) => {
            Err(call.method_not_allowed("POST"))
        }
        _ => Err(call.not_found()),
    }
}

/// What only a device that is signed in can ask for.
async fn own(call: &Call, path: &[&str]) -> Result<Reply, Error> {
    match (call.method(), path) {
        ("GET", ["me"]) => account::read(call).await,
        ("PATCH", ["me"]) => account::change(call).await,
        ("DELETE", ["me"]) => erase::erase(call).await,
        ("POST", ["me", "identities"]) => identities::add(call).await,
        ("DELETE", ["me", "identities", id]) => identities::remove(call, id).await,
        ("GET", ["me", "sessions"]) => sessions::list(call).await,
        ("DELETE", ["me", "sessions", id]) => sessions::end(call, id).await,
        ("GET", ["me", "orders"]) => orders::list(call).await,
        ("POST", ["me", "orders"]) => orders::attach(call).await,
        ("POST", ["me", "customer-code"]) => customer_code::issue(call).await,
        ("GET", ["me", "export"]) => export::export(call).await,
        (_, ["me"]) => Err(call.method_not_allowed("GET, HEAD, PATCH, DELETE")),
        (_, ["me", "sessions" | "export"]) => Err(call.method_not_allowed("GET, HEAD")),
        (_, ["me", "sessions" | "identities", _]) => Err(call.method_not_allowed("DELETE")),
        (_, ["me", "orders"]) => Err(call.method_not_allowed("GET, HEAD, POST")),
        (_, ["me", "identities" | "customer-code"]) => Err(call.method_not_allowed("POST")),
        _ => Err(call.not_found()),
    }
}

/// Forms of pages without a script.
async fn page(call: &Call, path: &[&str]) -> Result<Reply, Error> {
    match (call.method(), path) {
        ("POST", ["web", "codes"]) => web::send_code(call).await,
        ("POST", ["web", "sessions"]) => web::sign_in(call).await,
        ("GET" | "POST", ["web", "refresh"]) => web::refresh(call).await,
        ("POST", ["web", "sign-out"]) => web::sign_out(call).await,
        (_, ["web", "refresh"]) => Err(call.method_not_allowed("GET, HEAD, POST")),
        (_, ["web", "codes" | "sessions" | "sign-out"]) => Err(call.method_not_allowed("POST")),
        _ => Err(call.not_found()),
    }
}
