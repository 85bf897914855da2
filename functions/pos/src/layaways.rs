//! `POST /pos/layaways/{order_id}/payments`: the next part of a layaway, taken at a till of
//! any of the brand's stores.

use aisle_domain::brand::Brand;
use aisle_domain::fulfillment::Destination;
use aisle_domain::hours;
use aisle_domain::order::Order;
use aisle_http::auth;
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::layaway::{self, Collection, Instalment};
use aisle_store::{Row, StoreError, Value, audit, values};
use aisle_ucp::pos::{InstalmentReceipt, InstalmentRequest};
use serde_json::json;

use crate::store;
use crate::tender::{self, Owed};

const ROUNDS: usize = 4;
const DAY_MS: i64 = 86_400_000;

pub async fn pay(call: &Call, order_id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "pos").await?;
    store::must_be_id(order_id, "layaway")?;
    let body = call.body().await?;
    let request: InstalmentRequest = call.parse(&body)?;
    request.payment.check().map_err(Error::invalid_member)?;
    let claim = call.claim(&brand.id, &format!("instalment/{}", staff.device_id), &body)?;
    let cash_step_minor = tender::cash_step_minor(call, &brand, &staff.location_id).await?;
    let mut position = request.position;
    for _ in 0..ROUNDS {
        let facts = Facts::read(call, &brand, order_id, claim.as_ref()).await?;
        if let Some(reply) = call.replay(facts.outcome.clone())? {
            return Ok(reply);
        }
        let kept = facts
            .kept
            .as_ref()
            .ok_or_else(|| store::unknown("layaway"))?;
        let part = kept.payable(facts.now_ms, position)?;
        // Whoever loses the race for a part must not pay the one after it.
        position = Some(part.position);
        let owed = Owed {
            amount_minor: part.amount_minor,
            currency: &kept.order.currency,
            cash_step_minor,
        };
        let attempt = kept.attempts + 1;
        let taken = tender::take(&request.payment, order_id, attempt, owed).await?;
        let receipt = InstalmentReceipt {
            order_id: order_id.into(),
            position: part.position,
            currency: kept.order.currency.clone(),
            payment: taken.paid_by.clone(),
            left: kept.due - 1,
            paid: kept.due == 1,
        };
        let answer = Answer::new(201, &receipt)?;
        let mut batch = command::begin(claim.as_ref(), &answer);
        let drawer = taken.write(&mut batch, &staff, order_id, "instalment");
        let collected = collection(call, &brand, &kept.order, facts.now_ms).await?;
        let collected = collected
            .as_ref()
            .map(|(location_id, ready_at_ms)| Collection {
                location_id,
                ready_at_ms: *ready_at_ms,
                pickup_by_ms: ready_at_ms.saturating_add(brand.pickup_days * DAY_MS),
            });
        let instalment = Instalment {
            brand_id: &brand.id,
            order_id,
            position: part.position,
            amount_minor: part.amount_minor,
        };
        layaway::pay(
            &mut batch,
            &instalment,
            &taken.payment_id,
            collected.as_ref(),
        );
        let doc = json!({ "position": part.position, "payment": taken.paid_by.kind }).to_string();
        audit::record(
            &mut batch,
            staff.actor(),
            "instalment.taken",
            ("order", order_id),
            &doc,
        );
        match command::commit(call, claim.as_ref(), answer, batch).await? {
            Committed::Done(reply) => {
                notify_relay();
                return Ok(reply);
            }
            Committed::Replayed(reply) => return Ok(reply),
            Committed::Unmet(error) if drawer.is_some_and(|drawer| error.unmet_at(drawer)) => {
                return Err(tender::no_open_day());
            }
            Committed::Unmet(_) => {}
        }
    }
    Err(command::raced())
}

struct Facts {
    now_ms: i64,
    outcome: Outcome,
    kept: Option<Kept>,
}

/// A layaway and its next part.
struct Kept {
    order: Order,
    status: String,
    deadline_ms: i64,
    /// Parts that are due.
    due: i64,
    /// Payments of the order so far, declined ones as well.
    attempts: i64,
    next: Option<Part>,
}

struct Part {
    position: i64,
    amount_minor: i64,
    /// A payment is under way whose verdict is not known yet.
    claimed: bool,
}

impl Facts {
    async fn read(
        call: &Call,
        brand: &Brand,
        order_id: &str,
        claim: Option<&Claim>,
    ) -> Result<Self, Error> {
        let sql = format!(
            "SELECT {{now}} AS now_ms, o.doc, l.status, l.deadline_ms, i.position, i.amount_minor, i.payment_id, \
             (SELECT count(*) FROM instalment d WHERE d.brand_id = ?1 AND d.order_id = ?2 AND d.status = 'due') AS due, \
             (SELECT coalesce(max(p.attempt), 0) FROM payment p WHERE p.order_id = ?2) AS attempts, {} \
             FROM (SELECT 1 AS one) probe {} \
             LEFT JOIN layaway l ON l.brand_id = ?1 AND l.order_id = ?2 \
             LEFT JOIN customer_order o ON o.brand_id = ?1 AND o.id = l.order_id \
             LEFT JOIN instalment i ON i.brand_id = ?1 AND i.order_id = l.order_id AND i.status = 'due' \
             ORDER BY i.position LIMIT 1",
            idempotency::COLUMNS,
            idempotency::join("?3", "?4"),
        );
        let mut params = values![&brand.id, order_id];
        params.extend(claim.map_or_else(|| ["", ""].map(Value::from), Claim::params));
        let row = call.db().query_one_opt(sql, params).await?;
        let row = row.ok_or_else(|| Error::internal("no row from a probe"))?;
        Ok(Self {
            now_ms: row.int("now_ms")?,
            outcome: claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(&row))?,
            kept: Kept::of(&row)?,
        })
    }
}

impl Kept {
    fn of(row: &Row) -> Result<Option<Self>, StoreError> {
        let Some(order) = row.json_opt("doc")? else {
            return Ok(None);
        };
        Ok(Some(Self {
            order,
            status: row.text("status")?,
            deadline_ms: row.int("deadline_ms")?,
            due: row.int("due")?,
            attempts: row.int("attempts")?,
            next: match row.int_opt("position")? {
                Some(position) => Some(Part {
                    position,
                    amount_minor: row.int("amount_minor")?,
                    claimed: row.text_opt("payment_id")?.is_some(),
                }),
                None => None,
            },
        }))
    }

    /// The part that is paid next; 409 when none can be, or another one is wanted.
    fn payable(&self, now_ms: i64, wanted: Option<i64>) -> Result<&Part, Error> {
        let part = self.next.as_ref().filter(|_| self.status == "active");
        let Some(part) = part else {
            let detail = "nothing is to be paid on it any more";
            return Err(
                Error::conflict("wrong_status", detail).with("status", self.status.as_str())
            );
        };
        if self.deadline_ms <= now_ms {
            let detail = "the time in which this could be paid is over";
            return Err(Error::conflict("deadline_passed", detail));
        }
        if part.claimed {
            let detail = "another payment of this part is under way";
            return Err(Error::conflict("payment_in_progress", detail).header("retry-after", "2"));
        }
        if wanted.is_some_and(|wanted| wanted != part.position) {
            let detail = "the parts are paid in their order";
            return Err(Error::conflict("not_next", detail)
                .at("$.position")
                .with("next_position", part.position));
        }
        Ok(part)
    }
}

/// Where the order is collected, and from when if it is prepared from now on.
async fn collection(
    call: &Call,
    brand: &Brand,
    order: &Order,
    now_ms: i64,
) -> Result<Option<(String, i64)>, Error> {
    let expected = order.pickup().map(|expected| &expected.destination);
    let Some(Destination::Store(place)) = expected else {
        return Ok(None);
    };
    let location = store::location(call, &brand.id, &place.id).await?;
    let ready_at_ms = hours::ready_at_ms(&location, now_ms, location.preparation_minutes);
    let ready_at_ms = ready_at_ms.unwrap_or(now_ms.max(place.ready_at_ms));
    Ok(Some((place.id.clone(), ready_at_ms)))
}
