//! The whole life, for an order and for a shelf, with the counts on both sides at each step.

use aisle_e2e::json::Look;
use aisle_e2e::staff::SignedOn;
use aisle_e2e::{Answer, Pair};
use anyhow::Result;
use serde_json::{Value, json};

use super::scene::{BERLIN, HAMBURG, Scene, step, take};

const DAY_MS: i64 = 86_400_000;

pub async fn an_order_waits_for_its_transfer_and_gets_it(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5), (HAMBURG, 1)]).await?;
    let order = scene.order(3, HAMBURG).await?;
    let transfers = scene.transfers_of(&order).await?;
    let [(id, status)] = &transfers[..] else {
        panic!("one transfer brings what the store lacks")
    };
    assert_eq!(status, "approved");
    scene
        .assert_shelves("ordered", &[(BERLIN, (5, 2)), (HAMBURG, (1, 1))])
        .await?;
    let pickup = async || -> Result<String> {
        Ok(scene
            .order_shown(&order)
            .await?
            .text("/pickup/status")
            .to_owned())
    };
    assert_eq!(pickup().await?, "awaiting_transfer");

    let (source, store) = (scene.staff(BERLIN).await?, scene.staff(HAMBURG).await?);
    let listed = async |staff: &SignedOn, query: &str| -> Result<usize> {
        let path = format!("/transfers?{query}");
        let list = staff.client.get(&path).expect(200).await?.json();
        Ok(list.list("/transfers").len())
    };
    assert_eq!(listed(&source, "direction=out&status=approved").await?, 1);
    assert_eq!(listed(&source, "direction=in").await?, 0);
    assert_eq!(listed(&store, "direction=in&status=approved").await?, 1);
    assert_eq!(listed(&store, "status=closed").await?, 0);

    take(&source, id, "pick", json!({})).await?;
    let shipped = take(
        &source,
        id,
        "ship",
        json!({"carrier": "Nordpost", "tracking": "N-1"}),
    )
    .await?;
    assert_eq!(shipped.at("/shipment/tracking"), "N-1");
    assert_eq!(shipped.number("/lines/0/in_transit"), 2);
    scene
        .assert_shelves("on the road", &[(BERLIN, (3, 0)), (HAMBURG, (1, 1))])
        .await?;

    let body = json!({"lines": [{"sku": scene.item.sku, "received": 2}]});
    let received = take(&store, id, "receive", body).await?;
    assert_eq!(
        (
            received["status"].as_str(),
            received.number("/lines/0/in_transit")
        ),
        (Some("received"), 0)
    );
    scene
        .assert_shelves("received", &[(BERLIN, (3, 0)), (HAMBURG, (3, 3))])
        .await?;
    assert_eq!(pickup().await?, "preparing");
    assert_eq!(
        take(&store, id, "close", json!({})).await?["status"],
        "closed"
    );
    scene
        .assert_shelves("closed", &[(BERLIN, (3, 0)), (HAMBURG, (3, 3))])
        .await?;

    let kinds = scene.timeline(&order).await?;
    for kind in [
        "transfer_requested",
        "in_transit",
        "transfer_received",
        "preparing",
    ] {
        assert!(
            kinds.iter().any(|one| one == kind),
            "{kind} is not among {kinds:?}"
        );
    }
    let audit = format!(
        "SELECT count(*) FROM audit WHERE subject_id = '{id}' AND staff_id IN ('{}', '{}')",
        source.staff_id, store.staff_id
    );
    assert_eq!(scene.count(&audit).await?, 4);
    Ok(())
}

/// Two arrive well, one broken, one not at all, and one turns up that nobody sent.
pub async fn a_shelf_is_filled_with_what_really_arrives(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 9)]).await?;
    let (source, store) = (scene.staff(BERLIN).await?, scene.staff(HAMBURG).await?);
    let asked = scene.replenish(&store, 6).await?;
    assert_eq!(
        (asked["status"].as_str(), asked["requester"].as_str()),
        (Some("approved"), Some("staff"))
    );
    let id = asked.text("/id");
    scene.assert_shelves("asked", &[(BERLIN, (9, 6))]).await?;

    let sku = &scene.item.sku;
    let five = json!({"lines": [{"sku": sku, "shipped": 5}]});
    let shipped = take(&source, id, "ship", five).await?;
    assert_eq!(shipped.number("/lines/0/shipped"), 5);
    scene
        .assert_shelves("one stays", &[(BERLIN, (4, 0)), (HAMBURG, (0, 0))])
        .await?;

    let first = json!({"lines": [{"sku": sku, "received": 2, "damaged": 1}]});
    let part = take(&store, id, "receive", first).await?;
    assert_eq!(
        (part["status"].as_str(), part.number("/lines/0/in_transit")),
        (Some("in_transit"), 2)
    );
    scene.assert_shelves("a part", &[(HAMBURG, (2, 0))]).await?;
    let last = json!({"lines": [{"sku": sku, "received": 1}], "final": true});
    assert_eq!(
        take(&store, id, "receive", last).await?["status"],
        "received"
    );
    let closed = take(&store, id, "close", json!({})).await?;
    let counts = [
        "shipped",
        "received",
        "damaged",
        "missing",
        "surplus",
        "in_transit",
    ];
    let counts = counts.map(|name| closed.number(&format!("/lines/0/{name}")));
    assert_eq!(counts, [5, 3, 1, 1, 0, 0]);
    scene
        .assert_shelves("closed", &[(BERLIN, (4, 0)), (HAMBURG, (3, 0))])
        .await?;

    let over = scene.replenish(&store, 1).await?;
    let id = over.text("/id");
    take(&source, id, "ship", json!({})).await?;
    let two = json!({"lines": [{"sku": sku, "received": 2}]});
    let received = take(&store, id, "receive", two).await?;
    assert_eq!(
        (
            received.number("/lines/0/received"),
            received.number("/lines/0/surplus")
        ),
        (2, 1)
    );
    scene
        .assert_shelves("over", &[(BERLIN, (3, 0)), (HAMBURG, (5, 0))])
        .await?;
    for kind in ["missing", "damaged", "surplus"] {
        let sql = format!(
            "SELECT count(*) FROM incident WHERE kind = 'transfer.{kind}' AND location_id = '{}'",
            store.location_id
        );
        assert_eq!(scene.count(&sql).await?, 1, "{kind}");
    }
    Ok(())
}

/// The own store's goods go to another without anybody being asked.
pub async fn a_store_sends_goods_of_its_own(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"approval": "manual"}});
    let scene = Scene::under(pair, &[(BERLIN, 2)], policies).await?;
    let source = scene.staff(BERLIN).await?;
    let mut body = scene.asked(1, HAMBURG);
    body["from"] = json!(scene.id(BERLIN));
    body["note"] = json!("window display");
    let created = source
        .client
        .post("/transfers")
        .json(&body)
        .expect(201)
        .await?
        .json();
    assert_eq!(created.at("/transfers/0/status"), "approved");
    let shown = source
        .client
        .get(&format!("/transfers/{}", created.text("/transfers/0/id")));
    assert_eq!(shown.expect(200).await?.json()["note"], "window display");
    scene.assert_shelves("set aside", &[(BERLIN, (2, 1))]).await
}

pub async fn a_promise_moves_with_the_goods(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5)]).await?;
    let order = scene.order(1, HAMBURG).await?;
    let (id, _) = scene.transfers_of(&order).await?.remove(0);
    let ready = async || -> Result<String> {
        let shown = scene.order_shown(&order).await?;
        assert_eq!(
            shown.at("/fulfillment/expectations/0/ready_at"),
            shown.at("/pickup/ready_at")
        );
        Ok(shown.text("/pickup/ready_at").to_owned())
    };
    let instant = |text: &str| aisle_domain::instant::parse_rfc3339(text).unwrap();
    let promised = instant(&ready().await?);
    let arrives = instant(scene.show(&id).await?.text("/eta/arrives_at"));

    scene
        .aisle
        .allow("carrier", Some("north"), "transfers")
        .await?;
    let carrier = aisle_e2e::Client::new(scene.aisle.addr(), aisle_e2e::environment::NORTH)
        .with_header("authorization", "Bearer carrier");
    let path = format!("/transfers/{id}/events");
    let report = async |kind: &str, at_ms: i64| -> Result<Answer> {
        let expected_at = aisle_domain::instant::rfc3339(at_ms);
        let body = json!({"type": kind, "expected_at": expected_at});
        carrier.post(&path).json(&body).send().await
    };
    assert_eq!(
        report("departed", arrives).await?.status,
        409,
        "it lies at the source"
    );
    assert_eq!(report("delayed", arrives + 3 * DAY_MS).await?.status, 200);
    let later = instant(&ready().await?);
    assert!(later > promised);

    let source = scene.staff(BERLIN).await?;
    take(&source, &id, "ship", json!({})).await?;
    assert_eq!(report("arriving", arrives).await?.status, 200);
    let earlier = instant(&ready().await?);
    assert!(earlier < later);
    for (kind, expected_at) in [
        ("arriving", json!(null)),
        ("arriving", json!("soon")),
        ("delayed", json!("2999-01-01T00:00:00Z")),
    ] {
        let body = json!({"type": kind, "expected_at": expected_at});
        let answer = carrier.post(&path).json(&body).send().await?;
        assert!([400, 422].contains(&answer.status.as_u16()), "{answer:?}");
        assert_eq!(answer.json()["path"], "$.expected_at");
    }
    let history = scene.show(&id).await?;
    let reasons: Vec<&Value> = history
        .list("/eta_history")
        .iter()
        .map(|one| &one["reason"])
        .collect();
    assert_eq!(reasons, ["delayed", "arriving"]);
    let kinds = scene.timeline(&order).await?;
    let moves: Vec<&String> = kinds
        .iter()
        .filter(|kind| kind.starts_with("moved"))
        .collect();
    assert_eq!(moves, ["moved_later", "moved_earlier"]);
    scene.aisle.database.check_invariants().await
}

/// What is done twice under one key is done once; what is done by two at once, by one.
pub async fn two_who_do_the_same_do_it_once(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"approval": "manual"}});
    let scene = Scene::under(pair, &[(BERLIN, 5)], policies).await?;
    let (ann, ben) = (scene.staff(BERLIN).await?, scene.staff(BERLIN).await?);
    let (cas, dee) = (scene.staff(HAMBURG).await?, scene.staff(HAMBURG).await?);
    let asked = scene.replenish(&cas, 2).await?;
    assert_eq!(asked["status"], "requested");
    let id = asked.text("/id");
    let once = async |name: &str, one: &SignedOn, other: &SignedOn, body: Value| -> Result<()> {
        let (first, second) = tokio::join!(
            step(one, id, name, body.clone()),
            step(other, id, name, body.clone())
        );
        let mut statuses = [first?.status.as_u16(), second?.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{name}");
        scene.aisle.database.check_invariants().await
    };
    once("approve", &ann, &ben, json!({})).await?;
    once("ship", &ann, &ben, json!({})).await?;
    scene
        .assert_shelves("shipped once", &[(BERLIN, (3, 0))])
        .await?;
    let body = json!({"lines": [{"sku": scene.item.sku, "received": 2}]});
    once("receive", &cas, &dee, body).await?;
    scene
        .assert_shelves("received once", &[(HAMBURG, (2, 0))])
        .await?;

    let path = format!("/transfers/{id}/close");
    let close = || cas.client.post(&path).idempotency_key("k").send();
    let (first, again) = (close().await?, close().await?);
    assert_eq!(
        (first.status, again.status, &first.body),
        (first.status, first.status, &again.body)
    );
    assert_eq!(first.status, 200);
    Ok(())
}
