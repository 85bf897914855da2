//! The order that waits for transfers: what it lacks, who else can send it, and what
//! becomes of its promise.

use aisle_domain::brand::Brand;
use aisle_domain::instant::rfc3339_in;
use aisle_domain::order::{TimelineEntry, TimelineKind};
use aisle_domain::plan::{Allocation, Demand};
use aisle_domain::transfer::need::{self, Coming};
use aisle_domain::transfer::{self, Requester, Status};
use aisle_http::Error;
use aisle_store::outbox::{self, Event};
use aisle_store::transfers::Transfer;
use aisle_store::{Batch, incident, timeline, values};

use crate::facts::{Facts, OrderRow, PickupRow};
use crate::fresh::Fresh;

/// A confirmed order to be collected, with its transfers as a change leaves them.
pub struct Waiting<'a> {
    brand: &'a Brand,
    facts: &'a Facts,
    order: OrderRow,
    pickup: PickupRow,
    transfers: Vec<Transfer>,
    /// Units at the store, set aside for the order.
    held: Vec<Allocation>,
    entries: Vec<TimelineEntry>,
    fresh: Vec<Fresh>,
    unsourced: Option<Demand>,
}

impl<'a> Waiting<'a> {
    /// `None` when no order waits: it is not paid, over, or collected.
    pub fn new(brand: &'a Brand, facts: &'a Facts) -> Option<Self> {
        let (order, pickup) = (facts.order.clone()?, facts.pickup.clone()?);
        if matches!(pickup.status.as_str(), "collected" | "cancelled") {
            return None;
        }
        let here = |one: &&Allocation| one.location_id == pickup.location_id;
        Some(Self {
            brand,
            facts,
            held: facts.held.iter().filter(here).cloned().collect(),
            transfers: facts.transfers.clone(),
            order,
            pickup,
            entries: Vec::new(),
            fresh: Vec::new(),
            unsourced: None,
        })
    }

    pub fn location_id(&self) -> &str {
        &self.pickup.location_id
    }

    pub fn order_id(&self) -> &str {
        &self.order.doc.id
    }

    /// The transfer is now like this.
    pub fn changed(&mut self, after: &Transfer) {
        for known in self.transfers.iter_mut().filter(|one| one.id == after.id) {
            known.clone_from(after);
        }
    }

    /// Of units that arrive, those that the order needs: they are set aside for it.
    pub fn takes(&mut self, arrived: &[Allocation]) -> Vec<Allocation> {
        let wanted = need::lacking(&need::to_collect(&self.order.doc), &self.held, []);
        let part = |one: &Allocation| Allocation {
            quantity: one.quantity.min(wanted.units(&one.sku)),
            ..one.clone()
        };
        let taken: Vec<Allocation> = arrived
            .iter()
            .map(part)
            .filter(|one| one.quantity > 0)
            .collect();
        self.held.extend(taken.iter().cloned());
        taken
    }

    /// What is neither at the store nor coming.
    pub fn lacks(&self) -> Demand {
        let coming = self.transfers.iter().map(|one| Coming {
            is_open: one.status_now().is_open(),
            lines: &one.lines,
        });
        need::lacking(&need::to_collect(&self.order.doc), &self.held, coming)
    }

    /// An entry of the order's timeline.
    pub fn tell(&mut self, kind: TimelineKind, description: String, reasons: &[&str]) {
        self.entries.push(TimelineEntry {
            location_id: Some(self.pickup.location_id.clone()),
            reasons: reasons.iter().map(|one| (*one).to_owned()).collect(),
            ..TimelineEntry::new(kind, description)
        });
    }

    /// Transfers that were made for the order.
    pub fn comes(&mut self, fresh: &[Fresh]) {
        for one in fresh {
            let name = self.name(&one.transfer.from_location_id);
            let pieces = one.planned.pieces();
            self.tell(
                TimelineKind::TransferRequested,
                format!("{pieces} to come from {name}"),
                &[],
            );
            self.transfers.push(one.transfer.clone());
        }
    }

    /// A source did not keep to it: asks the others, except those that failed before.
    pub fn ask_others(&mut self, failed: &Transfer, why: &str) {
        let lacks = self.lacks();
        let name = self.name(&failed.from_location_id);
        if lacks.is_empty() {
            return;
        }
        match self.quote_without(failed, &lacks) {
            Some(planned) => {
                let description = format!("Not all comes from {name}; another source was found");
                self.tell(
                    TimelineKind::TransferFailed,
                    description,
                    &[why, "other_source"],
                );
                let fresh = planned
                    .into_iter()
                    .map(|one| {
                        Fresh::approved_or_requested(
                            self.brand,
                            self.facts.now_ms,
                            one,
                            Requester::Shopper,
                            ("order", &self.order.doc.id),
                        )
                    })
                    .collect::<Vec<_>>();
                self.comes(&fresh);
                self.fresh.extend(fresh);
            }
            None => {
                let description = format!(
                    "Not all comes from {name}, and no other place can send it; we will be in touch"
                );
                self.tell(
                    TimelineKind::TransferFailed,
                    description,
                    &[why, "no_source"],
                );
                self.unsourced = Some(lacks);
            }
        }
    }

    fn quote_without(
        &self,
        failed: &Transfer,
        lacks: &Demand,
    ) -> Option<Vec<transfer::PlannedTransfer>> {
        let to = self.facts.location(&self.pickup.location_id)?;
        let gave_up = |one: &&Transfer| {
            let status = one.status_now();
            matches!(
                status,
                Status::Refused | Status::Cancelled | Status::Expired
            )
        };
        let mut without: Vec<&str> = vec![&failed.from_location_id];
        without.extend(
            self.transfers
                .iter()
                .filter(gave_up)
                .map(|one| one.from_location_id.as_str()),
        );
        let others = self.facts.locations.all.iter();
        let others: Vec<_> = others
            .filter(|one| !without.contains(&one.id.as_str()))
            .cloned()
            .collect();
        let quoted = transfer::quote(
            lacks,
            &self.facts.availability,
            to,
            &others,
            &self.facts.lanes,
            &self.brand.policies,
            self.facts.now_ms,
        );
        quoted.ok().map(|quoted| quoted.transfers)
    }

    fn name(&self, location_id: &str) -> String {
        let known = self.facts.location(location_id);
        known.map_or_else(|| "another place".into(), |one| one.name.clone())
    }

    /// Writes all that follows: new transfers with what is set aside for them, the promise,
    /// the state of the collection, and what the shopper and the staff are told.
    pub fn write(mut self, batch: &mut Batch) -> Result<(), Error> {
        let brand = self.brand;
        let brand_id = &brand.id;
        if !self.fresh.is_empty() {
            Fresh::write(batch, brand_id, &self.fresh);
        }
        if let Some(lacks) = &self.unsourced {
            let units: serde_json::Map<String, serde_json::Value> = lacks
                .iter()
                .map(|(sku, units)| (sku.to_owned(), units.into()))
                .collect();
            incident::record(
                batch,
                brand_id,
                &self.pickup.location_id,
                "transfer.unsourced",
                ("order", &self.order.doc.id),
                &serde_json::json!({ "lacks": units }).to_string(),
            );
        }
        let ready_at_ms = self.promise();
        if ready_at_ms != self.pickup.ready_at_ms {
            self.move_promise(batch, ready_at_ms)?;
        }
        let status = self.status();
        if status == "preparing" && self.pickup.status != "preparing" {
            let description = "All of it is at the store and is being prepared".to_owned();
            self.tell(TimelineKind::Preparing, description, &[]);
        }
        batch.expect(
            1,
            "UPDATE pickup SET status = ?4, ready_at_ms = ?5, pickup_by_ms = ?6, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND order_id = ?2 AND version = ?3",
            values![
                brand_id,
                &self.order.doc.id,
                self.pickup.version,
                status,
                ready_at_ms,
                self.brand.kept_until_ms(ready_at_ms)
            ],
        );
        outbox::event(
            batch,
            &Event::new(brand_id, "pickup.changed", &self.order.doc.id),
        );
        for entry in &self.entries {
            timeline::record(batch, brand_id, &self.order.doc.id, entry);
        }
        Ok(())
    }

    /// What the store itself prepares, and the last of what came or comes: a change of the
    /// latter moves the promise.
    fn promise(&self) -> i64 {
        let promised = self.pickup.ready_at_ms;
        let (before, after) = (
            last_ready(&self.facts.transfers),
            last_ready(&self.transfers),
        );
        match (before, after) {
            (before, Some(after)) if before != Some(after) => match before {
                Some(before) if promised > before => promised.max(after),
                None => promised.max(after),
                _ => after,
            },
            _ => promised,
        }
    }

    fn move_promise(&mut self, batch: &mut Batch, ready_at_ms: i64) -> Result<(), Error> {
        let before = self.pickup.ready_at_ms;
        let zone = self.facts.location(&self.pickup.location_id);
        let zone = zone.map_or("UTC", |location| &location.time_zone);
        let (kind, description) = match ready_at_ms < before {
            true => (TimelineKind::MovedEarlier, "Ready earlier, from"),
            false => (TimelineKind::MovedLater, "Ready later, from"),
        };
        let description = format!("{description} {}", rfc3339_in(ready_at_ms, zone));
        self.entries.push(TimelineEntry {
            location_id: Some(self.pickup.location_id.clone()),
            ready_at_ms_before: Some(before),
            ready_at_ms: Some(ready_at_ms),
            ..TimelineEntry::new(kind, description)
        });
        let kept_until_ms = self.brand.kept_until_ms(ready_at_ms);
        self.order.doc.move_pickup(ready_at_ms, kept_until_ms);
        let doc = serde_json::to_string(&self.order.doc)
            .map_err(|error| Error::internal(error.to_string()))?;
        batch.expect(
            1,
            "UPDATE customer_order SET doc = ?4, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'confirmed'",
            values![&self.brand.id, &self.order.doc.id, self.order.version, doc],
        );
        Ok(())
    }

    fn status(&self) -> &'static str {
        let comes = self.transfers.iter().any(|one| one.status_now().is_open());
        match self.pickup.status.as_str() {
            _ if comes => "awaiting_transfer",
            "awaiting_transfer" if !self.lacks().is_empty() => "awaiting_transfer",
            "ready" => "ready",
            _ => "preparing",
        }
    }
}

/// When the last of the transfers that came or come is ready.
fn last_ready(transfers: &[Transfer]) -> Option<i64> {
    let counts = |one: &&Transfer| {
        let status = one.status_now();
        status.is_open() || matches!(status, Status::Received | Status::Closed)
    };
    transfers
        .iter()
        .filter(counts)
        .map(|one| one.ready_at_ms)
        .max()
}
