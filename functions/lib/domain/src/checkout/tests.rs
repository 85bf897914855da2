//! A shop small enough to see whole, for the tests of this folder.

mod cases;
mod following;
mod properties;

use serde_json::json;

use super::*;
use crate::brand::Brand;
use crate::cart::Item;
use crate::fulfillment::{MethodKind, ShippingAddress};
use crate::plan::StockLevel;
use crate::tax::TaxRate;

const NOW_MS: i64 = 1_782_864_000_000;
const SKUS: [&str; 3] = ["mug", "tee", "gift"];
const PLACES: [&str; 3] = ["store-a", "store-b", "warehouse"];

fn brand(prices_include_tax: bool) -> Brand {
    serde_json::from_value(json!({
        "handle": "north", "name": "North", "hosts": [], "currency": "EUR", "language": "en",
        "country": "DE", "prices_include_tax": prices_include_tax,
        "shipping_methods": [
            {"id": "std", "title": "Standard", "price_minor": 490, "countries": ["DE", "US"], "earliest_days": 2, "latest_days": 4},
            {"id": "exp", "title": "Express", "price_minor": 990, "countries": ["DE"], "earliest_days": 1, "latest_days": 1},
        ],
    }))
    .unwrap()
}

fn rates() -> Vec<TaxRate> {
    let rate = |country: &str, region: &str, rate_ppm| TaxRate {
        country: country.into(),
        region: region.into(),
        category: String::new(),
        name: String::new(),
        rate_ppm,
    };
    vec![rate("DE", "", 190_000), rate("US", "NY", 88_750)]
}

fn location(id: &str, name: &str, country: &str, region: &str, latitude_e7: i64) -> Location {
    let store = id.starts_with("store");
    let week: Vec<_> = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
    .iter()
    .map(|day| json!({"day": day, "opens": "00:00", "closes": "23:59"}))
    .collect();
    serde_json::from_value(json!({
        "id": id, "code": id.to_uppercase(), "name": name, "kind": if store { "store" } else { "warehouse" },
        "visible": store,
        "address": {"street_address": "1 High Street", "address_locality": "X", "address_region": region,
                    "postal_code": "1", "address_country": country},
        "geo": {"latitude_e7": latitude_e7, "longitude_e7": 0}, "time_zone": "Europe/Berlin", "hours": week,
        "services": {"sell": store, "pickup": store, "ship": !store, "transfer": true}, "preparation_minutes": 60,
    }))
    .unwrap()
}

fn locations() -> Vec<Location> {
    vec![
        location("store-a", "Zoo", "DE", "BE", 0),
        location("store-b", "Alex", "US", "NY", 10_000_000),
        location("warehouse", "Hub", "DE", "", 0),
    ]
}

fn items() -> Vec<Item> {
    let item = |sku: &str, price_minor, requires_shipping| Item {
        variant_id: format!("id-{sku}"),
        sku: sku.into(),
        title: sku.into(),
        image_url: None,
        price_minor,
        tax_category: String::new(),
        requires_shipping,
        on_sale: true,
    };
    vec![
        item("mug", 1_000, true),
        item("tee", 2_550, true),
        item("gift", 5_000, false),
    ]
}

fn stock(units: impl IntoIterator<Item = (&'static str, &'static str, i64)>) -> Availability {
    let level = |(sku, place, on_hand): (&str, &str, i64)| StockLevel {
        sku: sku.into(),
        location_id: place.into(),
        on_hand,
        reserved: 0,
        safety: 0,
    };
    Availability::new(&units.into_iter().map(level).collect::<Vec<_>>())
}

/// Calls `test` with a shop that has this stock.
fn in_shop<T>(brand: &Brand, availability: &Availability, test: impl FnOnce(&Shop) -> T) -> T {
    in_network(brand, availability, &[], test)
}

/// Goods leave daily from each `(from, to)`, and are there after an hour.
fn lanes(ways: &[(&str, &str)]) -> Vec<Lane> {
    let lane = |(from, to): &(&str, &str)| {
        let days = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ];
        serde_json::from_value(json!({
            "from_location_id": from, "to_location_id": to, "days": days, "cut_off": "16:00", "transit_minutes": 60
        }))
        .unwrap()
    };
    ways.iter().map(lane).collect()
}

/// The same with ways between its places.
fn in_network<T>(
    brand: &Brand,
    availability: &Availability,
    lanes: &[Lane],
    test: impl FnOnce(&Shop) -> T,
) -> T {
    let (rates, items, locations) = (rates(), items(), locations());
    let prices = PriceList {
        brand,
        rates: &rates,
        items: &items,
    };
    test(&Shop {
        prices,
        locations: &locations,
        availability,
        lanes,
        held: &[],
        now_ms: NOW_MS,
    })
}

fn line(item: &str, quantity: i64) -> LineRequest {
    LineRequest {
        id: None,
        item: item.into(),
        quantity,
        other_unit: false,
    }
}

fn method(kind: MethodKind) -> MethodRequest {
    MethodRequest {
        kind,
        line_ids: None,
        addresses: None,
        selected_destination_id: None,
        selected_option_id: None,
    }
}

fn to(country: &str) -> MethodRequest {
    let address = ShippingAddress {
        address_country: Some(country.into()),
        ..ShippingAddress::default()
    };
    MethodRequest {
        addresses: Some(vec![address]),
        selected_option_id: Some("std".into()),
        ..method(MethodKind::Shipping)
    }
}

fn at(store: &str) -> MethodRequest {
    MethodRequest {
        selected_destination_id: Some(store.into()),
        ..method(MethodKind::Pickup)
    }
}

fn wanted(lines: Vec<LineRequest>, methods: Vec<MethodRequest>) -> CheckoutRequest {
    CheckoutRequest {
        lines,
        methods,
        ..CheckoutRequest::default()
    }
}

fn opened(request: CheckoutRequest, shop: &Shop) -> Session {
    match create(request, shop).unwrap() {
        Created::Session(session) => *session,
        Created::NothingToBuy(notices) => panic!("{notices:?}"),
    }
}

fn errors(session: &Session) -> Vec<(&str, &str)> {
    let errors = session.notices.iter().filter(|notice| notice.is_error());
    errors
        .map(|notice| (notice.code.as_str(), notice.path.as_deref().unwrap_or("")))
        .collect()
}
