//! `POST /checkout-sessions/{id}/complete`: stock first, then money.
//!
//! One batch reserves exactly the plan that was checked, with the transfers that it needs,
//! and creates the order as `pending`. Then the payment provider is asked, with nothing locked. A second batch
//! confirms the order or gives the stock back. Whoever finds a completion that was cut
//! short between the two brings it to its end, with the same key at the provider.

use aisle_domain::brand::Brand;
use aisle_domain::checkout::{self, OrderReference, Session, Status};
use aisle_domain::notice::Notice;
use aisle_domain::order::{self, Order};
use aisle_domain::transfer::Held;
use aisle_http::shopper::Viewer;
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::{Claim, Outcome};
use aisle_store::outbox::{self, Event};
use aisle_store::{Batch, BatchError, accounts, carts, holds, new_id, random, stock, values};
use aisle_ucp::checkout::{CompleteRequest, PaymentRequest, SANDBOX_HANDLER_ID};

use crate::answer::{self, Answer};
use crate::facts::{Attempt, Facts, Question, SessionRow};
use crate::sessions::{self, document, shown};
use crate::{limits, terms, transfers};
use aisle_http::payment::{self, Authorisation, PaymentProvider, Sandbox, Verdict};

/// After this long, whoever asked the provider is gone: the time limits of a request are shorter.
pub const INTERRUPTED_MS: i64 = 30_000;
/// Looks at the shop, at most: each lost race for a unit is followed by a fresh look.
const ROUNDS: usize = 4;

struct Completion<'a> {
    call: &'a Call,
    brand: &'a Brand,
    id: &'a str,
    payment: &'a PaymentRequest,
    claim: Option<&'a Claim>,
    /// Whoever buys, where they are signed in: the order will be theirs.
    viewer: &'a Viewer,
}

/// An order between its two batches.
pub(crate) struct Pending {
    /// As the first batch leaves it; its session says what was reserved, and for how much.
    pub(crate) row: SessionRow,
    pub(crate) order: OrderReference,
    order_version: i64,
    pub(crate) payment_id: String,
    attempt: i64,
    /// What is brought to the store where it is collected.
    transfers: Vec<Held>,
}

/// How the request's key stands when the second batch is written.
enum Keyed<'a> {
    Not,
    /// Its row is there, without an answer.
    InFlight(&'a Claim),
    Fresh(&'a Claim),
}

/// `POST /checkout-sessions/{id}/complete`
pub async fn complete(call: &Call, id: &str) -> Result<Reply, Error> {
    answer::must_be_id(id, "Checkout")?;
    let brand = call.brand().await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let body = call.body().await?;
    let payment = call
        .parse::<CompleteRequest>(&body)?
        .into_payment()
        .map_err(answer::refused)?;
    let claim = call.claim(&brand.id, &format!("complete-checkout/{id}"), &body)?;
    let completion = Completion {
        call,
        brand: &brand,
        id,
        payment: &payment,
        claim: claim.as_ref(),
        viewer: &viewer,
    };
    for _ in 0..ROUNDS {
        if let Some(reply) = completion.round().await? {
            return Ok(reply);
        }
    }
    Err(answer::raced())
}

/// Ends the completion in `facts` when it was cut short; whether there was something to end.
pub async fn settle_interrupted(call: &Call, brand: &Brand, facts: &Facts) -> Result<bool, Error> {
    let in_progress = facts
        .session
        .as_ref()
        .filter(|row| row.status == Status::CompleteInProgress);
    let stale = facts
        .attempt
        .as_ref()
        .filter(|attempt| attempt.age_ms > INTERRUPTED_MS);
    let (Some(row), Some(attempt)) = (in_progress, stale) else {
        return Ok(false);
    };
    let pending = Pending::of(row, attempt, facts);
    let verdict = Sandbox
        .find(&payment::key(&attempt.order_id, attempt.number_of_payment))
        .await;
    finish(call, brand, pending, verdict, Keyed::Not).await?;
    Ok(true)
}

impl Completion<'_> {
    /// `None`: somebody changed something meanwhile; look again.
    async fn round(&self) -> Result<Option<Reply>, Error> {
        let question = Question {
            session_id: Some(self.id),
            session_items: true,
            cart_of_session: true,
            attempt: true,
            lanes: self.brand.policies.transfers.for_shoppers,
            ..Question::default()
        };
        let facts = Facts::read(self.call, self.brand, self.claim, question).await?;
        let interrupted =
            matches!(facts.outcome, Outcome::InFlight { age_ms } if age_ms > INTERRUPTED_MS);
        if !interrupted && let Some(reply) = self.call.replay(facts.outcome.clone())? {
            return Ok(Some(reply));
        }
        let row = facts
            .session
            .as_ref()
            .ok_or_else(|| answer::missing("Checkout"))?;
        match row.status {
            Status::Completed => self.show(row, &[]).map(Some),
            Status::CompleteInProgress => self.resume(row, &facts).await,
            _ => {
                sessions::must_be_open(row)?;
                self.place(row, &facts).await
            }
        }
    }

    fn show(&self, row: &SessionRow, notices: &[Notice]) -> Result<Reply, Error> {
        Reply::json(200, &shown(self.call, self.brand, row).with(notices))
    }

    async fn place(&self, row: &SessionRow, facts: &Facts) -> Result<Option<Reply>, Error> {
        let token = match self.payment.token() {
            Ok(token) => token,
            Err(notice) => return self.show(row, &[notice]).map(Some),
        };
        if let Some(session) = sessions::followed(row, facts, self.brand)? {
            let notice = sessions::cart_changed();
            return self.keep(row, session, Some(notice)).await.map(Some);
        }
        let mut session =
            checkout::refresh(&row.session, &facts.shop(self.brand)).map_err(answer::refused)?;
        let repriced = (session.totals != row.session.totals).then(price_changed);
        let later = session.is_brought_later_than(&row.session);
        let changed = repriced.or_else(|| later.then(promise_changed));
        let other_terms = session.agreed_schedule() != row.session.agreed_schedule();
        if session.open_status() == Status::Incomplete || changed.is_some() || other_terms {
            return self.keep(row, session, changed).await.map(Some);
        }
        session.paid_by = self.viewer.counted_as(self.call).await;
        let pending = Pending::new(row, session, facts);
        if !self.reserve(&pending, facts).await? {
            return Ok(None);
        }
        let verdict = self.authorise(&pending, token).await;
        self.finish(
            pending,
            verdict,
            self.claim.map_or(Keyed::Not, Keyed::InFlight),
        )
        .await
    }

    /// Keeps what stands in the way, so that the session says so when it is read again.
    async fn keep(
        &self,
        row: &SessionRow,
        session: Session,
        notice: Option<Notice>,
    ) -> Result<Reply, Error> {
        sessions::keep(self.call, self.brand, row, session, notice).await
    }

    /// The first batch. `false`: a unit or the session was taken by somebody else.
    async fn reserve(&self, pending: &Pending, facts: &Facts) -> Result<bool, Error> {
        let mut batch = Batch::new();
        if let Some(claim) = self.claim.filter(|_| facts.outcome == Outcome::Fresh) {
            claim.insert(&mut batch, None);
        }
        pending.begin(&mut batch, self.brand, facts)?;
        if let Some(account_id) = self.viewer.account_id() {
            accounts::attach_checkout(&mut batch, &self.brand.id, &pending.row.id, account_id);
        }
        if let Some(hold) = &facts.hold {
            holds::convert(&mut batch, &self.brand.id, hold);
        }
        for hold in facts.expired_in(&pending.row.session.plan) {
            holds::expire(&mut batch, &self.brand.id, hold);
        }
        let (order_id, plan) = (&pending.order.id, &pending.row.session.plan);
        transfers::reserve(
            &mut batch,
            self.brand,
            order_id,
            plan,
            &pending.transfers,
            facts,
        )?;
        let paying = limits::begin(&mut batch, self.brand, &pending.row.session);
        match batch.commit(self.call.db()).await {
            Ok(_) => Ok(true),
            Err(BatchError::Unmet { statement, .. }) if paying.contains(&statement) => {
                Err(limits::exceeded())
            }
            Err(BatchError::Unmet { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn authorise(&self, pending: &Pending, token: &str) -> Verdict {
        let key = payment::key(&pending.order.id, pending.attempt);
        let request = Authorisation {
            key: &key,
            amount_minor: pending.row.session.due_now_minor(),
            currency: &pending.row.session.currency,
            token,
        };
        Sandbox.authorise(&request).await
    }

    /// Another request is on it, unless it has been gone for long: then this one goes on.
    async fn resume(&self, row: &SessionRow, facts: &Facts) -> Result<Option<Reply>, Error> {
        let Some(attempt) = facts
            .attempt
            .as_ref()
            .filter(|attempt| attempt.age_ms > INTERRUPTED_MS)
        else {
            return Err(answer::completing());
        };
        let token = match self.payment.token() {
            Ok(token) => token,
            Err(notice) => return self.show(row, &[notice]).map(Some),
        };
        let pending = Pending::of(row, attempt, facts);
        let verdict = self.authorise(&pending, token).await;
        let keyed = match (self.claim, &facts.outcome) {
            (None, _) => Keyed::Not,
            (Some(claim), Outcome::Fresh) => Keyed::Fresh(claim),
            (Some(claim), _) => Keyed::InFlight(claim),
        };
        self.finish(pending, verdict, keyed).await
    }

    async fn finish(
        &self,
        pending: Pending,
        verdict: Verdict,
        keyed: Keyed<'_>,
    ) -> Result<Option<Reply>, Error> {
        finish(self.call, self.brand, pending, verdict, keyed).await
    }
}

impl Pending {
    /// A declined order of the same session is tried again; otherwise there is a new one.
    fn new(row: &SessionRow, mut session: Session, facts: &Facts) -> Self {
        let declined = facts
            .attempt
            .as_ref()
            .filter(|attempt| attempt.order_status == "declined");
        let reference = match declined {
            Some(attempt) => OrderReference {
                id: attempt.order_id.clone(),
                number: attempt.number.clone(),
            },
            None => OrderReference {
                id: new_id(),
                number: order::number(random()),
            },
        };
        session.order = Some(reference.clone());
        session.cart_version = facts.cart.as_ref().map(|cart| cart.version + 1);
        Self {
            transfers: transfers::of(&session.plan),
            row: SessionRow {
                id: row.id.clone(),
                cart_id: row.cart_id.clone(),
                session,
                status: Status::CompleteInProgress,
                version: row.version + 1,
                expires_at_ms: row.expires_at_ms,
            },
            order: reference,
            order_version: declined.map_or(0, |attempt| attempt.order_version) + 1,
            payment_id: new_id(),
            attempt: declined.map_or(0, |attempt| attempt.number_of_payment) + 1,
        }
    }

    /// The one that is under way already.
    fn of(row: &SessionRow, attempt: &Attempt, facts: &Facts) -> Self {
        Self {
            row: row.clone(),
            order: OrderReference {
                id: attempt.order_id.clone(),
                number: attempt.number.clone(),
            },
            order_version: attempt.order_version,
            payment_id: attempt.payment_id.clone(),
            attempt: attempt.number_of_payment,
            transfers: facts.ordered.clone(),
        }
    }

    /// The session is taken and its cart stands still, the order exists as `pending`, the payment as `started`.
    fn begin(&self, batch: &mut Batch, brand: &Brand, facts: &Facts) -> Result<(), Error> {
        let Self { row, order, .. } = self;
        batch.expect(
            1,
            "UPDATE checkout_session SET status = 'complete_in_progress', doc = ?4, version = version + 1, \
             updated_at_ms = {now} WHERE brand_id = ?1 AND id = ?2 AND version = ?3 \
               AND status IN ('incomplete', 'ready_for_complete') AND expires_at_ms > {now}",
            values![&brand.id, &row.id, row.version - 1, document(&row.session)?],
        );
        if let Some(cart) = &facts.cart {
            // Whoever changes it at this moment finds another version, and that it is being bought.
            let (known, until) = ((cart.id.as_str(), cart.version), cart.expires_at_ms);
            carts::replace(batch, &brand.id, known, &cart.cart, until);
        }
        let placed = Order::place(
            order.clone(),
            &row.id,
            &row.session,
            &brand.policies,
            facts.now_ms,
        );
        let doc =
            serde_json::to_string(&placed).map_err(|error| Error::internal(error.to_string()))?;
        match facts.attempt {
            Some(_) => batch.expect(
                1,
                "UPDATE customer_order SET status = 'pending', doc = ?4, version = version + 1, updated_at_ms = {now} \
                 WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'declined'",
                values![&brand.id, &order.id, self.order_version - 1, doc],
            ),
            None => batch.expect(
                1,
                "INSERT INTO customer_order (id, brand_id, number, checkout_session_id, status, doc, version, \
                 created_at_ms, updated_at_ms) VALUES (?2, ?1, ?3, ?4, 'pending', ?5, 1, {now}, {now}) \
                 ON CONFLICT DO NOTHING",
                values![&brand.id, &order.id, &order.number, &row.id, doc],
            ),
        };
        batch.expect(
            1,
            "INSERT INTO payment (id, brand_id, order_id, attempt, handler, amount_minor, currency, status, updated_at_ms) \
             VALUES (?2, ?1, ?3, ?4, ?5, ?6, ?7, 'started', {now}) ON CONFLICT DO NOTHING",
            values![
                &brand.id,
                &self.payment_id,
                &order.id,
                self.attempt,
                SANDBOX_HANDLER_ID,
                row.session.due_now_minor(),
                &row.session.currency
            ],
        );
        outbox::event(batch, &Event::new(&brand.id, "order.created", &order.id));
        Ok(())
    }

    /// Moves order and payment on, from `pending` and `started`.
    fn settle(
        &self,
        batch: &mut Batch,
        brand: &Brand,
        order: &str,
        payment: &str,
        reference: Option<String>,
    ) {
        batch.expect(
            1,
            "UPDATE customer_order SET status = ?4, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'pending'",
            values![&brand.id, &self.order.id, self.order_version, order],
        );
        batch.expect(
            1,
            "UPDATE payment SET status = ?3, provider_reference = ?4, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND status = 'started'",
            values![&brand.id, &self.payment_id, payment, reference],
        );
    }

    fn close_session(&self, batch: &mut Batch, brand: &Brand) -> Result<(), Error> {
        let row = &self.row;
        batch.expect(
            1,
            "UPDATE checkout_session SET status = ?4, doc = ?5, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'complete_in_progress'",
            values![&brand.id, &row.id, row.version, row.status.name(), document(&row.session)?],
        );
        Ok(())
    }
}

/// The second batch. `None`: another request wrote it first.
async fn finish(
    call: &Call,
    brand: &Brand,
    mut pending: Pending,
    verdict: Verdict,
    keyed: Keyed<'_>,
) -> Result<Option<Reply>, Error> {
    let mut batch = Batch::new();
    // The first batch is on the disk: from it, and the verdict that the provider gives again under
    // the same key, this one is written once more where it was lost.
    batch.may_be_lost();
    let notices = match verdict {
        Verdict::Authorised { reference } => {
            pending.settle(
                &mut batch,
                brand,
                "confirmed",
                "authorised",
                Some(reference),
            );
            pending.row.status = Status::Completed;
            pending.close_session(&mut batch, brand)?;
            if let Some(cart_id) = &pending.row.cart_id {
                batch.add(
                    "UPDATE cart SET status = 'ordered', version = version + 1, updated_at_ms = {now} \
                     WHERE brand_id = ?1 AND id = ?2",
                    values![&brand.id, cart_id],
                );
                carts::ordered(&mut batch, &brand.id, cart_id, &pending.order.id);
            }
            outbox::event(
                &mut batch,
                &Event::new(&brand.id, "order.confirmed", &pending.order.id),
            );
            accounts::placed(&mut batch, &brand.id, &pending.row.id);
            let (order_id, session) = (&pending.order.id, &pending.row.session);
            match session.agreed_schedule() {
                Some(schedule) => terms::begin(&mut batch, brand, &pending, schedule),
                None => {
                    transfers::confirm(&mut batch, brand, order_id, session, &pending.transfers)
                }
            }
            Vec::new()
        }
        Verdict::Declined { reason } => {
            pending.settle(&mut batch, brand, "declined", "declined", None);
            stock::release(
                &mut batch,
                &brand.id,
                stock::Document::order(&pending.order.id),
                &pending.row.session.plan.allocations,
            );
            let order = ("order", pending.order.id.as_str());
            let transfers = pending.transfers.iter().map(|held| (held, order));
            transfers::give_back(&mut batch, brand, transfers);
            pending.row.session.order = None;
            pending.row.status = pending.row.session.open_status();
            pending.close_session(&mut batch, brand)?;
            outbox::event(
                &mut batch,
                &Event::new(&brand.id, "order.declined", &pending.order.id),
            );
            vec![Notice::error(
                "payment_failed",
                "$.payment.instruments[0]",
                reason,
            )]
        }
        Verdict::Unavailable => {
            let text =
                "The payment provider has not answered yet. Read the checkout again in a minute.";
            let notice = Notice::warning("payment_pending", "$.status", text);
            return Reply::json(200, &shown(call, brand, &pending.row).with(&[notice])).map(Some);
        }
    };
    limits::end(&mut batch, brand, &pending.row.session);
    let answer = Answer::new(200, &shown(call, brand, &pending.row).with(&notices))?;
    match keyed {
        Keyed::Not => {}
        Keyed::InFlight(claim) => claim.store(&mut batch, answer.status, &answer.json),
        Keyed::Fresh(claim) => claim.insert(&mut batch, Some((answer.status, &answer.json))),
    }
    match batch.commit(call.db()).await {
        Ok(_) => {
            notify_relay();
            Ok(Some(answer.reply()))
        }
        Err(BatchError::Unmet { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn promise_changed() -> Notice {
    let text =
        "The goods come to the store later than shown before. Check when, and complete again.";
    Notice::warning("promise_changed", "$.fulfillment.methods", text)
}

fn price_changed() -> Notice {
    let text =
        "A price, a tax or a delivery charge has changed. Check the total and complete again.";
    Notice::warning("price_changed", "$.totals", text)
}
