//! A statement that nobody waits for ends, and heavy ones leave room for others.

use std::num::NonZero;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::Probe;

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(3_600);
const STOPPED: &str = "Error::Io(\"interrupted\")";

async fn patient_probe() -> Probe {
    Probe::start_with(|options| options.statement_timeout = FOR_EVER).await
}

/// A client that has asked for something and goes when it is dropped.
async fn ask_and_hold(probe: &Probe, path: &str) -> TcpStream {
    let mut client = TcpStream::connect(probe.edge.addr()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_has_a_deadline() {
    let probe = Probe::start_with(|options| {
        options.statement_timeout = Duration::from_millis(300);
    })
    .await;
    assert_eq!(probe.ask("/sql/endless").await, STOPPED);
    assert_eq!(probe.edge.stats().component("probe").sql_stopped, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_too_late_leaves_nothing() {
    let probe = Probe::start_with(|options| {
        options.statement_timeout = Duration::from_millis(300);
    })
    .await;
    assert_eq!(probe.ask("/sql/endless-change").await, STOPPED);
    assert_eq!(probe.ask("/sql/count").await, "0");
    probe.ask("/sql/add").await;
    assert_eq!(probe.ask("/sql/count").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_ends_with_its_client() {
    let probe = patient_probe().await;
    let client = ask_and_hold(&probe, "/sql/endless").await;
    probe.until("sql", 1, |probe| probe.sql).await;
    assert_eq!(probe.edge.stats().component("probe").sql_stopped, 0);
    drop(client);
    probe.until("stopped", 1, |probe| probe.sql_stopped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_ends_when_its_rows_are_not_read() {
    let probe = patient_probe().await;
    assert_eq!(probe.ask("/sql/endless-unread").await, "dropped");
    probe.until("stopped", 1, |probe| probe.sql_stopped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_statements_leave_room_for_others() {
    let probe = patient_probe().await;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut clients = Vec::new();
    for _ in 0..cores {
        clients.push(ask_and_hold(&probe, "/sql/endless-heavy").await);
    }
    let heavy = u64::try_from(cores).unwrap();
    probe.until("sql", heavy, |probe| probe.sql).await;

    let refused = probe.ask("/sql/endless-heavy").await;
    assert!(refused.contains("all places"), "{refused}");
    probe.ask("/sql/add").await;
    assert_eq!(probe.ask("/sql/count").await, "1");

    drop(clients);
    probe
        .until("stopped", heavy, |probe| probe.sql_stopped)
        .await;
}
