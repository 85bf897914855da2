//! `POST /orders/{id}/returns`: the shopper wants to give something back, and is told at
//! once whether that is possible and why.

use aisle_domain::order::{TimelineEntry, TimelineKind};
use aisle_domain::returns::{Decision, Facts as Asked, ReturnDoc, ReturnLine};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::Claim;
use aisle_store::{Batch, new_id, timeline, values};
use aisle_ucp::order::actions::{ReturnRequested, ReturnWish};

use crate::access::Visit;
use crate::facts::{Facts, look};

/// Looks at the order, at most: each race with another return is followed by a fresh look.
const ROUNDS: usize = 3;

pub async fn start(call: &Call, id: &str) -> Result<Reply, Error> {
    let visit = Visit::open(call, id).await?;
    let body = call.body().await?;
    let wish: ReturnWish = call.parse(&body)?;
    let claim = call.claim(&visit.brand.id, &format!("start-return/{id}"), &body)?;
    carry_out(&visit, claim.as_ref(), &wish).await
}

/// The same for a page.
pub async fn carry_out(
    visit: &Visit<'_>,
    claim: Option<&Claim>,
    wish: &ReturnWish,
) -> Result<Reply, Error> {
    let lines = wish.lines().map_err(Error::invalid_member)?;
    for _ in 0..ROUNDS {
        let facts = match look(visit, claim).await? {
            Ok(facts) => facts,
            Err(reply) => return Ok(reply),
        };
        let doc = decided(visit, &facts, wish, &lines)?;
        let id = new_id();
        let answer = Answer::new(201, &ReturnRequested::new(&id, visit.order_id, &doc))?;
        let mut batch = command::begin(claim, &answer);
        write(&mut batch, visit, &facts, &id, &doc)?;
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

fn decided(
    visit: &Visit<'_>,
    facts: &Facts,
    wish: &ReturnWish,
    lines: &[ReturnLine],
) -> Result<ReturnDoc, Error> {
    let before = facts.returned();
    let asked = Asked {
        order: &facts.order,
        handed_over_at_ms: facts.handed_over_at_ms,
        before: &before,
        now_ms: facts.now_ms,
    };
    let policy = facts.order.return_policy(&visit.brand.policies);
    let decision = policy.decide(wish.reason, &asked);
    if !decision.accepted {
        return Err(refusal(&decision));
    }
    asked.check(lines).map_err(|bad| {
        let path = format!("$.line_items[{}]", bad.index);
        Error::unprocessable(bad.code, &path, bad.detail)
    })?;
    Ok(ReturnDoc {
        lines: lines.to_vec(),
        reason: wish.reason,
        decision,
        policy: policy.clone(),
    })
}

fn refusal(decision: &Decision) -> Error {
    let detail = format!(
        "the policy does not allow this return: {}",
        decision.reasons.join(", ")
    );
    Error::conflict("return_refused", &detail)
        .with("reasons", decision.reasons.clone())
        .with("evidence", decision.evidence.name())
        .with("until_ms", decision.until_ms)
}

fn write(
    batch: &mut Batch,
    visit: &Visit<'_>,
    facts: &Facts,
    id: &str,
    doc: &ReturnDoc,
) -> Result<(), Error> {
    let (brand_id, order_id) = (&visit.brand.id, visit.order_id);
    let text = serde_json::to_string(doc).map_err(|error| Error::internal(error.to_string()))?;
    // Of two returns of the same pieces one finds the order changed.
    batch.expect(
        1,
        "UPDATE customer_order SET version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3",
        values![brand_id, order_id, facts.version],
    );
    batch.add(
        "INSERT INTO return_request (id, brand_id, order_id, status, doc, created_at_ms, updated_at_ms) \
         VALUES (?1, ?2, ?3, 'requested', ?4, {now}, {now})",
        values![id, brand_id, order_id, text],
    );
    let lines = doc.lines.iter();
    let entry = TimelineEntry {
        lines: lines
            .map(|line| (line.line_id.clone(), line.quantity))
            .collect(),
        reasons: doc.decision.reasons.clone(),
        ..TimelineEntry::new(TimelineKind::ReturnRequested, "You started a return.")
    };
    timeline::record(batch, brand_id, order_id, &entry);
    Ok(())
}
