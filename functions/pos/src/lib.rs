//! The point of sale: who signs on, what a scanner read, hand-over, sale, drawer, arrivals.

mod arrivals;
mod arrivals_stream;

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
        _ => Err(call.not_found()),
    }
}
