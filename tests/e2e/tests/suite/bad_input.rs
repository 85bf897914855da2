//! What makes no sense is refused with a 4xx that names the place, changes nothing and
//! harms nobody.

mod case;
mod cases;

use aisle_e2e::database::difference;
use aisle_e2e::shopping::{Item, buyer, items, line};
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use case::{Body, Case};
use serde_json::{Value, json};

/// A shop with something to damage: a cart, a checkout and an item in stock.
pub struct Shop {
    aisle: Environment,
    pub item: Item,
    pub cart_id: String,
    pub checkout_id: String,
}

pub async fn malformed_json_is_refused(pair: Pair) -> Result<()> {
    refuse_all(pair, cases::malformed_json).await
}

pub async fn wrong_types_are_refused(pair: Pair) -> Result<()> {
    refuse_all(pair, cases::wrong_types).await
}

pub async fn unknown_ids_are_refused(pair: Pair) -> Result<()> {
    refuse_all(pair, cases::unknown_ids).await
}

pub async fn unknown_currencies_are_refused(pair: Pair) -> Result<()> {
    refuse_all(pair, cases::unknown_currencies).await
}

pub async fn impossible_quantities_are_refused(pair: Pair) -> Result<()> {
    refuse_all(pair, cases::quantities).await
}

pub async fn too_much_is_refused(pair: Pair) -> Result<()> {
    refuse_all(pair, cases::too_much).await
}

pub async fn bad_cursors_and_places_are_refused(pair: Pair) -> Result<()> {
    refuse_all(pair, cases::cursors_and_places).await
}

pub async fn unknown_ucp_versions_are_refused(pair: Pair) -> Result<()> {
    refuse_all(pair, cases::ucp_versions).await
}

pub async fn wrong_check_digits_are_refused(pair: Pair) -> Result<()> {
    refuse_all(pair, cases::check_digits).await
}

pub async fn admin_routes_want_an_admin_key(pair: Pair) -> Result<()> {
    refuse_all(pair, cases::admin_keys).await
}

pub async fn unknown_routes_and_methods_are_refused(pair: Pair) -> Result<()> {
    refuse_all(pair, cases::routes_and_methods).await
}

async fn refuse_all(pair: Pair, cases: fn(&Shop) -> Vec<Case>) -> Result<()> {
    let shop = open_shop(pair).await?;
    let before = shop.aisle.database.snapshot().await?;
    let mut wrong = Vec::new();
    for case in cases(&shop) {
        let what = format!("{}: {} {}", case.what, case.method, case.path);
        if let Err(error) = refuse(&shop, case).await {
            wrong.push(format!("{what}\n    {error:#}"));
        }
    }
    ensure!(
        wrong.is_empty(),
        "{} of the cases went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let changed = difference(&before, &shop.aisle.database.snapshot().await?);
    ensure!(changed.is_empty(), "something changed: {changed:?}");
    assert_eq!(shop.aisle.traps(), 0);
    shop.aisle.north().get("/healthz").expect(200).await?;
    Ok(())
}

async fn open_shop(pair: Pair) -> Result<Shop> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let item = items(&shopper, 1).await?.remove(0);
    let body = json!({"line_items": [line(&item.id, 1)], "buyer": buyer()});
    let id = |created: Answer| {
        created.json()["id"]
            .as_str()
            .map(str::to_owned)
            .context("no id")
    };
    let cart_id = id(shopper.post("/carts").json(&body).expect(201).await?)?;
    let checkout_id = id(shopper
        .post("/checkout-sessions")
        .json(&body)
        .expect(201)
        .await?)?;
    drop(shopper);
    aisle.drain_outbox().await?;
    Ok(Shop {
        aisle,
        item,
        cart_id,
        checkout_id,
    })
}

async fn refuse(shop: &Shop, case: Case) -> Result<()> {
    // A connection of its own: a body that is refused early takes its connection down.
    let client = match case.admin_key {
        Some(_) => Client::new(shop.aisle.addr(), "north.localhost"),
        None => shop.aisle.north(),
    };
    let mut call = client.call(case.method.clone(), &case.path);
    if let Some(key) = case.admin_key {
        let key = key.unwrap_or(&shop.aisle.admin_key);
        call = call.header("authorization", &format!("Bearer {key}"));
    }
    for (name, value) in &case.headers {
        call = call.header(name, value);
    }
    let answer = match case.body {
        Body::None => call.send().await?,
        Body::Json(body) => call.json(&body).send_long().await?,
        Body::Text(content_type, text) => call.text(content_type, text).send_long().await?,
        Body::Stream {
            content_type,
            chunks,
        } => {
            let chunk = Bytes::from(vec![b' '; 1 << 20]);
            let chunks = std::iter::repeat_n(chunk, chunks);
            call.stream(content_type, chunks).send_long().await?
        }
    };
    ensure!(
        case.statuses.contains(&answer.status.as_u16()),
        "expected {:?}, got {answer:?}",
        case.statuses
    );
    let (code, path) = if is_ucp(&case.path) {
        ucp_error(&answer)?
    } else {
        problem(&answer)?
    };
    if let Some(expected) = case.code {
        ensure!(code == expected, "expected the code {expected}: {answer:?}");
    }
    if let Some(expected) = case.names {
        ensure!(
            path.as_deref() == Some(expected),
            "expected the path {expected}, got {path:?}: {answer:?}"
        );
    }
    Ok(())
}

fn is_ucp(path: &str) -> bool {
    [
        "/catalog",
        "/locations",
        "/carts",
        "/checkout-sessions",
        "/orders",
    ]
    .iter()
    .any(|prefix| path.starts_with(prefix))
}

/// Code and path of a refusal in the UCP envelope.
fn ucp_error(answer: &Answer) -> Result<(String, Option<String>)> {
    let document = parse(answer, "application/json")?;
    ensure!(
        document["ucp"]["status"] == "error" && document["ucp"]["version"] == "2026-08-25",
        "no UCP error: {answer:?}"
    );
    let message = document["messages"]
        .get(0)
        .with_context(|| format!("no message: {answer:?}"))?;
    ensure!(message["type"] == "error", "{answer:?}");
    for member in ["code", "content", "severity"] {
        ensure!(
            message[member]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "no {member}: {answer:?}"
        );
    }
    Ok((
        text(&message["code"]).unwrap_or_default(),
        text(&message["path"]),
    ))
}

/// Code and path of a refusal as RFC 9457 has it.
fn problem(answer: &Answer) -> Result<(String, Option<String>)> {
    let document = parse(answer, "application/problem+json")?;
    ensure!(document["status"] == answer.status.as_u16(), "{answer:?}");
    for member in ["type", "title", "code", "detail"] {
        ensure!(
            document[member]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "no {member}: {answer:?}"
        );
    }
    Ok((
        text(&document["code"]).unwrap_or_default(),
        text(&document["path"]),
    ))
}

fn parse(answer: &Answer, content_type: &str) -> Result<Value> {
    ensure!(
        answer.header("content-type").starts_with(content_type),
        "{}: {answer:?}",
        answer.header("content-type")
    );
    serde_json::from_slice(&answer.body).with_context(|| format!("{answer:?}"))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
