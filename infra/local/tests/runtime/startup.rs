//! What a person is told when something is wrong before the first request.

use std::path::Path;

use aisle_edge::migrate::Migrations;
use aisle_edge::{Edge, EdgeOptions};
use tempfile::TempDir;

use crate::harness::{Probe, options};

const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "wrong"
[[trigger.http]]
route = "/..."
component = "one"
[component.one]
source = "one.wasm"
[component.one.build]
command = "cargo build --release --target wasm32-wasip2 -p one"
"#;

/// Why an edge does not start on `manifest`.
async fn refusal(manifest: &str) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, manifest).unwrap();
    refusal_of(EdgeOptions {
        state_dir: folder.path().join("state"),
        ..EdgeOptions::new(path)
    })
    .await
}

async fn refusal_of(options: EdgeOptions) -> String {
    match Edge::start(options).await {
        Ok(_) => panic!("it started"),
        Err(error) => format!("{error:#}"),
    }
}

fn assert_names(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_component_names_its_build_command() {
    let message = refusal(MANIFEST).await;
    assert_names(
        &message,
        &[
            "`one`",
            "one.wasm",
            "cargo build --release --target wasm32-wasip2 -p one",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_is_named() {
    let message = refusal(&format!("{MANIFEST}\n[component.one.tool]\n")).await;
    assert_names(&message, &["tool", "spin.toml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_to_nowhere_is_named() {
    let message = refusal(&MANIFEST.replace("component = \"one\"", "component = \"two\"")).await;
    assert_names(&message, &["two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_component_is_named() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("spin.toml"), MANIFEST).unwrap();
    std::fs::write(folder.path().join("one.wasm"), "no wasm").unwrap();
    let manifest = folder.path().join("spin.toml");
    let state_dir = folder.path().join("state");
    let message = refusal_of(EdgeOptions {
        state_dir,
        ..EdgeOptions::new(manifest)
    })
    .await;
    assert_names(&message, &["`one`", "not a WebAssembly component"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_variable_without_a_value_is_named() {
    let state = TempDir::new().unwrap();
    let mut options = options(&state);
    options.variables.clear();
    assert_names(
        &refusal_of(options).await,
        &["token", "SPIN_VARIABLE_TOKEN"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_says_what_to_do() {
    let probe = Probe::start().await;
    let state = TempDir::new().unwrap();
    let mut options = options(&state);
    options.listen = probe.edge.addr();
    assert_names(&refusal_of(options).await, &["in use", "--listen"]);
}

fn with_migrations(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, sql) in files {
        let path = folder.path().join("infra/migrations").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, sql).unwrap();
    }
    folder
}

fn migrations(folder: &TempDir) -> Migrations {
    Migrations::for_sqlite(&folder.path().join("spin.toml")).unwrap()
}

const FIRST: &str = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY);
INSERT INTO schema_version VALUES (1) ON CONFLICT DO NOTHING;";
const SECOND: &str = "CREATE TABLE IF NOT EXISTS thing (id TEXT);
INSERT INTO schema_version VALUES (2) ON CONFLICT DO NOTHING;";

#[test]
fn migrations_run_once_in_order_and_refuse_a_newer_schema() {
    let folder = with_migrations(&[
        ("common/0001_first.sql", FIRST),
        ("sqlite/0002_second.sql", SECOND),
    ]);
    let database = folder.path().join("test.db");
    let first = migrations(&folder).migrate_sqlite(&database).unwrap();
    assert_eq!((first.version, first.applied.len()), (2, 2));
    let again = migrations(&folder).migrate_sqlite(&database).unwrap();
    assert_eq!((again.version, again.applied.len()), (2, 0));

    let older = with_migrations(&[("common/0001_first.sql", FIRST)]);
    let refused = migrations(&older).migrate_sqlite(&database).unwrap_err();
    assert_names(&refused.to_string(), &["version 2", "too old"]);
}

#[test]
fn a_failed_migration_leaves_nothing() {
    let broken = "CREATE TABLE half (id TEXT); THIS IS NO SQL;";
    let folder = with_migrations(&[
        ("common/0001_first.sql", FIRST),
        ("sqlite/0002_broken.sql", broken),
    ]);
    let database = folder.path().join("test.db");
    let failed = migrations(&folder).migrate_sqlite(&database).unwrap_err();
    assert_names(&format!("{failed:#}"), &["0002_broken.sql"]);
    assert!(table_names(&database).is_empty());
}

fn table_names(database: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(database).unwrap();
    let mut query = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .unwrap();
    query
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}
