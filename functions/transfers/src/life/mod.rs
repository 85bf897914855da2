//! The life of a transfer: each step is decided on one read and written in one batch.

pub mod decide;
pub mod events;
pub mod receive;
pub mod ship;

use aisle_domain::brand::Brand;
use aisle_domain::lane::Eta;
use aisle_domain::order::TimelineKind;
use aisle_domain::plan::Allocation;
use aisle_domain::transfer::counts::Line;
use aisle_domain::transfer::{Failure, Status};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::stock::{self, Document, Floor};
use aisle_store::transfers::{self, Transfer};
use aisle_store::{Batch, incident};
use serde_json::json;

use crate::access::{self, Caller};
use crate::facts::{Facts, Question};
use crate::read;
use crate::waiting::Waiting;

/// Looks at the facts, at most: an order or a unit can change beneath a step.
pub const ROUNDS: usize = 4;

/// What a step does, beside changing the transfer itself.
pub struct Move {
    pub after: Transfer,
    /// For the audit trail, such as `transfer.approved`.
    pub action: &'static str,
    pub audit_doc: serde_json::Value,
    /// Units that go back onto the source's shelf.
    pub released: Vec<Allocation>,
    /// Units that leave the source.
    pub issued: Vec<Allocation>,
    /// Units that come onto the destination's shelf.
    pub put: Vec<Allocation>,
    /// Why the source did not keep to it: an order asks others.
    pub failed: Option<Failure>,
    /// What the shopper is told, and why, for programs.
    pub told: Option<(TimelineKind, String, &'static [&'static str])>,
    /// Kind and pieces by SKU: what somebody at the destination must look into.
    pub incidents: Vec<(&'static str, serde_json::Map<String, serde_json::Value>)>,
}

impl Move {
    /// From one state to the next, or a 409 that names the present one.
    pub fn to(before: &Transfer, status: Status, action: &'static str) -> Result<Self, Error> {
        if !before.status_now().may_become(status) {
            return Err(illegal(before, status.name()));
        }
        let mut after = before.clone();
        after.status = status;
        after.expires_at_ms = None;
        Ok(Self::within(after, action))
    }

    /// Without a change of state.
    pub fn within(after: Transfer, action: &'static str) -> Self {
        Self {
            after,
            action,
            audit_doc: json!({}),
            released: Vec::new(),
            issued: Vec::new(),
            put: Vec::new(),
            failed: None,
            told: None,
            incidents: Vec::new(),
        }
    }

    /// Everything that is still set aside at the source goes back.
    pub fn releasing(mut self, why: Failure) -> Self {
        self.released = at(&self.after.from_location_id, &self.after.lines, |line| {
            line.requested
        });
        self.fail(why);
        self
    }

    /// The source does not bring all that it was to bring.
    pub fn fail(&mut self, why: Failure) {
        self.failed = Some(why);
        self.after.doc.failure = Some(why);
    }

    /// Another promise from now on, for the reason `why`.
    pub fn promise(&mut self, eta: Eta, now_ms: i64, why: &str) {
        self.after.ready_at_ms = eta.ready_at_ms;
        self.after.doc.move_eta(eta, now_ms, why);
    }
}

/// Allocations at a location, without empty ones.
pub fn at(location_id: &str, lines: &[Line], quantity: impl Fn(&Line) -> i64) -> Vec<Allocation> {
    let allocation = |line: &Line| Allocation {
        sku: line.sku.clone(),
        location_id: location_id.to_owned(),
        quantity: quantity(line),
    };
    let all = lines.iter().map(allocation);
    all.filter(|one| one.quantity > 0).collect()
}

/// 409: its state does not allow it, whoever asks.
pub fn illegal(transfer: &Transfer, wanted: &str) -> Error {
    let status = transfer.status_now().name();
    let detail = format!("the transfer is {status}; from there it cannot become or be {wanted}");
    Error::conflict("illegal_transition", &detail).with("transfer_status", status)
}

/// Carries out a step for a caller: `decide` says who may take it and what it does.
pub async fn step(
    call: &Call,
    brand: &Brand,
    caller: &Caller,
    id: &str,
    body: &[u8],
    decide: impl Fn(&Transfer, &Facts) -> Result<Move, Error>,
) -> Result<Reply, Error> {
    access::must_be_id(id)?;
    let claim = call.claim(&brand.id, &caller.name(), body)?;
    let mut first_version = None;
    for _ in 0..ROUNDS {
        let question = Question {
            transfer_id: Some(id),
            ..Question::default()
        };
        let facts = Facts::read(call, brand, claim.as_ref(), &question).await?;
        if let Some(reply) = call.replay(facts.outcome.clone())? {
            return Ok(reply);
        }
        let before = facts.transfers.iter().find(|one| one.id == id);
        let before = before.ok_or_else(access::missing)?;
        // Two who do the same at the same moment: it was done once, by the other.
        if *first_version.get_or_insert(before.version) != before.version {
            return Err(illegal(
                before,
                "changed by a second request at the same moment",
            ));
        }
        let step = decide(before, &facts)?;
        let answer = Answer::new(200, &read::shown(&facts.locations.all, &step.after))?;
        let mut batch = command::begin(claim.as_ref(), &answer);
        write(&mut batch, brand, &facts, before, &step)?;
        caller.audit(&mut batch, step.action, id, &step.audit_doc.to_string());
        match command::commit(call, claim.as_ref(), answer, batch).await? {
            Committed::Done(reply) => {
                notify_relay();
                return Ok(reply);
            }
            Committed::Replayed(reply) => return Ok(reply),
            Committed::Unmet(_) => {}
        }
    }
    Err(command::raced())
}

/// The step with all its consequences: rows, stock, and the order that waits.
pub fn write(
    batch: &mut Batch,
    brand: &Brand,
    facts: &Facts,
    before: &Transfer,
    step: &Move,
) -> Result<(), Error> {
    let (brand_id, document) = (&brand.id, Document::transfer(&before.id));
    transfers::update(batch, brand_id, before, &step.after);
    if !step.issued.is_empty() {
        stock::issue(batch, brand_id, "transfer-out", document, &step.issued);
    }
    if !step.released.is_empty() {
        stock::release(batch, brand_id, document, &step.released);
    }
    if !step.put.is_empty() {
        stock::put(batch, brand_id, "transfer-in", document, &step.put);
    }
    for (kind, units) in &step.incidents {
        incident::record(
            batch,
            brand_id,
            &before.to_location_id,
            kind,
            ("transfer", &before.id),
            &json!({ "units": units }).to_string(),
        );
    }
    if !before.is_for_order() {
        return Ok(());
    }
    let Some(mut waiting) = Waiting::new(brand, facts) else {
        return Ok(());
    };
    waiting.changed(&step.after);
    if step.after.ready_at_ms != before.ready_at_ms
        && let Some(change) = step.after.doc.eta_history.last()
    {
        waiting.moved_because(&change.reason);
    }
    if let Some((kind, description, reasons)) = &step.told {
        waiting.tell(*kind, description.clone(), reasons);
    }
    if waiting.location_id() == before.to_location_id {
        let taken = waiting.takes(&step.put);
        if !taken.is_empty() {
            let order = Document::order(waiting.order_id());
            stock::reserve(batch, brand_id, Floor::Zero, &[(order, &taken[..])]);
        }
    }
    if let Some(why) = step.failed {
        waiting.ask_others(&step.after, why);
    }
    waiting.write(batch)
}
