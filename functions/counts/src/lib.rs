//! Counting, receiving and adjusting by scanner.

mod adjustments;
mod audit;
mod count;
mod counts;
mod deliveries;
mod items;
mod receiving;
mod scans;
mod steps;

use aisle_http::{Call, Error, Reply};
use aisle_store::scans::TaskKind;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

/// What staff and keys need for whatever happens here.
const SCOPE: &str = "stock";

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("counts", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("GET", ["counts"]) => counts::list(&call).await,
        ("POST", ["counts"]) => counts::create(&call).await,
        ("GET", ["counts", "receiving", id]) => receiving::get(&call, id).await,
        ("POST", ["counts", "receiving", id, "scans"]) => {
            scans::take(&call, TaskKind::Transfer, id).await
        }
        ("GET", ["counts", id]) => counts::get(&call, id).await,
        ("POST", ["counts", id, "scans"]) => scans::take(&call, TaskKind::Count, id).await,
        ("POST", ["counts", id, "zones", zone, "done"]) => steps::zone_done(&call, id, zone).await,
        ("POST", ["counts", id, "review"]) => steps::review(&call, id).await,
        ("POST", ["counts", id, "recounts"]) => steps::recount(&call, id).await,
        ("POST", ["counts", id, "approve"]) => steps::approve(&call, id).await,
        ("POST", ["counts", id, "cancel"]) => steps::cancel(&call, id).await,
        ("GET", ["deliveries"]) => deliveries::list(&call).await,
        ("POST", ["deliveries"]) => deliveries::create(&call).await,
        ("GET", ["deliveries", id]) => deliveries::get(&call, id).await,
        ("POST", ["deliveries", id, "scans"]) => scans::take(&call, TaskKind::Delivery, id).await,
        ("POST", ["deliveries", id, "close"]) => deliveries::close(&call, id).await,
        ("POST", ["deliveries", id, "cancel"]) => deliveries::cancel(&call, id).await,
        ("POST", ["adjustments"]) => adjustments::create(&call).await,
        (_, ["counts" | "deliveries"]) => Err(call.method_not_allowed("GET, HEAD, POST")),
        (_, ["counts" | "deliveries", _] | ["counts", "receiving", _]) => {
            Err(call.method_not_allowed("GET, HEAD"))
        }
        (
            _,
            ["adjustments"]
            | ["counts", "receiving", _, "scans"]
            | [
                "counts",
                _,
                "scans" | "review" | "recounts" | "approve" | "cancel",
            ]
            | ["counts", _, "zones", _, "done"]
            | ["deliveries", _, "scans" | "close" | "cancel"],
        ) => Err(call.method_not_allowed("POST")),
        _ => Err(call.not_found()),
    }
}
