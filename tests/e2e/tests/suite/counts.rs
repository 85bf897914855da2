//! Counting by scanner: several devices at once, scans that come twice and late, and people
//! who go on buying.

use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::Look;
use aisle_e2e::staff::SignedOn;
use aisle_e2e::{Answer, Environment, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Where it is counted, and two articles that it has, with their barcodes.
pub struct Store {
    pub id: String,
    pub other_id: String,
    pub one: Article,
    pub other: Article,
}

pub struct Article {
    pub sku: String,
    pub gtin: String,
    pub on_hand: i64,
}

/// A store of North with articles of which nothing is reserved.
pub async fn store(aisle: &Environment) -> Result<Store> {
    let places = "SELECT id FROM location WHERE code IN ('BER-01', 'HAM-01') ORDER BY code";
    let places = aisle.database.rows(places).await?;
    let id = text(&places[0], 0);
    let articles = aisle.database.rows(&format!(
        "SELECT s.sku, v.gtin, s.on_hand FROM stock s JOIN variant v ON v.brand_id = s.brand_id AND v.sku = s.sku \
         WHERE s.location_id = '{id}' AND s.on_hand >= 5 AND s.reserved = 0 AND v.gtin IS NOT NULL ORDER BY s.sku LIMIT 2"
    )).await?;
    let article = |row: &[Option<String>]| {
        Ok::<_, anyhow::Error>(Article {
            sku: text(row, 0),
            gtin: text(row, 1),
            on_hand: text(row, 2).parse()?,
        })
    };
    Ok(Store {
        id,
        other_id: text(&places[1], 0),
        one: article(&articles[0])?,
        other: article(&articles[1])?,
    })
}

fn text(row: &[Option<String>], column: usize) -> String {
    row[column].clone().unwrap_or_default()
}

/// A scan taken so many seconds before noon, by a device whose clock stands at noon.
pub fn scan(sequence: i64, sku: &str, quantity: i64, seconds_ago: i64) -> Value {
    let at = 12 * 3600 - seconds_ago;
    let clock = format!("{:02}:{:02}:{:02}", at / 3600, at / 60 % 60, at % 60);
    json!({"sequence": sequence, "sku": sku, "quantity": quantity, "scanned_at": format!("2019-05-01T{clock}Z")})
}

/// The same in a zone.
pub fn zone_scan(zone: &str, sequence: i64, sku: &str, quantity: i64, seconds_ago: i64) -> Value {
    let mut scan = scan(sequence, sku, quantity, seconds_ago);
    scan["zone"] = json!(zone);
    scan
}

pub fn scans(scans: &[Value]) -> Value {
    json!({"device_now": "2019-05-01T12:00:00Z", "scans": scans})
}

pub async fn send(by: &SignedOn, task: &str, all: &[Value]) -> Result<Value> {
    let sent = by.client.post(&format!("{task}/scans")).json(&scans(all));
    Ok(sent.expect(200).await?.json())
}

async fn open(by: &SignedOn, mode: &str, zones: &[&str], skus: &[&str]) -> Result<String> {
    let request = json!({"mode": mode, "zones": zones, "skus": skus});
    let opened = by.client.post("/counts").json(&request).expect(201).await?;
    Ok(format!("/counts/{}", opened.json().text("/id")))
}

async fn step(by: &SignedOn, count: &str, step: &str) -> Result<Answer> {
    by.client.post(&format!("{count}/{step}")).send().await
}

async fn on_hand(aisle: &Environment, location_id: &str, sku: &str) -> Result<i64> {
    let sql =
        format!("SELECT on_hand FROM stock WHERE location_id = '{location_id}' AND sku = '{sku}'");
    aisle.database.number(&sql).await
}

/// The lines of a count by SKU, as somebody sees them.
async fn line(by: &SignedOn, count: &str, sku: &str) -> Result<Value> {
    let detail = by
        .client
        .get(&format!("{count}?limit=50"))
        .expect(200)
        .await?
        .json();
    let line = detail.list("/lines").iter().find(|line| line["sku"] == sku);
    line.cloned()
        .with_context(|| format!("no {sku} in {detail:#}"))
}

/// Somebody takes units off the shelf at a till.
async fn sell(aisle: &Environment, store: &Store, sku: &str, units: i64) -> Result<()> {
    let place = format!("location_id = '{}' AND sku = '{sku}'", store.id);
    let now = match aisle.database {
        aisle_e2e::Database::Sqlite(_) => {
            "(CAST(unixepoch('subsec') * 1000 AS INTEGER) + (SELECT offset_ms FROM clock))"
        }
        aisle_e2e::Database::Postgres(_) => "aisle_now_ms()",
    };
    let id = uuid::Uuid::now_v7();
    for sql in [
        format!(
            "INSERT INTO stock_movement SELECT '{id}', brand_id, sku, location_id, -{units}, 0, 'sale', 'till', 't', {now} \
             FROM stock WHERE {place}"
        ),
        format!("UPDATE stock SET on_hand = on_hand - {units} WHERE {place}"),
    ] {
        aisle.database.rows(&sql).await?;
    }
    Ok(())
}

const MINUTE_MS: i64 = 60_000;

/// Two people with scanners, one of them offline for a while; half of it is sent twice, and
/// a unit is sold between the counting and the approval.
pub async fn two_devices_count_together(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let (sku, before) = (store.one.sku.as_str(), store.one.on_hand);
    let ann = aisle.staff(NORTH, &store.id, "stock").await?;
    let ben = aisle.staff(NORTH, &store.id, "stock approve").await?;
    let count = open(&ann, "blind", &["Front", "Back"], &[sku, &store.other.sku]).await?;
    aisle.database.set_clock_forward_ms(10 * MINUTE_MS).await?;

    let front = [
        zone_scan("Front", 1, sku, 2, 120),
        zone_scan("Front", 2, sku, 1, 110),
        zone_scan("Front", 3, &store.other.sku, store.other.on_hand, 100),
    ];
    let first = send(&ann, &count, &front[..2]).await?;
    assert_eq!((first.number("/new"), first.number("/known")), (2, 0));
    let mut all = front.to_vec();
    all.reverse();
    let again = send(&ann, &count, &all).await?;
    assert_eq!((again.number("/new"), again.number("/known")), (1, 2));
    assert_eq!(step(&ann, &count, "zones/Front/done").await?.status, 200);
    let early = step(&ann, &count, "review").await?;
    assert_eq!(early.status, 409, "the back is not counted: {early:?}");
    assert_eq!(early.json()["zones"], json!(["Back"]));

    // Ben was in the cellar, without a network, and has one unit less than there should be.
    assert_eq!(step(&ben, &count, "zones/Back/done").await?.status, 200);
    assert_eq!(step(&ben, &count, "review").await?.status, 200);
    let mut by_barcode = zone_scan("Back", 1, "", before - 4, 115);
    by_barcode["gtin"] = json!(store.one.gtin);
    by_barcode.as_object_mut().context("a scan")?.remove("sku");
    let late = [by_barcode.clone(), by_barcode];
    let late = send(&ben, &count, &late).await?;
    assert_eq!(
        (late.number("/new"), late.number("/known")),
        (1, 1),
        "{late:#}"
    );
    let reopened = ann.client.get(&count).expect(200).await?.json();
    assert_eq!(
        reopened["status"], "open",
        "what came late must be looked at"
    );

    sell(&aisle, &store, sku, 2).await?;
    assert_eq!(step(&ben, &count, "review").await?.status, 200);
    let found = line(&ann, &count, sku).await?;
    assert_eq!(
        (
            found.number("/counted"),
            found.number("/expected"),
            found.number("/variance")
        ),
        (before - 1, before, -1),
        "the units sold later were counted: {found:#}"
    );
    let approved = step(&ben, &count, "approve").await?.json();
    assert_eq!(
        (&approved["applied"], &approved["conflicts"]),
        (&json!(1), &json!([])),
        "{approved:#}"
    );
    assert_eq!(on_hand(&aisle, &store.id, sku).await?, before - 3);
    assert_eq!(
        on_hand(&aisle, &store.id, &store.other.sku).await?,
        store.other.on_hand
    );
    let settled = line(&ann, &count, sku).await?;
    assert_eq!(
        (settled.number("/expected"), settled.number("/applied")),
        (before, -1)
    );

    let twice = step(&ben, &count, "approve").await?;
    assert_eq!(
        (twice.status.as_u16(), twice.json()["status"].clone()),
        (409, json!("approved").clone()),
        "{twice:?}"
    );
    let after = send(
        &ann,
        &count,
        &[front[0].clone(), zone_scan("Front", 9, sku, 1, 1)],
    )
    .await?;
    assert_eq!(after.number("/known"), 1);
    assert_eq!(after["refused"][0]["reason"], "task_over");
    let trail = format!(
        "SELECT count(*) FROM audit WHERE subject_id = '{}'",
        &count["/counts/".len()..]
    );
    assert_eq!(aisle.database.number(&trail).await?, 6);
    aisle.database.check_invariants().await
}

/// A whole store, in which one article is not found at all.
pub async fn what_nobody_finds_is_missing(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let ann = aisle.staff(NORTH, &store.id, "stock approve").await?;
    let request = json!({"mode": "guided", "zones": ["All"]});
    let opened = ann
        .client
        .post("/counts")
        .json(&request)
        .expect(201)
        .await?
        .json();
    let count = format!("/counts/{}", opened.text("/id"));
    let shelf = format!(
        "SELECT s.sku, s.on_hand FROM stock s WHERE s.location_id = '{}' AND s.on_hand > 0 \
         AND s.brand_id = (SELECT brand_id FROM brand_host WHERE host = '{NORTH}') ORDER BY s.sku",
        store.id
    );
    let shelf = aisle.database.rows(&shelf).await?;
    let found: Vec<Value> = shelf
        .iter()
        .enumerate()
        .filter(|(_, row)| text(row, 0) != store.one.sku)
        .map(|(index, row)| {
            scan(
                index as i64,
                &text(row, 0),
                text(row, 1).parse().unwrap_or(0),
                0,
            )
        })
        .collect();
    for part in found.chunks(500) {
        let sent = send(&ann, &count, part).await?;
        assert_eq!(sent.number("/new"), part.len() as i64, "{sent:#}");
    }
    let expected = line_paged(&ann, &count, &store.one.sku).await?;
    assert_eq!(
        (expected.number("/expected"), expected.number("/scans")),
        (store.one.on_hand, 0),
        "a guided count says what to look for"
    );
    step(&ann, &count, "zones/All/done").await?;
    assert_eq!(step(&ann, &count, "review").await?.status, 200);
    let approved = step(&ann, &count, "approve").await?.json();
    assert_eq!(approved["applied"], 1, "{approved:#}");
    assert_eq!(on_hand(&aisle, &store.id, &store.one.sku).await?, 0);
    aisle.drain_outbox().await?;
    let shown = aisle_e2e::shopping::stock(&aisle.north(), &store.one.sku, "").await?;
    assert!(shown.iter().all(|(id, _)| *id != store.id), "{shown:?}");
    aisle.database.check_invariants().await
}

/// Finds a line however many pages it takes.
async fn line_paged(by: &SignedOn, count: &str, sku: &str) -> Result<Value> {
    let mut cursor = String::new();
    loop {
        let page = by
            .client
            .get(&format!("{count}?limit=50{cursor}"))
            .expect(200)
            .await?
            .json();
        if let Some(line) = page.list("/lines").iter().find(|line| line["sku"] == sku) {
            return Ok(line.clone());
        }
        let next = page["pagination"]["cursor"]
            .as_str()
            .context("no such line")?;
        cursor = format!("&cursor={next}");
    }
}

/// What moves while it is counted is doubtful; counted again, it is not.
pub async fn a_recount_settles_a_doubt(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let (sku, before) = (store.one.sku.as_str(), store.one.on_hand);
    let ann = aisle.staff(NORTH, &store.id, "stock approve").await?;
    let ben = aisle.staff(NORTH, &store.id, "stock").await?;
    let count = open(&ann, "blind", &["All"], &[sku]).await?;
    send(&ann, &count, &[scan(1, sku, 2, 0)]).await?;
    sell(&aisle, &store, sku, 1).await?;
    aisle.database.set_clock_forward_ms(MINUTE_MS).await?;
    send(&ben, &count, &[scan(1, sku, before - 2, 0)]).await?;
    step(&ann, &count, "zones/All/done").await?;
    step(&ann, &count, "review").await?;
    let doubtful = line(&ann, &count, sku).await?;
    assert_eq!(doubtful["doubt"], "moved_while_counted", "{doubtful:#}");
    let unlisted = ann
        .client
        .post(&format!("{count}/recounts"))
        .json(&json!({"skus": [store.other.sku]}));
    assert_eq!(unlisted.expect(422).await?.json()["path"], "$.skus[0]");

    let again = json!({"skus": [sku]});
    let round = ann
        .client
        .post(&format!("{count}/recounts"))
        .json(&again)
        .expect(200)
        .await?
        .json();
    assert_eq!(
        (&round["round"], &round["status"]),
        (&json!(2), &json!("open"))
    );
    let hidden = line(&ann, &count, sku).await?;
    assert!(
        hidden.get("expected").is_none() && hidden.get("variance").is_none(),
        "{hidden:#}"
    );
    step(&ann, &count, "review").await?;
    let awaited = line(&ann, &count, sku).await?;
    assert_eq!(awaited["doubt"], "awaiting_recount", "{awaited:#}");

    aisle.database.set_clock_forward_ms(10 * MINUTE_MS).await?;
    // One that was taken in the first round, and one of the second.
    send(&ben, &count, &[scan(2, sku, 50, 9 * 60 + 30)]).await?;
    send(&ben, &count, &[scan(3, sku, before - 1, 5)]).await?;
    step(&ann, &count, "review").await?;
    let counted = line(&ann, &count, sku).await?;
    assert_eq!(
        (counted.number("/counted"), counted.number("/variance")),
        (before - 1, 0),
        "{counted:#}"
    );
    let approved = step(&ann, &count, "approve").await?.json();
    assert_eq!(
        (&approved["applied"], &approved["conflicts"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(on_hand(&aisle, &store.id, sku).await?, before - 1);
    aisle.database.check_invariants().await
}

/// A doubt can be accepted, by somebody who may.
pub async fn a_doubt_is_accepted_by_who_may(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let (sku, before) = (store.one.sku.as_str(), store.one.on_hand);
    let ann = aisle.staff(NORTH, &store.id, "stock").await?;
    let boss = aisle.staff(NORTH, &store.id, "stock approve").await?;
    let count = open(&ann, "guided", &["All"], &[sku, &store.other.sku]).await?;
    send(&ann, &count, &[scan(1, sku, 1, 0)]).await?;
    sell(&aisle, &store, sku, 1).await?;
    aisle.database.set_clock_forward_ms(MINUTE_MS).await?;
    send(
        &ann,
        &count,
        &[
            scan(2, sku, before - 3, 0),
            scan(3, &store.other.sku, store.other.on_hand, 0),
        ],
    )
    .await?;
    step(&ann, &count, "zones/All/done").await?;
    step(&ann, &count, "review").await?;
    let accept = json!({"accept_moved": true});
    let approve = format!("{count}/approve");
    let refused = ann
        .client
        .post(&approve)
        .json(&accept)
        .expect(403)
        .await?
        .json();
    assert_eq!(refused["scope"], "approve");
    let accepted = boss
        .client
        .post(&approve)
        .json(&accept)
        .expect(200)
        .await?
        .json();
    assert_eq!(accepted["applied"], 1, "{accepted:#}");
    assert_eq!(on_hand(&aisle, &store.id, sku).await?, before - 2);
    aisle.database.check_invariants().await
}

/// Small variances are anybody's, larger ones are not; of two who approve one is first.
pub async fn a_large_variance_needs_somebody_who_may(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let sku = store.one.sku.as_str();
    let ann = aisle.staff(NORTH, &store.id, "stock").await?;
    let bosses = [
        aisle.staff(NORTH, &store.id, "stock approve").await?,
        aisle.staff(NORTH, &store.id, "stock approve").await?,
    ];
    let count = open(&ann, "guided", &["All"], &[sku]).await?;
    send(&ann, &count, &[scan(1, sku, store.one.on_hand + 3, 0)]).await?;
    step(&ann, &count, "zones/All/done").await?;
    step(&ann, &count, "review").await?;
    let refused = step(&ann, &count, "approve").await?;
    assert_eq!(
        (
            refused.status.as_u16(),
            refused.json().number("/largest_variance")
        ),
        (403, 3),
        "{refused:?}"
    );
    let (one, other) = tokio::join!(
        step(&bosses[0], &count, "approve"),
        step(&bosses[1], &count, "approve")
    );
    let mut statuses = [one?.status.as_u16(), other?.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(
        on_hand(&aisle, &store.id, sku).await?,
        store.one.on_hand + 3
    );

    let admin = aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    brand["policies"]["counting"]["free_variance_units"] = json!(1);
    admin
        .put("/admin/brands/north")
        .json(&brand)
        .expect(200)
        .await?;
    aisle.drain_outbox().await?;
    let count = open(&ann, "guided", &["All"], &[&store.other.sku]).await?;
    send(
        &ann,
        &count,
        &[scan(2, &store.other.sku, store.other.on_hand - 1, 0)],
    )
    .await?;
    step(&ann, &count, "zones/All/done").await?;
    step(&ann, &count, "review").await?;
    // An instance may remember the policy, for the bound that the documentation states.
    for _ in 0..100_000 {
        if step(&ann, &count, "approve").await?.status == 200 {
            assert_eq!(
                on_hand(&aisle, &store.id, &store.other.sku).await?,
                store.other.on_hand - 1
            );
            return aisle.database.check_invariants().await;
        }
    }
    anyhow::bail!("the policy does not show")
}

/// What was promised to somebody is not counted away: the rest is settled, that is reported.
pub async fn what_is_reserved_is_reported_and_stays(pair: Pair) -> Result<()> {
    use aisle_e2e::shopping::{complete, items, line as bought, order_id, pickup_checkout};
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let boss = aisle.staff(NORTH, &store.id, "stock approve").await?;
    let shopper = aisle.north();
    let candidates = items(&shopper, 20).await?;
    let mut promised = None;
    for item in candidates {
        let held = on_hand(&aisle, &store.id, &item.sku).await.unwrap_or(0);
        if held >= 3 && item.sku != store.other.sku {
            promised = Some((item, held));
            break;
        }
    }
    let (item, before) = promised.context("nothing to sell")?;
    let session = pickup_checkout(&shopper, &[bought(&item.id, 2)], &store.id).await?;
    order_id(&complete(&shopper, &session).await?.json());

    let count = open(&boss, "guided", &["All"], &[&item.sku, &store.other.sku]).await?;
    let shelf = [
        scan(1, &item.sku, 1, 0),
        scan(2, &store.other.sku, store.other.on_hand + 1, 0),
    ];
    send(&boss, &count, &shelf).await?;
    step(&boss, &count, "zones/All/done").await?;
    step(&boss, &count, "review").await?;
    let approved = step(&boss, &count, "approve").await?.json();
    assert_eq!(approved["applied"], 1, "{approved:#}");
    let conflict = approved.at("/conflicts/0");
    assert_eq!(
        (conflict.text("/sku"), conflict.text("/reason")),
        (item.sku.as_str(), "below_reserved")
    );
    assert_eq!(
        (conflict.number("/reserved"), conflict.number("/variance")),
        (2, 1 - before)
    );
    assert_eq!(on_hand(&aisle, &store.id, &item.sku).await?, before);
    assert_eq!(
        on_hand(&aisle, &store.id, &store.other.sku).await?,
        store.other.on_hand + 1
    );
    let incidents = "SELECT count(*) FROM incident WHERE kind = 'count.below_reserved' AND resolved_at_ms IS NULL";
    assert_eq!(aisle.database.number(incidents).await?, 1);
    aisle.database.check_invariants().await
}

/// Two counts of the same shelf put the same mistake right once.
pub async fn two_counts_correct_once(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let (sku, before) = (store.one.sku.as_str(), store.one.on_hand);
    let boss = aisle.staff(NORTH, &store.id, "stock approve").await?;
    let counts = [
        open(&boss, "blind", &["All"], &[sku]).await?,
        open(&boss, "blind", &["All"], &[sku]).await?,
    ];
    for (sequence, count) in counts.iter().enumerate() {
        send(&boss, count, &[scan(sequence as i64, sku, before - 2, 0)]).await?;
        step(&boss, count, "zones/All/done").await?;
        step(&boss, count, "review").await?;
    }
    for count in &counts {
        assert_eq!(step(&boss, count, "approve").await?.status, 200);
    }
    assert_eq!(on_hand(&aisle, &store.id, sku).await?, before - 2);
    assert_eq!(line(&boss, &counts[0], sku).await?.number("/variance"), -2);
    aisle.database.check_invariants().await
}

/// What is wrong about one scan is said of that one.
pub async fn scans_are_refused_one_by_one(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let sku = store.one.sku.as_str();
    let ann = aisle.staff(NORTH, &store.id, "stock").await?;
    let count = open(&ann, "blind", &["Front", "Back"], &[sku]).await?;
    let with = |sequence, member: &str, value: Value| {
        let mut scan = zone_scan("Front", sequence, sku, 1, 0);
        scan[member] = value;
        scan
    };
    let by_gtin = |sequence, gtin: &str| {
        let mut scan = with(sequence, "gtin", json!(gtin));
        scan["sku"] = Value::Null;
        scan
    };
    let (all, reasons): (Vec<Value>, Vec<&str>) = [
        (zone_scan("Front", 1, sku, 1, 0), ""),
        (zone_scan("Front", 1, sku, 2, 0), "sequence_taken"),
        (with(-1, "quantity", json!(1)), "invalid_sequence"),
        (by_gtin(2, "2900140001075"), "invalid_gtin"),
        (by_gtin(3, "4006381333931"), "unknown_gtin"),
        (with(4, "sku", json!("NO-SUCH")), "unknown_sku"),
        (with(5, "gtin", json!(store.one.gtin)), "invalid_item"),
        (with(6, "zone", json!("Roof")), "unknown_zone"),
        (with(7, "zone", Value::Null), "unknown_zone"),
        (with(8, "sku", json!(store.other.sku)), "not_in_count"),
        (with(9, "quantity", json!(100_001)), "invalid_quantity"),
        (with(10, "condition", json!("damaged")), "invalid_condition"),
        (with(11, "scanned_at", json!("yesterday")), "invalid_time"),
        (zone_scan("Front", 12, sku, 1, -60), "in_the_future"),
        (zone_scan("Front", 13, sku, 1, 3600), "before_the_task"),
        (zone_scan("Back", 14, sku, 0, 0), ""),
    ]
    .into_iter()
    .unzip();
    let answer = send(&ann, &count, &all).await?;
    let wanted: Vec<(i64, &str)> = reasons
        .iter()
        .enumerate()
        .filter(|(_, reason)| !reason.is_empty())
        .map(|(index, reason)| (index as i64, *reason))
        .collect();
    let refused: Vec<(i64, &str)> = answer
        .list("/refused")
        .iter()
        .map(|one| (one.number("/index"), one.text("/reason")))
        .collect();
    assert_eq!(refused, wanted);
    assert_eq!(answer.number("/new"), 2);

    let many: Vec<Value> = (100..601)
        .map(|sequence| zone_scan("Front", sequence, sku, 1, 0))
        .collect();
    let path = format!("{count}/scans");
    let too_many = ann
        .client
        .post(&path)
        .json(&scans(&many))
        .expect(400)
        .await?;
    assert_eq!(too_many.json()["path"], "$.scans");
    let full = send(&ann, &count, &many[..500]).await?;
    assert_eq!(full.number("/new"), 500);
    for (bad, at) in [
        (scans(&[]), "$.scans"),
        (
            json!({"device_now": "now", "scans": [all[0]]}),
            "$.device_now",
        ),
        (json!({"scans": [all[0]]}), "$"),
        (
            scans(&[with(1, "quantity", json!("two"))]),
            "$.scans[0].quantity",
        ),
        (scans(&[with(1, "more", json!(1))]), "$.scans[0].more"),
    ] {
        assert_eq!(
            ann.client.post(&path).json(&bad).expect(400).await?.json()["path"],
            at
        );
    }
    for (bad, at) in [
        (json!({"mode": "seeing", "zones": ["A"]}), "$.mode"),
        (json!({"mode": "blind", "zones": []}), "$.zones"),
        (json!({"mode": "blind", "zones": ["A", "A"]}), "$.zones[1]"),
        (
            json!({"mode": "blind", "zones": ["A"], "skus": []}),
            "$.skus",
        ),
    ] {
        assert_eq!(
            ann.client
                .post("/counts")
                .json(&bad)
                .expect(400)
                .await?
                .json()["path"],
            at
        );
    }
    let unknown = json!({"mode": "blind", "zones": ["A"], "skus": [sku, "NO-SUCH"]});
    assert_eq!(
        ann.client
            .post("/counts")
            .json(&unknown)
            .expect(422)
            .await?
            .json()["path"],
        "$.skus[1]"
    );
    aisle.database.check_invariants().await
}

/// The same batch at the same moment, and under one key.
pub async fn a_batch_sent_twice_at_once_counts_once(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let sku = store.one.sku.as_str();
    let ann = aisle.staff(NORTH, &store.id, "stock").await?;
    let twin = aisle.with_key(&ann.token);
    let count = open(&ann, "guided", &["All"], &[sku]).await?;
    let batch: Vec<Value> = (0..40).map(|sequence| scan(sequence, sku, 1, 0)).collect();
    let path = format!("{count}/scans");
    let body = scans(&batch);
    let send = |client: &'static str| {
        let (ann, twin, path, body) = (&ann, &twin, &path, &body);
        async move {
            let client = if client == "twin" { twin } else { &ann.client };
            client
                .post(path)
                .header("host", &ann.client.origin()["http://".len()..])
                .json(body)
                .expect(200)
                .await
        }
    };
    let (one, other) = tokio::join!(send("ann"), send("twin"));
    let (one, other) = (one?.json(), other?.json());
    assert_eq!(
        one.number("/new") + other.number("/new"),
        40,
        "{one} {other}"
    );
    assert_eq!(one.number("/known") + other.number("/known"), 40);
    assert_eq!(line(&ann, &count, sku).await?.number("/counted"), 40);

    let more = scans(&[scan(90, sku, 1, 0)]);
    let keyed = || ann.client.post(&path).idempotency_key("k-1").json(&more);
    let (first, second) = (keyed().expect(200).await?, keyed().expect(200).await?);
    assert_eq!(first.json(), second.json());
    assert_eq!(second.header("idempotent-replayed"), "true");
    let other = ann
        .client
        .post(&path)
        .idempotency_key("k-1")
        .json(&body)
        .send()
        .await?;
    assert_eq!(other.status, 422);
    aisle.database.check_invariants().await
}

/// Only staff of the store, with the scope, while they are signed on.
pub async fn a_count_belongs_to_its_store(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let store = store(&aisle).await?;
    let ann = aisle.staff(NORTH, &store.id, "stock").await?;
    let count = open(&ann, "blind", &["All"], &[&store.one.sku]).await?;
    let elsewhere = aisle.staff(NORTH, &store.other_id, "stock approve").await?;
    let seller = aisle.staff(NORTH, &store.id, "pos").await?;
    let harbor = "SELECT bl.location_id FROM brand_location bl JOIN brand_host h ON h.brand_id = bl.brand_id WHERE h.host = 'harbor.localhost' LIMIT 1";
    let harbor = text(&aisle.database.rows(harbor).await?[0], 0);
    let stranger = aisle.staff(HARBOR, &harbor, "stock approve").await?;
    let gone = aisle.staff(NORTH, &store.id, "stock").await?;
    let end = format!(
        "UPDATE device SET revoked_at_ms = 1 WHERE id = '{}'",
        gone.device_id
    );
    aisle.database.rows(&end).await?;
    let expired = aisle.staff(NORTH, &store.id, "stock").await?;
    let end = format!(
        "UPDATE staff_session SET expires_at_ms = 1 WHERE device_id = '{}'",
        expired.device_id
    );
    aisle.database.rows(&end).await?;
    let nobody = aisle.north();
    let before = aisle.database.snapshot().await?;
    let one_scan = scans(&[scan(1, &store.one.sku, 1, 0)]);
    let again = json!({"skus": [store.one.sku]});
    let operations = [
        ("GET", "", Value::Null),
        ("POST", "/scans", one_scan),
        ("POST", "/zones/All/done", Value::Null),
        ("POST", "/review", Value::Null),
        ("POST", "/recounts", again),
        ("POST", "/approve", Value::Null),
        ("POST", "/cancel", Value::Null),
    ];
    for (method, operation, body) in &operations {
        for (who, client, status) in [
            ("another store", &elsewhere.client, 403),
            ("without the scope", &seller.client, 403),
            ("another brand", &stranger.client, 404),
            ("revoked", &gone.client, 401),
            ("expired", &expired.client, 401),
            ("nobody", &nobody, 401),
        ] {
            let call = client.call(method.parse()?, &format!("{count}{operation}"));
            let call = if body.is_null() {
                call
            } else {
                call.json(body)
            };
            let answer = call.send().await?;
            assert_eq!(
                answer.status, status,
                "{who} {method} {operation}: {answer:?}"
            );
        }
    }
    // A session of one brand under another's host.
    let elsewhere = aisle_e2e::Client::new(aisle.addr(), HARBOR)
        .with_header("authorization", &format!("Bearer {}", ann.token));
    elsewhere.get("/counts").expect(403).await?;
    seller.client.get("/counts").expect(403).await?;
    nobody
        .post("/counts")
        .json(&json!({"mode": "blind", "zones": ["A"]}))
        .expect(401)
        .await?;
    ann.client.get("/counts/not-an-id").expect(404).await?;
    ann.client.put(&count).expect(405).await?;
    assert_eq!(aisle.database.snapshot().await?, before);

    let listed = ann
        .client
        .get("/counts?status=open")
        .expect(200)
        .await?
        .json();
    assert_eq!(listed.list("/counts").len(), 1);
    ann.client.get("/counts?status=lost").expect(400).await?;
    ann.client.get("/counts?limit=0").expect(400).await?;
    assert_eq!(step(&ann, &count, "cancel").await?.status, 200);
    for over in ["cancel", "review", "approve", "zones/All/done"] {
        assert_eq!(step(&ann, &count, over).await?.status, 409, "{over}");
    }
    aisle.database.check_invariants().await
}

/// Also under an idempotency key: what is known of it comes with the read.
pub async fn a_step_is_one_read_and_one_write(pair: Pair) -> Result<()> {
    /// Until every instance has in mind who is asking, and where.
    const TIMES: usize = 30;
    // On SQLite each statement of a batch is counted.
    if pair == Pair::Embedded || !crate::harness::counts_sql() {
        return Ok(());
    }
    let aisle = Setup::demo(pair).for_measuring().start().await?;
    let store = store(&aisle).await?;
    let ann = aisle.staff(NORTH, &store.id, "stock approve").await?;
    let sku = store.one.sku.as_str();
    let count = open(&ann, "blind", &["All"], &[sku]).await?;
    let delivery = json!({"reference": "PO-1"});
    let delivery = ann.client.post("/deliveries").json(&delivery);
    let delivery = delivery.expect(201).await?.json();
    let delivery = format!("/deliveries/{}/scans", delivery.text("/id"));
    let found = json!({"sku": sku, "delta": 1, "reason": "found"});
    let mut sequence = 1_i64..;
    let (done, scanned) = (format!("{count}/zones/All/done"), format!("{count}/scans"));
    for (name, path, body) in [
        ("adjust", "/adjustments", found),
        ("zone-done", done.as_str(), json!({})),
        ("scan", scanned.as_str(), Value::Null),
        ("unpack", delivery.as_str(), Value::Null),
    ] {
        let mut least = u64::MAX;
        for time in 0..TIMES {
            let body = match &body {
                Value::Null => scans(&[scan(sequence.next().unwrap_or_default(), sku, 1, 0)]),
                body => body.clone(),
            };
            let before = aisle.shopper_sql();
            let key = format!("{name}-{time}");
            let call = ann.client.post(path).idempotency_key(&key).json(&body);
            let answer = call.send().await?;
            assert!(answer.status.is_success(), "{name}: {answer:?}");
            least = least.min(aisle.shopper_sql() - before);
        }
        assert_eq!(least, 2, "{name}");
    }
    Ok(())
}
