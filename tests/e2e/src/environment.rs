//! A complete Aisle of one's own: an edge in this process or a real Spin beside it, a
//! database, a key-value store.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aisle_edge::{ComponentStats, Edge, EdgeOptions, Stats};
use anyhow::Result;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::components;
use crate::process::EdgeProcess;
use crate::spin::{self, Spin};
use crate::stores::{Lines, Stores};
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
    pub(crate) pair: Pair,
    pub(crate) demo: bool,
    pub(crate) filled: Option<aisle_fill::Size>,
    requests_per_instance: usize,
    memory_mib: usize,
    pub(crate) through_lines: bool,
    hello: bool,
    relay: bool,
    process: Option<PathBuf>,
    pass_keys: Option<String>,
    variables: BTreeMap<String, String>,
}

impl Setup {
    /// A migrated database without any business data.
    pub fn empty(pair: Pair) -> Self {
        Self {
            pair,
            demo: false,
            filled: None,
            requests_per_instance: 1,
            memory_mib: 256,
            through_lines: false,
            hello: false,
            relay: true,
            process: None,
            pass_keys: None,
            variables: BTreeMap::new(),
        }
    }

    /// The demo retailer, freshly loaded.
    pub fn demo(pair: Pair) -> Self {
        Self {
            demo: true,
            ..Self::empty(pair)
        }
    }

    /// A retailer of that size, of the brand [`crate::tour::BRAND`].
    pub fn filled(pair: Pair, size: aisle_fill::Size) -> Self {
        Self {
            filled: Some(size),
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
            relay: false,
            ..self.with_hello()
        }
    }

    /// With a component that only says `ok` at `/hello`.
    pub fn with_hello(self) -> Self {
        Self {
            hello: true,
            ..self
        }
    }

    /// On an edge that is a process of its own, run by a program that calls
    /// [`crate::process::serve`], and that has a ticker as a deployment has.
    pub fn as_process(self, program: &Path) -> Self {
        Self {
            process: Some(program.into()),
            ..self
        }
    }

    /// The variable `pass_keys`, instead of a random key.
    pub fn pass_keys(self, pass_keys: &str) -> Self {
        Self {
            pass_keys: Some(pass_keys.into()),
            ..self
        }
    }

    /// One of the app's variables.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    pub async fn start(self) -> Result<Environment> {
        Environment::start(self).await
    }
}

/// A running Aisle; what it keeps is gone when it is dropped.
pub struct Environment {
    /// Taken when it is shut down.
    runtime: Option<Runtime>,
    pub database: Database,
    pub admin_key: String,
    pub relay_key: String,
    /// The variable `pass_keys`.
    pub pass_keys: String,
    /// Only with [`Setup::through_lines`] on servers.
    pub lines: Option<Lines>,
    pub(crate) options: EdgeOptions,
    /// What the app still has to do when it is shut down wants its files.
    pub(crate) state: Arc<TempDir>,
}

/// What the app runs on.
enum Runtime {
    Edge(Edge),
    Process(EdgeProcess),
    Spin(Spin),
}

impl Environment {
    async fn start(setup: Setup) -> Result<Self> {
        let manifest = if setup.hello {
            components::manifest_with_hello
        } else {
            components::manifest
        };
        let manifest = tokio::task::block_in_place(manifest)?;
        let state = Arc::new(tempfile::tempdir()?);
        let stores = Stores::open(&setup, state.path()).await?;
        let admin_key = random_key();
        let relay_key = if setup.relay {
            random_key()
        } else {
            String::new()
        };
        let pass_keys = setup
            .pass_keys
            .unwrap_or_else(|| [random_key(), random_key()].concat());
        allow(&stores.database, "tests", &admin_key, None, "admin").await?;
        let mut variables = BTreeMap::from([
            ("relay_key".into(), relay_key.clone()),
            ("pass_keys".into(), pass_keys.clone()),
            ("sms_provider".into(), "sandbox".into()),
            ("mail_provider".into(), "sandbox".into()),
        ]);
        variables.extend(setup.variables);
        let options = EdgeOptions {
            state_dir: state.path().into(),
            postgres: stores.postgres,
            redis: stores.redis,
            variables,
            max_concurrent_requests_per_instance: setup.requests_per_instance,
            max_memory_bytes: setup.memory_mib << 20,
            request_timeout: Duration::from_secs(120),
            ..EdgeOptions::new(&manifest)
        };
        let runtime = match (&setup.process, spin::program()) {
            (Some(program), _) => Runtime::Process(EdgeProcess::start(program, &options).await?),
            (None, Some(program)) => Runtime::Spin(tokio::task::block_in_place(|| {
                Spin::start(program, &options)
            })?),
            (None, None) => Runtime::Edge(Edge::start(options.clone()).await?),
        };
        Ok(Self {
            runtime: Some(runtime),
            database: stores.database,
            admin_key,
            relay_key,
            pass_keys,
            lines: stores.lines,
            options,
            state,
        })
    }

    fn runtime(&self) -> &Runtime {
        self.runtime
            .as_ref()
            .expect("running until it is shut down")
    }

    /// The local edge, with what only it can tell: not where a real Spin runs the app.
    pub fn edge(&self) -> &Edge {
        match self.runtime() {
            Runtime::Edge(edge) => edge,
            Runtime::Process(_) => panic!("another process runs the app"),
            Runtime::Spin(_) => panic!("a real Spin runs the app: ask spin::program() first"),
        }
    }

    /// What every component did so far.
    pub fn stats(&self) -> Stats {
        match self.runtime() {
            Runtime::Process(process) => process.stats(),
            _ => self.edge().stats(),
        }
    }

    /// The edge, where it is a process of its own.
    pub fn process(&self) -> Option<&EdgeProcess> {
        match self.runtime() {
            Runtime::Process(process) => Some(process),
            _ => None,
        }
    }

    /// Where the app answers.
    pub fn addr(&self) -> SocketAddr {
        match self.runtime() {
            Runtime::Edge(edge) => edge.addr(),
            Runtime::Process(process) => process.address,
            Runtime::Spin(spin) => spin.address,
        }
    }

    /// Lets requests and what follows them finish (a real Spin does not), and closes the
    /// stores.
    pub async fn shutdown(mut self) {
        if let Some(Runtime::Edge(edge)) = self.runtime.take() {
            edge.shutdown().await;
        }
    }

    /// A client of the brand that answers under `host`.
    pub fn client(&self, host: &str) -> Client {
        Client::new(self.addr(), host)
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
        Client::new(self.addr(), "localhost").with_header("authorization", &format!("Bearer {key}"))
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
        let components = self.stats().components;
        components
            .iter()
            .filter(|(id, _)| *id != "relay")
            .map(|(_, component)| count(component))
            .sum()
    }

    /// Instances that trapped, ran out of memory or out of time.
    pub fn traps(&self) -> u64 {
        match self.runtime() {
            Runtime::Spin(spin) => spin.traps(),
            _ => {
                let components = self.stats().components;
                components.values().map(|component| component.traps).sum()
            }
        }
    }

    /// Has the relay work until nothing is left to do. Whoever wrote has woken it too, and
    /// while one run holds the lease, another does nothing but get in its way.
    pub async fn drain_outbox(&self) -> Result<()> {
        const OPEN: &str =
            "SELECT count(*) FROM outbox WHERE done_at_ms IS NULL AND dead_at_ms IS NULL";
        const LOOKS: usize = 50_000;
        const LOOKS_PER_RUN: usize = 100;
        let relay = self.with_key(&self.relay_key);
        for look in 0..LOOKS {
            if self.database.number(OPEN).await? == 0 {
                return Ok(());
            }
            if look % LOOKS_PER_RUN == 0 {
                relay.post("/relay/run").send().await?;
            }
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
        if let (Some(Runtime::Edge(edge)), Ok(runtime)) =
            (self.runtime.take(), Handle::try_current())
        {
            let state = self.state.clone();
            runtime.spawn(async move {
                edge.shutdown().await;
                drop(state);
            });
        }
    }
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
