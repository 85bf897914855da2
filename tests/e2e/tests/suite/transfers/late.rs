//! Time that passes: departures and arrivals that are missed, answers that come late, and
//! what the order that waits is told.

use aisle_domain::instant::parse_rfc3339;
use aisle_e2e::Pair;
use aisle_e2e::json::Look;
use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::scene::{AMSTERDAM, BERLIN, HAMBURG, Scene, step, take};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The database's clock stands so long after the instant that the transfer's promise names.
async fn wait_until(scene: &Scene, id: &str, step: &str, after_ms: i64) -> Result<()> {
    let shown = scene.show(id).await?;
    let at_ms = parse_rfc3339(shown.text(&format!("/eta/{step}"))).context("an instant")?;
    let forward_ms = at_ms + after_ms - aisle_store::now_ms();
    scene.aisle.database.set_clock_forward_ms(forward_ms).await
}

async fn ready_at(scene: &Scene, order: &str) -> Result<i64> {
    let shown = scene.order_shown(order).await?;
    let expected = shown.at("/fulfillment/expectations/0/ready_at");
    assert_eq!(expected, shown.at("/pickup/ready_at"));
    parse_rfc3339(shown.text("/pickup/ready_at")).context("an instant")
}

/// The reasons of the order's entries of that kind, the oldest first.
async fn reasons(scene: &Scene, order: &str, kind: &str) -> Result<Vec<Value>> {
    let path = format!("/orders/{order}/timeline");
    let shown = scene.shopper.get(&path).expect(200).await?.json();
    let entries = shown.list("/entries").iter();
    let of_kind = entries.filter(|entry| entry["kind"] == kind);
    Ok(of_kind.map(|entry| entry["reasons"].clone()).collect())
}

async fn restock(scene: &Scene, units: &[(&str, i64)]) -> Result<()> {
    let mut csv = String::from("sku,location_code,on_hand,safety\n");
    for (code, on_hand) in units {
        csv += &format!("{},{code},{on_hand},0\n", scene.item.sku);
    }
    let path = "/admin/imports?kind=stock&brand=north";
    scene.aisle.admin().post(path).csv(csv).expect(200).await?;
    Ok(())
}

async fn incidents(scene: &Scene, kind: &str) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM incident WHERE kind = '{kind}'");
    scene.count(&sql).await
}

pub async fn a_missed_departure_moves_the_promise_once(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"max_slip_hours": 8760}});
    let scene = Scene::under(pair, &[(BERLIN, 1)], policies).await?;
    let order = scene.order(1, HAMBURG).await?;
    let (id, _) = scene.transfers_of(&order).await?.remove(0);
    let promised = ready_at(&scene, &order).await?;
    wait_until(&scene, &id, "departs_at", HOUR_MS / 2).await?;
    assert_eq!(scene.housekeeping().await?["slipped"], 0, "not late yet");
    wait_until(&scene, &id, "departs_at", HOUR_MS + MINUTE_MS).await?;
    assert_eq!(scene.housekeeping().await?["slipped"], 1);
    let later = ready_at(&scene, &order).await?;
    assert!(later > promised);
    assert_eq!(scene.housekeeping().await?["slipped"], 0, "told once");
    assert_eq!(ready_at(&scene, &order).await?, later);
    assert_eq!(
        reasons(&scene, &order, "moved_later").await?,
        [json!(["missed_departure"])]
    );
    let told = format!(
        "SELECT count(*) FROM outbox WHERE type = 'transfer.slipped' AND aggregate_id = '{id}'"
    );
    assert_eq!(scene.count(&told).await?, 1);
    assert_eq!(scene.show(&id).await?["status"], "approved");

    // They leave after all, before the departure that is expected now.
    let source = scene.staff(BERLIN).await?;
    take(&source, &id, "ship", json!({})).await?;
    assert!(ready_at(&scene, &order).await? <= later);
    wait_until(&scene, &id, "ready_at", HOUR_MS + MINUTE_MS).await?;
    let expected = ready_at(&scene, &order).await?;
    assert_eq!(scene.housekeeping().await?["slipped"], 1, "not arrived");
    assert_eq!(scene.housekeeping().await?["slipped"], 0);
    assert!(ready_at(&scene, &order).await? > expected);
    let told = reasons(&scene, &order, "moved_later").await?;
    assert_eq!(told.last(), Some(&json!(["missed_arrival"])));
    let body = json!({"lines": [{"sku": scene.item.sku, "received": 1}]});
    let store = scene.staff(HAMBURG).await?;
    take(&store, &id, "receive", body).await?;
    let shown = scene.order_shown(&order).await?;
    assert_eq!(shown.at("/pickup/status"), "preparing");
    scene
        .assert_shelves("arrived", &[(BERLIN, (0, 0)), (HAMBURG, (1, 1))])
        .await
}

/// Beyond the policy's limit another source is asked, if it is earlier; else the shopper and
/// the store are told.
pub async fn what_slips_too_far_comes_from_elsewhere(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"max_slip_hours": 0}});
    let scene = Scene::under(pair, &[(BERLIN, 1)], policies).await?;
    let order = scene.order(1, HAMBURG).await?;
    let (first, _) = scene.transfers_of(&order).await?.remove(0);
    wait_until(&scene, &first, "departs_at", HOUR_MS + MINUTE_MS).await?;
    assert_eq!(scene.housekeeping().await?["slipped"], 1);
    assert_eq!(
        scene.transfers_of(&order).await?,
        [(first.clone(), "approved".into())],
        "nobody is earlier"
    );
    assert_eq!(incidents(&scene, "transfer.late").await?, 1);
    assert_eq!(reasons(&scene, &order, "moved_later").await?.len(), 1);

    restock(&scene, &[(AMSTERDAM, 2)]).await?;
    let lanes = "from_code,to_code,days,cut_off,transit_minutes\nAMS-01,HAM-01,daily,12:30,10\n";
    let path = "/admin/imports?kind=lanes&brand=north";
    scene
        .aisle
        .admin()
        .post(path)
        .csv(lanes)
        .expect(200)
        .await?;
    wait_until(&scene, &first, "departs_at", HOUR_MS + MINUTE_MS).await?;
    assert_eq!(scene.housekeeping().await?["slipped"], 1);
    let transfers = scene.transfers_of(&order).await?;
    let statuses: Vec<&str> = transfers
        .iter()
        .map(|(_, status)| status.as_str())
        .collect();
    assert_eq!(statuses, ["cancelled", "approved"]);
    let dropped = scene.show(&first).await?;
    assert_eq!(dropped["failure"], "slipped");
    let second = scene.show(&transfers[1].0).await?;
    assert_eq!(
        (second.text("/replaces/id"), second.text("/replaces/reason")),
        (first.as_str(), "slipped")
    );
    let berlin = second.list("/sources").iter();
    let berlin: Vec<&Value> = berlin
        .filter(|one| one["location_id"] == scene.id(BERLIN))
        .map(|one| &one["reasons"])
        .collect();
    assert_eq!(berlin, [&json!(["too_late"])]);
    let sql = format!("SELECT doc FROM customer_order WHERE id = '{order}'");
    let doc = scene.aisle.database.rows(&sql).await?.remove(0).remove(0);
    let doc: Value = serde_json::from_str(&doc.context("a document")?)?;
    assert_eq!(
        (
            doc.text("/resourced/0/why"),
            doc.text("/resourced/0/transfer_ids/0")
        ),
        ("slipped", transfers[1].0.as_str())
    );
    assert_eq!(
        reasons(&scene, &order, "transfer_failed").await?,
        [
            json!(["slipped", "no_source"]),
            json!(["slipped", "other_source"])
        ]
    );
    let late = step(&scene.staff(BERLIN).await?, &first, "ship", json!({})).await?;
    assert_eq!(late.status, 409);
    scene
        .assert_shelves("moved on", &[(BERLIN, (1, 0)), (AMSTERDAM, (2, 1))])
        .await
}

/// A request that waits for its answer too long is promised anew, and so is one that is
/// answered late.
pub async fn a_late_answer_is_a_new_promise(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"approval": "manual", "approval_minutes": 43200, "max_slip_hours": 8760}});
    let scene = Scene::under(pair, &[(BERLIN, 1)], policies).await?;
    let order = scene.order(1, HAMBURG).await?;
    let (id, _) = scene.transfers_of(&order).await?.remove(0);
    let promised = ready_at(&scene, &order).await?;
    wait_until(&scene, &id, "departs_at", MINUTE_MS).await?;
    assert_eq!(scene.housekeeping().await?["slipped"], 1);
    let later = ready_at(&scene, &order).await?;
    assert!(later > promised);
    assert_eq!(scene.show(&id).await?["status"], "requested");

    wait_until(&scene, &id, "departs_at", MINUTE_MS).await?;
    let source = scene.staff(BERLIN).await?;
    let approved = take(&source, &id, "approve", json!({})).await?;
    let why: Vec<&str> = approved
        .list("/eta_history")
        .iter()
        .map(|change| change.text("/reason"))
        .collect();
    assert_eq!(why, ["not_decided_in_time", "approved_late"]);
    assert!(ready_at(&scene, &order).await? > later);
    assert_eq!(
        reasons(&scene, &order, "moved_later").await?,
        [json!(["not_decided_in_time"]), json!(["approved_late"])]
    );
    scene.assert_shelves("kept", &[(BERLIN, (1, 1))]).await
}

/// A cart that waits with its goods is promised a later instant, and bought at that.
pub async fn what_is_set_aside_is_promised_anew_too(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"reservation_minutes": 43200}});
    let scene = Scene::under(pair, &[(BERLIN, 2)], policies).await?;
    let mut body = scene.asked(1, HAMBURG);
    body["for"] = json!({"type": "cart", "id": scene.cart(1).await?});
    let created = scene.shopper.post("/transfers").json(&body);
    let created = created.expect(201).await?.json();
    let id = created.text("/transfers/0/id");
    wait_until(&scene, id, "departs_at", MINUTE_MS).await?;
    assert_eq!(scene.housekeeping().await?["slipped"], 1);
    assert_eq!(scene.housekeeping().await?["slipped"], 0);
    let shown = scene.show(id).await?;
    assert_eq!(
        (
            shown.text("/status"),
            shown.text("/eta_history/0/reason"),
            shown.text("/eta_history/0/ready_at_before")
        ),
        ("reserved", "not_decided_in_time", created.text("/ready_at"))
    );
    assert_ne!(shown["eta"]["ready_at"], created["ready_at"]);
    scene.assert_shelves("kept", &[(BERLIN, (2, 1))]).await
}

/// What the store has itself by now comes first, then other sources, then words.
pub async fn a_refusal_takes_what_the_store_has_itself(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 3)]).await?;
    let order = scene.order(3, HAMBURG).await?;
    let (first, _) = scene.transfers_of(&order).await?.remove(0);
    restock(&scene, &[(HAMBURG, 1), (AMSTERDAM, 2)]).await?;
    let no = json!({"reason": "not on the shelf"});
    take(&scene.staff(BERLIN).await?, &first, "refuse", no.clone()).await?;
    scene
        .assert_shelves(
            "one here, two from Amsterdam",
            &[(BERLIN, (3, 0)), (HAMBURG, (1, 1)), (AMSTERDAM, (2, 2))],
        )
        .await?;
    let (second, _) = scene.transfers_of(&order).await?.remove(1);
    let shown = scene.show(&second).await?;
    assert_eq!(shown.text("/replaces/id"), first);
    let sources = shown.list("/sources").iter();
    let dropped = sources.filter(|one| one["reasons"] == json!(["refused_before"]));
    assert_eq!(dropped.count(), 1, "{shown:#}");
    let brought = ready_at(&scene, &order).await?;

    restock(&scene, &[(HAMBURG, 2)]).await?;
    take(&scene.staff(AMSTERDAM).await?, &second, "refuse", no).await?;
    let kinds = reasons(&scene, &order, "transfer_failed").await?;
    assert_eq!(
        kinds,
        [
            json!(["refused", "own_shelf", "other_source"]),
            json!(["refused", "own_shelf", "no_source"]),
        ]
    );
    let status = async || -> Result<String> {
        let shown = scene.order_shown(&order).await?;
        Ok(shown.text("/pickup/status").to_owned())
    };
    assert_eq!(
        (status().await?.as_str(), ready_at(&scene, &order).await?),
        ("awaiting_transfer", brought),
        "one is lacking"
    );
    assert_eq!(incidents(&scene, "transfer.unsourced").await?, 1);
    scene
        .assert_shelves("two here", &[(HAMBURG, (2, 2)), (AMSTERDAM, (2, 0))])
        .await
}

/// All of it lies at the store itself by now: nothing is awaited any more.
pub async fn a_store_that_has_it_all_needs_no_transfer(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 2)]).await?;
    let order = scene.order(2, HAMBURG).await?;
    let (id, _) = scene.transfers_of(&order).await?.remove(0);
    let brought = ready_at(&scene, &order).await?;
    restock(&scene, &[(HAMBURG, 5)]).await?;
    let reason = json!({"reason": "a mistake"});
    take(&scene.staff(BERLIN).await?, &id, "cancel", reason).await?;
    let shown = scene.order_shown(&order).await?;
    assert_eq!(shown.at("/pickup/status"), "preparing");
    assert!(ready_at(&scene, &order).await? < brought);
    assert_eq!(scene.transfers_of(&order).await?.len(), 1);
    assert_eq!(incidents(&scene, "transfer.unsourced").await?, 0);
    scene
        .assert_shelves("all here", &[(BERLIN, (2, 0)), (HAMBURG, (5, 2))])
        .await
}
