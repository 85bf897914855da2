//! The description of the point of sale, and of its people and devices, for `/openapi.json`.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    AuditTrail, CloseRequest, Device, DeviceList, DeviceRequest, DrawerEntry, EntryRequest,
    HandOverRequest, HandedOver, IncidentList, InstalmentReceipt, InstalmentRequest, Offer,
    Receipt, RefundReceipt, RefundRequest, ResolveRequest, SaleRequest, Scanned, ScannedText,
    Session, SettleAnswer, SettleRequest, SignOnRequest, StaffList, StaffMember, StaffRequest,
    TillDay, TillDayRequest,
};
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(
    paths(list_devices, create_devices, revoke_devices, list_staff, create_staff, revoke_staff, sign_on, sign_off, scan, hand_over, give_back, settle_hand_overs, list_incidents, resolve_incident, audit_trail, sell, continue_cart, open_till_day, current_till_day, enter_cash, close_till_day, pay_instalment),
    modifiers(&Tokens)
)]
pub struct Api;

/// `Authorization: Bearer TOKEN`: a device's own token to sign on with, a session's for the rest.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for name in ["device_token", "staff_session"] {
            let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
            components.add_security_scheme(name, scheme);
        }
    }
}

/// List the brand's devices
#[utoipa::path(
    get, path = "/admin/devices", tag = "pos", security(("admin_key" = [])),
    params(("brand" = String, Query, description = "Handle of the brand", example = "north"), ("cursor" = Option<String>, Query, description = "From the page before"), ("limit" = Option<i64>, Query, description = "10 unless given, 50 at most", minimum = 1)),
    responses(
        (status = 200, body = DeviceList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter or the body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key belongs to another brand or lacks the scope `staff`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No brand has this handle, or it has nothing with this id"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn list_devices() {}

/// Let in a device
#[utoipa::path(
    post, path = "/admin/devices", tag = "pos", security(("admin_key" = [])),
    params(("brand" = String, Query, description = "Handle of the brand", example = "north"), ("Idempotency-Key" = Option<String>, Header, description = "The same request again, with the same key, happens once")),
    request_body = DeviceRequest,
    responses(
        (status = 201, body = Device),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter or the body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key belongs to another brand or lacks the scope `staff`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No brand has this handle, or it has nothing with this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The first request with this key is under way"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value; `path` names it"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn create_devices() {}

/// Keep out a device
#[utoipa::path(
    delete, path = "/admin/devices/{id}", tag = "pos", security(("admin_key" = [])),
    params(("brand" = String, Query, description = "Handle of the brand", example = "north"), ("id" = String, Path)),
    responses(
        (status = 204, description = "Done"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter or the body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key belongs to another brand or lacks the scope `staff`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No brand has this handle, or it has nothing with this id"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn revoke_devices() {}

/// List the brand's staff
#[utoipa::path(
    get, path = "/admin/staff", tag = "pos", security(("admin_key" = [])),
    params(("brand" = String, Query, description = "Handle of the brand", example = "north"), ("cursor" = Option<String>, Query, description = "From the page before"), ("limit" = Option<i64>, Query, description = "10 unless given, 50 at most", minimum = 1)),
    responses(
        (status = 200, body = StaffList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter or the body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key belongs to another brand or lacks the scope `staff`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No brand has this handle, or it has nothing with this id"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn list_staff() {}

/// Let in a member of staff
#[utoipa::path(
    post, path = "/admin/staff", tag = "pos", security(("admin_key" = [])),
    params(("brand" = String, Query, description = "Handle of the brand", example = "north"), ("Idempotency-Key" = Option<String>, Header, description = "The same request again, with the same key, happens once")),
    request_body = StaffRequest,
    responses(
        (status = 201, body = StaffMember),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter or the body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key belongs to another brand or lacks the scope `staff`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No brand has this handle, or it has nothing with this id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The code is taken"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value; `path` names it"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn create_staff() {}

/// Keep out a member of staff
#[utoipa::path(
    delete, path = "/admin/staff/{id}", tag = "pos", security(("admin_key" = [])),
    params(("brand" = String, Query, description = "Handle of the brand", example = "north"), ("id" = String, Path)),
    responses(
        (status = 204, description = "Done"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter or the body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key belongs to another brand or lacks the scope `staff`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No brand has this handle, or it has nothing with this id"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn revoke_staff() {}

/// Sign somebody on at a device
///
/// The session lasts twelve hours. Several people can be signed on at one device.
#[utoipa::path(
    post, path = "/pos/sign-on", tag = "pos", security(("device_token" = [])),
    request_body = SignOnRequest,
    responses(
        (status = 201, body = Session),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The device is not known, or no such person has this PIN"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The device belongs to another brand"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many tries with this code or at this device"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn sign_on() {}

/// End a session
#[utoipa::path(
    post, path = "/pos/sign-off", tag = "pos", security(("staff_session" = [])),
    responses(
        (status = 204, description = "Done"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn sign_off() {}

/// What a scanner read, and what can be done with it now
///
/// Takes pickup passes and their codes, GTINs of all lengths, GS1 Digital Links and element strings, order, transfer and hold numbers, carts and checkouts, and SKUs.
#[utoipa::path(
    post, path = "/pos/scan", tag = "pos", security(("staff_session" = [])),
    request_body = ScannedText,
    responses(
        (status = 200, body = Scanned),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "Nothing of this brand is called that"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A pass that is not genuine, or a text that is too long"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many typed codes at this device"),
    )
)]
#[allow(dead_code)]
fn scan() {}

/// Give back at a till what is owed on an order
///
/// All of it that does not go back by itself: what was paid at a till, and what the payment
/// provider refused. Cash leaves the till's drawer.
#[utoipa::path(
    post, path = "/pos/orders/{id}/refunds", tag = "pos", security(("staff_session" = [])),
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "The same request again, with the same key, happens once")),
    request_body = RefundRequest,
    responses(
        (status = 201, body = RefundReceipt),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope: `pos` and `approve`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No order has such an id"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Nothing is owed, no till day is open, or less is in the drawer"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value, or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn give_back() {}

/// Hand an order over, whole or in part
///
/// A pass is good once: what is left after a part needs a new one.
#[utoipa::path(
    post, path = "/pos/orders/{id}/hand-over", tag = "pos", security(("staff_session" = [])),
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "The same request again, with the same key, happens once")),
    request_body = HandOverRequest,
    responses(
        (status = 201, body = HandedOver),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such order or code"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`wrong_store`, `already_used`, `expired`, `not_ready`, `cancelled`, `not_paid` or `not_collected`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A pass that is not genuine or of another order, or lines that cannot be"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many typed codes at this device"),
    )
)]
#[allow(dead_code)]
fn hand_over() {}

/// Settle what was handed over offline
///
/// Settling the same hand-over again changes nothing. One that should not have been is reported as an incident.
#[utoipa::path(
    post, path = "/pos/hand-overs/settle", tag = "pos", security(("staff_session" = [])),
    request_body = SettleRequest,
    responses(
        (status = 200, body = SettleAnswer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Others changed the order again and again"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value; `path` names it"),
    )
)]
#[allow(dead_code)]
fn settle_hand_overs() {}

/// What must be looked into at this store
#[utoipa::path(
    get, path = "/pos/incidents", tag = "pos", security(("staff_session" = [])),
    responses(
        (status = 200, body = IncidentList),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn list_incidents() {}

/// Say that an incident was looked into
#[utoipa::path(
    post, path = "/pos/incidents/{id}/resolve", tag = "pos", security(("staff_session" = [])),
    params(("id" = String, Path)),
    request_body = ResolveRequest,
    responses(
        (status = 204, description = "Done"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such incident"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It was resolved before"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The note is empty or too long"),
    )
)]
#[allow(dead_code)]
fn resolve_incident() {}

/// Who did what at this store, the latest first
#[utoipa::path(
    get, path = "/pos/audit", tag = "pos", security(("staff_session" = [])),
    params(("cursor" = Option<String>, Query, description = "From the page before"), ("limit" = Option<i64>, Query, description = "10 unless given, 50 at most", minimum = 1)),
    responses(
        (status = 200, body = AuditTrail),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The cursor or the limit is wrong"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn audit_trail() {}

/// Sell over the counter
///
/// Creates a completed order and takes the goods off this shelf, all or nothing.
#[utoipa::path(
    post, path = "/pos/sales", tag = "pos", security(("staff_session" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same request again, with the same key, happens once")),
    request_body = SaleRequest,
    responses(
        (status = 201, body = Receipt),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The cart or hold is not there, or not any more"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`out_of_stock` with what is left, or `no_open_till_day`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value, or less was put on the counter than it costs"),
    )
)]
#[allow(dead_code)]
fn sell() {}

/// Continue a cart that was begun on the phone
#[utoipa::path(
    post, path = "/pos/carts/{id}/continue", tag = "pos", security(("staff_session" = [])),
    params(("id" = String, Path)),
    responses(
        (status = 200, body = Offer),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such cart, or not any more"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Nothing in it can be sold here"),
    )
)]
#[allow(dead_code)]
fn continue_cart() {}

/// Open this till's day
#[utoipa::path(
    post, path = "/pos/till-days", tag = "pos", security(("staff_session" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same request again, with the same key, happens once")),
    request_body = TillDayRequest,
    responses(
        (status = 201, body = TillDay),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is open already"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The amount is negative or too high"),
    )
)]
#[allow(dead_code)]
fn open_till_day() {}

/// This till's open day
#[utoipa::path(
    get, path = "/pos/till-days/current", tag = "pos", security(("staff_session" = [])),
    responses(
        (status = 200, body = TillDay),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "None is open"),
    )
)]
#[allow(dead_code)]
fn current_till_day() {}

/// Pay cash in or out
#[utoipa::path(
    post, path = "/pos/till-days/{id}/entries", tag = "pos", security(("staff_session" = [])),
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "The same request again, with the same key, happens once")),
    request_body = EntryRequest,
    responses(
        (status = 201, body = DrawerEntry),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "This till has no such day"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The day is closed, or there is less in the drawer"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value; `path` names it"),
    )
)]
#[allow(dead_code)]
fn enter_cash() {}

/// Close a day with the drawer's count
#[utoipa::path(
    post, path = "/pos/till-days/{id}/close", tag = "pos", security(("staff_session" = [])),
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "The same request again, with the same key, happens once")),
    request_body = CloseRequest,
    responses(
        (status = 200, body = TillDay),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "This till has no such day"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The day is closed"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The amount is negative or too high"),
    )
)]
#[allow(dead_code)]
fn close_till_day() {}

/// Take a part of a layaway at the till
#[utoipa::path(
    post, path = "/pos/layaways/{order_id}/payments", tag = "pos", security(("staff_session" = [])),
    params(("order_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "The same request again, with the same key, happens once")),
    request_body = InstalmentRequest,
    responses(
        (status = 201, body = InstalmentReceipt),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is not of this shape"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session belongs to another brand, or lacks a scope"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such layaway"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is over, the part is not the next, or no till day is open"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value, or less was put on the counter than it costs"),
    )
)]
#[allow(dead_code)]
fn pay_instalment() {}
