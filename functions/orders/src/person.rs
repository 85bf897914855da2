//! `PUT /orders/{id}/pickup-person`: somebody else collects the order, and staff know it.

use aisle_domain::order::{TimelineEntry, TimelineKind};
use aisle_domain::pass::PickupStatus;
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::Claim;
use aisle_store::{Batch, limit, timeline, values};
use aisle_ucp::order::actions::{Collector, PickupPerson};

use crate::access::Visit;
use crate::facts::look;

/// Changes of one order's person, at most, …
const MOST: i64 = 20;
/// … within this long.
const WINDOW_MS: i64 = 3_600_000;

pub async fn change(call: &Call, id: &str) -> Result<Reply, Error> {
    let visit = Visit::open(call, id).await?;
    let body = call.body().await?;
    let person: PickupPerson = call.parse(&body)?;
    let claim = call.claim(&visit.brand.id, &format!("pickup-person/{id}"), &body)?;
    carry_out(&visit, claim.as_ref(), person).await
}

/// The same for a page.
pub async fn carry_out(
    visit: &Visit<'_>,
    claim: Option<&Claim>,
    person: PickupPerson,
) -> Result<Reply, Error> {
    let person = person.checked().map_err(Error::invalid_member)?;
    let facts = match look(visit, claim).await? {
        Ok(facts) => facts,
        Err(reply) => return Ok(reply),
    };
    let open = |status| !matches!(status, PickupStatus::Collected | PickupStatus::Cancelled);
    let pickup = facts.pickup.as_ref().filter(|pickup| open(pickup.status));
    let location_id = pickup.ok_or_else(nothing_waits)?.location_id.as_str();
    let collector = Collector {
        order_id: visit.order_id.to_owned(),
        name: person.name.clone(),
    };
    let answer = Answer::new(200, &collector)?;
    let mut batch = command::begin(claim, &answer);
    let limited = batch.len();
    let name = format!("pickup-person/{}/{}", visit.brand.id, visit.order_id);
    limit::spend(&mut batch, &name, MOST, WINDOW_MS);
    write(
        &mut batch,
        visit,
        location_id,
        &person,
        facts.person.as_ref(),
    );
    match command::commit(visit.call, claim, answer, batch).await? {
        Committed::Done(reply) => {
            notify_relay();
            Ok(reply)
        }
        Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(error) if error.unmet_at(limited) => Err(too_often()),
        Committed::Unmet(_) => Err(command::raced()),
    }
}

fn write(
    batch: &mut Batch,
    visit: &Visit<'_>,
    location_id: &str,
    person: &PickupPerson,
    before: Option<&String>,
) {
    let (brand_id, order_id) = (&visit.brand.id, visit.order_id);
    // The row that everybody who collects or cancels changes: touching it makes them wait.
    batch.expect(
        1,
        "UPDATE pickup SET updated_at_ms = {now} WHERE brand_id = ?1 AND order_id = ?2 \
         AND status IN ('awaiting_transfer', 'preparing', 'ready')",
        values![brand_id, order_id],
    );
    match &person.name {
        Some(name) => batch.add(
            "INSERT INTO pickup_person (brand_id, order_id, name, set_at_ms) VALUES (?1, ?2, ?3, {now}) \
             ON CONFLICT (brand_id, order_id) DO UPDATE SET name = excluded.name, set_at_ms = excluded.set_at_ms",
            values![brand_id, order_id, name],
        ),
        None => batch.add(
            "DELETE FROM pickup_person WHERE brand_id = ?1 AND order_id = ?2",
            values![brand_id, order_id],
        ),
    };
    if before == person.name.as_ref() {
        return;
    }
    let entry = TimelineEntry {
        location_id: Some(location_id.to_owned()),
        ..TimelineEntry::new(
            TimelineKind::PickupPersonChanged,
            "The store knows who collects the order.",
        )
    };
    timeline::record(batch, brand_id, order_id, &entry);
}

fn nothing_waits() -> Error {
    let detail = "nothing of this order waits to be collected at a store";
    Error::conflict("nothing_to_collect", detail)
}

fn too_often() -> Error {
    let detail = format!("more than {MOST} changes in an hour for one order");
    Error::new(429, "too_many_changes", &detail).header("retry-after", "3600")
}
