//! `POST` and `DELETE /orders/{id}/presence`: the store learns that somebody comes, if they
//! want it to, and forgets it by itself.

use aisle_domain::brand::Brand;
use aisle_domain::order::{TimelineEntry, TimelineKind};
use aisle_domain::presence::{Presence, Signal, State};
use aisle_http::auth::{self, Staff};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::outbox::{self, Event};
use aisle_store::{Batch, BatchError, Row, audit, new_id, timeline, values};
use aisle_ucp::presence::{MAX_CONSENT_BYTES, PresenceAnswer, PresenceReport};

use crate::access::{OWNER, Visit, not_found};

/// Looks at the order, at most: each race with another report is followed by a fresh look.
const ROUNDS: usize = 3;

/// What the database knows, in one reading.
struct Facts {
    outcome: Outcome,
    now_ms: i64,
    /// The account that the order belongs to.
    owner: Option<String>,
    /// Where the order waits to be collected.
    store: Option<String>,
    /// What was reported before, even if it has expired.
    before: Option<Presence>,
    /// Whether the timeline says already that this state was reached.
    told: bool,
}

/// `POST /orders/{id}/presence`
pub async fn report(call: &Call, id: &str) -> Result<Reply, Error> {
    let visit = Visit::open(call, id).await?;
    let body = call.body().await?;
    let report: PresenceReport = call.parse(&body)?;
    let claim = call.claim(&visit.brand.id, &format!("presence/{id}"), &body)?;
    carry_out(&visit, claim.as_ref(), &report).await
}

/// The same for a page.
pub async fn carry_out(
    visit: &Visit<'_>,
    claim: Option<&Claim>,
    report: &PresenceReport,
) -> Result<Reply, Error> {
    let (call, brand, id) = (visit.call, &visit.brand, visit.order_id);
    let consent = consent(report)?;
    let staff = match report.signal {
        Signal::TillScan => Some(auth::staff(call, &brand.id, "pos").await?),
        _ => None,
    };
    for _ in 0..ROUNDS {
        let facts = Facts::read(call, brand, id, report.state, claim).await?;
        if staff.is_none() {
            visit.check(facts.owner.as_deref())?;
        }
        if let Some(reply) = call.replay(facts.outcome.clone())? {
            return Ok(reply);
        }
        let place = facts.store.as_deref().ok_or_else(nothing_waits)?;
        if let Some(staff) = &staff {
            staff.at(place)?;
        }
        let known = Presence::after(
            facts.before,
            (report.state, report.signal),
            &brand.policies.presence,
            facts.now_ms,
        );
        let zone = time_zone(call, brand, place).await?;
        let answer = Answer::new(200, &PresenceAnswer::new(id, place, &known, &zone))?;
        let mut batch = command::begin(claim, &answer);
        let change = Change {
            brand,
            order_id: id,
            place,
            consent,
            staff: staff.as_deref(),
        };
        let news = change.write(&mut batch, &facts, &known);
        match command::commit(call, claim, answer, batch).await? {
            Committed::Done(reply) => {
                if news {
                    notify_relay();
                }
                return Ok(reply);
            }
            Committed::Replayed(reply) => return Ok(reply),
            Committed::Unmet(_) => {}
        }
    }
    Err(command::raced())
}

/// `DELETE /orders/{id}/presence`. Repeating it does no harm, so it needs no key.
pub async fn withdraw(call: &Call, id: &str) -> Result<Reply, Error> {
    forget(&Visit::open(call, id).await?).await
}

/// The same for a page.
pub async fn forget(visit: &Visit<'_>) -> Result<Reply, Error> {
    let (call, brand, id) = (visit.call, &visit.brand, visit.order_id);
    let facts = Facts::read(call, brand, id, State::Arrived, None).await?;
    visit.check(facts.owner.as_deref())?;
    let mut batch = Batch::new();
    batch.expect(
        1,
        "DELETE FROM presence WHERE brand_id = ?1 AND order_id = ?2",
        values![&brand.id, id],
    );
    outbox::event(&mut batch, &Event::new(&brand.id, "presence.changed", id));
    match batch.commit(call.db()).await {
        Ok(_) => notify_relay(),
        Err(BatchError::Unmet { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Reply::empty(204))
}

/// The consent's version: without one nobody is tracked.
fn consent(report: &PresenceReport) -> Result<&str, Error> {
    let consent = report.consent.as_ref().ok_or_else(|| {
        let detail = "presence is kept with the shopper's consent only";
        Error::unprocessable("consent_required", "$.consent", detail)
    })?;
    let version = consent.version.as_str();
    if (1..=MAX_CONSENT_BYTES).contains(&version.len()) {
        return Ok(version);
    }
    let detail = format!("the consent's version has 1 to {MAX_CONSENT_BYTES} bytes");
    Err(Error::bad_request(
        "invalid_value",
        "$.consent.version",
        &detail,
    ))
}

impl Facts {
    async fn read(
        call: &Call,
        brand: &Brand,
        order_id: &str,
        state: State,
        claim: Option<&Claim>,
    ) -> Result<Self, Error> {
        let (columns, join) = match claim {
            Some(_) => (
                format!(", {}", idempotency::COLUMNS),
                idempotency::join("?5", "?6"),
            ),
            None => Default::default(),
        };
        let sql = format!(
            "SELECT {{now}} AS now_ms, {OWNER} AS owner, p.location_id, r.state, r.signal, r.reported_at_ms, r.expires_at_ms, \
             (SELECT count(*) FROM order_event e WHERE e.brand_id = ?1 AND e.order_id = ?2 \
                AND e.type = ?3 AND e.doc LIKE ?4) AS told{columns} \
             FROM customer_order o \
             LEFT JOIN pickup p ON p.brand_id = o.brand_id AND p.order_id = o.id \
               AND p.status IN ('awaiting_transfer', 'preparing', 'ready') \
             LEFT JOIN presence r ON r.brand_id = o.brand_id AND r.order_id = o.id {join} \
             WHERE o.brand_id = ?1 AND o.id = ?2 AND o.status = 'confirmed'"
        );
        let reached = format!("%\"{}\"%", state.name());
        let mut params = values![&brand.id, order_id, TimelineKind::Arriving.name(), reached];
        params.extend(claim.into_iter().flat_map(Claim::params));
        let row = call.db().query_one_opt(sql, params).await?;
        let row = row.ok_or_else(not_found)?;
        Ok(Self {
            outcome: claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(&row))?,
            now_ms: row.int("now_ms")?,
            owner: row.text_opt("owner")?,
            store: row.text_opt("location_id")?,
            before: presence(&row)?,
            told: row.int("told")? > 0,
        })
    }
}

fn presence(row: &Row) -> Result<Option<Presence>, Error> {
    let (Some(state), Some(signal)) = (row.text_opt("state")?, row.text_opt("signal")?) else {
        return Ok(None);
    };
    let unknown = || Error::internal(format!("presence {state} by {signal}"));
    Ok(Some(Presence {
        state: State::parse(&state).ok_or_else(unknown)?,
        signal: Signal::parse(&signal).ok_or_else(unknown)?,
        since_ms: row.int("reported_at_ms")?,
        expires_at_ms: row.int("expires_at_ms")?,
    }))
}

/// A report on its way into the database.
struct Change<'a> {
    brand: &'a Brand,
    order_id: &'a str,
    place: &'a str,
    consent: &'a str,
    /// Who scanned what the shopper showed.
    staff: Option<&'a Staff>,
}

impl Change<'_> {
    /// The row as it must still be, and whoever is to learn of it; whether anybody is.
    fn write(&self, batch: &mut Batch, facts: &Facts, known: &Presence) -> bool {
        let (brand_id, order_id) = (&self.brand.id, self.order_id);
        match &facts.before {
            None => batch.expect(
                1,
                "INSERT INTO presence (id, brand_id, order_id, location_id, state, signal, consent_version, \
                 reported_at_ms, expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
                values![
                    new_id(),
                    brand_id,
                    order_id,
                    self.place,
                    known.state.name(),
                    known.signal.name(),
                    self.consent,
                    known.since_ms,
                    known.expires_at_ms
                ],
            ),
            Some(before) => batch.expect(
                1,
                "UPDATE presence SET location_id = ?3, state = ?4, signal = ?5, consent_version = ?6, \
                 reported_at_ms = ?7, expires_at_ms = ?8 WHERE brand_id = ?1 AND order_id = ?2 \
                   AND state = ?9 AND reported_at_ms = ?10 AND expires_at_ms = ?11",
                values![
                    brand_id,
                    order_id,
                    self.place,
                    known.state.name(),
                    known.signal.name(),
                    self.consent,
                    known.since_ms,
                    known.expires_at_ms,
                    before.state.name(),
                    before.since_ms,
                    before.expires_at_ms
                ],
            ),
        };
        if let Some(staff) = self.staff {
            let subject = ("order", order_id);
            audit::record(batch, staff.actor(), "presence.reported", subject, "{}");
        }
        if !known.differs_from(facts.before.as_ref()) {
            return false;
        }
        if !facts.told {
            timeline::record(batch, brand_id, order_id, &self.entry(known.state));
        }
        outbox::event(batch, &Event::new(brand_id, "presence.changed", order_id));
        true
    }

    fn entry(&self, state: State) -> TimelineEntry {
        let said = match state {
            State::OnMyWay => "The store knows that you are on your way.",
            State::Arrived => "The store knows that you have arrived.",
        };
        TimelineEntry {
            location_id: Some(self.place.into()),
            reasons: vec![state.name().into()],
            ..TimelineEntry::new(TimelineKind::Arriving, said)
        }
    }
}

/// The store's, whose clock its staff and its shoppers look at.
async fn time_zone(call: &Call, brand: &Brand, location_id: &str) -> Result<String, Error> {
    Ok(call.model().time_zone(&brand.id, location_id).await?)
}

fn nothing_waits() -> Error {
    let detail = "nothing of this order waits to be collected at a store";
    Error::conflict("nothing_to_collect", detail)
}
