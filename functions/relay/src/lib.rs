//! The relay: drains the outbox into the read model. Woken by whoever filled the outbox,
//! and by a ticker for what was left, for which it also has the components tidy up.

mod housekeeping;
mod notices;
mod queue;
mod refresh;

use std::time::Duration;

use aisle_http::{Call, Error, Reply, after_response, auth, notify_messages};
use serde::Serialize;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::{http_service, time::sleep};

/// Between two turns of a relay that found nothing to do.
const PAUSE: Duration = Duration::from_millis(500);

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
        let mut run = turn(&call).await?;
        run.housekeeping = housekeeping::when_due(call.db()).await?;
        return Reply::json(200, &run);
    }
    after_response(async move {
        if let Err(error) = turn_after_turn(&call).await {
            eprintln!("relay {}: {error:?}", call.request_id());
        }
    });
    Ok(Reply::empty(202))
}

/// A turn; where there was nothing to do, one more a little later: another relay may be
/// at it, and have looked into the outbox just before the event was there.
async fn turn_after_turn(call: &Call) -> Result<(), Error> {
    if turn(call).await?.done == 0 {
        sleep(PAUSE).await;
        turn(call).await?;
    }
    Ok(())
}

async fn turn(call: &Call) -> Result<Run, Error> {
    match queue::Lease::take(call.db()).await? {
        Some((lease, events)) => drain(call, lease, events).await,
        None => Ok(Run::default()),
    }
}

/// Works page by page until the outbox is empty or the run has done its share.
async fn drain(call: &Call, lease: queue::Lease, first: Vec<queue::Event>) -> Result<Run, Error> {
    let mut run = Run::default();
    let mut events = first;
    let mut news = false;
    while !events.is_empty() {
        let outcome = refresh::all(call.model(), &events).await;
        news |= events.iter().any(notices::is_news);
        run.done += outcome.done.len();
        run.failed += outcome.failed.len();
        run.more = run.done + run.failed >= queue::RUN_EVENTS;
        if run.more {
            lease.settle(call.db(), &outcome).await?;
            break;
        }
        events = lease.settle_and_next(call.db(), &outcome).await?;
    }
    lease.give_back(call.db()).await?;
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
