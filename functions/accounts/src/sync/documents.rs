//! What a device is shown of a thing that has changed.

use aisle_domain::brand::Brand;
use aisle_domain::cart::Cart;
use aisle_domain::instant::rfc3339;
use aisle_store::{Dialect, Row, StoreError};
use aisle_ucp::cart as wire;
use aisle_ucp::sync::{
    Change, Document, InviteSummary, NoticeSummary, OrderSummary, PickupSummary,
};

/// A change and its number.
pub struct Shown {
    pub seq: i64,
    pub change: Change,
}

impl Shown {
    /// `None` for the one row of an account of which nothing has changed. What is no longer
    /// the account's, or has ended by itself, is gone like what was deleted.
    pub fn of(row: &Row, brand: &Brand, now_ms: i64) -> Result<Option<Self>, StoreError> {
        let Some(kind) = row.text_opt("kind")? else {
            return Ok(None);
        };
        let id = row.text("subject_id")?;
        let gone = row.int("deleted")? != 0;
        let doc = match kind.as_str() {
            _ if gone => None,
            "cart" => cart(row, &id, brand)?,
            "order" => order(row, &id)?,
            "invite" => invite(row, &id, now_ms)?,
            _ => notice(row, &id)?,
        };
        Ok(Some(Self {
            seq: row.int("seq")?,
            change: Change {
                kind,
                id,
                deleted: doc.is_none(),
                version: match &doc {
                    Some(Document::Cart(cart)) => Some(cart.version),
                    _ => None,
                },
                doc,
            },
        }))
    }
}

fn cart(row: &Row, id: &str, brand: &Brand) -> Result<Option<Document>, StoreError> {
    let cart: Option<Cart> = row.json_opt("cart_doc")?;
    let Some(cart) = cart else { return Ok(None) };
    let (version, expires_at_ms) = (row.int("cart_version")?, row.int("cart_expires_at_ms")?);
    let shown = wire::Cart::new((id, version), &cart, brand, expires_at_ms);
    Ok(Some(Document::Cart(Box::new(shown))))
}

fn order(row: &Row, id: &str) -> Result<Option<Document>, StoreError> {
    let Some(number) = row.text_opt("number")? else {
        return Ok(None);
    };
    let pickup = match row.text_opt("pickup_status")? {
        Some(status) => Some(PickupSummary {
            status,
            location_id: row.text("location_id")?,
            ready_at: rfc3339(row.int("ready_at_ms")?),
            pickup_by: rfc3339(row.int("pickup_by_ms")?),
        }),
        None => None,
    };
    Ok(Some(Document::Order(OrderSummary {
        id: id.to_owned(),
        number,
        status: row.text("order_status")?,
        placed_at: rfc3339(row.int("placed_at_ms")?),
        currency: row.text("currency")?,
        total_minor: row.int("total_minor")?,
        lines: row.int("lines")?,
        pickup,
    })))
}

fn invite(row: &Row, id: &str, now_ms: i64) -> Result<Option<Document>, StoreError> {
    let Some(scope) = row.text_opt("scope")? else {
        return Ok(None);
    };
    let expires_at_ms = row.int("invite_expires_at_ms")?;
    let status = match row.text("invite_state")?.as_str() {
        "open" if expires_at_ms <= now_ms => "expired".to_owned(),
        other => other.to_owned(),
    };
    Ok(Some(Document::Invite(InviteSummary {
        id: id.to_owned(),
        scope,
        subject_id: row.text("invite_subject_id")?,
        channel: row.text("channel")?,
        status,
        created_at: rfc3339(row.int("created_at_ms")?),
        expires_at: rfc3339(expires_at_ms),
    })))
}

fn notice(row: &Row, id: &str) -> Result<Option<Document>, StoreError> {
    let Some(template) = row.text_opt("template")? else {
        return Ok(None);
    };
    Ok(Some(Document::Notice(NoticeSummary {
        id: id.to_owned(),
        order_id: row.text_opt("notice_order_id")?,
        channel: row.text("channel")?,
        template,
        status: row.text("notice_status")?,
        created_at: rfc3339(row.int("created_at_ms")?),
        updated_at: rfc3339(row.int("updated_at_ms")?),
    })))
}

/// No row when the session is over, else at least one. What is shown of an order is picked
/// out of its document where it lies: orders can be long, and many.
pub fn sql(dialect: Dialect) -> String {
    let (currency, total_minor, lines) = dialect.pick(
        (
            "json_extract(o.doc, '$.currency')",
            "json_extract(o.doc, '$.totals.total_minor')",
            "json_array_length(o.doc, '$.lines')",
        ),
        (
            "o.doc::jsonb ->> 'currency'",
            "(o.doc::jsonb -> 'totals' ->> 'total_minor')::bigint",
            "jsonb_array_length(o.doc::jsonb -> 'lines')::bigint",
        ),
    );
    format!(
        "SELECT a.change_seq AS newest, {{now}} AS now_ms, h.kind, h.subject_id, h.seq, h.deleted, \
           c.doc AS cart_doc, c.version AS cart_version, c.expires_at_ms AS cart_expires_at_ms, \
           o.number, o.status AS order_status, o.created_at_ms AS placed_at_ms, \
           {currency} AS currency, {total_minor} AS total_minor, {lines} AS lines, \
           p.status AS pickup_status, p.location_id, p.ready_at_ms, p.pickup_by_ms, \
           i.scope, i.subject_id AS invite_subject_id, i.expires_at_ms AS invite_expires_at_ms, \
           CASE WHEN i.revoked_at_ms IS NOT NULL THEN 'revoked' WHEN i.claimed_at_ms IS NOT NULL THEN 'claimed' \
             ELSE 'open' END AS invite_state, \
           m.template, m.status AS notice_status, m.order_id AS notice_order_id, m.updated_at_ms, \
           coalesce(i.channel, m.channel) AS channel, coalesce(i.created_at_ms, m.created_at_ms) AS created_at_ms \
         FROM account a \
         JOIN account_session s ON s.id = ?3 AND s.brand_id = ?1 AND s.account_id = a.id \
           AND s.revoked_at_ms IS NULL AND s.expires_at_ms > {{now}} \
         LEFT JOIN (SELECT kind, subject_id, seq, deleted FROM account_change \
           WHERE brand_id = ?1 AND account_id = ?2 AND seq > ?4 ORDER BY seq LIMIT ?5) h ON 1 = 1 \
         LEFT JOIN account_cart ac ON h.kind = 'cart' AND ac.brand_id = ?1 AND ac.account_id = ?2 AND ac.cart_id = h.subject_id \
         LEFT JOIN cart c ON c.brand_id = ?1 AND c.id = ac.cart_id AND c.status = 'active' AND c.expires_at_ms > {{now}} \
         LEFT JOIN account_order ao ON h.kind = 'order' AND ao.brand_id = ?1 AND ao.account_id = ?2 AND ao.order_id = h.subject_id \
         LEFT JOIN customer_order o ON o.brand_id = ?1 AND o.id = ao.order_id AND o.status IN ('confirmed', 'cancelled') \
         LEFT JOIN pickup p ON p.brand_id = ?1 AND p.order_id = o.id \
         LEFT JOIN invite i ON h.kind = 'invite' AND i.brand_id = ?1 AND i.id = h.subject_id AND ?2 IN (i.account_id, i.claimed_by) \
         LEFT JOIN message m ON h.kind = 'notice' AND m.brand_id = ?1 AND m.account_id = ?2 AND m.id = h.subject_id \
         WHERE a.brand_id = ?1 AND a.id = ?2 AND a.status = 'active' ORDER BY h.seq"
    )
}
