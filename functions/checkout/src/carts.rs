//! `/carts`: a shopper's wishes, before any of it is bought, the same on every device.

mod account;

use aisle_domain::brand::Brand;
use aisle_domain::cart::merge::{self, Basis, Merged};
use aisle_domain::cart::{Cart, CartRequest, Trail};
use aisle_domain::checkout::Status;
use aisle_domain::fulfillment;
use aisle_http::precondition::{self, IfMatch};
use aisle_http::shopper::{Shopper, Viewer};
use aisle_http::{Call, Error, Reply};
use aisle_store::carts::{self, CartRow as Row, KEPT_MS};
use aisle_store::idempotency::Claim;
use aisle_store::{new_id, values};
use aisle_ucp::cart as wire;
use serde::Deserialize;

pub use account::{merge, mine};

use crate::answer::{self, Answer, Committed};
use crate::facts::{CartRow, Facts, MergedCart, Question};
use crate::transfers;

/// Looks at the cart, at most: each lost race against another device is followed by another.
const ROUNDS: usize = 8;

/// `POST /carts`: with an account's token the cart is the account's, which has one at a time.
pub async fn create(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let body = call.body().await?;
    let request = call
        .parse::<wire::CartRequest>(&body)?
        .into_domain(&brand)
        .map_err(answer::refused)?;
    let claim = call.claim(&brand.id, &caller("create-cart", &viewer), &body)?;
    let question = Question {
        items: Some(named(&request)),
        shopper: device(&viewer),
        ..Question::default()
    };
    let facts = Facts::read(call, &brand, claim.as_ref(), question).await?;
    if let Some(reply) = call.replay(facts.outcome.clone())? {
        return tagged(reply);
    }
    if let Some(id) = &facts.own_cart {
        return Err(answer::has_cart(id));
    }
    let trail = Trail::default().next(1, facts.device.as_deref(), Vec::new());
    let cart = filled(request, &facts, &brand)?.on(trail);
    let (id, expires_at_ms) = (new_id(), facts.now_ms + KEPT_MS);
    let shown = wire::Cart::new((&id, 1), &cart, &brand, expires_at_ms);
    let created = Answer::new(201, &shown)?;
    let mut batch = answer::draft(claim.as_ref(), &created);
    carts::insert(&mut batch, &brand.id, &id, &cart, expires_at_ms);
    if let Some(account_id) = viewer.account_id() {
        carts::give(&mut batch, &brand.id, account_id, &id);
    }
    let done = answer::commit(call, claim.as_ref(), created, batch).await?;
    tagged(done.unless_raced()?)
}

/// `GET /carts/{id}`
pub async fn get(call: &Call, id: &str) -> Result<Reply, Error> {
    answer::must_be_id(id, "Cart")?;
    let brand = call.brand().await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let sql = "SELECT c.id, c.doc, c.version, c.updated_at_ms, c.expires_at_ms, a.account_id AS owner, \
                 m.into_cart_id, m.account_id AS merged_by \
               FROM cart c LEFT JOIN account_cart a ON a.brand_id = ?1 AND a.cart_id = c.id \
               LEFT JOIN cart_merged m ON m.brand_id = ?1 AND m.cart_id = c.id \
               WHERE c.brand_id = ?1 AND c.id = ?2 AND c.status IN ('active', 'merged') AND c.expires_at_ms > {now}";
    let row = call.db().query_one_opt(sql, values![&brand.id, id]).await?;
    let row = row.ok_or_else(|| answer::missing("Cart"))?;
    if let Some(into) = row.text_opt("into_cart_id")? {
        let account_id = row.text("merged_by")?;
        return Err(gone(Some(&MergedCart { into, account_id }), &viewer));
    }
    let row = Row::of(&row)?;
    may_touch(&viewer, id, row.owner.as_deref())?;
    show(call, &brand, &row)
}

/// `PUT /carts/{id}`. With `If-Match` it changes the version that the client knows: what other
/// devices have changed since then stays, and what cannot stay is said.
pub async fn update(call: &Call, id: &str) -> Result<Reply, Error> {
    answer::must_be_id(id, "Cart")?;
    let brand = call.brand().await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let basis = match precondition::if_match(call)? {
        IfMatch::Absent | IfMatch::Any => Basis::Whatever,
        IfMatch::Versions(versions) => Basis::Known(versions),
    };
    let body = call.body().await?;
    let request = call
        .parse::<wire::CartRequest>(&body)?
        .into_domain(&brand)
        .map_err(answer::refused)?;
    let change = Change {
        call,
        brand: &brand,
        viewer: &viewer,
        id,
        basis,
        request,
        claim: call.claim(&brand.id, &format!("update-cart/{id}"), &body)?,
    };
    for _ in 0..ROUNDS {
        if let Some(reply) = change.attempt().await? {
            return tagged(reply);
        }
        if change.basis == Basis::Whatever {
            break;
        }
    }
    Err(answer::raced())
}

struct Change<'a> {
    call: &'a Call,
    brand: &'a Brand,
    viewer: &'a Viewer,
    id: &'a str,
    basis: Basis,
    request: CartRequest,
    claim: Option<Claim>,
}

impl Change<'_> {
    /// `None`: another device was faster.
    async fn attempt(&self) -> Result<Option<Reply>, Error> {
        let question = Question {
            items: Some(named(&self.request)),
            cart_id: Some(self.id),
            cart_items: self.basis != Basis::Whatever,
            cart_since: match &self.basis {
                Basis::Whatever => None,
                Basis::Known(versions) => versions.iter().min().copied(),
            },
            shopper: device(self.viewer),
            ..Question::default()
        };
        let facts = Facts::read(self.call, self.brand, self.claim.as_ref(), question).await?;
        must_be_allowed(&facts, self.viewer)?;
        if let Some(reply) = self.call.replay(facts.outcome.clone())? {
            return Ok(Some(reply));
        }
        let before = must_find(&facts, self.viewer, self.id)?;
        must_not_be_bought(&facts)?;
        if !facts.earlier.is_empty() {
            // What is wrong with the request is said of the request, not of what it is merged to.
            filled(self.request.clone(), &facts, self.brand)?;
        }
        let current = before.latest();
        let by = facts.device.as_deref();
        let request = self.request.clone();
        let merged = merge::change(&current, &facts.earlier, &self.basis, request, by);
        let Merged { request, notes } =
            merged.map_err(|_| precondition::failed(Some(before.version)))?;
        let cart = filled(request, &facts, self.brand)?;
        let version = before.version + 1;
        let cart = cart.on(before.cart.trail.next(version, by, notes));
        let expires_at_ms = facts.now_ms + KEPT_MS;
        let shown = wire::Cart::new((self.id, version), &cart, self.brand, expires_at_ms);
        let updated = Answer::new(200, &shown)?;
        let claim = self.claim.as_ref();
        let mut batch = answer::draft(claim, &updated);
        let known = (self.id, before.version);
        carts::replace(&mut batch, &self.brand.id, known, &cart, expires_at_ms);
        match answer::commit(self.call, claim, updated, batch).await? {
            Committed::Done(reply) | Committed::Replayed(reply) => Ok(Some(reply)),
            Committed::Unmet(_) => Ok(None),
        }
    }
}

/// `POST /carts/{id}/cancel`: answers the cart as it was. Its open checkout is given up with it.
pub async fn cancel(call: &Call, id: &str) -> Result<Reply, Error> {
    answer::must_be_id(id, "Cart")?;
    let brand = call.brand().await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let body = call.body().await?;
    let claim = call.claim(&brand.id, &format!("cancel-cart/{id}"), &body)?;
    let question = Question {
        cart_id: Some(id),
        ..Question::default()
    };
    let facts = Facts::read(call, &brand, claim.as_ref(), question).await?;
    must_be_allowed(&facts, &viewer)?;
    if let Some(reply) = call.replay(facts.outcome.clone())? {
        return Ok(reply);
    }
    let CartRow {
        cart,
        version,
        expires_at_ms,
        ..
    } = must_find(&facts, &viewer, id)?;
    must_not_be_bought(&facts)?;
    let shown = wire::Cart::new((id, *version), cart, &brand, *expires_at_ms);
    let canceled = Answer::new(200, &shown)?;
    let mut batch = answer::begin(claim.as_ref(), &canceled);
    let held = facts.held_for("cart");
    transfers::give_back(&mut batch, &brand, held.map(|one| (one, ("cart", id))));
    batch.expect(
        1,
        "UPDATE cart SET status = 'canceled', version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'active' AND expires_at_ms > {now}",
        values![&brand.id, id, *version],
    );
    carts::give_up_checkouts(&mut batch, &brand.id, id);
    carts::end(&mut batch, &brand.id, id);
    answer::commit(call, claim.as_ref(), canceled, batch)
        .await?
        .unless_raced()
}

/// The live cart, which the viewer may see and change.
pub fn must_find<'a>(facts: &'a Facts, viewer: &Viewer, id: &str) -> Result<&'a CartRow, Error> {
    let cart = facts.cart.as_ref();
    let cart = cart.ok_or_else(|| gone(facts.merged.as_ref(), viewer))?;
    may_touch(viewer, id, cart.owner.as_deref())?;
    Ok(cart)
}

/// Before an answer is given again: the cart may be somebody's by now.
fn must_be_allowed(facts: &Facts, viewer: &Viewer) -> Result<(), Error> {
    match &facts.cart {
        Some(cart) => may_touch(viewer, &cart.id, cart.owner.as_deref()),
        None => Ok(()),
    }
}

/// While its order is being placed a cart stands still: that is over within seconds.
fn must_not_be_bought(facts: &Facts) -> Result<(), Error> {
    let session = facts.session.as_ref().map(|row| row.status);
    match session {
        Some(Status::CompleteInProgress) => Err(answer::being_bought()),
        _ => Ok(()),
    }
}

fn may_touch(viewer: &Viewer, id: &str, owner: Option<&str>) -> Result<(), Error> {
    viewer.may_touch(("cart", id), owner, || answer::missing("Cart"))
}

/// Why there is no such cart. Where it went is said to whom it went, and to nobody else.
fn gone(merged: Option<&MergedCart>, viewer: &Viewer) -> Error {
    match merged {
        Some(merged) if viewer.account_id() == Some(&merged.account_id) => {
            answer::moved(&merged.into)
        }
        _ => answer::missing("Cart"),
    }
}

fn device(viewer: &Viewer) -> Option<&Shopper> {
    match viewer {
        Viewer::Account(shopper) => Some(shopper),
        _ => None,
    }
}

/// Whose idempotency keys these are: what an account creates is nobody else's to see again.
fn caller(operation: &str, viewer: &Viewer) -> String {
    match viewer.account_id() {
        Some(account_id) => format!("{operation}/{account_id}"),
        None => operation.to_owned(),
    }
}

fn named(request: &CartRequest) -> Vec<(&str, i64)> {
    let lines = request.lines.iter();
    lines
        .map(|line| (line.item.as_str(), line.quantity))
        .collect()
}

/// The cart that `request` asks for, priced.
pub fn filled(request: CartRequest, facts: &Facts, brand: &Brand) -> Result<Cart, Error> {
    let shop = facts.shop(brand);
    let sellable = fulfillment::selling_locations(shop.locations);
    Cart::fill(request, &shop.prices, shop.availability, &sellable).map_err(answer::refused)
}

/// The cart with its ETag, or 304.
fn show(call: &Call, brand: &Brand, row: &Row) -> Result<Reply, Error> {
    let named = (row.id.as_str(), row.version);
    let shown = wire::Cart::new(named, &row.cart, brand, row.expires_at_ms);
    let reply = Reply::json(200, &shown)?;
    Ok(precondition::shown(call, reply, row.version))
}

/// Adds the ETag of the cart that is answered, for the first time or again.
fn tagged(reply: Reply) -> Result<Reply, Error> {
    #[derive(Deserialize)]
    struct Shown {
        version: i64,
    }
    let shown: Shown = serde_json::from_slice(reply.body())
        .map_err(|error| Error::internal(format!("an answer is no cart: {error}")))?;
    Ok(reply.header("etag", &precondition::etag(shown.version)))
}
