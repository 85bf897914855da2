//! Holds in the database: how what one keeps becomes a purchase.

use aisle_domain::plan::Allocation;

use crate::outbox::{self, Event};
use crate::stock::{self, Document};
use crate::{Batch, values};

/// A row of table `hold` that is open and not expired, as it was read.
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
