//! What time does to layaways: payments that were cut short, reminders, defaults.

use aisle_domain::layaway::Status;
use aisle_http::{Call, Error, notify_relay};
use aisle_store::layaway::{self, Instalment};
use aisle_store::{Batch, Row, StoreError, values};
use aisle_ucp::hold::HousekeepingRun;

use super::facts::Facts;
use super::payments::{self, INTERRUPTED_MS};
use crate::housekeeping::committed;

/// Layaways, and parts, that one run looks at, at most; what is left is the next run's.
const RUN_ROWS: i64 = 20;

/// Moves on what is due to move; a default only after the payments that were cut short,
/// since a part that is paid may save it.
pub async fn run(call: &Call) -> Result<HousekeepingRun, Error> {
    let (interrupted, some_left) = settle(call).await?;
    let (reminded, more_left) = remind(call).await?;
    let (defaulted, still_left) = default(call).await?;
    let settled = interrupted + reminded + defaulted;
    if settled > 0 {
        notify_relay();
    }
    Ok(HousekeepingRun {
        settled,
        more: some_left || more_left || still_left,
    })
}

async fn settle(call: &Call) -> Result<(usize, bool), Error> {
    let sql = "SELECT i.brand_id, i.order_id FROM payment p CROSS JOIN instalment i \
               WHERE i.payment_id = p.id AND i.status = 'due' AND p.status = 'started' AND p.updated_at_ms < {now} - ?1 \
               ORDER BY p.updated_at_ms LIMIT ?2";
    let rows = call
        .db()
        .recall(sql, values![INTERRUPTED_MS, RUN_ROWS])
        .await?;
    if rows.is_empty() {
        return Ok((0, false));
    }
    let brands = call.model().brands().await?;
    let mut settled = 0;
    for row in &rows {
        let (brand_id, order_id) = named(row)?;
        if let Some(brand) = brands.iter().find(|brand| brand.id == brand_id) {
            let facts = Facts::read(call, &brand_id, &order_id, None).await?;
            settled += usize::from(payments::settle_interrupted(call, brand, &facts).await?);
        }
    }
    Ok((settled, is_full(&rows)))
}

async fn remind(call: &Call) -> Result<(usize, bool), Error> {
    const DAY_MS: i64 = 86_400_000;
    /// A policy reminds no earlier.
    const EARLIEST_MS: i64 = 365 * DAY_MS;
    let days = call.db().dialect().pick(
        "l.doc ->> '$.policy.reminder_days'",
        "CAST(l.doc::jsonb #>> '{policy,reminder_days}' AS BIGINT)",
    );
    let sql = format!(
        "SELECT i.brand_id, i.order_id, i.position, i.amount_minor FROM instalment i \
         JOIN layaway l ON l.brand_id = i.brand_id AND l.order_id = i.order_id \
         WHERE i.status = 'due' AND i.reminded_at_ms IS NULL AND l.status = 'active' \
           AND i.due_at_ms <= {{now}} + ?3 AND i.due_at_ms - {days} * ?1 <= {{now}} \
         ORDER BY i.due_at_ms, i.order_id LIMIT ?2"
    );
    let params = values![DAY_MS, RUN_ROWS, EARLIEST_MS];
    let rows = call.db().recall(sql, params).await?;
    let mut reminded = 0;
    for row in &rows {
        let (brand_id, order_id) = named(row)?;
        let part = Instalment {
            brand_id: &brand_id,
            order_id: &order_id,
            position: row.int("position")?,
            amount_minor: row.int("amount_minor")?,
        };
        let mut batch = Batch::new();
        let text = format!("Part {} is to be paid soon.", part.position);
        layaway::remind(&mut batch, &part, &text);
        reminded += usize::from(committed(call, &batch).await?);
    }
    Ok((reminded, is_full(&rows)))
}

async fn default(call: &Call) -> Result<(usize, bool), Error> {
    let sql = "SELECT brand_id, order_id FROM layaway WHERE status = 'active' AND deadline_ms <= {now} \
               ORDER BY deadline_ms, order_id LIMIT ?1";
    let rows = call.db().recall(sql, values![RUN_ROWS]).await?;
    let mut defaulted = 0;
    for row in &rows {
        let (brand_id, order_id) = named(row)?;
        let facts = Facts::read(call, &brand_id, &order_id, None).await?;
        let ended = facts.ended(Status::Defaulted);
        let mut batch = Batch::new();
        super::end(
            &mut batch,
            &brand_id,
            &facts,
            &ended.layaway,
            Status::Defaulted,
        );
        defaulted += usize::from(committed(call, &batch).await?);
    }
    Ok((defaulted, is_full(&rows)))
}

fn named(row: &Row) -> Result<(String, String), StoreError> {
    Ok((row.text("brand_id")?, row.text("order_id")?))
}

fn is_full(rows: &[Row]) -> bool {
    rows.len() as i64 == RUN_ROWS
}
