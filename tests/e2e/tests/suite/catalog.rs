//! Finding products: words, filters, pages, identifiers, options, and a store in mind.

use std::collections::BTreeSet;

use aisle_e2e::json::Look;
use aisle_e2e::shopping::stock;
use aisle_e2e::{Client, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::imports::samples;

/// What has the word in its title comes before what only mentions it.
pub async fn a_title_ranks_before_a_body(pair: Pair) -> Result<()> {
    let aisle = samples::corner_shop(pair).await?;
    samples::import(
        &aisle.admin(),
        "products",
        "corner",
        samples::PRODUCTS_THAT_MENTION_EACH_OTHER,
    )
    .await?;
    aisle.drain_outbox().await?;
    let shopper = aisle.client("corner.localhost");
    for (query, expected) in [
        ("wool", vec!["wool-socks", "tent"]),
        ("TENT", vec!["tent", "wool-socks"]),
        ("sock", vec!["wool-socks"]),
        ("warm socks", vec!["wool-socks"]),
        ("cafe", vec!["wool-socks"]),
        ("nothing-of-the-kind", vec![]),
    ] {
        let found = search(&shopper, json!({"query": query})).await?;
        let handles: Vec<&str> = found
            .list("/products")
            .iter()
            .map(|product| product.text("/handle"))
            .collect();
        assert_eq!(handles, expected, "{query}");
    }
    Ok(())
}

/// What people type is text, whatever the database's query language makes of it.
pub async fn any_text_can_be_searched_for(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    for query in [
        "\"",
        "a AND",
        "NOT",
        "title:x",
        "x*",
        "(",
        "a & b | !c:*",
        "'; --",
        "NEAR(a b)",
        "日本",
        "\u{1}",
        "-",
        "a\\",
    ] {
        search(&shopper, json!({"query": query})).await?;
    }
    Ok(())
}

pub async fn pages_lead_through_everything_once(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let everything = aisle.database.number(
        "SELECT count(*) FROM product p JOIN brand b ON b.id = p.brand_id WHERE b.handle = 'north' AND p.published = 1",
    );
    let everything = usize::try_from(everything.await?)?;
    let mut seen = BTreeSet::new();
    let mut page = json!({"limit": 7});
    for _ in 0..everything.div_ceil(7) {
        let found = search(&shopper, json!({"query": "*", "pagination": page})).await?;
        for product in found.list("/products") {
            assert!(
                seen.insert(product.text("/id").to_owned()),
                "twice: {product:#}"
            );
        }
        if found.at("/pagination/has_next_page") == false {
            break;
        }
        page["cursor"] = found.at("/pagination/cursor").clone();
    }
    assert_eq!(seen.len(), everything);
    Ok(())
}

pub async fn filters_hold_for_every_product_found(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let (min, max) = (3_000, 9_000);
    let found = search(
        &shopper,
        json!({"filters": {"price": {"min": min, "max": max}}}),
    )
    .await?;
    let products = found.list("/products");
    assert!(!products.is_empty());
    for product in products {
        let price = |end: &str| product.number(&format!("/price_range/{end}/amount"));
        assert!(price("max") >= min && price("min") <= max, "{product:#}");
    }
    let everything = search(&shopper, json!({"query": "*"})).await?;
    let category = everything.at("/products/0/categories/0/value");
    let found = search(&shopper, json!({"filters": {"categories": [category]}})).await?;
    assert!(!found.list("/products").is_empty());
    for product in found.list("/products") {
        assert!(
            product
                .list("/categories")
                .iter()
                .any(|own| own["value"] == *category),
            "{product:#}"
        );
    }
    let none = search(
        &shopper,
        json!({"query": "*", "filters": {"price": {"min": 99_999_999}}}),
    )
    .await?;
    assert_eq!(none["products"], json!([]));
    Ok(())
}

/// One batch with ids of every kind; what is unknown is left out, and said.
pub async fn a_batch_takes_every_kind_of_identifier(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let rows = aisle.database.rows(
        "SELECT p.id, p.handle, v.id, v.sku, v.gtin FROM product p JOIN brand b ON b.id = p.brand_id \
         JOIN variant v ON v.product_id = p.id WHERE b.handle = 'north' AND p.published = 1 AND v.position = 0 AND v.gtin IS NOT NULL ORDER BY p.id LIMIT 5",
    );
    let rows = rows.await?;
    let cell = |row: usize, column: usize| rows[row][column].clone().unwrap_or_default();
    let ids: Vec<String> = (0..5).map(|kind| cell(kind, kind)).collect();
    let asked: Vec<&str> = ids
        .iter()
        .map(String::as_str)
        .chain(["NO-SUCH-THING"])
        .collect();
    let found = aisle
        .north()
        .post("/catalog/lookup")
        .json(&json!({"ids": asked}))
        .expect(200)
        .await?
        .json();
    assert_eq!(found.list("/products").len(), 5, "{found:#}");
    for (row, id) in ids.iter().enumerate() {
        let product = found
            .list("/products")
            .iter()
            .find(|product| product.text("/id") == cell(row, 0));
        let variants = product.context("a product is missing")?.list("/variants");
        let matched = variants.iter().any(|variant| {
            variant
                .list("/inputs")
                .iter()
                .any(|input| input.text("/id") == id)
        });
        assert!(matched, "{id} led to no variant: {variants:#?}");
    }
    assert_eq!(found.at("/messages/0/code"), "not_found");
    assert_eq!(found.list("/messages").len(), 1);
    Ok(())
}

/// What is chosen narrows the variants, and the options say what is left to choose.
pub async fn options_are_selected_one_by_one(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let everything = search(&shopper, json!({"query": "*", "pagination": {"limit": 50}})).await?;
    let with_two = |product: &&Value| {
        product["options"]
            .as_array()
            .is_some_and(|options| options.len() >= 2)
    };
    let product = everything
        .list("/products")
        .iter()
        .find(with_two)
        .context("no product with two options")?;
    let option = product.text("/options/0/name");
    for value in product.list("/options/0/values") {
        let selected = json!([{"name": option, "label": value["label"]}]);
        let detail = json!({"id": product["id"], "selected": selected});
        let detail = shopper
            .post("/catalog/product")
            .json(&detail)
            .expect(200)
            .await?
            .json();
        assert!(
            detail.list("/product/selected").contains(&selected[0]),
            "{detail:#}"
        );
        for variant in detail.list("/product/variants") {
            assert!(
                variant.list("/options").contains(&selected[0]),
                "{variant:#}"
            );
        }
        let signals = detail.list("/product/options/1/values").iter();
        assert!(
            signals
                .clone()
                .all(|value| value["exists"].is_boolean() && value["available"].is_boolean())
        );
        assert!(signals.clone().any(|value| value["exists"] == true));
    }
    Ok(())
}

/// With a store in the context, a variant says whether it can be collected there.
pub async fn a_store_in_mind_shows_what_it_has(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let stores = shopper
        .post("/locations/search")
        .json(&json!({}))
        .expect(200)
        .await?
        .json();
    let store = stores.text("/locations/0/id");
    let asked = json!({"query": "*", "context": {"location": store}});
    let found = search(&shopper, asked).await?;
    let (mut there, mut elsewhere) = (0, 0);
    for product in found.list("/products") {
        let variant = product.at("/variants/0");
        let methods = variant.list("/fulfillment/methods").iter();
        let pickup = methods
            .clone()
            .find(|method| method["type"] == "pickup")
            .context("no pickup")?;
        assert_eq!(pickup["location"], store);
        let levels = stock(&shopper, variant.text("/sku"), "").await?;
        let has_it = levels
            .iter()
            .any(|(id, available)| id == store && *available > 0);
        assert_eq!(pickup.at("/availability/available"), has_it, "{variant:#}");
        *(if has_it { &mut there } else { &mut elsewhere }) += 1;
    }
    assert!(
        there > 0,
        "the demo's stores have something ({elsewhere} elsewhere)"
    );
    Ok(())
}

async fn search(shopper: &Client, request: Value) -> Result<Value> {
    Ok(shopper
        .post("/catalog/search")
        .json(&request)
        .expect(200)
        .await?
        .json())
}
