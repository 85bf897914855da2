//! What goes wrong in a component costs the request that did it, and no other.

use http::StatusCode;
use http_body_util::BodyExt;

use crate::harness::{Probe, SlowServer, get};

/// The edge still answers, from an instance that is none of the failed ones.
async fn assert_well(probe: &Probe) {
    assert_eq!(probe.ask("/hello").await, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_costs_its_request_only() {
    let probe = Probe::start().await;
    let address = probe.edge.addr();
    let held = tokio::spawn(async move { get(address, "/hold?key=go").await.status });
    probe.wait_for_key("go.held-by").await;

    let trapped = probe.get("/trap").await;
    assert_eq!(trapped.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(trapped.body.contains("`probe`"), "{}", trapped.body);
    assert_eq!(probe.edge.stats().component("probe").traps, 1);

    probe.ask("/kv/set?key=go&value=1").await;
    assert_eq!(held.await.unwrap(), StatusCode::OK);
    assert_well(&probe).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_after_the_answer_spares_the_answer() {
    let probe = Probe::start().await;
    let slow = SlowServer::bind().await;
    let path = format!("/background/trap?url={}", slow.url());
    assert_eq!(probe.ask(&path).await, "later");
    slow.next_request().await.answer("now").await;
    probe.wait_for_traps(1).await;
    assert_well(&probe).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_meets_its_deadline() {
    let probe = Probe::with_short_deadline().await;
    let endless = probe.get("/loop").await;
    assert_eq!(endless.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(
        endless.body.contains("gave no answer within"),
        "{}",
        endless.body
    );
    assert_well(&probe).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_ever_meets_the_deadline_too() {
    let probe = Probe::with_short_deadline().await;
    assert_eq!(
        probe.get("/hold?key=never").await.status,
        StatusCode::GATEWAY_TIMEOUT
    );
    assert_well(&probe).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_has_its_limit() {
    let probe = Probe::start_with(|options| options.max_memory_bytes = 64 << 20).await;
    assert_eq!(
        probe.get("/memory").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_well(&probe).await;
}

/// The deadline is for the answer's beginning: a stream may go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_outlives_the_deadline_of_its_head() {
    let probe = Probe::with_short_deadline().await;
    let (parts, mut mirrored) = probe.mirror().await;
    // Another component is stopped only once as much time has passed.
    let late = probe.get("/locked/loop").await;
    assert_eq!(late.status, StatusCode::GATEWAY_TIMEOUT);
    parts.send("late").unwrap();
    let part = mirrored.frame().await.unwrap().unwrap();
    assert_eq!(part.into_data().unwrap(), "late");
    assert_eq!(probe.edge.stats().component("probe").traps, 0);
}
