//! A statement that nobody waits for ends, on either database.

use std::time::Duration;

use aisle_e2e::components::probe_manifest;
use aisle_e2e::servers::servers;
use aisle_e2e::{Client, Database, Pair};
use aisle_edge::{Edge, EdgeOptions};
use anyhow::{Result, bail, ensure};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_millis(300);

/// The probe, which asks for statements that run for minutes.
struct Probe {
    edge: Edge,
    pair: Pair,
    _state: TempDir,
}

impl Probe {
    async fn start(pair: Pair, statement_timeout: Duration) -> Result<Self> {
        let manifest = tokio::task::block_in_place(probe_manifest)?;
        let state = tempfile::tempdir()?;
        let edge = Edge::start(EdgeOptions {
            state_dir: state.path().into(),
            statement_timeout,
            variables: [("token".into(), "none".into())].into(),
            ..EdgeOptions::new(manifest)
        })
        .await?;
        Ok(Self {
            edge,
            pair,
            _state: state,
        })
    }

    /// Where it runs a statement for minutes; on PostgreSQL with a deadline of its own.
    fn path(&self, heavy: bool, deadline: Duration) -> Result<String> {
        let heavy = if heavy { "-heavy" } else { "" };
        Ok(match self.pair {
            Pair::Embedded => format!("/sql/endless{heavy}"),
            Pair::Servers => {
                let url = servers()
                    .map_err(anyhow::Error::msg)?
                    .postgres_url("postgres");
                let url = url.replace('&', "~");
                let deadline_ms = deadline.as_millis();
                format!(
                    "/postgres/endless{heavy}?address={url}~options=-c%20statement_timeout%3D{deadline_ms}"
                )
            }
        })
    }
}

pub async fn a_statement_has_a_deadline_of_its_database(pair: Pair) -> Result<()> {
    let probe = Probe::start(pair, SHORT).await?;
    let client = Client::new(probe.edge.addr(), "localhost");
    let ended = client.get(&probe.path(false, SHORT)?).expect(200).await?;
    let said = match pair {
        Pair::Embedded => "interrupted",
        // query_canceled
        Pair::Servers => "57014",
    };
    ensure!(ended.text().contains(said), "{ended:?}");
    Ok(())
}

pub async fn a_statement_ends_with_its_client(pair: Pair) -> Result<()> {
    let probe = Probe::start(pair, FOR_EVER).await?;
    let path = probe.path(true, FOR_EVER)?;
    let mut client = TcpStream::connect(probe.edge.addr()).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    client.write_all(request.as_bytes()).await?;
    until_running(&probe, true).await?;
    drop(client);
    until_running(&probe, false).await
}

/// Asks the database, or on SQLite the edge, until the statement runs, or no longer does.
async fn until_running(probe: &Probe, wanted: bool) -> Result<()> {
    const LOOKS: usize = 2_000;
    for _ in 0..LOOKS {
        let client = Client::new(probe.edge.addr(), "localhost");
        client.get("/locked/hello").expect(200).await?;
        if is_running(probe).await? == wanted {
            return Ok(());
        }
    }
    bail!("the statement never came to running: {wanted}")
}

async fn is_running(probe: &Probe) -> Result<bool> {
    Ok(match probe.pair {
        Pair::Embedded => {
            let counts = probe.edge.stats().component("probe");
            counts.sql >= 1 && counts.sql_stopped == 0
        }
        Pair::Servers => {
            let url = servers()
                .map_err(anyhow::Error::msg)?
                .postgres_url("postgres");
            let running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' \
                 AND query LIKE '%heavy: probe%' AND pid <> pg_backend_pid()";
            Database::Postgres(url).number(running).await? > 0
        }
    })
}
