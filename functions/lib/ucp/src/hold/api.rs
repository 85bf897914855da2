//! The description of the hold routes for `/openapi.json`.

use utoipa::OpenApi;

use super::{
    Hold, HoldRequest, HousekeepingRun, NotFoundRequest, PickupNotFoundRequest, PickupState,
    PullList,
};
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(paths(
    create_hold,
    get_hold,
    cancel_hold,
    pull_list,
    hold_pulled,
    hold_not_found,
    pickup_ready,
    pickup_not_found,
    hold_housekeeping
))]
pub struct Api;

/// Have goods kept at a store, without payment
///
/// The units are set aside at once and given back when the time is over.
#[utoipa::path(
    post, path = "/holds", tag = "holds",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice")),
    request_body = HoldRequest,
    responses(
        (status = 201, body = Hold, headers(("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body makes no sense; `path` names the member"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`out_of_stock` with `sku` and `available`; `too_many_open_holds` of this contact; or the first request with this key is still under way"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The brand offers no holds, the store keeps nothing, the SKU is unknown, it is too much, nobody could be reached; or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn create_hold() {}

/// Read a hold
#[utoipa::path(
    get, path = "/holds/{id}", tag = "holds",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = Hold),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The id is no text"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such hold"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_hold() {}

/// Give a hold up
///
/// By the shopper, who knows its id, or with a staff session of the store that keeps it.
#[utoipa::path(
    post, path = "/holds/{id}/cancel", tag = "holds", security((), ("staff_session" = [])),
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = Hold),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header or the id makes no sense"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session shown is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "A session of another brand or store, or without the scope `stock`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such hold"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is over already; `state` says how"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The key was used for another request"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn cancel_hold() {}

/// What is to be taken off the shelves of the session's store
///
/// Holds that are requested and orders that are being prepared, by the time at which they
/// were promised to lie ready.
#[utoipa::path(
    get, path = "/holds/pull-list", tag = "holds", security(("staff_session" = [])),
    params(
        ("cursor" = Option<String>, Query, description = "From the page before"),
        ("limit" = Option<i64>, Query, description = "10 unless given, 50 at most", minimum = 1),
    ),
    responses(
        (status = 200, body = PullList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`cursor` or `limit` is wrong"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "A session of another brand, or without the scope `stock`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn pull_list() {}

/// The goods of a hold are off the shelf
#[utoipa::path(
    post, path = "/holds/{id}/pulled", tag = "holds", security(("staff_session" = [])),
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = Hold),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header or the id makes no sense"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "A session of another brand or store, or without the scope `stock`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such hold"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is pulled or over already; `state` says which"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The key was used for another request"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn hold_pulled() {}

/// Goods of a hold are not where they should be
///
/// The missing units are let go, or as many of a substitute are kept in their place; an
/// incident `not_found` asks for a count. A hold of which nothing is left is released.
#[utoipa::path(
    post, path = "/holds/{id}/not-found", tag = "holds", security(("staff_session" = [])),
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = NotFoundRequest,
    responses(
        (status = 200, body = Hold),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body makes no sense; `path` names the member"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "A session of another brand or store, or without the scope `stock`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such hold"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is pulled or over already, or the store has too few of the substitute"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "More than is held, a substitute that is not sold; or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn hold_not_found() {}

/// An order lies ready to be collected
#[utoipa::path(
    post, path = "/holds/pickups/{order_id}/ready", tag = "holds", security(("staff_session" = [])),
    params(("order_id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = PickupState),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header or the id makes no sense"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "A session of another brand or store, or without the scope `stock`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No order of the brand is collected by this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is not being prepared; `state` says what it is"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The key was used for another request"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn pickup_ready() {}

/// Pieces of an order are not where they should be
///
/// The order goes on being prepared; its timeline says so, and an incident `not_found`
/// asks for a count.
#[utoipa::path(
    post, path = "/holds/pickups/{order_id}/not-found", tag = "holds", security(("staff_session" = [])),
    params(("order_id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = PickupNotFoundRequest,
    responses(
        (status = 200, body = PickupState),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body makes no sense; `path` names the member"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "A session of another brand or store, or without the scope `stock`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No order of the brand is collected by this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is not being prepared; `state` says what it is"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "More than is collected; or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn pickup_not_found() {}

/// Give back what is kept past its time
///
/// For a ticker. Bounded; `more` says that another run is worth it.
#[utoipa::path(
    post, path = "/holds/housekeeping", tag = "system", security(("relay_key" = [])),
    responses(
        (status = 200, body = HousekeepingRun),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The relay's key is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "No relay key is configured"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn hold_housekeeping() {}
