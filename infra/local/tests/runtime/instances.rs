//! Reuse of instances, and requests that share one.

use http_body_util::Full;
use tokio::net::TcpStream;

use crate::harness::{Probe, SlowServer, get, options};

/// Requests sent while another one is held up in its instance.
const REQUESTS: usize = 20;

/// The instance's number and how many requests it has answered.
fn instance(answer: &str) -> (&str, u64) {
    let (instance, answered) = answer.split_once(' ').expect("two numbers");
    (instance, answered.parse().expect("a count"))
}

/// Whether other requests are answered by the instance in which one is held up.
async fn is_shared(probe: &Probe) -> bool {
    let address = probe.edge.addr();
    let held = tokio::spawn(async move { get(address, "/hold?key=go").await.body });
    let holder = probe.wait_for_key("go.held-by").await;
    let mut shared = false;
    for _ in 0..REQUESTS {
        shared |= instance(&probe.ask("/count").await).0 == holder;
    }
    probe.ask("/kv/set?key=go&value=1").await;
    assert_eq!(instance(&held.await.unwrap()).0, holder);
    shared
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
    assert!(!is_shared(&Probe::start().await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_share_an_instance_where_that_is_asked_for() {
    let probe =
        Probe::start_with(|options| options.max_concurrent_requests_per_instance = 16).await;
    assert!(is_shared(&probe).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_lets_requests_finish_and_frees_the_state() {
    let Probe { edge, state } = Probe::start().await;
    let address = edge.addr();
    let slow = SlowServer::bind().await;
    let path = format!("/fetch?url={}", slow.url());
    let fetched = tokio::spawn(async move { get(address, &path).await.body });
    let waiting = slow.next_request().await;

    let shutdown = tokio::spawn(edge.shutdown());
    while TcpStream::connect(address).await.is_ok() {}
    waiting.answer("late").await;
    assert_eq!(fetched.await.unwrap(), "200 late");
    shutdown.await.unwrap();

    let again = aisle_edge::Edge::start(options(&state)).await.unwrap();
    assert_eq!(get(again.addr(), "/hello").await.body, "ok");
    again.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_does_not_hold_a_shutdown_up() {
    let Probe { edge, .. } = Probe::start().await;
    let mut idle = crate::harness::connect(edge.addr()).await;
    let asked = crate::harness::request(edge.addr(), "/hello")
        .body(Full::default())
        .unwrap();
    idle.send_request(asked).await.unwrap();
    edge.shutdown().await;
}
