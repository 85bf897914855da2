//! Who may do what: each step by each of the wrong people.

use aisle_e2e::accounts::sign_in;
use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::Look;
use aisle_e2e::{Client, Pair, shopping};
use anyhow::Result;
use serde_json::{Value, json};

use super::scene::{BERLIN, HAMBURG, Scene, VIENNA};

const STEPS: [&str; 8] = [
    "approve", "refuse", "pick", "ship", "events", "receive", "close", "cancel",
];

fn body(step: &str) -> Value {
    match step {
        "refuse" | "cancel" => json!({"reason": "no"}),
        "receive" => json!({"lines": [], "final": true}),
        "events" => json!({"type": "delayed", "expected_at": "2030-01-01T00:00:00Z"}),
        _ => json!({}),
    }
}

pub async fn the_wrong_people_move_nothing(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5)]).await?;
    let aisle = &scene.aisle;
    let (source, store) = (scene.staff(BERLIN).await?, scene.staff(HAMBURG).await?);
    let id = scene.replenish(&store, 1).await?.text("/id").to_owned();
    let elsewhere = scene.staff(VIENNA).await?;
    let unscoped = aisle.staff(NORTH, scene.id(BERLIN), "pos stock").await?;
    let gone = scene.staff(BERLIN).await?;
    let end = format!(
        "UPDATE staff_session SET ended_at_ms = 1 WHERE staff_id = '{}'",
        gone.staff_id
    );
    aisle.database.rows(&end).await?;
    let harbors = "SELECT b.location_id FROM brand_location b JOIN brand ON brand.id = b.brand_id \
                   WHERE brand.handle = 'harbor'";
    let harbors = aisle
        .database
        .rows(harbors)
        .await?
        .remove(0)
        .remove(0)
        .unwrap();
    let foreign = aisle.staff(HARBOR, &harbors, "transfer").await?;
    let under_north = Client::new(aisle.addr(), NORTH)
        .with_header("authorization", &format!("Bearer {}", foreign.token));
    let before = scene.snapshot().await?;
    let wrong: [(&str, &Client, &[u16]); 6] = [
        ("nobody", &scene.shopper, &[401, 404]),
        ("signed off", &gone.client, &[401]),
        ("another store", &elsewhere.client, &[403]),
        ("without the scope", &unscoped.client, &[403]),
        ("another brand's staff", &under_north, &[403]),
        ("under another brand", &foreign.client, &[404]),
    ];
    for (who, client, statuses) in wrong {
        for step in STEPS {
            let call = client.post(&format!("/transfers/{id}/{step}"));
            let answer = call.json(&body(step)).send().await?;
            let status = answer.status.as_u16();
            assert!(statuses.contains(&status), "{step} by {who}: {answer:?}");
        }
        let answer = client.get(&format!("/transfers/{id}")).send().await?;
        assert!(
            answer.status.is_client_error(),
            "reading by {who}: {answer:?}"
        );
    }
    // The right people at the wrong end.
    for (client, steps) in [
        (&store.client, &["approve", "refuse", "pick", "ship"][..]),
        (&source.client, &["receive", "close"][..]),
    ] {
        for step in steps {
            let call = client.post(&format!("/transfers/{id}/{step}"));
            call.json(&body(step)).expect(403).await?;
        }
    }
    assert!(scene.snapshot().await? == before);
    Ok(())
}

pub async fn the_wrong_people_ask_for_nothing(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5)]).await?;
    let aisle = &scene.aisle;
    let store = scene.staff(HAMBURG).await?;
    let unscoped = aisle.staff(NORTH, scene.id(HAMBURG), "pos").await?;
    let cart = scene.cart(1).await?;
    let before = scene.snapshot().await?;
    let mut for_cart = scene.asked(1, HAMBURG);
    for_cart["for"] = json!({"type": "cart", "id": cart});
    let elsewhere = scene.asked(1, VIENNA);
    let mut from_elsewhere = elsewhere.clone();
    from_elsewhere["from"] = json!(scene.id(BERLIN));
    let here = scene.asked(1, HAMBURG);
    for (client, body, status) in [
        (&store.client, &elsewhere, 403),
        (&store.client, &from_elsewhere, 403),
        (&store.client, &for_cart, 422),
        (&unscoped.client, &here, 403),
        (&aisle.harbor(), &for_cart, 422),
    ] {
        let answer = client.post("/transfers").json(body).send().await?;
        assert_eq!(answer.status, status, "{body:#}: {answer:?}");
    }
    scene.shopper.get("/transfers").expect(401).await?;
    unscoped.client.get("/transfers").expect(403).await?;
    for query in [
        "status=lost",
        "direction=up",
        "limit=x",
        "limit=0",
        "cursor=zz",
    ] {
        store
            .client
            .get(&format!("/transfers?{query}"))
            .expect(400)
            .await?;
    }
    assert!(scene.snapshot().await? == before);
    Ok(())
}

/// A carrier's key reports, for its own brand, and does nothing else.
pub async fn a_carrier_reports_and_no_more(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5)]).await?;
    let aisle = &scene.aisle;
    let store = scene.staff(HAMBURG).await?;
    let id = scene.replenish(&store, 1).await?.text("/id").to_owned();
    aisle.allow("own", Some("north"), "transfers").await?;
    aisle.allow("foreign", Some("harbor"), "transfers").await?;
    aisle.allow("clerk", Some("north"), "stock").await?;
    let with = |key: &str| {
        Client::new(aisle.addr(), NORTH).with_header("authorization", &format!("Bearer {key}"))
    };
    let arrives = scene
        .aisle
        .database
        .rows(&format!(
            "SELECT ready_at_ms FROM transfer WHERE id = '{id}'"
        ))
        .await?;
    let arrives: i64 = arrives[0][0].as_deref().unwrap_or_default().parse()?;
    let event = json!({"type": "delayed", "expected_at": aisle_domain::instant::rfc3339(arrives)});
    let path = format!("/transfers/{id}/events");
    for (key, status) in [
        ("foreign", 403),
        ("clerk", 403),
        ("unknown", 401),
        ("own", 200),
    ] {
        with(key).post(&path).json(&event).expect(status).await?;
    }
    for step in STEPS.iter().filter(|step| **step != "events") {
        let path = format!("/transfers/{id}/{step}");
        with("own")
            .post(&path)
            .json(&body(step))
            .expect(401)
            .await?;
    }
    Ok(())
}

/// What is in an account's cart is brought for its own devices only.
pub async fn an_accounts_cart_is_served_for_it_alone(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5)]).await?;
    let ada = sign_in(&scene.aisle, NORTH, "ada@example.com").await?;
    let eve = sign_in(&scene.aisle, NORTH, "eve@example.com").await?;
    let cart = json!({"line_items": [shopping::line(&scene.item.id, 2)]});
    let cart = ada.client.post("/carts").json(&cart).expect(201).await?;
    let mut asked = scene.asked(1, HAMBURG);
    asked["for"] = json!({"type": "cart", "id": cart.json()["id"]});
    for (who, status) in [
        (&scene.shopper, 401),
        (&eve.client, 422),
        (&ada.client, 201),
    ] {
        let call = who.post("/transfers").json(&asked);
        call.expect(status).await?;
    }
    scene.assert_shelves("one", &[(BERLIN, (5, 1))]).await
}

/// Pages of a store's transfers lead through all of them once.
pub async fn a_store_pages_through_its_transfers(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 9)]).await?;
    let store = scene.staff(HAMBURG).await?;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(scene.replenish(&store, 1).await?.text("/id").to_owned());
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/transfers?direction=in&limit=2{cursor}");
        let page = store.client.get(&path).expect(200).await?.json();
        let ids = page.list("/transfers").iter();
        seen.extend(ids.map(|one| one.text("/id").to_owned()));
        if page.at("/pagination/has_next_page") == false {
            break;
        }
        cursor = format!("&cursor={}", page.text("/pagination/cursor"));
    }
    made.reverse();
    assert_eq!(seen, made);
    Ok(())
}
