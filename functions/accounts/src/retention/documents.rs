//! Documents that stay when the person in them is forgotten, in the order in which they were
//! last changed: how far this has come is written down, so that no document is read twice.

use aisle_domain::brand::Brand;
use aisle_domain::checkout::Session;
use aisle_domain::hold::Hold;
use aisle_domain::order::Order;
use aisle_http::{Call, Error};
use aisle_store::{Batch, Row, StoreError, values};
use aisle_ucp::account::RetentionRun;

use super::DAY_MS;
use super::chores::settled;
use crate::forget;

/// Documents of each kind that one run goes through, at most.
const RUN_DOCUMENTS: i64 = 20;

/// A kind of document.
#[derive(Clone, Copy)]
enum Kind {
    Checkout,
    Order,
    Hold,
}

impl Kind {
    fn table(self) -> &'static str {
        match self {
            Self::Checkout => "checkout_session",
            Self::Order => "customer_order",
            Self::Hold => "hold",
        }
    }

    /// What is still under way waits, and all that comes after it.
    fn is_over(self) -> &'static str {
        match self {
            Self::Checkout => "d.status <> 'complete_in_progress' AND d.expires_at_ms <= {now}",
            Self::Order => "d.status <> 'pending'",
            Self::Hold => "d.status NOT IN ('requested', 'pulled')",
        }
    }

    fn redacted(self, row: &Row) -> Result<String, StoreError> {
        match self {
            Self::Checkout => forget::redacted(row, Session::redact),
            Self::Order => forget::redacted(row, Order::redact),
            Self::Hold => forget::redacted(row, Hold::redact),
        }
    }
}

pub async fn run(call: &Call, brand: &Brand, run: &mut RetentionRun) -> Result<(), Error> {
    let policy = &brand.policies.retention;
    for (kind, days) in [
        (Kind::Checkout, policy.checkout_days),
        (Kind::Order, policy.order_days),
        (Kind::Hold, policy.hold_days),
    ] {
        go_on(call, &brand.id, kind, days * DAY_MS, run).await?;
    }
    Ok(())
}

async fn go_on(
    call: &Call,
    brand_id: &str,
    kind: Kind,
    age_ms: i64,
    run: &mut RetentionRun,
) -> Result<(), Error> {
    let (table, is_over) = (kind.table(), kind.is_over());
    let sql = format!(
        "SELECT d.id, d.doc, d.version, d.updated_at_ms, CASE WHEN {is_over} THEN 1 ELSE 0 END AS is_over \
         FROM (SELECT coalesce(max(up_to_ms), 0) AS ms, coalesce(max(up_to_id), '') AS id FROM retention_progress \
           WHERE brand_id = ?1 AND kind = ?2) done \
         JOIN {table} d ON d.brand_id = ?1 AND d.updated_at_ms <= {{now}} - ?3 \
           AND (d.updated_at_ms, d.id) > (done.ms, done.id) \
         ORDER BY d.updated_at_ms, d.id LIMIT ?4"
    );
    let params = values![brand_id, table, age_ms, RUN_DOCUMENTS];
    let rows = call.db().recall(sql, params).await?;
    let mut batch = Batch::new();
    let mut last = None;
    for row in &rows {
        if row.int("is_over")? == 0 {
            break;
        }
        write(&mut batch, brand_id, kind, row)?;
        last = Some((row.int("updated_at_ms")?, row.text("id")?));
    }
    let Some((up_to_ms, up_to_id)) = last else {
        return Ok(());
    };
    batch.add(
        "INSERT INTO retention_progress (brand_id, kind, up_to_ms, up_to_id) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (brand_id, kind) DO UPDATE SET up_to_ms = excluded.up_to_ms, up_to_id = excluded.up_to_id",
        values![brand_id, table, up_to_ms, up_to_id],
    );
    run.more |= rows.len() as i64 == RUN_DOCUMENTS;
    run.settled += settled(batch.commit(call.db()).await)?;
    Ok(())
}

/// When it was changed last stays as it is. Unmet when it has changed meanwhile.
fn write(batch: &mut Batch, brand_id: &str, kind: Kind, row: &Row) -> Result<(), Error> {
    let id = row.text("id")?;
    // A checkout's cart is an earlier state of the same, and goes with the carts.
    let more = match kind {
        Kind::Checkout => ", cart_id = NULL",
        Kind::Order | Kind::Hold => "",
    };
    batch.expect(
        1,
        format!(
            "UPDATE {} SET doc = ?4, version = version + 1{more} WHERE brand_id = ?1 AND id = ?2 AND version = ?3",
            kind.table()
        ),
        values![brand_id, &id, row.int("version")?, kind.redacted(row)?],
    );
    if let Kind::Order = kind {
        forget::order_documents(batch, brand_id, &id);
    }
    Ok(())
}
