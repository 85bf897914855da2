//! Who showed their customer code: what a till may know of them.

use aisle_domain::account::Account;
use aisle_domain::brand::Brand;
use aisle_http::auth::Staff;
use aisle_http::{Call, Error};
use aisle_store::{Row, StoreError, sha256_hex, values};
use aisle_ucp::pos::{Action, ReadyOrder, Scanned, ScannedCustomer};

use crate::collection;

/// Of `?2`, the hash of a code that is shown at `?3`: the account with its cart, and the
/// orders that lie ready there.
const CUSTOMER: &str = "\
    SELECT 'account' AS kind, a.id, a.doc AS text, t.id AS cart_id, 0 AS at_ms FROM customer_code c \
    JOIN account a ON a.brand_id = c.brand_id AND a.id = c.account_id AND a.status = 'active' \
    LEFT JOIN account_cart m ON m.brand_id = c.brand_id AND m.account_id = c.account_id \
    LEFT JOIN cart t ON t.brand_id = c.brand_id AND t.id = m.cart_id AND t.status = 'active' AND t.expires_at_ms > {now} \
    WHERE c.brand_id = ?1 AND c.code_hash = ?2 AND c.expires_at_ms > {now} \
    UNION ALL SELECT * FROM (SELECT 'order', o.id, o.number, NULL, k.ready_at_ms FROM customer_code c \
    JOIN account_order w ON w.brand_id = c.brand_id AND w.account_id = c.account_id \
    JOIN customer_order o ON o.brand_id = w.brand_id AND o.id = w.order_id AND o.status = 'confirmed' \
    JOIN pickup k ON k.brand_id = o.brand_id AND k.order_id = o.id AND k.location_id = ?3 AND k.status = 'ready' \
    WHERE c.brand_id = ?1 AND c.code_hash = ?2 AND c.expires_at_ms > {now} ORDER BY k.ready_at_ms, o.id LIMIT 20) ready";

/// `None`: no such code lives. Codes that miss count as those that somebody guesses at.
pub async fn scanned(
    call: &Call,
    brand: &Brand,
    staff: &Staff,
    code: &str,
) -> Result<Option<Scanned>, Error> {
    let hash = sha256_hex(code.as_bytes());
    let params = values![&brand.id, hash, &staff.location_id];
    let rows = call.db().query(CUSTOMER, params).await?;
    let is_account = |row: &&Row| row.text("kind").is_ok_and(|kind| kind == "account");
    let Some(account) = rows.iter().find(is_account) else {
        collection::count_code(call, brand, &staff.device_id).await?;
        return Ok(None);
    };
    let orders = rows.iter().filter(|row| !is_account(row));
    let customer = ScannedCustomer {
        first_name: first_name(&account.json("text")?),
        ready_orders: orders.map(ready).collect::<Result<_, _>>()?,
        cart_id: account.text_opt("cart_id")?,
    };
    let carts = customer.cart_id.iter();
    let actions =
        carts.map(|id| Action::post("continue", format!("/pos/carts/{id}/continue"), None));
    let actions = actions.collect();
    Ok(Some(Scanned {
        customer: Some(customer),
        ..Scanned::new("customer", &account.text("id")?, actions)
    }))
}

fn ready(row: &Row) -> Result<ReadyOrder, StoreError> {
    Ok(ReadyOrder {
        id: row.text("id")?,
        number: row.text("text")?,
    })
}

/// What people call them: the first word of the name that the account has.
fn first_name(account: &Account) -> Option<String> {
    let name = account.name.as_deref()?;
    name.split_whitespace().next().map(str::to_owned)
}
