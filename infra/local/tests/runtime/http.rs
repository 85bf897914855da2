//! Requests and responses.

use http::StatusCode;
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use crate::harness::{Probe, request, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_known_length_is_sent_and_an_unknown_one_is_not_invented() {
    let probe = Probe::start().await;
    let hello = probe.get("/hello").await;
    assert_eq!((hello.status, hello.body.as_str()), (StatusCode::OK, "ok"));
    assert_eq!(hello.headers["content-length"], "2");
    let unmeasured = probe.get("/hello/unmeasured").await;
    assert_eq!(unmeasured.body, "ok");
    assert!(!unmeasured.headers.contains_key("content-length"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guest_finds_the_host_in_the_uri_and_in_spins_headers() {
    let probe = Probe::start().await;
    let address = probe.edge.addr();
    let asked = request(address, "/users/42/orders?page=2")
        .header("connection", "keep-alive")
        .body(Full::default())
        .unwrap();
    let echo: Value = serde_json::from_str(&send(address, asked).await.body).unwrap();
    let url = format!("http://{address}/users/42/orders?page=2");
    assert_eq!(echo["uri"], url);
    let headers = echo["headers"].as_array().unwrap();
    let header = |name: &str| {
        headers
            .iter()
            .find(|pair| pair[0] == name)
            .map(|pair| pair[1].as_str().unwrap())
    };
    assert_eq!(header("spin-full-url"), Some(url.as_str()));
    assert_eq!(header("spin-path-match-id"), Some("42"));
    assert_eq!(header("spin-matched-route"), Some("/users/:id/orders"));
    assert_eq!(header("spin-component-route"), Some("/users/:id/orders"));
    assert_eq!(header("spin-path-info"), Some(""));
    assert_eq!(header("spin-base-path"), Some("/"));
    assert!(
        header("spin-client-addr")
            .unwrap()
            .starts_with("127.0.0.1:")
    );
    assert_eq!(header("connection"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_given_or_taken_over() {
    let probe = Probe::start().await;
    let address = probe.edge.addr();
    assert_eq!(probe.get("/hello").await.headers["x-request-id"].len(), 36);
    for (sent, kept) in [("checkout-7", true), ("a b\u{7f}", false)] {
        let value = http::HeaderValue::from_bytes(sent.as_bytes());
        let Ok(value) = value else { continue };
        let asked = request(address, "/hello").header("x-request-id", value);
        let answer = send(address, asked.body(Full::default()).unwrap()).await;
        assert_eq!(answer.headers["x-request-id"] == sent, kept, "{sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_streamed_both_ways() {
    let probe = Probe::start().await;
    assert_eq!(probe.ask("/stream").await, "one two three");

    let (parts, mut mirrored) = probe.mirror().await;
    parts.send("first").unwrap();
    // The first part comes back while the request is still being sent.
    let first = mirrored.frame().await.unwrap().unwrap();
    let first = first.into_data().unwrap();
    assert_eq!(first, "first");
    parts.send("second").unwrap();
    drop(parts);
    assert_eq!(mirrored.collect().await.unwrap().to_bytes(), "second");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_comes_back_whole() {
    let probe = Probe::start().await;
    let address = probe.edge.addr();
    let sent = "0123456789abcdef".repeat(256 * 1024);
    let asked = request(address, "/mirror")
        .method("POST")
        .body(Full::from(sent.clone()))
        .unwrap();
    assert!(send(address, asked).await.body == sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_after_the_response() {
    let probe = Probe::start().await;
    assert_eq!(probe.ask("/background?key=late").await, "later");
    assert_eq!(probe.wait_for_key("late").await, "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_route_or_a_host_is_refused() {
    let probe = Probe::start().await;
    let address = probe.edge.addr();
    let no_host = http::Request::builder()
        .uri("/hello")
        .body(Full::default())
        .unwrap();
    assert_eq!(send(address, no_host).await.status, StatusCode::BAD_REQUEST);
}
