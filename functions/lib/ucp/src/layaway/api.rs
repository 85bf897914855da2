//! The description of the layaway routes for `/openapi.json`.

use utoipa::OpenApi;

use super::{Layaway, PartPaymentRequest};
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(paths(get_layaway, pay_layaway, cancel_layaway))]
pub struct Api;

/// Read a layaway
///
/// The schedule, what is paid, what is due next, and what giving it up would cost.
#[utoipa::path(
    get, path = "/layaways/{order_id}", tag = "layaways",
    params(("order_id" = String, Path)),
    responses(
        (status = 200, body = Layaway),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The id is no text"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No order of the brand is paid in parts by this id"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_layaway() {}

/// Pay the next part
#[utoipa::path(
    post, path = "/layaways/{order_id}/payments", tag = "layaways",
    params(("order_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing is paid twice")),
    request_body = PartPaymentRequest,
    responses(
        (status = 200, body = Layaway),
        (status = 202, body = Layaway, description = "The provider has not answered yet; read the layaway again in a minute"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body makes no sense; `path` names the member"),
        (status = 402, body = Problem, content_type = "application/problem+json", description = "The payment was declined"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No order of the brand is paid in parts by this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is over or past its deadline (`state` says what it is), another part is next, or a payment is under way"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "There is not exactly one instrument of a handler on offer; or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn pay_layaway() {}

/// Give a layaway up
///
/// The fee is what the policy of the day of the purchase sets; the goods are free again.
#[utoipa::path(
    post, path = "/layaways/{order_id}/cancel", tag = "layaways",
    params(("order_id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = Layaway),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header or the id makes no sense"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No order of the brand is paid in parts by this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is over already (`state` says how), or a payment is under way"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The key was used for another request"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn cancel_layaway() {}
