//! Texts and mails: sends what others have written down, and hears what became of it.
//!
//! `plan` makes messages of what happened to orders, `sending` takes those that are due to
//! their `provider`, `callback` hears from it.

mod callback;
mod content;
mod dev;
mod due;
mod fallback;
mod housekeeping;
mod plan;
mod preview;
mod provider;
mod sending;

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("messages", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("POST", ["messages", "housekeeping"]) => housekeeping::run(call).await,
        ("POST", ["messages", "preview"]) => preview::preview(&call).await,
        ("POST", ["webhooks", "sms", "twilio", "status"]) => callback::status::hear(call).await,
        ("POST", ["webhooks", "sms", "twilio", "inbound"]) => callback::inbound::hear(&call).await,
        ("GET", ["dev", "messages"]) => dev::page(&call).await,
        (
            _,
            ["messages", "housekeeping" | "preview"]
            | ["webhooks", "sms", "twilio", "status" | "inbound"],
        ) => Err(call.method_not_allowed("POST")),
        _ => Err(call.not_found()),
    }
}
