//! The rows that an order leaves behind, step by step.

use aisle_domain::checkout::{OrderReference, Session};
use aisle_domain::fulfillment::Destination;
use aisle_domain::order::{self, Order, TimelineEntry, TimelineKind};
use aisle_domain::{pass, payment};
use anyhow::Result;
use serde_json::{Value, json};

use super::{Book, DAY_MS, Drawn, HOUR_MS, MINUTE_MS, State};
use crate::chance::{Chance, Kind};
use crate::places::Till;
use crate::rows::{
    ALLOCATION, AUDIT, CONTACT, Cell, Chunk, HAND_OVER, MOVEMENT, NOTICE, ORDER, ORDER_EVENT,
    OUTBOX, PAYMENT, PICKUP, PICKUP_PASS, SESSION, cells,
};

/// How long a checkout may stay open.
const SESSION_MS: i64 = 6 * HOUR_MS;
/// What the relay needs to pass an event on.
const RELAYED_MS: i64 = 900;
/// Codes of passes that there are: 29⁶.
const CODES: u64 = 594_823_321;

struct Life<'a> {
    book: &'a Book<'a>,
    number: u64,
    drawn: &'a Drawn,
    order: Order,
    chunk: &'a mut Chunk,
    chance: Chance,
}

impl Book<'_> {
    /// Adds everything about the order with this number.
    pub fn write(&self, number: u64, chunk: &mut Chunk) -> Result<()> {
        let drawn = self.drawn(number);
        let mut chance = Chance::of(self.seed, Kind::OrderRow, number);
        let session = self.session(&drawn, &mut chance)?;
        let session_id = chance.id(drawn.placed_at_ms - 3 * MINUTE_MS);
        let reference = OrderReference {
            id: chance.id(drawn.placed_at_ms),
            number: order::number(number_bytes(self.seed, number)),
        };
        let mut order = Order::place(
            reference.clone(),
            &session_id,
            &session,
            &self.brand.policies,
            drawn.placed_at_ms,
        );
        if drawn.state == State::Fulfilled {
            order
                .lines
                .iter_mut()
                .for_each(|one| one.fulfilled = one.line.quantity);
        }
        let mut life = Life {
            book: self,
            number,
            drawn: &drawn,
            order,
            chunk,
            chance,
        };
        life.bought(session, reference)?;
        match (drawn.collected, drawn.state) {
            (true, State::Ready) => life.ready(),
            (true, State::Fulfilled) => {
                life.ready();
                life.handed_over();
            }
            (false, State::Fulfilled) => life.gone(),
            (_, State::Open | State::Ready) => {}
        }
        Ok(())
    }
}

impl Life<'_> {
    fn brand_id(&self) -> &str {
        &self.book.brand.id
    }

    /// The two batches of a completed checkout.
    fn bought(&mut self, mut session: Session, reference: OrderReference) -> Result<()> {
        let (brand, drawn) = (self.book.brand, self.drawn);
        let (placed, confirmed) = (drawn.placed_at_ms, drawn.placed_at_ms + 300);
        let (total_minor, currency) = (session.due_now_minor(), session.currency.clone());
        let store = session
            .methods
            .iter()
            .find_map(|method| match method.destination() {
                Some(Destination::Store(store)) => Some(store.clone()),
                _ => None,
            });
        session.order = Some(reference);
        let forgotten = self.book.is_forgotten(confirmed);
        if forgotten {
            session.redact();
        }
        let gone = drawn.state == State::Fulfilled;
        let id = self.order.id.clone();
        self.chunk.add(
            &SESSION,
            cells![
                &self.order.checkout_session_id,
                &brand.id,
                "completed",
                serde_json::to_string(&session)?,
                if forgotten { 5 } else { 4 },
                confirmed,
                placed + SESSION_MS,
            ],
        );
        self.chunk.add(
            &ORDER,
            cells![
                &id,
                &brand.id,
                &self.order.number,
                &self.order.checkout_session_id,
                "confirmed",
                serde_json::to_string(&self.order)?,
                if gone { 3 } else { 2 },
                placed,
                if gone { drawn.gone_at_ms } else { confirmed },
            ],
        );
        let paid = format!("sandbox:{}:{total_minor}{currency}", payment::key(&id, 1));
        let payment_id = self.chance.id(placed);
        self.chunk.add(
            &PAYMENT,
            cells![
                payment_id,
                &brand.id,
                &id,
                1,
                "sandbox",
                total_minor,
                currency,
                "authorised",
                paid,
                confirmed,
            ],
        );
        self.event("order.created", &id, "{}".into(), placed);
        self.movements("hold", [0, 1], placed);
        for held in &self.order.plan.allocations {
            let status = if gone { "fulfilled" } else { "open" };
            self.chunk.add(
                &ALLOCATION,
                cells![
                    &brand.id,
                    &id,
                    &held.sku,
                    &held.location_id,
                    held.quantity,
                    status,
                ],
            );
        }
        let event_id = self.event("order.confirmed", &id, "{}".into(), confirmed);
        self.noticed(event_id, "order.confirmed", "{}", confirmed);
        if let (true, Some(address)) = (
            brand.policies.notification.email_buyer,
            &self.order.buyer.email,
        ) {
            self.chunk.add(
                &CONTACT,
                cells![
                    &brand.id,
                    &id,
                    "email",
                    address,
                    &brand.language,
                    confirmed + RELAYED_MS,
                ],
            );
        }
        if let Some(store) = store {
            let (status, version, at_ms) = match drawn.state {
                State::Open => ("preparing", 1, confirmed),
                State::Ready => ("ready", 2, drawn.ready_at_ms),
                State::Fulfilled => ("collected", 3, drawn.gone_at_ms),
            };
            self.chunk.add(
                &PICKUP,
                cells![
                    &brand.id,
                    &id,
                    &store.id,
                    status,
                    store.ready_at_ms,
                    store.pickup_by_ms,
                    version,
                    at_ms,
                ],
            );
            self.event("pickup.changed", &id, "{}".into(), confirmed);
        }
        Ok(())
    }

    /// The store has laid the goods ready.
    fn ready(&mut self) {
        let at_ms = self.drawn.ready_at_ms;
        self.told(
            TimelineKind::ReadyForPickup,
            "Ready to be collected.",
            at_ms,
        );
        let id = self.order.id.clone();
        self.event("pickup.changed", &id, "{}".into(), at_ms);
        self.audited("pickup.ready", json!({}), at_ms);
    }

    /// The shopper has shown a pass, and the goods have left.
    fn handed_over(&mut self) {
        let (at_ms, id) = (self.drawn.gone_at_ms, self.order.id.clone());
        let store_id = self.store_id();
        let pass_id = self.chance.id(at_ms - MINUTE_MS);
        let expires_ms = pass::whole_seconds(
            at_ms - MINUTE_MS + self.book.brand.policies.pickup.pass_lifetime_s * 1_000,
        );
        let code = pass::code(code_bytes(self.book.seed, self.number));
        let till = self.till();
        let hand_over_id = self.chance.id(at_ms);
        let doc =
            json!({"lines": self.pieces(), "identification": null, "override": false}).to_string();
        let brand_id = self.brand_id().to_owned();
        self.chunk.add(
            &PICKUP_PASS,
            cells![
                &pass_id,
                &brand_id,
                &id,
                &store_id,
                code,
                at_ms - MINUTE_MS,
                expires_ms,
            ],
        );
        self.chunk.add(
            &HAND_OVER,
            cells![
                &hand_over_id,
                &brand_id,
                &id,
                pass_id,
                &store_id,
                &till.device_id,
                &till.staff_id,
                doc,
                at_ms,
            ],
        );
        self.gone();
        self.told(TimelineKind::PickedUp, "Picked up at the store.", at_ms);
        self.event("pickup.changed", &id, "{}".into(), at_ms);
        let doc = json!({"hand_over_id": hand_over_id, "offline": false, "made_by": till.staff_id});
        self.audited("order.handed_over", doc, at_ms);
    }

    fn gone(&mut self) {
        self.movements("sale", [-1, -1], self.drawn.gone_at_ms);
    }

    /// A movement for each allocation, and the event of each SKU.
    fn movements(&mut self, reason: &str, [on_hand, reserved]: [i64; 2], at_ms: i64) {
        let order_id = self.order.id.clone();
        let brand_id = self.brand_id().to_owned();
        for held in self.order.plan.allocations.clone() {
            let id = self.chance.id(at_ms);
            self.chunk.add(
                &MOVEMENT,
                cells![
                    id,
                    &brand_id,
                    &held.sku,
                    held.location_id,
                    on_hand * held.quantity,
                    reserved * held.quantity,
                    reason,
                    "order",
                    &order_id,
                    at_ms,
                ],
            );
            self.event("stock.changed", &held.sku, "{}".into(), at_ms);
        }
    }

    fn told(&mut self, kind: TimelineKind, text: &str, at_ms: i64) {
        let entry = TimelineEntry {
            lines: self.pieces(),
            location_id: Some(self.store_id()),
            ..TimelineEntry::new(kind, text)
        };
        let doc = serde_json::to_string(&entry).unwrap_or_default();
        let (id, brand_id, order_id) = (
            self.chance.id(at_ms),
            self.brand_id().to_owned(),
            self.order.id.clone(),
        );
        self.chunk.add(
            &ORDER_EVENT,
            cells![id, brand_id, &order_id, kind.name(), &doc, at_ms],
        );
        let event_id = self.event("order.updated", &order_id, doc.clone(), at_ms);
        self.noticed(event_id, "order.updated", &doc, at_ms);
    }

    /// An event that the relay has passed on; its id.
    fn event(&mut self, kind: &str, aggregate_id: &str, doc: String, at_ms: i64) -> String {
        let id = self.chance.id(at_ms);
        let aggregate = kind.split('.').next().unwrap_or(kind);
        let row = cells![
            &id,
            self.brand_id(),
            aggregate,
            aggregate_id,
            kind,
            doc,
            at_ms,
            at_ms + RELAYED_MS,
        ];
        self.chunk.add(&OUTBOX, row);
        id
    }

    /// News that whoever wants them has been told.
    fn noticed(&mut self, event_id: String, kind: &str, doc: &str, at_ms: i64) {
        let due_ms = at_ms + RELAYED_MS;
        let row: [Cell; 8] = cells![
            event_id,
            self.brand_id(),
            &self.order.id,
            kind,
            doc,
            at_ms,
            due_ms,
            due_ms + MINUTE_MS,
        ];
        self.chunk.add(&NOTICE, row);
    }

    fn audited(&mut self, action: &str, doc: Value, at_ms: i64) {
        let (till, id) = (self.till(), self.chance.id(at_ms));
        let row = cells![
            id,
            self.brand_id(),
            self.store_id(),
            till.device_id,
            till.staff_id,
            action,
            "order",
            &self.order.id,
            doc.to_string(),
            at_ms,
        ];
        self.chunk.add(&AUDIT, row);
    }

    fn store_id(&self) -> String {
        self.book.location(self.drawn.place).id.clone()
    }

    fn till(&self) -> Till {
        self.book.places.till(self.drawn.place)
    }

    /// Line ids and pieces, all of them.
    fn pieces(&self) -> Vec<(String, i64)> {
        let lines = self.order.lines.iter();
        lines
            .map(|one| (one.line.id.clone(), one.line.quantity))
            .collect()
    }
}

impl Book<'_> {
    /// Whether a checkout that ended then is older than the brand keeps who it was for.
    pub fn is_forgotten(&self, ended_at_ms: i64) -> bool {
        ended_at_ms < self.until_ms - self.brand.policies.retention.checkout_days * DAY_MS
    }
}

/// Every order of a seed has a number of its own: multiplying by an odd number loses nothing.
fn number_bytes(seed: u64, number: u64) -> [u8; 10] {
    let mixed = number
        .wrapping_add(seed)
        .wrapping_mul(0x0003_a1f2_c9d4_e7b5);
    std::array::from_fn(|digit| (mixed >> (5 * digit)) as u8 & 31)
}

/// Likewise of codes, of which there is a prime power.
fn code_bytes(seed: u64, number: u64) -> [u8; 10] {
    let mixed = (u128::from(number) * 387_420_489 + u128::from(seed)) % u128::from(CODES);
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&(mixed as u64).to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_and_codes_of_orders_differ() {
        let numbers: HashSet<_> = (0..20_000)
            .map(|n| order::number(number_bytes(5, n)))
            .collect();
        let codes: HashSet<_> = (0..20_000).map(|n| pass::code(code_bytes(5, n))).collect();
        assert_eq!((numbers.len(), codes.len()), (20_000, 20_000));
    }
}
