//! `POST …/scans`: what devices read, in batches that may come twice, late and out of order.

use std::collections::HashMap;

use aisle_domain::count::Count;
use aisle_domain::instant::parse_rfc3339;
use aisle_domain::scan::{Clocks, Fault, MAX_SEQUENCE, MAX_UNITS};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, auth};
use aisle_store::outbox::{self, Event};
use aisle_store::scans::{self, Facts, Kept, Named, Scan, Task, TaskKind};
use aisle_ucp::count::scan::{Condition, Refused, ScanAnswer, ScanItem, ScanRequest};

use crate::SCOPE;
use crate::count;
use crate::items::{self, Item};

/// How often a batch is judged anew because others of the same device came in meanwhile.
const TRIES: usize = 4;

/// Keeps what is new for the task with this id.
pub async fn take(call: &Call, kind: TaskKind, id: &str) -> Result<Reply, Error> {
    count::must_be_id(id)?;
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, SCOPE).await?;
    let body = call.body().await?;
    let request: ScanRequest = call.parse(&body)?;
    let device_now_ms = request.device_now_ms().map_err(count::invalid)?;
    let caller = format!("scan-{}/{id}/{}", kind.name(), staff.device_id);
    let claim = call.claim(&brand.id, &caller, &body)?;
    let wanted: Vec<Result<Item, Fault>> = request
        .scans
        .iter()
        .map(|scan| Item::parse(scan.gtin.as_deref(), scan.sku.as_deref()))
        .collect();
    let (skus, gtins) = items::named(wanted.iter().flatten());
    let named = Named {
        device_id: &staff.device_id,
        sequences: request.scans.iter().map(|scan| scan.sequence).collect(),
        skus,
        gtins,
    };
    for _ in 0..TRIES {
        let facts = scans::facts(call.db(), &brand.id, (kind, id), &named, claim.as_ref()).await?;
        let task = facts.task.as_ref().ok_or_else(count::missing)?;
        staff.at(&task.location_id)?;
        if let Some(reply) = call.replay(facts.outcome.clone())? {
            return Ok(reply);
        }
        let judge = Judge::new(kind, id, task, &facts, device_now_ms)?;
        let (answer, new) = judge.all(&request.scans, &wanted);
        let answer = Answer::new(200, &answer)?;
        let mut batch = command::begin(claim.as_ref(), &answer);
        if !new.is_empty() {
            scans::keep(&mut batch, (kind, id), staff.actor(), &new);
            scans::touch(&mut batch, &brand.id, (kind, id));
            if task.status == "review" {
                outbox::event(&mut batch, &Event::new(&brand.id, "count.changed", id));
            }
        }
        if batch.is_empty() {
            return Ok(answer.reply());
        }
        match command::commit(call, claim.as_ref(), answer, batch).await? {
            Committed::Done(reply) | Committed::Replayed(reply) => return Ok(reply),
            Committed::Unmet(_) => {}
        }
    }
    Err(command::raced())
}

/// What each scan of a batch is held against.
struct Judge<'a> {
    kind: TaskKind,
    task_id: &'a str,
    /// Of a count only.
    count: Option<Count>,
    over: bool,
    facts: &'a Facts,
    clocks: Clocks,
}

impl<'a> Judge<'a> {
    fn new(
        kind: TaskKind,
        task_id: &'a str,
        task: &Task,
        facts: &'a Facts,
        device_now_ms: i64,
    ) -> Result<Self, Error> {
        let count = match kind {
            TaskKind::Count => Some(
                serde_json::from_str(&task.doc)
                    .map_err(|error| Error::internal(error.to_string()))?,
            ),
            TaskKind::Delivery | TaskKind::Transfer => None,
        };
        Ok(Self {
            kind,
            task_id,
            count,
            over: !kind.open_statuses().contains(&task.status.as_str()),
            facts,
            clocks: Clocks {
                device_now_ms,
                now_ms: task.now_ms,
                opened_at_ms: task.opened_at_ms,
            },
        })
    }

    fn all(&self, scans: &[ScanItem], wanted: &[Result<Item, Fault>]) -> (ScanAnswer, Vec<Scan>) {
        let mut answer = ScanAnswer {
            new: 0,
            known: 0,
            refused: Vec::new(),
        };
        let mut new: HashMap<i64, Scan> = HashMap::new();
        for (index, (scan, item)) in scans.iter().zip(wanted).enumerate() {
            match self.one(scan, item, &new) {
                Ok(Some(scan)) => drop(new.insert(scan.sequence, scan)),
                Ok(None) => answer.known += 1,
                Err(fault) => answer
                    .refused
                    .push(Refused::new(index, scan.sequence, fault)),
            }
        }
        answer.new = new.len();
        let mut new: Vec<Scan> = new.into_values().collect();
        new.sort_by_key(|scan| scan.sequence);
        (answer, new)
    }

    /// The scan to keep; nothing when it is kept already, before or in this very batch.
    fn one(
        &self,
        scan: &ScanItem,
        item: &Result<Item, Fault>,
        new: &HashMap<i64, Scan>,
    ) -> Result<Option<Scan>, Fault> {
        if !(0..=MAX_SEQUENCE).contains(&scan.sequence) {
            return Err(Fault::InvalidSequence);
        }
        let sku = item.as_ref().map_err(|fault| *fault)?;
        let sku = sku.find(&self.facts.items)?;
        let zone = self.zone(scan)?;
        self.check_units(scan)?;
        let condition = scan.condition.unwrap_or(Condition::Good).name();
        let same = Kept {
            task_id: self.task_id.into(),
            sku: sku.into(),
            zone: zone.into(),
            quantity: scan.quantity,
            condition: condition.into(),
        };
        let kept = self.facts.kept.get(&scan.sequence);
        match kept
            .cloned()
            .or_else(|| self.kept_now(new.get(&scan.sequence)?))
        {
            Some(kept) if kept == same => return Ok(None),
            Some(_) => return Err(Fault::SequenceTaken),
            None => {}
        }
        if self.over {
            return Err(Fault::TaskOver);
        }
        let scanned_at_ms = parse_rfc3339(&scan.scanned_at).ok_or(Fault::InvalidTime)?;
        let scanned_at_ms = self.clocks.corrected(scanned_at_ms)?;
        let count = self.count.as_ref();
        if count.is_some_and(|count| !count.wants(sku)) {
            return Err(Fault::NotInCount);
        }
        if self.kind == TaskKind::Transfer && !self.facts.lines.contains(sku) {
            return Err(Fault::NotInTransfer);
        }
        Ok(Some(Scan {
            sequence: scan.sequence,
            zone: zone.into(),
            round: count.map_or(1, |count| count.round_of(sku, scanned_at_ms)),
            sku: same.sku,
            quantity: same.quantity,
            condition: same.condition,
            scanned_at_ms,
        }))
    }

    fn kept_now(&self, scan: &Scan) -> Option<Kept> {
        Some(Kept {
            task_id: self.task_id.into(),
            sku: scan.sku.clone(),
            zone: scan.zone.clone(),
            quantity: scan.quantity,
            condition: scan.condition.clone(),
        })
    }

    /// Where a count has only one zone, it need not be said.
    fn zone<'s>(&'s self, scan: &'s ScanItem) -> Result<&'s str, Fault> {
        match (&self.count, scan.zone.as_deref()) {
            (None, None) => Ok(""),
            (None, Some(_)) => Err(Fault::UnknownZone),
            (Some(count), Some(zone)) if count.has_zone(zone) => Ok(zone),
            (Some(count), None) => match &count.zones[..] {
                [only] => Ok(&only.name),
                _ => Err(Fault::UnknownZone),
            },
            (Some(_), Some(_)) => Err(Fault::UnknownZone),
        }
    }

    fn check_units(&self, scan: &ScanItem) -> Result<(), Fault> {
        let counted = self.kind == TaskKind::Count;
        if !(-MAX_UNITS..=MAX_UNITS).contains(&scan.quantity) || (scan.quantity == 0 && !counted) {
            return Err(Fault::InvalidQuantity);
        }
        if counted
            && scan
                .condition
                .is_some_and(|condition| condition != Condition::Good)
        {
            return Err(Fault::InvalidCondition);
        }
        Ok(())
    }
}
