//! Devices and people: how they are let in, how they are kept out, and what they leave behind.

use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::Look;
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

const DEVICES: &str = "/admin/devices?brand=north";
const STAFF: &str = "/admin/staff?brand=north";

async fn store_of(aisle: &Environment, host: &str) -> Result<String> {
    let sql = format!(
        "SELECT l.id FROM location l JOIN brand_location bl ON bl.location_id = l.id \
         JOIN brand_host h ON h.brand_id = bl.brand_id WHERE h.host = '{host}' ORDER BY l.code LIMIT 1"
    );
    Ok(aisle.database.rows(&sql).await?[0][0]
        .clone()
        .unwrap_or_default())
}

fn with_token(aisle: &Environment, token: &str) -> Client {
    Client::new(aisle.addr(), NORTH).with_header("authorization", &format!("Bearer {token}"))
}

async fn till_and_kim(aisle: &Environment) -> Result<(Value, Value)> {
    let location_id = store_of(aisle, NORTH).await?;
    let till = json!({"location_id": location_id, "name": "Till 1", "scopes": ["pos", "cash"]});
    let till = aisle
        .admin()
        .post(DEVICES)
        .json(&till)
        .expect(201)
        .await?
        .json();
    let kim = json!({"code": "kim", "name": "Kim", "pin": "2468", "scopes": ["pos", "approve"]});
    let kim = aisle
        .admin()
        .post(STAFF)
        .json(&kim)
        .expect(201)
        .await?
        .json();
    Ok((till, kim))
}

pub async fn somebody_signs_on_works_and_signs_off(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (till, kim) = till_and_kim(&aisle).await?;
    let device = with_token(&aisle, till.text("/token"));
    let sign_on = json!({"staff_code": "kim", "pin": "2468"});
    let session = device
        .post("/pos/sign-on")
        .json(&sign_on)
        .expect(201)
        .await?
        .json();
    assert_eq!(session.text("/staff_id"), kim.text("/id"));
    assert_eq!(session.at("/scopes"), &json!(["pos"]), "what both may do");
    let work = with_token(&aisle, session.text("/token"));
    work.get("/pos/incidents").expect(200).await?;
    let trail = work.get("/pos/audit").send().await?;
    assert_eq!(
        (trail.status.as_u16(), trail.json()["scope"].clone()),
        (403, json!("approve"))
    );

    // Several people at one till, each with a session of their own.
    let lee = json!({"code": "lee", "name": "Lee", "pin": "135791", "scopes": ["pos"]});
    aisle.admin().post(STAFF).json(&lee).expect(201).await?;
    let taken = aisle
        .admin()
        .post(STAFF)
        .json(&lee)
        .expect(409)
        .await?
        .json();
    assert_eq!(taken["code"], "code_taken");
    let sign_on = json!({"staff_code": "lee", "pin": "135791"});
    let other = device
        .post("/pos/sign-on")
        .json(&sign_on)
        .expect(201)
        .await?
        .json();
    work.post("/pos/sign-off").expect(204).await?;
    work.get("/pos/incidents").expect(401).await?;
    with_token(&aisle, other.text("/token"))
        .get("/pos/incidents")
        .expect(200)
        .await?;

    // Nothing that lets anybody in is kept as it is.
    for secret in [
        till.text("/token"),
        session.text("/token"),
        "2468",
        "135791",
    ] {
        for table in ["device", "staff", "staff_session"] {
            let rows = aisle
                .database
                .rows(&format!("SELECT * FROM {table}"))
                .await?;
            let columns = rows.iter().flatten().flatten();
            assert!(
                columns.into_iter().all(|column| column != secret),
                "{table}"
            );
        }
    }
    Ok(())
}

pub async fn wrong_pins_are_limited_and_tell_nothing(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (till, _) = till_and_kim(&aisle).await?;
    let device = with_token(&aisle, till.text("/token"));
    let attempt = async |code: &str, pin: &str| -> Result<(u16, Value)> {
        let body = json!({"staff_code": code, "pin": pin});
        let answer = device.post("/pos/sign-on").json(&body).send().await?;
        Ok((answer.status.as_u16(), answer.json()))
    };
    assert_eq!(
        attempt("kim", "0000").await?,
        attempt("nobody", "2468").await?
    );
    assert_eq!(attempt("kim", "abc").await?.0, 401);
    for _ in 1..10 {
        assert_eq!(attempt("kim", "0000").await?.0, 401);
    }
    let (status, refusal) = attempt("kim", "2468").await?;
    assert_eq!((status, &refusal["code"]), (429, &json!("too_many_tries")));
    aisle
        .database
        .set_clock_forward_ms(15 * 60_000 + 1_000)
        .await?;
    assert_eq!(attempt("kim", "2468").await?.0, 201);
    let stranger = with_token(&aisle, "not-a-device");
    let body = json!({"staff_code": "kim", "pin": "2468"});
    stranger
        .post("/pos/sign-on")
        .json(&body)
        .expect(401)
        .await?;
    let misled = Client::new(aisle.addr(), HARBOR)
        .with_header("authorization", &format!("Bearer {}", till.text("/token")));
    misled.post("/pos/sign-on").json(&body).expect(403).await?;
    Ok(())
}

pub async fn who_is_revoked_is_out(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (till, kim) = till_and_kim(&aisle).await?;
    let device = with_token(&aisle, till.text("/token"));
    let body = json!({"staff_code": "kim", "pin": "2468"});
    device.post("/pos/sign-on").json(&body).expect(201).await?;
    let admin = aisle.admin();
    let path = format!("/admin/staff/{}?brand=north", kim.text("/id"));
    for _ in 0..2 {
        admin.call(http::Method::DELETE, &path).expect(204).await?;
    }
    device.post("/pos/sign-on").json(&body).expect(401).await?;
    let path = format!("/admin/devices/{}?brand=north", till.text("/id"));
    admin.call(http::Method::DELETE, &path).expect(204).await?;
    device.post("/pos/sign-on").json(&body).expect(401).await?;
    let listed = admin.get(DEVICES).expect(200).await?.json();
    assert!(listed.at("/devices/0/revoked_at").is_string());
    assert_eq!(listed.pointer("/devices/0/token"), None);
    Ok(())
}

pub async fn devices_and_people_belong_to_a_brand(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (till, kim) = till_and_kim(&aisle).await?;
    aisle.allow("harbor-key", Some("harbor"), "staff").await?;
    aisle.allow("other-key", None, "locations").await?;
    let (harbor, other) = (aisle.with_key("harbor-key"), aisle.with_key("other-key"));
    for path in [DEVICES, STAFF] {
        harbor.get(path).expect(403).await?;
        other.get(path).expect(403).await?;
        aisle.north().get(path).expect(401).await?;
    }
    harbor.get("/admin/staff").expect(400).await?;
    for (kind, id) in [
        ("devices", till.text("/id")),
        ("staff", kim.text("/id")),
        ("staff", "1"),
    ] {
        let path = format!("/admin/{kind}/{id}?brand=harbor");
        harbor.call(http::Method::DELETE, &path).expect(404).await?;
    }
    let pier = store_of(&aisle, HARBOR).await?;
    let good =
        json!({"location_id": store_of(&aisle, NORTH).await?, "name": "T", "scopes": ["pos"]});
    for (member, value, path) in [
        ("location_id", json!(pier), "$.location_id"),
        ("location_id", json!("x"), "$.location_id"),
        ("name", json!(""), "$.name"),
        ("name", json!("x".repeat(256)), "$.name"),
        ("scopes", json!([]), "$.scopes"),
        ("scopes", json!(["pos", "root"]), "$.scopes[1]"),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        let refusal = aisle
            .admin()
            .post(DEVICES)
            .json(&bad)
            .expect(422)
            .await?
            .json();
        assert_eq!(refusal["path"], path, "{refusal:#}");
    }
    for pin in ["123", "12345678901234", "12a4"] {
        let bad = json!({"code": "c", "name": "N", "pin": pin, "scopes": ["pos"]});
        let refusal = aisle
            .admin()
            .post(STAFF)
            .json(&bad)
            .expect(422)
            .await?
            .json();
        assert_eq!(refusal["path"], "$.pin");
    }
    Ok(())
}

pub async fn the_audit_trail_cannot_be_changed(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let location_id = store_of(&aisle, NORTH).await?;
    let boss = aisle.staff(NORTH, &location_id, "cash approve pos").await?;
    let day = json!({"opening_float_minor": 10_000});
    let day = boss
        .client
        .post("/pos/till-days")
        .json(&day)
        .expect(201)
        .await?
        .json();
    let entries = format!("/pos/till-days/{}/entries", day.text("/id"));
    for amount_minor in 1..=3 {
        let entry = json!({"kind": "paid_in", "amount_minor": amount_minor, "reason": "change"});
        boss.client.post(&entries).json(&entry).expect(201).await?;
    }
    let mut seen = Vec::new();
    let mut path = "/pos/audit?limit=3".to_owned();
    loop {
        let page = boss.client.get(&path).expect(200).await?.json();
        seen.extend(page.list("/entries").to_vec());
        match page.pointer("/pagination/cursor").and_then(Value::as_str) {
            Some(cursor) => path = format!("/pos/audit?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    let actions: Vec<&str> = seen.iter().map(|entry| entry.text("/action")).collect();
    assert_eq!(
        actions,
        [
            "drawer.paid_in",
            "drawer.paid_in",
            "drawer.paid_in",
            "till_day.opened"
        ]
    );
    assert_eq!(seen[0].text("/staff_id"), boss.staff_id);
    assert_eq!(seen[0].text("/device_id"), boss.device_id);
    for statement in [
        "UPDATE audit SET staff_id = 'somebody else'",
        "DELETE FROM audit",
        "UPDATE drawer_entry SET amount_minor = 0",
        "DELETE FROM drawer_entry",
    ] {
        assert!(aisle.database.rows(statement).await.is_err(), "{statement}");
    }
    Ok(())
}
