//! The description of the checkout routes for `/openapi.json`.

use utoipa::OpenApi;

use super::{Checkout, CheckoutRequest, CompleteRequest};
use crate::envelope::ErrorResponse;

#[derive(OpenApi)]
#[openapi(paths(
    create_checkout,
    get_checkout,
    update_checkout,
    complete_checkout,
    cancel_checkout
))]
pub struct Api;

/// Open a checkout session
///
/// From lines, or from a cart by its id; a cart has one open session at a time.
#[utoipa::path(
    post, path = "/checkout-sessions", tag = "checkout",
    params(
        ("UCP-Agent" = String, Header, description = "The platform's profile", example = "profile=\"https://platform.example/profile\""),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    request_body = CheckoutRequest,
    responses(
        (status = 201, body = Checkout),
        (status = 200, body = CheckoutOrError, description = "The session that the cart has already; or, with `ucp.status` `error`, nothing of it can be bought"),
        (status = 400, body = ErrorResponse, description = "The body makes no sense; the message's path says where"),
        (status = 404, body = ErrorResponse, description = "There is no such cart"),
        (status = 409, body = ErrorResponse, description = "The key was used for another request, or its request is under way"),
        (status = 413, body = ErrorResponse, description = "The body is too large"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn create_checkout() {}

/// Read a checkout session
#[utoipa::path(
    get, path = "/checkout-sessions/{id}", tag = "checkout",
    params(
        ("id" = String, Path, description = "The session's id"),
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
    ),
    responses(
        (status = 200, body = Checkout, description = "The session as it stands"),
        (status = 400, body = ErrorResponse, description = "A header or the id makes no sense"),
        (status = 404, body = ErrorResponse, description = "Unknown or expired"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_checkout() {}

/// Replace what is wanted
///
/// A choice that cannot be honoured leaves the session as it was; the answer is the
/// session with a recoverable error.
#[utoipa::path(
    put, path = "/checkout-sessions/{id}", tag = "checkout",
    params(
        ("id" = String, Path, description = "The session's id"),
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    request_body = CheckoutRequest,
    responses(
        (status = 200, body = Checkout),
        (status = 400, body = ErrorResponse, description = "The body makes no sense; the message's path says where"),
        (status = 404, body = ErrorResponse, description = "Unknown or expired"),
        (status = 409, body = ErrorResponse, description = "Completed, canceled or expired; changed by somebody else just now; or the key was used for another request"),
        (status = 413, body = ErrorResponse, description = "The body is too large"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn update_checkout() {}

/// Place the order
///
/// Stock first, then money. What is short is an `out_of_stock` error for each line, with
/// `requested` and `available`; a payment that fails is a `payment_failed` error. Both
/// leave the session open, and there is no order.
#[utoipa::path(
    post, path = "/checkout-sessions/{id}/complete", tag = "checkout",
    params(
        ("id" = String, Path, description = "The session's id"),
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    request_body = CompleteRequest,
    responses(
        (status = 200, body = Checkout, description = "`completed` with `order`, or what stands in the way"),
        (status = 400, body = ErrorResponse, description = "The body makes no sense; the message's path says where"),
        (status = 404, body = ErrorResponse, description = "Unknown or expired"),
        (status = 409, body = ErrorResponse, description = "Canceled or expired; being completed by another request; or the key was used for another request"),
        (status = 413, body = ErrorResponse, description = "The body is too large"),
        (status = 429, body = ErrorResponse, description = "Too many payments of this buyer are under way; `Retry-After` says when to try again"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn complete_checkout() {}

/// Give a checkout session up
#[utoipa::path(
    post, path = "/checkout-sessions/{id}/cancel", tag = "checkout",
    params(
        ("id" = String, Path, description = "The session's id"),
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    responses(
        (status = 200, body = Checkout),
        (status = 400, body = ErrorResponse, description = "A header or the id makes no sense"),
        (status = 404, body = ErrorResponse, description = "Unknown or expired"),
        (status = 409, body = ErrorResponse, description = "Completed, canceled, expired or being completed; or the key was used for another request"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn cancel_checkout() {}

/// The session, or why there is none; `ucp.status` tells them apart.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[allow(dead_code)]
enum CheckoutOrError {
    Checkout(Box<Checkout>),
    Error(ErrorResponse),
}
