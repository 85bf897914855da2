//! Commands and their flags.

mod client;
mod demo;
mod fill;
mod import;
mod keys;
mod parts;
mod progress;
mod up;

use std::path::PathBuf;

use aisle_edge::migrate::{Migrated, Migrations};
use anyhow::ensure;
use clap::{Parser, Subcommand};

/// Runs Aisle on this machine, for development.
#[derive(Debug, Parser)]
#[command(version, name = "aisle-edge")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The app's manifest.
    #[arg(long, global = true, default_value = "spin.toml")]
    manifest: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Builds the components, prepares the database, and serves the app.
    Up(up::Flags),
    /// Brings a database to the newest schema. Running it again changes nothing.
    Migrate(MigrateFlags),
    /// Loads the demo retailer into a running app.
    Demo(demo::Flags),
    /// Makes a large retailer, to see how the app does then.
    Fill(fill::Flags),
    /// Sends CSV files of products, locations, stock or lanes to a running edge.
    Import(import::Flags),
}

#[derive(Debug, clap::Args)]
struct MigrateFlags {
    /// URL of a PostgreSQL database.
    #[arg(long)]
    postgres: Option<String>,
    /// Path of a SQLite file.
    #[arg(long)]
    sqlite: Option<PathBuf>,
}

/// Runs a command to its end.
///
/// # Errors
/// In words for the person at the terminal.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let Arguments { command, manifest } = arguments;
    runtime.block_on(async {
        match command {
            Command::Up(flags) => up::run(manifest, flags).await,
            Command::Migrate(flags) => migrate(manifest, flags).await,
            Command::Demo(flags) => demo::run(&manifest, &flags).await,
            Command::Fill(flags) => fill::run(manifest, flags).await,
            Command::Import(flags) => import::run(flags).await,
        }
    })
}

async fn migrate(manifest: PathBuf, flags: MigrateFlags) -> anyhow::Result<()> {
    ensure!(
        flags.postgres.is_some() || flags.sqlite.is_some(),
        "say which database: --postgres URL or --sqlite FILE"
    );
    if let Some(path) = flags.sqlite {
        report(
            "SQLite",
            &Migrations::for_sqlite(&manifest)?.migrate_sqlite(&path)?,
        );
    }
    if let Some(url) = flags.postgres {
        report(
            "PostgreSQL",
            &Migrations::for_postgres(&manifest)?
                .migrate_postgres(&url)
                .await?,
        );
    }
    Ok(())
}

fn report(database: &str, migrated: &Migrated) {
    for file in &migrated.applied {
        println!("{database}: applied {file}");
    }
    println!("{database}: the schema is at version {}", migrated.version);
}
