//! Asking for goods: quotes, carts that keep pieces for a while, splits, limits, bad input.

use aisle_domain::instant::parse_rfc3339;
use aisle_e2e::json::Look;
use aisle_e2e::{Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

use super::scene::{AMSTERDAM, BERLIN, HAMBURG, Scene, VIENNA};

const HOUR_MS: i64 = 3_600_000;

pub async fn a_quote_says_from_where_when_and_why(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5), (VIENNA, 9)]).await?;
    let before = scene.snapshot().await?;
    let quote = async |body: Value| -> Result<Value> {
        let call = scene.shopper.post("/transfers/quote").json(&body);
        Ok(call.expect(200).await?.json())
    };
    let quoted = quote(scene.asked(2, HAMBURG)).await?;
    assert_eq!(quoted.list("/transfers").len(), 1, "{quoted:#}");
    assert_eq!(
        quoted.text("/transfers/0/from/location_id"),
        scene.id(BERLIN)
    );
    assert_eq!(quoted.number("/transfers/0/lines/0/quantity"), 2);
    let instant = |pointer: &str| parse_rfc3339(quoted.text(pointer)).unwrap();
    let steps = ["picked_by", "departs_at", "arrives_at", "ready_at"];
    let steps = steps.map(|step| instant(&format!("/transfers/0/eta/{step}")));
    assert!(steps.is_sorted(), "{quoted:#}");
    assert!(instant("/ready_at") < instant("/pickup_by"));
    assert!(
        quoted.text("/ready_at").contains('+'),
        "with the store's offset: {quoted:#}"
    );
    let source = |code: &str| {
        let sources = quoted.list("/sources").iter();
        sources
            .clone()
            .find(|one| one["location_id"] == scene.id(code))
            .cloned()
    };
    assert_eq!(source(BERLIN).unwrap()["chosen"], true);
    let vienna = source(VIENNA).unwrap();
    assert_eq!(
        (&vienna["chosen"], vienna.text("/reasons/0")),
        (&json!(false), "no_lane")
    );

    let near =
        json!({"items": [{"id": scene.item.id, "quantity": 2}], "to": {"near": "53.55,10.0"}});
    assert_eq!(
        quote(near).await?.text("/to/location_id"),
        scene.id(HAMBURG)
    );
    let too_many = quote(scene.asked(6, HAMBURG)).await?;
    assert_eq!(too_many.text("/reason"), "not_enough");
    assert_eq!(too_many.number("/shortages/0/available"), 5);
    assert_eq!(scene.snapshot().await?, before);
    Ok(())
}

pub async fn a_cart_keeps_pieces_for_an_hour(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5), (HAMBURG, 1)]).await?;
    let cart = scene.cart(3).await?;
    let mut body = scene.asked(2, HAMBURG);
    body["for"] = json!({"type": "cart", "id": cart});
    let post = |body: &Value, key: &str| {
        let call = scene.shopper.post("/transfers").json(body);
        call.idempotency_key(key)
    };
    let created = post(&body, "k-1").expect(201).await?;
    let again = post(&body, "k-1").expect(201).await?;
    assert_eq!(created.body, again.body);
    let transfer = created.json()["transfers"][0].clone();
    assert_eq!(transfer["status"], "reserved");
    assert!(transfer["expires_at"].is_string());
    scene
        .assert_shelves("reserved", &[(BERLIN, (5, 2)), (HAMBURG, (1, 0))])
        .await?;
    let more = post(&body, "k-2").send().await?;
    assert_eq!(
        (more.status.as_u16(), more.json().text("/code").to_owned()),
        (422, "not_needed".into())
    );

    scene
        .aisle
        .database
        .set_clock_forward_ms(HOUR_MS + 1)
        .await?;
    let id = transfer.text("/id");
    assert_eq!(scene.show(id).await?["status"], "expired");
    let cancel = json!({"reason": "changed my mind"});
    let path = format!("/transfers/{id}/cancel");
    let late = scene
        .shopper
        .post(&path)
        .json(&cancel)
        .expect(409)
        .await?
        .json();
    assert_eq!(late["transfer_status"], "expired");
    assert_eq!(
        scene.housekeeping().await?,
        json!({"settled": 1, "slipped": 0, "more": false})
    );
    assert_eq!(scene.housekeeping().await?["settled"], 0);
    scene.assert_shelves("expired", &[(BERLIN, (5, 0))]).await?;

    let created = post(&body, "k-3").expect(201).await?.json();
    let path = format!("/transfers/{}/cancel", created.text("/transfers/0/id"));
    let cancelled = scene
        .shopper
        .post(&path)
        .json(&cancel)
        .expect(200)
        .await?
        .json();
    assert_eq!(
        (&cancelled["status"], &cancelled["reason"]),
        (&json!("cancelled"), &cancel["reason"])
    );
    scene.assert_shelves("cancelled", &[(BERLIN, (5, 0))]).await
}

pub async fn two_requests_for_one_cart_bring_no_more_than_it_lacks(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 9)]).await?;
    let mut body = scene.asked(3, HAMBURG);
    body["for"] = json!({"type": "cart", "id": scene.cart(3).await?});
    let (ann, ben) = (scene.aisle.north(), scene.aisle.north());
    let (one, other) = tokio::join!(
        ann.post("/transfers").json(&body).send(),
        ben.post("/transfers").json(&body).send(),
    );
    let mut statuses = [one?.status.as_u16(), other?.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    scene.assert_shelves("both", &[(BERLIN, (9, 3))]).await
}

pub async fn several_sources_only_if_they_are_accepted(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"unpaid_share_ppm": 1_000_000}});
    let scene = Scene::under(pair, &[(BERLIN, 2), (AMSTERDAM, 1)], policies).await?;
    let mut body = scene.asked(3, HAMBURG);
    body["for"] = json!({"type": "cart", "id": scene.cart(3).await?});
    let refused = scene
        .shopper
        .post("/transfers")
        .json(&body)
        .expect(409)
        .await?
        .json();
    assert_eq!(refused["code"], "too_many_sources", "{refused:#}");
    body["accept_split"] = json!(true);
    let created = scene
        .shopper
        .post("/transfers")
        .json(&body)
        .expect(201)
        .await?
        .json();
    assert_eq!(created.list("/transfers").len(), 2);
    scene
        .assert_shelves("split", &[(BERLIN, (2, 2)), (AMSTERDAM, (1, 1))])
        .await
}

pub async fn a_request_that_makes_no_sense_is_refused(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5)]).await?;
    let cart = scene.cart(1).await?;
    let (sku, here) = (&scene.item.sku, scene.id(HAMBURG));
    let one = json!([{"sku": sku, "quantity": 1}]);
    let to = json!({"location_id": here});
    let whose = json!({"type": "cart", "id": cart});
    let nobody = json!({"type": "order", "id": "0190a0e0-0000-7000-8000-000000000000"});
    let many = vec![json!({"sku": sku, "quantity": 1}); 51];
    let long = "x".repeat(501);
    let bad = [
        (json!({}), 400, "$"),
        (json!({"items": [], "to": to, "for": whose}), 400, "$.items"),
        (
            json!({"items": many, "to": to, "for": whose}),
            400,
            "$.items",
        ),
        (
            json!({"items": [{"sku": sku, "quantity": 0}], "to": to, "for": whose}),
            400,
            "$.items[0].quantity",
        ),
        (
            json!({"items": [{"sku": sku, "quantity": i64::MAX}], "to": to, "for": whose}),
            400,
            "$.items[0].quantity",
        ),
        (
            json!({"items": [{"quantity": 1}], "to": to, "for": whose}),
            400,
            "$.items[0]",
        ),
        (
            json!({"items": [{"sku": sku, "id": sku, "quantity": 1}], "to": to, "for": whose}),
            400,
            "$.items[0]",
        ),
        (
            json!({"items": [{"gtin": "4006381333930", "quantity": 1}], "to": to, "for": whose}),
            400,
            "$.items[0].gtin",
        ),
        (
            json!({"items": [{"sku": "nothing", "quantity": 1}], "to": to, "for": whose}),
            422,
            "$.items[0]",
        ),
        (json!({"items": one, "to": {}, "for": whose}), 400, "$.to"),
        (
            json!({"items": one, "to": {"near": "91,0"}, "for": whose}),
            400,
            "$.to.near",
        ),
        (
            json!({"items": one, "to": {"location_id": scene.id("DC-RTM")}, "for": whose}),
            422,
            "$.to.location_id",
        ),
        (
            json!({"items": one, "to": to, "for": whose, "extra": 1}),
            400,
            "$.extra",
        ),
        (
            json!({"items": one, "to": to, "for": whose, "note": long}),
            400,
            "$.note",
        ),
        (
            json!({"items": one, "to": to, "for": whose, "from": here}),
            422,
            "$.from",
        ),
        (json!({"items": one, "to": to}), 422, "$.for"),
        (
            json!({"items": one, "to": to, "for": nobody}),
            422,
            "$.for.id",
        ),
        (
            json!({"items": one, "to": to, "for": {"type": "wish", "id": cart}}),
            400,
            "$.for.type",
        ),
    ];
    let before = scene.snapshot().await?;
    for (body, status, path) in bad {
        let answer = scene.shopper.post("/transfers").json(&body).send().await?;
        assert_eq!(answer.status, status, "{body:#}: {answer:?}");
        assert_eq!(answer.json()["path"], path, "{body:#}: {answer:?}");
    }
    for path in [
        "/transfers/x",
        "/transfers/0190a0e0-0000-7000-8000-000000000000",
    ] {
        scene.shopper.get(path).expect(404).await?;
    }
    scene.shopper.get("/transfers/quote").expect(405).await?;
    assert_eq!(scene.snapshot().await?, before);
    Ok(())
}

/// A brand can keep transfers to its stores.
pub async fn a_policy_can_exclude_shoppers(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"for_shoppers": false}});
    let scene = Scene::under(pair, &[(BERLIN, 5)], policies).await?;
    let body = scene.asked(1, HAMBURG);
    let call = scene.shopper.post("/transfers/quote").json(&body);
    call.expect(403).await?;
    let staff = scene.staff(HAMBURG).await?;
    staff
        .client
        .post("/transfers/quote")
        .json(&body)
        .expect(200)
        .await?;
    Ok(())
}

/// Nobody expires anything but the ticker.
pub async fn housekeeping_wants_the_relays_key(pair: Pair) -> Result<()> {
    let aisle = Setup::empty(pair).start().await?;
    aisle
        .admin()
        .post("/transfers/housekeeping")
        .expect(401)
        .await?;
    aisle
        .client("localhost")
        .post("/transfers/housekeeping")
        .expect(401)
        .await?;
    Ok(())
}
