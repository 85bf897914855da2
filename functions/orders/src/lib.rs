//! Orders: UCP's `order`, their timeline, the passes with which they are collected, what a
//! shopper does about them, and the shopper's own pages. An order belongs to its account;
//! until it has one, to whoever knows its id, which nobody can guess.

mod access;
mod barcode;
mod cancel;
mod facts;
mod font;
mod images;
mod my;
mod notifications;
mod pass;
mod person;
mod picture;
mod presence;
mod read;
mod returns;

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("orders", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("GET", ["orders", "pass-keys"]) => pass::keys().await,
        ("GET", ["orders", id]) => read::order(&call, id).await,
        ("GET", ["orders", id, "timeline"]) => read::timeline(&call, id).await,
        ("POST", ["orders", id, "pass"]) => pass::issue(&call, id).await,
        ("GET", ["orders", id, "pass", pass_id, image]) => {
            images::show(&call, id, pass_id, image).await
        }
        ("POST", ["orders", id, "presence"]) => presence::report(&call, id).await,
        ("DELETE", ["orders", id, "presence"]) => presence::withdraw(&call, id).await,
        ("POST", ["orders", id, "cancel"]) => cancel::cancel(&call, id).await,
        ("PUT", ["orders", id, "pickup-person"]) => person::change(&call, id).await,
        ("POST", ["orders", id, "returns"]) => returns::start(&call, id).await,
        ("GET", ["orders", id, "notifications"]) => notifications::show(&call, id).await,
        ("PUT", ["orders", id, "notifications"]) => notifications::choose(&call, id).await,
        (_, ["my", ..]) => my::route(&call).await,
        (_, ["orders", _, "presence"]) => Err(call.method_not_allowed("POST, DELETE")),
        (_, ["orders", _, "notifications"]) => Err(call.method_not_allowed("GET, HEAD, PUT")),
        (_, ["orders", _, "pickup-person"]) => Err(call.method_not_allowed("PUT")),
        (_, ["orders", _, "cancel" | "returns"]) => Err(call.method_not_allowed("POST")),
        (_, ["orders", _, "pass"]) => Err(call.method_not_allowed("POST")),
        (_, ["orders", _] | ["orders", _, "timeline"] | ["orders", _, "pass", _, _]) => {
            Err(call.method_not_allowed("GET, HEAD"))
        }
        _ => Err(call.not_found()),
    }
}
