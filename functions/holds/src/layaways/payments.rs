//! `POST /layaways/{order_id}/payments`: the next part, by the shopper.
//!
//! One batch claims the part and notes the attempt; then the provider is asked, with
//! nothing locked; a second batch says that the part is paid, or gives the claim back. An
//! attempt that was cut short between the two is ended by whoever finds it.

use aisle_domain::brand::Brand;
use aisle_domain::fulfillment::Destination;
use aisle_domain::hours;
use aisle_http::command::{Answer, raced};
use aisle_http::payment::{self, Authorisation, PaymentProvider, Sandbox, Verdict};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::{Claim, Outcome};
use aisle_store::layaway::{self, Collection};
use aisle_store::{Batch, BatchError, new_id, values};
use aisle_ucp::checkout::SANDBOX_HANDLER_ID;
use aisle_ucp::layaway::{PartPaymentRequest, PartView};

use super::facts::Facts;

/// After this long, whoever asked the provider is gone: the time limits of a request are shorter.
pub const INTERRUPTED_MS: i64 = 30_000;
const DAY_MS: i64 = 86_400_000;

/// A part between the two batches.
struct Attempt<'a> {
    facts: &'a Facts,
    part: &'a PartView,
    payment_id: String,
    number: i64,
}

/// `POST /layaways/{order_id}/payments`
pub async fn pay(call: &Call, order_id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let body = call.body().await?;
    let request: PartPaymentRequest = call.parse(&body)?;
    let claim = call.claim(&brand.id, &format!("pay-layaway/{order_id}"), &body)?;
    let mut facts = Facts::read(call, &brand.id, order_id, claim.as_ref()).await?;
    let cut_short =
        matches!(facts.outcome, Outcome::InFlight { age_ms } if age_ms > INTERRUPTED_MS);
    if !cut_short && let Some(reply) = call.replay(facts.outcome.clone())? {
        return Ok(reply);
    }
    let meant = facts.next().map(|part| part.position);
    if settle_interrupted(call, &brand, &facts).await? {
        facts = Facts::read(call, &brand.id, order_id, claim.as_ref()).await?;
    }
    facts.must_be_active()?;
    facts.must_be_idle()?;
    let moved = facts.next().map(|part| part.position) != meant;
    if request.position.is_none() && (cut_short || moved) {
        let detail = "an earlier try was cut short: read the layaway and name the part";
        return Err(Error::conflict("payment_interrupted", detail).at("$.position"));
    }
    let part = payable(&facts, request.position)?;
    let token = request.payment.token().map_err(|notice| {
        Error::unprocessable(
            &notice.code,
            notice.path.as_deref().unwrap_or("$.payment"),
            &notice.text,
        )
    })?;
    let attempt = Attempt {
        facts: &facts,
        part,
        payment_id: new_id(),
        number: facts.payment.as_ref().map_or(0, |latest| latest.attempt) + 1,
    };
    let fresh = claim.as_ref().filter(|_| facts.outcome == Outcome::Fresh);
    if let Some(reply) = attempt.begin(call, &brand, fresh).await? {
        return Ok(reply);
    }
    let key = payment::key(order_id, attempt.number);
    let verdict = Sandbox
        .authorise(&Authorisation {
            key: &key,
            amount_minor: part.amount_minor,
            currency: &facts.layaway.currency,
            token,
        })
        .await;
    attempt.finish(call, &brand, verdict, claim.as_ref()).await
}

/// Ends the attempt in `facts` when it was cut short; whether there was one to end.
pub async fn settle_interrupted(call: &Call, brand: &Brand, facts: &Facts) -> Result<bool, Error> {
    let stale = facts
        .payment
        .as_ref()
        .filter(|latest| latest.status == "started" && latest.age_ms > INTERRUPTED_MS);
    let claimed = facts
        .claimed
        .as_ref()
        .and_then(|(position, _)| facts.parts.iter().find(|part| part.position == *position));
    let (Some(latest), Some(part)) = (stale, claimed) else {
        return Ok(false);
    };
    let attempt = Attempt {
        facts,
        part,
        payment_id: latest.id.clone(),
        number: latest.attempt,
    };
    let verdict = Sandbox
        .find(&payment::key(&facts.order_id, attempt.number))
        .await;
    // A refusal is for whoever paid, who is gone.
    match attempt.finish(call, brand, verdict, None).await {
        Err(error) if error.status() >= 500 => Err(error),
        _ => Ok(true),
    }
}

fn payable(facts: &Facts, position: Option<i64>) -> Result<&PartView, Error> {
    let next = facts
        .next()
        .ok_or_else(|| Error::internal("an active layaway has no part that is due"))?;
    if position.is_some_and(|position| position != next.position) {
        let detail = "the parts are paid in their order";
        return Err(Error::conflict("not_next", detail)
            .at("$.position")
            .with("next_position", next.position));
    }
    if facts.deadline_ms <= facts.now_ms {
        let detail = "the time in which this could be paid is over";
        return Err(Error::conflict("deadline_passed", detail));
    }
    Ok(next)
}

impl Attempt<'_> {
    /// The first batch. An answer: a request with the same key was faster.
    async fn begin(
        &self,
        call: &Call,
        brand: &Brand,
        claim: Option<&Claim>,
    ) -> Result<Option<Reply>, Error> {
        let mut batch = Batch::new();
        if let Some(claim) = claim {
            claim.insert(&mut batch, None);
        }
        let part = self.facts.instalment(&brand.id, self.part);
        layaway::claim(&mut batch, &part, &self.payment_id);
        batch.expect(
            1,
            "INSERT INTO payment (id, brand_id, order_id, attempt, handler, amount_minor, currency, status, updated_at_ms) \
             VALUES (?2, ?1, ?3, ?4, ?5, ?6, ?7, 'started', {now}) ON CONFLICT DO NOTHING",
            values![
                &brand.id,
                &self.payment_id,
                &self.facts.order_id,
                self.number,
                SANDBOX_HANDLER_ID,
                self.part.amount_minor,
                &self.facts.layaway.currency
            ],
        );
        match (batch.commit(call.db()).await, claim) {
            (Ok(_), _) => Ok(None),
            (Err(error), Some(claim)) if error.unmet_at(0) => call
                .replay(claim.lookup(call.db()).await?)?
                .map_or_else(|| Err(raced()), |reply| Ok(Some(reply))),
            (Err(BatchError::Unmet { .. }), _) => {
                let now = Facts::read(call, &brand.id, &self.facts.order_id, None).await?;
                now.must_be_active()?;
                now.must_be_idle()?;
                Err(raced())
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// The second batch.
    async fn finish(
        &self,
        call: &Call,
        brand: &Brand,
        verdict: Verdict,
        claim: Option<&Claim>,
    ) -> Result<Reply, Error> {
        let order_id = &self.facts.order_id;
        let mut batch = Batch::new();
        let outcome = match verdict {
            Verdict::Authorised { reference } => {
                let part = self.facts.instalment(&brand.id, self.part);
                let place = self.collection(call, brand).await?;
                let collection = place.as_ref().map(|(location_id, ready_at_ms)| Collection {
                    location_id,
                    ready_at_ms: *ready_at_ms,
                    pickup_by_ms: ready_at_ms.saturating_add(brand.pickup_days * DAY_MS),
                });
                layaway::pay(&mut batch, &part, &self.payment_id, collection.as_ref());
                self.settle(&mut batch, brand, "authorised", Some(reference));
                Answer::new(200, &self.facts.with_paid(self.part.position).shown())
            }
            Verdict::Declined { reason } => {
                layaway::unclaim(&mut batch, &brand.id, order_id, &self.payment_id);
                self.settle(&mut batch, brand, "declined", None);
                let path = "$.payment.instruments[0]";
                Err(Error::new(402, "payment_failed", &reason).at(path))
            }
            Verdict::Unavailable => return Reply::json(202, &self.facts.shown()),
        };
        match (&outcome, claim) {
            (Ok(answer), Some(claim)) => claim.store(&mut batch, answer.status, &answer.json),
            // With another instrument the same request may go through.
            (Err(_), Some(claim)) => claim.forget(&mut batch),
            (_, None) => {}
        }
        match batch.commit(call.db()).await {
            Ok(_) => {
                notify_relay();
                outcome.map(Answer::reply)
            }
            Err(BatchError::Unmet { .. }) => Err(raced()),
            Err(error) => Err(error.into()),
        }
    }

    fn settle(&self, batch: &mut Batch, brand: &Brand, status: &str, reference: Option<String>) {
        batch.expect(
            1,
            "UPDATE payment SET status = ?3, provider_reference = ?4, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND status = 'started'",
            values![&brand.id, &self.payment_id, status, reference],
        );
    }

    /// Where the order is collected, and from when if it is prepared from now on.
    async fn collection(&self, call: &Call, brand: &Brand) -> Result<Option<(String, i64)>, Error> {
        let expected = self
            .facts
            .order
            .pickup()
            .map(|expected| &expected.destination);
        let Some(Destination::Store(store)) = expected else {
            return Ok(None);
        };
        let location = call.model().location(&brand.id, &store.id).await?;
        let ready_at_ms = location
            .as_deref()
            .and_then(|one| hours::ready_at_ms(one, self.facts.now_ms, one.preparation_minutes))
            .unwrap_or(self.facts.now_ms.max(store.ready_at_ms));
        Ok(Some((store.id.clone(), ready_at_ms)))
    }
}
