//! Carts and checkout sessions: UCP's `cart`, `checkout` and `fulfillment`.

mod answer;
mod carts;
mod complete;
mod facts;
mod limits;
mod recover;
mod sessions;
mod terms;
mod transfers;

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("checkout", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("POST", ["carts"]) => carts::create(&call).await,
        ("GET", ["carts", "mine"]) => carts::mine(&call).await,
        ("POST", ["carts", "mine", "merge"]) => carts::merge(&call).await,
        (_, ["carts", "mine"]) => Err(call.method_not_allowed("GET, HEAD")),
        ("GET", ["carts", id]) => carts::get(&call, id).await,
        ("PUT", ["carts", id]) => carts::update(&call, id).await,
        ("POST", ["carts", id, "cancel"]) => carts::cancel(&call, id).await,
        ("POST", ["checkout-sessions"]) => sessions::create(&call).await,
        ("POST", ["checkout-sessions", "recover"]) => recover::recover(&call).await,
        ("GET", ["checkout-sessions", id]) => sessions::get(&call, id).await,
        ("PUT", ["checkout-sessions", id]) => sessions::update(&call, id).await,
        ("POST", ["checkout-sessions", id, "complete"]) => complete::complete(&call, id).await,
        ("POST", ["checkout-sessions", id, "cancel"]) => sessions::cancel(&call, id).await,
        (_, ["carts"] | ["checkout-sessions"]) => Err(call.method_not_allowed("POST")),
        (_, ["carts", _] | ["checkout-sessions", _]) => {
            Err(call.method_not_allowed("GET, HEAD, PUT"))
        }
        (
            _,
            ["carts", "mine", "merge"]
            | ["carts", _, "cancel"]
            | ["checkout-sessions", _, "complete" | "cancel"],
        ) => Err(call.method_not_allowed("POST")),
        _ => Err(call.not_found()),
    }
}
