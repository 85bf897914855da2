//! Everything at once and in any order: shoppers, tills, pickers, carriers and counters, each
//! doing whatever comes to mind to whatever is there, while time passes. Whatever they are
//! refused, nothing breaks, and no unit and no payment is lost or counted twice.
//!
//! What the actors choose follows from a seed, which a failure names; set it as
//! `AISLE_E2E_SEED` to have them choose the same again. How their requests meet is chance.

mod counting;
mod ledger;
mod selling;
mod sending;
mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use aisle_e2e::Pair;
use anyhow::{Context, Result};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;

use world::{Actor, World};

const ACTORS: usize = 8;
/// Of each actor; a step is one to four requests.
const STEPS: usize = 250;
/// How often each actor looks into the books.
const STEPS_PER_LOOK: usize = 25;

/// What an actor may do, and how often of [`TURNS`] it does.
type Choice = (u32, Step);

#[derive(Debug, Clone, Copy)]
enum Step {
    Buy,
    BuyCart,
    Sell,
    SellCart,
    Hold,
    Held,
    PayPart,
    PayPartAtTill,
    GiveUpLayaway,
    Collect,
    CollectOffline,
    Replenish,
    AskForCart,
    Send,
    Count,
    Counted,
    Deliver,
    Delivered,
    Adjust,
    Tidy,
    LetTimePass,
}

const CHOICES: [Choice; 21] = [
    (16, Step::Buy),
    (4, Step::BuyCart),
    (6, Step::Sell),
    (3, Step::SellCart),
    (6, Step::Hold),
    (8, Step::Held),
    (5, Step::PayPart),
    (3, Step::PayPartAtTill),
    (1, Step::GiveUpLayaway),
    (16, Step::Collect),
    (3, Step::CollectOffline),
    (7, Step::Replenish),
    (4, Step::AskForCart),
    (26, Step::Send),
    (3, Step::Count),
    (10, Step::Counted),
    (3, Step::Deliver),
    (6, Step::Delivered),
    (4, Step::Adjust),
    (5, Step::Tidy),
    (3, Step::LetTimePass),
];

/// What must have gone through at least once, or the run has shown nothing.
const SHOWN: [&str; 20] = [
    "complete",
    "sell",
    "sell a cart",
    "sell a hold",
    "hold",
    "pulled",
    "pay a part",
    "pay a part at a till",
    "ready",
    "hand over",
    "settle",
    "replenish",
    "approve",
    "refuse",
    "ship",
    "receive",
    "approve a count",
    "close a delivery",
    "adjust",
    "housekeeping",
];

pub async fn nothing_is_lost_whoever_does_what_when(pair: Pair) -> Result<()> {
    let seed = match std::env::var("AISLE_E2E_SEED") {
        Ok(seed) => seed.parse().context("AISLE_E2E_SEED")?,
        Err(_) => fresh_seed(),
    };
    everybody_acts(pair, seed)
        .await
        .with_context(|| format!("AISLE_E2E_SEED={seed}"))
}

fn fresh_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}

async fn everybody_acts(pair: Pair, seed: u64) -> Result<()> {
    let world = Arc::new(World::open(pair, ACTORS).await?);
    let mut acting = JoinSet::new();
    for me in 0..ACTORS {
        let rng = SmallRng::seed_from_u64(seed.wrapping_add(me as u64));
        let mut actor = Actor::new(Arc::clone(&world), me, rng);
        acting.spawn(async move {
            for step in 1..=STEPS {
                let choice = actor.choose();
                let done = actor.take(choice).await;
                done.with_context(|| format!("actor {me}, step {step}: {choice:?}"))?;
                if step % STEPS_PER_LOOK == 0 {
                    let books = actor.world.check().await;
                    books.with_context(|| format!("after step {step} of actor {me}"))?;
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = acting.join_next().await {
        ended??;
    }
    world.settle().await?;
    world.check().await.context("at the end")?;
    anyhow::ensure!(world.aisle.traps() == 0, "a component trapped");
    let tally = world.tally();
    println!("AISLE_E2E_SEED={seed}: {tally:#?}");
    for name in SHOWN {
        let done = tally.get(name).map_or(0, |counts| counts.done);
        anyhow::ensure!(done > 0, "nobody came to {name}: {tally:#?}");
    }
    let requests = world.requests.load(Relaxed);
    anyhow::ensure!(requests >= ACTORS * STEPS / 2, "only {requests} requests");
    Ok(())
}

impl Actor {
    fn choose(&mut self) -> Step {
        let turns = CHOICES.iter().map(|(turns, _)| turns).sum();
        let mut turn = self.rng.random_range(0..turns);
        for (turns, step) in CHOICES {
            match turn.checked_sub(turns) {
                Some(left) => turn = left,
                None => return step,
            }
        }
        Step::Tidy
    }

    async fn take(&mut self, step: Step) -> Result<()> {
        match step {
            Step::Buy => self.buy().await,
            Step::BuyCart => self.buy_cart().await,
            Step::Sell => self.sell().await,
            Step::SellCart => self.sell_cart().await,
            Step::Hold => self.hold().await,
            Step::Held => self.move_hold().await,
            Step::PayPart => self.pay_part().await,
            Step::PayPartAtTill => self.pay_part_at_till().await,
            Step::GiveUpLayaway => self.give_up_layaway().await,
            Step::Collect => self.collect().await,
            Step::CollectOffline => self.collect_offline().await,
            Step::Replenish => self.replenish().await,
            Step::AskForCart => self.ask_for_cart().await,
            Step::Send => self.move_transfer().await,
            Step::Count => self.open_count().await,
            Step::Counted => self.move_count().await,
            Step::Deliver => self.announce().await,
            Step::Delivered => self.move_delivery().await,
            Step::Adjust => self.adjust().await,
            Step::Tidy => self.world.tidy().await,
            Step::LetTimePass => self.let_time_pass().await,
        }
    }
}
