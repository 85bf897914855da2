//! `/deliveries`: goods from suppliers, announced or not, and closed once they are scanned.

use std::collections::BTreeMap;
use std::rc::Rc;

use aisle_domain::brand::Brand;
use aisle_domain::delivery::{self, Line};
use aisle_domain::instant::rfc3339_in;
use aisle_domain::location::Location;
use aisle_domain::plan::Allocation;
use aisle_http::auth::{self, Staff};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay, page};
use aisle_store::audit::Actor;
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::scans::{self, TaskKind, Total};
use aisle_store::stock::{self, Document};
use aisle_store::{Batch, Row, Value, new_id, values};
use aisle_ucp::count::delivery::{
    Delivery, DeliveryList, DeliveryRequest, DeliveryStatus, DeliverySummary, ReceivedLine,
};
use aisle_ucp::page::{Pagination, search_id};
use serde_json::json;

use crate::SCOPE;
use crate::audit;
use crate::count;
use crate::items::{self, Item};

/// How often a delivery is closed anew because scans came in meanwhile.
const TRIES: usize = 4;

/// `POST /deliveries`
pub async fn create(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::of(call, &brand).await?;
    let body = call.body().await?;
    let request: DeliveryRequest = call.parse(&body)?;
    request.check().map_err(count::invalid)?;
    let claim = call.claim(
        &brand.id,
        &format!("create-delivery/{}", caller.name()),
        &body,
    )?;
    let location = caller
        .destination(call, &brand, request.location_id.as_deref())
        .await?;
    let lines = request.lines.iter().enumerate().map(|(index, line)| {
        let item = Item::parse(line.gtin.as_deref(), line.sku.as_deref());
        (format!("$.lines[{index}]"), item)
    });
    let lines: Vec<_> = lines.collect();
    let asked = items::read(call, &brand.id, &lines, claim.as_ref()).await?;
    if let Some(reply) = call.replay(asked.outcome)? {
        return Ok(reply);
    }
    let (skus, now_ms) = (items::resolve(&asked.items, &lines)?, asked.now_ms);
    let mut announced = BTreeMap::new();
    for (sku, line) in skus.into_iter().zip(&request.lines) {
        *announced.entry(sku).or_insert(0) += line.quantity;
    }
    let stored = Stored {
        id: new_id(),
        location_id: location.id.clone(),
        reference: request.reference,
        status: DeliveryStatus::Expected,
        delivery: delivery::Delivery {
            announced: Some(announced).filter(|announced| !announced.is_empty()),
        },
        version: 1,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    let lines_to_come = stored.delivery.lines([]);
    let created = Answer::new(201, &stored.shown(&location.time_zone, lines_to_come))?;
    let mut batch = command::begin(claim.as_ref(), &created);
    let insertion = batch.len();
    batch.expect(
        1,
        "INSERT INTO delivery (id, brand_id, location_id, reference, status, doc, version, created_at_ms, updated_at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7) ON CONFLICT DO NOTHING",
        values![
            &stored.id,
            &brand.id,
            &stored.location_id,
            &stored.reference,
            stored.status.name(),
            stored.doc()?,
            now_ms
        ],
    );
    caller.noted(
        &mut batch,
        &brand,
        "delivery.announced",
        &stored,
        json!({"lines": lines.len()}),
    );
    match command::commit(call, claim.as_ref(), created, batch).await? {
        Committed::Done(reply) => {
            Ok(reply.header("location", &format!("/deliveries/{}", stored.id)))
        }
        Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(error) if error.unmet_at(insertion) => Err(Error::conflict(
            "reference_taken",
            "there is a delivery with this reference already",
        )
        .at("$.reference")),
        Committed::Unmet(_) => Err(command::raced()),
    }
}

/// `GET /deliveries?status=&cursor=&limit=`: of one's own location, or of the key's brand;
/// the latest first.
pub async fn list(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::of(call, &brand).await?;
    let status = call.query("status");
    if status.is_some_and(|status| DeliveryStatus::parse(status).is_none()) {
        let detail = "expected, receiving, closed or cancelled";
        return Err(Error::bad_request("invalid_status", "status", detail));
    }
    let asked = page::request(call)?;
    let search = search_id(&(&brand.id, caller.location_id(), status));
    let size = asked.size().map_err(page::refused)?;
    let before = page::after(&asked, search)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery WHERE brand_id = ?1 AND (?2 IS NULL OR location_id = ?2) \
         AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR id < ?4) ORDER BY id DESC LIMIT ?5"
    );
    let params = values![
        &brand.id,
        Value::from(caller.location_id()),
        Value::from(status),
        before,
        size as i64 + 1
    ];
    let rows = call.db().query(sql, params).await?;
    let mut stored = rows.iter().map(Stored::of).collect::<Result<Vec<_>, _>>()?;
    let more = stored.len() > size;
    stored.truncate(size);
    let next = stored.last().filter(|_| more).map(|last| last.id.clone());
    let ids = stored.iter().map(|one| one.location_id.as_str());
    let locations = call.model().locations(&brand.id, ids).await?;
    let deliveries = stored
        .iter()
        .map(|one| one.summary(zone_of(&locations.all, &one.location_id)));
    let deliveries = deliveries.collect();
    let pagination = Pagination::new(search, next, None);
    Reply::json(
        200,
        &DeliveryList {
            deliveries,
            pagination,
        },
    )
}

/// `GET /deliveries/{id}`: with what has arrived so far.
pub async fn get(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::of(call, &brand).await?;
    let (stored, lines, _) = Stored::read(call, &brand, &caller, id, None).await?;
    let zone = count::time_zone(call, &brand, &stored.location_id).await?;
    Reply::json(200, &stored.shown(&zone, lines))
}

/// `POST /deliveries/{id}/close`: what is good goes onto the shelf.
pub async fn close(call: &Call, id: &str) -> Result<Reply, Error> {
    let open = [DeliveryStatus::Expected, DeliveryStatus::Receiving];
    finish(call, id, &open, DeliveryStatus::Closed).await
}

/// `POST /deliveries/{id}/cancel`: it does not come, as long as nothing of it was scanned.
pub async fn cancel(call: &Call, id: &str) -> Result<Reply, Error> {
    finish(
        call,
        id,
        &[DeliveryStatus::Expected],
        DeliveryStatus::Cancelled,
    )
    .await
}

async fn finish(
    call: &Call,
    id: &str,
    from: &[DeliveryStatus],
    to: DeliveryStatus,
) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::of(call, &brand).await?;
    let body = call.body().await?;
    let claim = call.claim(
        &brand.id,
        &format!("{}-delivery/{id}/{}", to.name(), caller.name()),
        &body,
    )?;
    for _ in 0..TRIES {
        let (before, lines, outcome) =
            Stored::read(call, &brand, &caller, id, claim.as_ref()).await?;
        if let Some(reply) = call.replay(outcome)? {
            return Ok(reply);
        }
        if !from.contains(&before.status) {
            let status = before.status.name();
            let detail = format!("this cannot be done to a delivery that is {status}");
            return Err(Error::conflict("wrong_status", &detail).with("status", status));
        }
        let arrived = arrived(&before, &lines)?;
        let zone = count::time_zone(call, &brand, &before.location_id).await?;
        let doc = json!({
            "good": lines.iter().map(|line| line.good).sum::<i64>(),
            "damaged": lines.iter().map(|line| line.damaged).sum::<i64>(),
            "differences": lines.iter().filter(|line| line.difference().is_some_and(|units| units != 0)).count(),
        });
        let after = Stored {
            status: to,
            ..before.clone()
        };
        let answer = Answer::new(200, &after.shown(&zone, lines))?;
        let mut batch = command::begin(claim.as_ref(), &answer);
        batch.expect(
            1,
            "UPDATE delivery SET status = ?5, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = ?4",
            values![
                &brand.id,
                id,
                before.version,
                before.status.name(),
                to.name()
            ],
        );
        if !arrived.is_empty() {
            let document = Document {
                kind: "delivery",
                id,
            };
            stock::adjust(&mut batch, &brand.id, "receipt", document, &arrived);
        }
        caller.noted(
            &mut batch,
            &brand,
            &format!("delivery.{}", to.name()),
            &before,
            doc,
        );
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

/// The good units, as they are put on the shelf. More cannot have been taken back than came.
fn arrived(stored: &Stored, lines: &[Line]) -> Result<Vec<Allocation>, Error> {
    if let Some(line) = lines.iter().find(|line| line.good < 0 || line.damaged < 0) {
        let detail = "more units of a SKU were taken back than were scanned";
        return Err(Error::conflict("negative_total", detail).with("sku", line.sku.as_str()));
    }
    let good = lines.iter().filter(|line| line.good > 0);
    let allocation = |line: &Line| Allocation {
        sku: line.sku.clone(),
        location_id: stored.location_id.clone(),
        quantity: line.good,
    };
    Ok(good.map(allocation).collect())
}

/// Somebody at the store, or the retailer's other system.
enum Caller {
    Staff(Rc<Staff>),
    Key { name: String },
}

impl Caller {
    /// A token that is no staff session's may be an admin key.
    async fn of(call: &Call, brand: &Brand) -> Result<Self, Error> {
        match auth::staff(call, &brand.id, SCOPE).await {
            Ok(staff) => Ok(Self::Staff(staff)),
            Err(error) if error.status() == 401 && auth::bearer(call).is_some() => {
                let key = auth::admin(call, SCOPE).await?;
                key.for_brand(&brand.id)?;
                Ok(Self::Key { name: key.name })
            }
            Err(error) => Err(error),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Staff(staff) => &staff.staff_id,
            Self::Key { name } => name,
        }
    }

    /// Where staff are; keys are everywhere.
    fn location_id(&self) -> Option<&str> {
        match self {
            Self::Staff(staff) => Some(&staff.location_id),
            Self::Key { .. } => None,
        }
    }

    /// Where a delivery is to go.
    async fn destination(
        &self,
        call: &Call,
        brand: &Brand,
        asked: Option<&str>,
    ) -> Result<Location, Error> {
        let at = "$.location_id";
        let id = match (self, asked) {
            (Self::Staff(staff), Some(asked)) => {
                staff.at(asked).map_err(|error| error.at(at))?;
                asked
            }
            (Self::Staff(staff), None) => &staff.location_id,
            (Self::Key { .. }, Some(asked)) => asked,
            (Self::Key { .. }, None) => {
                let detail = "say where the delivery goes";
                return Err(Error::bad_request("missing_location", at, detail));
            }
        };
        let location = call.model().location(&brand.id, id).await?;
        let location = location.map(|location| location.value.clone());
        location.ok_or_else(|| {
            let detail = "the brand does not trade at such a location";
            Error::unprocessable("unknown_location", at, detail)
        })
    }

    fn noted(
        &self,
        batch: &mut Batch,
        brand: &Brand,
        action: &str,
        delivery: &Stored,
        doc: serde_json::Value,
    ) {
        let actor = match self {
            Self::Staff(staff) => staff.actor(),
            Self::Key { name } => Actor {
                brand_id: &brand.id,
                location_id: &delivery.location_id,
                device_id: "",
                staff_id: name,
            },
        };
        audit::noted(batch, actor, action, ("delivery", &delivery.id), doc);
    }
}

/// A row of `delivery`.
#[derive(Debug, Clone)]
struct Stored {
    id: String,
    location_id: String,
    reference: String,
    status: DeliveryStatus,
    delivery: delivery::Delivery,
    version: i64,
    created_at_ms: i64,
    updated_at_ms: i64,
}

const COLUMNS: &str = "delivery.id, delivery.location_id, delivery.reference, delivery.status, delivery.doc, \
    delivery.version, delivery.created_at_ms, delivery.updated_at_ms";

impl Stored {
    /// With what was announced beside what was scanned, and what the request's key was
    /// answered before: one call.
    async fn read(
        call: &Call,
        brand: &Brand,
        caller: &Caller,
        id: &str,
        claim: Option<&Claim>,
    ) -> Result<(Self, Vec<Line>, Outcome), Error> {
        count::must_be_id(id)?;
        let sql = format!(
            "SELECT {COLUMNS}, CAST(NULL AS TEXT) AS sku, CAST(NULL AS BIGINT) AS good, CAST(NULL AS BIGINT) AS damaged, {} \
             FROM delivery {} WHERE delivery.brand_id = ?1 AND delivery.id = ?2 \
             UNION ALL SELECT '', '', '', '', '', 0, 0, 0, sku, good, damaged, {} FROM ({}) scanned",
            idempotency::COLUMNS,
            idempotency::join("?3", "?4"),
            idempotency::NO_COLUMNS,
            scans::totals(TaskKind::Delivery, "?1", "?2"),
        );
        let mut params = values![&brand.id, id];
        params.extend(idempotency::params(claim));
        let rows = call.db().query(sql, params).await?;
        let is_total = |row: &&Row| row.text_opt("sku").is_ok_and(|sku| sku.is_some());
        let head = rows.iter().find(|row| !is_total(row));
        let head = head.ok_or_else(count::missing)?;
        let stored = Self::of(head)?;
        if let Caller::Staff(staff) = caller {
            staff.at(&stored.location_id)?;
        }
        let mut arrived = Vec::new();
        for row in rows.iter().filter(is_total) {
            let total = Total::of(row)?;
            arrived.push((total.sku, total.good, total.damaged));
        }
        let lines = stored.delivery.lines(arrived);
        Ok((stored, lines, idempotency::outcome(claim, head)?))
    }

    fn of(row: &Row) -> Result<Self, Error> {
        let status = row.text("status")?;
        let unknown = || Error::internal(format!("a delivery is {status}"));
        Ok(Self {
            id: row.text("id")?,
            location_id: row.text("location_id")?,
            reference: row.text("reference")?,
            status: DeliveryStatus::parse(&status).ok_or_else(unknown)?,
            delivery: row.json("doc")?,
            version: row.int("version")?,
            created_at_ms: row.int("created_at_ms")?,
            updated_at_ms: row.int("updated_at_ms")?,
        })
    }

    fn doc(&self) -> Result<String, Error> {
        serde_json::to_string(&self.delivery).map_err(|error| Error::internal(error.to_string()))
    }

    fn summary(&self, time_zone: &str) -> DeliverySummary {
        DeliverySummary {
            id: self.id.clone(),
            location_id: self.location_id.clone(),
            reference: self.reference.clone(),
            status: self.status,
            created_at: rfc3339_in(self.created_at_ms, time_zone),
            updated_at: rfc3339_in(self.updated_at_ms, time_zone),
        }
    }

    fn shown(&self, time_zone: &str, lines: Vec<Line>) -> Delivery {
        Delivery {
            summary: self.summary(time_zone),
            lines: lines.into_iter().map(ReceivedLine::from).collect(),
        }
    }
}

fn zone_of<'a>(locations: &'a [Location], id: &str) -> &'a str {
    let location = locations.iter().find(|location| location.id == id);
    location.map_or("UTC", |location| &location.time_zone)
}
