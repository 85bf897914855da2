//! Outgoing requests, calls between components, variables.

use crate::harness::Probe;

#[tokio::test(flavor = "multi_thread")]
async fn only_allowed_hosts_can_be_reached() {
    let probe = Probe::start().await;
    let itself = probe.edge.url();
    assert_eq!(
        probe.ask(&format!("/fetch?url={itself}/hello")).await,
        "200 ok"
    );
    let denied = probe.ask("/fetch?url=http://localhost:1/").await;
    assert!(denied.contains("HttpRequestDenied"), "{denied}");
    let ungranted = probe
        .ask(&format!("/locked/fetch?url={itself}/hello"))
        .await;
    assert!(ungranted.contains("HttpRequestDenied"), "{ungranted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn components_call_each_other_by_name() {
    let probe = Probe::start().await;
    assert_eq!(
        probe
            .ask("/fetch?url=http://hidden.spin.internal/hello")
            .await,
        "200 ok"
    );
    assert_eq!(probe.edge.stats().component("hidden").requests, 1);
    let echo = probe
        .ask("/fetch?url=http://hidden.spin.internal/any/path")
        .await;
    assert!(
        echo.contains("http://hidden.spin.internal/any/path"),
        "{echo}"
    );
    let denied = probe
        .ask("/fetch?url=http://locked.spin.internal/hello")
        .await;
    assert!(denied.contains("HttpRequestDenied"), "{denied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_in_a_called_component_is_an_answer_to_the_caller() {
    let probe = Probe::start().await;
    let answer = probe
        .ask("/fetch?url=http://hidden.spin.internal/trap")
        .await;
    assert!(answer.starts_with("500 "), "{answer}");
    assert_eq!(probe.edge.stats().component("probe").traps, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_calls_a_component_by_name_from_outside() {
    let probe = Probe::start().await;
    let address = probe.edge.addr();
    let asked = http::Request::builder()
        .uri("/hello")
        .header("host", "hidden.spin.internal");
    let answer = crate::harness::send(address, asked.body(Default::default()).unwrap()).await;
    assert_eq!(answer.status, http::StatusCode::BAD_REQUEST);
    assert_eq!(probe.edge.stats().component("hidden").requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_templates_over_defaults_and_flags() {
    let probe = Probe::start().await;
    assert_eq!(probe.ask("/variable?name=sentence").await, "hello, s3cret!");
    let undeclared = probe.get("/variable?name=token").await;
    assert_eq!(undeclared.status, http::StatusCode::INTERNAL_SERVER_ERROR);
}
