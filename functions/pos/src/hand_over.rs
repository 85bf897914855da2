//! `POST /pos/orders/{id}/hand-over`: goods leave with who may collect them, once.

use aisle_domain::brand::Brand;
use aisle_domain::order::{Order, TimelineEntry, TimelineKind};
use aisle_domain::pass::{PickupStatus, normalise_code};
use aisle_domain::policy::Identification;
use aisle_domain::sale::{self, HandOver};
use aisle_http::auth::{self, Staff};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::{Batch, audit, new_id, stock, timeline, values};
use aisle_ucp::pos::{HandOverRequest, HandedOver, LinePieces};
use serde_json::json;

use crate::collection::{self, By, Facts, Found};
use crate::store;

/// Looks at the order, at most: each lost race is followed by a fresh look.
const ROUNDS: usize = 4;

/// The pass that was shown, or why none is needed.
enum Shown {
    Token(Box<aisle_domain::pass::PassClaims>),
    Code(String),
    Override(String),
}

pub async fn hand_over(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "pos").await?;
    store::must_be_id(id, "order")?;
    let body = call.body().await?;
    let request: HandOverRequest = call.parse(&body)?;
    let wanted = request.pieces().map_err(Error::invalid_member)?;
    let claim = call.claim(&brand.id, &format!("hand-over/{}", staff.device_id), &body)?;
    let shown = shown(call, &brand, &staff, &request).await?;
    if let Shown::Token(claims) = &shown
        && claims.order_id != id
    {
        let detail = "this pass is for another order";
        return Err(Error::unprocessable(
            "pass_of_another_order",
            "$.pass",
            detail,
        ));
    }
    if brand.policies.pickup.identification == Identification::Document
        && request.identification.is_none()
    {
        let detail = "note what kind of document was shown";
        return Err(Error::unprocessable(
            "identification_needed",
            "$.identification",
            detail,
        ));
    }
    let time_zone = store::time_zone(call, &brand.id, &staff.location_id).await?;
    for _ in 0..ROUNDS {
        let by = match &shown {
            Shown::Token(claims) => By::Pass(claims),
            Shown::Code(code) => By::Code(code),
            Shown::Override(_) => By::Id(id),
        };
        let facts = Facts::read(call, &brand, by, claim.as_ref()).await?;
        if let Some(reply) = call.replay(facts.outcome.clone())? {
            return Ok(reply);
        }
        let mut found = found(&facts, &shown, id)?;
        let here = request.goods_are_here;
        if let Some(hindrance) = found.hindrance(&staff.location_id, facts.now_ms, here) {
            return Err(hindrance.error(&time_zone));
        }
        let leaving = sale::hand_over(&mut found.order, &wanted, &staff.location_id)
            .map_err(store::refused)?;
        let handed = handed(new_id(), &found.order, &leaving);
        let answer = Answer::new(201, &handed)?;
        let mut batch = command::begin(claim.as_ref(), &answer);
        let doc = json!({
            "lines": leaving.lines,
            "identification": request.identification,
            "override": matches!(shown, Shown::Override(_)),
        });
        let made = Made {
            id: &handed.id,
            found: &found,
            leaving: &leaving,
            doc: doc.to_string(),
            offline: None,
        };
        made.write(&mut batch, &brand, &staff)?;
        if let Shown::Override(reason) = &shown {
            let doc = json!({ "reason": reason }).to_string();
            audit::record(
                &mut batch,
                staff.actor(),
                "order.pass_overridden",
                ("order", id),
                &doc,
            );
        }
        match command::commit(call, claim.as_ref(), answer, batch).await? {
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

async fn shown(
    call: &Call,
    brand: &Brand,
    staff: &Staff,
    request: &HandOverRequest,
) -> Result<Shown, Error> {
    match (&request.pass, &request.code, &request.override_reason) {
        (Some(token), None, None) => {
            let claims = collection::genuine(brand, token).await?;
            Ok(Shown::Token(Box::new(claims)))
        }
        (None, Some(code), None) => {
            collection::count_code(call, brand, &staff.device_id).await?;
            normalise_code(code)
                .map(Shown::Code)
                .ok_or_else(no_such_code)
        }
        (None, None, Some(reason)) => {
            staff.with_scope("approve")?;
            Ok(Shown::Override(reason.clone()))
        }
        _ => {
            let detail = "exactly one of pass, code and override_reason";
            Err(Error::unprocessable("pass_needed", "$", detail))
        }
    }
}

/// The order that was asked for, with the pass that was shown for it.
fn found(facts: &Facts, shown: &Shown, id: &str) -> Result<Found, Error> {
    let found = facts.found.as_ref();
    match shown {
        Shown::Code(_) => {
            let found = found.ok_or_else(no_such_code)?;
            if found.order.id != id {
                let detail = "this code is for another order";
                return Err(Error::unprocessable(
                    "pass_of_another_order",
                    "$.code",
                    detail,
                ));
            }
        }
        Shown::Token(_) if found.is_none_or(|found| found.pass.is_none()) => {
            return Err(
                Error::new(422, "invalid_pass", "this pass was never issued")
                    .with("reason", "unknown_pass"),
            );
        }
        _ => {}
    }
    found.cloned().ok_or_else(|| store::unknown("order"))
}

fn no_such_code() -> Error {
    Error::not_found("code_not_found", "no pass has this code").at("$.code")
}

/// A hand-over as it is answered.
pub fn handed(id: String, order: &Order, leaving: &HandOver) -> HandedOver {
    let pieces = |(line_id, quantity): &(String, i64)| LinePieces {
        line_id: line_id.clone(),
        quantity: *quantity,
    };
    HandedOver {
        id,
        order_id: order.id.clone(),
        lines: leaving.lines.iter().map(pieces).collect(),
        complete: leaving.completes,
    }
}

/// A hand-over to be written: `found` as it was read, but with the pieces noted in its order.
pub struct Made<'a> {
    pub id: &'a str,
    pub found: &'a Found,
    pub leaving: &'a HandOver,
    pub doc: String,
    /// Of one that was made while the till was offline: then the pass need not live any more.
    pub offline: Option<OfflineMade<'a>>,
}

/// When, by the till's clock, and by whom.
pub struct OfflineMade<'a> {
    pub at_ms: i64,
    pub staff_id: &'a str,
}

impl Made<'_> {
    /// Adds everything that a hand-over is. Two at the same moment, on one pass or on two,
    /// are one: the pass is used once, and pickup and order are of the version that was read.
    pub fn write(&self, batch: &mut Batch, brand: &Brand, staff: &Staff) -> Result<(), Error> {
        let Self {
            id, found, leaving, ..
        } = self;
        let order = &found.order;
        let pickup = found.pickup.as_ref();
        let pickup = pickup.ok_or_else(|| Error::internal("a hand-over without a pickup"))?;
        let pass = found.pass.as_ref().map(|pass| pass.id.clone());
        let offline = self.offline.as_ref();
        let made_by = offline.map_or(staff.staff_id.as_str(), |made| made.staff_id);
        batch.expect(
            1,
            "INSERT INTO hand_over (id, brand_id, order_id, pass_id, location_id, device_id, staff_id, offline, doc, handed_at_ms) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, coalesce(?10, {now}) FROM (SELECT 1 AS one) probe \
             WHERE ?4 IS NULL OR ?8 = 1 OR EXISTS (SELECT 1 FROM pickup_pass p WHERE p.id = ?4 \
               AND p.expires_at_ms > {now} AND (p.revoked_at_ms IS NULL OR p.revoked_at_ms > {now})) \
             ON CONFLICT DO NOTHING",
            values![
                *id,
                &brand.id,
                &order.id,
                pass,
                &staff.location_id,
                &staff.device_id,
                made_by,
                i64::from(offline.is_some()),
                &self.doc,
                offline.map(|made| made.at_ms)
            ],
        );
        let status = match leaving.completes {
            true => PickupStatus::Collected,
            false => pickup.status,
        };
        batch.expect(
            1,
            "UPDATE pickup SET status = ?4, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND order_id = ?2 AND version = ?3 AND status IN ('awaiting_transfer', 'preparing', 'ready')",
            values![&brand.id, &order.id, pickup.version, status.name()],
        );
        batch.expect(
            1,
            "UPDATE customer_order SET doc = ?4, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'confirmed'",
            values![&brand.id, &order.id, found.version, store::json(order)?],
        );
        stock::issue(
            batch,
            &brand.id,
            "sale",
            stock::Document::order(&order.id),
            &leaving.units,
        );
        let (kind, description) = match leaving.completes {
            true => (TimelineKind::PickedUp, "Picked up at the store."),
            false => (
                TimelineKind::PartiallyPickedUp,
                "A part was picked up at the store.",
            ),
        };
        let entry = TimelineEntry {
            lines: leaving.lines.clone(),
            location_id: Some(staff.location_id.clone()),
            ..TimelineEntry::new(kind, description)
        };
        timeline::record(batch, &brand.id, &order.id, &entry);
        store::pickup_changed(batch, brand, &order.id);
        let doc = json!({
            "hand_over_id": id,
            "offline": offline.is_some(),
            "made_by": made_by,
        });
        audit::record(
            batch,
            staff.actor(),
            "order.handed_over",
            ("order", &order.id),
            &doc.to_string(),
        );
        Ok(())
    }
}
