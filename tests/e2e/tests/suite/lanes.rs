//! Transfer lanes, opening hours and holidays: imported data decides what is promised.

use aisle_e2e::components::root;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{line, pickup_checkout, update_of};
use aisle_e2e::{Environment, Pair, Setup};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::checkout_transfer::{destination, spread};
use crate::imports::samples::{self, expect_errors};

/// Each is a round trip, so that this is a bound on patience, not on time.
const REQUESTS: usize = 20_000;
const HEADER: &str = "from_code,to_code,days,cut_off,transit_minutes\n";

pub async fn bad_lanes_are_reported_and_the_rest_goes_in(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let before = aisle
        .database
        .number("SELECT count(*) FROM transfer_lane")
        .await?;
    let file = format!(
        "{HEADER}LYS-01,VIE-01,mon-fri,14:00,600\nLYS-01,LYS-01,daily,14:00,600\nLYS-01,NYC-01,daily,14:00,600\n\
         NOWHERE,BER-01,daily,14:00,600\nLYS-01,BER-01,sometimes,14:00,600\nLYS-01,BER-01,daily,2pm,600\n\
         LYS-01,BER-01,daily,14:00,soon\nDC-RTM,BER-01,tue,15:00,1140\n"
    );
    let report = samples::import(&aisle.admin(), "lanes", "north", file.clone()).await?;
    assert_eq!(
        ["created", "updated", "unchanged"].map(|count| report.number(&format!("/{count}"))),
        [1, 1, 0],
        "{report:#}"
    );
    expect_errors(
        &report,
        &[
            (3, "to_code"),
            (4, "to_code"),
            (5, "from_code"),
            (6, "days"),
            (7, "cut_off"),
            (8, "transit_minutes"),
        ],
    );
    let again = samples::import(&aisle.admin(), "lanes", "north", file).await?;
    assert_eq!(again.number("/unchanged"), 2, "{again:#}");
    let after = aisle
        .database
        .number("SELECT count(*) FROM transfer_lane")
        .await?;
    assert_eq!(after, before + 1);
    let missing = aisle
        .admin()
        .post("/admin/imports?kind=lanes&brand=north")
        .csv("from_code,to_code\nA,B\n")
        .expect(422)
        .await?;
    assert!(missing.text().contains("cut_off"), "{missing:?}");
    aisle.allow("only-stock", Some("north"), "stock").await?;
    aisle
        .with_key("only-stock")
        .post("/admin/imports?kind=lanes&brand=north")
        .csv(HEADER)
        .expect(403)
        .await?;
    Ok(())
}

/// The store is closed on the day on which the goods would have arrived.
pub async fn a_holiday_moves_the_promise(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("HAM-01", 1)]).await?;
    let (shopper, store) = (aisle.north(), wanted.location("BER-01"));
    let session = pickup_checkout(&shopper, &[line(&wanted.item.id, 1)], store).await?;
    let before = destination(&session, store)?.clone();
    let arrives_on = &before.text("/transfers/0/arrives_at")[..10];

    has_exception(&aisle, "BER-01", &format!("{arrives_on} closed (Holiday)")).await?;
    let after = until_moved(&shopper, &session, store, before.text("/ready_at")).await?;
    assert!(
        after.text("/ready_at") > before.text("/ready_at"),
        "{after:#}"
    );
    assert!(
        !after.text("/ready_at").starts_with(arrives_on),
        "{after:#}"
    );
    let reasons = after.list("/transfers/0/reasons");
    assert!(
        reasons.contains(&"destination_opens_later".into()),
        "{after:#}"
    );
    Ok(())
}

/// The source closes early on the day of departure: nobody is there at the cut-off.
pub async fn a_short_day_moves_the_departure(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("HAM-01", 1)]).await?;
    let (shopper, store) = (aisle.north(), wanted.location("BER-01"));
    let departs_on = async || -> Result<String> {
        let asked = json!({"items": [{"sku": wanted.item.sku, "quantity": 1}], "to": {"location_id": store}});
        let quote = shopper.post("/transfers/quote").json(&asked);
        let quote = quote.expect(200).await?.json();
        Ok(quote.text("/transfers/0/eta/departs_at")[..10].to_owned())
    };
    let session = pickup_checkout(&shopper, &[line(&wanted.item.id, 1)], store).await?;
    let before = destination(&session, store)?.clone();
    let short_day = departs_on().await?;
    has_exception(
        &aisle,
        "HAM-01",
        &format!("{short_day} 10:00-14:00 (Short day)"),
    )
    .await?;
    let after = until_moved(&shopper, &session, store, before.text("/ready_at")).await?;
    assert!(
        after.text("/ready_at") > before.text("/ready_at"),
        "{after:#}"
    );
    // Each function remembers a location for a moment by itself.
    let mut departure = departs_on().await?;
    for _ in 0..REQUESTS {
        if departure != short_day {
            break;
        }
        departure = departs_on().await?;
    }
    assert!(departure > short_day, "{departure}");
    // Which of them depends on the time of day at which this runs.
    let reasons = after.list("/transfers/0/reasons");
    let of_the_day = [
        "source_closed_at_cut_off",
        "after_cut_off",
        "source_opens_later",
        "source_closes_first",
    ];
    assert!(
        of_the_day.iter().any(|one| reasons.contains(&json!(one))),
        "{after:#}"
    );
    Ok(())
}

/// Imports the demo's locations with this exception of one of them in place of its own.
async fn has_exception(aisle: &Environment, code: &str, exception: &str) -> Result<()> {
    let file = std::fs::read_to_string(root().join("infra/demo/north/locations.csv"))?;
    let place = file
        .lines()
        .next()
        .and_then(|header| header.split(',').position(|name| name == "exception_hours"))
        .context("no column exception_hours")?;
    let row = |row: &str| {
        let mut cells: Vec<&str> = row.split(',').collect();
        if row.starts_with(&format!("{code},")) {
            cells[place] = exception;
        }
        cells.join(",")
    };
    let changed: Vec<String> = file.lines().map(row).collect();
    let report = samples::import(&aisle.admin(), "locations", "north", changed.join("\n")).await?;
    assert_eq!(report.number("/updated"), 1, "{report:#}");
    aisle.drain_outbox().await
}

/// Asks until the store's promise is another: a location is remembered for a moment.
async fn until_moved(
    shopper: &aisle_e2e::Client,
    session: &Value,
    store: &str,
    ready_at: &str,
) -> Result<Value> {
    let path = format!("/checkout-sessions/{}", session.text("/id"));
    let update = update_of(session);
    for _ in 0..REQUESTS {
        let session = shopper.put(&path).json(&update).expect(200).await?.json();
        let shown = destination(&session, store)?;
        if shown.text("/ready_at") != ready_at {
            return Ok(shown.clone());
        }
    }
    bail!("the promise does not move")
}
