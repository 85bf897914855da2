//! What the people of a run know: what is sold, where, and who stands at which till.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use aisle_e2e::shopping::Item;
use anyhow::{Context, Result, ensure};
use rand::Rng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::http::{Call, Http};

/// Articles that people know of.
pub const ARTICLES: usize = 500;
/// Stores with a till and a clerk.
const STAFFED: usize = 12;
const PIN: &str = "2468";

/// A running system, as its clients see it.
pub struct World {
    pub http: Http,
    pub clock: Clock,
    pub articles: Vec<Item>,
    /// By rank, how often it or one before it is asked for.
    popularity: Vec<f64>,
    places: Vec<(f64, f64)>,
    pub tills: Vec<Till>,
    /// Orders that are to be collected, the oldest first.
    waiting: Mutex<VecDeque<Waiting>>,
    people: AtomicU64,
}

/// Somebody who signed on.
#[derive(Clone)]
pub struct Till {
    pub token: String,
    pub location_id: String,
}

pub struct Waiting {
    pub order_id: String,
    pub location_id: String,
}

impl World {
    /// Looks around as a client; with an admin key also puts staff into stores.
    ///
    /// # Errors
    /// The system does not answer, or sells nothing.
    pub async fn explore(http: Http, brand: &str, admin_key: Option<&str>) -> Result<Self> {
        let articles = articles(&http).await?;
        ensure!(
            !articles.is_empty(),
            "nothing is sold there: import products and stock first"
        );
        let places = places(&http).await?;
        let tills = match admin_key {
            Some(key) => staff(&http, brand, key, &places).await?,
            None => Vec::new(),
        };
        // Zipf's law: the second is asked for half as often as the first.
        let mut sum = 0.0;
        let weights = (1..=articles.len()).map(|rank| 1.0 / rank as f64);
        let popularity = weights.map(|weight| {
            sum += weight;
            sum
        });
        Ok(Self {
            http,
            clock: Clock::start(),
            popularity: popularity.collect(),
            articles,
            places: places.into_iter().map(|place| place.point).collect(),
            tills,
            waiting: Mutex::default(),
            people: AtomicU64::new(0),
        })
    }

    pub fn article(&self, chance: &mut SmallRng) -> &Item {
        let all = self.popularity.last().copied().unwrap_or_default();
        let drawn = chance.random::<f64>() * all;
        let rank = self.popularity.partition_point(|sum| *sum <= drawn);
        &self.articles[rank.min(self.articles.len() - 1)]
    }

    /// A word of an article's title.
    pub fn word(&self, chance: &mut SmallRng) -> &str {
        let title = &self.article(chance).title;
        let words: Vec<&str> = title.split_whitespace().collect();
        words
            .get(chance.random_range(0..words.len().max(1)))
            .copied()
            .unwrap_or(title)
    }

    /// Where somebody lives: within half a degree of a store.
    pub fn home(&self, chance: &mut SmallRng) -> (f64, f64) {
        let (latitude, longitude) = self
            .places
            .get(chance.random_range(0..self.places.len().max(1)))
            .copied()
            .unwrap_or((52.5, 13.4));
        let mut around = |degrees: f64| degrees + chance.random_range(-0.5..0.5);
        (
            around(latitude).clamp(-90.0, 90.0),
            around(longitude).clamp(-180.0, 180.0),
        )
    }

    /// Nobody else is this person.
    pub fn buyer(&self) -> Value {
        let number = self.people.fetch_add(1, Relaxed);
        json!({"first_name": "Ada", "last_name": "Byron", "email": format!("ada-{number}@example.com")})
    }

    pub fn till_at(&self, location_id: &str) -> Option<&Till> {
        self.tills
            .iter()
            .find(|till| till.location_id == location_id)
    }

    pub fn wait_for_collection(&self, order: Waiting) {
        self.waiting().push_back(order);
    }

    pub fn next_to_collect(&self) -> Option<Waiting> {
        self.waiting().pop_front()
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the catalogue's search shows first, page by page.
async fn articles(http: &Http) -> Result<Vec<Item>> {
    let mut found = Vec::new();
    let mut page = json!({"limit": 50});
    while found.len() < ARTICLES {
        let search = json!({"query": "*", "pagination": page});
        let answer = http
            .send(Call::post("/catalog/search", &search))
            .await?
            .expect(200)?;
        let products = answer["products"].as_array().context("no products")?;
        found.extend(products.iter().filter_map(item));
        match answer.pointer("/pagination/cursor") {
            Some(cursor) if cursor.is_string() => page = json!({"limit": 50, "cursor": cursor}),
            _ => break,
        }
    }
    found.truncate(ARTICLES);
    Ok(found)
}

/// The product's first variant that can be had.
fn item(product: &Value) -> Option<Item> {
    let mut variants = product["variants"].as_array()?.iter();
    let variant = variants.find(|variant| variant["availability"]["available"] == true)?;
    Some(Item {
        id: variant["id"].as_str()?.into(),
        sku: variant["sku"].as_str()?.into(),
        title: product["title"].as_str()?.into(),
        price_minor: variant.pointer("/price/amount")?.as_i64()?,
    })
}

struct Place {
    id: String,
    point: (f64, f64),
    pickup: bool,
}

async fn places(http: &Http) -> Result<Vec<Place>> {
    let search = json!({"pagination": {"limit": 50}});
    let answer = http
        .send(Call::post("/locations/search", &search))
        .await?
        .expect(200)?;
    let places = answer["locations"]
        .as_array()
        .context("no locations")?
        .iter();
    let place = |place: &Value| {
        let degrees = |name: &str| place["geo"][name].as_f64();
        Some(Place {
            id: place["id"].as_str()?.into(),
            point: (degrees("latitude")?, degrees("longitude")?),
            pickup: place["pickup"] == true,
        })
    };
    Ok(places.filter_map(place).collect())
}

/// Somebody at a till of each of the first stores.
async fn staff(http: &Http, brand: &str, key: &str, places: &[Place]) -> Result<Vec<Till>> {
    let code = uuid::Uuid::new_v4().simple().to_string();
    let scopes = ["pos", "stock"];
    let person = json!({"code": code, "name": "Kim", "pin": PIN, "scopes": scopes});
    let admin = |path: &str, body: &Value| {
        http.send(Call::post(format!("{path}?brand={brand}"), body).bearer(key))
    };
    admin("/admin/staff", &person).await?.expect(201)?;
    let mut tills = Vec::new();
    for place in places.iter().filter(|place| place.pickup).take(STAFFED) {
        let device = json!({"location_id": place.id, "name": "Till of the load generator", "scopes": scopes});
        let device = admin("/admin/devices", &device).await?.expect(201)?;
        let device = device["token"]
            .as_str()
            .context("a device without a token")?;
        let who = json!({"staff_code": code, "pin": PIN});
        let session = http
            .send(Call::post("/pos/sign-on", &who).bearer(device))
            .await?;
        // Ten sign-ons of one person within a quarter of an hour, and no more.
        if session.status == 429 {
            break;
        }
        let session = session.expect(201)?;
        let token = session["token"]
            .as_str()
            .context("a session without a token")?;
        tills.push(Till {
            token: token.into(),
            location_id: place.id.clone(),
        });
    }
    Ok(tills)
}
