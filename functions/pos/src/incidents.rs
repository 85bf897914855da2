//! What somebody must look into at a store, and what was done there.

use aisle_domain::instant::rfc3339_in;
use aisle_http::{Call, Error, Reply, auth, page};
use aisle_store::{Batch, BatchError, Row, StoreError, audit, values};
use aisle_ucp::page::{Pagination, search_id};
use aisle_ucp::pos::{
    self as wire, AuditEntry, AuditTrail, Incident, IncidentList, ResolveRequest,
};
use serde_json::json;

use crate::store;

/// Open incidents that are shown, the oldest first.
const MAX_INCIDENTS: i64 = 100;

/// `GET /pos/incidents`: those of the own location that are open.
pub async fn list(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "pos").await?;
    let zone = store::time_zone(call, &brand.id, &staff.location_id).await?;
    let rows = call
        .db()
        .query(
            "SELECT id, kind, subject_type, subject_id, doc, created_at_ms FROM incident \
             WHERE brand_id = ?1 AND location_id = ?2 AND resolved_at_ms IS NULL ORDER BY created_at_ms, id LIMIT ?3",
            values![&brand.id, &staff.location_id, MAX_INCIDENTS],
        )
        .await?;
    let incident = |row: &Row| -> Result<Incident, StoreError> {
        Ok(Incident {
            id: row.text("id")?,
            kind: row.text("kind")?,
            subject_type: row.text("subject_type")?,
            subject_id: row.text("subject_id")?,
            details: row.json("doc")?,
            created_at: rfc3339_in(row.int("created_at_ms")?, &zone),
        })
    };
    let incidents = rows.iter().map(incident).collect::<Result<_, _>>()?;
    Reply::json(200, &IncidentList { incidents })
}

/// `POST /pos/incidents/{id}/resolve`
pub async fn resolve(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "approve").await?;
    store::must_be_id(id, "incident")?;
    let request: ResolveRequest = call.json().await?;
    wire::check_text("$.note", &request.note).map_err(Error::invalid_member)?;
    let row = call
        .db()
        .query_one_opt(
            "SELECT location_id FROM incident WHERE brand_id = ?1 AND id = ?2",
            values![&brand.id, id],
        )
        .await?
        .ok_or_else(|| store::unknown("incident"))?;
    staff.at(&row.text("location_id")?)?;
    let mut batch = Batch::new();
    batch.expect(
        1,
        "UPDATE incident SET resolved_at_ms = {now} WHERE brand_id = ?1 AND id = ?2 AND resolved_at_ms IS NULL",
        values![&brand.id, id],
    );
    let doc = json!({ "note": request.note }).to_string();
    audit::record(
        &mut batch,
        staff.actor(),
        "incident.resolved",
        ("incident", id),
        &doc,
    );
    match batch.commit(call.db()).await {
        Ok(_) => Ok(Reply::empty(204)),
        Err(BatchError::Unmet { .. }) => Err(Error::conflict(
            "incident_resolved",
            "somebody has looked into it already",
        )),
        Err(error) => Err(error.into()),
    }
}

/// `GET /pos/audit?cursor=&limit=`: of the own location, the latest first.
pub async fn trail(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "approve").await?;
    let zone = store::time_zone(call, &brand.id, &staff.location_id).await?;
    let paging = page::request(call)?;
    let search = search_id(&("audit", &brand.id, &staff.location_id));
    let size = paging.size().map_err(page::refused)?;
    let before: Option<(i64, String)> = paging.after(search).map_err(page::refused)?;
    let (before_ms, before_id) = before.unwrap_or((i64::MAX, String::new()));
    let rows = call
        .db()
        .query(
            "SELECT id, at_ms, staff_id, device_id, action, subject_type, subject_id, doc FROM audit \
             WHERE brand_id = ?1 AND location_id = ?2 AND (at_ms < ?3 OR (at_ms = ?3 AND id < ?4)) \
             ORDER BY at_ms DESC, id DESC LIMIT ?5",
            values![&brand.id, &staff.location_id, before_ms, before_id, size as i64 + 1],
        )
        .await?;
    let more = rows.len() > size;
    let shown = rows.get(..size.min(rows.len())).unwrap_or_default();
    let next = match shown.last() {
        Some(last) if more => Some((last.int("at_ms")?, last.text("id")?)),
        _ => None,
    };
    let entry = |row: &Row| -> Result<AuditEntry, StoreError> {
        Ok(AuditEntry {
            id: row.text("id")?,
            at: rfc3339_in(row.int("at_ms")?, &zone),
            staff_id: row.text("staff_id")?,
            device_id: row.text("device_id")?,
            action: row.text("action")?,
            subject_type: row.text("subject_type")?,
            subject_id: row.text("subject_id")?,
            details: row.json("doc")?,
        })
    };
    let entries = shown.iter().map(entry).collect::<Result<_, _>>()?;
    let pagination = Pagination::new(search, next, None);
    Reply::json(
        200,
        &AuditTrail {
            entries,
            pagination,
        },
    )
}
