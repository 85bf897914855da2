//! The shopper's order: who may see and change it, what can be done about it, and the page
//! that shows it, as HTML.

mod access;
mod cancelling;
mod choices;
mod html;

use aisle_e2e::json::Look;
use aisle_e2e::{Answer, Client, Environment};
use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use access::{
    a_link_opens_its_order_and_nothing_else, an_order_of_an_account_is_its_own,
    the_page_sends_strangers_to_sign_in,
};
pub use cancelling::{
    a_cancelled_order_frees_everything_exactly, what_has_moved_cannot_be_called_off,
};
pub use choices::{
    news_go_where_the_shopper_agreed, only_what_was_handed_over_is_returned,
    somebody_else_collects_and_staff_know,
};
pub use html::{
    a_page_stops_listening_with_its_link_and_its_time, a_return_is_started_by_form,
    a_stream_tells_that_the_order_changed, forms_do_what_the_api_does,
    open_pages_hold_no_connection, the_longest_order_fits_as_well,
    the_page_is_small_sealed_and_in_three_languages, the_store_is_found_and_open,
};

/// An order's id that nobody has.
pub const NOBODY: &str = "0190b3f4-5c6d-7e8f-9a0b-1c2d3e4f5a6b";

pub fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{problem:#}");
    problem
}

fn sha256(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

async fn brand_id(aisle: &Environment, handle: &str) -> Result<String> {
    let sql = format!("SELECT id FROM brand WHERE handle = '{handle}'");
    let rows = aisle.database.rows(&sql).await?;
    let id = rows.first().and_then(|row| row.first()?.clone());
    id.context("no such brand")
}

/// A new account of the brand that is signed in: its id and its access token.
pub async fn account(aisle: &Environment, handle: &str) -> Result<(String, String)> {
    let brand = brand_id(aisle, handle).await?;
    let [account, session, token] = std::array::from_fn(|_| uuid::Uuid::now_v7().to_string());
    let token = format!("acc_{token}");
    let doc = r#"{"locale":"de"}"#;
    for insert in [
        format!(
            "INSERT INTO account (id, brand_id, status, doc, version, created_at_ms, updated_at_ms, last_seen_at_ms) \
             VALUES ('{account}', '{brand}', 'active', '{doc}', 1, 0, 0, 0)"
        ),
        format!(
            "INSERT INTO account_session (id, brand_id, account_id, device_name, access_hash, access_expires_at_ms, \
             created_at_ms, last_used_at_ms, expires_at_ms) \
             VALUES ('{session}', '{brand}', '{account}', 'Phone', '{}', 9000000000000000, 0, 0, 9000000000000000)",
            sha256(&token)
        ),
    ] {
        aisle.database.rows(&insert).await?;
    }
    Ok((account, token))
}

pub async fn attach(aisle: &Environment, order_id: &str, account_id: &str) -> Result<()> {
    let insert = format!(
        "INSERT INTO account_order (brand_id, order_id, account_id, attached_at_ms) \
         SELECT brand_id, id, '{account_id}', 0 FROM customer_order WHERE id = '{order_id}'"
    );
    aisle.database.rows(&insert).await.map(drop)
}

/// A link to the order as it was texted to somebody: its code.
pub async fn link(aisle: &Environment, order_id: &str, locale: &str) -> Result<String> {
    let [invite, code] = std::array::from_fn(|_| uuid::Uuid::now_v7().simple().to_string());
    let insert = format!(
        "INSERT INTO invite (id, brand_id, code_hash, scope, subject_id, channel, address, locale, created_at_ms, expires_at_ms) \
         SELECT '{invite}', brand_id, '{}', 'order', id, 'sms', '+4915112345678', '{locale}', 0, 9000000000000000 \
         FROM customer_order WHERE id = '{order_id}'",
        sha256(&code)
    );
    aisle.database.rows(&insert).await?;
    Ok(code)
}

/// A client of the host that shows this bearer token.
pub fn bearer(aisle: &Environment, host: &str, token: &str) -> Client {
    aisle
        .client(host)
        .with_header("authorization", &format!("Bearer {token}"))
}

/// Sends a form as a browser does from a page of ours.
pub async fn submit(shopper: &Client, path: &str, fields: &str) -> Result<Answer> {
    let form = shopper
        .post(path)
        .text("application/x-www-form-urlencoded", fields.to_owned());
    form.header("sec-fetch-site", "same-origin").send().await
}

async fn kinds(shopper: &Client, order_id: &str) -> Result<Vec<String>> {
    let path = format!("/orders/{order_id}/timeline");
    let shown = shopper.get(&path).expect(200).await?.json();
    let entries = shown.list("/entries").iter();
    Ok(entries
        .map(|entry| entry.text("/kind").to_owned())
        .collect())
}
