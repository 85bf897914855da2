//! Reuse of instances, and requests that share one.

use crate::harness::{Probe, get};

/// The instance's number and how many requests it has answered.
fn instance(answer: &str) -> (&str, u64) {
    let (instance, answered) = answer.split_once(' ').expect("two numbers");
    (instance, answered.parse().expect("a count"))
}

/// The instance that answers while another request is held up in its own.
async fn during_a_held_request(probe: &Probe) -> (String, String) {
    let address = probe.edge.addr();
    let held = tokio::spawn(async move { get(address, "/hold?key=go").await.body });
    probe.ask_until("/kv/get?key=go.held", "yes").await;
    let meanwhile = probe.ask("/count").await;
    probe.ask("/kv/set?key=go&value=1").await;
    (held.await.unwrap(), meanwhile)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_answers_one_request_after_the_other() {
    let probe = Probe::start().await;
    let first = probe.ask("/count").await;
    let second = probe.ask("/count").await;
    assert_eq!(instance(&first).0, instance(&second).0);
    assert_eq!(instance(&second).1, instance(&first).1 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_requests_at_the_same_time_have_an_instance_each() {
    let probe = Probe::start().await;
    let (held, meanwhile) = during_a_held_request(&probe).await;
    assert_ne!(instance(&held).0, instance(&meanwhile).0);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_share_an_instance_where_that_is_asked_for() {
    let probe = Probe::start_with(|options| options.max_concurrent_requests_per_instance = 16).await;
    during_a_held_request(&probe).await;
    assert_eq!(probe.edge.stats().component("probe").instances, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_lets_requests_finish_and_frees_the_state() {
    let probe = Probe::start().await;
    let address = probe.edge.addr();
    let held = tokio::spawn(async move { get(address, "/hold?key=go").await.body });
    probe.ask_until("/kv/get?key=go.held", "yes").await;
    // Opened before the listening ends, used after it has begun to.
    let mut other = crate::harness::connect(address).await;
    let asked = crate::harness::request(address, "/kv/set?key=go&value=1");
    let release = other.send_request(asked.body(Default::default()).unwrap());
    let (_, released) = tokio::join!(probe.edge.shutdown(), release);
    assert!(released.unwrap().status().is_success());
    assert_eq!(instance(&held.await.unwrap()).1, 1);

    let again = aisle_edge::Edge::start(crate::harness::options(&probe.state)).await.unwrap();
    assert_eq!(get(again.addr(), "/kv/get?key=go").await.body, "1");
    again.shutdown().await;
}
