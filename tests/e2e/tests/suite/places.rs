//! Hundreds of stores: what is where, nearest first or most first, page by page; and what is
//! read and written for it.

use std::collections::BTreeSet;

use aisle_domain::geo::{Degrees, distance_m, geodesic_m};
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{
    self, checkout_request, complete, line, order_id, pickup_at, with_first_options,
};
use aisle_e2e::{Client, Environment, Pair};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::imports::samples;

const STORES: usize = 300;
const SKU: &str = "COAT";
/// Three stores have it.
const RARE: &str = "HAT";
const CENTRES: [&str; 4] = ["52.52,13.405", "-90,0", "0,179.99", "71.2,-179.5"];

/// A shop with hundreds of stores all over the world, some of them near others.
struct Chain {
    aisle: Environment,
    stores: Vec<Store>,
}

struct Store {
    id: String,
    code: String,
    at: Degrees,
    units: i64,
}

impl Chain {
    async fn open(pair: Pair) -> Result<Self> {
        let aisle = samples::corner_shop(pair).await?;
        let admin = aisle.admin();
        let mut seed = 42_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let mut places = String::from(
            "code,name,kind,street_address,address_locality,postal_code,address_country,latitude,longitude,time_zone,\
             hours_mon,hours_tue,hours_wed,hours_thu,hours_fri,hours_sat,hours_sun,sell,pickup,ship,transfer\n",
        );
        let mut counts = String::from("sku,location_code,on_hand\n");
        let mut drawn = Vec::with_capacity(STORES);
        let day = "00:00-24:00,".repeat(7);
        for number in 0..STORES {
            // Half of them lie close together.
            let (latitude, longitude) = match number % 2 {
                0 => (
                    random(180_000) as f64 / 1e3 - 90.0,
                    random(360_000) as f64 / 1e3 - 180.0,
                ),
                _ => (
                    50.0 + random(4_000) as f64 / 1e3,
                    11.0 + random(5_000) as f64 / 1e3,
                ),
            };
            let (latitude, longitude) = match number {
                0 => (90.0, 0.0),
                2 => (0.0, 180.0),
                4 => (0.0, -180.0),
                _ => (latitude, longitude),
            };
            let code = format!("S{number:03}");
            let units = random(9) as i64;
            places += &format!(
                "{code},Store {number},store,{number} Main St,Town {},12345,US,{latitude},{longitude},Europe/Berlin,{day}yes,yes,no,yes\n",
                number % 50
            );
            counts += &format!("{SKU},{code},{units}\n");
            if number % 100 == 99 {
                counts += &format!("{RARE},{code},1\n");
            }
            let at = Degrees::new(latitude, longitude).expect("a place on earth");
            drawn.push((code, at, units));
        }
        let products = format!(
            "Handle,Title,Variant SKU,Variant Price\ncoat,Coat,{SKU},9.99\nhat,Hat,{RARE},5.00\n"
        );
        for (kind, file) in [
            ("locations", &places),
            ("products", &products),
            ("stock", &counts),
        ] {
            let report = samples::import(&admin, kind, "corner", file.clone()).await?;
            assert_eq!(report["refused"], 0, "{report:#}");
        }
        aisle.drain_outbox().await?;
        let rows = aisle
            .database
            .rows("SELECT code, id FROM location ORDER BY code")
            .await?;
        let mut stores = Vec::with_capacity(STORES);
        for (code, at, units) in drawn {
            let row = rows.iter().find(|row| row[0].as_deref() == Some(&code));
            let id = row
                .and_then(|row| row[1].clone())
                .context("a store is missing")?;
            stores.push(Store {
                id,
                code,
                at,
                units,
            });
        }
        Ok(Self { aisle, stores })
    }

    fn shopper(&self) -> Client {
        self.aisle.client("corner.localhost")
    }

    fn with_units(&self) -> impl Iterator<Item = &Store> {
        self.stores.iter().filter(|store| store.units > 0)
    }

    async fn set(&self, code: &str, on_hand: i64) -> Result<()> {
        let csv = format!("sku,location_code,on_hand\n{SKU},{code},{on_hand}\n");
        samples::import(&self.aisle.admin(), "stock", "corner", csv).await?;
        self.aisle.drain_outbox().await
    }

    async fn item(&self, sku: &str) -> Result<String> {
        let sql = format!("SELECT id FROM variant WHERE sku = '{sku}'");
        let rows = self.aisle.database.rows(&sql).await?;
        rows[0][0].clone().context("an id")
    }
}

/// All rows of a list, page by page, and the total that every page says.
async fn paged(shopper: &Client, path: &str, limit: usize) -> Result<(Vec<Value>, Value)> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shopper
            .get(&format!("{path}limit={limit}{cursor}"))
            .expect(200)
            .await?
            .json();
        let found = page.list("/locations");
        assert!(found.len() <= limit);
        rows.extend(found.iter().cloned());
        if page.at("/pagination/has_next_page") == false {
            return Ok((rows, page["total"].clone()));
        }
        assert_eq!(found.len(), limit, "only the last page is short");
        cursor = format!("&cursor={}", page.text("/pagination/cursor"));
    }
}

/// As sorting all of them by their distance has it, at the poles and the antimeridian too.
pub async fn the_nearest_that_have_it_come_first(pair: Pair) -> Result<()> {
    let chain = Chain::open(pair).await?;
    let shopper = chain.shopper();
    for centre in CENTRES {
        let from = Degrees::parse(centre).expect("a point");
        let mut expected: Vec<(f64, &str, i64)> = chain
            .with_units()
            .map(|store| (geodesic_m(from, store.at), store.id.as_str(), store.units))
            .collect();
        expected.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)));
        for limit in [7, 200] {
            let (rows, total) =
                paged(&shopper, &format!("/stock/{SKU}?near={centre}&"), limit).await?;
            let shown: Vec<(i64, &str, i64)> = rows
                .iter()
                .map(|row| {
                    (
                        row.number("/distance_m"),
                        row.text("/location_id"),
                        row.number("/available"),
                    )
                })
                .collect();
            let expected: Vec<(i64, &str, i64)> = expected
                .iter()
                .map(|(far, id, units)| (far.round() as i64, *id, *units))
                .collect();
            // Coordinates are kept to a ten millionth of a degree.
            let same = |(a, b): (&(i64, &str, i64), &(i64, &str, i64))| {
                (a.0 - b.0).abs() <= 1 && (a.1, a.2) == (b.1, b.2)
            };
            assert!(
                shown.len() == expected.len() && shown.iter().zip(&expected).all(same),
                "near {centre}, {limit} a page: {shown:?} instead of {expected:?}"
            );
            let units: i64 = chain.with_units().map(|store| store.units).sum();
            assert_eq!(
                total,
                json!({"available": units, "locations": expected.len()})
            );
        }
    }
    let first = shopper
        .get(&format!("/stock/{SKU}?near=52.52,13.405"))
        .expect(200)
        .await?
        .json();
    assert_eq!(first.list("/locations").len(), 50, "by default");
    Ok(())
}

pub async fn without_a_place_those_with_most_come_first(pair: Pair) -> Result<()> {
    let chain = Chain::open(pair).await?;
    let shopper = chain.shopper();
    let mut expected: Vec<(i64, &str)> = chain
        .with_units()
        .map(|store| (-store.units, store.id.as_str()))
        .collect();
    expected.sort_unstable();
    for limit in [11, 50, 200] {
        let (rows, _) = paged(&shopper, &format!("/stock/{SKU}?"), limit).await?;
        let shown: Vec<(i64, &str)> = rows
            .iter()
            .map(|row| (-row.number("/available"), row.text("/location_id")))
            .collect();
        assert_eq!(shown, expected, "{limit} a page");
    }
    let (rare, total) = paged(&shopper, &format!("/stock/{RARE}?"), 50).await?;
    assert_eq!((rare.len(), &total["locations"]), (3, &json!(3)));
    Ok(())
}

pub async fn pages_that_make_no_sense_are_refused(pair: Pair) -> Result<()> {
    let chain = Chain::open(pair).await?;
    let shopper = chain.shopper();
    let page = shopper
        .get(&format!("/stock/{SKU}?limit=5"))
        .expect(200)
        .await?
        .json();
    let cursor = page.text("/pagination/cursor").to_owned();
    for (query, name) in [
        ("limit=0".to_owned(), "limit"),
        ("limit=201".into(), "limit"),
        ("limit=many".into(), "limit"),
        ("cursor=xyz".into(), "cursor"),
        (format!("near=1,1&cursor={cursor}"), "cursor"),
        ("near=91,0".into(), "near"),
    ] {
        let refused = shopper
            .get(&format!("/stock/{SKU}?{query}"))
            .expect(400)
            .await?
            .json();
        assert_eq!(refused.text("/path"), name, "{query}: {refused:#}");
    }
    let other = shopper
        .get(&format!("/stock/{RARE}?cursor={cursor}"))
        .expect(400)
        .await?;
    assert_eq!(other.json().text("/path"), "cursor", "of another article");
    Ok(())
}

/// A change of one store is shown, and writes its piece and the article's summary, however
/// many stores there are.
pub async fn a_change_rewrites_its_piece_alone(pair: Pair) -> Result<()> {
    let chain = Chain::open(pair).await?;
    let shopper = chain.shopper();
    let near = format!("/stock/{SKU}?near=52.52,13.405&");
    let (before, _) = paged(&shopper, &near, 200).await?;
    let store = &chain.stores[1];
    let writes = || {
        let stats = chain.aisle.edge().stats();
        stats
            .components
            .get("relay")
            .map_or(0, |relay| relay.key_value)
    };
    let so_far = crate::harness::counts_sql().then(writes);
    chain.set(&store.code, store.units + 70).await?;
    if let Some(so_far) = so_far {
        // Each of the two is looked at and written.
        assert_eq!(writes() - so_far, 4);
    }
    shopping::until_available(&shopper, SKU, &store.id, store.units + 70).await?;
    let units: i64 = chain.stores.iter().map(|store| store.units).sum();
    // An instance may remember the sums for a moment longer than the levels.
    let mut looks = 0;
    let (after, total) = loop {
        let (after, total) = paged(&shopper, &near, 200).await?;
        looks += 1;
        if total["available"] == units + 70 || looks == 2_000 {
            break (after, total);
        }
    };
    let others = |rows: &[Value]| {
        let rows = rows.iter().filter(|row| row["location_id"] != store.id);
        rows.cloned().collect::<Vec<_>>()
    };
    assert_eq!(others(&before), others(&after));
    assert_eq!(total["available"], units + 70);
    Ok(())
}

/// What a location does is seen in the sums, also in those that were made before.
pub async fn a_store_that_closes_is_left_out(pair: Pair) -> Result<()> {
    let chain = Chain::open(pair).await?;
    let shopper = chain.shopper();
    let store = chain.with_units().next().context("a store with units")?;
    let path = format!("/admin/locations/{}", store.id);
    let mut record = chain.aisle.admin().get(&path).expect(200).await?.json();
    record["location"]["visible"] = json!(false);
    let version = record["version"].to_string();
    let changed = json!({"brands": record["brands"], "location": record["location"]});
    chain
        .aisle
        .admin()
        .put(&path)
        .header("if-match", &format!("\"{version}\""))
        .json(&changed)
        .expect(200)
        .await?;
    // Another store of the same cell sells, so that the article is looked at anew.
    chain
        .set(&chain.stores[3].code, chain.stores[3].units + 1)
        .await?;
    shopping::until_available(
        &shopper,
        SKU,
        &chain.stores[3].id,
        chain.stores[3].units + 1,
    )
    .await?;
    shopping::until_available(&shopper, SKU, &store.id, 0).await?;
    let (rows, total) = paged(&shopper, &format!("/stock/{SKU}?near=0,0&"), 200).await?;
    assert!(rows.iter().all(|row| row["location_id"] != store.id));
    let units: i64 = chain.stores.iter().map(|store| store.units).sum();
    assert_eq!(total["available"], units - store.units + 1);
    assert_eq!(total["locations"], rows.len());
    Ok(())
}

/// The locator answers as sorting all of them does, and finds who has something.
pub async fn the_locator_finds_among_many(pair: Pair) -> Result<()> {
    let chain = Chain::open(pair).await?;
    let shopper = chain.shopper();
    let from = Degrees::parse("52.52,13.405").expect("a point");
    let centre = json!({"center": {"latitude": 52.52, "longitude": 13.405}, "max": 400_000.0});
    let found = search(&shopper, json!({"distance": centre})).await?;
    let mut expected: Vec<&Store> = chain
        .stores
        .iter()
        .filter(|store| geodesic_m(from, store.at) <= 400_000.0)
        .collect();
    expected.sort_by(|a, b| geodesic_m(from, a.at).total_cmp(&geodesic_m(from, b.at)));
    assert!(expected.len() > 50, "more than a page");
    let codes = |stores: &[&Store]| {
        stores
            .iter()
            .map(|store| store.code.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(found, codes(&expected));
    let all = search(&shopper, json!({})).await?;
    assert_eq!(all.len(), STORES + 1, "with the corner's own");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    let town = search(&shopper, json!({"query": "town 7"})).await?;
    assert!(
        town.iter().all(|code| code.starts_with('S')) && town.contains(&"S007".into()),
        "{town:?}"
    );
    let hats = search(&shopper, json!({"filters": {"items": [RARE]}})).await?;
    assert_eq!(hats, ["S199", "S299", "S099"].map(String::from), "by name");
    let anywhere = json!({"center": {"latitude": 52.52, "longitude": 13.405}, "max": 20_100_000.0});
    let nearest = search(
        &shopper,
        json!({"distance": anywhere, "filters": {"items": [RARE]}}),
    )
    .await?;
    let mut expected = [&chain.stores[99], &chain.stores[199], &chain.stores[299]];
    expected.sort_by_key(|store| distance_m(from, store.at));
    assert_eq!(nearest, codes(&expected));
    Ok(())
}

async fn search(shopper: &Client, mut request: Value) -> Result<Vec<String>> {
    let mut codes = Vec::new();
    request["pagination"] = json!({"limit": 50});
    loop {
        let page = shopper
            .post("/locations/search")
            .json(&request)
            .expect(200)
            .await?
            .json();
        codes.extend(
            page.list("/locations")
                .iter()
                .map(|one| one.text("/code").to_owned()),
        );
        if page.at("/pagination/has_next_page") == false {
            return Ok(codes);
        }
        request["pagination"]["cursor"] = page.at("/pagination/cursor").clone();
    }
}

/// Fifty stores are offered; one that is not among them can be chosen all the same.
pub async fn a_checkout_offers_fifty_stores_and_takes_any(pair: Pair) -> Result<()> {
    let chain = Chain::open(pair).await?;
    let (shopper, item) = (chain.shopper(), chain.item(SKU).await?);
    let lines = [line(&item, 1)];
    let mut request = checkout_request(&lines, json!({"methods": [{"type": "pickup"}]}));
    request["context"] = json!({"location": chain.stores[1].id});
    let created = shopper
        .post("/checkout-sessions")
        .json(&request)
        .expect(201)
        .await?
        .json();
    let offered: Vec<String> = destinations(&created);
    assert_eq!(offered.len(), 50, "{created:#}");
    let from = chain.stores[1].at;
    let mut nearest: Vec<&Store> = chain.with_units().collect();
    nearest.sort_by(|a, b| geodesic_m(from, a.at).total_cmp(&geodesic_m(from, b.at)));
    let far = |id: &str| {
        let mut stores = chain.stores.iter();
        let store = stores.find(|store| store.id == id).expect("a store");
        geodesic_m(from, store.at)
    };
    // Coordinates are kept to a ten millionth of a degree.
    let in_order = offered
        .iter()
        .zip(&nearest)
        .take(30)
        .all(|(id, near)| (far(id) - geodesic_m(from, near.at)).abs() < 1.0);
    assert!(in_order, "the nearest come first: {offered:?}");
    let beyond = nearest
        .iter()
        .rev()
        .find(|store| !offered.contains(&store.id));
    let beyond = beyond.context("a store beyond those that are offered")?;
    let chosen = checkout_request(&lines, pickup_at(&beyond.id));
    let session = shopper
        .post("/checkout-sessions")
        .json(&chosen)
        .expect(201)
        .await?
        .json();
    assert!(destinations(&session).contains(&beyond.id));
    let session = match with_first_options(&session) {
        None => session,
        Some(update) => {
            let path = format!("/checkout-sessions/{}", session.text("/id"));
            shopper.put(&path).json(&update).expect(200).await?.json()
        }
    };
    let completed = complete(&shopper, &session).await?.json();
    assert!(!order_id(&completed).is_empty());
    let left = format!(
        "SELECT on_hand - reserved FROM stock WHERE sku = '{SKU}' AND location_id = '{}'",
        beyond.id
    );
    assert_eq!(chain.aisle.database.number(&left).await?, beyond.units - 1);
    chain.aisle.database.check_invariants().await
}

fn destinations(session: &Value) -> Vec<String> {
    let offered = session.list("/fulfillment/methods/0/destinations").iter();
    offered.map(|one| one.text("/id").to_owned()).collect()
}

/// More than any candidates have together is looked for everywhere before it is refused.
pub async fn what_many_stores_have_together_can_be_wished_for(pair: Pair) -> Result<()> {
    let chain = Chain::open(pair).await?;
    let (shopper, item) = (chain.shopper(), chain.item(SKU).await?);
    let all: i64 = chain.stores.iter().map(|store| store.units).sum();
    let all = all.min(999);
    let cart = json!({"line_items": [line(&item, all)]});
    let cart = shopper.post("/carts").json(&cart).expect(201).await?.json();
    assert_eq!(cart.at("/line_items/0/quantity"), all, "{cart:#}");
    let warned = cart
        .get("messages")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    assert_eq!(warned, 0, "{cart:#}");
    Ok(())
}

/// A quote looks at the places that have a lane to where the goods are wanted.
pub async fn a_quote_looks_at_lanes(pair: Pair) -> Result<()> {
    let chain = Chain::open(pair).await?;
    let shopper = chain.shopper();
    let with: Vec<&Store> = chain.with_units().collect();
    let [source, .., to] = &with[..] else {
        anyhow::bail!("no stores with units");
    };
    let lanes = format!(
        "from_code,to_code,days,cut_off,transit_minutes\n{},{},daily,12:00,600\n",
        source.code, to.code
    );
    let report = samples::import(&chain.aisle.admin(), "lanes", "corner", lanes).await?;
    assert_eq!(report["refused"], 0, "{report:#}");
    let asked = json!({"items": [{"sku": SKU, "quantity": 1}], "to": {"location_id": to.id}});
    let quote = shopper
        .post("/transfers/quote")
        .json(&asked)
        .expect(200)
        .await?
        .json();
    assert_eq!(
        quote.text("/transfers/0/from/location_id"),
        source.id,
        "{quote:#}"
    );
    assert!(quote.list("/sources").len() <= 20);
    let point = format!("{},{}", to.at.latitude, to.at.longitude);
    let near = json!({"items": [{"sku": SKU, "quantity": 1}], "to": {"near": point}});
    let quote = shopper
        .post("/transfers/quote")
        .json(&near)
        .expect(200)
        .await?
        .json();
    assert_eq!(
        quote.text("/to/location_id"),
        to.id,
        "nearest to {point}: {quote:#}"
    );
    Ok(())
}
