//! The description of the cart routes for `/openapi.json`.

use utoipa::OpenApi;

use super::{Cart, CartRequest, MergeRequest};
use crate::envelope::ErrorResponse;

#[derive(OpenApi)]
#[openapi(paths(create_cart, get_cart, update_cart, cancel_cart, own_cart, merge_cart))]
pub struct Api;

/// Create a cart
///
/// With the token of an account the cart is the account's, which has one at a time.
#[utoipa::path(
    post, path = "/carts", tag = "cart",
    params(
        ("UCP-Agent" = String, Header, description = "The platform's profile", example = "profile=\"https://platform.example/profile\""),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
        ("Authorization" = Option<String>, Header, description = "`Bearer TOKEN` of the account or the link that the cart belongs to"),
    ),
    request_body = CartRequest,
    responses(
        (status = 201, body = Cart, headers(("ETag" = String))),
        (status = 400, body = ErrorResponse, description = "The body makes no sense; the message's path says where"),
        (status = 401, body = ErrorResponse, description = "The token is not known or is over"),
        (status = 403, body = ErrorResponse, description = "The token is another brand's"),
        (status = 409, body = ErrorResponse, description = "The account has a cart: `cart_id` (`cart_exists`); or the key was used for another request, or its request is under way"),
        (status = 413, body = ErrorResponse, description = "The body is too large"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn create_cart() {}

/// Read a cart
#[utoipa::path(
    get, path = "/carts/{id}", tag = "cart",
    params(
        ("id" = String, Path, description = "The cart's id"),
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the cart that the client has"),
        ("Authorization" = Option<String>, Header, description = "`Bearer TOKEN` of the account or the link that the cart belongs to"),
    ),
    responses(
        (status = 200, body = Cart, headers(("ETag" = String))),
        (status = 304, description = "Nothing changed since that ETag"),
        (status = 400, body = ErrorResponse, description = "A header or the id makes no sense"),
        (status = 401, body = ErrorResponse, description = "The cart is an account's, and nobody is signed in; or the token is not known or is over"),
        (status = 403, body = ErrorResponse, description = "The token is another brand's"),
        (status = 404, body = ErrorResponse, description = "Unknown, expired, canceled, bought, or somebody else's"),
        (status = 410, body = ErrorResponse, description = "It has become part of your account's cart: `cart_id`"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_cart() {}

/// Replace or change a cart
///
/// Without `If-Match`, or with `*`, the cart is replaced by the body. With the ETag that the
/// client has, the body is what the client makes of that version: when other devices have
/// changed the cart meanwhile, both changes are made, field by field. Where both changed the
/// same field the later request wins, and `messages` say what it was before and by whom: code
/// `overridden` with `earlier`, `earlier_by`, `by` and the `version` that it came with. Such a
/// message stays for 20 versions, so that every device gets to see it. New lines had best have
/// an id of the client's own, or the request an `Idempotency-Key`, so that they are not put in
/// twice when an answer is lost.
#[utoipa::path(
    put, path = "/carts/{id}", tag = "cart",
    params(
        ("id" = String, Path, description = "The cart's id"),
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the cart that the client has changed"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
        ("Authorization" = Option<String>, Header, description = "`Bearer TOKEN` of the account or the link that the cart belongs to"),
    ),
    request_body = CartRequest,
    responses(
        (status = 200, body = Cart, headers(("ETag" = String))),
        (status = 400, body = ErrorResponse, description = "The body makes no sense; the message's path says where"),
        (status = 401, body = ErrorResponse, description = "The cart is an account's, and nobody is signed in; or the token is not known or is over"),
        (status = 403, body = ErrorResponse, description = "The token is another brand's"),
        (status = 404, body = ErrorResponse, description = "Unknown, expired, canceled, bought, or somebody else's"),
        (status = 410, body = ErrorResponse, description = "It has become part of your account's cart: `cart_id`"),
        (status = 409, body = ErrorResponse, description = "Somebody else changed the cart just now, or the key was used for another request"),
        (status = 412, body = ErrorResponse, description = "None of the versions is known, or they are more than 20 changes old: read the cart and change that", headers(("ETag" = String))),
        (status = 413, body = ErrorResponse, description = "The body is too large"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn update_cart() {}

/// Give a cart up
///
/// A checkout that is open for it is canceled with it.
#[utoipa::path(
    post, path = "/carts/{id}/cancel", tag = "cart",
    params(
        ("id" = String, Path, description = "The cart's id"),
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
        ("Authorization" = Option<String>, Header, description = "`Bearer TOKEN` of the account or the link that the cart belongs to"),
    ),
    responses(
        (status = 200, body = Cart, description = "The cart as it was"),
        (status = 400, body = ErrorResponse, description = "A header or the id makes no sense"),
        (status = 401, body = ErrorResponse, description = "The cart is an account's, and nobody is signed in; or the token is not known or is over"),
        (status = 403, body = ErrorResponse, description = "The token is another brand's"),
        (status = 404, body = ErrorResponse, description = "Unknown, expired, canceled, bought, or somebody else's"),
        (status = 410, body = ErrorResponse, description = "It has become part of your account's cart: `cart_id`"),
        (status = 409, body = ErrorResponse, description = "Somebody else changed the cart just now, or the key was used for another request"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn cancel_cart() {}

/// The cart of the account that is signed in
#[utoipa::path(
    get, path = "/carts/mine", tag = "cart", security(("shopper" = [])),
    params(
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the cart that the client has"),
    ),
    responses(
        (status = 200, body = Cart, headers(("ETag" = String))),
        (status = 304, description = "Nothing changed since that ETag"),
        (status = 400, body = ErrorResponse, description = "A header makes no sense"),
        (status = 401, body = ErrorResponse, description = "Nobody is signed in"),
        (status = 403, body = ErrorResponse, description = "The session is another brand's"),
        (status = 404, body = ErrorResponse, description = "The account has no cart"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn own_cart() {}

/// Bring the cart along that was filled before signing in
///
/// It becomes the account's when the account has none. Otherwise its lines go into the
/// account's cart: pieces of one variant are summed up to what can be promised, and never to
/// less than the account's cart had; of buyer and context the value that was chosen later
/// stays. `messages` say what was cut (`quantity_capped`), left out (`line_left_out`) or chosen
/// between (`newer_kept`). An open checkout of the cart that was brought along is given up.
/// The same cart again changes nothing.
#[utoipa::path(
    post, path = "/carts/mine/merge", tag = "cart", security(("shopper" = [])),
    params(
        ("UCP-Agent" = String, Header, description = "The platform's profile"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer again"),
    ),
    request_body = MergeRequest,
    responses(
        (status = 200, body = Cart, description = "The account's cart", headers(("ETag" = String))),
        (status = 400, body = ErrorResponse, description = "The body makes no sense; the message's path says where"),
        (status = 401, body = ErrorResponse, description = "Nobody is signed in"),
        (status = 403, body = ErrorResponse, description = "The session is another brand's"),
        (status = 404, body = ErrorResponse, description = "The brand has no such cart, or it is somebody else's"),
        (status = 409, body = ErrorResponse, description = "The cart is being bought at this moment; or the key was used for another request"),
        (status = 413, body = ErrorResponse, description = "The body is too large"),
        (status = 415, body = ErrorResponse, description = "The body is not JSON"),
        (status = 422, body = ErrorResponse, description = "Both together would cost more than can be written"),
        (status = 503, body = ErrorResponse, description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn merge_cart() {}
