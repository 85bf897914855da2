//! The description of the sync routes for `/openapi.json`.

use utoipa::OpenApi;

use super::Synced;
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(paths(sync, sync_stream))]
pub struct Api;

/// What has changed since a device last asked
///
/// Carts, orders, invites and notices of the account, each once and as it is now, however
/// often it changed; what is gone comes as `deleted`. Without a cursor: all that there is.
/// At most 500 in one answer, so that a device which was away for a month has all of it with
/// one call; `more` says when there is still more.
#[utoipa::path(
    get, path = "/sync", tag = "sync", security(("shopper" = [])),
    params(
        ("cursor" = Option<String>, Query, description = "The cursor of the last answer or event"),
        ("limit" = Option<i64>, Query, description = "Changes in the answer, at most; 500 when absent, and never more", minimum = 1),
    ),
    responses(
        (status = 200, body = Synced),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The cursor is no cursor or another account's (`invalid_cursor`), or the limit is no number from 1"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session of an account"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session is another brand's"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn sync() {}

/// The same as it happens: server-sent events
///
/// Each event is named `changes`; its data is an answer of `GET /sync`, its id the answer's
/// cursor. A change shows within two seconds, whichever process made it, and a comment comes
/// at least every 15 seconds. The stream ends after five minutes, and when the session does;
/// a client opens the next one with `Last-Event-ID` and misses nothing.
#[utoipa::path(
    get, path = "/sync/stream", tag = "sync", security(("shopper" = [])),
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that the client has; it goes before `cursor`"),
        ("cursor" = Option<String>, Query, description = "The cursor of the last answer, for the first stream"),
        ("limit" = Option<i64>, Query, description = "Changes in an event, at most; 500 when absent, and never more", minimum = 1),
    ),
    responses(
        (status = 200, description = "`text/event-stream` (HTML Living Standard, section 9.2)", body = String, content_type = "text/event-stream"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The cursor is no cursor or another account's (`invalid_cursor`), or the limit is no number from 1"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session of an account"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session is another brand's"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many_streams`: this device has 8 open, or the account 24; `Retry-After` says when to try again", headers(("Retry-After" = String))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn sync_stream() {}
