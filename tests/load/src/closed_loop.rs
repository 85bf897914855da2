//! A closed loop: so many clients, each of which asks again as soon as it was answered. It
//! measures what a system can do at most, beside others that are asked in the same way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::http::Call;
use crate::people::Person;
use crate::record::{Measured, Recorder, Seen, together};
use crate::world::World;

/// Requests by number: which one is asked.
pub type Question = Arc<dyn Fn(usize) -> Call + Send + Sync>;

/// Requests per second, one after the other on each of so many connections.
pub async fn requests_per_s(
    world: &Arc<World>,
    connections: usize,
    lasts: Duration,
    question: &Question,
) -> Result<f64> {
    let begin = Instant::now();
    let mut running = JoinSet::new();
    for first in 0..connections {
        let (world, question) = (world.clone(), question.clone());
        running.spawn(async move {
            let mut asked = 0;
            while begin.elapsed() < lasts {
                let call = question(first + asked * connections);
                world.http.send(call).await?.expect_ok()?;
                asked += 1;
            }
            anyhow::Ok(asked)
        });
    }
    let asked: Vec<usize> = running
        .join_all()
        .await
        .into_iter()
        .collect::<Result<_>>()?;
    Ok(asked.iter().sum::<usize>() as f64 / begin.elapsed().as_secs_f64())
}

/// Whole checkouts, one after the other by each of so many shoppers.
pub struct Checkouts {
    pub per_s: f64,
    /// From the first call of each to the last.
    pub whole: Measured,
    /// Its calls.
    pub calls: Seen,
}

pub async fn checkouts(
    world: &Arc<World>,
    shoppers: usize,
    lasts: Duration,
    seed: u64,
) -> Result<Checkouts> {
    let begin = Instant::now();
    let recorder = Arc::new(Recorder::from(begin));
    let mut running = JoinSet::new();
    for shopper in 0..shoppers {
        let (world, recorder) = (world.clone(), recorder.clone());
        running.spawn(async move {
            let mut whole = Vec::new();
            for turn in 0_u64.. {
                let due = Instant::now();
                if begin.elapsed() >= lasts {
                    break;
                }
                let chance = seed
                    .wrapping_mul(1_000_003)
                    .wrapping_add(turn * 64 + shopper as u64);
                let mut person = Person::new(&world, &recorder, chance, due, Duration::ZERO);
                if person.buy_something().await.is_some() {
                    whole.push(due.elapsed());
                }
            }
            whole
        });
    }
    let mut whole = Measured::default();
    for one in running.join_all().await.into_iter().flatten() {
        whole.latency.saturating_record(one.as_micros() as u64);
    }
    let per_s = whole.latency.len() as f64 / begin.elapsed().as_secs_f64();
    let calls = recorder.take();
    whole.errors = together(&calls).errors;
    Ok(Checkouts {
        per_s,
        whole,
        calls,
    })
}
