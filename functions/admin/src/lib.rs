//! Administration: brands, locations, and imports of what the retailer's systems export.

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

mod brands;
mod devices;
mod imports;
mod locations;
mod staff;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("admin", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("GET", ["admin", "brands"]) => brands::list(&call).await,
        ("GET", ["admin", "brands", handle]) => brands::get(&call, handle).await,
        ("PUT", ["admin", "brands", handle]) => brands::put(&call, handle).await,
        ("GET", ["admin", "locations"]) => locations::list(&call).await,
        ("POST", ["admin", "locations"]) => locations::create(&call).await,
        ("GET", ["admin", "locations", id]) => locations::get(&call, id).await,
        ("PUT", ["admin", "locations", id]) => locations::put(&call, id).await,
        ("POST", ["admin", "imports"]) => imports::create(&call).await,
        ("GET", ["admin", "imports", id]) => imports::get(&call, id).await,
        ("GET", ["admin", "devices"]) => devices::list(&call).await,
        ("POST", ["admin", "devices"]) => devices::create(&call).await,
        ("DELETE", ["admin", "devices", id]) => devices::revoke(&call, id).await,
        ("GET", ["admin", "staff"]) => staff::list(&call).await,
        ("POST", ["admin", "staff"]) => staff::create(&call).await,
        ("DELETE", ["admin", "staff", id]) => staff::revoke(&call, id).await,
        (_, ["admin", "devices" | "staff"]) => Err(call.method_not_allowed("GET, HEAD, POST")),
        (_, ["admin", "devices" | "staff", _]) => Err(call.method_not_allowed("DELETE")),
        (_, ["admin", "brands"]) => Err(call.method_not_allowed("GET, HEAD")),
        (_, ["admin", "locations"]) => Err(call.method_not_allowed("GET, HEAD, POST")),
        (_, ["admin", "imports"]) => Err(call.method_not_allowed("POST")),
        (_, ["admin", "brands" | "locations", _]) => Err(call.method_not_allowed("GET, HEAD, PUT")),
        (_, ["admin", "imports", _]) => Err(call.method_not_allowed("GET, HEAD")),
        _ => Err(call.not_found()),
    }
}
