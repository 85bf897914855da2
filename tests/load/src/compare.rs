//! Figures beside their limits, in one run: reads beside a component that does nothing, a
//! checkout beside what the project wants of it.

use std::sync::Arc;
use std::time::Duration;

use aisle_e2e::{Environment, Pair};
use anyhow::Result;

use crate::closed_loop::{Checkouts, Question, checkouts, requests_per_s};
use crate::http::Call;
use crate::people::lookup;
use crate::processes::Usage;
use crate::record::ms;
use crate::system::System;
use crate::world::World;

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(3);
const SHOPPERS: usize = 8;
const BUYING: Duration = Duration::from_secs(10);
/// What a database that is far away adds to each round trip.
const FAR: Duration = Duration::from_millis(40);

pub async fn run(pair: Pair, seed: u64) -> Result<()> {
    let system = System::start(pair).await?;
    println!("\n{}", system.name);
    reads(&system.world).await?;
    buying(&system, seed).await?;
    system.stop().await;
    if pair == Pair::Servers {
        far_away(seed).await?;
    }
    Ok(())
}

/// What is asked, and the least part of the empty component's rate that is wanted of it.
fn questions(world: &Arc<World>) -> [(&'static str, Option<f64>, Question); 5] {
    let hot = world.articles[0].clone();
    let (id, path) = (hot.id.clone(), format!("/stock/{}", hot.sku));
    let (ids, skus) = (world.clone(), world.clone());
    let turn = |world: &Arc<World>, number: usize| number % world.articles.len();
    [
        ("empty component", None, Arc::new(|_| Call::get("/hello"))),
        ("lookup, hot", Some(0.65), Arc::new(move |_| lookup(&id))),
        (
            "stock, hot",
            Some(0.65),
            Arc::new(move |_| Call::get(path.clone())),
        ),
        (
            "lookup, 500 in turn",
            Some(0.4),
            Arc::new(move |number| lookup(&ids.articles[turn(&ids, number)].id)),
        ),
        (
            "stock, 500 in turn",
            Some(0.4),
            Arc::new(move |number| {
                Call::get(format!("/stock/{}", skus.articles[turn(&skus, number)].sku))
            }),
        ),
    ]
}

async fn reads(world: &Arc<World>) -> Result<()> {
    let questions = questions(world);
    let mut rates = vec![Vec::new(); questions.len()];
    let before = Usage::now();
    for round in 0..=ROUNDS {
        for ((_, _, question), rates) in questions.iter().zip(&mut rates) {
            // The first round pays for connections and cold documents.
            let lasts = if round == 0 { ROUND / 3 } else { ROUND };
            let rate = requests_per_s(world, CONNECTIONS, lasts, question).await?;
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    let cost = Usage::now().since(&before);
    let rates: Vec<f64> = rates.into_iter().map(median).collect();
    println!("  {CONNECTIONS} connections, median of {ROUNDS}:");
    for ((name, aim, _), rate) in questions.iter().zip(&rates) {
        match aim {
            None => println!("    {name:22} {rate:8.0} requests/s"),
            Some(aim) => println!(
                "    {name:22} {rate:8.0} requests/s  {:.2} of empty (aim {aim})",
                rate / rates[0]
            ),
        }
    }
    println!("    processor time: {cost}");
    Ok(())
}

async fn buying(system: &System, seed: u64) -> Result<()> {
    let world = &system.world;
    checkouts(world, SHOPPERS, BUYING / 4, seed).await?;
    let alone = checkouts(world, 1, BUYING / 2, seed + 1).await?;
    let before = Usage::now();
    let together = checkouts(world, SHOPPERS, BUYING, seed + 2).await?;
    let cost = Usage::now().since(&before);
    println!("  whole checkout of four calls:");
    println!(
        "    one shopper alone      p50 {} ms, p99 {} ms (aim: 15)",
        ms(alone.whole.median()),
        ms(alone.whole.p99())
    );
    println!(
        "    {SHOPPERS} shoppers             {:.1} orders/s (aim: 150), p50 {} ms, p99 {} ms",
        together.per_s,
        ms(together.whole.median()),
        ms(together.whole.p99())
    );
    by_call(&together);
    println!("    processor time in {} s: {cost}", BUYING.as_secs());
    Ok(())
}

fn by_call(checkouts: &Checkouts) {
    for (operation, measured) in &checkouts.calls {
        println!(
            "      {:20} p50 {:>6} ms  p99 {:>7} ms",
            operation.name(),
            ms(measured.median()),
            ms(measured.p99())
        );
    }
    for (why, count) in &checkouts.whole.errors {
        println!("      {count} times: {why}");
    }
}

struct Calls {
    sql: u64,
    round_trips: u64,
}

fn calls(environment: &Environment) -> Calls {
    let lines = environment.lines.as_ref();
    Calls {
        sql: environment.shopper_sql(),
        round_trips: lines.map_or(0, |lines| lines.postgres.round_trips()),
    }
}

/// The same with a database that is 40 ms away, where round trips are all that counts.
async fn far_away(seed: u64) -> Result<()> {
    let system = System::start_through_lines().await?;
    let world = &system.world;
    checkouts(world, SHOPPERS, BUYING / 4, seed).await?;
    if let Some(lines) = &system.own()?.lines {
        lines.postgres.lengthen(FAR);
    }
    println!(
        "  with {} ms added to every round trip to the database:",
        FAR.as_millis()
    );
    let before = calls(system.own()?);
    let alone = checkouts(world, 1, BUYING, seed + 3).await?;
    let after = calls(system.own()?);
    println!(
        "    one shopper alone      p50 {} ms, p99 {} ms",
        ms(alone.whole.median()),
        ms(alone.whole.p99())
    );
    let each = |count: fn(&Calls) -> u64| {
        (count(&after) - count(&before)) as f64 / alone.whole.latency.len().max(1) as f64
    };
    println!(
        "    for each checkout      {:.1} SQL calls; {:.1} round trips, the relay's among them",
        each(|calls| calls.sql),
        each(|calls| calls.round_trips)
    );
    by_call(&alone);
    let together = checkouts(world, SHOPPERS, BUYING, seed + 4).await?;
    println!(
        "    {SHOPPERS} shoppers             {:.1} orders/s, p50 {} ms, p99 {} ms",
        together.per_s,
        ms(together.whole.median()),
        ms(together.whole.p99())
    );
    system.stop().await;
    Ok(())
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
