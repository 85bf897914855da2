//! Reading an order: the document as it was placed, how far its collection has come, and
//! what happened since, in one SQL call.

use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_domain::order::Order;
use aisle_domain::pass::PickupStatus;
use aisle_http::shopper::Viewer;
use aisle_http::{Call, Error, Reply};
use aisle_store::{Row, StoreError, values};
use aisle_ucp::envelope::Severity;
use aisle_ucp::order::{self as wire, MAX_ENTRIES, Recorded, Refund, Timeline};

use crate::access::OWNER;

struct Facts {
    order: Order,
    /// The account that it belongs to.
    owner: Option<String>,
    pickup: Option<Pickup>,
    recorded: Vec<Recorded>,
    refunds: Vec<Refund>,
}

struct Pickup {
    status: PickupStatus,
    location_id: String,
    ready_at_ms: i64,
    pickup_by_ms: i64,
}

/// `GET /orders/{id}`
pub async fn order(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let facts = read(call, &brand, id).await?;
    let order = &facts.order;
    let mut shown = wire::Order::new(order, &call.brand_origin(&brand))
        .with_events(order, &facts.recorded)
        .with_refunds(order, &facts.refunds);
    if let Some(pickup) = facts.pickup {
        let promise = (pickup.ready_at_ms, pickup.pickup_by_ms);
        shown = shown.with_pickup(order, pickup.status, &pickup.location_id, promise);
    }
    Reply::json(200, &shown)
}

/// `GET /orders/{id}/timeline`
pub async fn timeline(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let facts = read(call, &brand, id).await?;
    Reply::json(200, &Timeline::new(&facts.order, &facts.recorded))
}

pub fn not_found() -> Error {
    Error::not_found("not_found", "Order not found.").severity(Severity::Unrecoverable)
}

/// Only what was confirmed is an order to the outside: before that it is an attempt.
async fn read(call: &Call, brand: &Brand, id: &str) -> Result<Facts, Error> {
    if !is_id(id) {
        return Err(not_found());
    }
    let viewer = Viewer::of(call, &brand.id).await?;
    let sql = format!(
        "SELECT 'order' AS kind, {OWNER} AS id, doc, '' AS status, 0 AS from_ms, 0 AS until_ms FROM customer_order \
         WHERE brand_id = ?1 AND id = ?2 AND status IN ('confirmed', 'cancelled') \
         UNION ALL \
         SELECT 'pickup', location_id, '', status, ready_at_ms, pickup_by_ms FROM pickup \
         WHERE brand_id = ?1 AND order_id = ?2 \
         UNION ALL \
         SELECT 'refund', decision || ':' || payment_id, decision, status, requested_at_ms, amount_minor FROM refund \
         WHERE brand_id = ?1 AND order_id = ?2 \
         UNION ALL \
         SELECT 'event', id, doc, '', occurred_at_ms, 0 FROM (SELECT id, doc, occurred_at_ms FROM order_event \
           WHERE brand_id = ?1 AND order_id = ?2 ORDER BY occurred_at_ms DESC, id DESC LIMIT {MAX_ENTRIES}) latest"
    );
    let rows = call.db().query(sql, values![&brand.id, id]).await?;
    let facts = collect(&rows)?.ok_or_else(not_found)?;
    viewer.may_touch(("order", id), facts.owner.as_deref(), not_found)?;
    Ok(facts)
}

fn collect(rows: &[Row]) -> Result<Option<Facts>, StoreError> {
    let (mut order, mut owner, mut pickup) = (None, None, None);
    let (mut recorded, mut refunds) = (Vec::new(), Vec::new());
    for row in rows {
        match row.text("kind")?.as_str() {
            "order" => {
                order = Some(row.json("doc")?);
                owner = row.text_opt("id")?;
            }
            "pickup" => pickup = Some(Pickup::of(row)?),
            "refund" => refunds.push(refund(row)?),
            _ => recorded.push(Recorded {
                id: row.text("id")?,
                occurred_at_ms: row.int("from_ms")?,
                entry: row.json("doc")?,
            }),
        }
    }
    refunds.sort_by(|a, b| (a.requested_at_ms, &a.id).cmp(&(b.requested_at_ms, &b.id)));
    recorded.sort_by(|a, b| (a.occurred_at_ms, &a.id).cmp(&(b.occurred_at_ms, &b.id)));
    Ok(order.map(|order| Facts {
        order,
        owner,
        pickup,
        recorded,
        refunds,
    }))
}

fn refund(row: &Row) -> Result<Refund, StoreError> {
    Ok(Refund {
        id: row.text("id")?,
        status: row.text("status")?,
        amount_minor: row.int("until_ms")?,
        requested_at_ms: row.int("from_ms")?,
        decision: row.text("doc")?,
    })
}

impl Pickup {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            status: status(&row.text("status")?)?,
            location_id: row.text("id")?,
            ready_at_ms: row.int("from_ms")?,
            pickup_by_ms: row.int("until_ms")?,
        })
    }
}

pub fn status(name: &str) -> Result<PickupStatus, StoreError> {
    PickupStatus::parse(name).ok_or_else(|| StoreError::Bug(format!("pickup status {name}")))
}
