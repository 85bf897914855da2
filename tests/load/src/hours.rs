//! A long run: what the edge's memory and processor time come to while people keep coming,
//! and while nobody does.

use std::time::Duration;

use anyhow::Result;

use crate::open_loop::{self, Plan};
use crate::processes::Usage;
use crate::record::{ms, together};
use crate::system::System;

const MINUTE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(30);

/// One line a minute.
pub async fn run(system: &System, minutes: u64, plan: Plan) -> Result<()> {
    println!(
        "\n{}: {minutes} minutes at {} visits/s",
        system.name, plan.visits_per_s
    );
    idle("at rest").await;
    println!(
        "  {:>6} {:>9} {:>8} {:>11} {:>8} {:>8} {:>7}   processor time",
        "minute", "edge MiB", "edge %", "requests/s", "p50 ms", "p99 ms", "errors"
    );
    for minute in 1..=minutes {
        let step = Plan {
            warm_up: Duration::ZERO,
            measured: MINUTE,
            seed: plan.seed + minute,
            ..plan
        };
        let outcome = open_loop::run(
            &system.world,
            step,
            &format!("minute {minute} of {minutes}"),
        )
        .await?;
        let all = together(&outcome.seen);
        println!(
            "  {minute:6} {:9.0} {:8.0} {:11.0} {:>8} {:>8} {:7}   {}",
            Usage::now().edge_mib(),
            outcome.cost.edge_s() / MINUTE.as_secs_f64() * 100.0,
            all.latency.len() as f64 / MINUTE.as_secs_f64(),
            ms(all.median()),
            ms(all.p99()),
            all.failures(),
            outcome.cost,
        );
    }
    idle("at rest again").await;
    Ok(())
}

async fn idle(when: &str) {
    let before = Usage::now();
    tokio::time::sleep(IDLE).await;
    let now = Usage::now();
    let cost = now.since(&before);
    println!(
        "  {when}: {:.0} MiB, {:.1} % of a core over {} s ({cost})",
        now.edge_mib(),
        cost.edge_s() / IDLE.as_secs_f64() * 100.0,
        IDLE.as_secs()
    );
}
