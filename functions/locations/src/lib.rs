//! The store locator.

use std::rc::Rc;

use aisle_domain::location::Location;
use aisle_domain::places::Place;
use aisle_http::{Call, Error, Reply};
use aisle_store::model::Read;
use aisle_store::now_ms;
use aisle_ucp::envelope::{Message, Ucp};
use aisle_ucp::location::LookupRequest;
use aisle_ucp::location::view::{Answer, LocationView, LookupInput};
use aisle_ucp::page::{Invalid, MAX_LOOKUP_IDS};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

mod items;
mod search;

use items::Items;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("locations", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("POST", ["locations", "search"]) => search::answer(&call).await,
        ("POST", ["locations", "lookup"]) => lookup(&call).await,
        (_, ["locations", "search" | "lookup"]) => Err(call.method_not_allowed("POST")),
        _ => Err(call.not_found()),
    }
}

async fn lookup(call: &Call) -> Result<Reply, Error> {
    let request: LookupRequest = call.json().await?;
    let (ids, left_aside) = request.batch().map_err(invalid)?;
    let brand = call.brand().await?;
    let demand = request.criteria().demand(&brand).map_err(invalid)?;
    let model = call.model();
    let named = model.locations_named(&brand.id, &ids).await?;
    let visible = |found: &Option<Rc<Read<Location>>>| {
        found.as_ref().is_some_and(|location| location.visible)
    };
    let mut messages: Vec<Message> = ids
        .iter()
        .zip(&named)
        .filter(|(_, found)| !visible(found))
        .map(|(id, _)| {
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
    let mut found: Vec<Rc<Read<Location>>> = named
        .iter()
        .filter(|one| visible(one))
        .flatten()
        .cloned()
        .collect();
    found.sort_by(|a, b| a.code.cmp(&b.code));
    found.dedup_by(|a, b| a.id == b.id);
    found.retain(|location| demand.admits(location));
    let mut places = Vec::with_capacity(found.len());
    for location in &found {
        let cell = model
            .cell_of(&brand.id, location)
            .await?
            .unwrap_or_default();
        places.push(Place::new(location, &cell));
    }
    let items = request.criteria().items();
    let there = match items.is_empty() {
        true => vec![true; places.len()],
        false => {
            let items = Items::read(model, &brand.id, items).await?;
            items.are_at(&places.iter().collect::<Vec<_>>()).await?
        }
    };
    let mut fits = places
        .iter()
        .zip(there)
        .map(|(place, there)| there && demand.admits_place(place));
    found.retain(|_| fits.next().unwrap_or_default());
    let inputs = |location: &Location| -> Vec<LookupInput> {
        let names = ids
            .iter()
            .filter(|id| location.id == **id || location.code == **id);
        names.map(|id| LookupInput { id: id.to_string() }).collect()
    };
    let view = |location: &Rc<Read<Location>>| {
        let distance_m = demand.distance_m(location.geo);
        LocationView::new(location, distance_m, inputs(location), now_ms())
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

fn invalid(Invalid { code, path, detail }: Invalid) -> Error {
    Error::bad_request(code, &path, &detail)
}
