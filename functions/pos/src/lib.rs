//! The point of sale: who signs on, what a scanner read, hand-over, sale, drawer, arrivals.

mod arrivals;
mod arrivals_stream;
mod basket;
mod collection;
mod customer;
mod hand_over;
mod incidents;
mod layaways;
mod refunds;
mod sales;
mod scan;
mod settle;
mod sign_on;
mod store;
mod tender;
mod till_days;

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("pos", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("GET", ["pos", "arrivals"]) => arrivals::board(&call).await,
        ("GET", ["pos", "arrivals", "stream"]) => arrivals_stream::open(&call).await,
        (_, ["pos", "arrivals"] | ["pos", "arrivals", "stream"]) => {
            Err(call.method_not_allowed("GET, HEAD"))
        }
        ("POST", ["pos", "sign-on"]) => sign_on::sign_on(&call).await,
        ("POST", ["pos", "sign-off"]) => sign_on::sign_off(&call).await,
        ("POST", ["pos", "scan"]) => scan::scan(&call).await,
        ("POST", ["pos", "orders", id, "hand-over"]) => hand_over::hand_over(&call, id).await,
        ("POST", ["pos", "orders", id, "refunds"]) => refunds::give_back(&call, id).await,
        ("POST", ["pos", "hand-overs", "settle"]) => settle::settle(&call).await,
        ("GET", ["pos", "incidents"]) => incidents::list(&call).await,
        ("POST", ["pos", "incidents", id, "resolve"]) => incidents::resolve(&call, id).await,
        ("GET", ["pos", "audit"]) => incidents::trail(&call).await,
        ("POST", ["pos", "sales"]) => sales::sell(&call).await,
        ("POST", ["pos", "carts", id, "continue"]) => sales::continue_cart(&call, id).await,
        ("POST", ["pos", "till-days"]) => till_days::open(&call).await,
        ("GET", ["pos", "till-days", "current"]) => till_days::current(&call).await,
        ("POST", ["pos", "till-days", id, "entries"]) => till_days::enter(&call, id).await,
        ("POST", ["pos", "till-days", id, "close"]) => till_days::close(&call, id).await,
        ("POST", ["pos", "layaways", order_id, "payments"]) => layaways::pay(&call, order_id).await,
        (_, ["pos", "incidents" | "audit"] | ["pos", "till-days", "current"]) => {
            Err(call.method_not_allowed("GET, HEAD"))
        }
        (
            _,
            [
                "pos",
                "sign-on" | "sign-off" | "scan" | "sales" | "till-days",
            ],
        )
        | (_, ["pos", "hand-overs", "settle"])
        | (_, ["pos", "orders", _, "hand-over" | "refunds"])
        | (_, ["pos", "incidents", _, "resolve"])
        | (_, ["pos", "carts", _, "continue"])
        | (_, ["pos", "layaways", _, "payments"])
        | (_, ["pos", "till-days", _, "entries" | "close"]) => Err(call.method_not_allowed("POST")),
        _ => Err(call.not_found()),
    }
}
