//! Accounts, the devices that are signed in to them, and what is new for each device.

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("accounts", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    Err(call.not_found())
}
