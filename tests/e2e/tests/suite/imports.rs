//! Files that retailers have, good and bad.

mod foreign;
pub mod samples;

pub use foreign::{
    a_dry_run_tells_and_changes_nothing, all_that_has_a_price_can_be_bought,
    files_of_other_systems_go_in, only_the_columns_that_are_there_change,
};

use aisle_e2e::components::root;
use aisle_e2e::json::Look;
use aisle_e2e::{Client, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// A file may be sent again and again.
pub async fn the_same_file_twice_changes_nothing(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let mut before = aisle.database.snapshot().await?;
    for brand in ["north", "harbor"] {
        for kind in ["locations", "products", "stock", "lanes"] {
            let file = root().join(format!("infra/demo/{brand}/{kind}.csv"));
            if file.is_file() {
                let report =
                    samples::import(&aisle.admin(), kind, brand, std::fs::read(&file)?).await?;
                let counts = ["created", "updated", "refused"]
                    .map(|count| report.number(&format!("/{count}")));
                assert_eq!(counts, [0, 0, 0], "{brand} {kind}: {report:#}");
                assert!(report.number("/unchanged") > 0, "{report:#}");
            }
        }
    }
    let mut after = aisle.database.snapshot().await?;
    // That the file came is on record.
    for snapshot in [&mut before, &mut after] {
        snapshot.remove("import_run");
    }
    assert_eq!(before, after);
    aisle.database.check_invariants().await
}

/// The demo retailer is what the project promises.
pub async fn the_demo_retailer_is_complete(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    for (sql, at_least) in [
        ("SELECT count(*) FROM brand", 2),
        ("SELECT count(*) FROM product", 40),
        ("SELECT count(*) FROM variant WHERE gtin IS NOT NULL", 120),
        (
            "SELECT count(*) FROM location WHERE doc LIKE '%\"kind\":\"store\"%'",
            12,
        ),
        (
            "SELECT count(*) FROM location WHERE doc LIKE '%\"visible\":false%'",
            1,
        ),
        ("SELECT count(DISTINCT on_hand) FROM stock", 5),
    ] {
        let count = aisle.database.number(sql).await?;
        assert!(count >= at_least, "{count} instead of {at_least}: {sql}");
    }
    let shown = aisle
        .north()
        .post("/locations/search")
        .json(&json!({"pagination": {"limit": 50}}))
        .expect(200)
        .await?
        .json();
    let hidden = aisle
        .database
        .rows("SELECT id FROM location WHERE doc LIKE '%\"visible\":false%'")
        .await?;
    for row in hidden {
        let id = row[0].as_deref().context("no id")?;
        assert!(
            !shown.to_string().contains(id),
            "shoppers must not see the warehouse"
        );
    }
    aisle.database.check_invariants().await
}

/// A bad row costs itself only, and says where it is and why.
pub async fn bad_rows_are_reported_and_the_rest_goes_in(pair: Pair) -> Result<()> {
    let aisle = samples::corner_shop(pair).await?;
    let admin = aisle.admin();

    let report = samples::import(
        &admin,
        "products",
        "corner",
        samples::PRODUCTS_WITH_BAD_ROWS,
    )
    .await?;
    assert_eq!(report["file"], "products.csv");
    samples::expect_errors(&report, &[(3, "Variant Price"), (6, "Title")]);
    let warning = report.at("/warnings/0");
    assert_eq!(
        (warning.number("/line"), warning.text("/column")),
        (5, "Variant Barcode")
    );
    let skus = aisle
        .database
        .rows("SELECT sku FROM variant WHERE sku LIKE 'BAD-%' OR sku LIKE 'GOOD-%' ORDER BY sku")
        .await?;
    let skus: Vec<&str> = skus.iter().filter_map(|row| row[0].as_deref()).collect();
    assert_eq!(skus, ["GOOD-1", "GOOD-2", "GOOD-3"]);

    let report = samples::import(
        &admin,
        "locations",
        "corner",
        samples::LOCATIONS_WITH_BAD_ROWS,
    )
    .await?;
    samples::expect_errors(
        &report,
        &[(2, "latitude"), (3, "time_zone"), (4, "hours_mon")],
    );
    assert_eq!(report["created"], 1, "{report:#}");

    let report = samples::import(&admin, "stock", "corner", samples::STOCK_WITH_BAD_ROWS).await?;
    samples::expect_errors(
        &report,
        &[
            (2, "on_hand"),
            (3, "sku"),
            (4, "location_code"),
            (5, "gtin"),
        ],
    );
    assert_eq!(report["created"], 1, "{report:#}");
    aisle.database.check_invariants().await
}

/// Shopify's exports as they are: several options, rows that continue a product, HTML,
/// missing SKUs, quotes and line breaks inside cells, a byte order mark.
pub async fn shopify_exports_go_in_as_they_are(pair: Pair) -> Result<()> {
    let aisle = samples::corner_shop(pair).await?;
    let report = samples::import(
        &aisle.admin(),
        "products",
        "corner",
        samples::SHOPIFY_EXPORT,
    )
    .await?;
    assert_eq!(report["refused"], 0, "{report:#}");
    aisle.drain_outbox().await?;
    let shopper = aisle.client("corner.localhost");

    let shirt = product(&shopper, "linen-shirt").await?;
    assert_eq!(shirt.text("/product/title"), "Linen \"Sunday\" Shirt");
    let options: Vec<&str> = shirt
        .list("/product/options")
        .iter()
        .map(|option| option.text("/name"))
        .collect();
    assert_eq!(options, ["Color", "Size"]);
    assert_eq!(shirt.list("/product/media").len(), 2);
    let all = aisle.database.number("SELECT count(*) FROM variant v JOIN product p ON p.id = v.product_id WHERE p.handle = 'linen-shirt'").await?;
    assert_eq!(all, 3);
    let description = shirt.at("/product/description").to_string();
    assert!(
        description.contains("washed linen") && !description.contains("<script"),
        "{description}"
    );

    let mug = product(&shopper, "mug").await?;
    assert!(
        mug["product"]["options"]
            .as_array()
            .is_none_or(Vec::is_empty),
        "a product without options: {mug:#}"
    );
    assert!(
        !mug.text("/product/variants/0/sku").is_empty(),
        "a missing SKU is made up"
    );

    let draft = shopper
        .post("/catalog/product")
        .json(&json!({"id": "secret-plan"}))
        .expect(200)
        .await?
        .json();
    assert_eq!(
        draft["messages"][0]["code"], "not_found",
        "a draft is not shown: {draft:#}"
    );
    let again = samples::import(
        &aisle.admin(),
        "products",
        "corner",
        samples::SHOPIFY_EXPORT,
    )
    .await?;
    assert_eq!(
        (&again["created"], &again["updated"]),
        (&json!(0), &json!(0)),
        "{again:#}"
    );
    Ok(())
}

/// Who takes a product out of the file and changes another sees just that.
pub async fn a_changed_file_updates_what_changed(pair: Pair) -> Result<()> {
    let aisle = samples::corner_shop(pair).await?;
    samples::import(
        &aisle.admin(),
        "products",
        "corner",
        samples::SHOPIFY_EXPORT,
    )
    .await?;
    let dearer =
        String::from_utf8_lossy(samples::SHOPIFY_EXPORT.as_bytes()).replace("12.50", "13.50");
    let report = samples::import(&aisle.admin(), "products", "corner", dearer).await?;
    assert_eq!(
        (&report["created"], &report["updated"]),
        (&json!(0), &json!(1)),
        "{report:#}"
    );
    aisle.drain_outbox().await?;
    let mug = product(&aisle.client("corner.localhost"), "mug").await?;
    assert_eq!(mug.number("/product/variants/0/price/amount"), 1350);
    Ok(())
}

/// The instance may use less memory than the file is long.
pub async fn memory_does_not_grow_with_the_file(pair: Pair) -> Result<()> {
    let _turn = crate::harness::heavy_turn().await;
    const MEMORY_MIB: usize = 24;
    let aisle = samples::corner_shop_with(Setup::empty(pair).memory_mib(MEMORY_MIB)).await?;
    let admin = aisle.admin();
    let locations = admin.post("/admin/imports?kind=locations&brand=corner&file=l.csv");
    let report = locations
        .stream("text/csv", samples::many_locations(200))
        .expect(200)
        .await?
        .json();
    assert_eq!(
        (&report["created"], &report["refused"]),
        (&json!(200), &json!(0)),
        "{report:#}"
    );

    let bytes: usize = samples::many_products(5_000, 4)
        .map(|chunk| chunk.len())
        .sum();
    assert!(
        bytes > (MEMORY_MIB << 20),
        "the file of {bytes} bytes must not fit into memory"
    );
    let products = admin.post("/admin/imports?kind=products&brand=corner&file=p.csv");
    let report = products
        .stream("text/csv", samples::many_products(5_000, 4))
        .expect(200)
        .await?
        .json();
    assert_eq!(report["refused"], 0, "{report:#}");
    assert_eq!(
        aisle
            .database
            .number("SELECT count(*) FROM variant")
            .await?,
        20_000
    );

    let stock = admin.post("/admin/imports?kind=stock&brand=corner&file=s.csv");
    let report = stock
        .stream("text/csv", samples::stock_of_many(5_000, 4, 200))
        .expect(200)
        .await?
        .json();
    assert_eq!(
        (&report["created"], &report["refused"]),
        (&json!(20_000), &json!(0)),
        "{report:#}"
    );
    assert_eq!(aisle.traps(), 0);
    aisle.database.check_invariants().await
}

async fn product(shopper: &Client, handle: &str) -> Result<Value> {
    Ok(shopper
        .post("/catalog/product")
        .json(&json!({"id": handle}))
        .expect(200)
        .await?
        .json())
}
