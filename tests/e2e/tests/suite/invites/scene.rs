//! An order to have links to, accounts, and what was texted.

use aisle_e2e::accounts::sign_in;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{buyer, complete, items, line, order_id, pickup_checkout};
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// A mobile number in Germany, where North is at home.
pub const NUMBER: &str = "+4915112345678";
/// A browser on a phone.
pub const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
     (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

pub struct Scene {
    pub aisle: Environment,
    pub order_id: String,
    /// Where it is collected.
    pub store_id: String,
}

impl Scene {
    pub async fn open(pair: Pair) -> Result<Self> {
        let aisle = Setup::demo(pair).start().await?;
        let (order_id, store_id) = order(&aisle).await?;
        Ok(Self {
            aisle,
            order_id,
            store_id,
        })
    }

    /// A link to the order, to the usual number.
    pub fn request(&self) -> Value {
        request("order", &self.order_id)
    }

    /// Has a link to the order texted, and answers what was said of it and its code.
    pub async fn invite(&self, number: &str) -> Result<(Value, String)> {
        let mut request = self.request();
        request["address"] = json!(number);
        let invite = ask(&self.aisle.north(), &request).await?;
        let code = code_of(&self.aisle, invite.text("/id")).await?;
        Ok((invite, code))
    }

    /// Gives the order to an account.
    pub async fn give_order_to(&self, account: &Account) -> Result<()> {
        let sql = format!(
            "INSERT INTO account_order (brand_id, order_id, account_id, attached_at_ms) \
             SELECT brand_id, id, '{}', 0 FROM customer_order WHERE id = '{}'",
            account.id, self.order_id
        );
        self.aisle.database.rows(&sql).await.map(drop)
    }

    pub async fn owner(&self) -> Result<Option<String>> {
        let sql = format!(
            "SELECT account_id FROM account_order WHERE order_id = '{}'",
            self.order_id
        );
        Ok(self
            .aisle
            .database
            .rows(&sql)
            .await?
            .into_iter()
            .flatten()
            .next()
            .flatten())
    }
}

pub fn request(scope: &str, id: &str) -> Value {
    json!({"scope": scope, "id": id, "address": NUMBER, "consent": {"wording_version": "2026-11"}})
}

pub async fn ask(client: &Client, request: &Value) -> Result<Value> {
    Ok(client
        .post("/invites")
        .json(request)
        .expect(201)
        .await?
        .json())
}

/// An order of one article, collected at a store.
pub async fn order(aisle: &Environment) -> Result<(String, String)> {
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let lines = [line(&wanted.id, 1)];
    let open = json!({"line_items": lines, "buyer": buyer(), "fulfillment": {"methods": [{"type": "pickup"}]}});
    let offered = shopper
        .post("/checkout-sessions")
        .json(&open)
        .expect(201)
        .await?
        .json();
    let store_id = offered
        .text("/fulfillment/methods/0/destinations/0/id")
        .to_owned();
    let session = pickup_checkout(&shopper, &lines, &store_id).await?;
    let completed = complete(&shopper, &session).await?.json();
    Ok((order_id(&completed).to_owned(), store_id))
}

pub async fn cart(aisle: &Environment) -> Result<String> {
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let cart = json!({"line_items": [line(&wanted.id, 1)]});
    let cart = shopper.post("/carts").json(&cart).expect(201).await?.json();
    Ok(cart.text("/id").into())
}

/// The text that carries a link, or what it will be made of while it waits.
pub async fn text_of(aisle: &Environment, invite_id: &str) -> Result<String> {
    let sql = format!(
        "SELECT coalesce((SELECT s.text FROM sandbox_message s WHERE s.id = m.id), m.params) \
         FROM message m WHERE m.invite_id = '{invite_id}'"
    );
    let rows = aisle.database.rows(&sql).await?;
    let text = rows.into_iter().flatten().flatten().next();
    text.context("nothing was texted")
}

/// The code in it.
pub async fn code_of(aisle: &Environment, invite_id: &str) -> Result<String> {
    let text = text_of(aisle, invite_id).await?;
    let link = text.rsplit_once("/i/").map(|(_, rest)| rest);
    let code = link.and_then(|link| link.get(..14));
    Ok(code.with_context(|| format!("no link in {text}"))?.into())
}

/// Somebody who has an account, and the device that they are signed in on.
pub struct Account {
    pub id: String,
    pub token: String,
    address: String,
}

impl Account {
    /// Somebody new with the brand of `host`.
    pub async fn new(aisle: &Environment, host: &str) -> Result<Self> {
        let address = format!("{}@example.com", uuid::Uuid::now_v7().simple());
        Self::of(aisle, host, &address).await
    }

    /// Whoever this address belongs to.
    pub async fn of(aisle: &Environment, host: &str, address: &str) -> Result<Self> {
        let device = sign_in(aisle, host, address).await?;
        Ok(Self {
            id: device.account_id,
            token: device.access_token,
            address: address.into(),
        })
    }

    /// The same person, signed in anew.
    pub async fn again(&self, aisle: &Environment, host: &str) -> Result<Self> {
        Self::of(aisle, host, &self.address).await
    }

    pub fn client(&self, aisle: &Environment) -> Client {
        aisle
            .north()
            .with_header("authorization", &format!("Bearer {}", self.token))
    }

    /// The same device, but as a browser.
    pub fn browser(&self, aisle: &Environment) -> Client {
        browser(aisle).with_header("cookie", &format!("aisle_session={}", self.token))
    }
}

/// A browser on a phone that knows nothing yet.
pub fn browser(aisle: &Environment) -> Client {
    Client::new(aisle.addr(), aisle_e2e::environment::NORTH)
        .with_header("user-agent", PHONE)
        .with_header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

/// The problem's code of a refusal with this status.
pub fn code(answer: &Answer) -> String {
    answer.json().text("/code").into()
}
