//! What has changed of the things that an account has, for devices that ask what is new.
//!
//! Written in the batch of the change itself. The account's row hands out the numbers, so
//! that they have no gaps and a later one is never visible before an earlier one.

use crate::{Batch, Value, values};

/// A kind of thing that devices keep in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Cart,
    Order,
    Invite,
    Notice,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Cart => "cart",
            Self::Order => "order",
            Self::Invite => "invite",
            Self::Notice => "notice",
        }
    }
}

/// Whose accounts: `?1` is the brand, `?2` what the condition compares.
const OWN: &str = "?2";
const OF_ORDER: &str =
    "(SELECT o.account_id FROM account_order o WHERE o.brand_id = ?1 AND o.order_id = ?2)";
const OF_CHECKOUT: &str = "(SELECT ao.account_id FROM account_order ao \
     JOIN customer_order co ON co.brand_id = ao.brand_id AND co.id = ao.order_id \
     WHERE co.brand_id = ?1 AND co.checkout_session_id = ?2)";
const OF_CART: &str =
    "(SELECT c.account_id FROM account_cart c WHERE c.brand_id = ?1 AND c.cart_id = ?2)";

/// Something of this account has changed, or is gone and leaves a tombstone.
pub fn of_account(
    batch: &mut Batch,
    brand_id: &str,
    account_id: &str,
    (kind, subject_id): (Kind, &str),
    deleted: bool,
) {
    record(
        batch,
        OWN,
        brand_id,
        account_id,
        (kind, subject_id),
        deleted,
    );
}

/// An order has changed: its account's, if it belongs to one.
pub fn of_order(batch: &mut Batch, brand_id: &str, order_id: &str) {
    record(
        batch,
        OF_ORDER,
        brand_id,
        order_id,
        (Kind::Order, order_id),
        false,
    );
}

/// A checkout has become an order: its account's, if it belongs to one.
pub fn of_checkout(batch: &mut Batch, brand_id: &str, session_id: &str) {
    batch.add(
        format!("UPDATE account SET change_seq = change_seq + 1 WHERE brand_id = ?1 AND id = {OF_CHECKOUT}"),
        values![brand_id, session_id],
    );
    batch.add(
        format!(
            "INSERT INTO account_change (brand_id, account_id, kind, subject_id, seq, deleted, at_ms) \
             SELECT a.brand_id, a.id, 'order', o.id, a.change_seq, 0, {{now}} FROM account a \
             JOIN customer_order o ON o.brand_id = a.brand_id AND o.checkout_session_id = ?2 \
             WHERE a.brand_id = ?1 AND a.id = {OF_CHECKOUT} \
             ON CONFLICT (brand_id, account_id, kind, subject_id) DO UPDATE \
             SET seq = excluded.seq, deleted = excluded.deleted, at_ms = excluded.at_ms"
        ),
        values![brand_id, session_id],
    );
}

/// A cart has changed: its account's, if it belongs to one.
pub fn of_cart(batch: &mut Batch, brand_id: &str, cart_id: &str) {
    record(
        batch,
        OF_CART,
        brand_id,
        cart_id,
        (Kind::Cart, cart_id),
        false,
    );
}

/// What is to be sent of news (`message m`, of which `which` is true) has another state, or will
/// have at the end of the batch: the accounts that are told of it. `params` are those of `which`.
pub fn of_messages(batch: &mut Batch, which: &str, params: Vec<Value>) {
    let told = format!("m.account_id IS NOT NULL AND m.purpose = 'update' AND {which}");
    batch.add(
        format!(
            "UPDATE account SET change_seq = change_seq + (SELECT count(*) FROM message m \
               WHERE m.account_id = account.id AND {told}) \
             WHERE id IN (SELECT m.account_id FROM message m WHERE {told})"
        ),
        params.clone(),
    );
    batch.add(
        format!(
            "INSERT INTO account_change (brand_id, account_id, kind, subject_id, seq, deleted, at_ms) \
             SELECT a.brand_id, a.id, 'notice', m.id, \
               a.change_seq + 1 - row_number() OVER (PARTITION BY a.id ORDER BY m.id DESC), 0, {{now}} \
             FROM message m JOIN account a ON a.id = m.account_id WHERE {told} \
             ON CONFLICT (brand_id, account_id, kind, subject_id) DO UPDATE \
             SET seq = excluded.seq, deleted = excluded.deleted, at_ms = excluded.at_ms"
        ),
        params,
    );
}

/// The same for one message.
pub fn of_message(batch: &mut Batch, message_id: &str) {
    of_messages(batch, "m.id = ?1", values![message_id]);
}

/// A cart is there no more: its account's devices are told. The cart must still be theirs.
pub(crate) fn of_ended_cart(batch: &mut Batch, brand_id: &str, cart_id: &str) {
    record(
        batch,
        OF_CART,
        brand_id,
        cart_id,
        (Kind::Cart, cart_id),
        true,
    );
}

/// An account gets a cart: one that it had before has ended without anybody's doing.
pub(crate) fn of_former_carts(batch: &mut Batch, brand_id: &str, account_id: &str, cart_id: &str) {
    batch.add(
        "UPDATE account SET change_seq = change_seq + 1 WHERE brand_id = ?1 AND id = ?2",
        values![brand_id, account_id],
    );
    batch.add(
        "UPDATE account_change SET deleted = 1, at_ms = {now}, \
         seq = (SELECT a.change_seq FROM account a WHERE a.brand_id = ?1 AND a.id = ?2) \
         WHERE brand_id = ?1 AND account_id = ?2 AND kind = 'cart' AND subject_id <> ?3 AND deleted = 0",
        values![brand_id, account_id, cart_id],
    );
}

fn record(
    batch: &mut Batch,
    account: &str,
    brand_id: &str,
    found_by: &str,
    (kind, subject_id): (Kind, &str),
    deleted: bool,
) {
    batch.add(
        format!(
            "UPDATE account SET change_seq = change_seq + 1 WHERE brand_id = ?1 AND id = {account}"
        ),
        values![brand_id, found_by],
    );
    batch.add(
        format!(
            "INSERT INTO account_change (brand_id, account_id, kind, subject_id, seq, deleted, at_ms) \
             SELECT a.brand_id, a.id, ?3, ?4, a.change_seq, ?5, {{now}} FROM account a \
             WHERE a.brand_id = ?1 AND a.id = {account} \
             ON CONFLICT (brand_id, account_id, kind, subject_id) DO UPDATE \
             SET seq = excluded.seq, deleted = excluded.deleted, at_ms = excluded.at_ms"
        ),
        values![brand_id, found_by, kind.name(), subject_id, i64::from(deleted)],
    );
}
