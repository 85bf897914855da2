//! The goods are there: `receive` as often as parcels are opened, `close` when the books
//! are to agree.

use aisle_domain::brand::Brand;
use aisle_domain::order::TimelineKind;
use aisle_domain::transfer::counts::Line;
use aisle_domain::transfer::{Failure, Status};
use aisle_http::{Call, Error, Reply, auth};
use aisle_store::scans::Total;
use aisle_store::transfers::Transfer;
use aisle_ucp::page::Invalid;
use aisle_ucp::transfer::ReceiveRequest;
use serde_json::{Map, Value, json};

use super::{Move, illegal, step};
use crate::access::{self, Caller};
use crate::facts::Facts;
use crate::life::events;

/// With this, too, staff may unpack: it is what scanners are for.
const SCANNER_SCOPE: &str = "stock";

/// `POST /transfers/{id}/receive`
pub async fn receive(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = match auth::staff(call, &brand.id, SCANNER_SCOPE).await {
        Ok(staff) => Caller::Staff(staff),
        Err(_) => Caller::staff(call, &brand.id).await?,
    };
    let body = call.body().await?;
    let request: ReceiveRequest = call.parse(&body)?;
    step(call, &brand, &caller, id, &body, |before, facts| {
        caller.at(&before.to_location_id)?;
        unpack(before, facts, &brand, &request)
    })
    .await
}

/// `POST /transfers/{id}/close`: what is still in transit is missing from now on.
pub async fn close(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::staff(call, &brand.id).await?;
    step(call, &brand, &caller, id, &[], |before, _| {
        caller.at(&before.to_location_id)?;
        let mut closed = Move::to(before, Status::Closed, "transfer.closed")?;
        let mut missing = Map::new();
        for line in &mut closed.after.lines {
            note(&mut missing, &line.sku.clone(), line.give_up());
        }
        closed.audit_doc = json!({ "missing": missing });
        closed.incidents = incidents([("transfer.missing", missing)]);
        Ok(closed)
    })
    .await
}

fn unpack(
    before: &Transfer,
    facts: &Facts,
    brand: &Brand,
    request: &ReceiveRequest,
) -> Result<Move, Error> {
    let status = before.status_now();
    if !matches!(status, Status::InTransit | Status::Received) {
        return Err(illegal(before, "received"));
    }
    if request.scanned && !request.lines.is_empty() {
        let detail = "either these lines, or what was scanned";
        return Err(access::unfit(Invalid::new(
            "lines_and_scans",
            "$.lines",
            detail,
        )));
    }
    let quantities = match request.scanned {
        true => since_the_last_time(before, &facts.scanned),
        false => request.quantities(&before.lines),
    };
    let quantities = quantities.map_err(access::unfit)?;
    let mut received = Move::within(before.clone(), "transfer.received");
    let (mut damaged, mut surplus) = (Map::new(), Map::new());
    for (line, (good, bad)) in received.after.lines.iter_mut().zip(&quantities) {
        // After the last parcel only what is still missing can turn up.
        if status == Status::Received && good + bad > line.in_transit {
            return Err(illegal(before, "received once more"));
        }
        let sku = line.sku.clone();
        note(&mut damaged, &sku, *bad);
        note(&mut surplus, &sku, line.receive(*good, *bad));
    }
    let goods = quantities.iter().map(|(good, _)| *good);
    let pieces: i64 = goods.clone().sum();
    if pieces == 0 && damaged.is_empty() && !request.is_final {
        let detail = "nothing arrived; say so with final, or name what did";
        return Err(access::unfit(Invalid::new(
            "nothing_received",
            "$.lines",
            detail,
        )));
    }
    received.put = goods
        .zip(&received.after.lines)
        .map(|(quantity, line)| aisle_domain::plan::Allocation {
            sku: line.sku.clone(),
            location_id: before.to_location_id.clone(),
            quantity,
        })
        .filter(|one| one.quantity > 0)
        .collect();
    received.audit_doc = json!({ "received": pieces, "damaged": damaged, "surplus": surplus, "final": request.is_final });
    let outstanding = received.after.lines.iter().any(|line| line.in_transit > 0);
    if status == Status::InTransit && (request.is_final || !outstanding) {
        received.after.status = Status::Received;
        arrived(&mut received.after, facts, brand);
        let short = outstanding || before_or_now_damaged(&received.after);
        if short {
            received.fail(Failure::ArrivedShort);
        }
    }
    received.incidents = incidents([("transfer.damaged", damaged), ("transfer.surplus", surplus)]);
    received.told = (pieces > 0).then(|| {
        let description = format!("{pieces} arrived at the store");
        (TimelineKind::TransferReceived, description, &[][..])
    });
    Ok(received)
}

/// Good and damaged pieces of each line that were scanned and are not in the books yet.
fn since_the_last_time(before: &Transfer, scanned: &[Total]) -> Result<Vec<(i64, i64)>, Invalid> {
    let new = |line: &Line| {
        let total = scanned.iter().find(|total| total.sku == line.sku);
        let (good, damaged) = total.map_or((0, 0), |total| (total.good, total.damaged));
        let new = (good - line.received, damaged - line.damaged);
        if total.is_some() && (new.0 < 0 || new.1 < 0) {
            let detail = format!("fewer of {} are scanned than are in the books", line.sku);
            return Err(Invalid::new("scanned_too_few", "$.scanned", detail));
        }
        Ok((new.0.max(0), new.1.max(0)))
    };
    before.lines.iter().map(new).collect()
}

/// Goods that are unpacked are ready no later than promised; a promise that has passed is
/// kept as soon as the store can.
fn arrived(after: &mut Transfer, facts: &Facts, brand: &Brand) {
    let promised = after.ready_at_ms;
    let mut now = after.clone();
    // A destination without opening hours keeps what was promised.
    let moved = events::arrives(&mut now, facts, brand, facts.now_ms, "received").is_ok();
    if moved && (now.ready_at_ms < promised || promised < facts.now_ms) {
        *after = now;
    }
}

fn before_or_now_damaged(transfer: &Transfer) -> bool {
    transfer.lines.iter().any(|line| line.damaged > 0)
}

fn note(units: &mut Map<String, Value>, sku: &str, quantity: i64) {
    if quantity > 0 {
        units.insert(sku.to_owned(), quantity.into());
    }
}

fn incidents<const N: usize>(
    found: [(&'static str, Map<String, Value>); N],
) -> Vec<(&'static str, Map<String, Value>)> {
    found
        .into_iter()
        .filter(|(_, units)| !units.is_empty())
        .collect()
}
