//! Brings a database to the schema of `infra/migrations`.
//!
//! `common/*.sql` is the portable part, `sqlite/` and `postgres/` hold what must
//! differ; together they run in the order of their numbers (`0001_name.sql`). Each
//! file enters its own number into `schema_version`, because Spin users run the
//! same files without this program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;

/// Names the advisory lock that keeps two migrations of one database apart.
const LOCK: i64 = 0x0061_6973_6c65;

/// The migrations of an app for one kind of database, by version.
#[derive(Debug)]
pub struct Migrations(BTreeMap<i64, PathBuf>);

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Version of the schema now.
    pub version: i64,
    /// Names of the files that ran.
    pub applied: Vec<String>,
}

impl Migrations {
    /// The migrations for SQLite beside the manifest, if the app has any.
    ///
    /// # Errors
    /// A file without a number, or two with the same one.
    pub fn for_sqlite(manifest: &Path) -> anyhow::Result<Self> {
        Self::read(manifest, "sqlite")
    }

    /// The migrations for PostgreSQL beside the manifest, if the app has any.
    ///
    /// # Errors
    /// A file without a number, or two with the same one.
    pub fn for_postgres(manifest: &Path) -> anyhow::Result<Self> {
        Self::read(manifest, "postgres")
    }

    fn read(manifest: &Path, dialect: &str) -> anyhow::Result<Self> {
        let root = manifest
            .parent()
            .unwrap_or(Path::new(""))
            .join("infra/migrations");
        let mut files = BTreeMap::new();
        for folder in [root.join("common"), root.join(dialect)] {
            if !folder.is_dir() {
                continue;
            }
            for entry in std::fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == "sql") {
                    let version = version_of(&path)?;
                    let other = files.insert(version, path.clone());
                    ensure!(
                        other.is_none(),
                        "two migrations have the number of {}",
                        path.display()
                    );
                }
            }
        }
        Ok(Self(files))
    }

    /// The version that the newest file leads to; 0 without files.
    pub fn newest(&self) -> i64 {
        self.0.keys().next_back().copied().unwrap_or(0)
    }

    /// Migrates the SQLite file at `path`, creating it if need be. It is left in
    /// write-ahead mode, in which readers and the writer do not wait for each other.
    ///
    /// # Errors
    /// The file cannot be opened, holds a newer schema, or a migration fails; a
    /// failed one leaves nothing behind.
    pub fn migrate_sqlite(&self, path: &Path) -> anyhow::Result<Migrated> {
        let mut connection = rusqlite::Connection::open(path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // One transaction for all of them: it is what keeps two runs apart.
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let current = sqlite_version(&transaction)?;
        self.check(current)?;
        let mut applied = Vec::new();
        for (_, file) in self.after(current) {
            let name = name_of(file);
            transaction
                .execute_batch(&std::fs::read_to_string(file)?)
                .with_context(|| format!("migration {name}"))?;
            applied.push(name);
        }
        transaction.commit()?;
        Ok(Migrated {
            version: self.newest().max(current),
            applied,
        })
    }

    /// Migrates the PostgreSQL database at `url`, each file in its own transaction.
    ///
    /// # Errors
    /// The database cannot be reached, holds a newer schema, or a migration fails; a
    /// failed one leaves nothing behind.
    pub async fn migrate_postgres(&self, url: &str) -> anyhow::Result<Migrated> {
        let mut client = connect(url).await?;
        client
            .execute("SELECT pg_advisory_lock($1)", &[&LOCK])
            .await?;
        // The lock goes with the connection, also after an error.
        let current = postgres_version(&client).await?;
        self.check(current)?;
        let mut applied = Vec::new();
        for (_, file) in self.after(current) {
            let name = name_of(file);
            let transaction = client.transaction().await?;
            transaction
                .batch_execute(&std::fs::read_to_string(file)?)
                .await
                .with_context(|| format!("migration {name}"))?;
            transaction.commit().await?;
            applied.push(name);
        }
        Ok(Migrated {
            version: self.newest().max(current),
            applied,
        })
    }

    fn after(&self, current: i64) -> impl Iterator<Item = (&i64, &PathBuf)> {
        self.0
            .iter()
            .filter(move |(version, _)| **version > current)
    }

    fn check(&self, current: i64) -> anyhow::Result<()> {
        ensure!(
            self.0.is_empty() || current <= self.newest(),
            "the database has schema version {current}, this program knows {} at most: it is too old for this database; update it, or use another database",
            self.newest()
        );
        Ok(())
    }
}

/// Connects to PostgreSQL, with TLS unless the URL says `sslmode=disable`.
///
/// # Errors
/// The URL is none, or no server answers there.
pub async fn connect(url: &str) -> anyhow::Result<tokio_postgres::Client> {
    let config: tokio_postgres::Config = url.parse().context("the PostgreSQL URL is not valid")?;
    let unreachable = "cannot connect to PostgreSQL";
    if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await.context(unreachable)?;
        // Ends with the client; what fails on it fails in the client's calls too.
        tokio::spawn(connection);
        Ok(client)
    } else {
        let (client, connection) = config
            .connect(crate::tls::connector()?)
            .await
            .context(unreachable)?;
        tokio::spawn(connection);
        Ok(client)
    }
}

fn version_of(path: &Path) -> anyhow::Result<i64> {
    let name = name_of(path);
    let number = name
        .split_once('_')
        .and_then(|(number, _)| number.parse().ok());
    number.with_context(|| {
        format!(
            "{} must begin with its number, like 0001_name.sql",
            path.display()
        )
    })
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn sqlite_version(connection: &rusqlite::Connection) -> anyhow::Result<i64> {
    let known =
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'";
    if connection.query_row(known, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(0);
    }
    let newest = "SELECT coalesce(max(version), 0) FROM schema_version";
    Ok(connection.query_row(newest, [], |row| row.get(0))?)
}

async fn postgres_version(client: &tokio_postgres::Client) -> anyhow::Result<i64> {
    let known = client
        .query_one("SELECT to_regclass('schema_version') IS NOT NULL", &[])
        .await?;
    if !known.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let newest = "SELECT coalesce(max(version), 0) FROM schema_version";
    Ok(client.query_one(newest, &[]).await?.try_get(0)?)
}
