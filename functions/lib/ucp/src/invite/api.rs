//! The description of the invite routes for `/openapi.json`.

use utoipa::OpenApi;

use super::{Claimed, Invite, InviteList, InviteRequest, LinkTarget};
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(paths(
    create_invite,
    list_invites,
    get_invite,
    revoke_invite,
    claim_invite,
    open_link,
    open_link_in_app,
    confirm_claim,
    claim_link,
    apple_association,
    android_association
))]
pub struct Api;

/// Text a link to somebody
///
/// To an order, a cart or the own account, by whoever may see it, or by staff with the scope
/// `pos` for an order of their store. The consent is recorded before anything is sent. The
/// text carries a link that opens this one thing for a while; this answer does not have it.
/// Whether a number wants no texts is told to staff, and to whoever is signed in with it.
#[utoipa::path(
    post, path = "/invites", tag = "invites", security((), ("shopper" = []), ("staff_session" = [])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and one text"),
        ("Accept-Language" = Option<String>, Header, description = "The text's language, where the body names none: English, Spanish or German"),
    ),
    request_body = InviteRequest,
    responses(
        (status = 201, body = Invite, headers(("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body makes no sense; `path` names the member"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "It belongs to an account: sign in; or the token is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "A token of another brand, an order of another store, staff without the scope `pos`, a page of another origin"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such order, cart or account for this caller"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`opted_out`: the number wants no texts of this brand until it says START; or the first request with this key is still under way"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The address is none, or none that is texted (`code` says why, such as `country_not_served`); no consent; or the key was used for another body"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many_invites`: to this address, by this caller or of this brand; `Retry-After` says when to ask again", headers(("Retry-After" = i64))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn create_invite() {}

/// The links to an order, a cart or an account
#[utoipa::path(
    get, path = "/invites", tag = "invites", security((), ("shopper" = []), ("staff_session" = [])),
    params(
        ("order" = Option<String>, Query, description = "The order's id"),
        ("cart" = Option<String>, Query, description = "Or the cart's"),
        ("account" = Option<String>, Query, description = "Or the own account's"),
        ("limit" = Option<i64>, Query, description = "At least 1; 10 when absent, 50 at most"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
    ),
    responses(
        (status = 200, body = InviteList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "None or several of them, or a parameter that makes no sense"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "It belongs to an account: sign in; or the token is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "A token of another brand, an order of another store, staff without the scope `pos`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such order, cart or account for this caller"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn list_invites() {}

/// Read how a link stands
#[utoipa::path(
    get, path = "/invites/{id}", tag = "invites", security((), ("shopper" = []), ("staff_session" = [])),
    params(("id" = String, Path)),
    responses(
        (status = 200, body = Invite),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The id is no text"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "It belongs to an account: sign in; or the token is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "A token of another brand, an order of another store, staff without the scope `pos`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such link for this caller"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_invite() {}

/// Revoke a link
///
/// From then on it leads nowhere. Repeating it does no harm.
#[utoipa::path(
    delete, path = "/invites/{id}", tag = "invites", security((), ("shopper" = []), ("staff_session" = [])),
    params(("id" = String, Path)),
    responses(
        (status = 204, description = "It is revoked"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The id is no text"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "It belongs to an account: sign in; or the token is over"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "A token of another brand, an order of another store, staff without the scope `pos`, a page of another origin"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such link for this caller"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn revoke_invite() {}

/// Make a link the account's own
///
/// The order belongs to the account from then on, the cart becomes the account's or part of
/// the one that it has, the number is confirmed. The link is used up for everybody else. Repeating it does no harm.
#[utoipa::path(
    post, path = "/invites/{code}/claim", tag = "invites", security(("shopper" = [])),
    params(("code" = String, Path, description = "The code of the link")),
    responses(
        (status = 200, body = Claimed),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The code is no text"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "Nobody is signed in"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "A token of another brand, or a page of another origin"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`link_unknown`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`not_yours`: it belongs to another account; `being_bought`: its cart is at this moment; or another change came first"),
        (status = 410, body = Problem, content_type = "application/problem+json", description = "`link_expired`, `link_revoked`, `link_used` by another account, or `link_over`: its cart is no more"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many unknown codes from this address", headers(("Retry-After" = i64))),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The account's cart and this one together are no cart that there can be"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn claim_invite() {}

/// Follow a link
///
/// A browser is led to the page, with a cookie that opens it. It changes nothing, whoever
/// asks and however often; what previews links for others gets a page that says nothing about
/// anybody. An app that opened the link by itself asks with `Accept: application/json` what it
/// is for, and shows the code as `Authorization: Bearer lnk_CODE` from then on.
#[utoipa::path(
    get, path = "/i/{code}", tag = "invites",
    params(
        ("code" = String, Path),
        ("Accept-Language" = Option<String>, Header, description = "English, Spanish or German"),
    ),
    responses(
        (status = 200, description = "With `Accept: application/json`: what it is for. To previewers: a page without personal data", content(
            (LinkTarget = "application/json"), (String = "text/html; charset=utf-8"),
        )),
        (status = 303, description = "To the page", headers(("Location" = String), ("Set-Cookie" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The code is no text"),
        (status = 404, description = "No such link: a page, or a problem for who asks for JSON", content(
            (Problem = "application/problem+json"), (String = "text/html; charset=utf-8"),
        )),
        (status = 410, description = "It has expired, was revoked, or is another account's: the same", content(
            (Problem = "application/problem+json"), (String = "text/html; charset=utf-8"),
        )),
        (status = 429, description = "Too many unknown codes from this address: the same", headers(("Retry-After" = i64)), content(
            (Problem = "application/problem+json"), (String = "text/html; charset=utf-8"),
        )),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn open_link() {}

/// Open a link in the brand's app, or find the app
///
/// On Android the app opens, or its page in the store; on an iPhone the App Store shows the
/// app. Elsewhere, and without an app: the link itself.
#[utoipa::path(
    get, path = "/i/{code}/app", tag = "invites", params(("code" = String, Path)),
    responses(
        (status = 303, description = "To the app, the store or the link", headers(("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The code is no text"),
        (status = 404, description = "That can be no code", content((Problem = "application/problem+json"), (String = "text/html; charset=utf-8"))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn open_link_in_app() {}

/// Ask whether the account shall own what a link is for: a page with one button
#[utoipa::path(
    get, path = "/i/{code}/claim", tag = "invites", params(("code" = String, Path)),
    responses(
        (status = 200, description = "A form", body = String, content_type = "text/html; charset=utf-8"),
        (status = 303, description = "To the page where it belongs to the account already, or to signing in", headers(("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The code is no text"),
        (status = 404, description = "No such link", content((Problem = "application/problem+json"), (String = "text/html; charset=utf-8"))),
        (status = 409, description = "It belongs to another account", content((Problem = "application/problem+json"), (String = "text/html; charset=utf-8"))),
        (status = 410, description = "It is over", content((Problem = "application/problem+json"), (String = "text/html; charset=utf-8"))),
        (status = 429, description = "Too many unknown codes from this address", content((Problem = "application/problem+json"), (String = "text/html; charset=utf-8"))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn confirm_claim() {}

/// The same as `POST /invites/{code}/claim`, from a page
#[utoipa::path(
    post, path = "/i/{code}/claim", tag = "invites", params(("code" = String, Path)),
    responses(
        (status = 303, description = "To the page, or to signing in", headers(("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The code is no text"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From a page of another origin"),
        (status = 404, description = "No such link", content((Problem = "application/problem+json"), (String = "text/html; charset=utf-8"))),
        (status = 409, description = "It belongs to another account", content((Problem = "application/problem+json"), (String = "text/html; charset=utf-8"))),
        (status = 410, description = "It is over", content((Problem = "application/problem+json"), (String = "text/html; charset=utf-8"))),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The account's cart and this one together are no cart that there can be"),
        (status = 429, description = "Too many unknown codes from this address", content((Problem = "application/problem+json"), (String = "text/html; charset=utf-8"))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn claim_link() {}

/// Which links the brand's app opens on iPhones
#[utoipa::path(
    get, path = "/.well-known/apple-app-site-association", tag = "invites",
    responses(
        (status = 200, description = "Apple's associated domains file", body = Object),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no app for iPhones"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn apple_association() {}

/// Which links the brand's app opens on Android
#[utoipa::path(
    get, path = "/.well-known/assetlinks.json", tag = "invites",
    responses(
        (status = 200, description = "Digital Asset Links", body = Vec<Object>),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no app for Android"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn android_association() {}
