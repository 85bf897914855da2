//! An order that is paid in parts: the deposit is paid, the rest is agreed.

use aisle_domain::brand::Brand;
use aisle_domain::layaway::{Layaway, Schedule};
use aisle_store::{Batch, layaway};

use crate::complete::Pending;

/// Of the second batch: the goods stay set aside, and nobody prepares them before all is paid.
pub fn begin(batch: &mut Batch, brand: &Brand, pending: &Pending, schedule: &Schedule) {
    let session = &pending.row.session;
    let agreement = Layaway {
        policy: brand.policies.layaway.clone(),
        currency: session.currency.clone(),
        total_minor: session.totals.total_minor,
        settlement: None,
    };
    let order_id = &pending.order.id;
    layaway::begin(
        batch,
        &brand.id,
        order_id,
        &agreement,
        schedule,
        &pending.payment_id,
    );
}
