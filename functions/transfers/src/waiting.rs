//! The order that waits for transfers: what it lacks, who else can send it, and what
//! becomes of its promise.

use aisle_domain::brand::Brand;
use aisle_domain::hours;
use aisle_domain::instant::rfc3339_in;
use aisle_domain::order::{TimelineEntry, TimelineKind};
use aisle_domain::plan::{Allocation, Demand};
use aisle_domain::transfer::need::{self, Coming};
use aisle_domain::transfer::{Failure, PlannedTransfer, Replaces, Requester, Resourced, Status};
use aisle_http::Error;
use aisle_store::outbox::{self, Event};
use aisle_store::stock::Document;
use aisle_store::transfers::Transfer;
use aisle_store::{Batch, incident, timeline, values};

use crate::facts::{Facts, OrderRow, PickupRow};
use crate::fresh::Fresh;
use crate::instead::{Instead, units};

/// A confirmed order to be collected, with its transfers as a change leaves them.
pub struct Waiting<'a> {
    pub(crate) brand: &'a Brand,
    pub(crate) facts: &'a Facts,
    order: OrderRow,
    pickup: PickupRow,
    /// All of the order, as a change leaves them.
    pub(crate) transfers: Vec<Transfer>,
    /// Units at the store, set aside for the order.
    held: Vec<Allocation>,
    /// Of those, units that were free on the store's own shelf and are set aside now.
    taken_here: Vec<Allocation>,
    entries: Vec<TimelineEntry>,
    fresh: Vec<Fresh>,
    unsourced: Option<Demand>,
    /// Why the promise moves, where it does.
    moved_because: Option<String>,
    /// What was decided in place of a source that failed.
    resourced: Option<Resourced>,
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
            taken_here: Vec::new(),
            entries: Vec::new(),
            fresh: Vec::new(),
            unsourced: None,
            moved_because: None,
            resourced: None,
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

    /// Why the promise moves, where it does.
    pub fn moved_because(&mut self, why: &str) {
        self.moved_because = Some(why.to_owned());
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

    /// A source did not keep to it: takes what is free at the store itself, and asks others
    /// for the rest, except those that failed before.
    pub fn ask_others(&mut self, failed: &Transfer, why: Failure) {
        let Some(instead) = Instead::of(self, failed, why) else {
            return;
        };
        let replaces = Replaces {
            transfer_id: failed.id.clone(),
            from_location_id: failed.from_location_id.clone(),
            why,
        };
        let (description, reasons) = instead.told(&self.name(&failed.from_location_id), why);
        self.tell(TimelineKind::TransferFailed, description, &reasons);
        let fresh: Vec<Fresh> = instead
            .planned
            .iter()
            .map(|planned| self.fresh(planned, &replaces))
            .collect();
        self.comes(&fresh);
        self.resourced = Some(Resourced {
            at_ms: self.facts.now_ms,
            replaces,
            taken_here: instead.taken_here(),
            transfer_ids: fresh.iter().map(|one| one.transfer.id.clone()).collect(),
            lacking: units(&instead.lacking),
            considered: instead.considered,
        });
        self.fresh.extend(fresh);
        self.held.extend(instead.here.iter().cloned());
        self.taken_here = instead.here;
        self.unsourced = Some(instead.lacking).filter(|lacking| !lacking.is_empty());
    }

    /// When everything would be ready that `failed` was to bring, if it came from elsewhere;
    /// `None` when not all of it can.
    pub fn ready_without(&mut self, failed: &Transfer, why: Failure) -> Option<i64> {
        self.changed(failed);
        let instead = Instead::of(self, failed, why)?;
        let ready_at_ms = instead.ready_at_ms(self.here_ready_ms(&instead.here));
        ready_at_ms.filter(|_| instead.lacking.is_empty())
    }

    fn fresh(&self, planned: &PlannedTransfer, replaces: &Replaces) -> Fresh {
        let whom = ("order", self.order.doc.id.as_str());
        let (now_ms, planned) = (self.facts.now_ms, planned.clone());
        Fresh::approved_or_requested(self.brand, now_ms, planned, Requester::Shopper, whom)
            .replacing(replaces.clone())
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
        let own = (Document::order(&self.order.doc.id), &self.taken_here[..]);
        Fresh::write(batch, brand_id, &self.fresh, &[own]);
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
        let moves = ready_at_ms != self.pickup.ready_at_ms;
        if moves {
            self.move_promise(ready_at_ms);
        }
        let resourced = self.resourced.take();
        if moves || resourced.is_some() {
            let kept = &mut self.order.doc.resourced;
            resourced.into_iter().for_each(|one| one.keep(kept));
            self.write_order(batch)?;
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

    /// The latest of what the store itself prepares and the last of what came or comes; only
    /// a change of these moves it, and not to an earlier instant while something is lacking.
    fn promise(&self) -> i64 {
        let promised = self.pickup.ready_at_ms;
        let before = last_ready(&self.facts.transfers, |one| one.status);
        let after = last_ready(&self.transfers, Transfer::status_now);
        let here = self.here_ready_ms(&self.taken_here);
        if before == after && here.is_none() {
            return promised;
        }
        let own = before.is_none_or(|before| promised > before);
        let parts = [own.then_some(promised), after, here];
        let last = parts.into_iter().flatten().max().unwrap_or(promised);
        match self.lacks().is_empty() {
            true => last,
            false => last.max(promised),
        }
    }

    /// When the store has prepared what it takes from its own shelf now, if anything.
    fn here_ready_ms(&self, taken: &[Allocation]) -> Option<i64> {
        let store = self.facts.location(&self.pickup.location_id)?;
        let ready = || hours::ready_at_ms(store, self.facts.now_ms, store.preparation_minutes);
        (!taken.is_empty()).then(ready)?
    }

    fn move_promise(&mut self, ready_at_ms: i64) {
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
            reasons: self.moved_because.iter().cloned().collect(),
            ..TimelineEntry::new(kind, description)
        });
        let kept_until_ms = self.brand.kept_until_ms(ready_at_ms);
        self.order.doc.move_pickup(ready_at_ms, kept_until_ms);
    }

    fn write_order(&self, batch: &mut Batch) -> Result<(), Error> {
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
fn last_ready(transfers: &[Transfer], status: impl Fn(&Transfer) -> Status) -> Option<i64> {
    let counts = |one: &&Transfer| {
        let status = status(one);
        status.is_open() || matches!(status, Status::Received | Status::Closed)
    };
    transfers
        .iter()
        .filter(counts)
        .map(|one| one.ready_at_ms)
        .max()
}
