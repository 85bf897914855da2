//! The worst that an Aisle is asked for at once, beside people who buy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use serde_json::json;
use tokio::task::JoinSet;

use crate::accounts::{Device, sign_in};
use crate::environment::{NORTH, NORTH_COUNTRY};
use crate::shopping::{Item, complete, items, line, order_id, shipping_checkout};
use crate::{Answer, Environment};

/// Searches under way at a time.
const SEARCHERS: usize = 16;
/// People who have all exported that is known of them, again and again.
const EXPORTERS: usize = 4;
/// Words that many products have, words that none has, and everything.
const QUERIES: [&str; 4] = ["jacket", "the wool shirt", "nosuchword", "*"];

/// Heavy work that goes on until it is stopped.
pub struct Pressure {
    stop: Arc<AtomicBool>,
    working: JoinSet<Result<()>>,
    counts: Arc<Counts>,
}

/// What became of the heavy requests.
#[derive(Default)]
pub struct Counts {
    pub answered: AtomicU64,
    /// With 503 and when to come again.
    pub turned_away: AtomicU64,
}

impl Pressure {
    /// Searches, exports and, over and over, an import of so many rows.
    pub async fn start(aisle: &Arc<Environment>, rows: usize) -> Result<Self> {
        let mut pressure = Self {
            stop: Arc::default(),
            working: JoinSet::new(),
            counts: Arc::default(),
        };
        let ada = sign_in(aisle, NORTH, "ada@example.com").await?;
        for searcher in 0..SEARCHERS {
            pressure.keep_on(search(aisle.clone(), searcher));
        }
        let ada = Arc::new(ada);
        for _ in 0..EXPORTERS {
            pressure.keep_on(export(ada.clone()));
        }
        pressure.keep_on(import(aisle.clone(), rows));
        Ok(pressure)
    }

    fn keep_on<F>(&mut self, mut next: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = Result<Answer>> + Send,
    {
        let (stop, counts) = (self.stop.clone(), self.counts.clone());
        self.working.spawn(async move {
            while !stop.load(Relaxed) {
                let answer = next().await?;
                if answer.status.is_success() {
                    counts.answered.fetch_add(1, Relaxed);
                    continue;
                }
                let again = answer.header("retry-after");
                ensure!(answer.status == 503 && !again.is_empty(), "{answer:?}");
                counts.turned_away.fetch_add(1, Relaxed);
            }
            Ok(())
        });
    }

    /// Lets what is under way finish. An error where something was neither answered nor
    /// turned away in good manner.
    pub async fn stop(mut self) -> Result<Arc<Counts>> {
        self.stop.store(true, Relaxed);
        while let Some(worked) = self.working.join_next().await {
            worked??;
        }
        Ok(self.counts)
    }
}

type Next = std::pin::Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;

fn search(aisle: Arc<Environment>, searcher: usize) -> impl FnMut() -> Next + Send {
    let shopper = Arc::new(aisle.north());
    let mut round = searcher;
    move || {
        round += 1;
        let query = QUERIES[round % QUERIES.len()];
        let shopper = shopper.clone();
        Box::pin(async move {
            let body = json!({"query": query, "pagination": {"limit": 50}});
            shopper.post("/catalog/search").json(&body).send().await
        })
    }
}

fn export(ada: Arc<Device>) -> impl FnMut() -> Next + Send {
    move || {
        let ada = ada.clone();
        Box::pin(async move { ada.client.get("/accounts/me/export").send().await })
    }
}

/// Every import has products that the one before had not.
fn import(aisle: Arc<Environment>, rows: usize) -> impl FnMut() -> Next + Send {
    let admin = Arc::new(aisle.admin());
    let mut file = 0;
    move || {
        file += 1;
        let (admin, number) = (admin.clone(), file);
        let head = Bytes::from("Handle,Title,Body (HTML),Variant SKU,Variant Price\n");
        let row = move |row: usize| {
            Bytes::from(format!(
                "p{number}-{row},Jacket {row},The wool shirt of row {row},P{number}-{row},19.00\n"
            ))
        };
        let body = std::iter::once(head).chain((0..rows).map(row));
        Box::pin(async move {
            let path = "/admin/imports?kind=products&brand=north&file=pressure.csv";
            admin.post(path).stream("text/csv", body).send().await
        })
    }
}

/// So many people buy, each so often, and each order is good. Answers how long each checkout
/// took, in the order of their length.
pub async fn buy(aisle: &Arc<Environment>, buyers: usize, times: usize) -> Result<Vec<Duration>> {
    let wanted = items(&aisle.north(), buyers.min(8)).await?;
    let mut buying = JoinSet::new();
    for buyer in 0..buyers {
        let (aisle, item) = (aisle.clone(), wanted[buyer % wanted.len()].clone());
        buying.spawn(async move {
            let shopper = aisle.north();
            let mut took = Vec::with_capacity(times);
            for _ in 0..times {
                let begun = Instant::now();
                one_order(&shopper, &item).await?;
                took.push(begun.elapsed());
            }
            anyhow::Ok(took)
        });
    }
    let mut took = Vec::new();
    while let Some(bought) = buying.join_next().await {
        took.extend(bought??);
    }
    took.sort_unstable();
    Ok(took)
}

async fn one_order(shopper: &crate::Client, item: &Item) -> Result<()> {
    let lookup = json!({"ids": [item.id]});
    shopper
        .post("/catalog/lookup")
        .json(&lookup)
        .expect(200)
        .await?;
    let stock = format!("/stock/{}", item.sku);
    shopper.get(&stock).expect(200).await?;
    let session = shipping_checkout(shopper, &[line(&item.id, 1)], NORTH_COUNTRY).await?;
    let completed = complete(shopper, &session).await?;
    ensure!(completed.status == 200, "{completed:?}");
    let completed = completed.json();
    ensure!(completed["status"] == "completed", "{completed:#}");
    let order = format!("/orders/{}", order_id(&completed));
    shopper.get(&order).expect(200).await.map(drop)
}
