//! What the holder of an admin key can change, and how it shows.

use aisle_e2e::json::Look;
use aisle_e2e::{Environment, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

const KEY: &str = "5d0f3a52-7a3f-4c2e-9a55-6a0b5a3e7f10";

pub async fn a_location_is_created_and_changed(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let admin = aisle.admin();
    let new = like_berlin(&aisle, "POT-01", "Northfell Potsdam").await?;
    let created = admin
        .post("/admin/locations")
        .idempotency_key(KEY)
        .json(&new)
        .expect(201)
        .await?;
    let again = admin
        .post("/admin/locations")
        .idempotency_key(KEY)
        .json(&new)
        .expect(201)
        .await?;
    assert_eq!(created.json(), again.json());
    aisle.drain_outbox().await?;
    assert_eq!(
        name_of(&aisle, "POT-01").await?,
        Some("Northfell Potsdam".into())
    );

    let path = created.header("location");
    let mut change = new;
    change["location"]["name"] = json!("Northfell Sanssouci");
    admin.put(path).json(&change).expect(428).await?;
    admin
        .put(path)
        .header("if-match", "\"99\"")
        .json(&change)
        .expect(412)
        .await?;
    let etag = admin.get(path).expect(200).await?;
    let changed = admin
        .put(path)
        .header("if-match", etag.header("etag"))
        .json(&change)
        .expect(200)
        .await?;
    assert_ne!(changed.header("etag"), etag.header("etag"));
    admin
        .put(path)
        .header("if-match", etag.header("etag"))
        .json(&change)
        .expect(412)
        .await?;
    aisle.drain_outbox().await?;
    // An instance may remember what it has read, for the bound that the documentation states.
    for _ in 0..100_000 {
        if name_of(&aisle, "POT-01").await? == Some("Northfell Sanssouci".into()) {
            return Ok(());
        }
    }
    anyhow::bail!("the new name does not show")
}

pub async fn a_location_that_makes_no_sense_is_refused(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let admin = aisle.admin();
    let good = like_berlin(&aisle, "POT-01", "Northfell Potsdam").await?;
    let before = aisle.database.snapshot().await?;
    for (member, value, path) in [
        ("time_zone", json!("Mars/Olympus"), "$.location.time_zone"),
        (
            "geo",
            json!({"latitude_e7": 950_000_000, "longitude_e7": 0}),
            "$.location.geo.latitude_e7",
        ),
        ("code", json!(""), "$.location.code"),
        ("code", json!("BER-01"), "$.location.code"),
        ("kind", json!("castle"), "$.location.kind"),
        (
            "preparation_minutes",
            json!(-5),
            "$.location.preparation_minutes",
        ),
    ] {
        let mut bad = good.clone();
        bad["location"][member] = value;
        let refused = admin.post("/admin/locations").json(&bad).send().await?;
        assert!(
            [400, 409, 422].contains(&refused.status.as_u16()),
            "{member}: {refused:?}"
        );
        assert_eq!(refused.json()["path"], path, "{refused:?}");
    }
    let mut unknown_brand = good;
    unknown_brand["brands"] = json!(["nobody"]);
    let refused = admin
        .post("/admin/locations")
        .json(&unknown_brand)
        .send()
        .await?;
    assert_eq!(refused.json()["path"], "$.brands[0]", "{refused:?}");
    assert_eq!(aisle.database.snapshot().await?, before);
    Ok(())
}

/// A key of one brand does not reach another's, and a scope is a limit.
pub async fn a_key_reaches_what_it_is_for(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    aisle.allow("harbor-stock", Some("harbor"), "stock").await?;
    aisle.allow("revoked", None, "admin").await?;
    aisle
        .database
        .rows("UPDATE admin_key SET revoked_at_ms = 1 WHERE name = 'revoked'")
        .await?;
    let before = aisle.database.snapshot().await?;
    let nothing = "sku,location_code,on_hand\n";
    let clerk = aisle.with_key("harbor-stock");
    clerk
        .post("/admin/imports?kind=stock&brand=harbor")
        .csv(nothing)
        .expect(200)
        .await?;
    let refusals = [
        clerk
            .post("/admin/imports?kind=stock&brand=north")
            .csv(nothing)
            .send()
            .await?,
        clerk
            .post("/admin/imports?kind=products&brand=harbor")
            .csv("Handle,Title,Variant Price\n")
            .send()
            .await?,
        clerk.get("/admin/locations").send().await?,
    ];
    for refused in refusals {
        assert_eq!(refused.status, 403, "{refused:?}");
        assert_eq!(refused.json()["code"], "forbidden");
    }
    aisle
        .with_key("revoked")
        .get("/admin/brands")
        .expect(401)
        .await?;
    let mut after = aisle.database.snapshot().await?;
    after.insert("import_run", before["import_run"].clone());
    assert_eq!(after, before);
    Ok(())
}

/// A new location's request, with everything but its names as the store in Berlin has it.
async fn like_berlin(aisle: &Environment, code: &str, name: &str) -> Result<Value> {
    let row = aisle
        .database
        .rows("SELECT doc FROM location WHERE code = 'BER-01'")
        .await?;
    let mut location: Value = serde_json::from_str(row[0][0].as_deref().unwrap_or_default())?;
    location["id"] = json!("");
    location["code"] = json!(code);
    location["name"] = json!(name);
    Ok(json!({"brands": ["north"], "location": location}))
}

async fn name_of(aisle: &Environment, code: &str) -> Result<Option<String>> {
    let found = aisle
        .north()
        .post("/locations/lookup")
        .json(&json!({"ids": [code]}))
        .expect(200)
        .await?
        .json();
    Ok(found
        .list("/locations")
        .first()
        .map(|store| store.text("/name").to_owned()))
}
