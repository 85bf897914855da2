//! `POST /transfers/{id}/ship`: the goods leave the source's shelf and are on no shelf
//! until they are received.

use aisle_domain::order::TimelineKind;
use aisle_domain::transfer::{Failure, Shipment, Status, care};
use aisle_http::{Call, Error, Reply};
use aisle_store::transfers::Transfer;
use aisle_ucp::page::Invalid;
use aisle_ucp::transfer::ShipRequest;
use serde_json::json;

use super::{Move, at, step};
use crate::access::{self, Caller};
use crate::facts::Facts;
use crate::life::events;

pub async fn ship(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::staff(call, &brand.id).await?;
    let body = call.body().await?;
    let request: ShipRequest = call.parse(&body)?;
    step(call, &brand, &caller, id, &body, |before, facts| {
        caller.at(&before.from_location_id)?;
        let mut shipped = leave(before, &request)?;
        on_the_road(&mut shipped, facts, &brand);
        Ok(shipped)
    })
    .await
}

fn leave(before: &Transfer, request: &ShipRequest) -> Result<Move, Error> {
    let mut shipped = Move::to(before, Status::InTransit, "transfer.shipped")?;
    let quantities = request.quantities(&before.lines).map_err(access::unfit)?;
    for ((place, line), quantity) in shipped.after.lines.iter_mut().enumerate().zip(&quantities) {
        line.ship(*quantity).ok_or_else(|| {
            let detail = format!("0 to {} pieces of {} can leave", line.requested, line.sku);
            access::unfit(Invalid::new(
                "invalid_quantity",
                format!("$.lines[{place}]"),
                detail,
            ))
        })?;
    }
    if quantities.iter().all(|quantity| *quantity == 0) {
        let detail = "nothing would leave; refuse or cancel the transfer instead";
        return Err(access::unfit(Invalid::new(
            "nothing_ships",
            "$.lines",
            detail,
        )));
    }
    let from = &before.from_location_id;
    shipped.issued = at(from, &shipped.after.lines, |line| line.shipped);
    shipped.released = at(from, &shipped.after.lines, |line| {
        line.requested - line.shipped
    });
    if !shipped.released.is_empty() {
        shipped.fail(Failure::ShortShipment);
    }
    shipped.audit_doc = json!({ "shipped": quantities.iter().sum::<i64>() });
    shipped.after.doc.shipment = Some(Shipment {
        carrier: request.carrier.clone(),
        tracking: request.tracking.clone(),
    });
    Ok(shipped)
}

/// What leaves in time keeps its promise; what missed its departure arrives later, and
/// what was taken to wait for the next one, and did not, earlier.
fn on_the_road(shipped: &mut Move, facts: &Facts, brand: &aisle_domain::brand::Brand) {
    let doc = &shipped.after.doc;
    let late_ms = facts.now_ms - doc.eta.departs_at_ms;
    let latest = doc.eta_history.last();
    let given_up = latest.is_some_and(|change| change.reason == care::MISSED_DEPARTURE);
    let why = match late_ms > 0 {
        true => Some("late_departure"),
        false => given_up.then_some("departed"),
    };
    if let Some(why) = why {
        let arrives_at_ms = doc.eta.arrives_at_ms + late_ms;
        shipped.after.doc.eta.departs_at_ms = facts.now_ms;
        // Without opening hours nothing better is known than what was promised.
        let _ = events::arrives(&mut shipped.after, facts, brand, arrives_at_ms, why);
    }
    let to = facts.location(&shipped.after.to_location_id);
    let name = to.map_or("the store", |location| &location.name);
    shipped.told = Some((
        TimelineKind::InTransit,
        format!("On the way to {name}"),
        &[],
    ));
}
