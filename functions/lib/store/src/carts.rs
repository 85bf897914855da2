//! Carts as they change: each change keeps the version before it, and tells the account's
//! devices.
//!
//! Whoever changes a cart locks its row before the account's, so that two who do never wait
//! for each other.

pub mod claim;

use aisle_domain::cart::{Cart, KEPT_VERSIONS};

use crate::{Batch, Row, StoreError, changes, values};

/// A cart is kept for a month after its last change.
pub const KEPT_MS: i64 = 30 * 86_400_000;

/// Puts `cart` in the place of version `version`, unless that is not the latest any more or
/// the cart has ended: then the batch is unmet here.
pub fn replace(
    batch: &mut Batch,
    brand_id: &str,
    (id, version): (&str, i64),
    cart: &Cart,
    expires_at_ms: i64,
) {
    batch.add(
        "INSERT INTO cart_version (brand_id, cart_id, version, doc, at_ms) \
         SELECT c.brand_id, c.id, c.version, c.doc, c.updated_at_ms FROM cart c \
         WHERE c.brand_id = ?1 AND c.id = ?2 AND c.version = ?3 ON CONFLICT DO NOTHING",
        values![brand_id, id, version],
    );
    batch.add(
        "DELETE FROM cart_version WHERE brand_id = ?1 AND cart_id = ?2 AND version <= ?3",
        values![brand_id, id, version - KEPT_VERSIONS],
    );
    batch.expect(
        1,
        "UPDATE cart SET doc = ?4, version = version + 1, updated_at_ms = {now}, expires_at_ms = ?5 \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'active' AND expires_at_ms > {now}",
        values![brand_id, id, version, document(cart), expires_at_ms],
    );
    changes::of_cart(batch, brand_id, id);
}

/// A new cart, as version 1.
pub fn insert(batch: &mut Batch, brand_id: &str, id: &str, cart: &Cart, expires_at_ms: i64) {
    batch.expect(
        1,
        "INSERT INTO cart (id, brand_id, status, doc, version, updated_at_ms, expires_at_ms) \
         VALUES (?1, ?2, 'active', ?3, 1, {now}, ?4)",
        values![id, brand_id, document(cart), expires_at_ms],
    );
}

/// Makes a cart that nobody owns the account's live one. Unmet here, at its last statement,
/// when the account has another by now, or is being erased.
pub fn give(batch: &mut Batch, brand_id: &str, account_id: &str, cart_id: &str) {
    // First, because it locks the account: of two carts at once the second sees the first.
    changes::of_former_carts(batch, brand_id, account_id, cart_id);
    let cart = (changes::Kind::Cart, cart_id);
    changes::of_account(batch, brand_id, account_id, cart, false);
    batch.expect(
        1,
        "INSERT INTO account_cart (brand_id, account_id, cart_id) \
         SELECT a.brand_id, a.id, ?3 FROM account a WHERE a.brand_id = ?1 AND a.id = ?2 AND a.status = 'active' \
         ON CONFLICT (brand_id, account_id) DO UPDATE SET cart_id = excluded.cart_id \
         WHERE NOT EXISTS (SELECT 1 FROM cart c WHERE c.brand_id = ?1 AND c.id = account_cart.cart_id \
           AND c.status = 'active' AND c.expires_at_ms > {now})",
        values![brand_id, account_id, cart_id],
    );
}

/// After the cart's status says that it has ended: its account's devices are told, and
/// nothing of its past is kept.
pub fn end(batch: &mut Batch, brand_id: &str, cart_id: &str) {
    changes::of_ended_cart(batch, brand_id, cart_id);
    batch.add(
        "DELETE FROM account_cart WHERE brand_id = ?1 AND cart_id = ?2",
        values![brand_id, cart_id],
    );
    forget(batch, brand_id, cart_id);
}

/// The same for a cart that has become an order, which is in the database by now: it belongs
/// to whom the cart belonged.
pub fn ordered(batch: &mut Batch, brand_id: &str, cart_id: &str, order_id: &str) {
    batch.add(
        "INSERT INTO account_order (brand_id, order_id, account_id, attached_at_ms) \
         SELECT c.brand_id, ?3, c.account_id, {now} FROM account_cart c \
         WHERE c.brand_id = ?1 AND c.cart_id = ?2 ON CONFLICT (brand_id, order_id) DO NOTHING",
        values![brand_id, cart_id, order_id],
    );
    changes::of_order(batch, brand_id, order_id);
    end(batch, brand_id, cart_id);
}

/// Gives up what was begun with a cart that ends: its open checkouts, and what is set aside
/// for it elsewhere, which housekeeping frees.
pub fn give_up_checkouts(batch: &mut Batch, brand_id: &str, cart_id: &str) {
    batch.add(
        "UPDATE transfer SET expires_at_ms = {now}, version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND status = 'reserved' AND (for_type = 'cart' AND for_id = ?2 \
           OR for_type = 'checkout' AND for_id IN (SELECT s.id FROM checkout_session s WHERE s.brand_id = ?1 AND s.cart_id = ?2))",
        values![brand_id, cart_id],
    );
    batch.add(
        "UPDATE checkout_session SET status = 'canceled', cart_id = NULL, version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND cart_id = ?2 AND status IN ('incomplete', 'ready_for_complete')",
        values![brand_id, cart_id],
    );
    batch.add(
        "UPDATE checkout_session SET cart_id = NULL WHERE brand_id = ?1 AND cart_id = ?2 AND status = 'canceled'",
        values![brand_id, cart_id],
    );
}

fn forget(batch: &mut Batch, brand_id: &str, cart_id: &str) {
    batch.add(
        "DELETE FROM cart_version WHERE brand_id = ?1 AND cart_id = ?2",
        values![brand_id, cart_id],
    );
}

fn document(cart: &Cart) -> String {
    serde_json::to_string(cart).unwrap_or_default()
}

/// A live cart as it is read.
#[derive(Debug, Clone)]
pub struct CartRow {
    pub id: String,
    pub cart: Cart,
    pub version: i64,
    pub updated_at_ms: i64,
    pub expires_at_ms: i64,
    /// The account that it belongs to.
    pub owner: Option<String>,
}

impl CartRow {
    /// From columns `id`, `doc`, `version`, `updated_at_ms`, `expires_at_ms` and `owner`.
    pub fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            cart: row.json("doc")?,
            version: row.int("version")?,
            updated_at_ms: row.int("updated_at_ms")?,
            expires_at_ms: row.int("expires_at_ms")?,
            owner: row.text_opt("owner")?,
        })
    }
}
