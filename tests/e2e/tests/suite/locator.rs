//! Finding stores: by distance, opening hours, amenities, and by what they have.

use std::collections::BTreeSet;

use aisle_e2e::json::Look;
use aisle_e2e::{Client, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

const BERLIN: [f64; 2] = [52.5200, 13.4050];

/// Hamburg is some 255 km from Berlin, Munich some 504.
pub async fn a_distance_is_a_hard_limit(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let within = |metres: i64| {
        let center = json!({"latitude": BERLIN[0], "longitude": BERLIN[1]});
        json!({"distance": {"center": center, "max": metres}})
    };
    assert_eq!(codes(&shopper, within(20_000)).await?, set(&["BER-01"]));
    assert_eq!(
        codes(&shopper, within(300_000)).await?,
        set(&["BER-01", "HAM-01"])
    );
    assert!(
        codes(&shopper, within(600_000))
            .await?
            .is_superset(&set(&["BER-01", "HAM-01", "MUC-01"]))
    );
    assert_eq!(codes(&shopper, within(0)).await?, set(&[]));
    Ok(())
}

/// An instant is open or closed by the store's own clock, exceptions included.
pub async fn hours_are_the_stores_own(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    for (instant, open) in [
        ("2026-11-25T12:00:00+01:00", true),
        ("2026-11-25T11:00:00Z", true),
        ("2026-11-25T03:00:00+01:00", false),
        ("2026-11-29T12:00:00+01:00", false),
        // Advent Sunday, Christmas Eve, Christmas Day: the demo's exceptions.
        ("2026-12-06T14:00:00+01:00", true),
        ("2026-12-24T15:00:00+01:00", false),
        ("2026-12-25T12:00:00+01:00", false),
    ] {
        let found = codes(
            &shopper,
            json!({"filters": {"hours": {"open_at": instant}}}),
        )
        .await?;
        assert_eq!(found.contains("BER-01"), open, "{instant}: {found:?}");
    }
    Ok(())
}

pub async fn amenities_must_all_be_there(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let everywhere = shopper
        .post("/locations/search")
        .json(&json!({}))
        .expect(200)
        .await?
        .json();
    let store = everywhere.at("/locations/0");
    let amenities: Vec<&String> = store
        .at("/amenities")
        .as_object()
        .into_iter()
        .flatten()
        .map(|(id, _)| id)
        .collect();
    assert!(!amenities.is_empty(), "{store:#}");
    let found = codes(&shopper, json!({"filters": {"amenities": amenities}})).await?;
    assert!(found.contains(store.text("/code")), "{found:?}");
    let none = codes(
        &shopper,
        json!({"filters": {"amenities": [amenities[0], "example.helipad"]}}),
    )
    .await?;
    assert_eq!(none, set(&[]));
    Ok(())
}

/// By id and by code; what is unknown or not for shoppers is left out.
pub async fn stores_are_looked_up_by_id_and_code(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let berlin = aisle
        .database
        .rows("SELECT id FROM location WHERE code = 'BER-01'")
        .await?;
    let berlin = berlin[0][0].as_deref().unwrap_or_default();
    let warehouse = aisle
        .database
        .rows("SELECT id FROM location WHERE code = 'DC-RTM'")
        .await?;
    let warehouse = warehouse[0][0].as_deref().unwrap_or_default();
    let ids =
        json!({"ids": [berlin, "HAM-01", "BER-01", warehouse, "DC-RTM", "NYC-01", "NOWHERE"]});
    let found = shopper
        .post("/locations/lookup")
        .json(&ids)
        .expect(200)
        .await?
        .json();
    let found: Vec<(&str, usize)> = found
        .list("/locations")
        .iter()
        .map(|store| (store.text("/code"), store.list("/inputs").len()))
        .collect();
    assert_eq!(found, [("BER-01", 2), ("HAM-01", 1)], "NYC-01 is Harbor's");
    Ok(())
}

/// The words of a place and of a question are folded as those of the catalogue are; a postal
/// code is found with and without its blank.
pub async fn a_place_is_found_however_it_is_spelled(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    for (query, store) in [
        ("Munchen", "MUC-01"),
        ("MÜNCHEN", "MUC-01"),
        ("mu\u{308}nchen", "MUC-01"),
        ("Torstrasse", "BER-01"),
        ("torstr", "BER-01"),
        ("Monckebergstrasse 19", "HAM-01"),
        ("1013EW", "AMS-01"),
        ("1013 ew", "AMS-01"),
        ("Rue de la Republique", "LYS-01"),
        ("ＢＥＲ-01", "BER-01"),
        ("stores near Berlin", "BER-01"),
    ] {
        assert_eq!(
            codes(&shopper, json!({"query": query})).await?,
            set(&[store]),
            "{query}"
        );
    }
    Ok(())
}

async fn codes(shopper: &Client, mut request: Value) -> Result<BTreeSet<String>> {
    request["pagination"] = json!({"limit": 50});
    let found = shopper
        .post("/locations/search")
        .json(&request)
        .expect(200)
        .await?
        .json();
    Ok(found
        .list("/locations")
        .iter()
        .map(|store| store.text("/code").to_owned())
        .collect())
}

fn set(codes: &[&str]) -> BTreeSet<String> {
    codes.iter().map(ToString::to_string).collect()
}
