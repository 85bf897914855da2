//! The store locator.

use std::cmp::Ordering;

use aisle_domain::brand::Brand;
use aisle_domain::location::Location;
use aisle_http::{Call, Error, Reply};
use aisle_store::now_ms;
use aisle_ucp::envelope::{Message, Ucp};
use aisle_ucp::location::view::{Answer, LocationView, LookupInput};
use aisle_ucp::location::{Criteria, Demand, LookupRequest, SearchRequest};
use aisle_ucp::page::{Invalid, MAX_LOOKUP_IDS, Pagination};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

mod items;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("locations", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("POST", ["locations", "search"]) => search(&call).await,
        ("POST", ["locations", "lookup"]) => lookup(&call).await,
        (_, ["locations", "search" | "lookup"]) => Err(call.method_not_allowed("POST")),
        _ => Err(call.not_found()),
    }
}

async fn search(call: &Call) -> Result<Reply, Error> {
    let request: SearchRequest = call.json().await?;
    request.check().map_err(invalid)?;
    let size = request.pagination.size().map_err(invalid)?;
    let brand = call.brand().await?;
    let demand = request.criteria().demand(&brand).map_err(invalid)?;
    let search = request.id(&brand.id);
    let after: Option<String> = request.pagination.after(search).map_err(invalid)?;
    let locations = call.model().locations(&brand.id).await?;
    let visible = locations.all.iter().filter(|location| location.visible);
    let mut found = request.find(visible);
    refine(call, &brand, &mut found, request.criteria(), &demand).await?;
    found.sort_by(|a, b| order(&demand, a, b));
    let total = found.len() as i64;
    if let Some(after) = after {
        let last = locations.all.iter().find(|location| location.id == after);
        let last = last.ok_or_else(|| {
            invalid(Invalid::new(
                "invalid_cursor",
                "$.pagination.cursor",
                "the location is gone",
            ))
        })?;
        found.retain(|location| order(&demand, location, last) == Ordering::Greater);
    }
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|location| &location.id);
    let view = |location: &&Location| {
        LocationView::new(location, demand.distance_m(location), Vec::new(), now_ms())
    };
    Reply::json(
        200,
        &Answer {
            ucp: Ucp::success(&["dev.ucp.common.location.search"]),
            locations: found.iter().map(view).collect(),
            pagination: Some(Pagination::new(search, next, Some(total))),
            messages: Vec::new(),
        },
    )
}

async fn lookup(call: &Call) -> Result<Reply, Error> {
    let request: LookupRequest = call.json().await?;
    let (ids, left_aside) = request.batch().map_err(invalid)?;
    let brand = call.brand().await?;
    let demand = request.criteria().demand(&brand).map_err(invalid)?;
    let locations = call.model().locations(&brand.id).await?;
    let names = |location: &Location, id: &str| {
        location.visible && (location.id == id || location.code == id)
    };
    let mut messages: Vec<Message> = ids
        .iter()
        .filter(|id| !locations.all.iter().any(|location| names(location, id)))
        .map(|id| {
            Message::info(
                "not_found",
                format!("Unable to find the location associated with {id}."),
            )
        })
        .collect();
    if left_aside > 0 {
        let text = format!(
            "Processed the first {MAX_LOOKUP_IDS} distinct identifiers; {left_aside} were not processed."
        );
        messages.push(Message::info("batch_limit_applied", text));
    }
    let mut found: Vec<&Location> = locations
        .all
        .iter()
        .filter(|location| ids.iter().any(|id| names(location, id)))
        .collect();
    refine(call, &brand, &mut found, request.criteria(), &demand).await?;
    let inputs = |location: &Location| -> Vec<LookupInput> {
        ids.iter()
            .filter(|id| names(location, id))
            .map(|id| LookupInput { id: id.to_string() })
            .collect()
    };
    let view = |location: &&Location| {
        LocationView::new(
            location,
            demand.distance_m(location),
            inputs(location),
            now_ms(),
        )
    };
    Reply::json(
        200,
        &Answer {
            ucp: Ucp::success(&["dev.ucp.common.location.lookup"]),
            locations: found.iter().map(view).collect(),
            pagination: None,
            messages,
        },
    )
}

/// Keeps what meets every criterion. Items come last: they are the only ones that need stock.
async fn refine(
    call: &Call,
    brand: &Brand,
    found: &mut Vec<&Location>,
    criteria: Criteria<'_>,
    demand: &Demand<'_>,
) -> Result<(), Error> {
    found.retain(|location| demand.admits(location));
    if !found.is_empty() && !criteria.items().is_empty() {
        let wanted = items::wanted(call.model(), &brand.id, criteria.items()).await?;
        found.retain(|location| wanted.iter().all(|item| item.is_at(location)));
    }
    Ok(())
}

/// Nearest first where there is a centre, else by name; no two locations are equal.
fn order(demand: &Demand, a: &Location, b: &Location) -> Ordering {
    let distance = |location: &Location| demand.distance_m(location).unwrap_or_default();
    distance(a)
        .total_cmp(&distance(b))
        .then_with(|| (&a.name, &a.id).cmp(&(&b.name, &b.id)))
}

fn invalid(Invalid { code, path, detail }: Invalid) -> Error {
    Error::bad_request(code, &path, &detail)
}
