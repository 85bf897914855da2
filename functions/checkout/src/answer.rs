//! What the handlers of this component share: refusals, and how a command is answered.

use aisle_domain::id::is_id;
use aisle_domain::notice::Refusal;
pub use aisle_http::command::{Answer, Committed, begin, commit, raced};
use aisle_http::{Error, Reply};
use aisle_store::Batch;
use aisle_store::idempotency::Claim;
use aisle_ucp::envelope::{ErrorResponse, Message, Severity, Status, Ucp};

/// The batch of a cart or of an open checkout: a draft, by which nothing is promised yet.
pub fn draft(claim: Option<&Claim>, answer: &Answer) -> Batch {
    let mut batch = begin(claim, answer);
    batch.may_be_lost();
    batch
}

/// A 400 that names the member.
pub fn refused(refusal: Refusal) -> Error {
    Error::bad_request(refusal.code, &refusal.path, &refusal.detail)
}

/// There is no resource to show (UCP `types/error_response.json`).
pub fn missing(what: &str) -> Error {
    let detail = format!("{what} not found, or it has expired.");
    Error::not_found("not_found", &detail).severity(Severity::Unrecoverable)
}

/// The account has a live cart already.
pub fn has_cart(id: &str) -> Error {
    let detail = "The account has a cart. Change that one, or merge another into it.";
    Error::conflict("cart_exists", detail).with("cart_id", id)
}

/// The cart has become part of another one.
pub fn moved(into: &str) -> Error {
    let detail = "The cart has become part of the account's cart.";
    Error::new(410, "cart_merged", detail)
        .with("cart_id", into)
        .severity(Severity::Recoverable)
}

/// What has not the form of an id names nothing, and needs no query to be refused.
pub fn must_be_id(id: &str, what: &str) -> Result<(), Error> {
    if is_id(id) {
        Ok(())
    } else {
        Err(missing(what))
    }
}

/// The resource is past the point where it could be changed.
pub fn settled(code: &str, detail: &str) -> Error {
    Error::conflict(code, detail).severity(Severity::Unrecoverable)
}

/// The order is being placed by another request, which knows how it ends within seconds.
pub fn completing() -> Error {
    Error::conflict(
        "complete_in_progress",
        "The checkout is being completed. Read it to see how that ends.",
    )
    .header("retry-after", "2")
}

/// The same, said of the cart.
pub fn being_bought() -> Error {
    let detail = "The cart is being bought. Change it when that is over, if it is still there.";
    Error::conflict("complete_in_progress", detail).header("retry-after", "2")
}

/// The 200 that says why no resource came to be (UCP checkout, "Error Handling").
pub fn nothing_created(capability: &str, messages: Vec<Message>) -> Result<Reply, Error> {
    let ucp = Ucp {
        status: Some(Status::Error),
        ..Ucp::success(&[capability])
    };
    let finally = |message| Message {
        severity: Some(Severity::Unrecoverable),
        ..message
    };
    let messages = messages.into_iter().map(finally).collect();
    Reply::json(200, &ErrorResponse { ucp, messages })
}
