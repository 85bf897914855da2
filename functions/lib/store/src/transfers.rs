//! Transfers in the database. Stock is not touched here: whoever writes a
//! transfer reserves, releases or issues its units in the same batch.

use aisle_domain::plan::Allocation;
use aisle_domain::transfer::counts::Line;
use aisle_domain::transfer::{PlannedTransfer, Status, TransferDoc, care};
use serde::{Deserialize, Serialize};

use crate::{
    Batch, Dialect,
    outbox::{self, Event},
    values,
};

/// A transfer that does not exist yet.
pub struct NewTransfer<'a> {
    pub id: &'a str,
    /// What people call it, such as `T-7Q4ZK-M0TCX`.
    pub number: &'a str,
    pub status: Status,
    pub planned: &'a PlannedTransfer,
    /// `cart`, `checkout` or `order` and its id; both empty: the location itself.
    pub for_type: &'a str,
    pub for_id: &'a str,
    /// From now, by the database's clock; `None`: it waits.
    pub expires_in_ms: Option<i64>,
    pub doc: &'a TransferDoc,
}

/// A transfer as it stands, with its lines.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Transfer {
    pub id: String,
    pub number: String,
    /// As it was written; see [`status_now`](Self::status_now).
    pub status: Status,
    pub from_location_id: String,
    pub to_location_id: String,
    pub for_type: String,
    pub for_id: String,
    pub ready_at_ms: i64,
    pub expires_at_ms: Option<i64>,
    /// 1: its time was up when it was read.
    pub lapsed: i64,
    pub doc: TransferDoc,
    pub version: i64,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
    pub lines: Vec<Line>,
}

impl Transfer {
    /// What it is to everybody: one whose time is up has expired, whether or not that was
    /// already tidied up.
    pub fn status_now(&self) -> Status {
        if self.lapsed != 0 {
            return Status::Expired;
        }
        self.status
    }

    /// It is for this order.
    pub fn is_for_order(&self) -> bool {
        self.for_type == "order"
    }
}

/// Adds the transfer, its lines and the event `transfer.changed`.
pub fn insert(batch: &mut Batch, brand_id: &str, new: &NewTransfer<'_>) {
    batch.add(
        "INSERT INTO transfer (id, brand_id, number, status, from_location_id, to_location_id, for_type, for_id, \
         ready_at_ms, expires_at_ms, doc, version, created_at_ms, updated_at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, {now} + ?10, ?11, 1, {now}, {now})",
        values![
            new.id,
            brand_id,
            new.number,
            new.status.name(),
            &new.planned.from_location_id,
            &new.planned.to_location_id,
            new.for_type,
            new.for_id,
            new.planned.eta.ready_at_ms,
            new.expires_in_ms,
            json(new.doc)
        ],
    );
    batch.expect(
        new.planned.units.len() as u64,
        (
            "INSERT INTO transfer_line (brand_id, transfer_id, sku, requested) \
             SELECT ?1, ?2, value ->> 'sku', value ->> 'quantity' FROM json_each(?3)",
            "INSERT INTO transfer_line (brand_id, transfer_id, sku, requested) \
             SELECT ?1, ?2, sku, quantity FROM jsonb_to_recordset(?3::jsonb) AS input (sku TEXT, quantity BIGINT)",
        ),
        values![brand_id, new.id, json(&new.planned.units)],
    );
    let look = care::first_look_ms(new.status, &new.planned.eta);
    look_again(batch, brand_id, new.id, look);
    changed(
        batch,
        brand_id,
        new.id,
        new.status,
        new.for_type,
        new.for_id,
    );
}

/// Writes what became of a transfer that was read as `before`, and the event
/// `transfer.changed`. Unmet when it has changed since, or when its time is up; one that
/// expires must really have come to its time.
pub fn update(batch: &mut Batch, brand_id: &str, before: &Transfer, after: &Transfer) {
    let due = match after.status {
        Status::Expired => "expires_at_ms <= {now}",
        _ => "(expires_at_ms IS NULL OR expires_at_ms > {now})",
    };
    batch.expect(
        1,
        format!(
            "UPDATE transfer SET status = ?5, doc = ?6, ready_at_ms = ?7, version = version + 1, updated_at_ms = {{now}}, \
             expires_at_ms = CASE WHEN ?8 = 1 THEN expires_at_ms END \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = ?4 AND {due}"
        ),
        values![
            brand_id,
            &before.id,
            before.version,
            before.status.name(),
            after.status.name(),
            json(&after.doc),
            after.ready_at_ms,
            i64::from(after.expires_at_ms.is_some())
        ],
    );
    let changed_lines = after
        .lines
        .iter()
        .filter(|line| !before.lines.contains(line));
    for line in changed_lines {
        batch.expect(
            1,
            "UPDATE transfer_line SET shipped = ?4, received = ?5, damaged = ?6, missing = ?7, surplus = ?8, in_transit = ?9 \
             WHERE brand_id = ?1 AND transfer_id = ?2 AND sku = ?3",
            values![
                brand_id,
                &before.id,
                &line.sku,
                line.shipped,
                line.received,
                line.damaged,
                line.missing,
                line.surplus,
                line.in_transit
            ],
        );
    }
    let look = care::first_look_ms(after.status, &after.doc.eta);
    look_again(batch, brand_id, &before.id, look);
    changed(
        batch,
        brand_id,
        &before.id,
        after.status,
        &before.for_type,
        &before.for_id,
    );
}

/// Calls a transfer off whose goods have not left, because what it is for is off. Answers what
/// is set aside for it at the source, which is to go back onto the shelf: see
/// [`stock::release_each`](crate::stock::release_each). Unmet as for [`update`].
pub fn call_off(
    batch: &mut Batch,
    brand_id: &str,
    before: &Transfer,
    reason: &str,
) -> Vec<Allocation> {
    let mut after = before.clone();
    after.status = Status::Cancelled;
    after.expires_at_ms = None;
    after.doc.cancelled_reason = Some(reason.to_owned());
    update(batch, brand_id, before, &after);
    before
        .lines
        .iter()
        .map(|line| Allocation {
            sku: line.sku.clone(),
            location_id: before.from_location_id.clone(),
            quantity: line.requested,
        })
        .collect()
}

/// The transfer is to be looked at again at that instant; `None`: never.
pub fn look_again(batch: &mut Batch, brand_id: &str, id: &str, at_ms: Option<i64>) {
    match at_ms {
        Some(at_ms) => batch.add(
            "INSERT INTO transfer_watch (transfer_id, brand_id, look_at_ms) VALUES (?1, ?2, ?3) \
             ON CONFLICT (transfer_id) DO UPDATE SET look_at_ms = excluded.look_at_ms",
            values![id, brand_id, at_ms],
        ),
        None => batch.add(
            "DELETE FROM transfer_watch WHERE brand_id = ?1 AND transfer_id = ?2",
            values![brand_id, id],
        ),
    };
}

/// An expression that makes a row of table `transfer t` into the JSON text of a [`Transfer`].
pub fn document(dialect: Dialect) -> String {
    let lines = dialect.pick(
        "json((SELECT json_group_array({object}('sku', l.sku, 'requested', l.requested, 'shipped', l.shipped, \
         'received', l.received, 'damaged', l.damaged, 'missing', l.missing, 'surplus', l.surplus, 'in_transit', l.in_transit)) \
         FROM transfer_line l WHERE l.brand_id = t.brand_id AND l.transfer_id = t.id))",
        "coalesce((SELECT json_agg({object}('sku', l.sku, 'requested', l.requested, 'shipped', l.shipped, \
         'received', l.received, 'damaged', l.damaged, 'missing', l.missing, 'surplus', l.surplus, 'in_transit', l.in_transit)) \
         FROM transfer_line l WHERE l.brand_id = t.brand_id AND l.transfer_id = t.id), '[]'::json)",
    );
    let (object, doc, text) = dialect.pick(
        ("json_object", "json(t.doc)", ""),
        ("json_build_object", "t.doc::json", "::text"),
    );
    format!(
        "{{object}}('id', t.id, 'number', t.number, 'status', t.status, 'from_location_id', t.from_location_id, \
         'to_location_id', t.to_location_id, 'for_type', t.for_type, 'for_id', t.for_id, 'ready_at_ms', t.ready_at_ms, \
         'expires_at_ms', t.expires_at_ms, 'lapsed', CASE WHEN t.expires_at_ms <= {{now}} THEN 1 ELSE 0 END, \
         'doc', {doc}, 'version', t.version, 'created_at_ms', t.created_at_ms, 'updated_at_ms', t.updated_at_ms, \
         'lines', {lines}){text}"
    )
    .replace("{object}", object)
}

/// Tells that the transfer has come to `status`.
pub fn changed(
    batch: &mut Batch,
    brand_id: &str,
    id: &str,
    status: Status,
    for_type: &str,
    for_id: &str,
) {
    #[derive(Serialize)]
    struct Changed<'a> {
        status: Status,
        for_type: &'a str,
        for_id: &'a str,
    }
    let doc = json(&Changed {
        status,
        for_type,
        for_id,
    });
    let event = Event {
        doc,
        ..Event::new(brand_id, "transfer.changed", id)
    };
    outbox::event(batch, &event);
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
