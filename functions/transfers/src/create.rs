//! `POST /transfers`: the goods are set aside at their sources in the batch that creates
//! the transfers.

use aisle_domain::brand::Brand;
use aisle_domain::location::Location;
use aisle_domain::plan::{Allocation, Demand};
use aisle_domain::policy::Policies;
use aisle_domain::transfer::need::{self, Coming};
use aisle_domain::transfer::{self, NoTransfer, PlannedTransfer, Requester, Status};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::Claim;
use aisle_store::{Batch, values};
use aisle_ucp::page::Invalid;
use aisle_ucp::transfer::{
    BeneficiaryKind, CreateRequest, CreatedTransfers, ItemName, Places, items,
};
use serde_json::json;

use crate::access::{self, Caller};
use crate::facts::{Facts, Question};
use crate::fresh::Fresh;
use crate::life::ROUNDS;
use crate::limits::Limits;
use crate::waiting::Waiting;
use crate::{quote, read};

/// Transfers of one cart, checkout or order in all its life: nobody needs more.
const MAX_FOR_ONE: usize = 30;

struct Creation<'a> {
    call: &'a Call,
    brand: &'a Brand,
    caller: &'a Caller,
    claim: Option<&'a Claim>,
    request: &'a CreateRequest,
    items: &'a [(ItemName, i64)],
    to: &'a Location,
}

pub async fn create(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::of(call, &brand.id).await?;
    quote::may_ask(&caller, &brand)?;
    let body = call.body().await?;
    let request: CreateRequest = call.parse(&body)?;
    request.check().map_err(access::malformed)?;
    let items = items(&request.items).map_err(access::malformed)?;
    let claim = call.claim(&brand.id, &caller.name(), &body)?;
    let to = quote::destination(call, &brand, &request.to, &caller).await?;
    let creation = Creation {
        call,
        brand: &brand,
        caller: &caller,
        claim: claim.as_ref(),
        request: &request,
        items: &items,
        to: &to,
    };
    creation.must_be_allowed()?;
    for _ in 0..ROUNDS {
        if let Some(reply) = creation.round().await? {
            return Ok(reply);
        }
    }
    Err(command::raced())
}

impl Creation<'_> {
    fn must_be_allowed(&self) -> Result<(), Error> {
        let unfit =
            |code, path: &str, detail: &str| Err(access::unfit(Invalid::new(code, path, detail)));
        let kind = self.request.beneficiary.as_ref().map(|one| one.kind);
        match (self.caller, kind) {
            (Caller::Shopper(_), None) => unfit(
                "missing_beneficiary",
                "$.for",
                "say for which cart, checkout or order; stores' own requests need a staff session",
            ),
            (Caller::Shopper(_), Some(_)) if self.request.from.is_some() => {
                unfit("source_not_yours", "$.from", "only staff choose the source")
            }
            (Caller::Shopper(_), Some(_)) => Ok(()),
            (_, Some(BeneficiaryKind::Cart | BeneficiaryKind::Checkout)) => unfit(
                "not_for_staff",
                "$.for",
                "carts and checkouts belong to shoppers",
            ),
            (caller, Some(BeneficiaryKind::Order)) => caller.at(&self.to.id),
            (caller, None) => match &self.request.from {
                Some(from) => caller.at(&self.to.id).or_else(|_| caller.at(from)),
                None => caller.at(&self.to.id),
            },
        }
    }

    /// `None`: a unit, or what the transfer is for, changed meanwhile; look again.
    async fn round(&self) -> Result<Option<Reply>, Error> {
        let beneficiary = self.request.beneficiary.as_ref();
        let question = Question {
            items: Some(self.items),
            to_location_id: Some(&self.to.id),
            from_location_id: self.request.from.as_deref(),
            beneficiary: beneficiary.map(|one| (one.kind, one.id.as_str())),
            ..Question::default()
        };
        let facts = Facts::read(self.call, self.brand, self.claim, &question).await?;
        if let Some(reply) = self.call.replay(facts.outcome.clone())? {
            return Ok(Some(reply));
        }
        let demand = quote::demand(self.items, &facts.items)?;
        let mut waiting = self.waiting(&facts)?;
        self.must_be_needed(&demand, &facts, waiting.as_ref())?;
        let fresh = self.plan(&demand, &facts)?;
        let answer = Answer::new(201, &self.created(&fresh, &facts))?;
        let asker = self.caller.counted_as(self.call).await;
        let mut batch = command::begin(self.claim, &answer);
        self.hold_basket(&mut batch, &facts);
        Fresh::write(&mut batch, &self.brand.id, &fresh, &[]);
        let limits = facts.basket.as_ref().map(|basket| {
            let (brand, to) = (self.brand, &self.to.id);
            Limits::write(&mut batch, brand, (&asker, &basket.buyer), to, &fresh)
        });
        for one in &fresh {
            self.caller
                .audit(&mut batch, "transfer.created", &one.transfer.id, "{}");
        }
        if let Some(mut waiting) = waiting.take() {
            waiting.comes(&fresh);
            waiting.write(&mut batch)?;
        }
        match command::commit(self.call, self.claim, answer, batch).await? {
            Committed::Done(reply) => {
                notify_relay();
                Ok(Some(reply))
            }
            Committed::Replayed(reply) => Ok(Some(reply)),
            Committed::Unmet(error) => {
                let exceeded = |limits: &Limits| limits.exceeded(&error, self.brand, &self.to.id);
                limits.as_ref().and_then(exceeded).map_or(Ok(None), Err)
            }
        }
    }

    /// The order for which it is: paid, and to be collected where the goods go.
    fn waiting<'f>(&'f self, facts: &'f Facts) -> Result<Option<Waiting<'f>>, Error> {
        let Some(beneficiary) = &self.request.beneficiary else {
            return Ok(None);
        };
        let missing = || {
            let detail = "there is no such cart, open checkout or confirmed order";
            access::unfit(Invalid::new("unknown_beneficiary", "$.for.id", detail))
        };
        if let Caller::Shopper(viewer) = self.caller {
            let wanted = (beneficiary.kind.name(), beneficiary.id.as_str());
            viewer.may_touch(wanted, facts.owner.as_deref(), missing)?;
        }
        if facts.transfers.len() >= MAX_FOR_ONE {
            let detail = format!(
                "at most {MAX_FOR_ONE} transfers for one {}",
                beneficiary.kind.name()
            );
            return Err(Error::new(429, "too_many_transfers", &detail));
        }
        if beneficiary.kind != BeneficiaryKind::Order {
            facts.basket.as_ref().ok_or_else(missing)?;
            return Ok(None);
        }
        facts.order.as_ref().ok_or_else(missing)?;
        let waiting = Waiting::new(self.brand, facts).ok_or_else(|| {
            Error::conflict(
                "nothing_to_collect",
                "nothing of this order is still to be collected",
            )
        })?;
        if waiting.location_id() != self.to.id {
            let detail = "the order is collected at another store";
            return Err(access::unfit(Invalid::new("other_store", "$.to", detail)));
        }
        Ok(Some(waiting))
    }

    /// Nobody has goods brought that the cart or order does not lack there.
    fn must_be_needed(
        &self,
        demand: &Demand,
        facts: &Facts,
        waiting: Option<&Waiting<'_>>,
    ) -> Result<(), Error> {
        let lacks = match (waiting, &facts.basket) {
            (Some(waiting), _) => waiting.lacks(),
            (None, Some(basket)) => self.basket_lacks(&basket.demand, facts),
            (None, None) => return Ok(()),
        };
        let Some((sku, _)) = demand.iter().find(|(sku, units)| *units > lacks.units(sku)) else {
            return Ok(());
        };
        let detail = format!("more of {sku} than is lacking at that store");
        let error = access::unfit(Invalid::new("not_needed", "$.items", detail));
        Err(error.with("sku", sku).with("lacking", lacks.units(sku)))
    }

    fn basket_lacks(&self, wanted: &Demand, facts: &Facts) -> Demand {
        let here = |(sku, _): (&str, i64)| Allocation {
            sku: sku.to_owned(),
            location_id: self.to.id.clone(),
            quantity: facts.availability.at(sku, &self.to.id),
        };
        let here: Vec<Allocation> = wanted.iter().map(here).collect();
        let coming = facts.transfers.iter().map(|one| Coming {
            is_open: one.status_now().is_open(),
            lines: &one.lines,
        });
        need::lacking(wanted, &here, coming)
    }

    fn plan(&self, demand: &Demand, facts: &Facts) -> Result<Vec<Fresh>, Error> {
        let mut policies: Policies = self.brand.policies.clone();
        if !self.request.accept_split {
            policies.transfers.max_sources = 1;
        }
        let from = self.request.from.as_deref();
        let sources = facts.locations.all.iter();
        let sources: Vec<Location> = sources
            .filter(|one| from.is_none_or(|from| one.id == from))
            .cloned()
            .collect();
        let quoted = transfer::quote(
            demand,
            &facts.availability,
            self.to,
            &sources,
            &facts.lanes,
            &policies,
            facts.now_ms,
        );
        let planned = quoted
            .map_err(|refused| self.refused(&refused, facts))?
            .transfers;
        Ok(planned
            .into_iter()
            .map(|one| self.fresh(facts.now_ms, one))
            .collect())
    }

    fn fresh(&self, now_ms: i64, planned: PlannedTransfer) -> Fresh {
        let beneficiary = self.request.beneficiary.as_ref();
        let whom = beneficiary.map_or(("", ""), |one| (one.kind.name(), one.id.as_str()));
        let requester = match self.caller {
            Caller::Shopper(_) => Requester::Shopper,
            _ => Requester::Staff,
        };
        let from = planned.from_location_id.clone();
        let mut fresh = match whom.0 {
            "cart" | "checkout" => {
                let minutes = self.brand.policies.transfers.reservation_minutes;
                Fresh::new(
                    now_ms,
                    planned,
                    requester,
                    whom,
                    Status::Reserved,
                    Some(minutes),
                )
            }
            // Who sends goods of the own store need not ask it.
            _ if self.caller.at(&from).is_ok() => {
                Fresh::new(now_ms, planned, requester, whom, Status::Approved, None)
            }
            _ => Fresh::approved_or_requested(self.brand, now_ms, planned, requester, whom),
        };
        fresh.transfer.doc.note.clone_from(&self.request.note);
        fresh
    }

    fn refused(&self, refused: &NoTransfer, facts: &Facts) -> Error {
        let places = Places(&facts.locations.all);
        let shown = places.quote(&self.to.id, &Err(refused.clone()), |at| at);
        let detail = "the goods cannot come from elsewhere as asked; see sources and shortages";
        Error::conflict(refused.reason.name(), detail)
            .with("sources", json!(shown.sources))
            .with("shortages", json!(shown.shortages))
    }

    /// A cart or checkout is as it was read, and nobody else has goods brought for it.
    fn hold_basket(&self, batch: &mut Batch, facts: &Facts) {
        let (Some(beneficiary), Some(basket)) = (&self.request.beneficiary, &facts.basket) else {
            return;
        };
        let sql = match beneficiary.kind {
            BeneficiaryKind::Cart => {
                "UPDATE cart SET version = version WHERE brand_id = ?1 AND id = ?2 AND version = ?3 \
                 AND status = 'active' AND expires_at_ms > {now}"
            }
            _ => {
                "UPDATE checkout_session SET version = version WHERE brand_id = ?1 AND id = ?2 AND version = ?3 \
                 AND status IN ('incomplete', 'ready_for_complete') AND expires_at_ms > {now}"
            }
        };
        let brand_id = &self.brand.id;
        // The update changes nothing: it holds the row, so that the count after it is true.
        batch.expect(1, sql, values![brand_id, &beneficiary.id, basket.version]);
        batch.expect_rows(
            1,
            "SELECT 1 AS one WHERE (SELECT count(*) FROM transfer \
             WHERE brand_id = ?1 AND for_type = ?2 AND for_id = ?3) = ?4",
            values![
                brand_id,
                beneficiary.kind.name(),
                &beneficiary.id,
                facts.transfers.len() as i64
            ],
        );
    }

    fn created(&self, fresh: &[Fresh], facts: &Facts) -> CreatedTransfers {
        let ready_at_ms = fresh.iter().map(|one| one.transfer.ready_at_ms).max();
        let ready_at_ms = ready_at_ms.unwrap_or_default();
        let places = Places(&facts.locations.all);
        let shown = |one: &Fresh| read::shown(&facts.locations.all, &one.transfer);
        CreatedTransfers {
            transfers: fresh.iter().map(shown).collect(),
            ready_at: places.instant(&self.to.id, ready_at_ms),
            pickup_by: places.instant(&self.to.id, self.brand.kept_until_ms(ready_at_ms)),
        }
    }
}
