//! Carts on several devices.

mod adopting;
mod merging;
mod simulation;

use serde_json::json;

use super::adopt::{Shelf, Side, adopt};
use super::merge::{Basis, Version, change};
use super::*;
use crate::plan::StockLevel;

const SKUS: [&str; 4] = ["mug", "tee", "cap", "gift"];

fn brand() -> Brand {
    serde_json::from_value(json!({
        "handle": "north", "name": "North", "hosts": [], "currency": "EUR", "language": "en",
        "country": "DE", "prices_include_tax": true,
    }))
    .unwrap()
}

fn items() -> Vec<Item> {
    let item = |sku: &&str| Item {
        variant_id: format!("id-{sku}"),
        sku: (*sku).into(),
        title: sku.to_uppercase(),
        image_url: None,
        price_minor: 1_000,
        tax_category: String::new(),
        requires_shipping: *sku != "gift",
        on_sale: true,
    };
    SKUS.iter().map(item).collect()
}

/// What `request` makes, where each article is there `units` times.
fn filled(request: CartRequest, units: i64) -> Result<Cart, Refusal> {
    let (brand, items) = (brand(), items());
    let prices = PriceList {
        brand: &brand,
        rates: &[],
        items: &items,
    };
    Cart::fill(request, &prices, &stock(units), &["shop"])
}

fn stock(units: i64) -> Availability {
    let level = |sku: &&str| StockLevel {
        sku: (*sku).into(),
        location_id: "shop".into(),
        on_hand: units,
        reserved: 0,
        safety: 0,
    };
    Availability::new(&SKUS.iter().map(level).collect::<Vec<_>>())
}

/// Lines as `(id, sku, quantity)`; without an id where it is empty.
fn request(lines: &[(&str, &str, i64)]) -> CartRequest {
    let line = |(id, item, quantity): &(&str, &str, i64)| LineRequest {
        id: (!id.is_empty()).then(|| id.to_string()),
        item: item.to_string(),
        quantity: *quantity,
        other_unit: false,
    };
    CartRequest {
        lines: lines.iter().map(line).collect(),
        ..CartRequest::default()
    }
}

fn with_email(lines: &[(&str, &str, i64)], email: &str) -> CartRequest {
    let email = Some(email.to_owned());
    CartRequest {
        buyer: Buyer {
            email,
            ..Buyer::default()
        },
        ..request(lines)
    }
}

fn cart(request: CartRequest, by: &str) -> Cart {
    let trail = Trail::default().next(1, Some(by), Vec::new());
    filled(request, 100).unwrap().on(trail)
}

fn lines(cart: &Cart) -> Vec<(&str, &str, i64)> {
    let lines = cart.lines.iter();
    lines
        .map(|line| (line.id.as_str(), line.sku.as_str(), line.quantity))
        .collect()
}

fn told(cart: &Cart) -> Vec<(String, String)> {
    let notices = cart.trail.notices(&cart.lines);
    notices
        .map(|notice| (notice.code, notice.path.unwrap_or_default()))
        .collect()
}
