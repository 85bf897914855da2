//! Carts that nobody has changed for as long as the brand keeps them, but for those that a
//! checkout still leads to. They are gone through from the oldest and then again, so that what
//! has to stay is not looked at each time.

use aisle_domain::brand::Brand;
use aisle_http::{Call, Error};
use aisle_store::{Batch, values};
use aisle_ucp::account::RetentionRun;

use super::DAY_MS;
use super::chores::settled;

/// Carts that one run looks at, at most, of each brand.
const RUN_CARTS: usize = 100;

/// The next page after where the walk stopped: `?1` brand, `?2` age, `?3` rows. A place on the
/// walk is the time with 15 digits, a stroke and the id.
const NEXT: &str = "SELECT c.id, c.updated_at_ms, \
       CASE WHEN EXISTS (SELECT 1 FROM checkout_session s WHERE s.cart_id = c.id) THEN 0 ELSE 1 END AS is_over \
     FROM cart c WHERE c.brand_id = ?1 AND c.updated_at_ms <= {now} - ?2 AND c.expires_at_ms <= {now} \
       AND (c.updated_at_ms, c.id) > (coalesce((SELECT CAST(substr(w.up_to, 1, 15) AS BIGINT) FROM retention_walk w \
           WHERE w.brand_id = ?1 AND w.kind = 'cart'), 0), \
         coalesce((SELECT substr(w.up_to, 17) FROM retention_walk w WHERE w.brand_id = ?1 AND w.kind = 'cart'), '')) \
     ORDER BY c.updated_at_ms, c.id LIMIT ?3";

pub async fn run(call: &Call, brand: &Brand, run: &mut RetentionRun) -> Result<(), Error> {
    let age_ms = brand.policies.retention.cart_days * DAY_MS;
    let db = call.db();
    let params = values![&brand.id, age_ms, RUN_CARTS as i64];
    let rows = db.recall(NEXT, params).await?;
    let mut over = Vec::new();
    for row in &rows {
        if row.int("is_over")? == 1 {
            over.push(row.text("id")?);
        }
    }
    let mut batch = Batch::new();
    match rows.last().filter(|_| rows.len() == RUN_CARTS) {
        Some(last) => {
            let up_to = format!("{:015}/{}", last.int("updated_at_ms")?, last.text("id")?);
            batch.add(
                "INSERT INTO retention_walk (brand_id, kind, up_to) VALUES (?1, 'cart', ?2) \
                 ON CONFLICT (brand_id, kind) DO UPDATE SET up_to = excluded.up_to",
                values![&brand.id, up_to],
            );
        }
        None => {
            batch.add(
                "DELETE FROM retention_walk WHERE brand_id = ?1 AND kind = 'cart'",
                values![&brand.id],
            );
        }
    }
    if over.is_empty() {
        return batch.commit(db).await.map(drop).map_err(Error::from);
    }
    run.more |= rows.len() == RUN_CARTS;
    let (ids, wanted) = (
        serde_json::Value::from(over).to_string(),
        db.dialect().among("?2"),
    );
    for (table, column) in [
        ("cart_merged", "cart_id"),
        ("cart_merged", "into_cart_id"),
        ("cart_version", "cart_id"),
        ("account_cart", "cart_id"),
        ("cart", "id"),
    ] {
        batch.count(
            format!("DELETE FROM {table} WHERE brand_id = ?1 AND {column} {wanted}"),
            values![&brand.id, &ids],
        );
    }
    run.settled += settled(batch.commit(db).await)?;
    Ok(())
}
