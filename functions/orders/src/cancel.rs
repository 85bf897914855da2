//! `POST /orders/{id}/cancel`: the order is off, and everything that was set aside, asked
//! for or issued for it with it, in one batch.

use aisle_domain::cancellation::Hindrance;
use aisle_domain::order::{TimelineEntry, TimelineKind};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::Claim;
use aisle_store::outbox::{self, Event};
use aisle_store::refund::{self, Amount};
use aisle_store::stock::{self, Document, Holding};
use aisle_store::{Batch, timeline, transfers, values};
use aisle_ucp::order::actions::Cancelled;

use crate::access::Visit;
use crate::facts::{Facts, look};

/// Looks at the order, at most: what changed meanwhile is looked at again.
const ROUNDS: usize = 3;

pub async fn cancel(call: &Call, id: &str) -> Result<Reply, Error> {
    let visit = Visit::open(call, id).await?;
    let body = call.body().await?;
    let claim = call.claim(&visit.brand.id, &format!("cancel-order/{id}"), &body)?;
    carry_out(&visit, claim.as_ref()).await
}

/// The same for a page.
pub async fn carry_out(visit: &Visit<'_>, claim: Option<&Claim>) -> Result<Reply, Error> {
    for _ in 0..ROUNDS {
        let facts = match look(visit, claim).await? {
            Ok(facts) => facts,
            Err(reply) => return Ok(reply),
        };
        if let Some(hindrance) = facts.hindrance(&visit.brand.policies) {
            return Err(refusal(hindrance));
        }
        let answer = Answer::new(
            200,
            &Cancelled {
                order_id: visit.order_id.to_owned(),
                status: "cancelled".into(),
            },
        )?;
        let mut batch = command::begin(claim, &answer);
        write(&mut batch, &visit.brand.id, &facts)?;
        match command::commit(visit.call, claim, answer, batch).await? {
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

fn refusal(hindrance: Hindrance) -> Error {
    let error = Error::conflict(hindrance.code(), hindrance.detail());
    match hindrance {
        Hindrance::PaymentOpen => error.header("retry-after", "2"),
        _ => error,
    }
}

/// Whoever hands over, ships, pays or cancels at the same moment changes a row that this
/// expects as it was read.
fn write(batch: &mut Batch, brand_id: &str, facts: &Facts) -> Result<(), Error> {
    let order_id = facts.order.id.as_str();
    let mut order = facts.order.clone();
    order.call_off();
    let doc = serde_json::to_string(&order).map_err(|error| Error::internal(error.to_string()))?;
    batch.expect(
        1,
        "UPDATE customer_order SET status = 'cancelled', doc = ?4, version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'confirmed' AND NOT EXISTS (\
           SELECT 1 FROM payment p WHERE p.brand_id = ?1 AND p.order_id = ?2 AND p.status = 'started')",
        values![brand_id, order_id, facts.version, doc],
    );
    if let Some(pickup) = &facts.pickup {
        batch.expect(
            1,
            "UPDATE pickup SET status = 'cancelled', version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND order_id = ?2 AND version = ?3 AND status = ?4",
            values![brand_id, order_id, pickup.version, pickup.status.name()],
        );
        outbox::event(batch, &Event::new(brand_id, "pickup.changed", order_id));
    }
    // Of one whose time is up, housekeeping frees the goods.
    let open = facts
        .transfers
        .iter()
        .filter(|one| one.status_now().holds_stock());
    let called_off: Vec<_> = open
        .map(|one| {
            let units = transfers::call_off(batch, brand_id, one, "order_cancelled");
            (Document::transfer(&one.id), units)
        })
        .collect();
    let transfers = called_off.iter().map(|(of, units)| (*of, &units[..]));
    let own = (Document::order(order_id), &facts.held[..]);
    let holdings: Vec<Holding> = transfers.chain([own]).collect();
    stock::release_each(batch, brand_id, &holdings);
    batch.add(
        "UPDATE pickup_pass SET revoked_at_ms = {now} \
         WHERE brand_id = ?1 AND order_id = ?2 AND revoked_at_ms IS NULL AND expires_at_ms > {now}",
        values![brand_id, order_id],
    );
    if facts.presence.is_some() {
        batch.add(
            "DELETE FROM presence WHERE brand_id = ?1 AND order_id = ?2",
            values![brand_id, order_id],
        );
        outbox::event(batch, &Event::new(brand_id, "presence.changed", order_id));
    }
    refund::request(
        batch,
        &refund::Request {
            brand_id,
            order_id,
            decision: "cancelled",
            amount: Amount::All,
        },
    );
    let entry = TimelineEntry {
        reasons: vec!["by_shopper".into()],
        ..TimelineEntry::new(TimelineKind::Cancelled, "You cancelled the order.")
    };
    timeline::record(batch, brand_id, order_id, &entry);
    Ok(())
}
