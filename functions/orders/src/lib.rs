//! Orders: UCP's `order`. Who knows an order's id may read it; nobody can guess one.

use aisle_domain::id::is_id;
use aisle_domain::order::Order;
use aisle_http::{Call, Error, Reply};
use aisle_store::values;
use aisle_ucp::envelope::Severity;
use aisle_ucp::order as wire;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("orders", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("GET", ["orders", id]) => get(&call, id).await,
        (_, ["orders", _]) => Err(call.method_not_allowed("GET, HEAD")),
        _ => Err(call.not_found()),
    }
}

/// Only what was confirmed is an order to the outside: before that it is an attempt.
async fn get(call: &Call, id: &str) -> Result<Reply, Error> {
    if !is_id(id) {
        return Err(not_found());
    }
    let brand = call.brand().await?;
    let sql =
        "SELECT doc FROM customer_order WHERE brand_id = ?1 AND id = ?2 AND status = 'confirmed'";
    let row = call
        .db()
        .query_one_opt(sql, values![&brand.id, id])
        .await?
        .ok_or_else(not_found)?;
    let order: Order = row.json("doc")?;
    Reply::json(200, &wire::Order::new(&order, &call.origin()))
}

fn not_found() -> Error {
    Error::not_found("not_found", "Order not found.").severity(Severity::Unrecoverable)
}
