//! The schema and the programs that stand on it.

use aisle_e2e::components::manifest;
use aisle_e2e::{Database, Pair, Setup};
use aisle_edge::migrate::{Migrated, Migrations};
use anyhow::Result;

const NEWER: &str = "INSERT INTO schema_version (version, name) VALUES (9999, 'from the future')";

pub async fn migrating_again_changes_nothing(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let before = aisle.database.snapshot().await?;
    let migrated = migrate(&aisle.database).await?;
    assert_eq!(migrated.applied, Vec::<String>::new());
    assert_eq!(migrated.version, aisle_store::SCHEMA_VERSION);
    assert_eq!(aisle.database.snapshot().await?, before);
    aisle.north().get("/healthz").expect(200).await?;
    Ok(())
}

/// Spin replays the files at every start, without looking at versions.
pub async fn replaying_the_files_changes_nothing(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let before = aisle.database.snapshot().await?;
    aisle.database.rows("DELETE FROM schema_version").await?;
    assert!(!migrate(&aisle.database).await?.applied.is_empty());
    assert_eq!(aisle.database.snapshot().await?, before);
    Ok(())
}

/// Whoever is older than the database must not touch it.
pub async fn a_newer_schema_is_refused(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    aisle.database.rows(NEWER).await?;
    let before = aisle.database.snapshot().await?;
    let shopper = aisle.north();
    let search = serde_json::json!({"query": "*"});
    for answer in [
        shopper.post("/catalog/search").json(&search).send().await?,
        shopper
            .post("/carts")
            .json(&serde_json::json!({"line_items": []}))
            .send()
            .await?,
        shopper
            .get("/orders/0190b3f4-0000-7000-8000-000000000000")
            .send()
            .await?,
        aisle
            .admin()
            .post("/admin/imports?kind=stock&brand=north")
            .csv("sku,location_code,on_hand\n")
            .send()
            .await?,
        shopper.get("/healthz").send().await?,
    ] {
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    assert_eq!(aisle.database.snapshot().await?, before);

    let refused = migrate(&aisle.database)
        .await
        .expect_err("an older program must refuse");
    assert!(format!("{refused:#}").contains("9999"), "{refused:#}");
    Ok(())
}

async fn migrate(database: &Database) -> Result<Migrated> {
    let manifest = manifest()?;
    match database {
        Database::Sqlite(file) => Migrations::for_sqlite(&manifest)?.migrate_sqlite(file),
        Database::Postgres(url) => {
            Migrations::for_postgres(&manifest)?
                .migrate_postgres(url)
                .await
        }
    }
}
