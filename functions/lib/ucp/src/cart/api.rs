//! The description of the cart routes for `/openapi.json`.

use utoipa::OpenApi;

use super::{Cart, CartRequest};
use crate::envelope::ErrorResponse;

#[derive(OpenApi)]
#[openapi(paths(create_cart, get_cart, update_cart, cancel_cart))]
pub struct Api;

/// Create a cart
#[utoipa::path(
    post, path = "/carts", tag = "cart",
    params(
        ("UCP-Agent" = String, Header, description = "The platform's profile", example = "profile=\"https://platform.example/profile\""),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    request_body = CartRequest,
    responses(
        (status = 201, body = Cart),
        (status = 400, body = ErrorResponse, description = "The body makes no sense; the message's path says where"),
        (status = 409, body = ErrorResponse, description = "The key was used for another request, or its request is under way"),
        (status = 413, body = ErrorResponse, description = "The body is too large"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn create_cart() {}

/// Read a cart
#[utoipa::path(
    get, path = "/carts/{id}", tag = "cart",
    params(
        ("id" = String, Path, description = "The cart's id"),
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
    ),
    responses(
        (status = 200, body = Cart),
        (status = 400, body = ErrorResponse, description = "A header or the id makes no sense"),
        (status = 404, body = ErrorResponse, description = "Unknown, expired or canceled"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_cart() {}

/// Replace a cart
#[utoipa::path(
    put, path = "/carts/{id}", tag = "cart",
    params(
        ("id" = String, Path, description = "The cart's id"),
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    request_body = CartRequest,
    responses(
        (status = 200, body = Cart),
        (status = 400, body = ErrorResponse, description = "The body makes no sense; the message's path says where"),
        (status = 404, body = ErrorResponse, description = "Unknown, expired or canceled"),
        (status = 409, body = ErrorResponse, description = "Somebody else changed the cart just now, or the key was used for another request"),
        (status = 413, body = ErrorResponse, description = "The body is too large"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn update_cart() {}

/// Give a cart up
#[utoipa::path(
    post, path = "/carts/{id}/cancel", tag = "cart",
    params(
        ("id" = String, Path, description = "The cart's id"),
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    responses(
        (status = 200, body = Cart, description = "The cart as it was"),
        (status = 400, body = ErrorResponse, description = "A header or the id makes no sense"),
        (status = 404, body = ErrorResponse, description = "Unknown, expired or canceled"),
        (status = 409, body = ErrorResponse, description = "Somebody else changed the cart just now, or the key was used for another request"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn cancel_cart() {}
