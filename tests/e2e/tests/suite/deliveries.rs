//! Goods from suppliers by scanner, and balances put right by hand.

use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::Look;
use aisle_e2e::{Client, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

use crate::counts::{scan, scans, send, store};

const MINUTE_MS: i64 = 60_000;

/// Announced by the retailer's system, scanned by two people, one of them twice.
pub async fn a_delivery_is_announced_scanned_and_closed(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    aisle.allow("erp", Some("north"), "stock").await?;
    let erp = Client::new(aisle.addr(), NORTH).with_header("authorization", "Bearer erp");
    let (one, other) = (&store.one, &store.other);
    let announcement = json!({
        "reference": "ASN 4711", "location_id": store.id,
        "lines": [{"gtin": one.gtin, "quantity": 6}, {"sku": one.sku, "quantity": 4}, {"sku": other.sku, "quantity": 2}],
    });
    let announced = erp
        .post("/deliveries")
        .json(&announcement)
        .expect(201)
        .await?;
    let path = announced.header("location").to_owned();
    assert_eq!(
        announced
            .json()
            .list("/lines")
            .iter()
            .find(|line| line["sku"] == *one.sku)
            .map(|line| line["announced"].clone()),
        Some(json!(10))
    );
    assert_eq!(
        erp.post("/deliveries")
            .json(&announcement)
            .expect(409)
            .await?
            .json()["code"],
        "reference_taken"
    );

    let ann = aisle.staff(NORTH, &store.id, "stock").await?;
    let ben = aisle.staff(NORTH, &store.id, "stock").await?;
    aisle.database.set_clock_forward_ms(10 * MINUTE_MS).await?;
    let mut broken = scan(3, &one.sku, 2, 30);
    broken["condition"] = json!("damaged");
    let box_one = [scan(1, &one.sku, 5, 60), scan(2, &one.sku, 1, 50), broken];
    assert_eq!(send(&ann, &path, &box_one).await?.number("/new"), 3);
    let again = send(&ann, &path, &box_one).await?;
    assert_eq!((again.number("/new"), again.number("/known")), (0, 3));
    let mut stray = scan(1, "", 1, 0);
    stray["gtin"] = json!("4006381333931");
    stray["sku"] = Value::Null;
    let box_two = [
        stray,
        scan(2, &other.sku, 4, 20),
        scan(3, &other.sku, -1, 10),
        scan(4, &other.sku, 0, 0),
    ];
    let second = send(&ben, &path, &box_two).await?;
    let refused: Vec<_> = second
        .list("/refused")
        .iter()
        .map(|one| (one.number("/index"), one.text("/reason")))
        .collect();
    assert_eq!(
        (second.number("/new"), refused),
        (2, vec![(0, "unknown_gtin"), (3, "invalid_quantity")])
    );
    assert_eq!(
        erp.get(&path).expect(200).await?.json()["status"],
        "receiving"
    );
    erp.post(&format!("{path}/cancel")).expect(409).await?;

    let close = format!("{path}/close");
    let (first, second) = tokio::join!(
        ann.client.post(&close).send(),
        ben.client.post(&close).send()
    );
    let mut answers = [first?, second?];
    answers.sort_by_key(|answer| answer.status);
    assert_eq!(
        (answers[0].status.as_u16(), answers[1].status.as_u16()),
        (200, 409),
        "{answers:?}"
    );
    assert_eq!(answers[1].json()["status"], "closed");
    let closed = answers[0].json();
    let line = |sku: &str| {
        closed
            .list("/lines")
            .iter()
            .find(|line| line["sku"] == sku)
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(
        line(&one.sku),
        json!({"sku": one.sku, "announced": 10, "good": 6, "damaged": 2, "difference": -2})
    );
    assert_eq!(line(&other.sku)["difference"], 1);
    for (article, came) in [(one, 6), (other, 3)] {
        let sql = format!(
            "SELECT on_hand FROM stock WHERE sku = '{}' AND location_id = '{}'",
            article.sku, store.id
        );
        assert_eq!(aisle.database.number(&sql).await?, article.on_hand + came);
    }
    let late = send(&ann, &path, &[scan(9, &one.sku, 1, 0)]).await?;
    assert_eq!(late["refused"][0]["reason"], "task_over");
    assert_eq!(
        erp.get(&path).expect(200).await?.json().list("/lines"),
        closed.list("/lines")
    );
    let receipts = "SELECT count(*) FROM stock_movement WHERE reason = 'receipt' AND document_type = 'delivery'";
    assert_eq!(aisle.database.number(receipts).await?, 2);
    aisle.database.check_invariants().await
}

/// A van comes that nobody has announced, with an article that the store never had.
pub async fn an_unannounced_delivery_is_received(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let sku = &store.one.sku;
    // The ledger keeps its movements: only a place without any can be new to an article.
    let fresh = format!(
        "SELECT l.id FROM location l JOIN brand_location b ON b.location_id = l.id \
         JOIN brand_host h ON h.brand_id = b.brand_id AND h.host = '{NORTH}' \
         WHERE NOT EXISTS (SELECT 1 FROM stock s WHERE s.location_id = l.id AND s.sku = '{sku}') ORDER BY l.code"
    );
    let place = aisle.database.rows(&fresh).await?;
    let place = place
        .first()
        .and_then(|row| row[0].clone())
        .unwrap_or(store.id.clone());
    let on_hand = format!(
        "SELECT coalesce(sum(on_hand), 0) FROM stock WHERE sku = '{sku}' AND location_id = '{place}'"
    );
    let before = aisle.database.number(&on_hand).await?;
    let ann = aisle.staff(NORTH, &place, "stock").await?;
    let created = ann
        .client
        .post("/deliveries")
        .json(&json!({"reference": "Van"}))
        .expect(201)
        .await?;
    let path = created.header("location");
    send(&ann, path, &[scan(1, sku, 3, 0)]).await?;
    send(&ann, path, &[scan(2, sku, -4, 0)]).await?;
    let close = format!("{path}/close");
    let refused = ann.client.post(&close).expect(409).await?.json();
    assert_eq!(
        (refused.text("/code"), refused.text("/sku")),
        ("negative_total", sku.as_str())
    );
    send(&ann, path, &[scan(3, sku, 4, 0)]).await?;
    let closed = ann.client.post(&close).expect(200).await?.json();
    assert_eq!(
        closed["lines"],
        json!([{"sku": sku, "good": 3, "damaged": 0}])
    );
    assert_eq!(aisle.database.number(&on_hand).await?, before + 3);
    aisle.database.check_invariants().await
}

pub async fn a_delivery_belongs_to_its_store(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let ann = aisle.staff(NORTH, &store.id, "stock").await?;
    let created = ann
        .client
        .post("/deliveries")
        .json(&json!({"reference": "Van"}))
        .expect(201)
        .await?;
    let path = created.header("location").to_owned();
    let elsewhere = aisle.staff(NORTH, &store.other_id, "stock").await?;
    let seller = aisle.staff(NORTH, &store.id, "pos").await?;
    for (key, brand, scopes) in [
        ("harbors", "harbor", "stock"),
        ("weak", "north", "catalog"),
        ("good", "north", "stock"),
    ] {
        aisle.allow(key, Some(brand), scopes).await?;
    }
    aisle.allow("old", Some("north"), "stock").await?;
    aisle
        .database
        .rows("UPDATE admin_key SET revoked_at_ms = 1 WHERE name = 'old'")
        .await?;
    let with = |key: &str| {
        Client::new(aisle.addr(), NORTH).with_header("authorization", &format!("Bearer {key}"))
    };
    let (harbors, weak, old, unknown, good) = (
        with("harbors"),
        with("weak"),
        with("old"),
        with("who"),
        with("good"),
    );
    let before = aisle.database.snapshot().await?;
    for (method, operation) in [("GET", ""), ("POST", "/close"), ("POST", "/cancel")] {
        for (who, client, status) in [
            ("another store", &elsewhere.client, 403),
            ("without the scope", &seller.client, 403),
            ("another brand's key", &harbors, 403),
            ("a key without the scope", &weak, 403),
            ("a revoked key", &old, 401),
            ("an unknown key", &unknown, 401),
            ("nobody", &aisle.north(), 401),
        ] {
            let answer = client
                .call(method.parse()?, &format!("{path}{operation}"))
                .send()
                .await?;
            assert_eq!(
                answer.status, status,
                "{who} {method} {operation}: {answer:?}"
            );
        }
    }
    let one = scans(&[scan(1, &store.one.sku, 1, 0)]);
    elsewhere
        .client
        .post(&format!("{path}/scans"))
        .json(&one)
        .expect(403)
        .await?;
    good.post(&format!("{path}/scans"))
        .json(&one)
        .expect(401)
        .await?;
    let harbor = Client::new(aisle.addr(), HARBOR).with_header("authorization", "Bearer harbors");
    harbor.get(&path).expect(404).await?;
    for (client, body, status, at) in [
        (&good, json!({"reference": "R"}), 400, "$.location_id"),
        (
            &good,
            json!({"reference": "R", "location_id": "nowhere"}),
            422,
            "$.location_id",
        ),
        (
            &ann.client,
            json!({"reference": "R", "location_id": store.other_id}),
            403,
            "$.location_id",
        ),
        (&ann.client, json!({"reference": " "}), 400, "$.reference"),
        (
            &ann.client,
            json!({"reference": "R".repeat(101)}),
            400,
            "$.reference",
        ),
        (
            &ann.client,
            json!({"reference": "R", "lines": [{"sku": "NO-SUCH", "quantity": 1}]}),
            422,
            "$.lines[0]",
        ),
        (
            &ann.client,
            json!({"reference": "R", "lines": [{"sku": store.one.sku, "quantity": 0}]}),
            400,
            "$.lines[0].quantity",
        ),
        (
            &ann.client,
            json!({"reference": "R", "lines": [{"quantity": 1}]}),
            422,
            "$.lines[0]",
        ),
    ] {
        let answer = client
            .post("/deliveries")
            .json(&body)
            .expect(status)
            .await?;
        assert_eq!(answer.json()["path"], at, "{answer:?}");
    }
    assert_eq!(aisle.database.snapshot().await?, before);

    assert_eq!(
        good.get("/deliveries")
            .expect(200)
            .await?
            .json()
            .list("/deliveries")
            .len(),
        1
    );
    assert_eq!(
        elsewhere
            .client
            .get("/deliveries")
            .expect(200)
            .await?
            .json()
            .list("/deliveries")
            .len(),
        0
    );
    assert_eq!(
        ann.client
            .post(&format!("{path}/cancel"))
            .expect(200)
            .await?
            .json()["status"],
        "cancelled"
    );
    ann.client
        .post(&format!("{path}/close"))
        .expect(409)
        .await?;
    aisle.database.check_invariants().await
}

/// Broken, found, taken for the window: with a reason, and never what others were promised.
pub async fn a_balance_is_put_right_by_hand(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let (sku, before) = (store.one.sku.as_str(), store.one.on_hand);
    let ann = aisle.staff(NORTH, &store.id, "stock").await?;
    let boss = aisle.staff(NORTH, &store.id, "stock approve").await?;
    let seller = aisle.staff(NORTH, &store.id, "pos").await?;
    let on_hand = format!(
        "SELECT on_hand FROM stock WHERE sku = '{sku}' AND location_id = '{}'",
        store.id
    );

    let broken = json!({"gtin": store.one.gtin, "delta": -2, "reason": "damaged", "note": "a leak in the roof"});
    assert_eq!(
        ann.client
            .post("/adjustments")
            .json(&broken)
            .expect(403)
            .await?
            .json()["scope"],
        "approve"
    );
    let adjust = || {
        boss.client
            .post("/adjustments")
            .idempotency_key("k-1")
            .json(&broken)
    };
    let adjusted = adjust().expect(201).await?.json();
    assert_eq!(
        (adjusted.text("/sku"), adjusted.number("/delta")),
        (sku, -2)
    );
    assert_eq!(adjust().expect(201).await?.json(), adjusted);
    assert_eq!(aisle.database.number(&on_hand).await?, before - 2);
    let found = json!({"sku": sku, "delta": 1, "reason": "found"});
    let alone = ann.client.post("/adjustments").json(&found);
    assert_eq!(alone.expect(403).await?.json()["scope"], "approve");
    boss.client
        .post("/adjustments")
        .json(&found)
        .expect(201)
        .await?;
    assert_eq!(aisle.database.number(&on_hand).await?, before - 1);

    let all = json!({"sku": sku, "delta": -before, "reason": "lost"});
    let refused = boss
        .client
        .post("/adjustments")
        .json(&all)
        .expect(409)
        .await?
        .json();
    assert_eq!(
        (refused.text("/code"), refused.number("/available")),
        ("below_reserved", before - 1)
    );
    for (body, status, at) in [
        (
            json!({"sku": sku, "delta": 0, "reason": "found"}),
            422,
            "$.delta",
        ),
        (
            json!({"sku": sku, "delta": -1, "reason": "found"}),
            422,
            "$.delta",
        ),
        (
            json!({"sku": sku, "delta": 1, "reason": "damaged"}),
            422,
            "$.delta",
        ),
        (
            json!({"sku": sku, "delta": 100_001, "reason": "correction"}),
            422,
            "$.delta",
        ),
        (
            json!({"sku": "NO-SUCH", "delta": 1, "reason": "found"}),
            422,
            "$.sku",
        ),
        (
            json!({"gtin": "123", "delta": 1, "reason": "found"}),
            422,
            "$.gtin",
        ),
        (json!({"delta": 1, "reason": "found"}), 422, "$.sku"),
        (
            json!({"sku": sku, "delta": 1, "reason": "found", "note": "x".repeat(201)}),
            422,
            "$.note",
        ),
        (
            json!({"sku": sku, "delta": 1, "reason": "theft"}),
            400,
            "$.reason",
        ),
    ] {
        let answer = boss
            .client
            .post("/adjustments")
            .json(&body)
            .expect(status)
            .await?;
        assert_eq!(answer.json()["path"], at, "{answer:?}");
    }
    seller
        .client
        .post("/adjustments")
        .json(&found)
        .expect(403)
        .await?;
    aisle
        .north()
        .post("/adjustments")
        .json(&found)
        .expect(401)
        .await?;
    let trail = "SELECT count(*) FROM audit WHERE action = 'stock.adjusted' AND doc LIKE '%leak%'";
    assert_eq!(aisle.database.number(trail).await?, 1);
    aisle.database.check_invariants().await
}

/// Two people unpack what another store has sent; what they scanned goes into the books.
pub async fn a_transfer_is_unpacked_with_scanners(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let sku = store.one.sku.as_str();
    let sender = aisle.staff(NORTH, &store.id, "transfer").await?;
    let asker = aisle.staff(NORTH, &store.other_id, "transfer").await?;
    let ann = aisle.staff(NORTH, &store.other_id, "stock").await?;
    let ben = aisle.staff(NORTH, &store.other_id, "stock").await?;
    let on_hand = format!(
        "SELECT coalesce(sum(on_hand), 0) FROM stock WHERE sku = '{sku}' AND location_id = '{}'",
        store.other_id
    );
    let before = aisle.database.number(&on_hand).await?;
    let asked = json!({
        "items": [{"sku": sku, "quantity": 4}], "to": {"location_id": store.other_id}, "from": store.id,
    });
    let asked = asker
        .client
        .post("/transfers")
        .json(&asked)
        .expect(201)
        .await?
        .json();
    let id = asked.text("/transfers/0/id");
    let task = format!("/counts/receiving/{id}");
    let early = send(&ann, &task, &[scan(1, sku, 1, 0)]).await?;
    assert_eq!(
        early["refused"][0]["reason"], "task_over",
        "nothing was sent yet"
    );
    sender
        .client
        .post(&format!("/transfers/{id}/ship"))
        .json(&json!({}))
        .expect(200)
        .await?;

    let mut broken = scan(3, sku, 1, 0);
    broken["condition"] = json!("damaged");
    let box_one = [scan(2, sku, 2, 0), broken, scan(4, &store.other.sku, 1, 0)];
    let first = send(&ann, &task, &box_one).await?;
    assert_eq!(
        (first.number("/new"), &first["refused"][0]["reason"]),
        (2, &json!("not_in_transfer"))
    );
    let again = send(&ann, &task, &box_one).await?;
    assert_eq!((again.number("/new"), again.number("/known")), (0, 2));
    let receive = format!("/transfers/{id}/receive");
    let scanned = json!({"scanned": true});
    let part = ann
        .client
        .post(&receive)
        .json(&scanned)
        .expect(200)
        .await?
        .json();
    assert_eq!(
        (part.text("/status"), part.number("/lines/0/in_transit")),
        ("in_transit", 1)
    );
    assert_eq!(aisle.database.number(&on_hand).await?, before + 2);
    ann.client.post(&receive).json(&scanned).expect(422).await?;

    send(&ben, &task, &[scan(1, sku, 1, 0)]).await?;
    let unpacked = ben.client.get(&task).expect(200).await?.json();
    assert_eq!(
        unpacked["lines"],
        json!([{"sku": sku, "announced": 4, "good": 3, "damaged": 1, "difference": 0}])
    );
    let (one, other) = tokio::join!(
        ann.client.post(&receive).json(&scanned).send(),
        ben.client.post(&receive).json(&scanned).send()
    );
    let mut statuses = [one?.status.as_u16(), other?.status.as_u16()];
    statuses.sort_unstable();
    assert!(statuses[0] == 200 && statuses[1] >= 400, "{statuses:?}");
    assert_eq!(aisle.database.number(&on_hand).await?, before + 3);

    let wrong = aisle.staff(NORTH, &store.id, "stock").await?;
    wrong.client.get(&task).expect(403).await?;
    wrong
        .client
        .post(&format!("{task}/scans"))
        .json(&scans(&[scan(1, sku, 1, 0)]))
        .expect(403)
        .await?;
    wrong
        .client
        .post(&receive)
        .json(&scanned)
        .expect(403)
        .await?;
    asker.client.get(&task).expect(403).await?;
    aisle.north().get(&task).expect(401).await?;
    aisle.database.check_invariants().await
}

/// Two people write the same last units off at the same moment, and two find the same ones.
pub async fn two_people_put_one_balance_right(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let (sku, before) = (&store.one.sku, store.one.on_hand);
    let people = [
        aisle.staff(NORTH, &store.id, "stock approve").await?,
        aisle.staff(NORTH, &store.id, "stock approve").await?,
    ];
    let both = async |delta: i64, reason: &str| -> Result<[u16; 2]> {
        let body = json!({"sku": sku, "delta": delta, "reason": reason});
        let by = |one: usize| people[one].client.post("/adjustments").json(&body).send();
        let (one, other) = tokio::join!(by(0), by(1));
        let mut statuses = [one?.status.as_u16(), other?.status.as_u16()];
        statuses.sort_unstable();
        Ok(statuses)
    };
    assert_eq!(both(-before, "damaged").await?, [201, 409]);
    let on_hand = format!(
        "SELECT on_hand FROM stock WHERE sku = '{sku}' AND location_id = '{}'",
        store.id
    );
    assert_eq!(aisle.database.number(&on_hand).await?, 0);
    // What each says that they found is theirs to say.
    assert_eq!(both(2, "found").await?, [201, 201]);
    assert_eq!(aisle.database.number(&on_hand).await?, 4);
    aisle.database.check_invariants().await
}
