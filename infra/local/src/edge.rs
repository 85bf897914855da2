//! An app with its stores, listening.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::allowed_hosts::AllowedHosts;
use crate::app::{App, Running};
use crate::host::kv::{EmbeddedStore, KeyValueStore, RedisStore};
use crate::host::postgres::Pools;
use crate::host::sqlite::{Database, Workers};
use crate::host::{ComponentHost, Guest};
use crate::instances::{Factory, Limits};
use crate::manifest::{Component, Manifest};
use crate::routes::Routes;
use crate::stats::{Counters, Stats};
use crate::variables::Variables;
use crate::{engine, host, relay, server};

/// The label that both kinds of store have when nothing else is configured.
const DEFAULT_LABEL: &str = "default";
/// The variable that chooses the database.
const DATABASE_URL: &str = "database_url";

/// What to run, and how.
#[derive(Debug, Clone)]
pub struct EdgeOptions {
    /// The app's `spin.toml`.
    pub manifest: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder of the SQLite database and the embedded key-value store.
    pub state_dir: PathBuf,
    /// A PostgreSQL URL, given to the app as its variable `database_url`.
    pub postgres: Option<String>,
    /// A Redis URL for the key-value store, instead of the embedded one.
    pub redis: Option<String>,
    /// Values of the app's variables; they come before `SPIN_VARIABLE_*`.
    pub variables: BTreeMap<String, String>,
    /// Requests that one instance may have under way at a time.
    pub max_concurrent_requests_per_instance: usize,
    /// Time until an answer begins, and for a shutdown to wait for what is under way.
    pub request_timeout: Duration,
    /// The longest that a statement of SQLite may take. PostgreSQL has its own deadline.
    pub statement_timeout: Duration,
    /// Memory of one instance.
    pub max_memory_bytes: usize,
    /// Whether each request gets a line on stderr.
    pub access_log: bool,
    /// How often to call `POST /relay/run` with the variable `relay_key`.
    pub relay_tick: Option<Duration>,
}

impl EdgeOptions {
    /// The defaults for the app at `manifest`: a free local port, state in `.aisle`.
    pub fn new(manifest: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            ..Self::default()
        }
    }
}

impl Default for EdgeOptions {
    fn default() -> Self {
        Self {
            manifest: "spin.toml".into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            state_dir: ".aisle".into(),
            postgres: None,
            redis: None,
            variables: BTreeMap::new(),
            max_concurrent_requests_per_instance: 1,
            request_timeout: Duration::from_secs(120),
            statement_timeout: Duration::from_secs(7),
            max_memory_bytes: 256 << 20,
            access_log: false,
            relay_tick: None,
        }
    }
}

/// A running edge. Dropping it without [`Edge::shutdown`] leaves requests unfinished.
pub struct Edge {
    address: SocketAddr,
    app: Arc<App>,
    key_value: KeyValueStore,
    alive: TaskTracker,
    closing: CancellationToken,
    server: JoinHandle<()>,
    ticker: Option<JoinHandle<()>>,
    drain: Duration,
}

impl Edge {
    /// Loads the app, opens its stores and starts to listen. Components must have
    /// been built and the database migrated ([`crate::build_components`],
    /// [`crate::migrate`]).
    ///
    /// # Errors
    /// In words for the person at the terminal: what is wrong with the manifest, a
    /// component, a store or the address.
    pub async fn start(options: EdgeOptions) -> anyhow::Result<Self> {
        let manifest = Manifest::read(&options.manifest)?;
        std::fs::create_dir_all(&options.state_dir)
            .with_context(|| format!("cannot create {}", options.state_dir.display()))?;
        let mut given = options.variables.clone();
        if let Some(url) = &options.postgres {
            given.insert(DATABASE_URL.to_owned(), url.clone());
        }
        let variables = Variables::resolve(&manifest, &given)?;
        let key_value = open_key_value(&options).await?;
        let listener = TcpListener::bind(options.listen).await;
        let listener = listener.map_err(|error| cannot_listen(options.listen, &error))?;
        let address = listener.local_addr()?;
        let alive = TaskTracker::new();
        let closing = CancellationToken::new();
        let limits = Limits {
            max_concurrent_requests: options.max_concurrent_requests_per_instance.max(1),
            request_timeout: options.request_timeout,
            max_memory_bytes: options.max_memory_bytes,
            alive: alive.clone(),
            closing: closing.clone(),
        };
        let relay_key = variables
            .get(relay::KEY_VARIABLE)
            .unwrap_or_default()
            .to_owned();
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let loader = Loader {
            database: Database {
                path: sqlite_path(&options.state_dir),
                workers: Arc::new(Workers::new(cores)),
                statement_timeout: options.statement_timeout,
            },
            access_log: options.access_log,
            variables,
            key_value: key_value.clone(),
            limits,
        };
        // Compiling takes seconds: not on a thread that others need.
        let app = tokio::task::spawn_blocking(move || loader.load(&manifest)).await??;
        let server = server::serve(
            listener,
            app.clone(),
            closing.clone(),
            options.request_timeout,
        );
        let ticker = options
            .relay_tick
            .filter(|_| !relay_key.is_empty())
            .map(|every| {
                tokio::spawn(relay::tick(Arc::downgrade(&app), address, relay_key, every))
            });
        Ok(Self {
            address,
            app,
            key_value,
            alive,
            closing,
            server: tokio::spawn(server),
            ticker,
            drain: options.request_timeout,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The root URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What every component did so far.
    pub fn stats(&self) -> Stats {
        self.app.stats()
    }

    /// Public routes and their components.
    pub fn routes(&self) -> Vec<(String, String)> {
        let owned = |(route, component): (&str, &str)| (route.to_owned(), component.to_owned());
        self.app.routes.list().map(owned).collect()
    }

    /// Empties the key-value store, as if it had been lost.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn clear_key_value(&self) -> anyhow::Result<()> {
        self.key_value.clear().await
    }

    /// What is in the key-value store, by its keys, in order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn key_value_keys(&self) -> anyhow::Result<Vec<String>> {
        self.key_value.all_keys().await
    }

    /// Puts a value into the key-value store, as another version of the app might have.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn set_key_value(&self, key: &str, value: &[u8]) -> anyhow::Result<()> {
        self.key_value.set(key.to_owned(), value.to_owned()).await
    }

    /// Stops listening, lets requests and what follows them finish, closes the stores.
    pub async fn shutdown(self) {
        self.closing.cancel();
        if let Some(ticker) = self.ticker {
            ticker.abort();
        }
        // It ends by itself, after at most the drain time.
        let _ = self.server.await;
        self.alive.close();
        if tokio::time::timeout(self.drain, self.alive.wait())
            .await
            .is_err()
        {
            eprintln!(
                "warning: some components did not finish within {:?}",
                self.drain
            );
        }
    }
}

/// Why an address cannot be listened on, and what to do.
pub fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow!(
            "{address} is in use, perhaps by another edge: stop that one, or choose another address, like --listen 127.0.0.1:4000"
        ),
        _ => anyhow!("cannot listen on {address}: {error}"),
    }
}

async fn open_key_value(options: &EdgeOptions) -> anyhow::Result<KeyValueStore> {
    Ok(match &options.redis {
        Some(url) => KeyValueStore::Redis(RedisStore::connect(url).await?),
        None => KeyValueStore::Embedded(EmbeddedStore::open(&options.state_dir.join("kv.redb"))?),
    })
}

/// What is needed to turn the manifest's components into running ones.
struct Loader {
    database: Database,
    access_log: bool,
    variables: Variables,
    key_value: KeyValueStore,
    limits: Limits,
}

impl Loader {
    fn load(&self, manifest: &Manifest) -> anyhow::Result<Arc<App>> {
        let engine = engine::new(&cache_dir(manifest))?;
        let linker = host::linker(&engine)?;
        let routes = Routes::new(&manifest.trigger.http)?;
        let postgres = Arc::new(Pools::default());
        let mut ready = BTreeMap::new();
        for (id, component) in &manifest.component {
            let pre = prepare(&engine, &linker, &manifest.root, id, component)?;
            let granted = self.grant(id, component)?;
            ready.insert(id.clone(), (pre, granted));
        }
        let access_log = self.access_log;
        Ok(Arc::new_cyclic(|app| {
            let components = ready.into_iter().map(|(id, (pre, granted))| {
                let host = Arc::new(granted.into_host(&id, postgres.clone(), app.clone()));
                let limits = self.limits.clone();
                (id, Running::new(Factory { pre, host, limits }))
            });
            App {
                routes,
                components: components.collect(),
                access_log,
            }
        }))
    }

    /// What the manifest grants a component.
    fn grant(&self, id: &str, component: &Component) -> anyhow::Result<Granted> {
        let expand = |(name, template): (&String, &String)| {
            crate::variables::check_name(name)?;
            Ok((name.clone(), self.variables.expand(template)?))
        };
        let variables = component
            .variables
            .iter()
            .map(expand)
            .collect::<anyhow::Result<_>>();
        let allowed_hosts = AllowedHosts::parse(&component.allowed_outbound_hosts, &self.variables);
        let store = self.key_value.clone();
        let database = self.database.clone();
        Ok(Granted {
            variables: variables.with_context(|| format!("component `{id}`"))?,
            key_value: labelled(id, &component.key_value_stores, store)?,
            sqlite: labelled(id, &component.sqlite_databases, database)?,
            allowed_hosts: allowed_hosts.with_context(|| format!("component `{id}`"))?,
        })
    }
}

struct Granted {
    variables: BTreeMap<String, String>,
    key_value: BTreeMap<String, KeyValueStore>,
    sqlite: BTreeMap<String, Database>,
    allowed_hosts: AllowedHosts,
}

impl Granted {
    fn into_host(self, id: &str, postgres: Arc<Pools>, app: Weak<App>) -> ComponentHost {
        ComponentHost {
            id: id.to_owned(),
            variables: self.variables,
            key_value: self.key_value,
            sqlite: self.sqlite,
            postgres,
            allowed_hosts: self.allowed_hosts,
            counters: Counters::default(),
            app,
        }
    }
}

/// Gives `value` to the labels that a component asks for; there is only the default one.
fn labelled<V: Clone>(
    id: &str,
    labels: &[String],
    value: V,
) -> anyhow::Result<BTreeMap<String, V>> {
    if let Some(other) = labels.iter().find(|label| *label != DEFAULT_LABEL) {
        bail!("component `{id}` asks for the store {other:?}; the local edge has only \"default\"");
    }
    Ok(labels
        .iter()
        .map(|label| (label.clone(), value.clone()))
        .collect())
}

fn prepare(
    engine: &Engine,
    linker: &Linker<Guest>,
    root: &Path,
    id: &str,
    component: &Component,
) -> anyhow::Result<ServicePre<Guest>> {
    let compiled = engine::load(engine, root, id, component)?;
    let linked = linker
        .instantiate_pre(&compiled)
        .map_err(anyhow::Error::from);
    let linked = linked.with_context(|| {
        format!("component `{id}` imports what the local edge does not provide")
    })?;
    ServicePre::new(linked).map_err(anyhow::Error::from).with_context(|| {
        format!("component `{id}` does not export wasi:http/handler@0.3.0, so it cannot answer requests")
    })
}

/// The SQLite file in a state folder.
pub(crate) fn sqlite_path(state_dir: &Path) -> PathBuf {
    state_dir.join("sqlite.db")
}

/// Compiled code is kept beside the components: it is theirs, whatever the state folder.
fn cache_dir(manifest: &Manifest) -> PathBuf {
    let first = manifest.component.values().next();
    let folder = first
        .and_then(|component| component.source.parent())
        .unwrap_or(Path::new("."));
    manifest.root.join(folder).join("aisle-edge-cache")
}
