//! The point of sale: who signs on, what a scanner read, hand-over, sale, drawer, arrivals.

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("pos", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    Err(call.not_found())
}
