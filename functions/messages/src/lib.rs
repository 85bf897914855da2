//! Texts and mails: sends what others have written down, and hears what became of it.

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("messages", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    Err(call.not_found())
}
