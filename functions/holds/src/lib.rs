//! Goods kept for somebody: holds without payment, layaways, and the list of what staff pull.

mod articles;
mod facts;
mod holds;
mod housekeeping;
mod layaways;
mod pickups;
mod pull;
mod pull_list;
mod refunds;

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("holds", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("POST", ["holds"]) => holds::create(&call).await,
        ("GET", ["holds", "pull-list"]) => pull_list::get(&call).await,
        ("POST", ["holds", "housekeeping"]) => housekeeping::run(&call).await,
        ("POST", ["holds", "pickups", order_id, "ready"]) => pickups::ready(&call, order_id).await,
        ("POST", ["holds", "pickups", order_id, "not-found"]) => {
            pickups::not_found(&call, order_id).await
        }
        ("GET", ["holds", id]) => holds::get(&call, id).await,
        ("POST", ["holds", id, "cancel"]) => holds::cancel(&call, id).await,
        ("POST", ["holds", id, "pulled"]) => pull::pulled(&call, id).await,
        ("POST", ["holds", id, "not-found"]) => pull::not_found(&call, id).await,
        ("GET", ["layaways", order_id]) => layaways::get(&call, order_id).await,
        ("POST", ["layaways", order_id, "payments"]) => layaways::pay(&call, order_id).await,
        ("POST", ["layaways", order_id, "cancel"]) => layaways::cancel(&call, order_id).await,
        (_, ["layaways", _]) => Err(call.method_not_allowed("GET, HEAD")),
        (_, ["layaways", _, "payments" | "cancel"]) => Err(call.method_not_allowed("POST")),
        (_, ["holds"] | ["holds", "housekeeping"]) => Err(call.method_not_allowed("POST")),
        (_, ["holds", _]) => Err(call.method_not_allowed("GET, HEAD")),
        (_, ["holds", _, "cancel" | "pulled" | "not-found"]) => {
            Err(call.method_not_allowed("POST"))
        }
        (_, ["holds", "pickups", _, "ready" | "not-found"]) => Err(call.method_not_allowed("POST")),
        _ => Err(call.not_found()),
    }
}
