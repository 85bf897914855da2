//! What tills handed over while they were offline: the goods are gone, also where a rule was
//! not kept.

use aisle_e2e::Pair;
use aisle_e2e::json::Look;
use aisle_e2e::staff::SignedOn;
use anyhow::Result;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::pos_collection::Shop;

const HOUR_MS: i64 = 3_600_000;

/// A hand-over of all that is left, on this pass, at the moment of its issue.
fn made(pass: &Value, sequence: i64) -> Value {
    json!({
        "id": Uuid::now_v7().to_string(), "pass": pass["token"], "handed_at": pass["issued_at"], "sequence": sequence,
    })
}

async fn settle(till: &SignedOn, hand_over: &Value) -> Result<Value> {
    let body = json!({ "hand_overs": [hand_over] });
    let path = "/pos/hand-overs/settle";
    let answer = till.client.post(path).json(&body).expect(200).await?;
    Ok(answer.json()["results"][0].clone())
}

async fn policy(shop: &Shop, pickup: Value) -> Result<()> {
    let admin = shop.aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    brand["policies"]["pickup"] = pickup;
    let put = admin.put("/admin/brands/north").json(&brand);
    put.expect(200).await?;
    shop.aisle.drain_outbox().await
}

pub async fn what_is_settled_late_is_booked_and_looked_into(pair: Pair) -> Result<()> {
    let shop = Shop::open(pair).await?;
    let till = shop.till("pos approve").await?;
    let made = made(&shop.pass().await?, 1);
    let database = &shop.aisle.database;
    database.set_clock_forward_ms(25 * HOUR_MS).await?;
    let late = settle(&till, &made).await?;
    assert_eq!(
        (
            late.text("/result"),
            late.text("/reason"),
            late.at("/booked")
        ),
        ("incident", "settled_late", &json!(true)),
        "{late:#}"
    );
    assert_eq!(settle(&till, &made).await?, late);
    assert_eq!(shop.handed().await?, (1, 2));
    let incidents = till.client.get("/pos/incidents").expect(200).await?.json();
    assert_eq!(incidents.list("/incidents").len(), 1, "{incidents:#}");
    assert_eq!(incidents.text("/incidents/0/id"), late.text("/incident_id"));
    assert_eq!(incidents.at("/incidents/0/details/booked"), true);
    shop.aisle.database.check_invariants().await
}

pub async fn who_handed_over_is_known_afterwards(pair: Pair) -> Result<()> {
    let shop = Shop::open(pair).await?;
    let (till, colleague) = (shop.till("pos").await?, shop.till("pos").await?);
    let one = json!([{"line_id": shop.line_id, "quantity": 1}]);
    let mut first = made(&shop.pass().await?, 1);
    first["lines"] = one;
    first["made_by"] = json!({"staff_id": Uuid::now_v7().to_string(), "known_by": "declared"});
    let stranger = settle(&till, &first).await?;
    assert_eq!(
        (stranger.text("/reason"), stranger.at("/booked")),
        ("unknown_staff", &json!(true))
    );
    let mut second = made(&shop.pass().await?, 2);
    second["made_by"] = json!({"staff_id": colleague.staff_id, "known_by": "scanned"});
    assert_eq!(settle(&till, &second).await?.text("/result"), "settled");
    assert_eq!(shop.handed().await?, (2, 2));
    let by = format!(
        "SELECT count(*) FROM hand_over WHERE staff_id = '{}' AND device_id = '{}' AND offline = 1",
        colleague.staff_id, till.device_id
    );
    assert_eq!(shop.aisle.database.number(&by).await?, 1);
    let settled_by = format!(
        "SELECT count(*) FROM audit WHERE action = 'order.handed_over' AND staff_id = '{}' AND doc LIKE '%{}%'",
        till.staff_id, colleague.staff_id
    );
    assert_eq!(shop.aisle.database.number(&settled_by).await?, 1);

    // A number names one hand-over of the till, whatever comes under it later.
    let mut again = second.clone();
    again["id"] = json!(Uuid::now_v7().to_string());
    let again = settle(&till, &again).await?;
    assert_eq!(
        (again.text("/reason"), again.at("/booked")),
        ("sequence_taken", &json!(false))
    );
    for (member, value, code) in [
        ("sequence", json!(-1), "invalid_sequence"),
        ("id", json!("x"), "invalid_id"),
        ("handed_at", json!("today"), "invalid_time"),
    ] {
        let mut bad = second.clone();
        bad[member] = value;
        let body = json!({ "hand_overs": [bad] });
        let bad = till.client.post("/pos/hand-overs/settle").json(&body);
        let bad = bad.expect(422).await?.json();
        assert_eq!(
            (bad.text("/code"), bad.text("/path")),
            (code, &*format!("$.hand_overs[0].{member}"))
        );
    }
    shop.aisle.database.check_invariants().await
}

pub async fn what_was_shown_offline_is_what_the_policy_asks_for(pair: Pair) -> Result<()> {
    let shop = Shop::open(pair).await?;
    policy(&shop, json!({"identification": "document"})).await?;
    let till = shop.till("pos").await?;
    let one = json!([{"line_id": shop.line_id, "quantity": 1}]);
    let mut shown = made(&shop.pass().await?, 1);
    shown["identification"] = json!({"kind": "passport"});
    shown["lines"] = one;
    assert_eq!(settle(&till, &shown).await?.text("/result"), "settled");
    let noted = "SELECT count(*) FROM hand_over WHERE doc LIKE '%passport%'";
    assert_eq!(shop.aisle.database.number(noted).await?, 1);
    let nothing = settle(&till, &made(&shop.pass().await?, 2)).await?;
    assert_eq!(
        (nothing.text("/reason"), nothing.at("/booked")),
        ("identification_needed", &json!(true))
    );
    assert_eq!(shop.handed().await?, (2, 2));
    shop.aisle.database.check_invariants().await
}
