//! What leads from an account to the documents that know its person: those that belong to it,
//! and those of a guest who gave an address that the account has proved. Whoever asks for
//! their data is shown by it what an erasure would take.
//!
//! Each is a subselect of ids, with the brand as `?1` and the account as `?2`.

use aisle_store::Dialect;

/// What nobody else's account has to do with, in a table `g`.
const FREE_ORDER: &str = "AND g.status <> 'pending' AND NOT EXISTS (SELECT 1 FROM account_order x \
     WHERE x.brand_id = g.brand_id AND x.order_id = g.id)";
const FREE_CHECKOUT: &str = "AND g.status <> 'complete_in_progress' \
     AND NOT EXISTS (SELECT 1 FROM account_checkout x WHERE x.brand_id = g.brand_id AND x.checkout_session_id = g.id) \
     AND NOT EXISTS (SELECT 1 FROM account_cart x WHERE x.brand_id = g.brand_id AND x.cart_id = g.cart_id) \
     AND NOT EXISTS (SELECT 1 FROM customer_order y JOIN account_order x ON x.brand_id = y.brand_id AND x.order_id = y.id \
       WHERE y.brand_id = g.brand_id AND y.checkout_session_id = g.id)";
const FREE_CART: &str = "AND g.status <> 'merged' \
     AND NOT EXISTS (SELECT 1 FROM account_cart x WHERE x.brand_id = g.brand_id AND x.cart_id = g.id) \
     AND NOT EXISTS (SELECT 1 FROM account_change x WHERE x.brand_id = g.brand_id AND x.kind = 'cart' AND x.subject_id = g.id) \
     AND NOT EXISTS (SELECT 1 FROM checkout_session y WHERE y.brand_id = g.brand_id AND y.cart_id = g.id \
       AND (y.status = 'complete_in_progress' \
         OR EXISTS (SELECT 1 FROM account_checkout x WHERE x.brand_id = y.brand_id AND x.checkout_session_id = y.id) \
         OR EXISTS (SELECT 1 FROM customer_order z JOIN account_order x ON x.brand_id = z.brand_id AND x.order_id = z.id \
           WHERE z.brand_id = y.brand_id AND z.checkout_session_id = y.id)))";

/// Rows of a table whose document names one of the account's addresses at `who`.
fn known(dialect: Dialect, table: &str, who: &str, condition: &str) -> String {
    let member = |name: &str| {
        dialect.pick(
            format!("json_extract(g.doc, '$.{who}.{name}')"),
            format!("(g.doc::jsonb #>> '{{{who},{name}}}')"),
        )
    };
    let by = |kind: &str, value: &str| {
        format!(
            "SELECT g.id FROM account_identity i JOIN {table} g ON g.brand_id = i.brand_id AND {value} = i.address \
             WHERE i.brand_id = ?1 AND i.account_id = ?2 AND i.kind = '{kind}' {condition}"
        )
    };
    let email = format!("lower({})", member("email"));
    format!(
        "{} UNION {}",
        by("email", &email),
        by("phone", &member("phone_number"))
    )
}

pub fn guest_orders(dialect: Dialect) -> String {
    known(dialect, "customer_order", "buyer", FREE_ORDER)
}

pub fn guest_checkouts(dialect: Dialect) -> String {
    known(dialect, "checkout_session", "buyer", FREE_CHECKOUT)
}

pub fn guest_carts(dialect: Dialect) -> String {
    known(dialect, "cart", "buyer", FREE_CART)
}

pub fn holds(dialect: Dialect) -> String {
    known(dialect, "hold", "contact", "")
}

/// Orders that are the account's, and those of its checkouts that nobody has paid.
pub const OWN_ORDERS: &str = "SELECT ao.order_id AS id FROM account_order ao WHERE ao.brand_id = ?1 AND ao.account_id = ?2 \
     UNION SELECT p.id FROM account_checkout pc JOIN customer_order p ON p.brand_id = pc.brand_id \
       AND p.checkout_session_id = pc.checkout_session_id \
     WHERE pc.brand_id = ?1 AND pc.account_id = ?2 AND NOT EXISTS (SELECT 1 FROM account_order po \
       WHERE po.brand_id = p.brand_id AND po.order_id = p.id)";

pub fn orders(dialect: Dialect) -> String {
    format!("{OWN_ORDERS} UNION {}", guest_orders(dialect))
}

pub fn checkouts(dialect: Dialect) -> String {
    format!(
        "SELECT o.checkout_session_id FROM customer_order o WHERE o.brand_id || '' = ?1 AND o.id IN ({}) \
         UNION SELECT ac.checkout_session_id FROM account_checkout ac WHERE ac.brand_id = ?1 AND ac.account_id = ?2 \
         UNION SELECT w.id FROM checkout_session w JOIN account_cart wc ON wc.brand_id = w.brand_id AND wc.cart_id = w.cart_id \
           WHERE wc.brand_id = ?1 AND wc.account_id = ?2 \
         UNION {}",
        orders(dialect),
        guest_checkouts(dialect)
    )
}

pub fn carts(dialect: Dialect) -> String {
    format!(
        "SELECT s.cart_id FROM checkout_session s WHERE s.brand_id = ?1 AND s.cart_id IS NOT NULL AND s.id IN ({}) \
         UNION SELECT ac.cart_id FROM account_cart ac WHERE ac.brand_id = ?1 AND ac.account_id = ?2 \
         UNION SELECT ch.subject_id FROM account_change ch JOIN cart cc ON cc.id = ch.subject_id AND cc.status <> 'merged' \
           WHERE ch.brand_id = ?1 AND ch.account_id = ?2 AND ch.kind = 'cart' \
         UNION {}",
        checkouts(dialect),
        guest_carts(dialect)
    )
}

/// Consents that were given for any of these.
pub fn consents(dialect: Dialect) -> String {
    format!(
        "SELECT f.consent_id FROM consent_for f WHERE f.brand_id = ?1 AND \
         (f.scope = 'order' AND f.subject_id IN ({}) OR f.scope = 'cart' AND f.subject_id IN ({}) \
          OR f.scope = 'account' AND f.subject_id = ?2)",
        orders(dialect),
        carts(dialect)
    )
}
