//! An open loop: people come at a rate, one independently of the other (Poisson), however
//! long those before them have to wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;

use crate::people::{COLLECTIONS_PER_VISIT, Person, SALES_PER_VISIT};
use crate::processes::{Cost, Usage};
use crate::progress;
use crate::record::{Recorder, Seen};
use crate::world::World;

/// Nobody new is let in while so many people are under way: the system is past all limits.
const CROWD: usize = 4_000;

/// What is to come.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub visits_per_s: f64,
    pub warm_up: Duration,
    pub measured: Duration,
    /// Between an answer and the next step of the same person.
    pub think: Duration,
    pub seed: u64,
}

/// What became of it.
pub struct Outcome {
    pub seen: Seen,
    pub lasted: Duration,
    /// People who were still under way at the end.
    pub left: usize,
    pub cost: Cost,
}

/// Lets people come until the plan is over, and those that are under way finish.
pub async fn run(world: &Arc<World>, plan: Plan, name: &str) -> Result<Outcome> {
    let begin = Instant::now();
    let (from, end) = (begin + plan.warm_up, begin + plan.warm_up + plan.measured);
    let recorder = Arc::new(Recorder::from(from));
    let others = if world.tills.is_empty() { 0.0 } else { 1.0 };
    let (sales, collections) = (others * SALES_PER_VISIT, others * COLLECTIONS_PER_VISIT);
    let kinds = 1.0 + sales + collections;
    let per_s = plan.visits_per_s * kinds;
    let mut chance = SmallRng::seed_from_u64(plan.seed);
    let mut people = JoinSet::new();
    let progress = progress::bar(name, plan.warm_up + plan.measured);
    let mut due = begin;
    let mut used = None;
    loop {
        // The time between two arrivals that know nothing of each other.
        due += Duration::from_secs_f64(-(1.0 - chance.random::<f64>()).ln() / per_s);
        if due >= end {
            break;
        }
        world.clock.until(due).await;
        if due >= from && used.is_none() {
            used = Some(Usage::now());
        }
        progress.set_position(begin.elapsed().as_secs());
        while people.try_join_next().is_some() {}
        if people.len() >= CROWD {
            recorder.failed(
                crate::record::Operation::Search,
                due,
                "turned away: too many are waiting".into(),
            );
            continue;
        }
        let person = Person::new(world, &recorder, chance.random(), due, plan.think);
        let kind = chance.random::<f64>() * kinds;
        if kind < 1.0 {
            people.spawn(person.visit());
        } else if kind < 1.0 + sales {
            people.spawn(person.sell());
        } else {
            people.spawn(person.hand_over());
        }
    }
    world.clock.until(end).await;
    let cost = Usage::now().since(&used.unwrap_or_else(Usage::now));
    let left = people.len();
    people.join_all().await;
    progress.finish_and_clear();
    Ok(Outcome {
        seen: recorder.take(),
        lasted: plan.measured,
        left,
        cost,
    })
}
