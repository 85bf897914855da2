//! The description of the routes for `/openapi.json`.

use std::collections::BTreeMap;

use aisle_domain::count::Status;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

use super::adjustment::{Adjustment, AdjustmentRequest};
use super::delivery::{Delivery, DeliveryList, DeliveryRequest, DeliveryStatus, Receiving};
use super::scan::{ScanAnswer, ScanRequest};
use super::{
    ApproveRequest, Approved, CountDetail, CountList, CountRequest, CountSession, RecountRequest,
};
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(
    paths(list_counts, create_count, get_count, scan_for_count, finish_zone, review_count, recount, approve_count, cancel_count, list_deliveries, announce_delivery, get_delivery, scan_for_delivery, close_delivery, cancel_delivery, adjust_stock, get_receiving, scan_for_transfer),
    modifiers(&StaffSession)
)]
pub struct Api;

/// `Authorization: Bearer TOKEN`, of a person who signed on at a device.
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

/// What every route here refuses in the same way.
struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let described = [
            (
                401,
                "No staff session or key, or one that is not known or over",
            ),
            (
                403,
                "Another brand's or location's, or a scope is lacking: `scope`",
            ),
            (413, "More than 256 KiB"),
            (415, "The body is not JSON"),
            (503, "The database does not answer"),
        ];
        let response = |(status, description): (u16, &str)| {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build();
            let response = ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", content)
                .build();
            (status.to_string(), RefOr::T(response))
        };
        described.into_iter().map(response).collect()
    }
}

/// List the counts of one's own location
#[utoipa::path(
    get, path = "/counts", tag = "counting", security(("staff_session" = [])),
    params(
        ("status" = Option<Status>, Query),
        ("cursor" = Option<String>, Query, description = "From the page before"),
        ("limit" = Option<i64>, Query, description = "10 unless given, 50 at most", minimum = 1),
    ),
    responses(
        (status = 200, body = CountList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`status`, `cursor` or `limit` is wrong"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn list_counts() {}

/// Open a count
#[utoipa::path(
    post, path = "/counts", tag = "counting", security(("staff_session" = [])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = CountRequest,
    responses(
        (status = 201, body = CountSession, headers(("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is no such request"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The first request with this key is still under way"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A SKU is not one of the brand's (`path` names it), or the key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn create_count() {}

/// Read a count with its lines
///
/// In a blind count what is expected is not shown while it is open.
#[utoipa::path(
    get, path = "/counts/{id}", tag = "counting", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("cursor" = Option<String>, Query, description = "From the page before"),
        ("limit" = Option<i64>, Query, description = "10 unless given, 50 at most", minimum = 1),
    ),
    responses(
        (status = 200, body = CountDetail),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`cursor` or `limit` is wrong"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn get_count() {}

/// Count by scans
///
/// Each scan of a device counts once for its sequence number, however often and in whatever order it is sent, also long
/// after it was taken. What cannot be taken is refused one by one. A new scan in a count that is being reviewed opens it again.
#[utoipa::path(
    post, path = "/counts/{id}/scans", tag = "counting", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = ScanRequest,
    responses(
        (status = 200, body = ScanAnswer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is no such request, or has more than 500 scans"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Changed at the same moment; try again"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The idempotency key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn scan_for_count() {}

/// Say that a zone is done
#[utoipa::path(
    post, path = "/counts/{id}/zones/{zone}/done", tag = "counting", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("zone" = String, Path, description = "The zone's name"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    responses(
        (status = 200, body = CountSession),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The `Idempotency-Key` is malformed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id, or the count no such zone"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The count is in another status, in `status`, or was changed at the same moment"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The idempotency key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn finish_zone() {}

/// End the counting and show the variances
#[utoipa::path(
    post, path = "/counts/{id}/review", tag = "counting", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    responses(
        (status = 200, body = CountSession),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The `Idempotency-Key` is malformed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Zones are not done (`zones` names them), or the count is in another status"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The idempotency key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn review_count() {}

/// Count some SKUs again
///
/// From now on only new scans of these SKUs count. "None" is a scan of quantity 0.
#[utoipa::path(
    post, path = "/counts/{id}/recounts", tag = "counting", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = RecountRequest,
    responses(
        (status = 200, body = CountSession),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is no such request"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The count is in another status, in `status`, or was changed at the same moment"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A SKU is not among the counted ones (`path` names it), or the key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn recount() {}

/// Apply the variances
///
/// Each variance is added to the balance of today, so what was sold since changes nothing. A variance of more units than
/// the policy `counting.free_variance_units` needs the scope `approve`. What would break a promise is left and becomes an incident.
#[utoipa::path(
    post, path = "/counts/{id}/approve", tag = "counting", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = Option<ApproveRequest>,
    responses(
        (status = 200, body = Approved),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is no such request"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The count is in another status, in `status`, or was changed at the same moment"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The idempotency key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn approve_count() {}

/// Give a count up
#[utoipa::path(
    post, path = "/counts/{id}/cancel", tag = "counting", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    responses(
        (status = 200, body = CountSession),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The `Idempotency-Key` is malformed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The count is in another status, in `status`, or was changed at the same moment"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The idempotency key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn cancel_count() {}

/// List deliveries
///
/// Staff see those of their own location, keys those of the brand.
#[utoipa::path(
    get, path = "/deliveries", tag = "counting", security(("staff_session" = []), ("admin_key" = [])),
    params(
        ("status" = Option<DeliveryStatus>, Query),
        ("cursor" = Option<String>, Query, description = "From the page before"),
        ("limit" = Option<i64>, Query, description = "10 unless given, 50 at most", minimum = 1),
    ),
    responses(
        (status = 200, body = DeliveryList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`status`, `cursor` or `limit` is wrong"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn list_deliveries() {}

/// Announce a delivery
#[utoipa::path(
    post, path = "/deliveries", tag = "counting", security(("staff_session" = []), ("admin_key" = [])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = DeliveryRequest,
    responses(
        (status = 201, body = Delivery, headers(("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is no such request"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "There is a delivery with this reference, or the first request with this key is still under way"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "An item or the location is not the brand's (`path` names it), or the key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn announce_delivery() {}

/// Read a delivery with what has arrived
#[utoipa::path(
    get, path = "/deliveries/{id}", tag = "counting", security(("staff_session" = []), ("admin_key" = [])),
    params(
        ("id" = String, Path),
    ),
    responses(
        (status = 200, body = Delivery),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn get_delivery() {}

/// Receive a delivery by scans
#[utoipa::path(
    post, path = "/deliveries/{id}/scans", tag = "counting", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = ScanRequest,
    responses(
        (status = 200, body = ScanAnswer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is no such request, or has more than 500 scans"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Changed at the same moment; try again"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The idempotency key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn scan_for_delivery() {}

/// Put what arrived onto the shelf
///
/// Good units are on hand from now on; damaged ones and differences to the announcement are in the answer.
#[utoipa::path(
    post, path = "/deliveries/{id}/close", tag = "counting", security(("staff_session" = []), ("admin_key" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    responses(
        (status = 200, body = Delivery),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The `Idempotency-Key` is malformed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The delivery is over (`status`), or more of a SKU (`sku`) was taken back than came"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The idempotency key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn close_delivery() {}

/// Give up a delivery of which nothing came
#[utoipa::path(
    post, path = "/deliveries/{id}/cancel", tag = "counting", security(("staff_session" = []), ("admin_key" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    responses(
        (status = 200, body = Delivery),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The `Idempotency-Key` is malformed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Something of it was scanned, or it is over: `status`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The idempotency key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn cancel_delivery() {}

/// Put a balance right by hand
///
/// Taking or adding more units than the policy `counting.free_variance_units` needs the scope `approve`.
#[utoipa::path(
    post, path = "/adjustments", tag = "counting", security(("staff_session" = [])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = AdjustmentRequest,
    responses(
        (status = 201, body = Adjustment),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is no such request"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Less would be left than is reserved: `on_hand`, `reserved` and `available`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The item is not the brand's, the reason does not fit, or the key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn adjust_stock() {}

/// Read what of a transfer has been unpacked
#[utoipa::path(
    get, path = "/counts/receiving/{id}", tag = "counting", security(("staff_session" = [])),
    params(
        ("id" = String, Path),
    ),
    responses(
        (status = 200, body = Receiving),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn get_receiving() {}

/// Receive a transfer by scans
///
/// For staff of its destination. `POST /transfers/{id}/receive` with `scanned` puts it on the shelf.
#[utoipa::path(
    post, path = "/counts/receiving/{id}/scans", tag = "counting", security(("staff_session" = [])),
    params(
        ("id" = String, Path, description = "The transfer's"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice"),
    ),
    request_body = ScanRequest,
    responses(
        (status = 200, body = ScanAnswer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is no such request, or has more than 500 scans"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has nothing with this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Changed at the same moment; try again"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The idempotency key was used for another body"),
        Refusals,
    )
)]
#[allow(dead_code)]
fn scan_for_transfer() {}
