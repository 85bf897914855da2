//! What people who send goods to one another do.

use anyhow::{Context, Result};
use rand::Rng;
use serde_json::{Value, json};

use super::world::{Actor, Ask, Who};

impl Actor {
    /// Goods for the own shelf.
    pub async fn replenish(&mut self) -> Result<()> {
        let to = self.store();
        let mut body = json!({
            "items": [{"sku": self.item().sku, "quantity": self.pieces()}],
            "to": {"location_id": self.world.stores[to]},
            "accept_split": self.one_in(2),
        });
        if self.one_in(2) {
            let from = self.store();
            body["from"] = json!(self.world.stores[from]);
        }
        self.ask(Ask::post("replenish", Who::Staff(to), "/transfers", body))
            .await
            .map(drop)
    }

    pub async fn ask_for_cart(&mut self) -> Result<()> {
        let Some(cart_id) = self.cart().await? else {
            return Ok(());
        };
        let to = self.store();
        let body = json!({
            "for": {"type": "cart", "id": cart_id},
            "items": [{"sku": self.item().sku, "quantity": self.pieces()}],
            "to": {"location_id": self.world.stores[to]},
            "accept_split": true,
        });
        self.ask(Ask::post(
            "ask for a cart",
            Who::Shopper,
            "/transfers",
            body,
        ))
        .await
        .map(drop)
    }

    /// An order that lacks goods asks once more.
    pub async fn ask_for_order(&mut self, order_id: &str, to: usize) -> Result<()> {
        let body = json!({
            "for": {"type": "order", "id": order_id},
            "items": [{"sku": self.item().sku, "quantity": 1}],
            "to": {"location_id": self.world.stores[to]},
        });
        self.ask(Ask::post(
            "ask for an order",
            Who::Shopper,
            "/transfers",
            body,
        ))
        .await
        .map(drop)
    }

    /// The next thing in the life of a transfer; now and then one that is not next at all.
    pub async fn move_transfer(&mut self) -> Result<()> {
        let recent = "SELECT t.id, t.status, t.from_location_id, t.to_location_id, l.sku, l.requested, l.in_transit \
             FROM transfer t JOIN transfer_line l ON l.transfer_id = t.id ORDER BY \
             CASE WHEN t.status IN ('requested', 'approved', 'picking', 'in_transit') THEN 0 \
               WHEN t.status IN ('reserved', 'received') THEN 1 ELSE 2 END, t.updated_at_ms DESC, t.id LIMIT 14";
        let Some([id, status, from, to, sku, requested, in_transit]) = self.row(recent).await?
        else {
            return Ok(());
        };
        let at = |store: &str| self.world.store_index(store).map(Who::Staff);
        // A warehouse sends, too; nobody works there.
        let (Some(from), Some(to)) = (at(&from), at(&to)) else {
            return Ok(());
        };
        let status = match self.one_in(10) {
            true => ["requested", "approved", "picking", "in_transit", "received"]
                [self.rng.random_range(0..5)],
            false => &status,
        };
        let (name, step, who, body) = match (status, self.rng.random_range(0..10)) {
            ("requested", 0..7) => ("approve", "approve", from, json!({})),
            ("requested", _) => ("refuse", "refuse", from, json!({"reason": "we need it"})),
            ("approved", 0..4) => ("pick", "pick", from, json!({})),
            ("approved" | "picking", 0..9) => {
                let body = self.shipped(&sku, requested.parse()?);
                ("ship", "ship", from, body)
            }
            ("in_transit", 0..2) => ("report", "events", to, json!({"type": "arrived"})),
            ("in_transit", _) | ("received", 0..4) => {
                let body = self.unpacked(&sku, in_transit.parse()?);
                ("receive", "receive", to, body)
            }
            ("received", _) => ("close", "close", to, json!({})),
            (_, 0..5) => ("cancel", "cancel", from, json!({"reason": "not now"})),
            _ => ("cancel", "cancel", to, json!({"reason": "not needed"})),
        };
        let path = format!("/transfers/{id}/{step}");
        self.ask(Ask::post(name, who, path, body)).await.map(drop)
    }

    /// All of it, or less of one article.
    fn shipped(&mut self, sku: &str, requested: i64) -> Value {
        match self.one_in(3) {
            true => {
                let shipped = self.rng.random_range(0..=requested);
                json!({"lines": [{"sku": sku, "shipped": shipped}]})
            }
            false => json!({}),
        }
    }

    /// As much as was sent, less, more, or not in one piece.
    fn unpacked(&mut self, sku: &str, in_transit: i64) -> Value {
        let received = match self.one_in(2) {
            true => in_transit,
            false => self.rng.random_range(0..=in_transit + 1),
        };
        let damaged = i64::from(self.one_in(5));
        json!({
            "lines": [{"sku": sku, "received": received, "damaged": damaged}],
            "final": self.one_in(3),
        })
    }

    /// The database's own count of a shelf.
    pub async fn on_shelf(&mut self, store: usize, sku: &str) -> Result<i64> {
        let shelf = format!(
            "SELECT on_hand FROM stock WHERE sku = '{sku}' AND location_id = '{}'",
            self.world.stores[store]
        );
        let [units] = self.row(&shelf).await?.context("a shelf")?;
        Ok(units.parse()?)
    }
}
