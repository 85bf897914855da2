//! The catalog: search, lookup, product detail, categories.

use aisle_http::{Call, Error, Reply};
use aisle_store::now_ms;
use aisle_ucp::catalog::fulfillment::Scope;
use aisle_ucp::catalog::{Filters, LookupRequest, ProductRequest, SearchRequest};
use aisle_ucp::page::{Context, Invalid};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

mod categories;
mod housekeeping;
mod lookup;
mod product;
mod search;
mod shelf;

use shelf::Shelf;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("catalog", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("POST", ["catalog", "search"]) => search(&call).await,
        ("POST", ["catalog", "lookup"]) => lookup(&call).await,
        ("POST", ["catalog", "product"]) => product(&call).await,
        ("GET", ["catalog", "categories"]) => categories::list(&call).await,
        ("POST", ["catalog", "housekeeping"]) => housekeeping::run(&call).await,
        (_, ["catalog", "search" | "lookup" | "product" | "housekeeping"]) => {
            Err(call.method_not_allowed("POST"))
        }
        (_, ["catalog", "categories"]) => Err(call.method_not_allowed("GET, HEAD")),
        _ => Err(call.not_found()),
    }
}

async fn search(call: &Call) -> Result<Reply, Error> {
    let request: SearchRequest = call.json().await?;
    request.check().map_err(invalid)?;
    let brand = call.brand().await?;
    let filters = request.filters.clone().unwrap_or_default();
    let shelf = Shelf::open(call.model(), &brand, &filters, &request.context).await?;
    let scope = scope(&shelf, &filters, &request.context);
    search::answer(call.db(), &shelf, &scope, &request, &filters).await
}

async fn lookup(call: &Call) -> Result<Reply, Error> {
    let request: LookupRequest = call.json().await?;
    let brand = call.brand().await?;
    let shelf = Shelf::open(call.model(), &brand, &request.filters, &request.context).await?;
    let scope = scope(&shelf, &request.filters, &request.context);
    lookup::answer(&shelf, &scope, &request).await
}

async fn product(call: &Call) -> Result<Reply, Error> {
    let request: ProductRequest = call.json().await?;
    request.check().map_err(invalid)?;
    let brand = call.brand().await?;
    let shelf = Shelf::open(call.model(), &brand, &request.filters, &request.context).await?;
    let scope = scope(&shelf, &request.filters, &request.context);
    product::answer(&shelf, &scope, &request).await
}

fn scope<'a>(shelf: &'a Shelf, filters: &Filters, context: &Context) -> Scope<'a> {
    Scope::new(
        shelf.brand,
        shelf.store.as_deref().map(|store| &store.value),
        shelf.collected_anywhere,
        filters,
        context,
        now_ms(),
    )
}

fn invalid(Invalid { code, path, detail }: Invalid) -> Error {
    Error::bad_request(code, &path, &detail)
}

fn json(body: String) -> Reply {
    Reply::bytes(200, "application/json", body.into_bytes())
}
