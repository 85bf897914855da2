//! Yes, no, and the way to the packing table: `approve`, `refuse`, `cancel`, `pick`.

use aisle_domain::order::TimelineKind;
use aisle_domain::transfer::{Failure, Status, care};
use aisle_http::{Call, Error, Reply};
use aisle_store::transfers::Transfer;
use aisle_ucp::transfer::ReasonRequest;
use serde_json::json;

use super::{Move, illegal, step};
use crate::access::{self, Caller};

/// `POST /transfers/{id}/approve`
pub async fn approve(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::staff(call, &brand.id).await?;
    step(call, &brand, &caller, id, &[], |before, facts| {
        caller.at(&before.from_location_id)?;
        // What is set aside for a basket becomes a request when it is paid, not before.
        if before.status == Status::Reserved {
            return Err(illegal(before, "approved"));
        }
        let mut approved = Move::to(before, Status::Approved, "transfer.approved")?;
        let (eta, way) = (&before.doc.eta, facts.way(before));
        let policy = &brand.policies.transfers;
        if let Some(eta) = care::on_approval(eta, way, policy, facts.now_ms) {
            approved.promise(eta, facts.now_ms, "approved_late");
        }
        let from = facts.location(&before.from_location_id);
        let name = from.map_or("The source", |location| &location.name);
        approved.told = Some((
            TimelineKind::TransferApproved,
            format!("{name} sends what was asked for"),
            &[],
        ));
        Ok(approved)
    })
    .await
}

/// `POST /transfers/{id}/refuse`
pub async fn refuse(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::staff(call, &brand.id).await?;
    let (body, reason) = reason(call).await?;
    step(call, &brand, &caller, id, &body, |before, _| {
        caller.at(&before.from_location_id)?;
        let refused = Move::to(before, Status::Refused, "transfer.refused")?;
        let mut refused = refused.releasing(Failure::Refused);
        refused.after.doc.refused_reason = Some(reason.clone());
        refused.audit_doc = json!({ "reason": reason });
        Ok(refused)
    })
    .await
}

/// `POST /transfers/{id}/cancel`: by staff of either end, or by the shopper for whose cart
/// or checkout it is.
pub async fn cancel(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::of(call, &brand.id).await?;
    let (body, reason) = reason(call).await?;
    step(call, &brand, &caller, id, &body, |before, _| {
        match &caller {
            Caller::Shopper(_) => shoppers_own(before)?,
            _ => caller.at_either_end(before)?,
        }
        // The order is being paid at this moment, and its payment decides.
        if before.is_for_order() && before.status == Status::Reserved {
            return Err(illegal(before, "cancelled"));
        }
        let cancelled = Move::to(before, Status::Cancelled, "transfer.cancelled")?;
        let mut cancelled = cancelled.releasing(Failure::Cancelled);
        cancelled.after.doc.cancelled_reason = Some(reason.clone());
        cancelled.audit_doc = json!({ "reason": reason });
        Ok(cancelled)
    })
    .await
}

/// `POST /transfers/{id}/pick`
pub async fn pick(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::staff(call, &brand.id).await?;
    step(call, &brand, &caller, id, &[], |before, _| {
        caller.at(&before.from_location_id)?;
        Move::to(before, Status::Picking, "transfer.picking")
    })
    .await
}

fn shoppers_own(transfer: &Transfer) -> Result<(), Error> {
    match transfer.for_type.as_str() {
        "cart" | "checkout" => Ok(()),
        "order" => Err(Error::forbidden(
            "an order's transfers are for the stores to change",
        )),
        _ => Err(access::missing()),
    }
}

async fn reason(call: &Call) -> Result<(Vec<u8>, String), Error> {
    let body = call.body().await?;
    let request: ReasonRequest = call.parse(&body)?;
    request.check().map_err(access::malformed)?;
    Ok((body.to_vec(), request.reason))
}
