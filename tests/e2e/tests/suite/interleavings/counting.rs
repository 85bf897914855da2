//! What people with scanners do.

use anyhow::{Context, Result};
use rand::Rng;
use serde_json::{Value, json};

use super::world::{Actor, Ask, Who};

/// What all devices take the time to be: only how long ago a scan was matters.
const DEVICE_NOW: &str = "2026-05-01T12:00:00Z";

impl Actor {
    fn scans(&mut self, sku: &str, quantity: i64) -> Value {
        let scan = json!({
            "sequence": self.number(), "sku": sku, "quantity": quantity, "scanned_at": DEVICE_NOW,
        });
        // The answer to a batch may get lost: it is sent once more.
        let scans = match self.one_in(4) {
            true => vec![scan.clone(), scan],
            false => vec![scan],
        };
        json!({"device_now": DEVICE_NOW, "scans": scans})
    }

    pub async fn open_count(&mut self) -> Result<()> {
        let at = Who::Staff(self.store());
        let mode = if self.one_in(2) { "blind" } else { "guided" };
        let skus = [self.item().sku];
        let body = json!({"mode": mode, "zones": ["all"], "skus": skus});
        self.ask(Ask::post("open a count", at, "/counts", body))
            .await
            .map(drop)
    }

    /// The next thing in a count: what is there is scanned, give or take one.
    pub async fn move_count(&mut self) -> Result<()> {
        let recent = "SELECT id, location_id, status, doc FROM count_session ORDER BY \
             CASE WHEN status IN ('open', 'review') THEN 0 ELSE 1 END, updated_at_ms DESC, id LIMIT 5";
        let Some([id, location_id, status, doc]) = self.row(recent).await? else {
            return Ok(());
        };
        let store = self.world.store_index(&location_id).context("a store")?;
        let at = Who::Staff(store);
        let doc: Value = serde_json::from_str(&doc)?;
        let sku = doc["skus"][0].as_str().map(str::to_owned);
        let sku = sku.unwrap_or(self.item().sku);
        let step =
            |name, step: &str, body| Ask::post(name, at, format!("/counts/{id}/{step}"), body);
        let ask = match (status.as_str(), self.rng.random_range(0..10)) {
            ("open", 0..5) => {
                let there = self.on_shelf(store, &sku).await?;
                let counted = (there + self.rng.random_range(-1..=1)).max(0);
                let scans = self.scans(&sku, counted);
                step("scan", "scans", scans)
            }
            ("open", 5..7) => step("zone done", "zones/all/done", json!({})),
            ("open", _) => step("review", "review", json!({})),
            ("review", 0) => step("recount", "recounts", json!({ "skus": [sku] })),
            (_, 9) => step("cancel a count", "cancel", json!({})),
            _ => {
                let accept = json!({"accept_moved": self.one_in(2)});
                step("approve a count", "approve", accept)
            }
        };
        self.ask(ask).await.map(drop)
    }

    pub async fn announce(&mut self) -> Result<()> {
        let at = Who::Staff(self.store());
        let lines = json!([{"sku": self.item().sku, "quantity": self.pieces()}]);
        let body = json!({"reference": format!("PO-{}", self.number()), "lines": lines});
        self.ask(Ask::post("announce", at, "/deliveries", body))
            .await
            .map(drop)
    }

    /// The next thing in a delivery.
    pub async fn move_delivery(&mut self) -> Result<()> {
        let recent = "SELECT id, location_id, status FROM delivery ORDER BY \
             CASE WHEN status IN ('expected', 'receiving') THEN 0 ELSE 1 END, updated_at_ms DESC, id LIMIT 4";
        let Some([id, location_id, status]) = self.row(recent).await? else {
            return Ok(());
        };
        let store = self.world.store_index(&location_id).context("a store")?;
        let at = Who::Staff(store);
        let step =
            |name, step: &str, body| Ask::post(name, at, format!("/deliveries/{id}/{step}"), body);
        let ask = match (status.as_str(), self.rng.random_range(0..10)) {
            ("expected", 9) => step("cancel a delivery", "cancel", json!({})),
            ("expected", _) | (_, 0..4) => {
                let (sku, pieces) = (self.item().sku, self.pieces());
                let mut scans = self.scans(&sku, pieces);
                if self.one_in(4) {
                    scans["scans"][0]["condition"] = json!("damaged");
                }
                step("unpack", "scans", scans)
            }
            _ => step("close a delivery", "close", json!({})),
        };
        self.ask(ask).await.map(drop)
    }

    pub async fn adjust(&mut self) -> Result<()> {
        let at = Who::Staff(self.store());
        let (reason, sign) = [
            ("damaged", -1),
            ("lost", -1),
            ("found", 1),
            ("correction", 1),
        ][self.rng.random_range(0..4)];
        let body = json!({"sku": self.item().sku, "delta": sign * self.pieces(), "reason": reason});
        self.ask(Ask::post("adjust", at, "/adjustments", body))
            .await
            .map(drop)
    }
}
