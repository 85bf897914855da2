//! A second region: an edge whose database is far away and whose key-value store is its own.
//! What does a shopper there see, how soon, and is anything sold twice?

use std::sync::Arc;
use std::time::{Duration, Instant};

use aisle_e2e::environment::NORTH;
use aisle_e2e::{Environment, Pair};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::hot::{self, Rush};
use crate::http::{Call, Http};
use crate::open_loop::{self, Plan};
use crate::people::lookup;
use crate::progress;
use crate::record;
use crate::system::{BRAND, System};
use crate::world::World;

const ROUND_TRIP: Duration = Duration::from_millis(40);
const RUSH: Rush = Rush {
    buyers: 100,
    units: 30,
};
const CHANGES: usize = 8;
/// Between two looks at whether a change shows.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub async fn run(plan: Plan, patience: Duration) -> Result<()> {
    let system = System::start(Pair::Servers).await?;
    let environment = system.own()?;
    let program = std::env::current_exe()?;
    let far = environment.another_region(&program, ROUND_TRIP).await?;
    let there = World::explore(
        Http::new(far.addr(), NORTH),
        BRAND,
        Some(&environment.admin_key),
    )
    .await?;
    let worlds = [system.world.clone(), Arc::new(there)];
    println!(
        "\nA second region, {} ms from the database, with a key-value store of its own",
        ROUND_TRIP.as_millis()
    );
    for (name, world) in ["here", "there"].iter().zip(&worlds) {
        let outcome = open_loop::run(world, plan, &format!("people come, {name}")).await?;
        println!("  {name}, {} visits/s:", plan.visits_per_s);
        record::print(&outcome.seen, outcome.lasted);
    }
    hot::put_on_sale(&system, RUSH.units).await?;
    let sessions = hot::prepare(&worlds, RUSH.buyers).await?;
    println!(
        "  {} buyers of {} units, half of them in each region:",
        RUSH.buyers, RUSH.units
    );
    hot::print(&hot::all_pay(&worlds, sessions).await?, RUSH);
    environment.database.check_invariants().await?;
    staleness(environment, &worlds, patience).await
}

/// After how long a change that is made here shows there.
async fn staleness(
    environment: &Environment,
    worlds: &[Arc<World>; 2],
    patience: Duration,
) -> Result<()> {
    for (name, change) in [("stock", Change::Stock), ("a title", Change::Title)] {
        let mut watched = Vec::new();
        for turn in 0..CHANGES {
            let article = &worlds[0].articles[turn * 7 + 1];
            let handle = article.sku.to_lowercase();
            for world in worlds {
                // Documents are of different ages when they are overtaken.
                change.shown(world, &article.id, &article.sku).await?;
            }
            tokio::time::sleep(Duration::from_millis(700)).await;
            let mark = 4_000 + turn;
            change
                .make(environment, &article.sku, &handle, mark)
                .await?;
            let made = Instant::now();
            for (place, world) in worlds.iter().enumerate() {
                let (world, id, sku) = (world.clone(), article.id.clone(), article.sku.clone());
                let watching = async move {
                    change
                        .until_shown(&world, &id, &sku, mark, made, patience)
                        .await
                };
                watched.push((place, tokio::spawn(watching)));
            }
        }
        let waiting = progress::step(&format!(
            "waiting until {name} shows everywhere, {} s at most",
            patience.as_secs()
        ));
        let mut ages = [Vec::new(), Vec::new()];
        for (place, watching) in watched {
            ages[place].push(watching.await??);
        }
        waiting.finish_and_clear();
        for (place, ages) in ["here", "there"].iter().zip(&mut ages) {
            ages.sort();
            let middle = ages.get(ages.len() / 2).copied().flatten();
            let last = ages.last().copied().flatten();
            println!(
                "  {name} that changed here shows {place} after {} (median of {CHANGES}), {} at most",
                said(middle),
                said(last)
            );
        }
    }
    Ok(())
}

/// `None` sorts first; whoever did not see it in time is what matters most.
fn said(age: Option<Duration>) -> String {
    age.map_or("longer than anybody waited".into(), |age| {
        format!("{:.1} s", age.as_secs_f64())
    })
}

#[derive(Clone, Copy)]
enum Change {
    Stock,
    Title,
}

impl Change {
    async fn make(
        self,
        environment: &Environment,
        sku: &str,
        handle: &str,
        mark: usize,
    ) -> Result<()> {
        let (kind, csv) = match self {
            Self::Stock => {
                let code = environment
                    .database
                    .rows("SELECT code FROM location WHERE code = 'BER-01'")
                    .await?;
                let code = code[0][0].clone().unwrap_or_default();
                (
                    "stock",
                    format!("sku,location_code,on_hand,safety\n{sku},{code},{mark},0\n"),
                )
            }
            Self::Title => (
                "products",
                format!(
                    "Handle,Title,Variant SKU,Variant Price\n{handle},Title {mark},{sku},20.00\n"
                ),
            ),
        };
        let path = format!("/admin/imports?kind={kind}&brand={BRAND}");
        environment
            .admin()
            .post(&path)
            .csv(csv)
            .expect(200)
            .await
            .map(drop)
    }

    async fn shown(self, world: &World, id: &str, sku: &str) -> Result<Value> {
        match self {
            Self::Stock => world
                .http
                .send(Call::get(format!("/stock/{sku}")))
                .await?
                .expect(200),
            Self::Title => world.http.send(lookup(id)).await?.expect(200),
        }
    }

    fn has(self, answer: &Value, mark: usize) -> Option<bool> {
        Some(match self {
            Self::Stock => {
                let mut places = answer["locations"].as_array()?.iter();
                places.any(|place| place["available"] == json!(mark))
            }
            Self::Title => answer.pointer("/products/0/title")? == &json!(format!("Title {mark}")),
        })
    }

    async fn until_shown(
        self,
        world: &World,
        id: &str,
        sku: &str,
        mark: usize,
        made: Instant,
        patience: Duration,
    ) -> Result<Option<Duration>> {
        while made.elapsed() < patience {
            let answer = self.shown(world, id, sku).await?;
            if self
                .has(&answer, mark)
                .context("an answer of another shape")?
            {
                return Ok(Some(made.elapsed()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(None)
    }
}
