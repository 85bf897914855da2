//! What shoppers and people at tills do.

use aisle_e2e::json::Look;
use aisle_e2e::shopping::{
    self, TOKEN_FAIL, TOKEN_SUCCESS, line, payment_with, pickup_at, shipping_to, update_of,
    with_first_options,
};
use anyhow::{Context, Result};
use rand::Rng;
use serde_json::{Value, json};

use super::world::{Actor, Ask, Who};

const TOKEN_UNAVAILABLE: &str = "tok_unavailable";

impl Actor {
    /// A checkout of one or two lines from its beginning to its payment.
    pub async fn buy(&mut self) -> Result<()> {
        let mut lines = vec![line(&self.item().id, self.pieces())];
        if self.one_in(3) {
            lines.push(line(&self.item().id, self.pieces()));
        }
        self.check_out(json!({"line_items": lines})).await
    }

    /// A cart that is checked out later, by whoever comes by.
    pub async fn buy_cart(&mut self) -> Result<()> {
        let Some(cart_id) = self.cart().await? else {
            return Ok(());
        };
        self.check_out(json!({"cart_id": cart_id, "line_items": []}))
            .await
    }

    async fn check_out(&mut self, mut request: Value) -> Result<()> {
        let store = self.store();
        request["buyer"] = shopping::buyer();
        request["fulfillment"] = match self.one_in(4) {
            true => shipping_to("DE"),
            false => pickup_at(&self.world.stores[store]),
        };
        let create = Ask::post("check out", Who::Shopper, "/checkout-sessions", request);
        let Some(session) = self.ask(create).await? else {
            return Ok(());
        };
        // Of what is nowhere there is no checkout.
        let Some(id) = session["id"].as_str() else {
            return Ok(());
        };
        let path = format!("/checkout-sessions/{id}");
        let mut update = with_first_options(&session).unwrap_or_else(|| update_of(&session));
        let mut name = "choose";
        if self.one_in(3) {
            update["payment"] = json!({"selected_term_id": "layaway"});
            name = "choose layaway";
        }
        let choose = Ask::put(name, Who::Shopper, path.as_str(), update);
        let Some(session) = self.ask(choose).await? else {
            return Ok(());
        };
        if session["ucp"]["payment_handlers"].is_null() {
            return Ok(());
        }
        let token = match self.rng.random_range(0..20) {
            0 => TOKEN_UNAVAILABLE,
            1 | 2 => TOKEN_FAIL,
            _ => TOKEN_SUCCESS,
        };
        let name = match token {
            TOKEN_SUCCESS => "complete",
            _ => "complete without paying",
        };
        let path = format!("{path}/complete");
        let complete = Ask::post(name, Who::Shopper, path, payment_with(&session, token));
        self.ask(complete).await.map(drop)
    }

    /// A cart of somebody's that is still one, or a new one.
    pub async fn cart(&mut self) -> Result<Option<String>> {
        let known = "SELECT id FROM cart ORDER BY updated_at_ms DESC, id LIMIT 6";
        if self.one_in(2)
            && let Some([id]) = self.row(known).await?
        {
            return Ok(Some(id));
        }
        let lines = [line(&self.item().id, self.pieces())];
        let fill = Ask::post(
            "fill a cart",
            Who::Shopper,
            "/carts",
            json!({"line_items": lines}),
        );
        let cart = self.ask(fill).await?;
        Ok(cart.map(|cart| cart.text("/id").to_owned()))
    }

    fn tender(&mut self) -> Value {
        match self.one_in(2) {
            true => json!({"type": "cash", "tendered_minor": 100_000_000}),
            false => {
                json!({"type": "card_present", "reference": format!("TERM:{}", self.number())})
            }
        }
    }

    pub async fn sell(&mut self) -> Result<()> {
        let till = Who::Staff(self.store());
        let items = json!([{"sku": self.item().sku, "quantity": self.pieces()}]);
        let sale = json!({"items": items, "payment": self.tender()});
        self.ask(Ask::post("sell", till, "/pos/sales", sale))
            .await
            .map(drop)
    }

    pub async fn sell_cart(&mut self) -> Result<()> {
        let till = Who::Staff(self.store());
        let Some(cart_id) = self.cart().await? else {
            return Ok(());
        };
        let sale = json!({"cart_id": cart_id, "payment": self.tender()});
        self.ask(Ask::post("sell a cart", till, "/pos/sales", sale))
            .await
            .map(drop)
    }

    pub async fn hold(&mut self) -> Result<()> {
        let store = self.store();
        let body = json!({
            "items": [{"sku": self.item().sku, "quantity": self.pieces()}],
            "location_id": self.world.stores[store],
            "contact": {"name": "Ada Byron", "email": format!("ada{}@example.com", self.number())},
        });
        self.ask(Ask::post("hold", Who::Shopper, "/holds", body))
            .await
            .map(drop)
    }

    /// The next thing in the life of a hold.
    pub async fn move_hold(&mut self) -> Result<()> {
        let recent =
            "SELECT id, location_id, doc FROM hold ORDER BY updated_at_ms DESC, id LIMIT 8";
        let Some([id, location_id, doc]) = self.row(recent).await? else {
            return Ok(());
        };
        let store = self.world.store_index(&location_id).context("a store")?;
        let at = Who::Staff(store);
        let ask = match self.rng.random_range(0..8) {
            0..3 => Ask::post("pulled", at, format!("/holds/{id}/pulled"), json!({})),
            3 => {
                let doc: Value = serde_json::from_str(&doc)?;
                let sku = doc["lines"][0]["sku"].as_str().unwrap_or_default();
                let mut body = json!({"lines": [{"sku": sku, "quantity": 1}]});
                if self.one_in(2) {
                    body["substitute_sku"] = json!(self.item().sku);
                }
                Ask::post("not found", at, format!("/holds/{id}/not-found"), body)
            }
            4 => Ask::post(
                "cancel a hold",
                Who::Shopper,
                format!("/holds/{id}/cancel"),
                json!({}),
            ),
            _ => {
                let sale = json!({"hold_id": id, "payment": self.tender()});
                Ask::post("sell a hold", at, "/pos/sales", sale)
            }
        };
        self.ask(ask).await.map(drop)
    }

    async fn layaway(&mut self) -> Result<Option<String>> {
        let recent = "SELECT order_id FROM layaway ORDER BY CASE status WHEN 'active' THEN 0 ELSE 1 END, order_id DESC LIMIT 6";
        Ok(self.row(recent).await?.map(|[id]| id))
    }

    pub async fn pay_part(&mut self) -> Result<()> {
        let Some(id) = self.layaway().await? else {
            return Ok(());
        };
        let session = json!({"ucp": {"payment_handlers": {"sandbox": [{"id": "sandbox"}]}}});
        let token = match self.rng.random_range(0..10) {
            0 => TOKEN_FAIL,
            1 => TOKEN_UNAVAILABLE,
            _ => TOKEN_SUCCESS,
        };
        let path = format!("/layaways/{id}/payments");
        let pay = Ask::post(
            "pay a part",
            Who::Shopper,
            path,
            payment_with(&session, token),
        );
        self.ask(pay).await.map(drop)
    }

    pub async fn pay_part_at_till(&mut self) -> Result<()> {
        let Some(id) = self.layaway().await? else {
            return Ok(());
        };
        let till = Who::Staff(self.store());
        let path = format!("/pos/layaways/{id}/payments");
        let pay = json!({"payment": self.tender()});
        self.ask(Ask::post("pay a part at a till", till, path, pay))
            .await
            .map(drop)
    }

    pub async fn give_up_layaway(&mut self) -> Result<()> {
        let Some(id) = self.layaway().await? else {
            return Ok(());
        };
        let path = format!("/layaways/{id}/cancel");
        self.ask(Ask::post(
            "give a layaway up",
            Who::Shopper,
            path,
            json!({}),
        ))
        .await
        .map(drop)
    }

    /// An order that is or was collected somewhere: id, index of the store, status.
    async fn pickup(&mut self) -> Result<Option<(String, usize, String)>> {
        let recent = "SELECT order_id, location_id, status FROM pickup ORDER BY \
             CASE status WHEN 'ready' THEN 0 WHEN 'preparing' THEN 0 WHEN 'awaiting_transfer' THEN 1 ELSE 2 END, \
             updated_at_ms DESC, order_id LIMIT 12";
        let Some([id, location_id, status]) = self.row(recent).await? else {
            return Ok(None);
        };
        let store = self.world.store_index(&location_id);
        Ok(Some((id, store.context("a store")?, status)))
    }

    /// The next thing that brings an order to who bought it.
    pub async fn collect(&mut self) -> Result<()> {
        let Some((id, store, status)) = self.pickup().await? else {
            return Ok(());
        };
        let at = Who::Staff(store);
        match status.as_str() {
            "preparing" if !self.one_in(8) => {
                let (name, path, body) = match self.one_in(8) {
                    true => {
                        let missing = json!([{"sku": self.item().sku, "quantity": 1}]);
                        ("missing", "not-found", json!({ "lines": missing }))
                    }
                    false => ("ready", "ready", json!({})),
                };
                let path = format!("/holds/pickups/{id}/{path}");
                self.ask(Ask::post(name, at, path, body)).await.map(drop)
            }
            "awaiting_transfer" if !self.one_in(4) => self.ask_for_order(&id, store).await,
            _ => self.hand_over(&id, store).await,
        }
    }

    async fn hand_over(&mut self, id: &str, store: usize) -> Result<()> {
        let mut body = match self.one_in(6) {
            true => json!({"override_reason": "known customer", "goods_are_here": self.one_in(2)}),
            false => match self.pass(id).await? {
                Some(token) => json!({ "pass": token }),
                None => return Ok(()),
            },
        };
        if self.one_in(3) {
            let doc = format!("SELECT doc FROM customer_order WHERE id = '{id}'");
            let [doc] = self.row(&doc).await?.context("an order")?;
            let doc: Value = serde_json::from_str(&doc)?;
            let line_id = doc.text("/lines/0/line/id");
            body["lines"] = json!([{"line_id": line_id, "quantity": 1}]);
        }
        // Now and then at the wrong store.
        let till = match self.one_in(12) {
            true => self.store(),
            false => store,
        };
        let path = format!("/pos/orders/{id}/hand-over");
        self.ask(Ask::post("hand over", Who::Staff(till), path, body))
            .await
            .map(drop)
    }

    async fn pass(&mut self, id: &str) -> Result<Option<String>> {
        let path = format!("/orders/{id}/pass");
        let issued = self
            .ask(Ask::post("pass", Who::Shopper, path, json!({})))
            .await?;
        Ok(issued.map(|pass| pass.text("/token").to_owned()))
    }

    /// Handed over while the till was offline; settled once or twice, and perhaps late.
    pub async fn collect_offline(&mut self) -> Result<()> {
        let Some((id, store, _)) = self.pickup().await? else {
            return Ok(());
        };
        let path = format!("/orders/{id}/pass");
        let issue = Ask::post("pass", Who::Shopper, path, json!({}));
        let Some(pass) = self.ask(issue).await? else {
            return Ok(());
        };
        let made = json!({
            "id": uuid::Uuid::now_v7().to_string(), "pass": pass["token"], "handed_at": pass["issued_at"],
            "sequence": self.number(),
        });
        let body = json!({ "hand_overs": [made] });
        if self.one_in(3) {
            self.let_time_pass().await?;
        }
        for _ in 0..self.rng.random_range(1..=2) {
            let settle = Ask::post(
                "settle",
                Who::Staff(store),
                "/pos/hand-overs/settle",
                body.clone(),
            );
            self.ask(settle).await?;
        }
        Ok(())
    }
}
