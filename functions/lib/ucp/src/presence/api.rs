//! The description of the presence routes for `/openapi.json`.

use utoipa::OpenApi;

use super::{Board, PresenceAnswer, PresenceReport};
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(paths(report_presence, withdraw_presence, arrivals, arrivals_stream))]
pub struct Api;

/// Say that somebody is on the way, or there
///
/// Only with the shopper's consent, and only for an order that waits to be collected. The
/// store and the signal are kept, for as long as the brand's policy says, and no place: a
/// member that is not described here is refused. A repetition prolongs; `on_my_way` does
/// not undo `arrived`. The signal `till_scan` needs a staff session of the store.
#[utoipa::path(
    post, path = "/orders/{id}/presence", tag = "presence",
    params(
        ("id" = String, Path, description = "The order's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
        ("Authorization" = Option<String>, Header, description = "`Bearer TOKEN` of a staff session, for `till_scan`"),
    ),
    request_body = PresenceReport,
    responses(
        (status = 200, body = PresenceAnswer, description = "What is known now"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`till_scan` without a live staff session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The staff session is another store's or brand's"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such order"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Nothing of the order waits to be collected; or the key's request is under way"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "No consent; or the key was used for another request"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn report_presence() {}

/// Withdraw the consent
///
/// What was kept is deleted. Nothing to delete is no error.
#[utoipa::path(
    delete, path = "/orders/{id}/presence", tag = "presence",
    params(("id" = String, Path, description = "The order's id")),
    responses(
        (status = 204, description = "Nothing is known any more"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path makes no sense"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such order"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn withdraw_presence() {}

/// Who is here, and for which orders
#[utoipa::path(
    get, path = "/pos/arrivals", tag = "presence", security(("staff_session" = [])),
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of the board that the client has")),
    responses(
        (status = 200, body = Board, headers(("ETag" = String))),
        (status = 304, description = "Nothing changed since that ETag"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path makes no sense"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live staff session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session lacks the scope `pos` or is another brand's"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn arrivals() {}

/// The board as it changes: server-sent events
///
/// Each event is named `board`; its data is the answer of `GET /pos/arrivals`, its id names
/// the board's content. The first event is the board as it is, unless `Last-Event-ID` names
/// it already; the next ones follow within two seconds of a change, and a comment at least
/// every 15 seconds. The stream ends after five minutes, and when the session ends; a client
/// opens the next one with `Last-Event-ID` and misses nothing.
#[utoipa::path(
    get, path = "/pos/arrivals/stream", tag = "presence", security(("staff_session" = [])),
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that the client has")),
    responses(
        (status = 200, description = "`text/event-stream` (HTML Living Standard, section 9.2)", body = String, content_type = "text/event-stream"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The path makes no sense"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live staff session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session lacks the scope `pos` or is another brand's"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many_streams`: this device has 4 open, or the board 100; `Retry-After` says when to try again", headers(("Retry-After" = String))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn arrivals_stream() {}
