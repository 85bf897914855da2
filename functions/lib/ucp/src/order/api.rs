//! The description of `GET /orders/{id}` for `/openapi.json`.

use utoipa::OpenApi;

use super::Order;
use crate::envelope::ErrorResponse;

#[derive(OpenApi)]
#[openapi(paths(get_order))]
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
