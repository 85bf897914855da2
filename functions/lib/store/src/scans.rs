//! Scans of devices: each once for its device and sequence number, however often and in
//! whatever order they are sent; and what they add up to.

use std::collections::{HashMap, HashSet};

use aisle_domain::count::{Count, Tally};
use serde::{Deserialize, Serialize};

use crate::{
    Batch, Db, Dialect, Row, StoreError,
    audit::Actor,
    idempotency::{self, Claim, Outcome},
    values,
};

/// What is scanned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    Count,
    Delivery,
    Transfer,
}

impl TaskKind {
    /// In `device_scan.task_type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Delivery => "delivery",
            Self::Transfer => "transfer",
        }
    }

    /// In which its scans are taken.
    pub fn open_statuses(self) -> &'static [&'static str] {
        match self {
            Self::Count => &["open", "review"],
            Self::Delivery => &["expected", "receiving"],
            Self::Transfer => &["in_transit", "received"],
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Count => "count_session",
            Self::Delivery => "delivery",
            Self::Transfer => "transfer",
        }
    }

    fn location_column(self) -> &'static str {
        match self {
            Self::Count | Self::Delivery => "location_id",
            Self::Transfer => "to_location_id",
        }
    }
}

/// The document that scans are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub status: String,
    /// Where it is scanned.
    pub location_id: String,
    pub doc: String,
    pub opened_at_ms: i64,
    pub now_ms: i64,
}

/// A scan that is good to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scan {
    pub sequence: i64,
    /// Empty where there are no zones.
    pub zone: String,
    pub round: i64,
    pub sku: String,
    pub quantity: i64,
    /// `good` or `damaged`.
    pub condition: String,
    /// By the database's clock.
    pub scanned_at_ms: i64,
}

/// A scan that was kept before: what makes it the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub task_id: String,
    pub sku: String,
    pub zone: String,
    pub quantity: i64,
    pub condition: String,
}

/// The brand's SKUs among those that were named.
#[derive(Debug, Default)]
pub struct Items {
    skus: HashSet<String>,
    /// SKUs by 14-digit GTIN.
    gtins: HashMap<String, String>,
}

/// What a request that names articles is decided on.
#[derive(Debug)]
pub struct Asked {
    pub items: Items,
    /// The database's time.
    pub now_ms: i64,
    /// Of the request's idempotency key.
    pub outcome: Outcome,
}

impl Items {
    pub fn has(&self, sku: &str) -> bool {
        self.skus.contains(sku)
    }

    pub fn by_gtin(&self, gtin: &str) -> Option<&str> {
        self.gtins.get(gtin).map(String::as_str)
    }

    fn insert(&mut self, kind: &str, name: String, sku: String) {
        match kind {
            "sku" => drop(self.skus.insert(sku)),
            _ => drop(self.gtins.insert(name, sku)),
        }
    }
}

fn items_sql(dialect: Dialect, skus: &str, gtins: &str) -> String {
    format!(
        "SELECT 'sku' AS kind, sku AS name, sku FROM variant WHERE brand_id = ?1 AND sku {} \
         UNION ALL SELECT 'gtin', gtin, sku FROM variant WHERE brand_id = ?1 AND gtin {}",
        dialect.among(skus),
        dialect.among(gtins),
    )
}

/// Which of these the brand has, the database's time, and what the key's first request was
/// answered: one call.
pub async fn items(
    db: &Db,
    brand_id: &str,
    (skus, gtins): (&[&str], &[&str]),
    claim: Option<&Claim>,
) -> Result<Asked, StoreError> {
    let sql = format!(
        "SELECT 'now' AS kind, '' AS name, '' AS sku, {{now}} AS now_ms, {} FROM (SELECT 1 AS one) probe {} \
         UNION ALL SELECT kind, name, sku, 0, {} FROM ({}) items",
        idempotency::COLUMNS,
        idempotency::join("?4", "?5"),
        idempotency::NO_COLUMNS,
        items_sql(db.dialect(), "?2", "?3"),
    );
    let mut params = values![brand_id, json(&skus), json(&gtins)];
    params.extend(idempotency::params(claim));
    let mut asked = Asked {
        items: Items::default(),
        now_ms: 0,
        outcome: Outcome::Fresh,
    };
    for row in db.query(sql, params).await? {
        match row.text("kind")?.as_str() {
            "now" => {
                asked.now_ms = row.int("now_ms")?;
                asked.outcome = idempotency::outcome(claim, &row)?;
            }
            kind => asked
                .items
                .insert(kind, row.text("name")?, row.text("sku")?),
        }
    }
    Ok(asked)
}

/// What a batch of scans has to be judged by.
#[derive(Debug)]
pub struct Facts {
    /// Of the request's idempotency key.
    pub outcome: Outcome,
    pub task: Option<Task>,
    pub items: Items,
    /// SKUs of a transfer.
    pub lines: HashSet<String>,
    /// By sequence number of the device.
    pub kept: HashMap<i64, Kept>,
}

/// What a batch of scans names.
#[derive(Debug, Default)]
pub struct Named<'a> {
    pub device_id: &'a str,
    pub sequences: Vec<i64>,
    pub skus: Vec<&'a str>,
    pub gtins: Vec<&'a str>,
}

/// Reads the task, whatever the scans name, and what the key's first request was answered:
/// one call.
pub async fn facts(
    db: &Db,
    brand_id: &str,
    (kind, task_id): (TaskKind, &str),
    named: &Named<'_>,
    claim: Option<&Claim>,
) -> Result<Facts, StoreError> {
    let dialect = db.dialect();
    let none = idempotency::NO_COLUMNS;
    let sql = format!(
        "SELECT 'key' AS kind, '' AS name, '' AS place, '' AS zone, 0 AS quantity, '' AS condition, '' AS doc, \
                0 AS opened_at_ms, {{now}} AS now_ms, {} FROM (SELECT 1 AS one) probe {} \
         UNION ALL SELECT 'task', status, {}, '', 0, '', doc, created_at_ms, {{now}}, {none} FROM {} \
         WHERE brand_id = ?1 AND id = ?2 \
         UNION ALL SELECT kind, name, sku, '', 0, '', '', 0, 0, {none} FROM ({}) items \
         UNION ALL SELECT 'line', sku, '', '', 0, '', '', 0, 0, {none} FROM transfer_line \
         WHERE brand_id = ?1 AND transfer_id = ?2 \
         UNION ALL SELECT 'kept', task_id, sku, zone, quantity, condition, '', sequence, 0, {none} FROM device_scan \
         WHERE device_id = ?3 AND sequence {}",
        idempotency::COLUMNS,
        idempotency::join("?7", "?8"),
        kind.location_column(),
        kind.table(),
        items_sql(dialect, "?4", "?5"),
        dialect.pick(
            "IN (SELECT value FROM json_each(?6))",
            "= ANY (ARRAY(SELECT CAST(jsonb_array_elements_text(?6::jsonb) AS BIGINT)))",
        ),
    );
    let mut params = values![
        brand_id,
        task_id,
        named.device_id,
        json(&named.skus),
        json(&named.gtins),
        json(&named.sequences),
    ];
    params.extend(idempotency::params(claim));
    let mut facts = Facts {
        outcome: Outcome::Fresh,
        task: None,
        items: Items::default(),
        lines: HashSet::new(),
        kept: HashMap::new(),
    };
    for row in db.query(sql, params).await? {
        let (name, place) = (row.text("name")?, row.text("place")?);
        match row.text("kind")?.as_str() {
            "key" => facts.outcome = idempotency::outcome(claim, &row)?,
            "task" => {
                facts.task = Some(Task {
                    status: name,
                    location_id: place,
                    doc: row.text("doc")?,
                    opened_at_ms: row.int("opened_at_ms")?,
                    now_ms: row.int("now_ms")?,
                });
            }
            "line" => drop(facts.lines.insert(name)),
            kind @ ("sku" | "gtin") => facts.items.insert(kind, name, place),
            _ => drop(facts.kept.insert(
                row.int("opened_at_ms")?,
                Kept {
                    task_id: name,
                    sku: place,
                    zone: row.text("zone")?,
                    quantity: row.int("quantity")?,
                    condition: row.text("condition")?,
                },
            )),
        }
    }
    Ok(facts)
}

/// Adds the statement that keeps scans, none of which is known yet: not met when one came
/// in at the same moment.
pub fn keep(
    batch: &mut Batch,
    (kind, task_id): (TaskKind, &str),
    actor: Actor<'_>,
    scans: &[Scan],
) {
    batch.expect(
        scans.len() as u64,
        (
            "INSERT INTO device_scan (brand_id, device_id, sequence, task_type, task_id, zone, round, sku, quantity, \
             condition, staff_id, scanned_at_ms, received_at_ms) \
             SELECT ?1, ?2, value ->> 'sequence', ?3, ?4, value ->> 'zone', value ->> 'round', value ->> 'sku', \
             value ->> 'quantity', value ->> 'condition', ?5, value ->> 'scanned_at_ms', {now} \
             FROM json_each(?6) WHERE true ON CONFLICT DO NOTHING",
            "INSERT INTO device_scan (brand_id, device_id, sequence, task_type, task_id, zone, round, sku, quantity, \
             condition, staff_id, scanned_at_ms, received_at_ms) \
             SELECT ?1, ?2, sequence, ?3, ?4, zone, round, sku, quantity, condition, ?5, scanned_at_ms, {now} \
             FROM jsonb_to_recordset(?6::jsonb) AS input (sequence BIGINT, zone TEXT, round BIGINT, sku TEXT, \
             quantity BIGINT, condition TEXT, scanned_at_ms BIGINT) ORDER BY sequence ON CONFLICT DO NOTHING",
        ),
        values![
            actor.brand_id,
            actor.device_id,
            kind.name(),
            task_id,
            actor.staff_id,
            json(&scans)
        ],
    );
}

/// Adds the statement that tells the task of its new scans: a count that is being looked at
/// is open again, a delivery is being received. Its version grows, so that nobody settles it
/// without them. Not met when the task is over.
pub fn touch(batch: &mut Batch, brand_id: &str, (kind, task_id): (TaskKind, &str)) {
    let change = match kind {
        TaskKind::Count => "status = 'open', ",
        TaskKind::Delivery => "status = 'receiving', ",
        TaskKind::Transfer => "",
    };
    let sql = format!(
        "UPDATE {} SET {change}version = version + 1, updated_at_ms = {{now}} WHERE brand_id = ?1 AND id = ?2 AND status IN ('{}')",
        kind.table(),
        kind.open_statuses().join("', '"),
    );
    batch.expect(1, sql, values![brand_id, task_id]);
}

/// Units of a SKU that came in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Total {
    pub sku: String,
    pub good: i64,
    pub damaged: i64,
}

/// What was scanned for a task in all, by SKU: a SELECT of `sku`, `good` and `damaged`, to be
/// part of a read; `brand` and `task` are placeholders such as `?1`.
pub fn totals(kind: TaskKind, brand: &str, task: &str) -> String {
    format!(
        "SELECT sku, CAST(sum(CASE WHEN condition = 'good' THEN quantity ELSE 0 END) AS BIGINT) AS good, \
         CAST(sum(CASE WHEN condition = 'good' THEN 0 ELSE quantity END) AS BIGINT) AS damaged \
         FROM device_scan WHERE brand_id = {brand} AND task_type = '{}' AND task_id = {task} GROUP BY sku",
        kind.name()
    )
}

impl Total {
    /// Of a row with the columns of [`totals`].
    pub fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            sku: row.text("sku")?,
            good: row.int("good")?,
            damaged: row.int("damaged")?,
        })
    }
}

/// A count, as far as reading what it found needs it.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    pub id: &'a str,
    pub location_id: &'a str,
    pub count: &'a Count,
    pub opened_at_ms: i64,
    /// When a SKU counts as missing of which nothing was scanned.
    pub until_ms: i64,
    /// After this the ledger is of no interest: when the count was settled.
    pub settled_at_ms: Option<i64>,
}

/// A SKU of a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub tally: Tally,
    /// 14 digits.
    pub gtin: Option<String>,
    pub title: String,
    /// What this count has done to the balance.
    pub applied: i64,
}

/// A part of a count's SKUs, which are in order.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    pub after_sku: &'a str,
    pub limit: i64,
}

impl Part<'_> {
    pub const ALL: Self = Self {
        after_sku: "",
        limit: i64::MAX,
    };
}

/// What a count found and what the ledger says to it: one call, so that both are of the
/// same instant.
pub async fn found(
    db: &Db,
    brand_id: &str,
    counted: Counted<'_>,
    part: Part<'_>,
) -> Result<Vec<Found>, StoreError> {
    let listed = match &counted.count.skus {
        Some(_) => format!("SELECT sku FROM {} listed", db.dialect().pick(
            "(SELECT value AS sku FROM json_each(?5))",
            "(SELECT jsonb_array_elements_text(?5::jsonb) AS sku)",
        )),
        None => "SELECT sku FROM stock WHERE ?5 <> '' AND brand_id = ?1 AND location_id = ?3 AND on_hand > 0".into(),
    };
    let asked = db.dialect().pick(
        "SELECT value ->> 'sku' AS sku, value ->> 'round' AS round, value ->> 'from_ms' AS from_ms FROM json_each(?4)",
        "SELECT sku, round, from_ms FROM jsonb_to_recordset(?4::jsonb) AS input (sku TEXT, round BIGINT, from_ms BIGINT)",
    );
    let sql = format!(
        "WITH asked AS ({asked}), \
         scanned AS (\
            SELECT s.sku, CAST(sum(s.quantity) AS BIGINT) AS units, count(*) AS scans, \
                   min(s.scanned_at_ms) AS first_ms, max(s.scanned_at_ms) AS last_ms \
            FROM device_scan s LEFT JOIN asked a ON a.sku = s.sku \
            WHERE s.brand_id = ?1 AND s.task_type = 'count' AND s.task_id = ?2 AND s.round = coalesce(a.round, 1) \
            GROUP BY s.sku), \
         wanted AS (SELECT sku FROM scanned UNION SELECT sku FROM asked UNION {listed}), \
         spans AS (\
            SELECT w.sku, coalesce(n.units, 0) AS units, coalesce(n.scans, 0) AS scans, \
                   CASE WHEN a.sku IS NULL THEN 0 ELSE 1 END AS recounted, \
                   coalesce(n.first_ms, a.from_ms, ?6) AS first_ms, coalesce(n.last_ms, ?7) AS last_ms \
            FROM wanted w LEFT JOIN scanned n ON n.sku = w.sku LEFT JOIN asked a ON a.sku = w.sku \
            WHERE w.sku > ?9 ORDER BY w.sku LIMIT ?10) \
         SELECT p.sku, p.units, p.scans, p.recounted, coalesce(s.on_hand, 0) AS on_hand, coalesce(s.reserved, 0) AS reserved, \
            v.gtin, coalesce(d.title, '') AS title, \
            (SELECT CAST(coalesce(sum(m.on_hand_delta), 0) AS BIGINT) FROM stock_movement m \
             WHERE m.brand_id = ?1 AND m.sku = p.sku AND m.location_id = ?3 AND m.at_ms > ?6 \
               AND (m.at_ms > ?8 OR (m.document_type = 'count' AND m.document_id = ?2) \
                    OR (m.at_ms > p.last_ms AND m.reason <> 'count'))) AS moved_after, \
            (SELECT count(*) FROM stock_movement m \
             WHERE m.brand_id = ?1 AND m.sku = p.sku AND m.location_id = ?3 AND m.at_ms > p.first_ms AND m.at_ms <= p.last_ms \
               AND m.on_hand_delta <> 0 AND m.reason <> 'count') AS moved_within, \
            (SELECT CAST(coalesce(sum(m.on_hand_delta), 0) AS BIGINT) FROM stock_movement m \
             WHERE m.brand_id = ?1 AND m.sku = p.sku AND m.location_id = ?3 AND m.at_ms > ?6 \
               AND m.document_type = 'count' AND m.document_id = ?2) AS applied \
         FROM spans p \
         LEFT JOIN stock s ON s.brand_id = ?1 AND s.sku = p.sku AND s.location_id = ?3 \
         LEFT JOIN variant v ON v.brand_id = ?1 AND v.sku = p.sku LEFT JOIN product d ON d.id = v.product_id \
         ORDER BY p.sku"
    );
    let Counted {
        id,
        location_id,
        count,
        opened_at_ms,
        until_ms,
        settled_at_ms,
    } = counted;
    let params = values![
        brand_id,
        id,
        location_id,
        recounted(count),
        json(&count.skus),
        opened_at_ms,
        until_ms,
        settled_at_ms.unwrap_or(i64::MAX),
        part.after_sku,
        part.limit,
    ];
    db.query(sql, params).await?.iter().map(found_in).collect()
}

fn found_in(row: &Row) -> Result<Found, StoreError> {
    Ok(Found {
        tally: Tally {
            sku: row.text("sku")?,
            scanned: row.int("units")?,
            scans: row.int("scans")?,
            on_hand: row.int("on_hand")?,
            reserved: row.int("reserved")?,
            moved_after: row.int("moved_after")?,
            moved_within: row.int("moved_within")?,
            recounted: row.int("recounted")? == 1,
        },
        gtin: row.text_opt("gtin")?,
        title: row.text("title")?,
        applied: row.int("applied")?,
    })
}

fn recounted(count: &Count) -> String {
    let asked = count.recounted.iter().map(|(sku, recount)| {
        serde_json::json!({"sku": sku, "round": recount.round, "from_ms": recount.from_ms})
    });
    json(&asked.collect::<Vec<_>>())
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
