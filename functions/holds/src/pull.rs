//! What staff say of a hold: it is off the shelf, or it is not there.

use std::rc::Rc;

use aisle_domain::brand::Brand;
use aisle_domain::hold::{Change, HoldLine, Status};
use aisle_domain::plan::Allocation;
use aisle_http::auth::{self, Staff};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::{Claim, Outcome};
use aisle_store::stock::{self, Document, Floor, Reserved};
use aisle_store::{Batch, audit, incident};
use aisle_ucp::hold::NotFoundRequest;

use crate::articles;
use crate::facts::{Facts, HoldRow, must_be_id, overtaken, place_of, refused};

/// The scope of whoever pulls.
pub const SCOPE: &str = "stock";

/// A person at the hold's store, and the hold before anything is done to it.
struct Task<'a> {
    call: &'a Call,
    brand: Rc<Brand>,
    staff: Rc<Staff>,
    claim: Option<Claim>,
    outcome: Outcome,
    before: HoldRow,
    now_ms: i64,
}

impl<'a> Task<'a> {
    async fn begin(call: &'a Call, id: &str, operation: &str, body: &[u8]) -> Result<Self, Error> {
        must_be_id(id)?;
        let brand = call.brand().await?;
        let staff = auth::staff(call, &brand.id, SCOPE).await?;
        let claim = call.claim(&brand.id, &format!("{operation}/{id}"), body)?;
        let facts = Facts::read(call, &brand, id, claim.as_ref()).await?;
        staff.at(&facts.hold()?.location_id)?;
        Ok(Self {
            before: facts.hold()?.clone(),
            outcome: facts.outcome,
            now_ms: facts.now_ms,
            call,
            brand,
            staff,
            claim,
        })
    }

    /// What was answered to the same request before. Refused: a hold that nobody is to pull.
    fn replay(&self) -> Result<Option<Reply>, Error> {
        let replayed = self.call.replay(self.outcome.clone())?;
        if replayed.is_none() && self.before.status != Status::Requested {
            return Err(self.before.is_now());
        }
        Ok(replayed)
    }

    /// The batch that makes `after` of the hold, with its entry in the audit trail.
    async fn batch(
        &self,
        after: &HoldRow,
        action: &str,
        doc: &str,
    ) -> Result<(Batch, Answer), Error> {
        let locations = place_of(self.call, &self.brand, after).await?;
        let answer = Answer::new(200, &after.shown(&locations)?)?;
        let mut batch = command::begin(self.claim.as_ref(), &answer);
        after.replace(&mut batch, &self.brand)?;
        audit::record(
            &mut batch,
            self.staff.actor(),
            action,
            ("hold", &after.id),
            doc,
        );
        Ok((batch, answer))
    }

    async fn commit(
        &self,
        batch: Batch,
        answer: Answer,
        substitute: Option<Reserved>,
    ) -> Result<Reply, Error> {
        match command::commit(self.call, self.claim.as_ref(), answer, batch).await? {
            Committed::Done(reply) => {
                notify_relay();
                Ok(reply)
            }
            Committed::Replayed(reply) => Ok(reply),
            Committed::Unmet(error) => {
                match substitute.as_ref().and_then(|one| one.short(&error)) {
                    Some(short) => Err(Error::conflict(
                        "out_of_stock",
                        "the store has not as many of the substitute",
                    )
                    .at("$.substitute_sku")
                    .with("requested", short.quantity)),
                    None => Err(overtaken(self.call, &self.brand, &self.before).await),
                }
            }
        }
    }
}

/// `POST /holds/{id}/pulled`
pub async fn pulled(call: &Call, id: &str) -> Result<Reply, Error> {
    let body = call.body().await?;
    let task = Task::begin(call, id, "pull-hold", &body).await?;
    if let Some(reply) = task.replay()? {
        return Ok(reply);
    }
    let after = HoldRow {
        status: Status::Pulled,
        ..task.before.clone()
    };
    let (batch, answer) = task.batch(&after, "hold.pulled", "{}").await?;
    task.commit(batch, answer, None).await
}

/// `POST /holds/{id}/not-found`: the missing units are let go, or replaced by as many of
/// another SKU, and somebody is to count. A hold of which nothing is left is released.
pub async fn not_found(call: &Call, id: &str) -> Result<Reply, Error> {
    let body = call.body().await?;
    let request: NotFoundRequest = call.parse(&body)?;
    let task = Task::begin(call, id, "hold-not-found", &body).await?;
    if let Some(reply) = task.replay()? {
        return Ok(reply);
    }
    let missing: Vec<(String, i64)> = request
        .lines
        .into_iter()
        .map(|line| (line.sku, line.quantity))
        .collect();
    let title = match &request.substitute_sku {
        Some(sku) => Some(substitute(call, &task.brand, sku).await?),
        None => None,
    };
    let substitute = request.substitute_sku.as_deref().zip(title.as_deref());
    let mut after = task.before.clone();
    let changes = after
        .hold
        .not_found(&missing, substitute, task.now_ms)
        .map_err(refused)?;
    if after.hold.lines.is_empty() {
        after.status = Status::Released;
    }
    let doc =
        serde_json::to_string(&changes).map_err(|error| Error::internal(error.to_string()))?;
    let doc = format!("{{\"changes\":{doc}}}");
    let (mut batch, answer) = task.batch(&after, "hold.not_found", &doc).await?;
    let reserved = exchange(&mut batch, &task, &changes);
    let (store, subject) = (&after.location_id, ("hold", id));
    incident::record(
        &mut batch,
        &task.brand.id,
        store,
        "not_found",
        subject,
        &doc,
    );
    task.commit(batch, answer, reserved).await
}

async fn substitute(call: &Call, brand: &Brand, sku: &str) -> Result<String, Error> {
    let titles = articles::titles(call, brand, &[sku]).await?;
    titles.into_iter().flatten().next().ok_or_else(|| {
        let detail = "the brand sells nothing by this SKU";
        Error::unprocessable("unknown_sku", "$.substitute_sku", detail)
    })
}

/// Gives the missing units back and sets the substitute's aside, which are in the hands of
/// whoever asks; all balances in the order of their SKUs.
fn exchange(batch: &mut Batch, task: &Task, changes: &[Change]) -> Option<Reserved> {
    let (brand_id, location_id) = (&task.brand.id, &task.before.location_id);
    let document = Document::hold(&task.before.id);
    let at_store = |line: &HoldLine| line.at(location_id);
    let instead: Vec<Allocation> = changes
        .iter()
        .filter_map(|change| change.substitute.as_ref().map(at_store))
        .collect();
    let missing: Vec<Allocation> = changes
        .iter()
        .map(|change| at_store(&change.missing))
        .collect();
    let Some(substitute_sku) = instead.first().map(|one| one.sku.clone()) else {
        stock::release(batch, brand_id, document, &missing);
        return None;
    };
    let (before, behind): (Vec<_>, Vec<_>) = missing
        .into_iter()
        .partition(|one| one.sku < substitute_sku);
    if !before.is_empty() {
        stock::release(batch, brand_id, document, &before);
    }
    let reserved = stock::reserve(batch, brand_id, Floor::Zero, &[(document, &instead)]);
    if !behind.is_empty() {
        stock::release(batch, brand_id, document, &behind);
    }
    Some(reserved)
}
