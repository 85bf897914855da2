//! Goods on their way from one location to another, with the promise of when they are there.
//!
//! `facts` reads, `quote` and `create` bring transfers about, `life` and the modules below
//! it move them on, `waiting` and `instead` settle what that means for the order that waits,
//! `housekeeping` notices what time alone has changed.

mod access;
mod create;
mod facts;
mod fresh;
mod housekeeping;
mod instead;
mod life;
mod limits;
mod quote;
mod read;
mod waiting;

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("transfers", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("GET", ["transfers"]) => read::list(&call).await,
        ("POST", ["transfers"]) => create::create(&call).await,
        ("POST", ["transfers", "quote"]) => quote::quote(&call).await,
        ("POST", ["transfers", "housekeeping"]) => housekeeping::run(&call).await,
        (_, ["transfers", "quote" | "housekeeping"]) => Err(call.method_not_allowed("POST")),
        ("GET", ["transfers", id]) => read::get(&call, id).await,
        ("POST", ["transfers", id, "approve"]) => life::decide::approve(&call, id).await,
        ("POST", ["transfers", id, "refuse"]) => life::decide::refuse(&call, id).await,
        ("POST", ["transfers", id, "cancel"]) => life::decide::cancel(&call, id).await,
        ("POST", ["transfers", id, "pick"]) => life::decide::pick(&call, id).await,
        ("POST", ["transfers", id, "ship"]) => life::ship::ship(&call, id).await,
        ("POST", ["transfers", id, "events"]) => life::events::report(&call, id).await,
        ("POST", ["transfers", id, "receive"]) => life::receive::receive(&call, id).await,
        ("POST", ["transfers", id, "close"]) => life::receive::close(&call, id).await,
        (_, ["transfers"]) => Err(call.method_not_allowed("GET, HEAD, POST")),
        (_, ["transfers", _]) => Err(call.method_not_allowed("GET, HEAD")),
        (_, ["transfers", _, step]) if STEPS.contains(step) => Err(call.method_not_allowed("POST")),
        _ => Err(call.not_found()),
    }
}

const STEPS: [&str; 8] = [
    "approve", "refuse", "cancel", "pick", "ship", "events", "receive", "close",
];
