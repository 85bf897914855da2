//! `/carts`: a shopper's wishes, before any of it is bought.

use aisle_domain::cart::Cart;
use aisle_domain::fulfillment;
use aisle_http::{Call, Error, Reply};
use aisle_store::{new_id, values};
use aisle_ucp::cart::{self as wire, CartRequest};

use crate::answer::{self, Answer};
use crate::facts::{CartRow, Facts, Question};
use crate::transfers;

const DAY_MS: i64 = 86_400_000;
/// A cart is kept for a month after its last change.
const KEPT_MS: i64 = 30 * DAY_MS;

/// `POST /carts`
pub async fn create(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let body = call.body().await?;
    let request = call
        .parse::<CartRequest>(&body)?
        .into_domain(&brand)
        .map_err(answer::refused)?;
    let claim = call.claim(&brand.id, "create-cart", &body)?;
    let items = request
        .lines
        .iter()
        .map(|line| line.item.as_str())
        .collect();
    let question = Question {
        items: Some(items),
        ..Question::default()
    };
    let facts = Facts::read(call, &brand, claim.as_ref(), question).await?;
    if let Some(reply) = call.replay(facts.outcome.clone())? {
        return Ok(reply);
    }
    let shop = facts.shop(&brand);
    let sellable = fulfillment::selling_locations(shop.locations);
    let cart =
        Cart::fill(request, &shop.prices, shop.availability, &sellable).map_err(answer::refused)?;
    let (id, expires_at_ms) = (new_id(), facts.now_ms + KEPT_MS);
    let created = Answer::new(201, &wire::Cart::new(&id, &cart, &brand, expires_at_ms))?;
    let doc = serde_json::to_string(&cart).map_err(|error| Error::internal(error.to_string()))?;
    let mut batch = answer::begin(claim.as_ref(), &created);
    batch.expect(
        1,
        "INSERT INTO cart (id, brand_id, status, doc, version, updated_at_ms, expires_at_ms) \
         VALUES (?1, ?2, 'active', ?3, 1, {now}, ?4)",
        values![&id, &brand.id, doc, expires_at_ms],
    );
    answer::commit(call, claim.as_ref(), created, batch)
        .await?
        .unless_raced()
}

/// `GET /carts/{id}`
pub async fn get(call: &Call, id: &str) -> Result<Reply, Error> {
    answer::must_be_id(id, "Cart")?;
    let brand = call.brand().await?;
    let sql = "SELECT doc, expires_at_ms FROM cart \
               WHERE brand_id = ?1 AND id = ?2 AND status = 'active' AND expires_at_ms > {now}";
    let row = call
        .db()
        .query_one_opt(sql, values![&brand.id, id])
        .await?
        .ok_or_else(|| answer::missing("Cart"))?;
    let cart: Cart = row.json("doc")?;
    Reply::json(
        200,
        &wire::Cart::new(id, &cart, &brand, row.int("expires_at_ms")?),
    )
}

/// `PUT /carts/{id}`
pub async fn update(call: &Call, id: &str) -> Result<Reply, Error> {
    answer::must_be_id(id, "Cart")?;
    let brand = call.brand().await?;
    let body = call.body().await?;
    let request = call
        .parse::<CartRequest>(&body)?
        .into_domain(&brand)
        .map_err(answer::refused)?;
    let claim = call.claim(&brand.id, &format!("update-cart/{id}"), &body)?;
    let items = request
        .lines
        .iter()
        .map(|line| line.item.as_str())
        .collect();
    let question = Question {
        items: Some(items),
        cart_id: Some(id),
        ..Question::default()
    };
    let facts = Facts::read(call, &brand, claim.as_ref(), question).await?;
    if let Some(reply) = call.replay(facts.outcome.clone())? {
        return Ok(reply);
    }
    let before = facts.cart.as_ref().ok_or_else(|| answer::missing("Cart"))?;
    let shop = facts.shop(&brand);
    let sellable = fulfillment::selling_locations(shop.locations);
    let cart =
        Cart::fill(request, &shop.prices, shop.availability, &sellable).map_err(answer::refused)?;
    let expires_at_ms = facts.now_ms + KEPT_MS;
    let updated = Answer::new(200, &wire::Cart::new(id, &cart, &brand, expires_at_ms))?;
    let doc = serde_json::to_string(&cart).map_err(|error| Error::internal(error.to_string()))?;
    let mut batch = answer::begin(claim.as_ref(), &updated);
    batch.expect(
        1,
        "UPDATE cart SET doc = ?4, version = version + 1, updated_at_ms = {now}, expires_at_ms = ?5 \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'active' AND expires_at_ms > {now}",
        values![&brand.id, id, before.version, doc, expires_at_ms],
    );
    answer::commit(call, claim.as_ref(), updated, batch)
        .await?
        .unless_raced()
}

/// `POST /carts/{id}/cancel`: answers the cart as it was.
pub async fn cancel(call: &Call, id: &str) -> Result<Reply, Error> {
    answer::must_be_id(id, "Cart")?;
    let brand = call.brand().await?;
    let body = call.body().await?;
    let claim = call.claim(&brand.id, &format!("cancel-cart/{id}"), &body)?;
    let question = Question {
        cart_id: Some(id),
        ..Question::default()
    };
    let facts = Facts::read(call, &brand, claim.as_ref(), question).await?;
    if let Some(reply) = call.replay(facts.outcome.clone())? {
        return Ok(reply);
    }
    let CartRow {
        cart,
        version,
        expires_at_ms,
    } = facts.cart.as_ref().ok_or_else(|| answer::missing("Cart"))?;
    let canceled = Answer::new(200, &wire::Cart::new(id, cart, &brand, *expires_at_ms))?;
    let mut batch = answer::begin(claim.as_ref(), &canceled);
    for held in facts.held_for("cart") {
        transfers::give_back(&mut batch, &brand, held, ("cart", id));
    }
    batch.expect(
        1,
        "UPDATE cart SET status = 'canceled', version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'active' AND expires_at_ms > {now}",
        values![&brand.id, id, *version],
    );
    answer::commit(call, claim.as_ref(), canceled, batch)
        .await?
        .unless_raced()
}
