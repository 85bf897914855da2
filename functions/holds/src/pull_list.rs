//! `GET /holds/pull-list`: what staff of a store take off the shelves, for holds and for
//! orders that are collected, the most urgent first.

use aisle_domain::cart::Buyer;
use aisle_domain::hold::Hold;
use aisle_domain::instant::rfc3339_in;
use aisle_domain::order::Order;
use aisle_http::{Call, Error, Reply, auth, page};
use aisle_store::{Dialect, Row, StoreError, values};
use aisle_ucp::hold::{KeptItem, PullList, PullTask};
use aisle_ucp::page::{Pagination, search_id};

use crate::facts::place;
use crate::pull::SCOPE;

/// Where a page ended: the task's due time and its id.
type Position = (i64, String);

/// `?cursor=&limit=`: 10 tasks unless given, 50 at most.
pub async fn get(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, SCOPE).await?;
    let asked = page::request(call)?;
    let search = search_id(&("pull-list", &brand.id, &staff.location_id));
    let size = asked.size().map_err(page::refused)?;
    let after: Option<Position> = asked.after(search).map_err(page::refused)?;
    let (due_at_ms, id) = after.unwrap_or_default();
    let params = values![
        &brand.id,
        &staff.location_id,
        due_at_ms,
        id,
        size as i64 + 1
    ];
    let mut rows = call.db().query(sql(call.db().dialect()), params).await?;
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(position).transpose()?;
    let here = [staff.location_id.as_str()];
    let locations = call.model().locations(&brand.id, here).await?;
    let time_zone = &place(&locations, &staff.location_id)?.time_zone;
    let tasks = rows.iter().map(|row| task(row, time_zone));
    Reply::json(
        200,
        &PullList {
            tasks: tasks.collect::<Result<_, _>>()?,
            pagination: Pagination::new(search, next, None),
        },
    )
}

/// Both kinds of task of location `?2` after position (`?3`, `?4`).
fn sql(dialect: Dialect) -> String {
    let due = dialect.pick("h.doc ->> 'ready_at_ms'", "h.doc::jsonb ->> 'ready_at_ms'");
    format!(
        "SELECT * FROM (\
         SELECT 'hold' AS kind, h.id, h.number, h.doc, CAST({due} AS BIGINT) AS due_at_ms, h.expires_at_ms AS keep_until_ms \
         FROM hold h WHERE h.brand_id = ?1 AND h.location_id = ?2 AND h.status = 'requested' AND h.expires_at_ms > {{now}} \
         UNION ALL \
         SELECT 'order', o.id, o.number, o.doc, p.ready_at_ms, p.pickup_by_ms \
         FROM pickup p JOIN customer_order o ON o.id = p.order_id \
         WHERE p.brand_id = ?1 AND p.location_id = ?2 AND p.status = 'preparing' AND o.status = 'confirmed') task \
         WHERE due_at_ms > ?3 OR (due_at_ms = ?3 AND id > ?4) ORDER BY due_at_ms, id LIMIT ?5"
    )
}

fn position(row: &Row) -> Result<Position, StoreError> {
    Ok((row.int("due_at_ms")?, row.text("id")?))
}

fn task(row: &Row, time_zone: &str) -> Result<PullTask, StoreError> {
    let kind = row.text("kind")?;
    let (name, items) = match kind.as_str() {
        "hold" => {
            let hold: Hold = row.json("doc")?;
            let items: Vec<KeptItem> = hold.lines.iter().map(Into::into).collect();
            (hold.contact.name, items)
        }
        _ => {
            let order: Order = row.json("doc")?;
            (name(&order.buyer), collected(&order))
        }
    };
    let there = |column| Ok::<_, StoreError>(rfc3339_in(row.int(column)?, time_zone));
    Ok(PullTask {
        kind,
        id: row.text("id")?,
        number: row.text("number")?,
        name,
        units: items.iter().map(|item| item.quantity).sum(),
        items,
        due_at: there("due_at_ms")?,
        keep_until: there("keep_until_ms")?,
    })
}

/// What is collected of the order and has not been handed over yet.
fn collected(order: &Order) -> Vec<KeptItem> {
    let promised = |id: &String| {
        order
            .pickup()
            .is_some_and(|expected| expected.line_ids.contains(id))
    };
    let open = order.lines.iter().filter(|one| promised(&one.line.id));
    open.map(|one| KeptItem {
        sku: one.line.sku.clone(),
        title: one.line.title.clone(),
        quantity: one.open(),
    })
    .filter(|item| item.quantity > 0)
    .collect()
}

fn name(buyer: &Buyer) -> String {
    let names = [&buyer.first_name, &buyer.last_name];
    let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
    names.join(" ")
}
