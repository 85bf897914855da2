//! What the service says about itself: its UCP profile, its OpenAPI document, its health.

mod document;
mod health;

use std::sync::OnceLock;

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

/// The OpenAPI document changes with the build only, so an instance writes it once.
static OPENAPI: OnceLock<Vec<u8>> = OnceLock::new();

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("profile", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("GET", [".well-known", "ucp"]) => profile(&call).await,
        ("GET", ["openapi.json"]) => openapi(),
        ("GET", ["healthz"]) => health::answer(&call).await,
        (_, [".well-known", "ucp"] | ["openapi.json"] | ["healthz"]) => {
            Err(call.method_not_allowed("GET, HEAD"))
        }
        _ => Err(call.not_found()),
    }
}

/// The business profile (`profile.json`, `business_schema`). Its URLs are those of the
/// host that was asked, so it is the brand's own.
async fn profile(call: &Call) -> Result<Reply, Error> {
    // A host without a brand has no profile.
    call.brand().await?;
    // UCP, overview, "Profile Hosting": public, and cacheable for a minute at least.
    Ok(Reply::json(200, &document::business(&call.origin()))?.cached(300, 3_600))
}

fn openapi() -> Result<Reply, Error> {
    let document = match OPENAPI.get() {
        Some(document) => document.clone(),
        None => {
            let document = serde_json::to_vec(&aisle_ucp::openapi::document());
            let document = document.map_err(|error| Error::internal(error.to_string()))?;
            OPENAPI.get_or_init(|| document).clone()
        }
    };
    Ok(Reply::bytes(200, "application/json", document).cached(300, 3_600))
}
