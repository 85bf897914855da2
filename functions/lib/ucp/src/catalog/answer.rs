//! The bodies of catalog answers, around products that are JSON text already.

use std::sync::LazyLock;

use serde::Serialize;

use crate::envelope::{ErrorResponse, Message, Severity, Ucp};
use crate::page::Pagination;

const FULFILLMENT: &str = "dev.ucp.shopping.fulfillment";
const LOOKUP: &str = "dev.ucp.shopping.catalog.lookup";

static SEARCHED: LazyLock<String> = LazyLock::new(|| {
    json(&Ucp::success(&[
        "dev.ucp.shopping.catalog.search",
        FULFILLMENT,
    ]))
});
static LOOKED_UP: LazyLock<String> = LazyLock::new(|| json(&Ucp::success(&[LOOKUP, FULFILLMENT])));

/// `search_response`.
pub fn search(products: &[String], pagination: &Pagination, messages: &[Message]) -> String {
    let list = products.join(",");
    let members = format!("\"products\":[{list}],\"pagination\":{}", json(pagination));
    body(&SEARCHED, &members, messages)
}

/// `lookup_response`.
pub fn lookup(products: &[String], messages: &[Message]) -> String {
    body(
        &LOOKED_UP,
        &format!("\"products\":[{}]", products.join(",")),
        messages,
    )
}

/// `get_product_response`.
pub fn product(product: &str, messages: &[Message]) -> String {
    body(&LOOKED_UP, &format!("\"product\":{product}"), messages)
}

/// The outcome when there is no such product: an answer, not a transport error.
pub fn no_product(id: &str) -> ErrorResponse {
    let mut ucp = Ucp::success(&[LOOKUP]);
    ucp.status = Ucp::error().status;
    let content = format!("Product not found: {id}");
    let message = Message::error("not_found", content, Severity::Unrecoverable).at("$.id");
    ErrorResponse {
        ucp,
        messages: vec![message],
    }
}

fn body(ucp: &str, members: &str, messages: &[Message]) -> String {
    let mut body = String::with_capacity(members.len() + 512);
    body.extend(["{\"ucp\":", ucp, ",", members]);
    if !messages.is_empty() {
        body.extend([",\"messages\":", &json(&messages)]);
    }
    body.push('}');
    body
}

/// Plain data with text keys always serializes; what could not would be left out.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
