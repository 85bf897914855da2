//! Holds in the database: how what one keeps becomes a purchase, and how it is free again when
//! its time is over.

use aisle_domain::hold::Hold;
use aisle_domain::plan::Allocation;

use crate::outbox::{self, Event};
use crate::stock::{self, Document};
use crate::{Batch, BatchError, Db, Row, StoreError, Value, values};

/// Holds whose time is over that are ended at a time, at most.
pub const EXPIRED_AT_A_TIME: i64 = 50;

/// A row of table `hold` that is open, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHold {
    pub id: String,
    pub version: i64,
    /// What it has set aside.
    pub units: Vec<Allocation>,
}

/// Ends the hold because its goods are bought: what it keeps goes back to the shelf, from which
/// the purchase takes it in the same batch. Unmet when it is no longer as it was read.
pub fn convert(batch: &mut Batch, brand_id: &str, hold: &OpenHold) {
    batch.expect(
        1,
        "UPDATE hold SET status = 'converted', version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status IN ('requested', 'pulled') AND expires_at_ms > {now}",
        values![brand_id, &hold.id, hold.version],
    );
    stock::release(batch, brand_id, Document::hold(&hold.id), &hold.units);
    outbox::event(batch, &Event::new(brand_id, "hold.changed", &hold.id));
}

/// Ends the hold because its time is over: what it keeps goes back to the shelf. Unmet when it is
/// no longer as it was read.
pub fn expire(batch: &mut Batch, brand_id: &str, hold: &OpenHold) {
    batch.expect(
        1,
        "UPDATE hold SET status = 'expired', version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status IN ('requested', 'pulled') AND expires_at_ms <= {now}",
        values![brand_id, &hold.id, hold.version],
    );
    stock::release(batch, brand_id, Document::hold(&hold.id), &hold.units);
    outbox::event(batch, &Event::new(brand_id, "hold.changed", &hold.id));
}

/// Gives back what is past its time, the oldest first, at most [`EXPIRED_AT_A_TIME`]: of all
/// brands, or at one location of one. Answers how many holds were found and how many ended: one
/// that changes meanwhile does not keep the others waiting.
pub async fn release_expired(
    db: &Db,
    place: Option<(&str, &str)>,
) -> Result<(usize, usize), StoreError> {
    let (condition, params): (&str, Vec<Value>) = match place {
        Some((brand_id, location_id)) => (
            "AND brand_id = ?2 AND location_id = ?3",
            values![EXPIRED_AT_A_TIME, brand_id, location_id],
        ),
        None => ("", values![EXPIRED_AT_A_TIME]),
    };
    let sql = format!(
        "SELECT id, brand_id, location_id, doc, version FROM hold \
         WHERE status IN ('requested', 'pulled') AND expires_at_ms <= {{now}} {condition} ORDER BY expires_at_ms LIMIT ?1"
    );
    let rows = db.recall(sql, params).await?;
    let mut ended = 0;
    for row in &rows {
        let mut batch = Batch::new();
        expire(&mut batch, &row.text("brand_id")?, &open_hold(row)?);
        match batch.commit(db).await {
            Ok(_) => ended += 1,
            Err(BatchError::Unmet { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((rows.len(), ended))
}

fn open_hold(row: &Row) -> Result<OpenHold, StoreError> {
    let hold: Hold = row.json("doc")?;
    Ok(OpenHold {
        id: row.text("id")?,
        version: row.int("version")?,
        units: hold.allocations(&row.text("location_id")?),
    })
}
