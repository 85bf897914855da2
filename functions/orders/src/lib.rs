//! Orders: UCP's `order`, their timeline, and the passes with which they are collected. Who
//! knows an order's id may do all of it; nobody can guess one.

mod barcode;
mod font;
mod images;
mod pass;
mod picture;
mod presence;
mod read;

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
        (_, ["orders", _, "presence"]) => Err(call.method_not_allowed("POST, DELETE")),
        (_, ["orders", _, "pass"]) => Err(call.method_not_allowed("POST")),
        (_, ["orders", _] | ["orders", _, "timeline"] | ["orders", _, "pass", _, _]) => {
            Err(call.method_not_allowed("GET, HEAD"))
        }
        _ => Err(call.not_found()),
    }
}
