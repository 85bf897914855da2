//! Shoppers with accounts: codes, devices that are signed in.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::inbox::code_in;
use crate::json::Look;
use crate::{Client, Database, Environment};

/// A device that is signed in.
pub struct Device {
    /// Sends its access token along.
    pub client: Client,
    pub access_token: String,
    pub refresh_token: String,
    pub session_id: String,
    pub account_id: String,
    /// The whole answer.
    pub signed_in: Value,
}

impl Device {
    /// From the answer of a sign-in or a refresh.
    pub fn of(aisle: &Environment, host: &str, signed_in: Value) -> Self {
        let token = signed_in.text("/access_token");
        Self {
            client: with_token(aisle, host, token),
            access_token: token.into(),
            refresh_token: signed_in.text("/refresh_token").into(),
            session_id: signed_in.text("/session_id").into(),
            account_id: signed_in.text("/account/id").into(),
            signed_in,
        }
    }
}

/// A client that sends this token along.
pub fn with_token(aisle: &Environment, host: &str, token: &str) -> Client {
    Client::new(aisle.addr(), host).with_header("authorization", &format!("Bearer {token}"))
}

/// Has a code sent: the challenge's id and the code that arrived.
pub async fn code(aisle: &Environment, host: &str, address: &str) -> Result<(String, String)> {
    let request = json!({"channel": channel(address), "address": address});
    let client = Client::new(aisle.addr(), host);
    let sent = client
        .post("/accounts/codes")
        .json(&request)
        .expect(202)
        .await?
        .json();
    let challenge = sent.text("/challenge_id").to_owned();
    let code = code_of(&aisle.database, &challenge).await?;
    Ok((challenge, code))
}

/// The code that was sent for a challenge.
pub async fn code_of(database: &Database, challenge: &str) -> Result<String> {
    let sql = format!(
        "SELECT coalesce((SELECT s.text FROM sandbox_message s WHERE s.id = m.id), m.params) \
         FROM message m WHERE m.dedup_key = 'code/{challenge}'"
    );
    let rows = database.rows(&sql).await?;
    let sent = rows.first().and_then(|row| row[0].clone());
    code_in(&sent.context("no code was sent")?).context("no code in what was sent")
}

/// Signs a device in, and its person up when they are new.
pub async fn sign_in(aisle: &Environment, host: &str, address: &str) -> Result<Device> {
    sign_in_with(aisle, host, address, json!({})).await
}

/// The same with further members of the request, such as `name` or `order_id`.
pub async fn sign_in_with(
    aisle: &Environment,
    host: &str,
    address: &str,
    further: Value,
) -> Result<Device> {
    let (challenge, code) = code(aisle, host, address).await?;
    let mut request =
        json!({"challenge_id": challenge, "code": code, "device_name": "Test device"});
    for (name, value) in further.as_object().into_iter().flatten() {
        request[name] = value.clone();
    }
    let client = Client::new(aisle.addr(), host);
    let signed_in = client
        .post("/accounts/sessions")
        .json(&request)
        .expect(201)
        .await?;
    Ok(Device::of(aisle, host, signed_in.json()))
}

/// What an address is reached by.
pub fn channel(address: &str) -> &'static str {
    if address.contains('@') {
        "email"
    } else {
        "sms"
    }
}
