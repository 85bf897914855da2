//! `POST /adjustments`: one balance put right by hand.

use aisle_domain::plan::Allocation;
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, auth, notify_relay};
use aisle_store::stock::{self, Document};
use aisle_store::{new_id, values};
use aisle_ucp::count::adjustment::{Adjustment, AdjustmentRequest};
use serde_json::json;

use crate::SCOPE;
use crate::audit;
use crate::items::{self, Item};

pub async fn create(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, SCOPE).await?;
    let body = call.body().await?;
    let request: AdjustmentRequest = call.parse(&body)?;
    request
        .check()
        .map_err(|invalid| Error::unprocessable(invalid.code, &invalid.path, &invalid.detail))?;
    let claim = call.claim(&brand.id, &format!("adjust/{}", staff.staff_id), &body)?;
    let path = if request.gtin.is_some() {
        "$.gtin"
    } else {
        "$.sku"
    };
    let item = Item::parse(request.gtin.as_deref(), request.sku.as_deref());
    let wanted = [(path.into(), item)];
    let asked = items::read(call, &brand.id, &wanted, claim.as_ref()).await?;
    if let Some(reply) = call.replay(asked.outcome)? {
        return Ok(reply);
    }
    if request.delta.saturating_abs() > brand.policies.counting.free_variance_units {
        staff.with_scope("approve")?;
    }
    let skus = items::resolve(&asked.items, &wanted)?;
    let adjusted = Adjustment {
        id: new_id(),
        location_id: staff.location_id.clone(),
        sku: skus.concat(),
        delta: request.delta,
        reason: request.reason,
    };
    let answer = Answer::new(201, &adjusted)?;
    let mut batch = command::begin(claim.as_ref(), &answer);
    let document = Document {
        kind: "adjustment",
        id: &adjusted.id,
    };
    let change = Allocation {
        sku: adjusted.sku.clone(),
        location_id: adjusted.location_id.clone(),
        quantity: adjusted.delta,
    };
    let decisive = stock::adjust(
        &mut batch,
        &brand.id,
        request.reason.movement(),
        document,
        &[change],
    );
    let doc = json!({
        "sku": adjusted.sku, "delta": adjusted.delta, "reason": adjusted.reason, "note": request.note,
    });
    let subject = ("adjustment", adjusted.id.as_str());
    audit::noted(&mut batch, staff.actor(), "stock.adjusted", subject, doc);
    match command::commit(call, claim.as_ref(), answer, batch).await? {
        Committed::Done(reply) => {
            notify_relay();
            Ok(reply)
        }
        Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(error) if error.unmet_at(decisive) => {
            Err(below_reserved(call, &brand.id, &adjusted).await?)
        }
        Committed::Unmet(_) => Err(command::raced()),
    }
}

/// What there is that nobody holds.
async fn below_reserved(
    call: &Call,
    brand_id: &str,
    adjusted: &Adjustment,
) -> Result<Error, Error> {
    let row = call
        .db()
        .query_one_opt(
            "SELECT on_hand, reserved FROM stock WHERE brand_id = ?1 AND sku = ?2 AND location_id = ?3",
            values![brand_id, &adjusted.sku, &adjusted.location_id],
        )
        .await?;
    let (on_hand, reserved) = match row {
        Some(row) => (row.int("on_hand")?, row.int("reserved")?),
        None => (0, 0),
    };
    let detail = "open orders, transfers and holds keep more than would be left";
    Ok(Error::conflict("below_reserved", detail)
        .with("on_hand", on_hand)
        .with("reserved", reserved)
        .with("available", on_hand - reserved))
}
