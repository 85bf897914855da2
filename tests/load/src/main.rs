//! The load generator: shoppers, tills and clerks who come whether or not the system keeps
//! up, and what it makes of them.
//!
//!     cargo run -p aisle-load -- --help

mod clock;
mod closed_loop;
mod compare;
mod hot;
mod hours;
mod http;
mod open_loop;
mod people;
mod processes;
mod progress;
mod record;
mod regions;
mod saturation;
mod system;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use aisle_e2e::{Pair, process};
use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use tokio::runtime::{Builder, Runtime};

use crate::hot::Rush;
use crate::open_loop::Plan;
use crate::system::System;

/// Loads a system with shoppers, tills and clerks, and says how it fares.
#[derive(Debug, Parser)]
#[command(name = "load")]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// Everybody at a rate, open-loop: rate, latencies and errors of each operation.
    Rate,
    /// Raises the rate until the p99 breaks away, and reports on 60 % of that.
    Saturation,
    /// Reads beside an empty component, checkouts beside the database alone, near and far.
    Compare,
    /// Many buyers of few units at the same moment, beside others.
    Hot {
        #[arg(long, default_value_t = 500)]
        buyers: usize,
        #[arg(long, default_value_t = 50)]
        units: usize,
    },
    /// Everybody for a long time: memory and processor time of the edge, minute by minute.
    Hours {
        #[arg(long, default_value_t = 60)]
        minutes: u64,
    },
    /// An edge far from the database with a key-value store of its own.
    Regions {
        /// How long to wait for a change to show, in seconds.
        #[arg(long, default_value_t = 330)]
        patience: u64,
    },
}

#[derive(Debug, clap::Args)]
struct Flags {
    /// The stores under a system of its own.
    #[arg(long, value_enum, default_value = "both", global = true)]
    pair: Stores,
    /// Load the system that answers here instead, as in http://north.localhost:3000.
    #[arg(long, global = true)]
    url: Option<String>,
    /// Its admin key, with which staff are put into stores; only shoppers come without it.
    #[arg(long, global = true)]
    key: Option<String>,
    /// The brand that it is loaded as.
    #[arg(long, default_value = system::BRAND, global = true)]
    brand: String,
    /// Shoppers who come each second; tills and clerks are as busy as these make them.
    #[arg(long, default_value_t = 20.0, global = true)]
    visits: f64,
    /// What is measured, in seconds.
    #[arg(long, default_value_t = 30, global = true)]
    seconds: u64,
    /// What comes before it, in seconds.
    #[arg(long, default_value_t = 5, global = true)]
    warm_up: u64,
    /// Between an answer and the next step of the same person, in milliseconds.
    #[arg(long, default_value_t = 200, global = true)]
    think_ms: u64,
    /// The same seed, the same people at the same moments.
    #[arg(long, default_value_t = 1, global = true)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Stores {
    Embedded,
    Servers,
    Both,
}

impl Flags {
    fn plan(&self) -> Plan {
        Plan {
            visits_per_s: self.visits,
            warm_up: Duration::from_secs(self.warm_up),
            measured: Duration::from_secs(self.seconds),
            think: Duration::from_millis(self.think_ms),
            seed: self.seed,
        }
    }

    fn pairs(&self) -> Vec<Pair> {
        let wanted: &[Pair] = match self.pair {
            Stores::Embedded => &[Pair::Embedded],
            Stores::Servers => &[Pair::Servers],
            Stores::Both => &[Pair::Embedded, Pair::Servers],
        };
        system::available(wanted)
    }

    /// One system after the other.
    async fn on_each(&self, work: impl AsyncFn(&System) -> Result<()>) -> Result<()> {
        if let Some(url) = &self.url {
            return work(&System::at(url, &self.brand, self.key.as_deref()).await?).await;
        }
        for pair in self.pairs() {
            let system = System::start(pair).await?;
            work(&system).await?;
            system.stop().await;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    match begin() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn begin() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some(process::ARGUMENT) {
        return Runtime::new()?.block_on(process::serve());
    }
    // One thread beside the main one: the generator is not what is measured.
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build()?;
    runtime.block_on(run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> Result<()> {
    let flags = &arguments.flags;
    match arguments.scenario {
        Scenario::Rate => {
            flags
                .on_each(async |system| rate(system, flags.plan()).await)
                .await
        }
        Scenario::Saturation => {
            flags
                .on_each(async |system| saturation::find(system, flags.plan()).await)
                .await
        }
        Scenario::Hot { buyers, units } => {
            let rush = Rush { buyers, units };
            flags
                .on_each(async |system| hot::run(system, rush, flags.plan()).await)
                .await
        }
        Scenario::Hours { minutes } => {
            flags
                .on_each(async |system| hours::run(system, minutes, flags.plan()).await)
                .await
        }
        Scenario::Regions { patience } => {
            regions::run(flags.plan(), Duration::from_secs(patience)).await
        }
        Scenario::Compare => {
            for pair in flags.pairs() {
                compare::run(pair, flags.seed).await?;
            }
            Ok(())
        }
    }
}

async fn rate(system: &System, plan: Plan) -> Result<()> {
    println!("\n{}: {} visits/s", system.name, plan.visits_per_s);
    let outcome = open_loop::run(&system.world, plan, "people come").await?;
    record::print(&outcome.seen, outcome.lasted);
    println!(
        "  processor time in {} s: {}; {} people were still there",
        outcome.lasted.as_secs(),
        outcome.cost,
        outcome.left
    );
    Ok(())
}
