//! The relay: drains the outbox into the read model. Woken by whoever filled the outbox,
//! and by a ticker for what was left, for which it also has the components tidy up.

mod housekeeping;
mod notices;
mod queue;
mod refresh;
mod sweep;

use std::time::{Duration, Instant};

use aisle_http::{Call, Error, RELAY_LOOKS_AGAIN, Reply, after_response, auth, notify_messages};
use queue::{Look, Next};
use refresh::Outcome;
use serde::Serialize;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::{http_service, time::sleep};

/// How long a relay that was woken lets events gather, so that many cost what one costs.
const GATHER: Duration = RELAY_LOOKS_AGAIN;

/// How long a run goes on while events keep coming, and how many runs a relay that was woken
/// makes. Others get the chance to take the lease in between; what is left is the ticker's.
const RUN: Duration = Duration::from_secs(5);
const RUNS: usize = 12;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("relay", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("POST", ["relay", "run"]) => {
            auth::housekeeper(&call).await?;
            run(call).await
        }
        ("GET", ["relay", "dead"]) => dead(&call).await,
        ("POST", ["relay", "dead", seq, "replay"]) => replay(&call, seq).await,
        (_, ["relay", "run"] | ["relay", "dead", _, "replay"]) => {
            Err(call.method_not_allowed("POST"))
        }
        (_, ["relay", "dead"]) => Err(call.method_not_allowed("GET, HEAD")),
        _ => Err(call.not_found()),
    }
}

/// What a run did.
#[derive(Default, Serialize)]
struct Run {
    /// Events that are done.
    done: usize,
    /// Events that will be tried again, or are dead after their last attempt.
    failed: usize,
    /// Whether the run stopped at its limit, so that events may be left.
    more: bool,
    /// What the components tidied up; absent when it was not time for that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    housekeeping: Vec<housekeeping::Chore>,
}

/// Drains the outbox and says what was done. That is the ticker's call, so it is also when
/// the components tidy up; with `Prefer: respond-async` (RFC 7240) says
/// 202 first, so that whoever wakes the relay need not wait for it.
async fn run(call: Call) -> Result<Reply, Error> {
    if call.header("prefer") != Some("respond-async") {
        return Reply::json(200, &tick(&call).await?);
    }
    after_response(async move {
        if let Err(error) = woken(&call).await {
            eprintln!("relay {}: {error:?}", call.request_id());
        }
    });
    Ok(Reply::empty(202))
}

async fn tick(call: &Call) -> Result<Run, Error> {
    let look = Look::at(call.db()).await?;
    let mut run = Run::default();
    if look.is_due && !look.is_drained {
        run = drain(call, Duration::ZERO).await?;
    }
    if look.is_untidy {
        run.housekeeping = housekeeping::when_due(call.db()).await?;
    }
    Ok(run)
}

/// Looks at once, to keep others from draining beside it, or else after [`GATHER`]: a relay
/// that is at work then will look into the outbox later than that.
async fn woken(call: &Call) -> Result<(), Error> {
    let mut look = Look::at(call.db()).await?;
    if !look.is_due || look.is_drained {
        sleep(GATHER).await;
        look = Look::at(call.db()).await?;
    }
    let mut runs = 0;
    while look.is_due && !look.is_drained && runs < RUNS && drain(call, GATHER).await?.more {
        runs += 1;
    }
    Ok(())
}

/// Works page by page until the outbox is empty or the run has done its share, with a `pause`
/// before each page but those that follow a full one.
async fn drain(call: &Call, pause: Duration) -> Result<Run, Error> {
    let mut run = Run::default();
    let Some(lease) = queue::Lease::take(call.db()).await? else {
        return Ok(run);
    };
    let (begun, mut outcome, mut news) = (Instant::now(), Outcome::default(), false);
    loop {
        if !pause.is_zero() && outcome.events() < queue::PAGE_EVENTS {
            sleep(pause).await;
        }
        let Next::Page(events) = lease.settle_and_next(call.db(), &outcome).await? else {
            break;
        };
        outcome = refresh::all(call.model(), &events).await;
        news |= events.iter().any(notices::is_news);
        run.done += outcome.done.len();
        run.failed += outcome.failed.len();
        run.more = run.done + run.failed >= queue::RUN_EVENTS || begun.elapsed() > RUN;
        if run.more {
            lease.settle_and_leave(call.db(), &outcome).await?;
            break;
        }
    }
    if news {
        notify_messages();
    }
    Ok(run)
}

async fn dead(call: &Call) -> Result<Reply, Error> {
    auth::housekeeper(call).await?;
    Reply::json(
        200,
        &serde_json::json!({ "events": queue::dead(call.db()).await? }),
    )
}

async fn replay(call: &Call, seq: &str) -> Result<Reply, Error> {
    auth::housekeeper(call).await?;
    let unknown = || Error::not_found("event_not_found", "no dead event has this number");
    let seq = seq.parse().map_err(|_| unknown())?;
    if queue::revive(call.db(), seq).await? {
        Ok(Reply::empty(204))
    } else {
        Err(unknown())
    }
}
