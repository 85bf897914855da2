//! The description of the pickup pass's routes for `/openapi.json`.

use utoipa::OpenApi;

use super::{Pass, PassKeys};
use crate::envelope::{ErrorResponse, Problem};

#[derive(OpenApi)]
#[openapi(paths(issue_pass, pass_image, pass_keys))]
pub struct Api;

/// Get a pass to collect an order with
///
/// For an order that lies ready. Each new pass ends the one before it; the page asks for
/// the next one at `refresh_after`. At most 20 in 10 minutes for each order.
#[utoipa::path(
    post, path = "/orders/{id}/pass", tag = "pickup",
    params(
        ("id" = String, Path, description = "The order's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with this key repeats the answer"),
    ),
    responses(
        (status = 201, body = Pass),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header or the id makes no sense"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such order"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`not_ready`, with `ready_at` and `pickup_status`; `already_collected`; `cancelled`; or the key is in use"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body, which need not be there, is too long"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`no_pickup`: the order is not collected at a store; or the key was used for another request"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many passes; `Retry-After` says when", headers(("Retry-After" = String))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`passes_unavailable`: no key is configured; or the database does not answer"),
    )
)]
#[allow(dead_code)]
fn issue_pass() {}

/// Show a pass
///
/// The QR code has a quiet zone of 4 modules and error level M, the Code 128 barcode one of
/// 10 modules and the code as text below it. Never cached.
#[utoipa::path(
    get, path = "/orders/{id}/pass/{pass_id}/{image}", tag = "pickup",
    params(
        ("id" = String, Path, description = "The order's id"),
        ("pass_id" = String, Path, description = "The pass's id"),
        ("image" = String, Path, description = "`qr.svg`, `qr.png`, `barcode.svg` or `barcode.png`", example = "qr.svg"),
        ("module_px" = Option<u32>, Query, description = "Pixels of a module, 1 to 20; 8 for the QR code and 4 for the barcode when absent"),
    ),
    responses(
        (status = 200, description = "The image", content((String = "image/svg+xml"), (String = "image/png"))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`module_px` is out of bounds, or an id is no text"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such pass or image"),
        (status = 410, body = Problem, content_type = "application/problem+json", description = "`pass_expired`: its time is over, or a newer one ended it"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`passes_unavailable`: no key is configured; or the database does not answer"),
    )
)]
#[allow(dead_code)]
fn pass_image() {}

/// The keys with which a till verifies passes while it is offline
#[utoipa::path(
    get, path = "/orders/pass-keys", tag = "pickup",
    responses(
        (status = 200, body = PassKeys, description = "A JSON Web Key Set (RFC 7517, RFC 8037)", headers(("ETag" = String), ("Cache-Control" = String))),
        (status = 304, description = "Nothing changed since that ETag"),
        (status = 503, body = ErrorResponse, description = "`passes_unavailable`: no key is configured"),
    )
)]
#[allow(dead_code)]
fn pass_keys() {}
