//! The description of reading an order for `/openapi.json`.

use utoipa::OpenApi;

use super::{Order, Timeline};
use crate::envelope::{ErrorResponse, Problem};

#[derive(OpenApi)]
#[openapi(paths(get_order, get_timeline))]
pub struct Api;

/// Read an order
#[utoipa::path(
    get, path = "/orders/{id}", tag = "order",
    params(
        ("id" = String, Path, description = "The order's id"),
        ("UCP-Agent" = String, Header, description = "The platform's profile", example = "profile=\"https://platform.example/profile\""),
    ),
    responses(
        (status = 200, body = Order),
        (status = 400, body = ErrorResponse, description = "A header or the id makes no sense"),
        (status = 404, body = ErrorResponse, description = "The brand has no such order"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_order() {}

/// Read what happened to an order
///
/// In full, with moved promises and reasons, where UCP's `fulfillment.events` have no room.
#[utoipa::path(
    get, path = "/orders/{id}/timeline", tag = "order",
    params(("id" = String, Path, description = "The order's id")),
    responses(
        (status = 200, body = Timeline, description = "The latest 100 entries, the oldest first"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The id is no text"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such order"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_timeline() {}
