//! SQLite behaves as on Spin, also where one would not expect it.

use http::StatusCode;

use crate::harness::Probe;

#[tokio::test(flavor = "multi_thread")]
async fn an_error_shows_only_in_the_result() {
    let probe = Probe::start().await;
    assert_eq!(probe.ask("/sql/error").await, "execute: ok, result: error");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_statements_only_the_first_runs() {
    let probe = Probe::start().await;
    assert_eq!(probe.ask("/sql/two-statements").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_right_after_a_change_and_stale_after_a_select() {
    let probe = Probe::start().await;
    assert_eq!(probe.ask("/sql/changes").await, "3 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_unread_results_hang_until_the_deadline() {
    let probe = Probe::with_short_deadline().await;
    assert_eq!(
        probe.get("/sql/two-unread").await.status,
        StatusCode::GATEWAY_TIMEOUT
    );
    assert_eq!(probe.ask("/hello").await, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_rolls_back() {
    let probe = Probe::start().await;
    assert_eq!(probe.ask("/sql/forgotten").await, "1");
    probe.ask("/sql/add").await;
    assert_eq!(probe.ask("/sql/count").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_inside_a_transaction_rolls_back() {
    let probe = Probe::start().await;
    assert_eq!(
        probe.get("/sql/trap").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    probe.ask("/sql/add").await;
    assert_eq!(probe.ask("/sql/count").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_full_text_search() {
    let probe = Probe::start().await;
    assert_eq!(probe.ask("/sql/full-text").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_opens_only_what_it_was_granted() {
    let probe = Probe::start().await;
    assert_eq!(probe.ask("/sql/open").await, "opened");
    assert!(probe.ask("/locked/sql/open").await.contains("AccessDenied"));
}
