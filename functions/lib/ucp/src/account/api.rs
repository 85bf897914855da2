//! The description of the accounts' routes for `/openapi.json`.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    Account, AccountPatch, AttachRequest, Challenge, CodeRequest, CustomerCode, Export, OrderList,
    OrderSummary, Proof, RefreshRequest, RetentionRun, SessionList, SignInRequest, SignedIn,
};
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(paths(
    send_code,
    sign_in,
    refresh_session,
    read_account,
    change_account,
    erase_account,
    add_identity,
    remove_identity,
    list_sessions,
    end_session,
    sign_out,
    attach_order,
    list_orders,
    customer_code,
    export_account,
    web_code,
    web_sign_in,
    web_refresh,
    web_sign_out,
    account_housekeeping
), modifiers(&Tokens))]
pub struct Api;

/// `Authorization: Bearer TOKEN` of a device that is signed in; a browser on our own pages
/// has it in a cookie.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("shopper", scheme);
    }
}

/// Send a code that proves an address
///
/// The answer is the same whether or not anybody has an account with this address. The code has six
/// digits, lasts ten minutes, takes five guesses and works once; a new one ends the one before it.
/// At most 5 in 15 minutes and 20 a day for each address, 30 in 15 minutes for each caller.
#[utoipa::path(
    post, path = "/accounts/codes", tag = "accounts",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    request_body = CodeRequest,
    responses(
        (status = 202, body = Challenge, description = "A code is on its way, unless the address gets no messages"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The key's request is under way, or somebody was faster: try again"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value; or the key was used for another request"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many; `Retry-After` says when", headers(("Retry-After" = String))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn send_code() {}

/// Sign in, or up, with a code
///
/// Who is new gets an account. The tokens are shown once. At most 50 devices are signed in: one
/// more ends the one that was used longest ago.
#[utoipa::path(
    post, path = "/accounts/sessions", tag = "accounts",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: which session it was, without its tokens"),
    ),
    request_body = SignInRequest,
    responses(
        (status = 201, body = SignedIn),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`wrong_code`, with `attempts_left`; `code_over`: used, ended, expired, guessed at too often, or never sent"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`order_taken`: the order belongs to another account; or the key's request is under way, or somebody was faster"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value, such as an order that is not there; or the key was used for another request"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many; `Retry-After` says when", headers(("Retry-After" = String))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn sign_in() {}

/// Exchange a refresh token for the next pair of tokens
///
/// Each works once: one that comes again was stolen, so its session is over (`refresh_token_reused`).
/// An answer that was lost is given again for ten seconds to the same token with the same key.
#[utoipa::path(
    post, path = "/accounts/sessions/refresh", tag = "accounts",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Lets an answer that was lost be given again for ten seconds"),
    ),
    request_body = RefreshRequest,
    responses(
        (status = 200, body = SignedIn),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`refresh_token_unknown`, `refresh_token_reused` or `session_over`: sign in again"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Another request exchanged it at the same moment"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn refresh_session() {}

/// The account
#[utoipa::path(
    get, path = "/accounts/me", tag = "accounts", security(("shopper" = [])),
    params(
        ("If-None-Match" = Option<String>, Header, description = "The ETag that the client has"),
    ),
    responses(
        (status = 200, body = Account, headers(("ETag" = String))),
        (status = 304, description = "Nothing changed"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session: sign in, or refresh"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session is another brand's; or the page that sent this is not ours"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn read_account() {}

/// Change name or language
///
/// A JSON merge patch (RFC 7396).
#[utoipa::path(
    patch, path = "/accounts/me", tag = "accounts", security(("shopper" = [])),
    params(
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is to be changed"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    request_body = AccountPatch,
    responses(
        (status = 200, body = Account, headers(("ETag" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session: sign in, or refresh"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session is another brand's; or the page that sent this is not ours"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The key's request is under way, or somebody was faster: try again"),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "The account is another version by now"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value; or the key was used for another request"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn change_account() {}

/// Erase the account
///
/// At once and for good: the person is gone from every table. Orders stay, as the law asks, without
/// whoever bought them. The sign-in must not be older than ten minutes, unless a code that was sent
/// to one of the account's addresses comes with it.
#[utoipa::path(
    delete, path = "/accounts/me", tag = "accounts", security(("shopper" = [])),
    request_body = Option<Proof>,
    responses(
        (status = 204, description = "The person is forgotten"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session; `wrong_code` or `code_over`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`fresh_sign_in_needed`: send a code along; or the session is another brand's"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Somebody was faster: try again"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn erase_account() {}

/// Add an address to the account
///
/// With a code that was sent there. An address belongs to one account. The sign-in must not be older
/// than ten minutes: whoever signs in with the address can do everything from then on.
#[utoipa::path(
    post, path = "/accounts/me/identities", tag = "accounts", security(("shopper" = [])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    request_body = Proof,
    responses(
        (status = 200, body = Account, headers(("ETag" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session; `wrong_code` or `code_over`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`fresh_sign_in_needed`; the session is another brand's; or the page that sent this is not ours"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`identity_taken`: another account has it; `too_many_identities`; or the key's request is under way"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value; or the key was used for another request"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many; `Retry-After` says when", headers(("Retry-After" = String))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn add_identity() {}

/// Give an address up
///
/// Nobody signs in with it any more, nothing of the account goes there, and it can become another
/// account's. Devices stay signed in. The sign-in must not be older than ten minutes, unless a code
/// that was sent to one of the account's addresses comes with it.
#[utoipa::path(
    delete, path = "/accounts/me/identities/{id}", tag = "accounts", security(("shopper" = [])),
    params(
        ("id" = String, Path, description = "The identity's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    request_body = Option<Proof>,
    responses(
        (status = 200, body = Account, description = "The account without it", headers(("ETag" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session; `wrong_code` or `code_over`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`fresh_sign_in_needed`: send a code along; the session is another brand's; or the page that sent this is not ours"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The account is known by no such address"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`last_identity`; the key's request is under way; or somebody was faster: try again"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The key was used for another request"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many; `Retry-After` says when", headers(("Retry-After" = String))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn remove_identity() {}

/// The devices that are signed in
#[utoipa::path(
    get, path = "/accounts/me/sessions", tag = "accounts", security(("shopper" = [])),
    responses(
        (status = 200, body = SessionList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session: sign in, or refresh"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session is another brand's; or the page that sent this is not ours"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn list_sessions() {}

/// Sign a device out
///
/// It loses access within two seconds.
#[utoipa::path(
    delete, path = "/accounts/me/sessions/{id}", tag = "accounts", security(("shopper" = [])),
    params(
        ("id" = String, Path, description = "The session's id"),
    ),
    responses(
        (status = 204, description = "It is signed out"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session: sign in, or refresh"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session is another brand's; or the page that sent this is not ours"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The account has no such device"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn end_session() {}

/// Sign this device out
#[utoipa::path(
    post, path = "/accounts/sign-out", tag = "accounts", security(("shopper" = [])),
    responses(
        (status = 204, description = "It is signed out"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session: sign in, or refresh"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session is another brand's; or the page that sent this is not ours"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn sign_out() {}

/// Attach an order
///
/// One whose id the shopper knows and that belongs to nobody. From then on others see it only by a link.
#[utoipa::path(
    post, path = "/accounts/me/orders", tag = "accounts", security(("shopper" = [])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    request_body = AttachRequest,
    responses(
        (status = 200, body = OrderSummary),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session: sign in, or refresh"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session is another brand's; or the page that sent this is not ours"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such order, or it belongs to somebody else"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The key's request is under way, or somebody was faster: try again"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The key was used for another request"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many; `Retry-After` says when", headers(("Retry-After" = String))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn attach_order() {}

/// The account's orders, the latest first
#[utoipa::path(
    get, path = "/accounts/me/orders", tag = "accounts", security(("shopper" = [])),
    params(
        ("cursor" = Option<String>, Query, description = "Where the page before ended"),
        ("limit" = Option<i64>, Query, description = "1 to 50; 10 when absent"),
    ),
    responses(
        (status = 200, body = OrderList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session: sign in, or refresh"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session is another brand's; or the page that sent this is not ours"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`limit` is out of bounds"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn list_orders() {}

/// Get a code by which a till knows the customer
///
/// It lasts two minutes. At most 30 in 10 minutes.
#[utoipa::path(
    post, path = "/accounts/me/customer-code", tag = "accounts", security(("shopper" = [])),
    responses(
        (status = 201, body = CustomerCode),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session: sign in, or refresh"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session is another brand's; or the page that sent this is not ours"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many; `Retry-After` says when", headers(("Retry-After" = String))),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn customer_code() {}

/// Everything that is kept about the person
#[utoipa::path(
    get, path = "/accounts/me/export", tag = "accounts", security(("shopper" = [])),
    responses(
        (status = 200, body = Export),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A header, the path or the body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No live session: sign in, or refresh"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The session is another brand's; or the page that sent this is not ours"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn export_account() {}

/// Send a code (form)
///
/// For pages without a script. `return_to` is a path of ours: it begins with one `/`.
/// Fields: `address`, `locale`, `return_to`.
#[utoipa::path(
    post, path = "/accounts/web/codes", tag = "accounts",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To the sign-in page, with `challenge`, or with `error`", headers(("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A field is missing or too long"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`cross_origin`: the page that sent this is not ours"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The form is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "This is not a form"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn web_code() {}

/// Sign in (form)
///
/// For pages without a script. `return_to` is a path of ours: it begins with one `/`.
/// Fields: `challenge`, `code`, `name`, `locale`, `order_id`, `return_to`.
#[utoipa::path(
    post, path = "/accounts/web/sessions", tag = "accounts",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To `return_to`, signed in by cookies; or to the sign-in page with `error`", headers(("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A field is missing or too long"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`cross_origin`: the page that sent this is not ours"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The form is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "This is not a form"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn web_sign_in() {}

/// Refresh (form)
///
/// For pages without a script. `return_to` is a path of ours: it begins with one `/`.
/// Fields: `return_to`.
#[utoipa::path(
    post, path = "/accounts/web/refresh", tag = "accounts",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To `return_to` with new cookies; or to the sign-in page", headers(("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A field is missing or too long"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`cross_origin`: the page that sent this is not ours"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The form is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "This is not a form"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn web_refresh() {}

/// Sign out (form)
///
/// For pages without a script. `return_to` is a path of ours: it begins with one `/`.
/// Fields: `return_to`.
#[utoipa::path(
    post, path = "/accounts/web/sign-out", tag = "accounts",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To `return_to`, signed out", headers(("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A field is missing or too long"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`cross_origin`: the page that sent this is not ours"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The form is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "This is not a form"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn web_sign_out() {}

/// Forget what is kept no longer
///
/// By each brand's policy `retention`. The relay calls it.
#[utoipa::path(
    post, path = "/accounts/housekeeping", tag = "accounts", security(("relay_key" = [])),
    responses(
        (status = 200, body = RetentionRun),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The relay's key is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "No relay key is configured"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn account_housekeeping() {}
