//! `/counts`: opening and reading.

use aisle_domain::count::Status;
use aisle_http::command::{self, Answer};
use aisle_http::{Call, Error, Reply, auth, notify_relay, page};
use aisle_store::scans::Part;
use aisle_store::{Value, new_id, values};
use aisle_ucp::count::{CountDetail, CountLine, CountList, CountRequest};
use aisle_ucp::page::{Pagination, search_id};
use serde_json::json;

use crate::SCOPE;
use crate::audit;
use crate::count::{self, COLUMNS, Session, time_zone};
use crate::items::{self, Item};

/// `POST /counts`
pub async fn create(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, SCOPE).await?;
    let body = call.body().await?;
    let request: CountRequest = call.parse(&body)?;
    let listed = request.skus.clone().unwrap_or_default();
    let mode = request.mode;
    let document = request.into_domain().map_err(count::invalid)?;
    let claim = call.claim(
        &brand.id,
        &format!("create-count/{}", staff.staff_id),
        &body,
    )?;
    let wanted = listed.into_iter().enumerate();
    let wanted: Vec<_> = wanted
        .map(|(index, sku)| (format!("$.skus[{index}]"), Item::parse(None, Some(&sku))))
        .collect();
    let asked = items::read(call, &brand.id, &wanted, claim.as_ref()).await?;
    if let Some(reply) = call.replay(asked.outcome)? {
        return Ok(reply);
    }
    items::resolve(&asked.items, &wanted)?;
    let now_ms = asked.now_ms;
    let session = Session {
        id: new_id(),
        location_id: staff.location_id.clone(),
        mode,
        status: Status::Open,
        round: 1,
        count: document,
        version: 1,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        now_ms,
        other_corrections: 0,
    };
    let zone = time_zone(call, &brand, &session.location_id).await?;
    let created = Answer::new(201, &session.shown(&zone))?;
    let mut batch = command::begin(claim.as_ref(), &created);
    batch.expect(
        1,
        "INSERT INTO count_session (id, brand_id, location_id, mode, status, round, doc, version, created_at_ms, updated_at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, 1, ?7, ?7)",
        values![
            &session.id,
            &brand.id,
            &session.location_id,
            session.mode.name(),
            session.status.name(),
            session.doc()?,
            now_ms
        ],
    );
    let doc = json!({"mode": session.mode, "zones": session.count.zones.len()});
    audit::counted(&mut batch, staff.actor(), "count.opened", &session.id, doc);
    let committed = command::commit(call, claim.as_ref(), created, batch).await?;
    notify_relay();
    let location = format!("/counts/{}", session.id);
    Ok(committed.unless_raced()?.header("location", &location))
}

/// `GET /counts?status=&cursor=&limit=`: those of one's own location, the latest first.
pub async fn list(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, SCOPE).await?;
    let status = call.query("status");
    if status.is_some_and(|status| Status::parse(status).is_none()) {
        let detail = "open, review, approved or cancelled";
        return Err(Error::bad_request("invalid_status", "status", detail));
    }
    let asked = page::request(call)?;
    let search = search_id(&(&brand.id, &staff.location_id, status));
    let size = asked.size().map_err(page::refused)?;
    let before = page::after(&asked, search)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM count_session s WHERE s.brand_id = ?1 AND s.location_id = ?2 \
         AND (?3 IS NULL OR s.status = ?3) AND (?4 IS NULL OR s.id < ?4) ORDER BY s.id DESC LIMIT ?5"
    );
    let params = values![
        &brand.id,
        &staff.location_id,
        Value::from(status),
        before,
        size as i64 + 1
    ];
    let rows = call.db().query(sql, params).await?;
    let mut sessions = rows
        .iter()
        .map(Session::of)
        .collect::<Result<Vec<_>, _>>()?;
    let more = sessions.len() > size;
    sessions.truncate(size);
    let next = sessions.last().filter(|_| more).map(|last| last.id.clone());
    let zone = time_zone(call, &brand, &staff.location_id).await?;
    let counts = sessions
        .iter()
        .map(|session| session.shown(&zone))
        .collect();
    let pagination = Pagination::new(search, next, None);
    Reply::json(200, &CountList { counts, pagination })
}

/// `GET /counts/{id}?cursor=&limit=`: with a page of its lines.
pub async fn get(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, SCOPE).await?;
    let asked = page::request(call)?;
    let search = search_id(&(&brand.id, id));
    let size = asked.size().map_err(page::refused)?;
    let after = page::after(&asked, search)?;
    let (session, _) = Session::read(call, &brand.id, id, None).await?;
    staff.at(&session.location_id)?;
    let part = Part {
        after_sku: after.as_deref().unwrap_or_default(),
        limit: size as i64 + 1,
    };
    let mut found = session.found(call, &brand.id, part).await?;
    let more = found.len() > size;
    found.truncate(size);
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| last.tally.sku.clone());
    let seen = (session.mode, session.status);
    let lines = found
        .into_iter()
        .map(|one| CountLine::new(&one.tally, (one.gtin, one.title), one.applied, seen));
    let zone = time_zone(call, &brand, &session.location_id).await?;
    let detail = CountDetail {
        session: session.shown(&zone),
        lines: lines.collect(),
        pagination: Pagination::new(search, next, None),
    };
    Reply::json(200, &detail)
}
