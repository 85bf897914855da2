//! The devices that are signed in: listed, and signed out one by one.

use aisle_domain::account::MAX_SESSIONS;
use aisle_domain::id::is_id;
use aisle_domain::instant::rfc3339;
use aisle_http::shopper::{self, Shopper};
use aisle_http::{Call, Error, Reply};
use aisle_store::{Batch, Row, StatementResult, StoreError, values};
use aisle_ucp::account::{Session, SessionList};

/// `GET /accounts/me/sessions`
pub async fn list(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let rows = call
        .db()
        .query(
            "SELECT id, device_name, created_at_ms, last_used_at_ms, expires_at_ms FROM account_session \
             WHERE brand_id = ?1 AND account_id = ?2 AND revoked_at_ms IS NULL AND expires_at_ms > {now} \
             ORDER BY last_used_at_ms DESC, id DESC LIMIT ?3",
            values![&brand.id, &shopper.account_id, MAX_SESSIONS],
        )
        .await?;
    let sessions = rows.iter().map(|row| view(row, &shopper));
    let sessions = sessions.collect::<Result<_, _>>()?;
    Reply::json(200, &SessionList { sessions })
}

fn view(row: &Row, shopper: &Shopper) -> Result<Session, StoreError> {
    let id = row.text("id")?;
    Ok(Session {
        current: id == shopper.session_id,
        id,
        device_name: row.text("device_name")?,
        created_at: rfc3339(row.int("created_at_ms")?),
        last_used_at: rfc3339(row.int("last_used_at_ms")?),
        expires_at: rfc3339(row.int("expires_at_ms")?),
    })
}

/// `DELETE /accounts/me/sessions/{id}`
pub async fn end(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let missing = || Error::not_found("session_not_found", "the account has no such device");
    if !is_id(id) {
        return Err(missing());
    }
    let mut batch = Batch::new();
    batch.rows(
        "UPDATE account_session SET revoked_at_ms = {now}, revoked_because = 'revoked' \
         WHERE brand_id = ?1 AND account_id = ?2 AND id = ?3 AND revoked_at_ms IS NULL AND expires_at_ms > {now} \
         RETURNING access_hash",
        values![&brand.id, &shopper.account_id, id],
    );
    let results = batch.commit(call.db()).await?;
    if !forget(&results)? {
        return Err(missing());
    }
    Ok(Reply::empty(204))
}

/// `POST /accounts/sign-out`
pub async fn sign_out(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    end_own(call, &shopper).await?;
    Ok(Reply::empty(204))
}

/// Signs out the device that asks.
pub async fn end_own(call: &Call, shopper: &Shopper) -> Result<(), Error> {
    let mut batch = Batch::new();
    revoke(
        &mut batch,
        &shopper.brand_id,
        &shopper.session_id,
        "signed_out",
    );
    forget(&batch.commit(call.db()).await?)?;
    Ok(())
}

/// Ends a session, which need not be live any more; its access token's hash comes back.
pub fn revoke(batch: &mut Batch, brand_id: &str, session_id: &str, because: &str) {
    batch.rows(
        "UPDATE account_session SET revoked_at_ms = {now}, revoked_because = ?3 \
         WHERE brand_id = ?1 AND id = ?2 AND revoked_at_ms IS NULL RETURNING access_hash",
        values![brand_id, session_id, because],
    );
}

/// What this instance remembers of the devices whose hashes came back; whether any did.
fn forget(results: &[StatementResult]) -> Result<bool, StoreError> {
    let rows = || results.iter().flat_map(|result| &result.rows);
    for row in rows() {
        shopper::forget(&row.text("access_hash")?);
    }
    Ok(rows().next().is_some())
}
