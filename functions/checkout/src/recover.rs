//! `POST /checkout-sessions/recover`: ends completions that were cut short and that
//! nobody came back to, so that no stock stays reserved for them, and accounts' carts whose
//! time is over, so that devices hear of it. A ticker calls it.

use aisle_http::{Call, Error, Reply, auth};
use aisle_store::{Batch, carts, values};
use serde::Serialize;

use crate::complete::{self, INTERRUPTED_MS};
use crate::facts::{Facts, Question};

/// Sessions ended in one run, at most; what is left is the next run's.
const RUN_SESSIONS: i64 = 20;
/// The same of carts.
const RUN_CARTS: i64 = 100;

#[derive(Default, Serialize)]
struct Run {
    /// Sessions that are open again or completed.
    settled: usize,
    /// Carts whose time was over.
    expired_carts: usize,
    /// Whether the run stopped at its limit, so that some may be left.
    more: bool,
}

pub async fn recover(call: &Call) -> Result<Reply, Error> {
    auth::housekeeper(call).await?;
    let expired_carts = expire_carts(call).await?;
    let sql = "SELECT o.brand_id, o.checkout_session_id FROM payment p CROSS JOIN customer_order o \
               WHERE o.id = p.order_id AND o.status = 'pending' AND p.status = 'started' AND p.updated_at_ms < {now} - ?1 \
               ORDER BY p.updated_at_ms, p.id LIMIT ?2";
    let rows = call
        .db()
        .recall(sql, values![INTERRUPTED_MS, RUN_SESSIONS])
        .await?;
    let mut run = Run {
        more: rows.len() as i64 == RUN_SESSIONS || expired_carts as i64 == RUN_CARTS,
        expired_carts,
        ..Run::default()
    };
    if rows.is_empty() {
        return Reply::json(200, &run);
    }
    let brands = call.model().brands().await?;
    for row in &rows {
        let (brand_id, session_id) = (row.text("brand_id")?, row.text("checkout_session_id")?);
        let Some(brand) = brands.iter().find(|brand| brand.id == brand_id) else {
            continue;
        };
        let question = Question {
            session_id: Some(&session_id),
            attempt: true,
            ..Question::default()
        };
        let facts = Facts::read(call, brand, None, question).await?;
        run.settled += usize::from(complete::settle_interrupted(call, brand, &facts).await?);
    }
    Reply::json(200, &run)
}

/// Ends carts that nobody has changed for a month. Of those that are nobody's no device has to
/// hear, and nothing of them changes but that they are not looked for again.
async fn expire_carts(call: &Call) -> Result<usize, Error> {
    let sql = "SELECT c.id, c.brand_id, a.account_id FROM cart c LEFT JOIN account_cart a ON a.cart_id = c.id \
               WHERE c.status = 'active' AND c.expires_at_ms <= {now} ORDER BY c.expires_at_ms, c.id LIMIT ?1";
    let rows = call.db().recall(sql, values![RUN_CARTS]).await?;
    let (mut batch, mut nobodys) = (Batch::new(), Vec::new());
    for row in &rows {
        let (brand_id, id) = (row.text("brand_id")?, row.text("id")?);
        if row.text_opt("account_id")?.is_none() {
            nobodys.push(id);
            continue;
        }
        batch.add(
            "UPDATE cart SET status = 'expired', version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND status = 'active' AND expires_at_ms <= {now}",
            values![&brand_id, &id],
        );
        carts::end(&mut batch, &brand_id, &id);
    }
    if !nobodys.is_empty() {
        batch.add(
            format!(
                "UPDATE cart SET status = 'expired' WHERE id {} AND status = 'active' AND expires_at_ms <= {{now}}",
                call.db().dialect().among("?1")
            ),
            values![serde_json::Value::from(nobodys).to_string()],
        );
    }
    if !batch.is_empty() {
        batch.commit(call.db()).await?;
    }
    Ok(rows.len())
}
