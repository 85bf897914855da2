//! Links that are texted to shoppers, and what they lead to.

mod access;
mod app;
mod claim;
mod create;
mod link;
mod open;
mod pages;
mod read;
mod row;

use aisle_http::{Call, Error, Reply};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("invites", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("POST", ["invites"]) => create::create(&call).await,
        ("GET", ["invites"]) => read::list(&call).await,
        ("GET", ["invites", id]) => read::get(&call, id).await,
        ("DELETE", ["invites", id]) => read::revoke(&call, id).await,
        ("POST", ["invites", code, "claim"]) => claim::by_token(&call, code).await,
        ("GET", ["i", code]) => open::open(&call, code).await,
        ("GET", ["i", code, "app"]) => app::open(&call, code).await,
        ("GET", ["i", code, "claim"]) => claim::ask(&call, code).await,
        ("POST", ["i", code, "claim"]) => claim::by_form(&call, code).await,
        ("GET", [".well-known", "apple-app-site-association"]) => app::apple(&call).await,
        ("GET", [".well-known", "assetlinks.json"]) => app::android(&call).await,
        (_, ["invites"]) => Err(call.method_not_allowed("GET, HEAD, POST")),
        (_, ["invites", _, "claim"]) => Err(call.method_not_allowed("POST")),
        (_, ["invites", _]) => Err(call.method_not_allowed("GET, HEAD, DELETE")),
        (_, ["i", _, "claim"]) => Err(call.method_not_allowed("GET, HEAD, POST")),
        (_, ["i", _] | ["i", _, "app"] | [".well-known", _]) => {
            Err(call.method_not_allowed("GET, HEAD"))
        }
        _ => Err(call.not_found()),
    }
}
