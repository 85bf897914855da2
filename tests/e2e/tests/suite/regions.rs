//! Where something goes decides what it costs, however the place is written.

use aisle_e2e::json::{Look, total};
use aisle_e2e::shopping::{buyer, items, line};
use aisle_e2e::{Client, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

/// A checkout of one piece of an article, sent to a place.
fn sent_to(item: &str, country: &str, region: Option<&str>, postal_code: Option<&str>) -> Value {
    let address = json!({
        "id": "home", "street_address": "1 Analytical Way", "address_locality": "Springfield",
        "address_country": country, "address_region": region, "postal_code": postal_code,
    });
    json!({
        "line_items": [line(item, 1)], "buyer": buyer(),
        "fulfillment": {"methods": [{"type": "shipping", "destinations": [address], "selected_destination_id": "home"}]},
    })
}

async fn opened(shopper: &Client, request: &Value) -> Result<Value> {
    let created = shopper.post("/checkout-sessions").json(request);
    Ok(created.expect(201).await?.json())
}

/// Code and path of what has to be put right.
fn questions(document: &Value) -> Vec<(&str, &str)> {
    let messages = document["messages"].as_array().into_iter().flatten();
    messages
        .filter(|message| message["type"] == "error")
        .map(|message| {
            (
                message.text("/code"),
                message["path"].as_str().unwrap_or(""),
            )
        })
        .collect()
}

pub async fn a_region_costs_the_same_by_every_name_or_is_asked_for(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.harbor();
    let item = items(&shopper, 1).await?.remove(0);
    let taxed = |session: &Value| total(session, "tax").unwrap_or(0);
    let to = |country: &str, region| sent_to(&item.id, country, region, Some("90001"));
    let by_code = opened(&shopper, &to("US", Some("CA"))).await?;
    assert!(taxed(&by_code) > 0, "{by_code:#}");
    for (country, region) in [
        ("USA", "US-CA"),
        ("United States", "california"),
        ("us", "C.A."),
    ] {
        let session = opened(&shopper, &to(country, Some(region))).await?;
        assert_eq!(taxed(&session), taxed(&by_code), "{session:#}");
        let address = session.at("/fulfillment/methods/0/destinations/0");
        assert_eq!(
            (
                address.text("/address_country"),
                address.text("/address_region")
            ),
            ("US", "CA")
        );
    }
    let address = "$.fulfillment.methods[0].destinations[0]";
    for (country, region, code, field) in [
        ("US", None, "missing", "address_region"),
        ("US", Some("Gotham"), "region_unknown", "address_region"),
        ("ZZ", None, "country_unknown", "address_country"),
    ] {
        let session = opened(&shopper, &to(country, region)).await?;
        let path = format!("{address}.{field}");
        assert!(questions(&session).contains(&(code, &path)), "{session:#}");
        assert_eq!(session["status"], "incomplete");
    }
    let cart = json!({"line_items": [{"item": {"id": item.id}, "quantity": 1.0}],
                      "context": {"address_country": "US", "address_region": "Gotham"}});
    let cart = shopper.post("/carts").json(&cart).expect(201).await?.json();
    let messages = cart.list("/messages").iter();
    let paths: Vec<&str> = messages
        .filter_map(|message| message["path"].as_str())
        .collect();
    assert!(paths.contains(&"$.context.address_region"), "{cart:#}");
    Ok(())
}

pub async fn two_taxes_on_one_line_are_two_entries(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let admin = aisle.admin();
    let stored = admin.get("/admin/brands/harbor").expect(200).await?;
    let mut brand = stored.json();
    let rates = brand["tax_rates"].as_array_mut().expect("rates");
    for (name, rate_ppm) in [("GST", 50_000), ("PST", 70_000)] {
        rates.push(json!({"country": "Canada", "region": "British Columbia", "name": name, "rate_ppm": rate_ppm}));
    }
    for method in brand["shipping_methods"].as_array_mut().expect("methods") {
        method["countries"] = json!(["US", "Canada"]);
    }
    let changed = admin
        .put("/admin/brands/harbor")
        .header("if-match", stored.header("etag"))
        .json(&brand)
        .expect(200)
        .await?
        .json();
    let last = changed.list("/tax_rates").last().expect("a rate");
    assert_eq!((last.text("/country"), last.text("/region")), ("CA", "BC"));
    let shopper = aisle.harbor();
    let item = items(&shopper, 1).await?.remove(0);
    let request = sent_to(&item.id, "CAN", Some("British Columbia"), Some("V5K 0A1"));
    let session = opened(&shopper, &request).await?;
    let taxes = |totals: &[Value]| -> Vec<String> {
        let taxes = totals.iter().filter(|total| total["type"] == "tax");
        taxes
            .map(|tax| tax.text("/display_text").to_owned())
            .collect()
    };
    assert_eq!(
        taxes(session.list("/line_items/0/totals")),
        ["GST 5 %", "PST 7 %"],
        "{session:#}"
    );
    assert_eq!(
        taxes(session.list("/totals")),
        ["GST 5 %", "PST 7 %"],
        "{session:#}"
    );
    Ok(())
}

pub async fn a_stores_own_address_is_understood_or_refused(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let admin = aisle.admin();
    let located = |country: &str, region: &str, postal_code: &str| {
        json!({"brands": ["harbor"], "location": {
            "code": format!("T-{country}-{region}"), "name": "Test", "kind": "store", "visible": true,
            "address": {"street_address": "1 High St", "address_locality": "Town", "address_region": region,
                        "postal_code": postal_code, "address_country": country},
            "geo": {"latitude_e7": 0, "longitude_e7": 0}, "time_zone": "UTC",
            "services": {"sell": true}, "preparation_minutes": 60,
        }})
    };
    for (country, region, postal_code, path) in [
        ("US", "", "10001", "$.location.address.address_region"),
        ("US", "Gotham", "10001", "$.location.address.address_region"),
        ("ZZ", "", "1", "$.location.address.address_country"),
        ("DE", "", "", "$.location.address.postal_code"),
    ] {
        let body = located(country, region, postal_code);
        let refused = admin
            .post("/admin/locations")
            .json(&body)
            .expect(422)
            .await?
            .json();
        assert_eq!(refused.text("/path"), path, "{refused:#}");
    }
    for (country, region, postal_code, codes) in [
        ("United States", "New York", "10001", ("US", "NY")),
        ("Hong Kong", "", "", ("HK", "")),
        ("ARE", "Dubai", "", ("AE", "DU")),
    ] {
        let body = located(country, region, postal_code);
        let created = admin
            .post("/admin/locations")
            .json(&body)
            .expect(201)
            .await?
            .json();
        let address = created.at("/location/address");
        assert_eq!(
            (
                address.text("/address_country"),
                address.text("/address_region")
            ),
            codes
        );
    }
    Ok(())
}
