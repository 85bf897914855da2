//! What belongs to an account, written in the batch of whoever finds out.

use crate::changes::{self, Kind};
use crate::{Batch, values};

/// Attaches an order that belongs to nobody yet, or to the account itself: unmet otherwise,
/// or when the account is being erased, at the batch's next statement.
pub fn attach_order(batch: &mut Batch, brand_id: &str, order_id: &str, account_id: &str) {
    batch.expect(
        1,
        "INSERT INTO account_order (brand_id, order_id, account_id, attached_at_ms) \
         SELECT o.brand_id, o.id, a.id, {now} FROM customer_order o \
         JOIN account a ON a.brand_id = o.brand_id AND a.id = ?3 AND a.status = 'active' \
         WHERE o.brand_id = ?1 AND o.id = ?2 AND o.status IN ('confirmed', 'cancelled') \
         ON CONFLICT (brand_id, order_id) DO UPDATE SET attached_at_ms = account_order.attached_at_ms \
         WHERE account_order.account_id = excluded.account_id",
        values![brand_id, order_id, account_id],
    );
    let order = (Kind::Order, order_id);
    changes::of_account(batch, brand_id, account_id, order, false);
}

/// Makes a checkout the account's: so will be its order, or is from now on when it was placed
/// meanwhile. Unmet, at the batch's next statement, when there is no such checkout or its
/// order belongs to another account.
pub fn attach_checkout(batch: &mut Batch, brand_id: &str, session_id: &str, account_id: &str) {
    // Touching the session's row lets this and the checkout's completion go one after the other.
    batch.expect(
        1,
        "UPDATE checkout_session SET version = version WHERE brand_id = ?1 AND id = ?2 \
         AND NOT EXISTS (SELECT 1 FROM customer_order o JOIN account_order ao \
           ON ao.brand_id = o.brand_id AND ao.order_id = o.id \
           WHERE o.checkout_session_id = ?2 AND ao.account_id <> ?3)",
        values![brand_id, session_id, account_id],
    );
    batch.add(
        "INSERT INTO account_checkout (brand_id, checkout_session_id, account_id) \
         SELECT a.brand_id, ?2, a.id FROM account a WHERE a.brand_id = ?1 AND a.id = ?3 AND a.status = 'active' \
         ON CONFLICT (brand_id, checkout_session_id) DO UPDATE SET account_id = excluded.account_id",
        values![brand_id, session_id, account_id],
    );
    placed(batch, brand_id, session_id);
}

/// A checkout was completed: its order is the account's that the checkout is. After the
/// change of the session's row.
pub fn placed(batch: &mut Batch, brand_id: &str, session_id: &str) {
    batch.add(
        "INSERT INTO account_order (brand_id, order_id, account_id, attached_at_ms) \
         SELECT o.brand_id, o.id, c.account_id, {now} FROM customer_order o \
         JOIN account_checkout c ON c.brand_id = o.brand_id AND c.checkout_session_id = o.checkout_session_id \
         JOIN account a ON a.id = c.account_id AND a.status = 'active' \
         WHERE o.brand_id = ?1 AND o.checkout_session_id = ?2 AND o.status = 'confirmed' \
         ON CONFLICT DO NOTHING",
        values![brand_id, session_id],
    );
    changes::of_checkout(batch, brand_id, session_id);
}
