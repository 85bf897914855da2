//! `/checkout-sessions`: opening, reading, changing and giving up.

use aisle_domain::brand::Brand;
use aisle_domain::cart::merge::{self, Merged};
use aisle_domain::cart::{Cart, CartRequest, Line};
use aisle_domain::checkout::{self, CheckoutRequest, Created, Session, Status, Updated};
use aisle_domain::fulfillment::{MethodKind, MethodRequest};
use aisle_domain::notice::Notice;
use aisle_http::shopper::Viewer;
use aisle_http::{Call, Error, Reply};
use aisle_store::carts::{self as store, KEPT_MS as KEPT_CART_MS};
use aisle_store::{Batch, BatchError, accounts, new_id, values};
use aisle_ucp::cart::message;
use aisle_ucp::checkout::{self as wire, Checkout, View};

use crate::answer::{self, Answer, Committed};
use crate::facts::{CartRow, Facts, Question, SessionRow};
use crate::transfers;
use crate::{carts, complete};

/// A session lives six hours from its last change, as UCP assumes.
pub const KEPT_MS: i64 = 6 * 3_600_000;

/// `POST /checkout-sessions`
pub async fn create(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let body = call.body().await?;
    let mut request: wire::CheckoutRequest = call.parse(&body)?;
    let cart_id = request.cart_id.take();
    if let Some(id) = &cart_id {
        answer::must_be_id(id, "Cart").map_err(|error| error.at("$.cart_id"))?;
        request.line_items = Some(Vec::new());
    }
    let request = request.into_domain(&brand).map_err(answer::refused)?;
    let claim = call.claim(&brand.id, "create-checkout", &body)?;
    let facts = Facts::read(
        call,
        &brand,
        claim.as_ref(),
        opening(&brand, &request, cart_id.as_deref()),
    )
    .await?;
    if let Some(reply) = call.replay(facts.outcome.clone())? {
        return Ok(reply);
    }
    let cart = match &cart_id {
        Some(id) => {
            let cart = carts::must_find(&facts, &viewer, id);
            Some(cart.map_err(|error| error.at("$.cart_id"))?)
        }
        None => None,
    };
    if let Some(existing) = facts.session.as_ref().filter(|row| is_under_way(row)) {
        return reopened(call, &brand, existing, cart).await;
    }
    let request = match cart {
        Some(cart) => with_cart(request, cart),
        None => request,
    };
    let session = match checkout::create(request, &facts.shop(&brand)).map_err(answer::refused)? {
        Created::Session(session) => Session {
            cart_version: cart.map(|cart| cart.version),
            ..*session
        },
        Created::NothingToBuy(notices) => {
            return answer::nothing_created(
                wire::CAPABILITY,
                notices.iter().map(message).collect(),
            );
        }
    };
    let row = SessionRow {
        id: new_id(),
        status: session.open_status(),
        cart_id: cart_id.clone(),
        session,
        version: 1,
        expires_at_ms: facts.now_ms + KEPT_MS,
    };
    let created = Answer::new(201, &shown(call, &brand, &row))?;
    let doc = document(&row.session)?;
    let mut batch = answer::draft(claim.as_ref(), &created);
    insert(&mut batch, &brand, &row, doc);
    if let Some(account_id) = viewer.account_id() {
        accounts::attach_checkout(&mut batch, &brand.id, &row.id, account_id);
    }
    match answer::commit(call, claim.as_ref(), created, batch).await? {
        Committed::Done(reply) | Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(_) => existing(call, &brand, cart_id.as_deref()).await,
    }
}

fn opening<'a>(
    brand: &Brand,
    request: &'a CheckoutRequest,
    cart_id: Option<&'a str>,
) -> Question<'a> {
    let question = Question {
        context: request.context.location.as_deref(),
        stores: chosen(request),
        hold_id: request.hold_id.as_deref(),
        lanes: may_transfer(brand, request),
        ..Question::default()
    };
    match cart_id {
        Some(_) => Question {
            cart_id,
            cart_items: true,
            ..question
        },
        None => Question {
            items: Some(named(request)),
            ..question
        },
    }
}

/// Whether goods may have to be brought to a store: it is asked for, or for us to propose.
fn may_transfer(brand: &Brand, request: &CheckoutRequest) -> bool {
    let collects = |method: &MethodRequest| method.kind == MethodKind::Pickup;
    let methods = &request.methods;
    brand.policies.transfers.for_shoppers && (methods.is_empty() || methods.iter().any(collects))
}

fn named(request: &CheckoutRequest) -> Vec<(&str, i64)> {
    let lines = request.lines.iter();
    lines
        .map(|line| (line.item.as_str(), line.quantity))
        .collect()
}

/// The stores at which the request wants to collect.
fn chosen(request: &CheckoutRequest) -> Vec<&str> {
    let collected = |method: &&MethodRequest| method.kind == MethodKind::Pickup;
    let methods = request.methods.iter().filter(collected);
    methods
        .filter_map(|method| method.selected_destination_id.as_deref())
        .collect()
}

/// The cart's contents win over whatever else was sent (UCP cart, "Cart-to-Checkout Conversion").
fn with_cart(request: CheckoutRequest, CartRow { cart, .. }: &CartRow) -> CheckoutRequest {
    CheckoutRequest {
        lines: cart.lines.iter().map(Line::request).collect(),
        buyer: cart.buyer.clone(),
        context: cart.context.clone(),
        methods: request.methods,
        payment_term: None,
        hold_id: request.hold_id,
    }
}

/// A cart has one session at a time; one that expired makes room.
fn insert(batch: &mut Batch, brand: &Brand, row: &SessionRow, doc: String) {
    if let Some(cart_id) = &row.cart_id {
        batch.add(
            "UPDATE checkout_session SET cart_id = NULL \
             WHERE brand_id = ?1 AND cart_id = ?2 AND expires_at_ms <= {now} AND status <> 'complete_in_progress'",
            values![&brand.id, cart_id],
        );
    }
    batch.expect(
        1,
        "INSERT INTO checkout_session (id, brand_id, cart_id, status, doc, version, updated_at_ms, expires_at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, {now}, ?7) ON CONFLICT DO NOTHING",
        values![&row.id, &brand.id, row.cart_id.clone(), row.status.name(), doc, row.version, row.expires_at_ms],
    );
}

/// The session that another request opened for the same cart at the same moment.
async fn existing(call: &Call, brand: &Brand, cart_id: Option<&str>) -> Result<Reply, Error> {
    let facts = Facts::read(
        call,
        brand,
        None,
        Question {
            cart_id,
            ..Question::default()
        },
    )
    .await?;
    match facts.session.filter(is_under_way) {
        Some(row) => Reply::json(200, &shown(call, brand, &row)),
        None => Err(answer::raced()),
    }
}

/// The checkout that a cart has already (UCP cart, "Idempotent conversion"), with what was
/// done to the cart since then.
async fn reopened(
    call: &Call,
    brand: &Brand,
    existing: &SessionRow,
    cart: Option<&CartRow>,
) -> Result<Reply, Error> {
    let as_is = |row: &SessionRow| Reply::json(200, &shown(call, brand, row));
    if existing.session.cart_version == cart.map(|cart| cart.version) {
        return as_is(existing);
    }
    let question = Question {
        session_id: Some(&existing.id),
        session_items: true,
        cart_of_session: true,
        lanes: brand.policies.transfers.for_shoppers,
        ..Question::default()
    };
    let facts = Facts::read(call, brand, None, question).await?;
    let row = facts.session.as_ref().unwrap_or(existing);
    if !row.status.is_open() {
        return as_is(row);
    }
    match followed(row, &facts, brand)? {
        Some(session) => keep(call, brand, row, session, Some(cart_changed())).await,
        None => as_is(row),
    }
}

/// An open session with what other devices have done to its cart since, if that is anything.
pub fn followed(row: &SessionRow, facts: &Facts, brand: &Brand) -> Result<Option<Session>, Error> {
    let Some(cart) = &facts.cart else {
        return Ok(None);
    };
    checkout::follow(&row.session, &cart.latest(), &facts.shop(brand)).map_err(answer::refused)
}

pub fn cart_changed() -> Notice {
    let text = "The cart was changed on another device. Check what is in the checkout now, and complete again.";
    Notice::warning("cart_changed", "$.line_items", text)
}

/// Puts `session` in the place of an open one, and answers it.
pub async fn keep(
    call: &Call,
    brand: &Brand,
    row: &SessionRow,
    session: Session,
    notice: Option<Notice>,
) -> Result<Reply, Error> {
    let after = SessionRow {
        id: row.id.clone(),
        cart_id: row.cart_id.clone(),
        status: session.open_status(),
        session,
        version: row.version,
        expires_at_ms: row.expires_at_ms,
    };
    let mut batch = Batch::new();
    replace(&mut batch, brand, &after, document(&after.session)?);
    match batch.commit(call.db()).await {
        Ok(_) => Reply::json(200, &shown(call, brand, &after).with(notice.as_slice())),
        Err(BatchError::Unmet { .. }) => Err(answer::raced()),
        Err(error) => Err(error.into()),
    }
}

/// `GET /checkout-sessions/{id}`. A completion that was cut short is brought to its end first.
pub async fn get(call: &Call, id: &str) -> Result<Reply, Error> {
    answer::must_be_id(id, "Checkout")?;
    let brand = call.brand().await?;
    let question = || Question {
        session_id: Some(id),
        attempt: true,
        ..Question::default()
    };
    let mut facts = Facts::read(call, &brand, None, question()).await?;
    if complete::settle_interrupted(call, &brand, &facts).await? {
        facts = Facts::read(call, &brand, None, question()).await?;
    }
    let row = facts.session.ok_or_else(|| answer::missing("Checkout"))?;
    Reply::json(200, &shown(call, &brand, &row))
}

/// `PUT /checkout-sessions/{id}`
pub async fn update(call: &Call, id: &str) -> Result<Reply, Error> {
    answer::must_be_id(id, "Checkout")?;
    let brand = call.brand().await?;
    let body = call.body().await?;
    let request = call
        .parse::<wire::CheckoutRequest>(&body)?
        .into_domain(&brand)
        .map_err(answer::refused)?;
    let claim = call.claim(&brand.id, &format!("update-checkout/{id}"), &body)?;
    let items = Some(named(&request));
    let question = Question {
        items,
        context: request.context.location.as_deref(),
        stores: chosen(&request),
        session_id: Some(id),
        session_items: true,
        cart_of_session: true,
        hold_id: request.hold_id.as_deref(),
        lanes: may_transfer(&brand, &request),
        ..Question::default()
    };
    let facts = Facts::read(call, &brand, claim.as_ref(), question).await?;
    if let Some(reply) = call.replay(facts.outcome.clone())? {
        return Ok(reply);
    }
    let before = facts
        .session
        .as_ref()
        .ok_or_else(|| answer::missing("Checkout"))?;
    if before.status == Status::CompleteInProgress {
        let notice = Notice::error(
            "complete_in_progress",
            "$.status",
            "The checkout is being completed.",
        );
        return Reply::json(200, &shown(call, &brand, before).with(&[notice]));
    }
    must_be_open(before)?;
    let request = match &facts.cart {
        // A new line gets no id that another device's line has in the cart by now.
        Some(known) => CheckoutRequest {
            lines: merge::named(request.lines, &before.session.lines, &known.cart.trail),
            ..request
        },
        None => request,
    };
    let shop = facts.shop(&brand);
    let mut session =
        match checkout::update(&before.session, request, &shop).map_err(answer::refused)? {
            Updated::Session(session) => *session,
            Updated::Rejected(notices) => {
                return Reply::json(200, &shown(call, &brand, before).with(&notices));
            }
        };
    if let Some(cart) = &facts.cart
        && session.cart_version == Some(cart.version)
    {
        session.cart_version = Some(cart.version + 1);
    }
    let after = SessionRow {
        id: before.id.clone(),
        cart_id: before.cart_id.clone(),
        status: session.open_status(),
        session,
        version: before.version,
        expires_at_ms: facts.now_ms + KEPT_MS,
    };
    let updated = Answer::new(200, &shown(call, &brand, &after))?;
    let doc = document(&after.session)?;
    let cart = match &facts.cart {
        Some(known) => {
            let cart = cart_of(&before.session, &after.session, known, &facts, &brand)?;
            Some((known, cart))
        }
        None => None,
    };
    let mut batch = answer::draft(claim.as_ref(), &updated);
    replace(&mut batch, &brand, &after, doc);
    if let Some((known, cart)) = &cart {
        let known = (known.id.as_str(), known.version);
        let expires_at_ms = facts.now_ms + KEPT_CART_MS;
        store::replace(&mut batch, &brand.id, known, cart, expires_at_ms);
    }
    answer::commit(call, claim.as_ref(), updated, batch)
        .await?
        .unless_raced()
}

/// The cart that the session came from, kept in step with it for the way back to the shop.
/// What other devices have done to the cart beside the checkout stays.
fn cart_of(
    before: &Session,
    after: &Session,
    known: &CartRow,
    facts: &Facts,
    brand: &Brand,
) -> Result<Cart, Error> {
    let base = Cart {
        lines: before.lines.clone(),
        buyer: before.buyer.clone(),
        context: before.context.clone(),
        ..known.cart.clone()
    };
    let mine = CartRequest {
        lines: after.lines.iter().map(Line::request).collect(),
        buyer: after.buyer.clone(),
        context: after.context.clone(),
    };
    let (version, by) = (known.version + 1, Some("the checkout"));
    let Merged { request, notes } = merge::three_way(&[&base, &known.cart], mine, version, by);
    let cart = carts::filled(request, facts, brand)?;
    Ok(cart.on(known.cart.trail.next(version, by, notes)))
}

/// `POST /checkout-sessions/{id}/cancel`
pub async fn cancel(call: &Call, id: &str) -> Result<Reply, Error> {
    answer::must_be_id(id, "Checkout")?;
    let brand = call.brand().await?;
    let body = call.body().await?;
    let claim = call.claim(&brand.id, &format!("cancel-checkout/{id}"), &body)?;
    let question = Question {
        session_id: Some(id),
        ..Question::default()
    };
    let facts = Facts::read(call, &brand, claim.as_ref(), question).await?;
    if let Some(reply) = call.replay(facts.outcome.clone())? {
        return Ok(reply);
    }
    let mut row = facts
        .session
        .as_ref()
        .ok_or_else(|| answer::missing("Checkout"))?
        .clone();
    must_be_open(&row)?;
    row.status = Status::Canceled;
    let canceled = Answer::new(200, &shown(call, &brand, &row))?;
    let mut batch = answer::begin(claim.as_ref(), &canceled);
    let held = facts.held_for("checkout");
    transfers::give_back(&mut batch, &brand, held.map(|one| (one, ("checkout", id))));
    batch.expect(
        1,
        "UPDATE checkout_session SET status = 'canceled', cart_id = NULL, version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 \
           AND status IN ('incomplete', 'ready_for_complete') AND expires_at_ms > {now}",
        values![&brand.id, &row.id, row.version],
    );
    answer::commit(call, claim.as_ref(), canceled, batch)
        .await?
        .unless_raced()
}

/// Writes an open session over the version that it was made from. Expects one row.
pub fn replace(batch: &mut Batch, brand: &Brand, row: &SessionRow, doc: String) {
    batch.expect(
        1,
        "UPDATE checkout_session SET status = ?4, doc = ?5, version = version + 1, updated_at_ms = {now}, \
         expires_at_ms = ?6 WHERE brand_id = ?1 AND id = ?2 AND version = ?3 \
           AND status IN ('incomplete', 'ready_for_complete') AND expires_at_ms > {now}",
        values![&brand.id, &row.id, row.version, row.status.name(), doc, row.expires_at_ms],
    );
}

/// Refuses, with 409, what can no longer be changed.
pub fn must_be_open(row: &SessionRow) -> Result<(), Error> {
    match row.status {
        Status::Completed => Err(answer::settled(
            "checkout_completed",
            "The checkout is completed.",
        )),
        Status::Canceled => Err(answer::settled(
            "checkout_canceled",
            "The checkout was canceled.",
        )),
        Status::CompleteInProgress => Err(answer::completing()),
        _ => Ok(()),
    }
}

fn is_under_way(row: &SessionRow) -> bool {
    row.status == Status::CompleteInProgress || row.status.is_open()
}

pub fn document(session: &Session) -> Result<String, Error> {
    serde_json::to_string(session).map_err(|error| Error::internal(error.to_string()))
}

/// The session as UCP shows it.
pub fn shown(call: &Call, brand: &Brand, row: &SessionRow) -> Checkout {
    let origin = call.brand_origin(brand);
    let view = View {
        id: &row.id,
        status: row.status,
        brand,
        expires_at_ms: row.expires_at_ms,
        origin: &origin,
    };
    Checkout::new(view, &row.session)
}
