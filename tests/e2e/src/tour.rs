//! One of each request that a shopper, a till, a store's desk and the relay make, in a filled
//! system, each between two looks at a meter.

use std::future::Future;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::client::Call;
use crate::json::Look;
use crate::shopping::{
    Item, checkout_request, complete, line, order_id, pickup_at, shipping_to, update_of,
    with_first_options,
};
use crate::staff::SignedOn;
use crate::{Answer, Client, Environment, Neighbour, Pair, Setup};

/// The brand that a filled system has, and where it answers.
pub const BRAND: &str = "mass";
const HOST: &str = "mass.localhost";
const COUNTRY: &str = "DE";
const RELAY_KEY: &str = "the-relay-of-the-tour";
/// In Berlin.
const NEAR: &str = "52.52,13.40";
/// Pieces of each article at the store of the tour.
const PIECES: u32 = 5_000;
/// Articles of the tour, at most: one for each round.
const ARTICLES: usize = 60;
/// The page of a search that is far from its first.
const FAR_PAGE: usize = 10;

/// Told when a request begins and when it is answered.
pub trait Meter {
    fn begin(&mut self, scene: &Scene) -> impl Future<Output = Result<()>>;
    fn end(&mut self, scene: &Scene, operation: &str) -> impl Future<Output = Result<()>>;
}

/// A filled system with somebody at a till of one of its stores.
pub struct Scene {
    pub aisle: Environment,
    /// Has the relay's key; what the shoppers' edge does is not mixed with it.
    pub relay: Neighbour,
    shopper: Client,
    ticker: Client,
    staff: SignedOn,
    device: Client,
    store_id: String,
    items: Vec<Item>,
}

impl Scene {
    /// A system of that size, freshly filled.
    pub async fn new(pair: Pair, size: aisle_fill::Size) -> Result<Self> {
        let aisle = Setup::filled(pair, size).for_measuring().start().await?;
        let relay = aisle.neighbour_with(&[("relay_key", RELAY_KEY)]).await?;
        let (store_id, code) = store(&aisle).await?;
        let items = items(&aisle, &store_id).await?;
        let csv = items
            .iter()
            .fold(String::from("sku,location_code,on_hand\n"), |csv, item| {
                format!("{csv}{},{code},{PIECES}\n", item.sku)
            });
        let import = format!("/admin/imports?kind=stock&brand={BRAND}");
        aisle.admin().post(&import).csv(csv).expect(200).await?;
        let staff = aisle.staff(HOST, &store_id, "pos stock cash").await?;
        let device = device(&aisle, &store_id).await?;
        let scene = Self {
            shopper: aisle.client(HOST),
            ticker: relay
                .client(HOST)
                .with_header("authorization", &format!("Bearer {RELAY_KEY}")),
            staff,
            device,
            store_id,
            items,
            relay,
            aisle,
        };
        // What the fill and the import left to be told.
        while scene.ticker.post("/relay/run").expect(200).await?.json()["more"] == true {}
        Ok(scene)
    }

    /// One of each, about the articles of this round.
    pub async fn round(&self, round: usize, meter: &mut impl Meter) -> Result<()> {
        let tour = Tour {
            scene: self,
            round,
            item: &self.items[round % self.items.len()],
        };
        tour.searches(meter).await?;
        tour.looks(meter).await?;
        let order = tour.buys(meter).await?;
        let collected = tour.collects(meter).await?;
        tour.reads(meter, &order).await?;
        tour.hands_over(meter, &collected).await?;
        tour.works(meter).await?;
        tour.tidies_up(meter).await
    }
}

struct Tour<'a> {
    scene: &'a Scene,
    round: usize,
    item: &'a Item,
}

impl Tour<'_> {
    async fn step<M: Meter>(
        &self,
        meter: &mut M,
        name: &str,
        call: Call<'_>,
        status: u16,
    ) -> Result<Answer> {
        meter.begin(self.scene).await?;
        let answer = call.expect(status).await.with_context(|| name.to_owned())?;
        meter.end(self.scene, name).await?;
        Ok(answer)
    }

    async fn search<M: Meter>(&self, meter: &mut M, name: &str, body: Value) -> Result<Answer> {
        let call = self.scene.shopper.post("/catalog/search").json(&body);
        self.step(meter, name, call, 200).await
    }

    async fn searches<M: Meter>(&self, meter: &mut M) -> Result<()> {
        // Its first word is made up.
        let rare = self.item.title.split(' ').next().unwrap_or_default();
        self.search(meter, "search: common word", json!({"query": "cotton"}))
            .await?;
        self.search(meter, "search: two words", json!({"query": "cotton shirt"}))
            .await?;
        self.search(meter, "search: rare word", json!({"query": rare}))
            .await?;
        self.search(meter, "search: no hit", json!({"query": "xqzzwv"}))
            .await?;
        self.search(
            meter,
            "search: beginning of a word",
            json!({"query": "cott"}),
        )
        .await?;
        self.search(meter, "search: everything", json!({"query": "*"}))
            .await?;
        let price = json!({"query": "wool", "filters": {"price": {"min": 4_000, "max": 4_500}}});
        self.search(meter, "search: with a price", price).await?;
        let nothing = json!({"query": "wool", "filters": {"price": {"min": 99_000_000}}});
        self.search(meter, "search: with a price that none has", nothing)
            .await?;
        let category =
            json!({"query": "wool", "filters": {"categories": ["Apparel > Clothing > Shirts"]}});
        self.search(meter, "search: with a category", category)
            .await?;
        let store =
            json!({"query": "wool", "filters": {"fulfills_to": {"location": self.scene.store_id}}});
        self.search(meter, "search: at a store", store).await?;
        let mut page = json!({"query": "cotton", "pagination": {"limit": 4}});
        for _ in 1..FAR_PAGE {
            let found = self
                .scene
                .shopper
                .post("/catalog/search")
                .json(&page)
                .expect(200)
                .await?
                .json();
            page["pagination"]["cursor"] = found.at("/pagination/cursor").clone();
        }
        self.search(meter, "search: tenth page", page)
            .await
            .map(drop)
    }

    async fn looks<M: Meter>(&self, meter: &mut M) -> Result<()> {
        let (shopper, item) = (&self.scene.shopper, self.item);
        let lookup = || {
            shopper
                .post("/catalog/lookup")
                .json(&json!({"ids": [item.id]}))
        };
        self.step(meter, "lookup: first", lookup(), 200).await?;
        self.step(meter, "lookup: again", lookup(), 200).await?;
        let product = shopper
            .post("/catalog/product")
            .json(&json!({"id": item.sku}));
        self.step(meter, "product", product, 200).await?;
        let stock = || shopper.get(&format!("/stock/{}?near={NEAR}", item.sku));
        self.step(meter, "stock near: first", stock(), 200).await?;
        self.step(meter, "stock near: again", stock(), 200).await?;
        let around = json!({"center": {"latitude": 52.52, "longitude": 13.40}, "max": 300_000});
        let near = shopper
            .post("/locations/search")
            .json(&json!({"distance": around}));
        self.step(meter, "stores near", near, 200).await?;
        let with = json!({"distance": around, "filters": {"items": [item.id]}});
        let with = shopper.post("/locations/search").json(&with);
        self.step(meter, "stores near that have it", with, 200)
            .await?;
        let quote = json!({"items": [{"sku": item.sku, "quantity": 2}], "to": {"near": NEAR}});
        let quote = shopper.post("/transfers/quote").json(&quote);
        self.step(meter, "transfer quote", quote, 200)
            .await
            .map(drop)
    }

    /// A cart, and an order that is sent; its id.
    async fn buys<M: Meter>(&self, meter: &mut M) -> Result<String> {
        let (shopper, item) = (&self.scene.shopper, self.item);
        let lines = |quantity| json!({"line_items": [line(&item.id, quantity)]});
        let cart = self
            .step(
                meter,
                "cart: create",
                shopper.post("/carts").json(&lines(1)),
                201,
            )
            .await?;
        let cart = format!("/carts/{}", cart.json().text("/id"));
        self.step(
            meter,
            "cart: update",
            shopper.put(&cart).json(&lines(2)),
            200,
        )
        .await?;
        self.checkout(meter, "sent", shipping_to(COUNTRY)).await
    }

    /// An order that is collected at the store of the tour; its id.
    async fn collects<M: Meter>(&self, meter: &mut M) -> Result<String> {
        self.checkout(meter, "collected", pickup_at(&self.scene.store_id))
            .await
    }

    async fn checkout<M: Meter>(
        &self,
        meter: &mut M,
        how: &str,
        fulfillment: Value,
    ) -> Result<String> {
        let shopper = &self.scene.shopper;
        let mut request = checkout_request(&[line(&self.item.id, 1)], fulfillment);
        // A person pays for so many orders at a time only.
        request["buyer"]["email"] = json!(format!("shopper-{}@example.com", self.round));
        request["buyer"]["phone_number"] = json!(format!("+4915112{:06}", self.round));
        let create = shopper.post("/checkout-sessions").json(&request);
        let created = self
            .step(meter, &format!("checkout, {how}: create"), create, 201)
            .await?
            .json();
        let path = format!("/checkout-sessions/{}", created.text("/id"));
        let update = with_first_options(&created).unwrap_or_else(|| update_of(&created));
        let update = shopper.put(&path).json(&update);
        let ready = self
            .step(meter, &format!("checkout, {how}: update"), update, 200)
            .await?
            .json();
        meter.begin(self.scene).await?;
        let completed = complete(shopper, &ready).await?.json();
        meter
            .end(self.scene, &format!("checkout, {how}: complete"))
            .await?;
        ensure!(completed["status"] == "completed", "{completed:#}");
        Ok(order_id(&completed).to_owned())
    }

    async fn reads<M: Meter>(&self, meter: &mut M, order: &str) -> Result<()> {
        let shopper = &self.scene.shopper;
        self.step(
            meter,
            "order",
            shopper.get(&format!("/orders/{order}")),
            200,
        )
        .await?;
        self.step(
            meter,
            "order's page",
            shopper.get(&format!("/my/orders/{order}")),
            200,
        )
        .await?;
        let timeline = shopper.get(&format!("/orders/{order}/timeline"));
        self.step(meter, "order's timeline", timeline, 200).await?;
        let invite = json!({
            "scope": "order", "id": order, "address": format!("+4915112{:06}", self.round),
            "consent": {"wording_version": "2026-11"},
        });
        self.step(
            meter,
            "link by text",
            shopper.post("/invites").json(&invite),
            201,
        )
        .await
        .map(drop)
    }

    async fn hands_over<M: Meter>(&self, meter: &mut M, order: &str) -> Result<()> {
        let (shopper, till) = (&self.scene.shopper, &self.scene.staff.client);
        self.step(meter, "desk: pull list", till.get("/holds/pull-list"), 200)
            .await?;
        let ready = till.post(&format!("/holds/pickups/{order}/ready"));
        self.step(meter, "desk: laid ready", ready, 200).await?;
        let pass = shopper.post(&format!("/orders/{order}/pass"));
        let pass = self.step(meter, "pass", pass, 201).await?.json();
        let pass = pass.text("/token");
        let scan = till.post("/pos/scan").json(&json!({"text": pass}));
        self.step(meter, "till: scan of a pass", scan, 200).await?;
        let hand_over = till
            .post(&format!("/pos/orders/{order}/hand-over"))
            .json(&json!({"pass": pass}));
        self.step(meter, "till: hand-over", hand_over, 201)
            .await
            .map(drop)
    }

    async fn works<M: Meter>(&self, meter: &mut M) -> Result<()> {
        let (till, item) = (&self.scene.staff.client, self.item);
        let sign_on = json!({"staff_code": "tour", "pin": "2468"});
        // Tries are counted for each person.
        if self.round < 4 {
            let sign_on = self.scene.device.post("/pos/sign-on").json(&sign_on);
            self.step(meter, "till: sign-on", sign_on, 201).await?;
        }
        let scan = till.post("/pos/scan").json(&json!({"text": item.sku}));
        self.step(meter, "till: scan of an article", scan, 200)
            .await?;
        let sale = json!({
            "items": [{"sku": item.sku, "quantity": 1}],
            "payment": {"type": "card_present", "reference": format!("TERM-1:{}", self.round)},
        });
        self.step(
            meter,
            "till: sale",
            till.post("/pos/sales").json(&sale),
            201,
        )
        .await?;
        let hold = json!({
            "items": [{"sku": item.sku, "quantity": 1}], "location_id": self.scene.store_id,
            "contact": {"name": "Ada Byron", "phone_number": format!("+1202555{:04}", self.round)},
        });
        self.step(
            meter,
            "hold",
            self.scene.shopper.post("/holds").json(&hold),
            201,
        )
        .await?;
        let count = json!({"mode": "blind", "zones": ["A"], "skus": [item.sku]});
        let count = self
            .step(meter, "desk: count", till.post("/counts").json(&count), 201)
            .await?
            .json();
        let scans = json!({"device_now": "2026-05-01T12:00:00Z", "scans": [
            {"sequence": self.round as i64 + 1, "sku": item.sku, "quantity": 3, "zone": "A", "scanned_at": "2026-05-01T11:59:00Z"},
        ]});
        let count = format!("/counts/{}", count.text("/id"));
        let scans = till.post(&format!("{count}/scans")).json(&scans);
        self.step(meter, "desk: counted", scans, 200).await?;
        till.post(&format!("{count}/cancel")).send().await.map(drop)
    }

    async fn tidies_up<M: Meter>(&self, meter: &mut M) -> Result<()> {
        let ticker = &self.scene.ticker;
        let run = || ticker.post("/relay/run");
        // What the requests of the round left.
        while run().expect(200).await?.json()["done"] != 0 {}
        self.step(meter, "relay: nothing to do", run(), 200).await?;
        self.scene.changed(self.round, &self.item.sku).await?;
        self.step(meter, "relay: one event", run(), 200).await?;
        for path in [
            "/checkout-sessions/recover",
            "/transfers/housekeeping",
            "/holds/housekeeping",
            "/accounts/housekeeping",
            "/messages/housekeeping",
        ] {
            // The first finds what the round left, the second what is always there.
            ticker.post(path).expect(200).await?;
            self.step(
                meter,
                &format!("tidying up: {path}"),
                ticker.post(path),
                200,
            )
            .await?;
        }
        Ok(())
    }
}

impl Scene {
    /// An event as every sale writes one.
    async fn changed(&self, round: usize, sku: &str) -> Result<()> {
        let (id, at) = (uuid::Uuid::now_v7(), &self.store_id);
        let event = format!(
            "INSERT INTO outbox (id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms) \
             SELECT '{id}', id, 'stock', '{sku}', 'stock.changed', '{{\"locations\": [\"{at}\"]}}', {round} FROM brand WHERE handle = '{BRAND}'"
        );
        self.aisle.database.rows(&event).await.map(drop)
    }
}

/// Id and code of a store that sells and hands over.
async fn store(aisle: &Environment) -> Result<(String, String)> {
    let places = aisle.database.rows(
        "SELECT id, code, doc FROM location WHERE doc LIKE '%\"kind\":\"store\"%' ORDER BY code LIMIT 50",
    );
    for place in places.await? {
        if let [Some(id), Some(code), Some(doc)] = &place[..]
            && serde_json::from_str::<Value>(doc)?["services"]["pickup"] == true
        {
            return Ok((id.clone(), code.clone()));
        }
    }
    anyhow::bail!("no store hands over")
}

/// Articles that the store has, each of another product; those that all stores have first.
async fn items(aisle: &Environment, store_id: &str) -> Result<Vec<Item>> {
    let sql = format!(
        "SELECT min(v.id), min(s.sku), p.title, min(v.price_minor) FROM stock s \
         JOIN variant v ON v.brand_id = s.brand_id AND v.sku = s.sku AND v.position = 0 \
         JOIN product p ON p.id = v.product_id AND p.published = 1 \
         WHERE s.location_id = '{store_id}' GROUP BY p.id, p.title ORDER BY min(s.sku) LIMIT {ARTICLES}"
    );
    let item = |row: Vec<Option<String>>| {
        let mut columns = row.into_iter().flatten();
        Some(Item {
            id: columns.next()?,
            sku: columns.next()?,
            title: columns.next()?,
            price_minor: columns.next()?.parse().ok()?,
        })
    };
    let rows = aisle.database.rows(&sql).await?;
    let items: Vec<Item> = rows.into_iter().filter_map(item).collect();
    ensure!(
        items.len() >= 4,
        "the store has only {} articles",
        items.len()
    );
    Ok(items)
}

/// A till on which somebody can sign on.
async fn device(aisle: &Environment, store_id: &str) -> Result<Client> {
    let admin = aisle.admin();
    let person = json!({"code": "tour", "name": "Kim", "pin": "2468", "scopes": ["pos"]});
    admin
        .post(&format!("/admin/staff?brand={BRAND}"))
        .json(&person)
        .expect(201)
        .await?;
    let device = json!({"location_id": store_id, "name": "Tour", "scopes": ["pos"]});
    let device = admin
        .post(&format!("/admin/devices?brand={BRAND}"))
        .json(&device);
    let token = device.expect(201).await?.json().text("/token").to_owned();
    Ok(Client::new(aisle.addr(), HOST).with_header("authorization", &format!("Bearer {token}")))
}
