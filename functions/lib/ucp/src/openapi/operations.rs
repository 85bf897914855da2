//! The routes that describe and run the system itself.

use utoipa::OpenApi;

use crate::envelope::{ErrorResponse, Problem};

#[derive(OpenApi)]
#[openapi(paths(
    profile,
    document,
    healthz,
    run_relay,
    dead_events,
    replay_event,
    recover_checkouts
))]
pub struct Api;

/// What this business offers by the Universal Commerce Protocol
#[utoipa::path(
    get, path = "/.well-known/ucp", tag = "system",
    responses((status = 200, description = "The UCP business profile of the request's brand", body = Object))
)]
#[allow(dead_code)]
fn profile() {}

/// This document
#[utoipa::path(
    get, path = "/openapi.json", tag = "system",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
#[allow(dead_code)]
fn document() {}

/// Whether the database and the key-value store answer
#[utoipa::path(
    get, path = "/healthz", tag = "system",
    responses(
        (status = 200, description = "Everything answers", body = Object),
        (status = 503, description = "Something does not; the body says which and why", body = Object),
    )
)]
#[allow(dead_code)]
fn healthz() {}

/// Drain the outbox into the read model, and have the components tidy up
///
/// All that a deployment's ticker calls, every second or so; functions wake it by themselves
/// after each change. Every ten seconds at most it calls the components' housekeeping.
#[utoipa::path(
    post, path = "/relay/run", tag = "system", security(("relay_key" = [])),
    responses(
        (status = 200, description = "How many events were carried out, whether more wait, and what the housekeeping answered when it was its time", body = Object),
        (status = 202, description = "With `Prefer: respond-async`: it begins now, without the housekeeping"),
        (status = 401, description = "The relay's key is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "No relay key is configured", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
#[allow(dead_code)]
fn run_relay() {}

/// The events that were given up
#[utoipa::path(
    get, path = "/relay/dead", tag = "system", security(("relay_key" = [])),
    responses(
        (status = 200, description = "At most 50, the oldest first, with the number of attempts", body = Object),
        (status = 401, description = "The relay's key is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "No relay key is configured", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
#[allow(dead_code)]
fn dead_events() {}

/// Try an event again that was given up
#[utoipa::path(
    post, path = "/relay/dead/{seq}/replay", tag = "system", security(("relay_key" = [])),
    params(("seq" = i64, Path, description = "The event's place in the outbox")),
    responses(
        (status = 202, description = "It is among the waiting events again"),
        (status = 401, description = "The relay's key is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "No relay key is configured", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such event was given up", body = Problem, content_type = "application/problem+json"),
    )
)]
#[allow(dead_code)]
fn replay_event() {}

/// End completions that were cut short
///
/// So that no stock stays reserved for them. The relay calls it.
#[utoipa::path(
    post, path = "/checkout-sessions/recover", tag = "system", security(("relay_key" = [])),
    responses(
        (status = 200, description = "How many sessions are open again or completed, and whether more wait", body = Object),
        (status = 401, description = "The relay's key is missing or wrong", body = ErrorResponse),
        (status = 403, description = "No relay key is configured", body = ErrorResponse),
        (status = 503, description = "The database does not answer", body = ErrorResponse),
    )
)]
#[allow(dead_code)]
fn recover_checkouts() {}
