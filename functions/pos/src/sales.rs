//! `POST /pos/sales`: goods over the counter, in the same order book and from the same stock
//! as everything else.

use aisle_domain::brand::Brand;
use aisle_domain::cart::{Line, LineRequest};
use aisle_domain::checkout::OrderReference;
use aisle_domain::id::is_id;
use aisle_domain::instant::rfc3339_in;
use aisle_domain::location::Location;
use aisle_domain::order::{self, Order};
use aisle_domain::plan::Shortage;
use aisle_domain::sale::Sale;
use aisle_http::auth::{self, Staff};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::holds::{self, OpenHold};
use aisle_store::outbox::{self, Event};
use aisle_store::{Batch, audit, carts, new_id, random, stock, values};
use aisle_ucp::pos::{MAX_LINES, Offer, Receipt, SaleLine, SaleRequest, SaleTotals};
use serde_json::json;

use crate::basket::{Basket, Question};
use crate::store;
use crate::tender::{self, Owed, Taken};

const ROUNDS: usize = 4;

/// `POST /pos/sales`
pub async fn sell(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "pos").await?;
    let body = call.body().await?;
    let request: SaleRequest = call.parse(&body)?;
    request.payment.check().map_err(Error::invalid_member)?;
    let listed = listed(&request)?;
    let claim = call.claim(&brand.id, &format!("sale/{}", staff.device_id), &body)?;
    let store = store::location(call, &brand.id, &staff.location_id).await?;
    if !store.services.sell {
        return Err(Error::conflict(
            "does_not_sell",
            "nothing is sold at this location",
        ));
    }
    let question = Question {
        items: listed.iter().map(|line| line.item.as_str()).collect(),
        cart_id: request.cart_id.as_deref(),
        hold_id: request.hold_id.as_deref(),
    };
    for round in 0..ROUNDS {
        let basket =
            Basket::read(call, &brand, &staff.location_id, &question, claim.as_ref()).await?;
        if let Some(reply) = call.replay(basket.outcome.clone())? {
            return Ok(reply);
        }
        let wanted = wanted(&request, &listed, &basket)?;
        let mut sale = basket.ring_up(wanted, &brand, &store)?;
        if let Err(short) = on_the_shelf(&sale, &basket) {
            let place = Some((brand.id.as_str(), store.id.as_str()));
            // What is kept past its time stands in nobody's way.
            if round == 0 && holds::release_expired(call.db(), place).await?.1 > 0 {
                continue;
            }
            return Err(short);
        }
        if request.payment.is_cash() {
            let step_minor = tender::cash_step_minor(call, &brand, &store.id).await?;
            sale.totals = sale.totals.in_cash(step_minor);
        }
        let total_minor = sale.totals.total_minor;
        let unrounded_minor = total_minor - sale.totals.cash_rounding_minor;
        if request
            .expected_total_minor
            .is_some_and(|expected| ![total_minor, unrounded_minor].contains(&expected))
        {
            let detail = "it costs something else than the terminal took";
            return Err(Error::conflict("price_changed", detail).with("total_minor", total_minor));
        }
        let till = Till {
            brand: &brand,
            staff: &staff,
            store: &store,
            basket: &basket,
            request: &request,
        };
        let reference = OrderReference {
            id: new_id(),
            number: order::number(random()),
        };
        let owed = Owed {
            amount_minor: total_minor,
            currency: &brand.currency,
            // The total is rounded already.
            cash_step_minor: 1,
        };
        let taken = tender::take(&request.payment, &reference.id, 1, owed).await?;
        let receipt = till.receipt(&sale, &reference, &taken);
        let answer = Answer::new(201, &receipt)?;
        let mut batch = command::begin(claim.as_ref(), &answer);
        let drawer = till.write(&mut batch, &sale, &reference, &taken)?;
        match command::commit(call, claim.as_ref(), answer, batch).await? {
            Committed::Done(reply) => {
                notify_relay();
                return Ok(reply);
            }
            Committed::Replayed(reply) => return Ok(reply),
            Committed::Unmet(error) if drawer.is_some_and(|drawer| error.unmet_at(drawer)) => {
                return Err(tender::no_open_day());
            }
            Committed::Unmet(_) => {}
        }
    }
    Err(command::raced())
}

/// `POST /pos/carts/{id}/continue`: the cart as it would be sold here and now.
pub async fn continue_cart(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "pos").await?;
    store::must_be_id(id, "cart")?;
    let store = store::location(call, &brand.id, &staff.location_id).await?;
    let question = Question {
        cart_id: Some(id),
        ..Question::default()
    };
    let basket = Basket::read(call, &brand, &staff.location_id, &question, None).await?;
    if basket.cart.is_none() {
        return Err(store::unknown("cart"));
    }
    let sale = basket.ring_up(basket.of_cart(), &brand, &store)?;
    let mut batch = Batch::new();
    audit::record(
        &mut batch,
        staff.actor(),
        "cart.continued",
        ("cart", id),
        "{}",
    );
    batch.commit(call.db()).await?;
    let line = |line: &Line| SaleLine {
        available_here: Some(basket.available(&line.sku)),
        ..SaleLine::new(line)
    };
    let offer = Offer {
        cart_id: id.into(),
        currency: brand.currency.clone(),
        lines: sale.lines.iter().map(line).collect(),
        totals: SaleTotals::new(&sale),
        sellable: on_the_shelf(&sale, &basket).is_ok(),
    };
    Reply::json(200, &offer)
}

/// The items that the request lists.
fn listed(request: &SaleRequest) -> Result<Vec<LineRequest>, Error> {
    if request.items.is_empty() && request.cart_id.is_some() && request.hold_id.is_some() {
        let detail = "name the items where both a cart and a hold are ended";
        return Err(Error::unprocessable("invalid_items", "$.items", detail));
    }
    if request.items.len() > MAX_LINES {
        return Err(Error::unprocessable(
            "too_many_lines",
            "$.items",
            "at most 100",
        ));
    }
    for (id, what) in [(&request.cart_id, "cart"), (&request.hold_id, "hold")] {
        if id.as_ref().is_some_and(|id| !is_id(id)) {
            return Err(store::unknown(what));
        }
    }
    let items = request.items.iter().enumerate();
    items
        .map(|(index, item)| item.request(index).map_err(Error::invalid_member))
        .collect()
}

/// What is to be sold; 404 when the cart or hold that it is to come from is no longer there.
fn wanted(
    request: &SaleRequest,
    listed: &[LineRequest],
    basket: &Basket,
) -> Result<Vec<LineRequest>, Error> {
    if request.cart_id.is_some() && basket.cart.is_none() {
        return Err(store::unknown("cart"));
    }
    if request.hold_id.is_some() && basket.hold.is_none() {
        return Err(store::unknown("hold"));
    }
    Ok(match listed {
        [] if request.hold_id.is_some() => basket.of_hold(),
        [] => basket.of_cart(),
        listed => listed.to_vec(),
    })
}

/// 409 with what is left of every article of which there is not enough.
fn on_the_shelf(sale: &Sale, basket: &Basket) -> Result<(), Error> {
    let short = sale.shortages(|sku| basket.available(sku));
    let Some(first) = short.first() else {
        return Ok(());
    };
    let fact = |one: &Shortage| json!({"sku": one.sku, "requested": one.requested, "available": one.available});
    let detail = "there is not enough on this shelf";
    Err(Error::conflict("out_of_stock", detail)
        .with("sku", first.sku.as_str())
        .with("requested", first.requested)
        .with("available", first.available)
        .with("short", short.iter().map(fact).collect::<Vec<_>>()))
}

/// Where, by whom and from what something is sold.
struct Till<'a> {
    brand: &'a Brand,
    staff: &'a Staff,
    store: &'a Location,
    basket: &'a Basket,
    request: &'a SaleRequest,
}

impl Till<'_> {
    fn receipt(&self, sale: &Sale, order: &OrderReference, taken: &Taken) -> Receipt {
        Receipt {
            order_id: order.id.clone(),
            number: order.number.clone(),
            sold_at: rfc3339_in(self.basket.now_ms, &self.store.time_zone),
            location_id: self.store.id.clone(),
            sold_by: self.staff.staff_name.clone(),
            currency: self.brand.currency.clone(),
            lines: sale.lines.iter().map(SaleLine::new).collect(),
            totals: SaleTotals::new(sale),
            payment: taken.paid_by.clone(),
        }
    }

    /// Adds all that a sale is. The statement that falls short when no till day is open is
    /// returned, where one must be.
    fn write(
        &self,
        batch: &mut Batch,
        sale: &Sale,
        reference: &OrderReference,
        taken: &Taken,
    ) -> Result<Option<usize>, Error> {
        let brand_id = &self.brand.id;
        self.end_cart(batch);
        self.end_hold(batch);
        let session_id = new_id();
        let buyer = self
            .basket
            .cart
            .as_ref()
            .map(|(cart, _)| cart.buyer.clone());
        let session = sale.session(
            &self.brand.currency,
            buyer.unwrap_or_default(),
            &self.store.id,
            reference,
        );
        batch.expect(
            1,
            "INSERT INTO checkout_session (id, brand_id, cart_id, status, doc, version, updated_at_ms, expires_at_ms) \
             VALUES (?1, ?2, ?3, 'completed', ?4, 1, {now}, {now}) ON CONFLICT DO NOTHING",
            values![&session_id, brand_id, self.request.cart_id.clone(), store::json(&session)?],
        );
        let mut order = Order::place(
            reference.clone(),
            &session_id,
            &session,
            &self.brand.policies,
            self.basket.now_ms,
        );
        for line in &mut order.lines {
            line.fulfilled = line.line.quantity;
        }
        batch.expect(
            1,
            "INSERT INTO customer_order (id, brand_id, number, checkout_session_id, status, doc, version, \
             created_at_ms, updated_at_ms) VALUES (?1, ?2, ?3, ?4, 'confirmed', ?5, 1, {now}, {now})",
            values![&order.id, brand_id, &order.number, &session_id, store::json(&order)?],
        );
        if let Some(cart_id) = &self.request.cart_id {
            carts::ordered(batch, brand_id, cart_id, &order.id);
        }
        let units = sale.units(&self.store.id);
        stock::take(
            batch,
            brand_id,
            "sale",
            stock::Document::order(&order.id),
            &units,
        );
        let drawer = taken.write(batch, self.staff, &order.id, "sale");
        outbox::event(batch, &Event::new(brand_id, "order.created", &order.id));
        outbox::event(batch, &Event::new(brand_id, "order.confirmed", &order.id));
        let doc = json!({
            "payment": taken.paid_by.kind,
            "total_minor": taken.paid_by.amount_minor,
            "cart_id": self.request.cart_id,
            "hold_id": self.request.hold_id,
        });
        let subject = ("order", order.id.as_str());
        audit::record(
            batch,
            self.staff.actor(),
            "sale.made",
            subject,
            &doc.to_string(),
        );
        Ok(drawer)
    }

    /// The cart becomes this order, and no other: a checkout of it that is open is given up,
    /// one that is being completed stands in the way.
    fn end_cart(&self, batch: &mut Batch) {
        let (Some(id), Some((_, version))) = (&self.request.cart_id, &self.basket.cart) else {
            return;
        };
        batch.expect(
            1,
            "UPDATE cart SET status = 'ordered', version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'active' AND expires_at_ms > {now} \
               AND NOT EXISTS (SELECT 1 FROM checkout_session s WHERE s.cart_id = cart.id \
                 AND s.status IN ('complete_in_progress', 'completed'))",
            values![&self.brand.id, id, *version],
        );
        carts::give_up_checkouts(batch, &self.brand.id, id);
    }

    /// What the hold keeps goes back to the shelf, from which this sale takes it.
    fn end_hold(&self, batch: &mut Batch) {
        let (Some(id), Some(hold)) = (&self.request.hold_id, &self.basket.hold) else {
            return;
        };
        let open = OpenHold {
            id: id.clone(),
            version: hold.version,
            units: self.basket.held(&self.store.id),
        };
        holds::convert(batch, &self.brand.id, &open);
        let doc = json!({ "number": hold.number }).to_string();
        audit::record(
            batch,
            self.staff.actor(),
            "hold.converted",
            ("hold", id),
            &doc,
        );
    }
}
