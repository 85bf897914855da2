//! The transfers of an order that is collected at a store which lacks some of it: they
//! begin and end with the order, in its two batches.

use aisle_domain::brand::Brand;
use aisle_domain::checkout::Session;
use aisle_domain::fulfillment::{Destination, Method, MethodKind};
use aisle_domain::order::{self, TimelineEntry, TimelineKind};
use aisle_domain::plan::{Allocation, Plan};
use aisle_domain::policy::Approval;
use aisle_domain::transfer::{Held, PlannedTransfer, Requester, Status, TransferDoc};
use aisle_http::Error;
use aisle_store::outbox::{self, Event};
use aisle_store::stock::{self, Document, Floor};
use aisle_store::transfers::{self, NewTransfer};
use aisle_store::{Batch, new_id, random, timeline, values};

use crate::facts::Facts;

const MINUTE_MS: i64 = 60_000;

/// The transfers that `plan` needs: those that it takes over, and new ones with their ids to be.
pub fn of(plan: &Plan) -> Vec<Held> {
    let new = plan.transfers.iter().map(|planned| Held {
        id: new_id(),
        planned: planned.clone(),
    });
    plan.adopted.iter().cloned().chain(new).collect()
}

/// Of the first batch: gives back what is set aside for this shopper and not needed, takes
/// over what is, creates the rest, and reserves all that the order holds.
pub fn reserve(
    batch: &mut Batch,
    brand: &Brand,
    order_id: &str,
    plan: &Plan,
    sent: &[Held],
    facts: &Facts,
) -> Result<(), Error> {
    let needed = |held: &&Held| sent.iter().any(|sent| sent.id == held.id);
    let not_needed = facts.held.iter().filter(|held| !needed(held));
    give_back(
        batch,
        brand,
        not_needed.map(|held| (held, facts.owner_of(&held.id))),
    );
    let mut reserved: Vec<(&Held, Vec<Allocation>)> = Vec::new();
    for held in sent {
        match facts.doc_of(&held.id) {
            Some(doc) => adopt(batch, brand, order_id, held, doc.clone(), facts.now_ms)?,
            None => {
                create(batch, brand, order_id, held);
                reserved.push((held, held.planned.allocations()));
            }
        }
    }
    let own = (Document::order(order_id), &plan.allocations[..]);
    let holdings: Vec<stock::Holding> = reserved
        .iter()
        .map(|(held, allocations)| (Document::transfer(&held.id), &allocations[..]))
        .chain([own])
        .collect();
    stock::reserve(batch, &brand.id, Floor::Safety, &holdings);
    Ok(())
}

fn create(batch: &mut Batch, brand: &Brand, order_id: &str, held: &Held) {
    let number = format!("T-{}", order::number(random()));
    let new = NewTransfer {
        id: &held.id,
        number: &number,
        status: Status::Reserved,
        planned: &held.planned,
        for_type: "order",
        for_id: order_id,
        expires_in_ms: None,
        doc: &TransferDoc::new(Requester::Shopper, &held.planned),
    };
    transfers::insert(batch, &brand.id, &new);
}

fn adopt(
    batch: &mut Batch,
    brand: &Brand,
    order_id: &str,
    held: &Held,
    mut doc: TransferDoc,
    now_ms: i64,
) -> Result<(), Error> {
    let eta = held.planned.eta.clone();
    let ready_at_ms = eta.ready_at_ms;
    doc.move_eta(eta, now_ms, "ordered");
    let doc = serde_json::to_string(&doc).map_err(|error| Error::internal(error.to_string()))?;
    batch.expect(
        1,
        "UPDATE transfer SET for_type = 'order', for_id = ?3, doc = ?4, ready_at_ms = ?5, expires_at_ms = NULL, \
         version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND status = 'reserved' AND for_type IN ('cart', 'checkout') \
           AND (expires_at_ms IS NULL OR expires_at_ms > {now})",
        values![&brand.id, &held.id, order_id, doc, ready_at_ms],
    );
    transfers::changed(
        batch,
        &brand.id,
        &held.id,
        Status::Reserved,
        "order",
        order_id,
    );
    Ok(())
}

/// Of the second batch, when it is paid: the sources are asked or told, the shopper's
/// timeline says so, and the store knows what it will hand over.
pub fn confirm(batch: &mut Batch, brand: &Brand, order_id: &str, session: &Session, sent: &[Held]) {
    let policy = &brand.policies.transfers;
    let (status, expires_in_ms) = match policy.approval {
        Approval::Automatic => (Status::Approved, None),
        Approval::Manual => {
            let minutes = policy.approval_minutes;
            (Status::Requested, Some(minutes.saturating_mul(MINUTE_MS)))
        }
    };
    for held in sent {
        batch.expect(
            1,
            "UPDATE transfer SET status = ?3, expires_at_ms = {now} + ?4, version = version + 1, \
             updated_at_ms = {now} WHERE brand_id = ?1 AND id = ?2 AND status = 'reserved' \
               AND for_type = 'order' AND for_id = ?5",
            values![&brand.id, &held.id, status.name(), expires_in_ms, order_id],
        );
        transfers::changed(batch, &brand.id, &held.id, status, "order", order_id);
        timeline::record(
            batch,
            &brand.id,
            order_id,
            &requested(session, &held.planned),
        );
    }
    let collected =
        |method: &&Method| method.kind == MethodKind::Pickup && !method.line_ids.is_empty();
    let method = session.methods.iter().find(collected);
    if let Some(Destination::Store(store)) = method.and_then(Method::destination) {
        let status = match sent.is_empty() {
            true => "preparing",
            false => "awaiting_transfer",
        };
        batch.expect(
            1,
            "INSERT INTO pickup (brand_id, order_id, location_id, status, ready_at_ms, pickup_by_ms, version, updated_at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, {now})",
            values![&brand.id, order_id, &store.id, status, store.ready_at_ms, store.pickup_by_ms],
        );
        outbox::event(batch, &Event::new(&brand.id, "pickup.changed", order_id));
    }
}

fn requested(session: &Session, planned: &PlannedTransfer) -> TimelineEntry {
    let text = format!("{} pieces come from another location.", planned.pieces());
    TimelineEntry {
        lines: lines_of(session, planned),
        location_id: Some(planned.to_location_id.clone()),
        ready_at_ms: Some(planned.eta.ready_at_ms),
        reasons: planned
            .eta
            .reasons
            .iter()
            .map(|reason| reason.name().to_owned())
            .collect(),
        ..TimelineEntry::new(TimelineKind::TransferRequested, text)
    }
}

/// The collected lines that the units belong to, each with its pieces.
fn lines_of(session: &Session, planned: &PlannedTransfer) -> Vec<(String, i64)> {
    let pickup = session
        .methods
        .iter()
        .find(|method| method.kind == MethodKind::Pickup);
    let collected = |id: &String| pickup.is_some_and(|method| method.line_ids.contains(id));
    let mut lines = Vec::new();
    for unit in &planned.units {
        let mut open = unit.quantity;
        let same = session
            .lines
            .iter()
            .filter(|line| line.sku == unit.sku && collected(&line.id));
        for line in same {
            let pieces = line.quantity.min(open);
            open -= pieces;
            if pieces > 0 {
                lines.push((line.id.clone(), pieces));
            }
        }
    }
    lines
}

/// Cancels transfers that nothing came of, each with what it is for and that one's id, and frees
/// their units at their sources.
pub fn give_back<'a>(
    batch: &mut Batch,
    brand: &Brand,
    held: impl IntoIterator<Item = (&'a Held, (&'a str, &'a str))>,
) {
    let mut units = Vec::new();
    for (held, (for_type, for_id)) in held {
        batch.expect(
            1,
            "UPDATE transfer SET status = 'cancelled', expires_at_ms = NULL, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND status = 'reserved' AND for_type = ?3 AND for_id = ?4",
            values![&brand.id, &held.id, for_type, for_id],
        );
        let status = Status::Cancelled;
        transfers::changed(batch, &brand.id, &held.id, status, for_type, for_id);
        units.push((Document::transfer(&held.id), held.planned.allocations()));
    }
    let holdings: Vec<stock::Holding> = units.iter().map(|(of, units)| (*of, &units[..])).collect();
    stock::release_each(batch, &brand.id, &holdings);
}
