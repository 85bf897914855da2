//! What belongs to an account, written in the batch of whoever finds out.

use crate::changes::{self, Kind};
use crate::{Batch, values};

/// Attaches an order that belongs to nobody yet, or to the account itself: unmet otherwise,
/// at the batch's next statement.
pub fn attach_order(batch: &mut Batch, brand_id: &str, order_id: &str, account_id: &str) {
    batch.expect(
        1,
        "INSERT INTO account_order (brand_id, order_id, account_id, attached_at_ms) \
         SELECT o.brand_id, o.id, ?3, {now} FROM customer_order o \
         WHERE o.brand_id = ?1 AND o.id = ?2 AND o.status IN ('confirmed', 'cancelled') \
         ON CONFLICT (brand_id, order_id) DO UPDATE SET attached_at_ms = account_order.attached_at_ms \
         WHERE account_order.account_id = excluded.account_id",
        values![brand_id, order_id, account_id],
    );
    let order = (Kind::Order, order_id);
    changes::of_account(batch, brand_id, account_id, order, false);
}
