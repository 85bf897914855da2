//! A complete Aisle of one's own: an edge in this process, a database, a key-value store.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use aisle_edge::migrate::Migrations;
use aisle_edge::{ComponentStats, Edge, EdgeOptions};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use crate::components::{self, root, target_dir};
use crate::line::Line;
use crate::servers::{self, Servers, servers};
use crate::{Client, Database};

/// The hosts of the demo retailer's brands: North's prices include tax, Harbor's do not.
pub const NORTH: &str = "north.localhost";
pub const HARBOR: &str = "harbor.localhost";
/// A country that North ships to.
pub const NORTH_COUNTRY: &str = "DE";
/// A country that Harbor ships to.
pub const HARBOR_COUNTRY: &str = "US";

/// Which stores an environment stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    /// SQLite and the embedded key-value store.
    Embedded,
    /// PostgreSQL and Redis, real servers.
    Servers,
}

/// What an environment starts from.
#[derive(Debug, Clone)]
pub struct Setup {
    pair: Pair,
    demo: bool,
    requests_per_instance: usize,
    memory_mib: usize,
    through_lines: bool,
    for_measuring: bool,
}

impl Setup {
    /// A migrated database without any business data.
    pub fn empty(pair: Pair) -> Self {
        Self {
            pair,
            demo: false,
            requests_per_instance: 1,
            memory_mib: 256,
            through_lines: false,
            for_measuring: false,
        }
    }

    /// The demo retailer, freshly loaded.
    pub fn demo(pair: Pair) -> Self {
        Self {
            demo: true,
            ..Self::empty(pair)
        }
    }

    /// How many requests share an instance of a component.
    pub fn requests_per_instance(self, count: usize) -> Self {
        Self {
            requests_per_instance: count,
            ..self
        }
    }

    /// How much memory an instance of a component may use.
    pub fn memory_mib(self, memory_mib: usize) -> Self {
        Self { memory_mib, ..self }
    }

    /// The servers are reached over lines that can be cut and that count.
    pub fn through_lines(self) -> Self {
        Self {
            through_lines: true,
            ..self
        }
    }

    /// With a component that only says `ok` at `/hello`, and without the relay, whose work
    /// after an answer would be counted with the next request.
    pub fn for_measuring(self) -> Self {
        Self {
            for_measuring: true,
            ..self
        }
    }

    pub async fn start(self) -> Result<Environment> {
        Environment::start(self).await
    }
}

/// A running Aisle; what it keeps is gone when it is dropped.
pub struct Environment {
    /// Taken when it is shut down.
    edge: Option<Edge>,
    pub database: Database,
    pub admin_key: String,
    pub relay_key: String,
    /// Only with [`Setup::through_lines`] on servers.
    pub lines: Option<Lines>,
    _state: TempDir,
}

/// The lines to the servers of an environment.
pub struct Lines {
    pub postgres: Line,
    pub redis: Line,
}

impl Environment {
    async fn start(setup: Setup) -> Result<Self> {
        let manifest = if setup.for_measuring {
            components::manifest_with_hello
        } else {
            components::manifest
        };
        let manifest = tokio::task::block_in_place(manifest)?;
        let state = tempfile::tempdir()?;
        let (database, options, lines) = match setup.pair {
            Pair::Embedded => {
                let file = embedded_database(&setup, &state).await?;
                (Database::Sqlite(file), EdgeOptions::new(&manifest), None)
            }
            Pair::Servers => {
                let servers = servers().map_err(anyhow::Error::msg)?;
                let name = server_database(&setup, servers).await?;
                let lines = if setup.through_lines {
                    Some(Lines::to(servers).await?)
                } else {
                    None
                };
                let (postgres_port, redis_port) = match &lines {
                    Some(lines) => (lines.postgres.port(), lines.redis.port()),
                    None => (servers.postgres_port, servers.redis_port),
                };
                let options = EdgeOptions {
                    postgres: Some(servers::postgres_url(postgres_port, &name)),
                    redis: Some(servers::redis_url(redis_port, Servers::fresh_number())),
                    ..EdgeOptions::new(&manifest)
                };
                (
                    Database::Postgres(servers.postgres_url(&name)),
                    options,
                    lines,
                )
            }
        };
        let (admin_key, relay_key) = (
            random_key(),
            if setup.for_measuring {
                String::new()
            } else {
                random_key()
            },
        );
        allow(&database, "tests", &admin_key, None, "admin").await?;
        let edge = Edge::start(EdgeOptions {
            state_dir: state.path().into(),
            variables: BTreeMap::from([("relay_key".into(), relay_key.clone())]),
            max_concurrent_requests_per_instance: setup.requests_per_instance,
            max_memory_bytes: setup.memory_mib << 20,
            request_timeout: Duration::from_secs(120),
            ..options
        });
        Ok(Self {
            edge: Some(edge.await?),
            database,
            admin_key,
            relay_key,
            lines,
            _state: state,
        })
    }

    pub fn edge(&self) -> &Edge {
        self.edge.as_ref().expect("running until it is shut down")
    }

    /// Lets requests and what follows them finish, and closes the stores.
    pub async fn shutdown(mut self) {
        if let Some(edge) = self.edge.take() {
            edge.shutdown().await;
        }
    }

    /// A client of the brand that answers under `host`.
    pub fn client(&self, host: &str) -> Client {
        Client::new(self.edge().addr(), host)
            .with_header("ucp-agent", r#"profile="https://platform.example/profile""#)
    }

    /// A shopper of the demo brand North.
    pub fn north(&self) -> Client {
        self.client(NORTH)
    }

    /// A shopper of the demo brand Harbor.
    pub fn harbor(&self) -> Client {
        self.client(HARBOR)
    }

    /// Who holds the organisation's admin key, under the default brand's host.
    pub fn admin(&self) -> Client {
        self.with_key(&self.admin_key)
    }

    /// Who holds this admin key.
    pub fn with_key(&self, key: &str) -> Client {
        Client::new(self.edge().addr(), "localhost")
            .with_header("authorization", &format!("Bearer {key}"))
    }

    /// Lets a further admin key in, whose name and secret are the same.
    pub async fn allow(&self, key: &str, brand: Option<&str>, scopes: &str) -> Result<()> {
        allow(&self.database, key, key, brand, scopes).await
    }

    /// SQL statements that all components but the relay have issued. On SQLite a batch is
    /// one for each of its statements, on PostgreSQL a single one.
    pub fn shopper_sql(&self) -> u64 {
        self.sum_without_relay(|component| component.sql)
    }

    /// Reads and writes of the key-value store by all components but the relay.
    pub fn shopper_key_value(&self) -> u64 {
        self.sum_without_relay(|component| component.key_value)
    }

    fn sum_without_relay(&self, count: fn(&ComponentStats) -> u64) -> u64 {
        let components = self.edge().stats().components;
        components
            .iter()
            .filter(|(id, _)| *id != "relay")
            .map(|(_, component)| count(component))
            .sum()
    }

    /// Instances that trapped, ran out of memory or out of time.
    pub fn traps(&self) -> u64 {
        self.edge()
            .stats()
            .components
            .values()
            .map(|component| component.traps)
            .sum()
    }

    /// Has the relay work until nothing is left to do.
    pub async fn drain_outbox(&self) -> Result<()> {
        const OPEN: &str =
            "SELECT count(*) FROM outbox WHERE done_at_ms IS NULL AND dead_at_ms IS NULL";
        let relay = Client::new(self.edge().addr(), "localhost")
            .with_header("authorization", &format!("Bearer {}", self.relay_key));
        for _ in 0..1000 {
            if self.database.number(OPEN).await? == 0 {
                return Ok(());
            }
            relay.post("/relay/run").send().await?;
        }
        anyhow::bail!(
            "the relay does not get through: {:?}",
            self.database
                .rows("SELECT * FROM outbox WHERE done_at_ms IS NULL LIMIT 5")
                .await?
        )
    }
}

/// An edge that nobody shuts down keeps its memory reserved.
impl Drop for Environment {
    fn drop(&mut self) {
        if let (Some(edge), Ok(runtime)) = (self.edge.take(), Handle::try_current()) {
            runtime.spawn(edge.shutdown());
        }
    }
}

impl Lines {
    async fn to(servers: &Servers) -> Result<Self> {
        Ok(Self {
            postgres: Line::to(servers.postgres_port).await?,
            redis: Line::to(servers.redis_port).await?,
        })
    }
}

async fn embedded_database(setup: &Setup, state: &TempDir) -> Result<PathBuf> {
    static DEMO: OnceCell<PathBuf> = OnceCell::const_new();
    let file = state.path().join("sqlite.db");
    if setup.demo {
        let demo = DEMO.get_or_try_init(|| async {
            let environment = Box::pin(Environment::start(Setup::empty(setup.pair))).await?;
            load_demo(&environment).await?;
            // Beside the build, and replaced at once: other test processes may be reading it.
            let (copy, demo) = (
                target_dir().join(format!("e2e-demo-{}.db", std::process::id())),
                target_dir().join("e2e-demo.db"),
            );
            environment
                .database
                .rows(&format!("VACUUM INTO '{}'", copy.display()))
                .await?;
            std::fs::rename(copy, &demo)?;
            anyhow::Ok(demo)
        });
        std::fs::copy(demo.await?, &file)?;
    }
    Migrations::for_sqlite(&components::manifest()?)?.migrate_sqlite(&file)?;
    Ok(file)
}

async fn server_database(setup: &Setup, servers: &Servers) -> Result<String> {
    static DEMO: OnceCell<String> = OnceCell::const_new();
    let maintenance = Database::Postgres(servers.postgres_url("postgres"));
    let name = format!("aisle_{}", Servers::fresh_number());
    if setup.demo {
        let demo = DEMO.get_or_try_init(|| async {
            let environment = Box::pin(Environment::start(Setup::empty(setup.pair))).await?;
            load_demo(&environment).await?;
            let Database::Postgres(url) = &environment.database else {
                anyhow::bail!("not on PostgreSQL")
            };
            let demo = url
                .rsplit('/')
                .next()
                .and_then(|tail| tail.split('?').next())
                .context("no database name")?
                .to_owned();
            environment.shutdown().await;
            anyhow::Ok(demo)
        });
        let demo = demo.await?;
        // A template must have no sessions; those of a stopped edge may linger a moment.
        maintenance.rows(&format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{demo}'")).await?;
        maintenance
            .rows(&format!("CREATE DATABASE {name} TEMPLATE {demo}"))
            .await?;
    } else {
        maintenance.rows(&format!("CREATE DATABASE {name}")).await?;
        let url = servers.postgres_url(&name);
        Migrations::for_postgres(&components::manifest()?)?
            .migrate_postgres(&url)
            .await?;
    }
    Ok(name)
}

/// Loads the demo retailer as `cargo up` does: over HTTP, brand by brand.
pub async fn load_demo(environment: &Environment) -> Result<()> {
    let folder = root().join("infra/demo");
    let text =
        std::fs::read_to_string(folder.join("brands.json")).context("infra/demo/brands.json")?;
    let document: Value = serde_json::from_str(&text)?;
    let admin = environment.admin();
    for brand in document["brands"].as_array().context("no brands")? {
        let handle = brand["handle"]
            .as_str()
            .context("a brand without a handle")?;
        let put = admin
            .put(&format!("/admin/brands/{handle}"))
            .json(brand)
            .send()
            .await?;
        ensure!(put.status.is_success(), "brand {handle}: {put:?}");
        for kind in ["locations", "products", "stock"] {
            let file = folder.join(handle).join(format!("{kind}.csv"));
            if file.is_file() {
                let path = format!("/admin/imports?kind={kind}&brand={handle}&file={kind}.csv");
                let report = admin.post(&path).csv(std::fs::read(&file)?).send().await?;
                ensure!(
                    report.status.is_success() && report.json()["refused"] == 0,
                    "{}: {report:?}",
                    file.display()
                );
            }
        }
    }
    environment.drain_outbox().await
}

/// Lets a key into the table of admin keys; without a brand it is the organisation's.
async fn allow(
    database: &Database,
    name: &str,
    key: &str,
    brand: Option<&str>,
    scopes: &str,
) -> Result<()> {
    let hash: String = Sha256::digest(key)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let brand = brand.map_or("NULL".into(), |handle| {
        format!("(SELECT id FROM brand WHERE handle = '{handle}')")
    });
    let insert = format!(
        "INSERT INTO admin_key (key_hash, name, brand_id, scopes, created_at_ms) \
         VALUES ('{hash}', '{name}', {brand}, '{scopes}', 0)"
    );
    database.rows(&insert).await.map(drop)
}

fn random_key() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
