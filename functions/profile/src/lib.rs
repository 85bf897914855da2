//! What the service says about itself: its UCP profile, its OpenAPI document, its health.

mod document;
mod health;

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

/// The OpenAPI document, as the build wrote it from the code.
const OPENAPI: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json"));

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("profile", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("GET", [".well-known", "ucp"]) => profile(&call).await,
        ("GET", ["openapi.json"]) => {
            Ok(Reply::bytes(200, "application/json", OPENAPI.to_vec()).cached(300, 3_600))
        }
        ("GET", ["healthz"]) => health::answer(&call).await,
        (_, [".well-known", "ucp"] | ["openapi.json"] | ["healthz"]) => {
            Err(call.method_not_allowed("GET, HEAD"))
        }
        _ => Err(call.not_found()),
    }
}

/// The business profile (`profile.json`, `business_schema`) of the brand whose host was asked.
async fn profile(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let origin = call.brand_origin(&brand);
    // UCP, overview, "Profile Hosting": public, and cacheable for a minute at least.
    Ok(Reply::json(200, &document::business(&origin))?.cached(300, 3_600))
}
