//! `cargo up`: from a clone to a running store.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aisle_edge::migrate::Migrations;
use aisle_edge::{Edge, EdgeOptions, build_components};
use anyhow::{Context, anyhow};
use sha2::{Digest, Sha256};
use tokio::signal::unix::{SignalKind, signal};

use super::client::Client;
use super::keys::{self, Keys};
use super::{demo, progress};

/// How often the edge calls the relay.
const RELAY_TICK: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Folder for the database, the key-value store and the keys.
    #[arg(long, default_value = ".aisle")]
    state: PathBuf,
    /// Use this PostgreSQL database instead of SQLite.
    #[arg(long)]
    postgres: Option<String>,
    /// Use this Redis for the key-value store instead of a file.
    #[arg(long)]
    redis: Option<String>,
    /// Start without the demo retailer.
    #[arg(long)]
    no_demo: bool,
    /// Requests that one instance of a component may have under way at a time.
    #[arg(long, default_value_t = 1)]
    max_instance_concurrent_reuse_count: usize,
    /// Seconds that a component has for an answer.
    #[arg(long, default_value_t = 120)]
    request_timeout_s: u64,
    /// Value of one of the app's variables.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    variable: Vec<(String, String)>,
    /// Write no line for each request.
    #[arg(long)]
    no_access_log: bool,
}

fn variable(flag: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = flag
        .split_once('=')
        .ok_or_else(|| anyhow!("must be NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Builds, prepares, serves, and returns after Ctrl-C or SIGTERM.
///
/// # Errors
/// In words for the person at the terminal.
pub async fn run(manifest: PathBuf, flags: Flags) -> anyhow::Result<()> {
    check_address(flags.listen)?;
    tokio::task::block_in_place(|| build_components(&manifest, |step| eprintln!("{step} …")))?;
    std::fs::create_dir_all(&flags.state)
        .with_context(|| format!("cannot create {}", flags.state.display()))?;
    let keys = Keys::open(&flags.state)?;
    prepare_database(&manifest, &flags, &keys).await?;

    let starting = progress::step("loading the components (compiled on first start)");
    let edge = Edge::start(options(&manifest, &flags, &keys)).await?;
    progress::done(&starting, "the components are loaded");

    let served = serve(&manifest, &flags, &keys, &edge.url()).await;
    edge.shutdown().await;
    served
}

/// Loads the demo if need be and returns when it is time to stop.
async fn serve(manifest: &Path, flags: &Flags, keys: &Keys, url: &str) -> anyhow::Result<()> {
    let client = Client {
        url: url.to_owned(),
        key: keys.admin.clone(),
    };
    let folder = demo::folder(manifest);
    if !flags.no_demo && demo::exists(&folder) {
        load_demo_once(&client, &folder, flags).await?;
    }
    print_welcome(url, keys, flags);
    wait_for_signal().await?;
    eprintln!("stopping: requests under way are finished first …");
    Ok(())
}

/// Finds out about a taken address before the long build, not after it.
fn check_address(listen: SocketAddr) -> anyhow::Result<()> {
    match std::net::TcpListener::bind(listen) {
        Ok(_) => Ok(()),
        Err(error) => Err(aisle_edge::cannot_listen(listen, &error)),
    }
}

fn options(manifest: &Path, flags: &Flags, keys: &Keys) -> EdgeOptions {
    let mut variables = BTreeMap::from([
        ("relay_key".to_owned(), keys.relay.clone()),
        ("pass_keys".to_owned(), keys.pass.clone()),
        ("sms_provider".to_owned(), "sandbox".to_owned()),
        ("mail_provider".to_owned(), "sandbox".to_owned()),
        ("dev_pages".to_owned(), "true".to_owned()),
    ]);
    variables.extend(flags.variable.iter().cloned());
    EdgeOptions {
        listen: flags.listen,
        state_dir: flags.state.clone(),
        postgres: flags.postgres.clone(),
        redis: flags.redis.clone(),
        variables,
        max_concurrent_requests_per_instance: flags.max_instance_concurrent_reuse_count,
        request_timeout: Duration::from_secs(flags.request_timeout_s),
        access_log: !flags.no_access_log,
        relay_tick: Some(RELAY_TICK),
        ..EdgeOptions::new(manifest)
    }
}

async fn prepare_database(manifest: &Path, flags: &Flags, keys: &Keys) -> anyhow::Result<()> {
    let preparing = progress::step("preparing the database");
    let migrated = match &flags.postgres {
        Some(url) => {
            let migrated = Migrations::for_postgres(manifest)?
                .migrate_postgres(url)
                .await?;
            keys::allow_in_postgres(url, &keys.admin).await?;
            migrated
        }
        None => {
            let database = flags.state.join("sqlite.db");
            let migrated = Migrations::for_sqlite(manifest)?.migrate_sqlite(&database)?;
            keys::allow_in_sqlite(&database, &keys.admin)?;
            migrated
        }
    };
    progress::done(
        &preparing,
        &format!("the database is at schema version {}", migrated.version),
    );
    Ok(())
}

/// Loads the demo retailer unless this state folder has seen it on this database.
/// The imports change nothing when repeated, so a load that broke off is simply redone.
async fn load_demo_once(client: &Client, folder: &Path, flags: &Flags) -> anyhow::Result<()> {
    let database = flags.postgres.as_deref().unwrap_or_default();
    let digest = Sha256::digest(database.as_bytes());
    let name: String = digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let marker = flags.state.join(format!("demo-loaded-{name}"));
    if marker.exists() {
        return Ok(());
    }
    let loading = progress::step("loading the demo retailer");
    demo::load(client, folder)
        .await
        .context("the demo retailer could not be loaded (start with --no-demo to do without it)")?;
    std::fs::write(marker, "")?;
    progress::done(&loading, "the demo retailer is loaded");
    Ok(())
}

fn print_welcome(url: &str, keys: &Keys, flags: &Flags) {
    let port = flags.listen.port();
    println!("
Aisle is running at {url}; Ctrl-C stops it.

  what it can do     curl {url}/.well-known/ucp
  is it well         curl {url}/healthz
  its API            curl {url}/openapi.json
  find a product     curl {url}/catalog/search -H 'content-type: application/json' -d '{{\"query\": \"jacket\"}}'
  find a store       curl {url}/locations/search -H 'content-type: application/json' -d '{{}}'
  another brand      curl http://harbor.localhost:{port}/.well-known/ucp
  texts and mails    http://north.localhost:{port}/dev/messages (nothing is really sent)
  import a file      cargo run -p aisle-edge -- import FILE.csv --url {url} --brand BRAND

  admin key          {}
  (kept in {})
", keys.admin, keys::admin_path(&flags.state).display());
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
