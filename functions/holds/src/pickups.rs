//! `/holds/pickups/{order_id}`: what staff say of an order that is to be collected.

pub mod care;

use std::rc::Rc;

use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_domain::instant::rfc3339_in;
use aisle_domain::order::{Order, TimelineEntry, TimelineKind};
use aisle_http::auth::{self, Staff};
use aisle_http::command::{self, Answer, Committed, raced};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::outbox::{self, Event};
use aisle_store::{Batch, Value, audit, incident, timeline, values};
use aisle_ucp::hold::{HeldUnits, PickupNotFoundRequest, PickupState};

use crate::facts::place;
use crate::pull::SCOPE;

/// SKUs of one report, at most.
const MAX_LINES: usize = 20;

/// A row of table `pickup` with its order.
struct Pickup {
    order: Order,
    location_id: String,
    status: String,
    ready_at_ms: i64,
    pickup_by_ms: i64,
    outcome: Outcome,
}

impl Pickup {
    async fn read(
        call: &Call,
        brand: &Brand,
        order_id: &str,
        claim: Option<&Claim>,
    ) -> Result<Self, Error> {
        let unknown = || {
            Error::not_found(
                "pickup_not_found",
                "no order of the brand is collected by this id",
            )
        };
        if !is_id(order_id) {
            return Err(unknown());
        }
        let sql = format!(
            "SELECT o.doc, p.location_id, p.status, p.ready_at_ms, p.pickup_by_ms, {} FROM pickup p \
             JOIN customer_order o ON o.id = p.order_id {} WHERE p.brand_id = ?1 AND p.order_id = ?2",
            idempotency::COLUMNS,
            idempotency::join("?3", "?4"),
        );
        let mut params = values![&brand.id, order_id];
        params.extend(claim.map_or_else(|| ["", ""].map(Value::from), Claim::params));
        let row = call.db().query_one_opt(sql, params).await?;
        let row = row.ok_or_else(unknown)?;
        Ok(Self {
            order: row.json("doc")?,
            location_id: row.text("location_id")?,
            status: row.text("status")?,
            ready_at_ms: row.int("ready_at_ms")?,
            pickup_by_ms: row.int("pickup_by_ms")?,
            outcome: claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(&row))?,
        })
    }

    fn must_be_preparing(&self) -> Result<(), Error> {
        if self.status == "preparing" {
            return Ok(());
        }
        let detail = format!(
            "the collection is {}, which does not allow this",
            self.status
        );
        Err(Error::conflict("wrong_status", &detail).with("state", self.status.clone()))
    }

    /// Line id and pieces that are collected and not handed over yet.
    fn open_lines(&self) -> Vec<(String, i64)> {
        let promised = self.order.pickup().map(|expected| &expected.line_ids);
        let open =
            self.order.lines.iter().filter(|one| {
                promised.is_some_and(|ids| ids.contains(&one.line.id)) && one.open() > 0
            });
        open.map(|one| (one.line.id.clone(), one.open())).collect()
    }

    /// The lines that the report means: pieces of a SKU are those of its lines, in order.
    fn missing_lines(&self, missing: &[HeldUnits]) -> Result<Vec<(String, i64)>, Error> {
        let refused =
            |path: &str, detail: &str| Err(Error::unprocessable("invalid_lines", path, detail));
        if missing.is_empty() || missing.len() > MAX_LINES {
            return refused("$.lines", "must name 1 to 20 SKUs");
        }
        let mut open = self.open_lines();
        let mut lines = Vec::new();
        for (index, one) in missing.iter().enumerate() {
            let mut left = one.quantity;
            for (id, pieces) in &mut open {
                let of_sku = |line: &&aisle_domain::order::OrderLine| {
                    line.line.id == *id && line.line.sku == one.sku
                };
                if left > 0 && *pieces > 0 && self.order.lines.iter().any(|line| of_sku(&line)) {
                    let taken = left.min(*pieces);
                    (left, *pieces) = (left - taken, *pieces - taken);
                    lines.push((id.clone(), taken));
                }
            }
            if left != 0 || one.quantity < 1 {
                let path = format!("$.lines[{index}]");
                return refused(&path, "the order has not so many of this SKU to collect");
            }
        }
        Ok(lines)
    }
}

/// A person at the store where the order is collected, and the collection before anything
/// is done to it.
struct Task<'a> {
    call: &'a Call,
    brand: Rc<Brand>,
    staff: Rc<Staff>,
    claim: Option<Claim>,
    pickup: Pickup,
}

impl<'a> Task<'a> {
    async fn begin(
        call: &'a Call,
        order_id: &str,
        operation: &str,
        body: &[u8],
    ) -> Result<Self, Error> {
        let brand = call.brand().await?;
        let staff = auth::staff(call, &brand.id, SCOPE).await?;
        let claim = call.claim(&brand.id, &format!("{operation}/{order_id}"), body)?;
        let pickup = Pickup::read(call, &brand, order_id, claim.as_ref()).await?;
        staff.at(&pickup.location_id)?;
        Ok(Self {
            call,
            brand,
            staff,
            claim,
            pickup,
        })
    }

    /// What is answered once the collection has this status.
    async fn answer(&self, status: &str) -> Result<Answer, Error> {
        let id = self.pickup.location_id.as_str();
        let locations = self.call.model().locations(&self.brand.id, [id]).await?;
        let zone = &place(&locations, &self.pickup.location_id)?.time_zone;
        let state = PickupState {
            order_id: self.pickup.order.id.clone(),
            number: self.pickup.order.number.clone(),
            status: status.to_owned(),
            location_id: self.pickup.location_id.clone(),
            ready_at: rfc3339_in(self.pickup.ready_at_ms, zone),
            pickup_by: rfc3339_in(self.pickup.pickup_by_ms, zone),
        };
        Answer::new(200, &state)
    }

    fn begin_batch(&self, answer: &Answer, status: &str) -> Batch {
        let mut batch = command::begin(self.claim.as_ref(), answer);
        batch.expect(
            1,
            "UPDATE pickup SET status = ?4, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND order_id = ?2 AND location_id = ?3 AND status = 'preparing'",
            values![
                &self.brand.id,
                &self.pickup.order.id,
                &self.pickup.location_id,
                status
            ],
        );
        batch
    }

    fn record(&self, batch: &mut Batch, action: &str, doc: &str, entry: TimelineEntry) {
        let order_id = &self.pickup.order.id;
        let entry = TimelineEntry {
            location_id: Some(self.pickup.location_id.clone()),
            ..entry
        };
        timeline::record(batch, &self.brand.id, order_id, &entry);
        let changed = Event::new(&self.brand.id, "pickup.changed", order_id);
        outbox::event(batch, &changed);
        audit::record(batch, self.staff.actor(), action, ("order", order_id), doc);
    }

    async fn commit(self, batch: Batch, answer: Answer) -> Result<Reply, Error> {
        match command::commit(self.call, self.claim.as_ref(), answer, batch).await? {
            Committed::Done(reply) => {
                notify_relay();
                Ok(reply)
            }
            Committed::Replayed(reply) => Ok(reply),
            Committed::Unmet(_) => {
                let order_id = &self.pickup.order.id;
                let now = Pickup::read(self.call, &self.brand, order_id, None).await?;
                now.must_be_preparing()?;
                Err(raced())
            }
        }
    }
}

/// `POST /holds/pickups/{order_id}/ready`: everything lies at the till.
pub async fn ready(call: &Call, order_id: &str) -> Result<Reply, Error> {
    let body = call.body().await?;
    let task = Task::begin(call, order_id, "pickup-ready", &body).await?;
    if let Some(reply) = call.replay(task.pickup.outcome.clone())? {
        return Ok(reply);
    }
    task.pickup.must_be_preparing()?;
    let answer = task.answer("ready").await?;
    let mut batch = task.begin_batch(&answer, "ready");
    let entry = TimelineEntry {
        lines: task.pickup.open_lines(),
        ..TimelineEntry::new(TimelineKind::ReadyForPickup, "Ready to be collected.")
    };
    task.record(&mut batch, "pickup.ready", "{}", entry);
    task.commit(batch, answer).await
}

/// `POST /holds/pickups/{order_id}/not-found`: pieces are missing. The order goes on being
/// prepared; its shopper is told, and somebody is to count.
pub async fn not_found(call: &Call, order_id: &str) -> Result<Reply, Error> {
    let body = call.body().await?;
    let request: PickupNotFoundRequest = call.parse(&body)?;
    let task = Task::begin(call, order_id, "pickup-not-found", &body).await?;
    if let Some(reply) = call.replay(task.pickup.outcome.clone())? {
        return Ok(reply);
    }
    task.pickup.must_be_preparing()?;
    let lines = task.pickup.missing_lines(&request.lines)?;
    let missing = request
        .lines
        .iter()
        .map(|one| serde_json::json!({"sku": one.sku, "quantity": one.quantity}));
    let doc = serde_json::json!({"missing": missing.collect::<Vec<_>>()}).to_string();
    let answer = task.answer("preparing").await?;
    let mut batch = task.begin_batch(&answer, "preparing");
    let text = "A part of the order is not where it should be. The store is looking for it.";
    let entry = TimelineEntry {
        lines,
        reasons: vec!["not_found".to_owned()],
        ..TimelineEntry::new(TimelineKind::Preparing, text)
    };
    task.record(&mut batch, "pickup.not_found", &doc, entry);
    let (store, subject) = (&task.pickup.location_id, ("order", order_id));
    incident::record(
        &mut batch,
        &task.brand.id,
        store,
        "not_found",
        subject,
        &doc,
    );
    task.commit(batch, answer).await
}
