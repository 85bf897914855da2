//! The embedded key-value store.

use crate::harness::{Probe, get, options};

#[tokio::test]
async fn what_is_set_can_be_read_listed_and_deleted() {
    let probe = Probe::start().await;
    assert_eq!(probe.ask("/kv/get?key=a").await, "none");
    probe.ask("/kv/set?key=a&value=1").await;
    probe.ask("/kv/set?key=b&value=2").await;
    probe.ask("/kv/set?key=a&value=3").await;
    assert_eq!(probe.ask("/kv/get?key=a").await, "3");
    assert_eq!(probe.ask("/kv/keys").await, "a b");
    probe.ask("/kv/delete?key=a").await;
    assert_eq!(probe.ask("/kv/get?key=a").await, "none");
}

#[tokio::test]
async fn it_outlives_the_edge_and_can_be_cleared() {
    let probe = Probe::start().await;
    probe.ask("/kv/set?key=a&value=1").await;
    let Probe { edge, state } = probe;
    edge.shutdown().await;
    let edge = aisle_edge::Edge::start(options(&state)).await.unwrap();
    assert_eq!(get(edge.addr(), "/kv/get?key=a").await.body, "1");
    edge.clear_key_value().await.unwrap();
    assert_eq!(get(edge.addr(), "/kv/get?key=a").await.body, "none");
}

#[tokio::test]
async fn a_component_opens_only_what_it_was_granted() {
    let probe = Probe::start().await;
    assert_eq!(probe.ask("/kv/open?label=default").await, "opened");
    assert!(
        probe
            .ask("/kv/open?label=other")
            .await
            .contains("AccessDenied")
    );
    assert!(
        probe
            .ask("/locked/kv/open?label=default")
            .await
            .contains("AccessDenied")
    );
}

#[tokio::test]
async fn its_calls_are_counted() {
    let probe = Probe::start().await;
    let before = probe.edge.stats();
    probe.ask("/kv/get?key=a").await;
    let during = &probe.edge.stats() - &before;
    let counts = during.component("probe");
    assert_eq!((counts.requests, counts.key_value, counts.sql), (1, 1, 0));
}
