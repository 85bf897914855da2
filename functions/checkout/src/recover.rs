//! `POST /checkout-sessions/recover`: ends completions that were cut short and that
//! nobody came back to, so that no stock stays reserved for them. A ticker calls it.

use aisle_http::{Call, Error, Reply, auth};
use aisle_store::values;
use serde::Serialize;

use crate::complete::{self, INTERRUPTED_MS};
use crate::facts::{Facts, Question};

/// Sessions ended in one run, at most; what is left is the next run's.
const RUN_SESSIONS: i64 = 20;

#[derive(Default, Serialize)]
struct Run {
    /// Sessions that are open again or completed.
    settled: usize,
    /// Whether the run stopped at its limit, so that some may be left.
    more: bool,
}

pub async fn recover(call: &Call) -> Result<Reply, Error> {
    auth::housekeeper(call).await?;
    let sql = "SELECT o.brand_id, o.checkout_session_id FROM customer_order o JOIN payment p ON p.order_id = o.id \
               WHERE o.status = 'pending' AND p.status = 'started' AND p.updated_at_ms < {now} - ?1 \
               ORDER BY o.updated_at_ms LIMIT ?2";
    let rows = call
        .db()
        .query(sql, values![INTERRUPTED_MS, RUN_SESSIONS])
        .await?;
    let mut run = Run {
        more: rows.len() as i64 == RUN_SESSIONS,
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
