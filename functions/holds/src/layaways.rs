//! `/layaways`: looking at one, paying its next part, giving it up.

pub mod care;
mod facts;
mod payments;

use aisle_domain::layaway::{Layaway, Status};
use aisle_http::command::{self, Answer, Committed, raced};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::layaway;

use facts::Facts;
pub use payments::pay;

/// `GET /layaways/{order_id}`: for who knows the order's id. A payment that was cut short
/// is brought to its end first.
pub async fn get(call: &Call, order_id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let mut facts = Facts::read(call, &brand.id, order_id, None).await?;
    if payments::settle_interrupted(call, &brand, &facts).await? {
        facts = Facts::read(call, &brand.id, order_id, None).await?;
    }
    Reply::json(200, &facts.shown())
}

/// `POST /layaways/{order_id}/cancel`: the fee is kept, the rest is owed to the shopper, the
/// goods are free.
pub async fn cancel(call: &Call, order_id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let body = call.body().await?;
    let claim = call.claim(&brand.id, &format!("cancel-layaway/{order_id}"), &body)?;
    let mut facts = Facts::read(call, &brand.id, order_id, claim.as_ref()).await?;
    if let Some(reply) = call.replay(facts.outcome.clone())? {
        return Ok(reply);
    }
    if payments::settle_interrupted(call, &brand, &facts).await? {
        facts = Facts::read(call, &brand.id, order_id, claim.as_ref()).await?;
    }
    facts.must_be_active()?;
    let ended = facts.ended(Status::Cancelled);
    let answer = Answer::new(200, &ended.shown())?;
    let mut batch = command::begin(claim.as_ref(), &answer);
    end(
        &mut batch,
        &brand.id,
        &facts,
        &ended.layaway,
        Status::Cancelled,
    );
    match command::commit(call, claim.as_ref(), answer, batch).await? {
        Committed::Done(reply) => {
            notify_relay();
            Ok(reply)
        }
        Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(_) => {
            let now = Facts::read(call, &brand.id, order_id, None).await?;
            now.must_be_active()?;
            now.must_be_idle()?;
            Err(raced())
        }
    }
}

/// Adds the end of the layaway in `facts`, which leaves the document `ended`.
fn end(
    batch: &mut aisle_store::Batch,
    brand_id: &str,
    facts: &Facts,
    ended: &Layaway,
    status: Status,
) {
    let mut order = facts.order.clone();
    order.call_off();
    let ending = layaway::Ending {
        brand_id,
        order: &order,
        order_version: facts.order_version,
        version: facts.version,
        layaway: ended,
        allocations: &facts.allocations,
    };
    let text = match status {
        Status::Defaulted => "Not paid in time: the order is cancelled and its goods are free.",
        _ => "Given up: the order is cancelled and its goods are free.",
    };
    layaway::end(batch, &ending, status, text);
}
