//! The description of what a shopper can do about an order for `/openapi.json`.

use utoipa::OpenApi;

use super::{
    Cancelled, Collector, NotificationChoices, Notifications, PickupPerson, ReturnRequested,
    ReturnWish,
};
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(paths(
    cancel_order,
    change_pickup_person,
    start_return,
    get_notifications,
    choose_notifications
))]
pub struct Api;

/// Cancel an order
///
/// While nothing of it was handed over and none of its goods are on the road, as far as the
/// brand's policy allows. What was set aside is free again, its transfers are called off, its
/// pass ends, and what was paid goes back. No body is needed.
#[utoipa::path(
    post, path = "/orders/{id}/cancel", tag = "order",
    params(
        ("id" = String, Path, description = "The order's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with this key repeats the answer"),
    ),
    responses(
        (status = 200, body = Cancelled),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header or the path makes no sense"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The order belongs to an account: sign in"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The token is another brand's"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such order"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`cancelled`, `already_handed_over`, `in_transit`, `already_ready`, `paid_in_parts`, `payment_in_progress` or `cancellation_not_allowed`; or the key is in use"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The key was used for another request"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn cancel_order() {}

/// Say who collects an order
///
/// Staff see the name when they scan the pass and hand the order over.
#[utoipa::path(
    put, path = "/orders/{id}/pickup-person", tag = "order",
    params(
        ("id" = String, Path, description = "The order's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with this key repeats the answer"),
    ),
    request_body = PickupPerson,
    responses(
        (status = 200, body = Collector),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The order belongs to an account: sign in"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The token is another brand's"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such order"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`nothing_to_collect`; or the key is in use"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The name is too long or empty; or the key was used for another request"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many changes; `Retry-After` says when", headers(("Retry-After" = String))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn change_pickup_person() {}

/// Start a return
///
/// The brand's policy decides: the window counts from the hand-over. The decision and its
/// reasons are kept with the return.
#[utoipa::path(
    post, path = "/orders/{id}/returns", tag = "order",
    params(
        ("id" = String, Path, description = "The order's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with this key repeats the answer"),
    ),
    request_body = ReturnWish,
    responses(
        (status = 201, body = ReturnRequested),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The order belongs to an account: sign in"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The token is another brand's"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such order"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`return_refused`, with `reasons` and `evidence`; or the key is in use"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A line is not the order's or wants back more than was handed over; or the key was used for another request"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn start_return() {}

/// Who is told what happens to an order
#[utoipa::path(
    get, path = "/orders/{id}/notifications", tag = "order",
    params(("id" = String, Path, description = "The order's id")),
    responses(
        (status = 200, body = Notifications),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path makes no sense"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The order belongs to an account: sign in"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The token is another brand's"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such order"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_notifications() {}

/// Choose who is told what happens to an order
///
/// A channel can be switched off, and on again for the address that it had. A new address
/// needs the consent of its owner, which is recorded. At most 10 new addresses a day for
/// each order.
#[utoipa::path(
    put, path = "/orders/{id}/notifications", tag = "order",
    params(
        ("id" = String, Path, description = "The order's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with this key repeats the answer"),
    ),
    request_body = NotificationChoices,
    responses(
        (status = 200, body = Notifications),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The order belongs to an account: sign in"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The token is another brand's"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such order"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`no_contact`: there is no address to send news to; `opted_out`: its owner said STOP; or the key is in use"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "No such number or address, or no consent; or the key was used for another request"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many new addresses; `Retry-After` says when", headers(("Retry-After" = String))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn choose_notifications() {}
