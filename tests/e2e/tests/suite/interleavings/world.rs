//! The retailer, the people, and how one of them does something.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use aisle_e2e::environment::NORTH;
use aisle_e2e::shopping::{Item, items};
use aisle_e2e::staff::SignedOn;
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};
use http::Method;
use rand::Rng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

/// Few articles at few stores, so that everybody wants the same units.
const CODES: [&str; 4] = ["AMS-01", "BER-01", "HAM-01", "VIE-01"];
const ARTICLES: usize = 3;
const UNITS_EACH: i64 = 15;
const MINUTE_MS: i64 = 60_000;
const SCOPES: &str = "pos cash stock transfer approve";

pub struct World {
    pub aisle: Environment,
    pub items: Vec<Item>,
    /// Ids of the stores.
    pub stores: Vec<String>,
    people: Vec<Person>,
    /// Units of each article at the beginning.
    pub initial: BTreeMap<String, i64>,
    /// By how much the clock is set forward.
    clock_ms: tokio::sync::Mutex<i64>,
    pub requests: AtomicUsize,
    tally: Mutex<BTreeMap<&'static str, Counts>>,
}

/// A shopper, who also works at every store.
struct Person {
    shopper: Client,
    at: Vec<SignedOn>,
}

/// What became of the requests of one kind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub done: usize,
    pub refused: usize,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum Who {
    Shopper,
    /// At the store of this index.
    Staff(usize),
}

/// A request that may be refused.
pub struct Ask {
    name: &'static str,
    who: Who,
    method: Method,
    path: String,
    body: Value,
}

impl Ask {
    pub fn post(name: &'static str, who: Who, path: impl Into<String>, body: Value) -> Self {
        Self {
            name,
            who,
            method: Method::POST,
            path: path.into(),
            body,
        }
    }

    pub fn put(name: &'static str, who: Who, path: impl Into<String>, body: Value) -> Self {
        Self {
            method: Method::PUT,
            ..Self::post(name, who, path, body)
        }
    }
}

impl World {
    pub async fn open(pair: Pair, actors: usize) -> Result<Self> {
        let aisle = Setup::demo(pair).start().await?;
        set_policies(&aisle).await?;
        let items = items(&aisle.north(), ARTICLES).await?;
        let mut stores = Vec::new();
        for code in CODES {
            let id = format!("SELECT id FROM location WHERE code = '{code}'");
            let id = aisle.database.rows(&id).await?;
            let id = id.into_iter().flatten().flatten().next();
            stores.push(id.context(code)?);
        }
        stock_up(&aisle, &items).await?;
        let mut people = Vec::new();
        for _ in 0..actors {
            let mut at = Vec::new();
            for store in &stores {
                let staff = aisle.staff(NORTH, store, SCOPES).await?;
                let float = json!({"opening_float_minor": 10_000});
                let day = staff.client.post("/pos/till-days").json(&float);
                day.expect(201).await?;
                at.push(staff);
            }
            let shopper = aisle.north();
            people.push(Person { shopper, at });
        }
        let units = UNITS_EACH * CODES.len() as i64;
        Ok(Self {
            initial: items.iter().map(|item| (item.sku.clone(), units)).collect(),
            aisle,
            items,
            stores,
            people,
            clock_ms: tokio::sync::Mutex::new(0),
            requests: AtomicUsize::new(0),
            tally: Mutex::new(BTreeMap::new()),
        })
    }

    pub fn store_index(&self, id: &str) -> Option<usize> {
        self.stores.iter().position(|store| store == id)
    }

    pub fn tally(&self) -> BTreeMap<&'static str, Counts> {
        self.tally.lock().expect("no actor panicked").clone()
    }

    /// What the ticker of a deployment does.
    pub async fn tidy(&self) -> Result<()> {
        let ticker = self.aisle.with_key(&self.aisle.relay_key);
        for path in [
            "/checkout-sessions/recover",
            "/transfers/housekeeping",
            "/holds/housekeeping",
        ] {
            self.judge("housekeeping", ticker.post(path).send().await?)?;
        }
        Ok(())
    }

    /// Everything that time alone ends has ended: all that is open is far past its time.
    pub async fn settle(&self) -> Result<()> {
        const RUNS: usize = 20;
        self.pass_time(90 * 24 * 60).await?;
        for _ in 0..RUNS {
            self.tidy().await?;
        }
        Ok(())
    }

    pub async fn pass_time(&self, minutes: i64) -> Result<()> {
        let mut clock_ms = self.clock_ms.lock().await;
        *clock_ms += minutes * MINUTE_MS;
        self.aisle.database.set_clock_forward_ms(*clock_ms).await
    }

    /// The document of what went through; nothing where it was refused. Anything but a plain
    /// refusal is a failure.
    pub fn judge(&self, name: &'static str, answer: Answer) -> Result<Option<Value>> {
        self.requests.fetch_add(1, Relaxed);
        let status = answer.status.as_u16();
        let done = answer.status.is_success();
        ensure!(
            done || matches!(status, 402 | 404 | 409 | 422 | 429),
            "{name}: {answer:?}"
        );
        let mut tally = self.tally.lock().expect("no actor panicked");
        let counts = tally.entry(name).or_default();
        match done {
            true => counts.done += 1,
            false => counts.refused += 1,
        }
        if !done {
            return Ok(None);
        }
        let body = &answer.body;
        Ok(Some(if body.is_empty() {
            Value::Null
        } else {
            answer.json()
        }))
    }

    fn client(&self, person: usize, who: Who) -> &Client {
        let person = &self.people[person];
        match who {
            Who::Shopper => &person.shopper,
            Who::Staff(store) => &person.at[store].client,
        }
    }

    async fn send(&self, person: usize, ask: &Ask) -> Result<Option<Value>> {
        let call = self
            .client(person, ask.who)
            .call(ask.method.clone(), &ask.path);
        let answer = call.json(&ask.body).send().await?;
        let shown = format!("{} {} {}", ask.method, ask.path, ask.body);
        self.judge(ask.name, answer).context(shown)
    }
}

/// Somebody who acts at random.
pub struct Actor {
    pub world: Arc<World>,
    pub rng: SmallRng,
    me: usize,
    /// Numbers that this actor has given out.
    given: i64,
}

impl Actor {
    pub fn new(world: Arc<World>, me: usize, rng: SmallRng) -> Self {
        Self {
            world,
            rng,
            me,
            given: 0,
        }
    }

    /// Asks; now and then somebody else asks for the very same at the very same moment.
    pub async fn ask(&mut self, ask: Ask) -> Result<Option<Value>> {
        let world = Arc::clone(&self.world);
        if !self.one_in(6) {
            return world.send(self.me, &ask).await;
        }
        let rival = (self.me + self.rng.random_range(1..world.people.len())) % world.people.len();
        let (mine, theirs) = tokio::join!(world.send(self.me, &ask), world.send(rival, &ask));
        Ok(mine?.or(theirs?))
    }

    pub fn one_in(&mut self, turns: u32) -> bool {
        self.rng.random_ratio(1, turns)
    }

    pub fn pieces(&mut self) -> i64 {
        self.rng.random_range(1..=3)
    }

    pub fn item(&mut self) -> Item {
        let index = self.rng.random_range(0..self.world.items.len());
        self.world.items[index].clone()
    }

    /// The index of a store.
    pub fn store(&mut self) -> usize {
        self.rng.random_range(0..self.world.stores.len())
    }

    /// A number that nobody else gives out.
    pub fn number(&mut self) -> i64 {
        self.given += 1;
        self.me as i64 * 1_000_000 + self.given
    }

    /// One of the rows of `sql`, each value as text.
    pub async fn row<const N: usize>(&mut self, sql: &str) -> Result<Option<[String; N]>> {
        let rows = self.world.aisle.database.rows(sql).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let row = &rows[self.rng.random_range(0..rows.len())];
        let texts = row.iter().map(|value| value.clone().unwrap_or_default());
        let texts: Vec<String> = texts.collect();
        Ok(Some(texts.try_into().ok().context("so many columns")?))
    }

    pub async fn let_time_pass(&mut self) -> Result<()> {
        let minutes = match self.one_in(8) {
            true => self.rng.random_range(600..2_400),
            false => self.rng.random_range(1..45),
        };
        self.world.pass_time(minutes).await
    }
}

/// Everything is allowed, and everything ends within days.
async fn set_policies(aisle: &Environment) -> Result<()> {
    let admin = aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    brand["pickup_days"] = json!(1);
    brand["policies"] = json!({
        "transfers": {"approval": "manual", "approval_minutes": 120, "reservation_minutes": 30},
        // What parts and payments have in common is told to the cent.
        "payments": {"cash_rounding_minor": 1},
        "holds": {"keep_minutes": 90, "max_units": 5, "max_open": 100},
        "layaway": {
            "allowed": true, "deposit_ppm": 200_000, "instalments": 2, "interval_days": 1, "grace_days": 1,
            "reminder_days": 1, "minimum_total_minor": 100,
        },
        "pickup": {"keep_days": 1, "offline_limit_minor": 100_000_000},
        "counting": {"free_variance_units": 1_000},
    });
    let put = admin.put("/admin/brands/north").json(&brand);
    put.expect(200).await?;
    aisle.drain_outbox().await
}

/// So many units of each article at each of the stores, and nothing anywhere else.
async fn stock_up(aisle: &Environment, items: &[Item]) -> Result<()> {
    let codes = "SELECT l.code FROM location l JOIN brand_location b ON b.location_id = l.id \
                 JOIN brand ON brand.id = b.brand_id WHERE brand.handle = 'north'";
    let mut csv = String::from("sku,location_code,on_hand,safety\n");
    for code in aisle.database.rows(codes).await?.into_iter().flatten() {
        let code = code.context("a code")?;
        let units = match CODES.contains(&code.as_str()) {
            true => UNITS_EACH,
            false => 0,
        };
        for item in items {
            csv += &format!("{},{code},{units},0\n", item.sku);
        }
    }
    let import = aisle.admin();
    let import = import
        .post("/admin/imports?kind=stock&brand=north")
        .csv(csv);
    let report = import.expect(200).await?.json();
    ensure!(report["refused"] == 0, "{report:#}");
    aisle.drain_outbox().await
}
