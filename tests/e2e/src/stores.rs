//! The database and the key-value store of an environment, new for each.
//!
//! The demo retailer is loaded once per process and pair; every environment that wants it
//! begins with a copy.

use std::path::{Path, PathBuf};

use aisle_edge::migrate::{self, Migrations};
use anyhow::{Context, Result};
use tokio::sync::OnceCell;

use crate::components::{manifest, target_dir};
use crate::environment::{Pair, Setup};
use crate::line::Line;
use crate::servers::{Servers, postgres_url, redis_url, servers};
use crate::{Database, demo, tour};

/// What an edge is started with, and how the tests get at it.
pub(crate) struct Stores {
    pub database: Database,
    /// URLs, where they are servers.
    pub postgres: Option<String>,
    pub redis: Option<String>,
    pub lines: Option<Lines>,
}

/// The lines to the servers of an environment.
pub struct Lines {
    pub postgres: Line,
    pub redis: Line,
}

impl Stores {
    pub async fn open(setup: &Setup, folder: &Path) -> Result<Self> {
        let stores = match setup.pair {
            Pair::Embedded => Self::embedded(setup, folder).await?,
            Pair::Servers => Self::on_servers(setup).await?,
        };
        if let Some(size) = &setup.filled {
            stores.fill(size.clone()).await?;
        }
        Ok(stores)
    }

    async fn fill(&self, size: aisle_fill::Size) -> Result<()> {
        let database = match &self.database {
            Database::Sqlite(file) => aisle_fill::Database::Sqlite(file.clone()),
            Database::Postgres(url) => {
                aisle_fill::Database::Postgres(Box::new(migrate::connect(url).await?))
            }
        };
        let now_ms = i64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_millis())?;
        let wanted = aisle_fill::Wanted {
            size,
            seed: 1,
            until_ms: now_ms,
            brand: tour::BRAND.into(),
        };
        let unwatched = std::sync::Arc::new(aisle_fill::Unwatched);
        aisle_fill::fill(database, wanted, unwatched)
            .await
            .map(drop)
    }

    async fn embedded(setup: &Setup, folder: &Path) -> Result<Self> {
        let file = folder.join("sqlite.db");
        if setup.demo {
            std::fs::copy(demo_file().await?, &file)?;
        }
        Migrations::for_sqlite(&manifest()?)?.migrate_sqlite(&file)?;
        Ok(Self {
            database: Database::Sqlite(file),
            postgres: None,
            redis: None,
            lines: None,
        })
    }

    async fn on_servers(setup: &Setup) -> Result<Self> {
        let servers = servers().map_err(anyhow::Error::msg)?;
        let name = if setup.demo {
            copy_of_demo(servers).await?
        } else {
            migrated(servers).await?
        };
        let lines = if setup.through_lines {
            Some(Lines::to(servers).await?)
        } else {
            None
        };
        let (postgres_port, redis_port) = match &lines {
            Some(lines) => (lines.postgres.port(), lines.redis.port()),
            None => (servers.postgres_port, servers.redis_port),
        };
        Ok(Self {
            database: Database::Postgres(servers.postgres_url(&name)),
            postgres: Some(postgres_url(postgres_port, &name)),
            redis: Some(redis_url(redis_port, Servers::fresh_number())),
            lines,
        })
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

/// A SQLite file with the demo retailer.
async fn demo_file() -> Result<&'static PathBuf> {
    static DEMO: OnceCell<PathBuf> = OnceCell::const_new();
    DEMO.get_or_try_init(|| async {
        let aisle = Box::pin(Setup::empty(Pair::Embedded).start()).await?;
        demo::load(&aisle).await?;
        // Beside the build, and replaced at once: other test processes may be reading it.
        let copy = target_dir().join(format!("e2e-demo-{}.db", std::process::id()));
        aisle
            .database
            .rows(&format!("VACUUM INTO '{}'", copy.display()))
            .await?;
        let file = target_dir().join("e2e-demo.db");
        std::fs::rename(copy, &file)?;
        Ok(file)
    })
    .await
}

/// The name of a new PostgreSQL database with the demo retailer.
async fn copy_of_demo(servers: &Servers) -> Result<String> {
    static DEMO: OnceCell<String> = OnceCell::const_new();
    let demo = DEMO.get_or_try_init(|| async {
        let aisle = Box::pin(Setup::empty(Pair::Servers).start()).await?;
        demo::load(&aisle).await?;
        let row = aisle
            .database
            .rows("SELECT current_database()")
            .await?
            .remove(0);
        aisle.shutdown().await;
        row.into_iter()
            .next()
            .flatten()
            .context("a database has a name")
    });
    let (demo, name) = (demo.await?, fresh_name());
    let maintenance = Database::Postgres(servers.postgres_url("postgres"));
    // A template must have no sessions; those of a stopped edge may linger a moment.
    let end =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{demo}'");
    maintenance.rows(&end).await?;
    maintenance
        .rows(&format!("CREATE DATABASE {name} TEMPLATE {demo}"))
        .await?;
    Ok(name)
}

/// The name of a new PostgreSQL database with the schema and nothing else.
async fn migrated(servers: &Servers) -> Result<String> {
    let name = fresh_name();
    let maintenance = Database::Postgres(servers.postgres_url("postgres"));
    maintenance.rows(&format!("CREATE DATABASE {name}")).await?;
    Migrations::for_postgres(&manifest()?)?
        .migrate_postgres(&servers.postgres_url(&name))
        .await?;
    Ok(name)
}

fn fresh_name() -> String {
    format!("aisle_{}", Servers::fresh_number())
}
