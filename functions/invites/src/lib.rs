//! Links that are texted to shoppers, and what they lead to.

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("invites", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    Err(call.not_found())
}
