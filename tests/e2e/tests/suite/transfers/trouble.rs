//! What does not go as promised: refusals, time that passes, parcels that arrive short,
//! and steps that the state does not allow.

use aisle_e2e::Pair;
use aisle_e2e::json::Look;
use anyhow::Result;
use serde_json::{Value, json};

use super::scene::{AMSTERDAM, BERLIN, HAMBURG, Scene, step, take};

const HOUR_MS: i64 = 3_600_000;

/// A refusal finds another source; when none is left, somebody is told.
pub async fn a_refusal_finds_another_source(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 2), (AMSTERDAM, 2)]).await?;
    let order = scene.order(2, HAMBURG).await?;
    let (first, _) = scene.transfers_of(&order).await?.remove(0);
    let source_of = async |id: &str| -> Result<String> {
        Ok(scene.show(id).await?.text("/from/location_id").to_owned())
    };
    let staff_at = async |location: &str| {
        let code = [BERLIN, AMSTERDAM]
            .into_iter()
            .find(|code| scene.id(code) == location);
        scene.staff(code.unwrap()).await
    };
    let reason = json!({"reason": "not on the shelf"});
    let place = source_of(&first).await?;
    let refused = take(&staff_at(&place).await?, &first, "refuse", reason.clone()).await?;
    assert_eq!(
        (&refused["status"], &refused["reason"]),
        (&json!("refused"), &reason["reason"])
    );
    let transfers = scene.transfers_of(&order).await?;
    let (second, status) = &transfers[1];
    assert_eq!((transfers.len(), status.as_str()), (2, "approved"));
    let other = source_of(second).await?;
    assert_ne!(other, place);
    let free = if place == scene.id(BERLIN) {
        BERLIN
    } else {
        AMSTERDAM
    };
    scene
        .assert_shelves("released where it was refused", &[(free, (2, 0))])
        .await?;
    let shown = scene.order_shown(&order).await?;
    assert_eq!(
        shown["pickup"]["ready_at"],
        scene.show(second).await?["eta"]["ready_at"]
    );

    take(&staff_at(&other).await?, second, "refuse", reason).await?;
    assert_eq!(
        scene.transfers_of(&order).await?.len(),
        2,
        "nobody is left to ask"
    );
    assert_eq!(
        scene.order_shown(&order).await?.at("/pickup/status"),
        "awaiting_transfer"
    );
    let kinds = scene.timeline(&order).await?;
    let failures = kinds
        .iter()
        .filter(|kind| *kind == "transfer_failed")
        .count();
    assert_eq!(failures, 2, "{kinds:?}");
    let incident = format!(
        "SELECT count(*) FROM incident WHERE kind = 'transfer.unsourced' AND subject_id = '{order}'"
    );
    assert_eq!(scene.count(&incident).await?, 1);
    scene
        .assert_shelves("nothing is held", &[(BERLIN, (2, 0)), (AMSTERDAM, (2, 0))])
        .await
}

/// Goods that turn up after all can be asked for again, and only for what is lacking.
pub async fn an_order_that_lacks_goods_can_ask_again(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 2)]).await?;
    let order = scene.order(2, HAMBURG).await?;
    let (first, _) = scene.transfers_of(&order).await?.remove(0);
    let mut body = scene.asked(1, HAMBURG);
    body["for"] = json!({"type": "order", "id": order});
    let early = scene
        .shopper
        .post("/transfers")
        .json(&body)
        .expect(422)
        .await?
        .json();
    assert_eq!(early["code"], "not_needed");
    let source = scene.staff(BERLIN).await?;
    take(&source, &first, "cancel", json!({"reason": "a mistake"})).await?;
    let mut elsewhere = body.clone();
    elsewhere["to"] = json!({"location_id": scene.id(AMSTERDAM)});
    let answer = scene
        .shopper
        .post("/transfers")
        .json(&elsewhere)
        .expect(422)
        .await?
        .json();
    assert_eq!(answer["code"], "other_store");
    let created = scene
        .shopper
        .post("/transfers")
        .json(&body)
        .expect(201)
        .await?
        .json();
    assert_eq!(created.at("/transfers/0/status"), "approved");
    scene
        .assert_shelves("asked again", &[(BERLIN, (2, 1))])
        .await?;
    let cancel = format!("/transfers/{}/cancel", created.text("/transfers/0/id"));
    let reason = json!({"reason": "mine"});
    scene
        .shopper
        .post(&cancel)
        .json(&reason)
        .expect(403)
        .await?;
    Ok(())
}

/// Nobody at the source says yes or no in time: another one is asked.
pub async fn a_request_that_nobody_answers_goes_elsewhere(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"approval": "manual", "approval_minutes": 60}});
    let scene = Scene::under(pair, &[(BERLIN, 1), (AMSTERDAM, 1)], policies).await?;
    let order = scene.order(1, HAMBURG).await?;
    let (first, status) = scene.transfers_of(&order).await?.remove(0);
    assert_eq!(status, "requested");
    assert_eq!(scene.housekeeping().await?["settled"], 0);
    scene
        .aisle
        .database
        .set_clock_forward_ms(HOUR_MS + 1)
        .await?;
    let shown = scene.show(&first).await?;
    assert_eq!(shown["status"], "expired");
    let code = if shown.at("/from/location_id") == scene.id(BERLIN) {
        BERLIN
    } else {
        AMSTERDAM
    };
    let late = step(&scene.staff(code).await?, &first, "approve", json!({})).await?;
    assert_eq!(
        (late.status.as_u16(), late.json()["transfer_status"].clone()),
        (409, json!("expired"))
    );
    assert_eq!(scene.housekeeping().await?["settled"], 1);
    let transfers = scene.transfers_of(&order).await?;
    let statuses: Vec<&str> = transfers
        .iter()
        .map(|(_, status)| status.as_str())
        .collect();
    assert_eq!(statuses, ["expired", "requested"]);
    let other = if code == BERLIN { AMSTERDAM } else { BERLIN };
    scene
        .assert_shelves("moved on", &[(code, (1, 0)), (other, (1, 1))])
        .await
}

/// What leaves or arrives short is brought from elsewhere, and the order waits for both.
pub async fn what_is_short_comes_from_elsewhere(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 3), (AMSTERDAM, 0)]).await?;
    let order = scene.order(3, HAMBURG).await?;
    let (first, _) = scene.transfers_of(&order).await?.remove(0);
    let (berlin, hamburg) = (scene.staff(BERLIN).await?, scene.staff(HAMBURG).await?);
    let amsterdam = scene.staff(AMSTERDAM).await?;
    let sku = &scene.item.sku;
    let path = "/admin/imports?kind=stock&brand=north";
    let csv = format!("sku,location_code,on_hand,safety\n{sku},{AMSTERDAM},4,0\n");
    scene.aisle.admin().post(path).csv(csv).expect(200).await?;

    take(
        &berlin,
        &first,
        "ship",
        json!({"lines": [{"sku": sku, "shipped": 2}]}),
    )
    .await?;
    let (second, _) = scene.transfers_of(&order).await?.remove(1);
    scene
        .assert_shelves(
            "one is asked of Amsterdam",
            &[(BERLIN, (1, 0)), (AMSTERDAM, (4, 1))],
        )
        .await?;
    let short = json!({"lines": [{"sku": sku, "received": 1, "damaged": 1}]});
    take(&hamburg, &first, "receive", short).await?;
    let transfers = scene.transfers_of(&order).await?;
    assert_eq!(transfers.len(), 3, "{transfers:?}");
    scene
        .assert_shelves("and one more", &[(AMSTERDAM, (4, 2)), (HAMBURG, (1, 1))])
        .await?;
    for (id, _) in &transfers[1..] {
        assert_eq!(
            scene.order_shown(&order).await?.at("/pickup/status"),
            "awaiting_transfer"
        );
        take(&amsterdam, id, "ship", json!({})).await?;
        take(
            &hamburg,
            id,
            "receive",
            json!({"lines": [{"sku": sku, "received": 1}]}),
        )
        .await?;
    }
    assert_eq!(second, transfers[1].0);
    assert_eq!(
        scene.order_shown(&order).await?.at("/pickup/status"),
        "preparing"
    );
    scene
        .assert_shelves("complete", &[(HAMBURG, (3, 3)), (AMSTERDAM, (2, 0))])
        .await
}

/// Every step at every state that does not allow it: 409, and nothing has changed.
pub async fn a_step_that_the_state_forbids_changes_nothing(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"approval": "manual"}});
    let scene = Scene::under(pair, &[(BERLIN, 20)], policies).await?;
    let (source, store) = (scene.staff(BERLIN).await?, scene.staff(HAMBURG).await?);
    let sku = scene.item.sku.clone();
    let body = |name: &str| match name {
        "refuse" | "cancel" => json!({"reason": "no"}),
        "receive" => json!({"lines": [{"sku": sku, "received": 1}]}),
        "events" => json!({"type": "arrived"}),
        _ => json!({}),
    };
    let at_store = |name: &str| matches!(name, "receive" | "close");
    let steps = [
        "approve", "refuse", "pick", "ship", "events", "receive", "close", "cancel",
    ];
    // The way into each state, and what is allowed there.
    let states: [(&str, &[&str], &[&str]); 7] = [
        ("requested", &[], &["approve", "refuse", "cancel"]),
        (
            "approved",
            &["approve"],
            &["refuse", "pick", "ship", "cancel"],
        ),
        (
            "picking",
            &["approve", "pick"],
            &["refuse", "ship", "cancel"],
        ),
        ("in_transit", &["approve", "ship"], &["events", "receive"]),
        ("received", &["approve", "ship", "receive"], &["close"]),
        ("closed", &["approve", "ship", "receive", "close"], &[]),
        ("refused", &["refuse"], &[]),
    ];
    for (status, way, allowed) in states {
        let id = scene.replenish(&store, 1).await?.text("/id").to_owned();
        for name in way {
            let who = if at_store(name) { &store } else { &source };
            take(who, &id, name, body(name)).await?;
        }
        let before = scene.snapshot().await?;
        for name in steps.iter().filter(|name| !allowed.contains(name)) {
            let who = if at_store(name) { &store } else { &source };
            let answer = step(who, &id, name, body(name)).await?;
            assert_eq!(answer.status, 409, "{name} at {status}: {answer:?}");
            let problem: Value = answer.json();
            assert_eq!(problem["transfer_status"], status, "{name}: {problem:#}");
        }
        assert!(scene.snapshot().await? == before, "{status}");
    }
    scene.aisle.database.check_invariants().await
}

pub async fn counts_that_cannot_be_are_refused(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 9)]).await?;
    let (source, store) = (scene.staff(BERLIN).await?, scene.staff(HAMBURG).await?);
    let id = scene.replenish(&store, 2).await?.text("/id").to_owned();
    let sku = &scene.item.sku;
    let line = |quantity: i64| json!({"sku": sku, "shipped": quantity});
    let bad = [
        (json!({"lines": [line(3)]}), 422),
        (json!({"lines": [line(-1)]}), 422),
        (json!({"lines": [line(0)]}), 422),
        (json!({"lines": [line(1), line(1)]}), 422),
        (json!({"lines": [{"sku": "other", "shipped": 1}]}), 422),
        (json!({"lines": [{"sku": sku}]}), 400),
        (json!({"tracking": "x".repeat(300)}), 422),
    ];
    for (body, status) in bad {
        let answer = step(&source, &id, "ship", body.clone()).await?;
        assert_eq!(answer.status, status, "{body:#}: {answer:?}");
    }
    take(&source, &id, "ship", json!({})).await?;
    let line = |good: i64, bad: i64| json!({"sku": sku, "received": good, "damaged": bad});
    let bad = [
        (json!({"lines": []}), 422),
        (json!({"lines": [line(0, 0)]}), 422),
        (json!({"lines": [line(-1, 0)]}), 422),
        (json!({"lines": [line(0, 1000)]}), 422),
        (json!({"lines": [line(1, 0), line(1, 0)]}), 422),
        (json!({"lines": [{"sku": "other", "received": 1}]}), 422),
        (json!({"lines": "all"}), 400),
        (json!({}), 422),
    ];
    let before = scene.snapshot().await?;
    for (body, status) in bad {
        let answer = step(&store, &id, "receive", body.clone()).await?;
        assert_eq!(answer.status, status, "{body:#}: {answer:?}");
    }
    for body in [
        json!({}),
        json!({"reason": " "}),
        json!({"reason": "x".repeat(501)}),
    ] {
        assert_eq!(step(&source, &id, "refuse", body).await?.status, 400);
    }
    assert!(scene.snapshot().await? == before);
    Ok(())
}
