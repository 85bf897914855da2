//! What staff take off the shelves, for holds and for orders that are collected.

use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{complete, items, line, order_id, pickup_checkout};
use aisle_e2e::{Environment, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::holds::{ADA, hold_of, put_stock, reserved, store_with, stores};

/// An order that is collected at the store, being prepared since `ready_at_ms`.
async fn preparing(aisle: &Environment, store: &str, item: &str) -> Result<String> {
    let shopper = aisle.north();
    let session = pickup_checkout(&shopper, &[line(item, 2)], store).await?;
    let completed = complete(&shopper, &session).await?.json();
    let id = order_id(&completed).to_owned();
    let known = format!("SELECT count(*) FROM pickup WHERE order_id = '{id}'");
    if aisle.database.number(&known).await? == 0 {
        aisle
            .database
            .rows(&format!(
                "INSERT INTO pickup (brand_id, order_id, location_id, status, ready_at_ms, pickup_by_ms, version, updated_at_ms) \
                 SELECT brand_id, id, '{store}', 'preparing', created_at_ms, created_at_ms + 1000000, 1, created_at_ms \
                 FROM customer_order WHERE id = '{id}'"
            ))
            .await?;
    }
    Ok(id)
}

pub async fn the_list_leads_through_holds_and_orders(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (store, wanted) = store_with(&aisle, 20).await?;
    let shopper = aisle.north();
    let mut expected = vec![preparing(&aisle, &store, &wanted.id).await?];
    for number in 0..3 {
        let body = hold_of(&wanted.sku, 1, &store, &format!("+1202555030{number}"));
        let hold = shopper.post("/holds").json(&body).expect(201).await?.json();
        expected.push(hold.text("/id").to_owned());
    }
    let staff = aisle.staff(NORTH, &store, "stock").await?.client;
    let mut seen = Vec::new();
    let mut dues = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/holds/pull-list?limit=2{cursor}");
        let page = staff.get(&path).expect(200).await?.json();
        for task in page.list("/tasks") {
            seen.push(task.text("/id").to_owned());
            dues.push(task.text("/due_at").to_owned());
            match task.text("/type") {
                "order" => assert_eq!(
                    (task.number("/units"), task.text("/name")),
                    (2, "Ada Byron")
                ),
                _ => assert_eq!(
                    (task.number("/units"), task.text("/name")),
                    (1, "Ada Byron")
                ),
            }
            assert_eq!(task.text("/items/0/sku"), wanted.sku);
        }
        match page["pagination"]["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(dues.is_sorted(), "{dues:?}");
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    staff.get("/holds/pull-list?limit=0").expect(400).await?;
    staff.get("/holds/pull-list?cursor=x").expect(400).await?;

    let other = stores(&aisle, "north").await?.remove(1).0;
    let elsewhere = aisle.staff(NORTH, &other, "stock").await?.client;
    let empty = elsewhere.get("/holds/pull-list").expect(200).await?.json();
    assert!(empty.list("/tasks").is_empty());
    Ok(())
}

pub async fn a_hold_is_pulled_once(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (store, wanted) = store_with(&aisle, 3).await?;
    let body = hold_of(&wanted.sku, 1, &store, ADA);
    let hold = aisle
        .north()
        .post("/holds")
        .json(&body)
        .expect(201)
        .await?
        .json();
    let path = format!("/holds/{}/pulled", hold.text("/id"));
    let one = aisle.staff(NORTH, &store, "stock").await?;
    let two = aisle.staff(NORTH, &store, "stock").await?;
    let (first, second) =
        tokio::join!(one.client.post(&path).send(), two.client.post(&path).send());
    let mut answers = [first?, second?];
    answers.sort_by_key(|answer| answer.status);
    assert_eq!(
        [answers[0].status.as_u16(), answers[1].status.as_u16()],
        [200, 409]
    );
    assert_eq!(answers[0].json()["status"], "pulled");
    assert_eq!(
        aisle
            .database
            .number("SELECT count(*) FROM audit WHERE action = 'hold.pulled'")
            .await?,
        1
    );
    let audited = aisle.database.rows("SELECT doc FROM audit").await?;
    assert!(!format!("{audited:?}").contains("Ada"));
    let task_list = one.client.get("/holds/pull-list").expect(200).await?.json();
    assert!(task_list.list("/tasks").is_empty());
    // Staff give it up for a shopper who calls.
    let cancel = format!("/holds/{}/cancel", hold.text("/id"));
    one.client.post(&cancel).expect(200).await?;
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 0);
    aisle.database.check_invariants().await
}

pub async fn what_is_not_found_is_replaced_or_let_go(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (store, wanted) = store_with(&aisle, 5).await?;
    let code = stores(&aisle, "north").await?.remove(0);
    let instead = items(&aisle.north(), 2).await?.remove(1);
    put_stock(&aisle, &code, &instead.sku, 1).await?;
    let shopper = aisle.north();
    let body = hold_of(&wanted.sku, 3, &store, ADA);
    let hold = shopper.post("/holds").json(&body).expect(201).await?.json();
    let staff = aisle.staff(NORTH, &store, "stock").await?.client;
    let path = format!("/holds/{}/not-found", hold.text("/id"));
    let missing = |quantity: i64, substitute: Option<&str>| json!({"lines": [{"sku": wanted.sku, "quantity": quantity}], "substitute_sku": substitute});
    // More than is held, more of the substitute than there is, nothing that is sold.
    for (body, status) in [
        (missing(4, None), 422),
        (missing(0, None), 422),
        (missing(2, Some(&instead.sku)), 409),
        (missing(1, Some("nothing")), 422),
        (missing(1, Some(&wanted.sku)), 422),
        (json!({"lines": []}), 422),
    ] {
        staff.post(&path).json(&body).expect(status).await?;
    }
    let replaced = staff
        .post(&path)
        .json(&missing(1, Some(&instead.sku)))
        .expect(200)
        .await?
        .json();
    let mut kept: Vec<(&str, i64)> = replaced
        .list("/items")
        .iter()
        .map(|item| (item.text("/sku"), item.number("/quantity")))
        .collect();
    kept.sort();
    let mut expected = vec![(wanted.sku.as_str(), 2), (instead.sku.as_str(), 1)];
    expected.sort();
    assert_eq!(kept, expected);
    let shown = shopper
        .get(&format!("/holds/{}", hold.text("/id")))
        .expect(200)
        .await?
        .json();
    assert_eq!(shown.text("/changes/0/missing/sku"), wanted.sku);
    assert_eq!(shown.text("/changes/0/substitute/sku"), instead.sku);
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 2);
    assert_eq!(reserved(&aisle, &store, &instead.sku).await?, 1);
    aisle.database.check_invariants().await?;

    let rest =
        json!({"lines": [{"sku": wanted.sku, "quantity": 2}, {"sku": instead.sku, "quantity": 1}]});
    let over = staff.post(&path).json(&rest).expect(200).await?.json();
    assert_eq!(over["status"], "released");
    assert_eq!(reserved(&aisle, &store, &instead.sku).await?, 0);
    assert_eq!(
        aisle
            .database
            .number(
                "SELECT count(*) FROM incident WHERE kind = 'not_found' AND subject_type = 'hold'"
            )
            .await?,
        2
    );
    staff.post(&path).json(&rest).expect(409).await?;
    aisle.database.check_invariants().await
}

pub async fn an_order_is_ready_once(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (store, wanted) = store_with(&aisle, 5).await?;
    let order = preparing(&aisle, &store, &wanted.id).await?;
    let staff = aisle.staff(NORTH, &store, "stock").await?.client;
    let again = aisle.staff(NORTH, &store, "stock").await?.client;
    let short = format!("/holds/pickups/{order}/not-found");
    let missing = |quantity: i64| json!({"lines": [{"sku": wanted.sku, "quantity": quantity}]});
    staff.post(&short).json(&missing(3)).expect(422).await?;
    let still = staff
        .post(&short)
        .json(&missing(1))
        .expect(200)
        .await?
        .json();
    assert_eq!(still["status"], "preparing");

    let path = format!("/holds/pickups/{order}/ready");
    let (first, second) = tokio::join!(staff.post(&path).send(), again.post(&path).send());
    let mut statuses = [first?.status.as_u16(), second?.status.as_u16()];
    statuses.sort();
    assert_eq!(statuses, [200, 409]);
    staff.post(&short).json(&missing(1)).expect(409).await?;
    let events = aisle
        .database
        .rows(&format!(
            "SELECT type FROM order_event WHERE order_id = '{order}' ORDER BY occurred_at_ms, id"
        ))
        .await?;
    let kinds: Vec<&str> = events
        .iter()
        .flatten()
        .flatten()
        .map(String::as_str)
        .collect();
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| **kind == "ready_for_pickup")
            .count(),
        1,
        "{kinds:?}"
    );
    for count in [
        format!(
            "SELECT count(*) FROM incident WHERE kind = 'not_found' AND subject_id = '{order}'"
        ),
        format!(
            "SELECT count(*) FROM audit WHERE action = 'pickup.ready' AND subject_id = '{order}'"
        ),
    ] {
        assert_eq!(aisle.database.number(&count).await?, 1, "{count}");
    }
    aisle.database.check_invariants().await
}

/// Another brand, another store, another scope, no session, one that is over.
pub async fn only_staff_of_the_store_pull(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (store, wanted) = store_with(&aisle, 5).await?;
    let order = preparing(&aisle, &store, &wanted.id).await?;
    let body = hold_of(&wanted.sku, 1, &store, ADA);
    let hold = aisle
        .north()
        .post("/holds")
        .json(&body)
        .expect(201)
        .await?
        .json();
    let hold = hold.text("/id");
    let missing: Value = json!({"lines": [{"sku": wanted.sku, "quantity": 1}]});
    let paths = [
        format!("/holds/{hold}/pulled"),
        format!("/holds/{hold}/not-found"),
        format!("/holds/pickups/{order}/ready"),
        format!("/holds/pickups/{order}/not-found"),
    ];
    let other = stores(&aisle, "north").await?.remove(1).0;
    let foreign = stores(&aisle, "harbor").await?.remove(0).0;
    let elsewhere = aisle.staff(NORTH, &other, "stock").await?;
    let cashier = aisle.staff(NORTH, &store, "cash").await?;
    let harbor = aisle.staff(HARBOR, &foreign, "stock").await?;
    let over = aisle.staff(NORTH, &store, "stock").await?;
    let revoked = aisle.staff(NORTH, &store, "stock").await?;
    for end in [
        format!(
            "UPDATE staff_session SET expires_at_ms = 1 WHERE staff_id = '{}'",
            over.staff_id
        ),
        format!(
            "UPDATE device SET revoked_at_ms = 1 WHERE id = '{}'",
            revoked.device_id
        ),
    ] {
        aisle.database.rows(&end).await?;
    }
    let nobody = aisle.north();
    let before = aisle.database.snapshot().await?;
    for path in &paths {
        let mut refusals = Vec::new();
        for (client, status) in [
            (&elsewhere.client, 403),
            (&cashier.client, 403),
            (&harbor.client, 404),
            (&over.client, 401),
            (&revoked.client, 401),
            (&nobody, 401),
        ] {
            let answer = client.post(path).json(&missing).send().await?;
            refusals.push((answer.status.as_u16(), status));
        }
        assert!(
            refusals.iter().all(|(found, status)| found == status),
            "{path}: {refusals:?}"
        );
        // A session of another brand is not let in under this brand's host.
        let stranger = nobody
            .post(path)
            .header("authorization", &format!("Bearer {}", harbor.token));
        stranger.json(&missing).expect(403).await?;
    }
    for client in [&over.client, &revoked.client, &nobody] {
        client.get("/holds/pull-list").expect(401).await?;
    }
    cashier.client.get("/holds/pull-list").expect(403).await?;
    let cancel = format!("/holds/{hold}/cancel");
    elsewhere.client.post(&cancel).expect(403).await?;
    assert_eq!(aisle.database.snapshot().await?, before);
    let own = aisle.staff(NORTH, &store, "stock").await?;
    own.client
        .post("/holds/pickups/0190a0e0-0000-7000-8000-000000000000/ready")
        .expect(404)
        .await
        .context("an unknown order")?;
    Ok(())
}
