//! Brands share stores and stock, and see nothing of each other.

use aisle_e2e::environment::NORTH_COUNTRY;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{complete, items, line, order_id, pickup_checkout, shipping_checkout};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::transfers::scene::{BERLIN, Scene};

pub async fn another_brand_does_not_know_my_cart_checkout_order_or_product(
    pair: Pair,
) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (north, harbor) = (aisle.north(), aisle.harbor());
    let wanted = &items(&north, 1).await?[0];
    let cart = north
        .post("/carts")
        .json(&json!({"line_items": [line(&wanted.id, 1)]}))
        .expect(201)
        .await?
        .json();
    let ready = shipping_checkout(&north, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let completed = complete(&north, &ready).await?.json();

    for path in [
        format!("/carts/{}", cart.text("/id")),
        format!("/checkout-sessions/{}", ready.text("/id")),
        format!("/orders/{}", order_id(&completed)),
    ] {
        north.get(&path).expect(200).await?;
        let refused = harbor.get(&path).expect(404).await?.json();
        assert_eq!(refused["ucp"]["status"], "error", "{refused:#}");
    }
    let product = harbor
        .post("/catalog/product")
        .json(&json!({"id": wanted.id}))
        .expect(200)
        .await?
        .json();
    assert_eq!(product["messages"][0]["code"], "not_found", "{product:#}");
    harbor
        .get(&format!("/stock/{}", wanted.sku))
        .expect(404)
        .await?;
    let foreign = harbor
        .post("/carts")
        .json(&json!({"line_items": [line(&wanted.id, 1)]}))
        .send()
        .await?;
    assert_ne!(foreign.status, 201, "{foreign:?}");
    let update = json!({"line_items": []});
    harbor
        .put(&format!("/checkout-sessions/{}", ready.text("/id")))
        .json(&update)
        .expect(404)
        .await?;
    harbor
        .post(&format!("/carts/{}/cancel", cart.text("/id")))
        .expect(404)
        .await?;
    Ok(())
}

/// A host that belongs to nobody gets the default brand.
pub async fn an_unknown_host_gets_the_default_brand(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let by_host = aisle
        .client("shop.example")
        .get("/.well-known/ucp")
        .expect(200)
        .await?
        .json();
    let by_address = aisle
        .client("127.0.0.1")
        .get("/.well-known/ucp")
        .expect(200)
        .await?
        .json();
    assert_eq!(
        by_host.pointer("/ucp/version"),
        by_address.pointer("/ucp/version")
    );
    let default = items(&aisle.client("shop.example"), 1).await?;
    let default_handle = aisle
        .database
        .rows("SELECT handle FROM brand WHERE is_default = 1")
        .await?;
    let owner = aisle
        .database
        .rows(&format!(
            "SELECT b.handle FROM brand b JOIN variant v ON v.brand_id = b.id WHERE v.id = '{}'",
            default[0].id
        ))
        .await?;
    assert_eq!(owner, default_handle);
    Ok(())
}

/// Which brand answers, and under which origin, is the host's affair: whatever else a client
/// claims changes nothing.
pub async fn a_claimed_host_changes_nothing(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (north, harbor) = (aisle.north(), aisle.harbor());
    let wanted = &items(&north, 1).await?[0];
    let ready = shipping_checkout(&north, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let order = format!(
        "/orders/{}",
        order_id(&complete(&north, &ready).await?.json())
    );
    let host = format!("north.localhost:{}", aisle.addr().port());
    for (name, value) in [
        ("spin-full-url", format!("http://{host}{order}")),
        ("spin-component-route", "/orders".into()),
        ("x-forwarded-host", host.clone()),
        ("forwarded", format!("host={host}")),
        ("x-original-host", host.clone()),
    ] {
        harbor.get(&order).header(name, &value).expect(404).await?;
    }
    for path in [order.as_str(), "/.well-known/ucp"] {
        let plain = north.get(path).expect(200).await?.json();
        let claimed = north
            .get(path)
            .header("spin-full-url", "https://evil.example/")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "https")
            .expect(200)
            .await?
            .json();
        assert_eq!(claimed, plain, "{path}");
    }
    Ok(())
}

/// Whatever host a request names, no answer, text or document repeats it, unless it is the
/// brand's own.
pub async fn only_a_brands_own_hosts_are_told(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let aisle = &scene.aisle;
    let told = "http://north.localhost:3000";
    for (number, host) in [
        (1, "evil.example"),
        (2, "north.localhost.evil.example"),
        (3, "192.0.2.7"),
    ] {
        let evil = aisle.client(host);
        let profile = evil.get("/.well-known/ucp").expect(200).await?;
        assert_eq!(endpoint(&profile.json()), told, "{host}");
        let order = buy_everything_told(&scene, &evil, told).await?;
        let invite = json!({
            "scope": "order", "id": order, "address": format!("+491511234567{number}"),
            "consent": {"wording_version": "2026-11", "purpose": "invite"},
        });
        evil.post("/invites").json(&invite).expect(201).await?;
        for path in [
            "/openapi.json",
            "/nowhere",
            "/carts/nowhere",
            "/my/sign-in",
            &format!("/my/orders/{order}"),
        ] {
            let shown = evil.get(path).send().await?;
            assert!(!repeats(&shown, host), "{path}: {shown:?}");
        }
    }
    aisle.send_messages().await?;
    let found = aisle
        .database
        .search(&["evil.example", "192.0.2.7"])
        .await?;
    assert!(found.is_empty(), "{found:?}");
    Ok(())
}

/// Goes through all that tells where an order is: the order's id.
async fn buy_everything_told(scene: &Scene, client: &Client, told: &str) -> Result<String> {
    let lines = [line(&scene.item.id, 1)];
    let session = pickup_checkout(client, &lines, scene.id(BERLIN)).await?;
    let path = format!("/checkout-sessions/{}", session.text("/id"));
    let completed = complete(client, &session).await?;
    let order = order_id(&completed.json()).to_owned();
    let page = format!("{told}/my/orders/{order}");
    let read = client.get(&format!("/orders/{order}")).expect(200).await?;
    let again = client.get(&path).expect(200).await?;
    assert_eq!(completed.json().text("/order/permalink_url"), page);
    assert_eq!(again.json().text("/order/permalink_url"), page);
    assert_eq!(read.json().text("/permalink_url"), page);
    let ready = format!("UPDATE pickup SET status = 'ready' WHERE order_id = '{order}'");
    scene.aisle.database.rows(&ready).await?;
    let pass = client.post(&format!("/orders/{order}/pass"));
    let pass = pass.expect(201).await?;
    let images = format!("{told}/orders/{order}/pass/");
    assert!(pass.text().contains(&images), "{pass:?}");
    Ok(order)
}

fn endpoint(profile: &Value) -> &str {
    let bindings = profile.at("/ucp/services")["dev.ucp.shopping"].as_array();
    let rest = bindings.into_iter().flatten();
    let mut rest = rest.filter(|binding| binding["transport"] == "rest");
    rest.next().expect("a REST binding").text("/endpoint")
}

fn repeats(answer: &aisle_e2e::Answer, host: &str) -> bool {
    let in_headers = answer.headers.values().any(|value| {
        let value = value.to_str();
        value.is_ok_and(|value| value.contains(host))
    });
    in_headers || answer.text().contains(host)
}

/// A brand that the public finds is told by what the public finds, also where a request names
/// this very machine.
pub async fn a_public_brand_is_told_by_its_public_host(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let admin = aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    brand["hosts"] = json!(["www.north.example", "north.localhost"]);
    let changed = admin.put("/admin/brands/north").json(&brand);
    changed.expect(200).await?;
    aisle.drain_outbox().await?;
    for (host, told) in [
        ("evil.example", "https://www.north.example".to_owned()),
        ("www.north.example", "https://www.north.example".into()),
        ("localhost", "https://www.north.example".into()),
        ("127.0.0.1", "https://www.north.example".into()),
        ("north.localhost", aisle.north().origin()),
    ] {
        until_told(&aisle, host, &told).await?;
    }
    Ok(())
}

/// Asks until the profile has noticed the hosts, whose bound is a matter of its own.
async fn until_told(aisle: &Environment, host: &str, told: &str) -> Result<()> {
    /// Each is a round trip, so that this is a bound on patience, not on time.
    const REQUESTS: usize = 200_000;
    let client = aisle.client(host);
    for request in 1..=REQUESTS {
        let profile = client.get("/.well-known/ucp").expect(200).await?.json();
        if endpoint(&profile) == told {
            return Ok(());
        }
        ensure!(request < REQUESTS, "{host} tells {}", endpoint(&profile));
    }
    Ok(())
}
