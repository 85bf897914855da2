//! The tour of the README: from looking for something to reading one's order.

use aisle_e2e::environment::{HARBOR, HARBOR_COUNTRY, NORTH, NORTH_COUNTRY};
use aisle_e2e::json::{Look, message, total};
use aisle_e2e::shopping::{
    self, complete, items, line, order_id, shipping_checkout, stock, update_of,
};
use aisle_e2e::{Client, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Words to a product, options to a variant, places to a store, cart to an order.
pub async fn from_a_search_to_collecting_at_a_store(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];

    let search = json!({"query": wanted.title});
    let found = shopper
        .post("/catalog/search")
        .json(&search)
        .expect(200)
        .await?
        .json();
    assert_eq!(
        found.text("/products/0/title"),
        wanted.title,
        "the title itself ranks first"
    );

    let detail = json!({"id": found.at("/products/0/id")});
    let product = shopper
        .post("/catalog/product")
        .json(&detail)
        .expect(200)
        .await?
        .json();
    let selected = product.list("/product/selected");
    assert_eq!(
        selected.len(),
        product.list("/product/options").len(),
        "every option has its proposal"
    );
    let variant = product.at("/product/variants/0");

    let (store, available) = nearest_store_with(&shopper, variant).await?;
    let shown = stock(&shopper, variant.text("/sku"), "").await?;
    assert!(
        shown.contains(&(store.text("/id").into(), available)),
        "{shown:?} has not {available} at {store}"
    );

    let cart = json!({"line_items": [line(variant.text("/id"), 1)]});
    let cart = shopper.post("/carts").json(&cart).expect(201).await?.json();
    assert_eq!(
        total(&cart, "subtotal"),
        Some(variant.number("/price/amount"))
    );

    let converted = json!({"cart_id": cart["id"], "line_items": cart["line_items"], "buyer": shopping::buyer()});
    let session = shopper
        .post("/checkout-sessions")
        .json(&converted)
        .expect(201)
        .await?
        .json();
    let again = shopper
        .post("/checkout-sessions")
        .json(&converted)
        .send()
        .await?;
    assert_eq!(again.json()["id"], session["id"], "a cart has one checkout");

    let ready = collect_at(&shopper, &session, store.text("/id")).await?;
    assert_eq!(ready["status"], "ready_for_complete", "{ready:#}");
    let completed = complete(&shopper, &ready).await?.json();
    let order = shopper
        .get(&format!("/orders/{}", order_id(&completed)))
        .expect(200)
        .await?
        .json();
    assert_eq!(order["checkout_id"], session["id"]);
    assert_eq!(order.text("/line_items/0/item/id"), variant.text("/id"));
    assert_eq!(total(&order, "total"), total(&completed, "total"));
    assert_eq!(order["currency"], completed["currency"]);

    shopping::until_available(
        &shopper,
        variant.text("/sku"),
        store.text("/id"),
        available - 1,
    )
    .await?;
    aisle.database.check_invariants().await
}

/// The first store within 20,000 km that can provide the variant now, and how many it has.
async fn nearest_store_with(shopper: &Client, variant: &Value) -> Result<(Value, i64)> {
    let all = shopper
        .post("/locations/search")
        .json(&json!({}))
        .expect(200)
        .await?
        .json();
    let here = all.at("/locations/0/geo");
    let search = json!({
        "distance": {"center": here, "max": 20_000_000},
        "filters": {"items": [variant["id"]]},
    });
    let found = shopper
        .post("/locations/search")
        .json(&search)
        .expect(200)
        .await?
        .json();
    let near = format!("?near={},{}", here["latitude"], here["longitude"]);
    let shown = stock(shopper, variant.text("/sku"), &near).await?;
    let has = |store: &Value| {
        shown
            .iter()
            .find(|(id, available)| *id == store.text("/id") && *available > 0)
    };
    let stores = found.list("/locations");
    assert!(
        stores.iter().all(|store| has(store).is_some()),
        "{found:#} but {shown:?}"
    );
    let mut stores = stores
        .iter()
        .filter(|store| store["services"]["pickup"] != false);
    let store = stores.next().context("no store has it")?;
    Ok((store.clone(), has(store).context("no stock")?.1))
}

async fn collect_at(shopper: &Client, session: &Value, store_id: &str) -> Result<Value> {
    let mut update = update_of(session);
    update["fulfillment"] = shopping::pickup_at(store_id);
    let path = format!("/checkout-sessions/{}", session.text("/id"));
    let updated = shopper.put(&path).json(&update).expect(200).await?.json();
    let stores = updated.list("/fulfillment/methods/0/destinations");
    let chosen = stores
        .iter()
        .find(|store| store["id"] == store_id)
        .context("the store is not offered")?;
    assert!(
        chosen["ready_at"].is_string() && chosen["pickup_by"].is_string(),
        "a promise is two instants: {chosen:#}"
    );
    shopping::choose_first_options(shopper, updated).await
}

/// A parcel costs what its option says, and tax is added or included as the brand has it.
pub async fn shipping_with_tax_added_and_included(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let mut seen = Vec::new();
    for (host, country) in [(NORTH, NORTH_COUNTRY), (HARBOR, HARBOR_COUNTRY)] {
        let shopper = aisle.client(host);
        let wanted = &items(&shopper, 1).await?[0];
        let brand = aisle.database.rows(&format!("SELECT b.doc FROM brand b JOIN brand_host h ON h.brand_id = b.id WHERE h.host = '{host}'")).await?;
        let brand: Value = serde_json::from_str(brand[0][0].as_deref().context("no brand")?)?;
        let ready = shipping_checkout(&shopper, &[line(&wanted.id, 2)], country).await?;
        assert_eq!(ready["status"], "ready_for_complete", "{ready:#}");

        let amount = |kind| total(&ready, kind).unwrap_or(0);
        let included = brand["prices_include_tax"] == true;
        let tax_on_top = if included { 0 } else { amount("tax") };
        assert_eq!(amount("subtotal"), 2 * wanted.price_minor);
        assert_eq!(
            amount("subtotal") + amount("fulfillment") + tax_on_top,
            amount("total"),
            "{ready:#}"
        );
        let option = ready.at("/fulfillment/methods/0/groups/0/selected_option_id");
        let options = ready.list("/fulfillment/methods/0/groups/0/options");
        let option = options
            .iter()
            .find(|offered| offered["id"] == *option)
            .context("no option is selected")?;
        assert_eq!(total(option, "total"), Some(amount("fulfillment")));

        let completed = complete(&shopper, &ready).await?.json();
        let order = shopper
            .get(&format!("/orders/{}", order_id(&completed)))
            .expect(200)
            .await?
            .json();
        assert_eq!(total(&order, "total"), Some(amount("total")));
        seen.push(included);
    }
    seen.sort_unstable();
    assert_eq!(seen, [false, true], "the demo has a brand of each kind");
    aisle.database.check_invariants().await
}

/// A declined payment leaves no order and gives the stock back.
pub async fn a_declined_payment_releases_the_stock(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let ready = shipping_checkout(&shopper, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let reserved = "SELECT coalesce(sum(reserved), 0) FROM stock";
    let before = aisle.database.number(reserved).await?;

    let path = format!("/checkout-sessions/{}/complete", ready.text("/id"));
    let declined = shopper
        .post(&path)
        .json(&shopping::payment_with(&ready, shopping::TOKEN_FAIL))
        .expect(200)
        .await?
        .json();
    assert!(
        message(&declined, "payment_failed").is_some(),
        "{declined:#}"
    );
    assert!(
        declined.get("order").is_none_or(Value::is_null),
        "{declined:#}"
    );
    assert_eq!(aisle.database.number(reserved).await?, before);

    let completed = complete(&shopper, &ready).await?.json();
    order_id(&completed);
    aisle.database.check_invariants().await
}
