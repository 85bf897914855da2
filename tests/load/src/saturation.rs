//! How much a system can bear: the rate goes up step by step until the slowest of a hundred
//! breaks away from the others.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::open_loop::{self, Outcome, Plan};
use crate::record::{self, ms, together};
use crate::system::System;

const STEP: f64 = 1.25;
const STEPS: usize = 30;
const STEP_LASTS: Duration = Duration::from_secs(8);
/// Past saturation: the p99 is so many times that of the first step and long besides, …
const BREAKS_AWAY: u32 = 8;
const LONG: Duration = Duration::from_millis(200);
/// … or more than this part of what came was not done in its time.
const LEFT: f64 = 0.2;
/// Where its latency is reported.
const SHARE: f64 = 0.6;

/// Finds the rate from which on it gets worse and worse, and measures well below it.
pub async fn find(system: &System, plan: Plan) -> Result<()> {
    println!("\n{}: saturation", system.name);
    println!(
        "  {:>9} {:>11} {:>9} {:>9} {:>9} {:>7}",
        "visits/s", "requests/s", "p50 ms", "p99 ms", "max ms", "errors"
    );
    let mut visits_per_s = plan.visits_per_s;
    let mut first_p99 = None;
    let mut best = None;
    for _ in 0..STEPS {
        let step = Plan {
            visits_per_s,
            measured: STEP_LASTS,
            ..plan
        };
        let name = format!("{visits_per_s:.0} visits/s");
        let outcome = open_loop::run(&system.world, step, &name).await?;
        line(visits_per_s, &outcome);
        let p99 = together(&outcome.seen).p99();
        let first = *first_p99.get_or_insert(p99);
        if is_past(&outcome, visits_per_s, first) {
            break;
        }
        best = Some(visits_per_s);
        visits_per_s *= STEP;
    }
    let best =
        best.context("it is past saturation from the first step on: give a lower --visits")?;
    at_a_share_of(system, plan, best).await
}

fn is_past(outcome: &Outcome, visits_per_s: f64, first_p99: Duration) -> bool {
    let all = together(&outcome.seen);
    let people = visits_per_s * outcome.lasted.as_secs_f64();
    let done = all.latency.len().max(1) as f64;
    (all.p99() > first_p99 * BREAKS_AWAY && all.p99() > LONG)
        || outcome.left as f64 > people * LEFT
        || all.failures() as f64 > done * 0.01
}

async fn at_a_share_of(system: &System, plan: Plan, best: f64) -> Result<()> {
    let visits_per_s = best * SHARE;
    println!(
        "  saturation at {best:.0} visits/s; at {:.0} % of it, {visits_per_s:.0} visits/s:",
        SHARE * 100.0
    );
    let plan = Plan {
        visits_per_s,
        ..plan
    };
    let outcome = open_loop::run(&system.world, plan, "well below saturation").await?;
    record::print(&outcome.seen, outcome.lasted);
    let all = together(&outcome.seen);
    let ratio = all.p99().as_secs_f64() / all.median().as_secs_f64();
    println!("  p99 is {ratio:.1} times the median over all operations (aim: under 4)");
    for (operation, measured) in &outcome.seen {
        let ratio = measured.p99().as_secs_f64() / measured.median().as_secs_f64();
        if ratio >= 4.0 {
            println!(
                "    {}: {ratio:.1} times ({} of {} ms)",
                operation.name(),
                ms(measured.p99()),
                ms(measured.median())
            );
        }
    }
    println!(
        "  processor time in {} s: {}",
        outcome.lasted.as_secs(),
        outcome.cost
    );
    Ok(())
}

fn line(visits_per_s: f64, outcome: &Outcome) {
    let all = together(&outcome.seen);
    println!(
        "  {visits_per_s:9.0} {:11.0} {:>9} {:>9} {:>9} {:7}   {}",
        all.latency.len() as f64 / outcome.lasted.as_secs_f64(),
        ms(all.median()),
        ms(all.p99()),
        ms(Duration::from_micros(all.latency.max())),
        all.failures(),
        outcome.cost,
    );
}
