//! The description of the transfer routes for `/openapi.json`.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    CreateRequest, CreatedTransfers, EventRequest, Quote, QuoteRequest, ReasonRequest,
    ReceiveRequest, ShipRequest, Transfer, TransferList,
};
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(
    paths(
        quote_transfer, create_transfers, list_transfers, get_transfer, approve_transfer, refuse_transfer,
        cancel_transfer, pick_transfer, ship_transfer, report_transfer, receive_transfer, close_transfer,
        expire_transfers
    ),
    modifiers(&StaffSession)
)]
pub struct Api;

/// `Authorization: Bearer TOKEN` of a person who signed on at a device.
struct StaffSession;

impl Modify for StaffSession {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "staff_session",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        );
    }
}

/// From where goods could come to a store, and when they would be ready
///
/// Nothing is set aside. Without a proposal `reason` says why.
#[utoipa::path(
    post, path = "/transfers/quote", tag = "transfers", security((), ("staff_session" = [])),
    request_body = QuoteRequest,
    responses(
        (status = 200, body = Quote),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is malformed; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Well formed, but not about what is there; `path` says where. Or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn quote_transfer() {}

/// Have goods brought to a store
///
/// The goods are set aside at their sources. A shopper asks for a cart, an open checkout (which keep
/// them for a while) or a confirmed order, and for no more than that lacks at the store. What is set
/// aside without payment is limited by the brand's policy: by contact, by store, and to a part of what
/// a source has. Staff with the scope `transfer` ask for their own shelf, or send from it.
#[utoipa::path(
    post, path = "/transfers", tag = "transfers", security((), ("staff_session" = [])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = CreateRequest,
    responses(
        (status = 201, body = CreatedTransfers),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is malformed; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The goods cannot come as asked: `no_source`, `not_enough` or `too_many_sources`, with `sources` and `shortages`. Or `unpaid_limit`: no more of `sku` can be set aside at `location_id` for what is not paid. Or nothing of the order is to be collected, the key is in use, or somebody was faster"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Well formed, but not about what is there; `path` says where. Or the key was used for another body"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many_transfers` for this cart, checkout or order, `too_many_requests` of one person, or `store_has_too_many` that are not paid; `Retry-After` says when to ask again"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn create_transfers() {}

/// The transfers of the staff's own location
///
/// The latest first.
#[utoipa::path(
    get, path = "/transfers", tag = "transfers", security(("staff_session" = [])),
    params(
        ("status" = Option<aisle_domain::transfer::Status>, Query),
        ("direction" = Option<String>, Query, description = "`in` or `out`; both without it"),
        ("cursor" = Option<String>, Query, description = "From the page before"),
        ("limit" = Option<i64>, Query, description = "10 unless given, 50 at most", minimum = 1),
    ),
    responses(
        (status = 200, body = TransferList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter is wrong; `path` names it"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn list_transfers() {}

/// Read a transfer
///
/// By a shopper who knows its id, or by staff of either end.
#[utoipa::path(
    get, path = "/transfers/{id}", tag = "transfers", security((), ("staff_session" = [])),
    params(
        ("id" = String, Path),
    ),
    responses(
        (status = 200, body = Transfer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is malformed; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such transfer"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_transfer() {}

/// The source will send it
///
/// Where that comes too late for the departure that was promised, the promise is computed anew.
#[utoipa::path(
    post, path = "/transfers/{id}/approve", tag = "transfers", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    responses(
        (status = 200, body = Transfer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is malformed; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such transfer"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Its state does not allow it; `transfer_status` is what it is. Or the key is still in use, or somebody was faster"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Well formed, but not about what is there; `path` says where. Or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn approve_transfer() {}

/// The source will not send it
///
/// What was set aside is released, and an order is served from another source where there is one.
#[utoipa::path(
    post, path = "/transfers/{id}/refuse", tag = "transfers", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = ReasonRequest,
    responses(
        (status = 200, body = Transfer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is malformed; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such transfer"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Its state does not allow it; `transfer_status` is what it is. Or the key is still in use, or somebody was faster"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Well formed, but not about what is there; `path` says where. Or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn refuse_transfer() {}

/// Call it off before the goods have left
///
/// By staff of either end, or by the shopper for whose cart or checkout it is.
#[utoipa::path(
    post, path = "/transfers/{id}/cancel", tag = "transfers", security((), ("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = ReasonRequest,
    responses(
        (status = 200, body = Transfer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is malformed; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such transfer"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Its state does not allow it; `transfer_status` is what it is. Or the key is still in use, or somebody was faster"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Well formed, but not about what is there; `path` says where. Or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn cancel_transfer() {}

/// Somebody at the source fetches the goods
#[utoipa::path(
    post, path = "/transfers/{id}/pick", tag = "transfers", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    responses(
        (status = 200, body = Transfer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is malformed; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such transfer"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Its state does not allow it; `transfer_status` is what it is. Or the key is still in use, or somebody was faster"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Well formed, but not about what is there; `path` says where. Or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn pick_transfer() {}

/// The goods leave the source
///
/// What does not leave is released, and an order has it brought from elsewhere.
#[utoipa::path(
    post, path = "/transfers/{id}/ship", tag = "transfers", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = ShipRequest,
    responses(
        (status = 200, body = Transfer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is malformed; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such transfer"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Its state does not allow it; `transfer_status` is what it is. Or the key is still in use, or somebody was faster"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Well formed, but not about what is there; `path` says where. Or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn ship_transfer() {}

/// Say where the goods are
///
/// Moves the promise of whoever waits for them. By staff of either end, or by a carrier with an admin key
/// that has the scope `transfers`.
#[utoipa::path(
    post, path = "/transfers/{id}/events", tag = "transfers", security(("staff_session" = []), ("admin_key" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = EventRequest,
    responses(
        (status = 200, body = Transfer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is malformed; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such transfer"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Its state does not allow it; `transfer_status` is what it is. Or the key is still in use, or somebody was faster"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Well formed, but not about what is there; `path` says where. Or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn report_transfer() {}

/// Unpack goods at the destination
///
/// As often as parcels are opened. Of good pieces those that an order lacks are set aside for it.
#[utoipa::path(
    post, path = "/transfers/{id}/receive", tag = "transfers", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = ReceiveRequest,
    responses(
        (status = 200, body = Transfer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is malformed; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such transfer"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Its state does not allow it; `transfer_status` is what it is. Or the key is still in use, or somebody was faster"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Well formed, but not about what is there; `path` says where. Or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn receive_transfer() {}

/// Close the books
///
/// What is still in transit is missing from now on, and somebody is to look into it.
#[utoipa::path(
    post, path = "/transfers/{id}/close", tag = "transfers", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    responses(
        (status = 200, body = Transfer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The request is malformed; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The session is not known or is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Another brand, another store, or a missing scope"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such transfer"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Its state does not allow it; `transfer_status` is what it is. Or the key is still in use, or somebody was faster"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Well formed, but not about what is there; `path` says where. Or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn close_transfer() {}

/// End transfers whose time is up, and promise anew what cannot be kept
///
/// For a ticker. At most 20 of each in a run. What has not left or not arrived in time is promised
/// anew, and the orders that wait are told; what slips too far comes from another source, if one is earlier.
#[utoipa::path(
    post, path = "/transfers/housekeeping", tag = "transfers", security(("relay_key" = [])),
    responses(
        (status = 200, description = "How many were `settled` and how many have `slipped`, and whether `more` may be left", body = Object),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The relay's key is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "No relay key is configured"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn expire_transfers() {}
