//! A retailer with one article, so many pieces of it at each store, and people there.

use std::collections::BTreeMap;

use aisle_e2e::database::Snapshot;
use aisle_e2e::environment::NORTH;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{self, Item, complete, items, line, order_id, pickup_checkout};
use aisle_e2e::staff::SignedOn;
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// Sends to Hamburg, six days a week.
pub const BERLIN: &str = "BER-01";
/// Sends to Hamburg, three days a week.
pub const AMSTERDAM: &str = "AMS-01";
pub const HAMBURG: &str = "HAM-01";
/// Has no lane to Hamburg.
pub const VIENNA: &str = "VIE-01";

pub struct Scene {
    pub aisle: Environment,
    pub shopper: Client,
    pub item: Item,
    places: BTreeMap<String, String>,
}

impl Scene {
    /// `stock` names what each store has; all others have nothing.
    pub async fn with(pair: Pair, stock: &[(&str, i64)]) -> Result<Self> {
        Self::under(pair, stock, json!({})).await
    }

    /// The same where the brand's policies are these.
    pub async fn under(pair: Pair, stock: &[(&str, i64)], policies: Value) -> Result<Self> {
        let aisle = Setup::demo(pair).start().await?;
        let admin = aisle.admin();
        let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
        brand["policies"] = policies;
        admin
            .put("/admin/brands/north")
            .json(&brand)
            .expect(200)
            .await?;
        let shopper = aisle.north();
        let item = items(&shopper, 1).await?.remove(0);
        let rows = aisle
            .database
            .rows(
                "SELECT l.code, l.id FROM location l JOIN brand_location b ON b.location_id = l.id \
                 JOIN brand ON brand.id = b.brand_id WHERE brand.handle = 'north'",
            )
            .await?;
        let mut places = BTreeMap::new();
        for row in rows {
            let [code, id] = <[_; 2]>::try_from(row).ok().context("two columns")?;
            places.insert(code.context("a code")?, id.context("an id")?);
        }
        let scene = Self {
            aisle,
            shopper,
            item,
            places,
        };
        scene.stock(stock).await?;
        Ok(scene)
    }

    async fn stock(&self, stock: &[(&str, i64)]) -> Result<()> {
        let mut csv = String::from("sku,location_code,on_hand,safety\n");
        for code in self.places.keys() {
            let had = stock.iter().find(|(place, _)| place == code);
            let on_hand = had.map_or(0, |(_, units)| *units);
            csv += &format!("{},{code},{on_hand},0\n", self.item.sku);
        }
        let path = "/admin/imports?kind=stock&brand=north";
        let report = self
            .aisle
            .admin()
            .post(path)
            .csv(csv)
            .expect(200)
            .await?
            .json();
        ensure!(report["refused"] == 0, "{report:#}");
        self.aisle.drain_outbox().await
    }

    /// Everything, once the relay has nothing left to do.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        self.aisle.drain_outbox().await?;
        self.aisle.database.snapshot().await
    }

    pub fn id(&self, code: &str) -> &str {
        &self.places[code]
    }

    pub async fn staff(&self, code: &str) -> Result<SignedOn> {
        self.aisle.staff(NORTH, self.id(code), "transfer").await
    }

    /// Pieces of the article at the store: on hand, and of them reserved.
    pub async fn shelf(&self, code: &str) -> Result<(i64, i64)> {
        let of = |column: &str| {
            format!(
                "SELECT {column} FROM stock WHERE sku = '{}' AND location_id = '{}'",
                self.item.sku,
                self.id(code)
            )
        };
        let database = &self.aisle.database;
        Ok((
            database.number(&of("on_hand")).await?,
            database.number(&of("reserved")).await?,
        ))
    }

    /// Shelves as expected, and a ledger that agrees with itself.
    pub async fn assert_shelves(&self, what: &str, expected: &[(&str, (i64, i64))]) -> Result<()> {
        for (code, counts) in expected {
            assert_eq!(self.shelf(code).await?, *counts, "{what}: {code}");
        }
        self.aisle.database.check_invariants().await
    }

    pub fn asked(&self, quantity: i64, to: &str) -> Value {
        json!({"items": [{"sku": self.item.sku, "quantity": quantity}], "to": {"location_id": self.id(to)}})
    }

    /// A staff member's request for the own shelf.
    pub async fn replenish(&self, staff: &SignedOn, quantity: i64) -> Result<Value> {
        let body = json!({
            "items": [{"sku": self.item.sku, "quantity": quantity}],
            "to": {"location_id": staff.location_id},
        });
        let created = staff
            .client
            .post("/transfers")
            .json(&body)
            .expect(201)
            .await?
            .json();
        assert_eq!(created.list("/transfers").len(), 1, "{created:#}");
        Ok(created["transfers"][0].clone())
    }

    /// A paid order of `quantity` pieces to be collected at `store`: its id.
    pub async fn order(&self, quantity: i64, store: &str) -> Result<String> {
        let lines = [line(&self.item.id, quantity)];
        let session = pickup_checkout(&self.shopper, &lines, self.id(store)).await?;
        let completed = complete(&self.shopper, &session).await?.json();
        Ok(order_id(&completed).to_owned())
    }

    pub async fn cart(&self, quantity: i64) -> Result<String> {
        let cart = json!({"line_items": [shopping::line(&self.item.id, quantity)]});
        let cart = self
            .shopper
            .post("/carts")
            .json(&cart)
            .expect(201)
            .await?
            .json();
        Ok(cart.text("/id").to_owned())
    }

    /// The transfers of an order as (id, status), the oldest first.
    pub async fn transfers_of(&self, order_id: &str) -> Result<Vec<(String, String)>> {
        let sql =
            format!("SELECT id, status FROM transfer WHERE for_id = '{order_id}' ORDER BY id");
        let rows = self.aisle.database.rows(&sql).await?;
        let text = |cell: Option<String>| cell.unwrap_or_default();
        Ok(rows
            .into_iter()
            .filter_map(|row| <[_; 2]>::try_from(row).ok())
            .map(|[id, status]| (text(id), text(status)))
            .collect())
    }

    pub async fn show(&self, transfer_id: &str) -> Result<Value> {
        let path = format!("/transfers/{transfer_id}");
        Ok(self.shopper.get(&path).expect(200).await?.json())
    }

    pub async fn order_shown(&self, order_id: &str) -> Result<Value> {
        let path = format!("/orders/{order_id}");
        Ok(self.shopper.get(&path).expect(200).await?.json())
    }

    /// The kinds of the order's timeline, the oldest first.
    pub async fn timeline(&self, order_id: &str) -> Result<Vec<String>> {
        let path = format!("/orders/{order_id}/timeline");
        let shown = self.shopper.get(&path).expect(200).await?.json();
        let kinds = shown.list("/entries").iter();
        Ok(kinds.map(|entry| entry.text("/kind").to_owned()).collect())
    }

    pub async fn housekeeping(&self) -> Result<Value> {
        let relay = self.aisle.with_key(&self.aisle.relay_key);
        Ok(relay
            .post("/transfers/housekeeping")
            .expect(200)
            .await?
            .json())
    }

    pub async fn count(&self, sql: &str) -> Result<i64> {
        self.aisle.database.number(sql).await
    }
}

/// Takes a step of a transfer's life.
pub async fn step(staff: &SignedOn, id: &str, step: &str, body: Value) -> Result<Answer> {
    let path = format!("/transfers/{id}/{step}");
    staff.client.post(&path).json(&body).send().await
}

/// The same, which must go through; answers the transfer.
pub async fn take(staff: &SignedOn, id: &str, name: &str, body: Value) -> Result<Value> {
    let answer = step(staff, id, name, body).await?;
    ensure!(answer.status == 200, "{name}: {answer:?}");
    Ok(answer.json())
}
