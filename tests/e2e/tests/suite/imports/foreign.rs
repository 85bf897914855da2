//! Files as merchants and other systems have them.

use aisle_e2e::json::Look;
use aisle_e2e::{Environment, Pair};
use anyhow::Result;
use serde_json::{Value, json};

use super::{product, samples};

/// Whatever is odd about a row, what it sells can be put into a cart, and the report says
/// what was odd.
pub async fn all_that_has_a_price_can_be_bought(pair: Pair) -> Result<()> {
    let aisle = samples::corner_shop(pair).await?;
    let report = import(&aisle, "products", samples::UNTIDY_PRODUCTS).await?;
    assert_eq!(
        (report.number("/rows"), report.number("/refused")),
        (4, 0),
        "{report:#}"
    );
    let warned = report.list("/warnings").iter();
    let mut warned: Vec<_> = warned
        .map(|one| (one.number("/line"), one.text("/column")))
        .collect();
    warned.sort_unstable();
    assert_eq!(
        warned,
        [
            (3, "Variant Barcode"),
            (4, "Variant Barcode"),
            (4, "Variant SKU"),
            (5, "Variant Barcode"),
            (5, "Variant SKU"),
            (6, "Variant Barcode"),
            (6, "Variant SKU"),
        ]
    );
    let counted = import(&aisle, "stock", samples::INVENTORY).await?;
    samples::expect_errors(&counted, &[(5, "location_code")]);
    aisle.drain_outbox().await?;

    let shopper = aisle.client("corner.localhost");
    let ring = product(&shopper, "ring").await?;
    let html = ring.at("/product/description").to_string();
    assert!(html.contains("Wash at 30 degrees"), "{html}");
    assert_eq!(
        ring.text("/product/media/0/url"),
        "https://cdn.example/a.jpg"
    );
    let sold = sold(&aisle).await?;
    assert_eq!(sold, ["RING 3", "RING_7 5", "RING_8 -", "RING_other 6"]);
    for sku in ["RING", "RING_7", "RING_8", "RING_other"] {
        let found = shopper
            .post("/catalog/lookup")
            .json(&json!({"ids": [sku]}))
            .expect(200)
            .await?
            .json();
        let variant = found.at("/products/0/variants/0");
        let listed = variant.get("list_price").is_some();
        assert_eq!(listed, sku == "RING_8", "{sku}: {variant:#}");
        let line = json!({"line_items": [{"item": {"id": variant.text("/id")}, "quantity": 1}]});
        shopper.post("/carts").json(&line).expect(201).await?;
    }
    nothing_new(&aisle, "products", samples::UNTIDY_PRODUCTS).await?;
    nothing_new(&aisle, "stock", samples::INVENTORY).await?;
    aisle.database.check_invariants().await
}

/// WooCommerce's and Google Merchant's files are known by their headers.
pub async fn files_of_other_systems_go_in(pair: Pair) -> Result<()> {
    let aisle = samples::corner_shop(pair).await?;
    let woo = import(&aisle, "products", samples::WOOCOMMERCE).await?;
    assert_eq!(
        (woo.number("/created"), woo.number("/refused")),
        (2, 0),
        "{woo:#}"
    );
    let merchant = import(&aisle, "products", samples::MERCHANT).await?;
    samples::expect_errors(&merchant, &[(4, "price")]);
    assert_eq!(merchant["created"], 1, "{merchant:#}");
    aisle.drain_outbox().await?;

    let shopper = aisle.client("corner.localhost");
    let tee = product(&shopper, "tee").await?;
    let sizes: Vec<&str> = (tee.list("/product/options/0/values").iter())
        .map(|value| value.text("/label"))
        .collect();
    assert_eq!(sizes, ["S", "M"]);
    let cap = product(&shopper, "cap").await?;
    assert_eq!(cap.number("/product/variants/0/price/amount"), 900);
    assert_eq!(cap.number("/product/variants/0/list_price/amount"), 1_200);
    let mug = product(&shopper, "mug").await?;
    assert_eq!(
        (
            mug.text("/product/title"),
            mug.text("/product/options/0/name")
        ),
        ("Mug", "Color")
    );
    nothing_new(&aisle, "products", samples::WOOCOMMERCE).await?;
    nothing_new(&aisle, "products", samples::MERCHANT).await
}

/// A file of SKUs and prices changes prices, and the full file puts them back.
pub async fn only_the_columns_that_are_there_change(pair: Pair) -> Result<()> {
    let aisle = samples::corner_shop(pair).await?;
    import(&aisle, "products", samples::SHOPIFY_EXPORT).await?;
    let prices = "SKU;Price\nLS-SAND-M;61,50\nmug;13.00\nnobody;1\n";
    let report = import(&aisle, "products", prices).await?;
    samples::expect_errors(&report, &[(4, "Variant SKU")]);
    assert_eq!(
        (report.number("/updated"), report.number("/created")),
        (2, 0),
        "{report:#}"
    );
    aisle.drain_outbox().await?;

    let shopper = aisle.client("corner.localhost");
    let mug = product(&shopper, "mug").await?;
    assert_eq!(mug.number("/product/variants/0/price/amount"), 1_300);
    assert_eq!(mug.text("/product/title"), "Mug");
    let shirt = product(&shopper, "linen-shirt").await?;
    assert_eq!(shirt.number("/product/price_range/max/amount"), 6_150);
    assert_eq!(shirt.number("/product/price_range/min/amount"), 5_900);
    let again = import(&aisle, "products", prices).await?;
    assert_eq!(
        (again.number("/updated"), again.number("/unchanged")),
        (0, 2),
        "{again:#}"
    );
    let whole = import(&aisle, "products", samples::SHOPIFY_EXPORT).await?;
    assert_eq!(whole.number("/updated"), 2, "{whole:#}");
    Ok(())
}

/// What a dry run says is what the import then does.
pub async fn a_dry_run_tells_and_changes_nothing(pair: Pair) -> Result<()> {
    let aisle = samples::corner_shop(pair).await?;
    let lanes = "from_code,to_code,days,cut_off,transit_minutes\ncorner,nobody,daily,16:00,10\n";
    let locations = "code,name,kind,street_address,address_locality,address_region,postal_code,address_country,latitude,longitude,time_zone\n\
        l2,Second,store,1 Way,Town,NY,10001,US,40,-74,America/New_York\n";
    for (kind, csv) in [
        ("products", samples::UNTIDY_PRODUCTS),
        ("stock", samples::INVENTORY),
        ("products", "sku,price\nRING,11\n"),
        ("locations", locations),
        ("lanes", lanes),
    ] {
        let before = aisle.database.snapshot().await?;
        let path = format!("/admin/imports?kind={kind}&brand=corner&file={kind}.csv&dry_run=true");
        let mut told = aisle.admin().post(&path).csv(csv).expect(200).await?.json();
        assert_eq!(before, aisle.database.snapshot().await?, "{kind}");
        assert_eq!(
            (told["dry_run"].clone(), told.get("id")),
            (json!(true), None)
        );
        let mut done = import(&aisle, kind, csv).await?;
        for report in [&mut told, &mut done] {
            for only in ["id", "dry_run"] {
                report.as_object_mut().map(|report| report.remove(only));
            }
        }
        assert_eq!(told, done, "{kind}");
    }
    let wrong = "/admin/imports?kind=stock&brand=corner&dry_run=perhaps";
    aisle.admin().post(wrong).csv("a,b\n").expect(400).await?;
    let lacking = "/admin/imports?kind=products&brand=corner";
    let lacking = aisle
        .admin()
        .post(lacking)
        .csv("Handle,Title\na,b,c\n")
        .expect(422)
        .await?
        .json();
    assert_eq!(lacking["columns"], json!(["Variant Price"]), "{lacking:#}");
    Ok(())
}

async fn import(aisle: &Environment, kind: &str, csv: &'static str) -> Result<Value> {
    samples::import(&aisle.admin(), kind, "corner", csv).await
}

async fn nothing_new(aisle: &Environment, kind: &str, csv: &'static str) -> Result<()> {
    let report = import(aisle, kind, csv).await?;
    let counts = ["created", "updated"].map(|count| report.number(&format!("/{count}")));
    assert_eq!(counts, [0, 0], "{kind}: {report:#}");
    Ok(())
}

/// Each variant that can be bought, and how many units there are.
async fn sold(aisle: &Environment) -> Result<Vec<String>> {
    let rows = aisle
        .database
        .rows(
            "SELECT v.sku, CAST(s.on_hand AS TEXT) FROM variant v LEFT JOIN stock s ON s.sku = v.sku \
             WHERE v.active = 1 ORDER BY v.sku",
        )
        .await?;
    let text = |row: Vec<Option<String>>| {
        let mut cells = row
            .into_iter()
            .map(|cell| cell.unwrap_or_else(|| "-".into()));
        let (sku, units) = (cells.next(), cells.next());
        format!("{} {}", sku.unwrap_or_default(), units.unwrap_or_default())
    };
    Ok(rows.into_iter().map(text).collect())
}
