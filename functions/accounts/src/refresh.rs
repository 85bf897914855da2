//! `POST /accounts/sessions/refresh`: a refresh token works once. One that comes again was
//! stolen, by whoever came first or by whoever comes now: the session is over for both.

use std::rc::Rc;

use aisle_domain::account::{self as domain, Exchange, Shown};
use aisle_domain::brand::Brand;
use aisle_domain::instant::rfc3339;
use aisle_http::{Call, Error, Reply, command, shopper};
use aisle_store::{Batch, BatchError, Row, new_token, sha256_hex, values};
use aisle_ucp::account::{RefreshRequest, SignedIn};

use crate::account::{self, Known};
use crate::sessions;
use crate::tokens::{Pair, REFRESH_PREFIX};

/// Looks at the token, at most: a lost race is followed by a fresh look.
const ROUNDS: usize = 3;

struct Request<'a> {
    call: &'a Call,
    brand: Rc<Brand>,
    token: &'a str,
    hash: String,
    /// Of the idempotency key, hashed.
    key: Option<String>,
}

/// The token's row, with its session's.
struct TokenRow<'a> {
    row: &'a Row,
    session_id: String,
    now_ms: i64,
}

/// `POST /accounts/sessions/refresh`
pub async fn refresh(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let request: RefreshRequest = call.json().await?;
    let key = call.idempotency_key()?;
    let signed_in = exchange(call, brand, &request.refresh_token, key).await?;
    Reply::json(200, &signed_in)
}

/// The next pair of tokens. `key` is what the request is known by, so that its answer can be
/// given again.
pub async fn exchange(
    call: &Call,
    brand: Rc<Brand>,
    token: &str,
    key: Option<&str>,
) -> Result<SignedIn, Error> {
    if !token.starts_with(REFRESH_PREFIX) {
        return Err(unknown());
    }
    let request = Request {
        call,
        brand,
        token,
        hash: sha256_hex(token.as_bytes()),
        key: key.map(|key| sha256_hex(key.as_bytes())),
    };
    for _ in 0..ROUNDS {
        if let Some(signed_in) = request.round().await? {
            return Ok(signed_in);
        }
    }
    Err(command::raced())
}

impl Request<'_> {
    /// `None`: somebody was faster; look again.
    async fn round(&self) -> Result<Option<SignedIn>, Error> {
        let row = self.read().await?.ok_or_else(unknown)?;
        let known = TokenRow {
            session_id: row.text("session_id")?,
            now_ms: row.int("now_ms")?,
            row: &row,
        };
        match self.judge(&known)? {
            Exchange::Fresh => self.rotate(&known).await,
            Exchange::Again => self.again(&known).map(Some),
            Exchange::Stolen => {
                self.end(&known).await?;
                Err(refused(
                    "refresh_token_reused",
                    "this token was used before, so somebody else may have it: the device is signed out",
                ))
            }
            Exchange::Over => Err(refused(
                "session_over",
                "this device is signed out; sign in again",
            )),
        }
    }

    async fn read(&self) -> Result<Option<Row>, Error> {
        let sql = format!(
            "SELECT {{now}} AS now_ms, r.session_id, r.used_at_ms, r.used_key, r.salt, n.used_at_ms AS successor_used, \
             s.created_at_ms, s.access_hash, s.access_expires_at_ms, s.expires_at_ms, {}, \
             CASE WHEN s.revoked_at_ms IS NULL AND s.expires_at_ms > {{now}} AND a.status = 'active' THEN 0 ELSE 1 END AS is_over \
             FROM account_refresh r JOIN account_session s ON s.id = r.session_id \
             JOIN account a ON a.id = s.account_id \
             LEFT JOIN account_refresh n ON n.token_hash = r.successor_hash \
             WHERE r.token_hash = ?1 AND r.brand_id = ?2",
            account::columns(self.call.db().dialect())
        );
        let params = values![&self.hash, &self.brand.id];
        Ok(self.call.db().query_one_opt(sql, params).await?)
    }

    fn judge(&self, known: &TokenRow) -> Result<Exchange, Error> {
        let row = known.row;
        let used_key = row.text_opt("used_key")?;
        let shown = Shown {
            session_over: row.int("is_over")? == 1,
            used_at_ms: row.int_opt("used_at_ms")?,
            used_key: used_key.as_deref(),
            successor_used: row.int_opt("successor_used")?.is_some(),
        };
        Ok(shown.judge(self.key.as_deref(), known.now_ms))
    }

    async fn rotate(&self, known: &TokenRow<'_>) -> Result<Option<SignedIn>, Error> {
        let salt = new_token();
        let pair = Pair::successor(self.token, &salt);
        let ends_at_ms = domain::session_ends_at_ms(known.row.int("created_at_ms")?, known.now_ms);
        let access_ends_at_ms = domain::access_ends_at_ms(ends_at_ms, known.now_ms);
        let account_id = known.row.text("account_id")?;
        let (brand_id, session_id) = (&self.brand.id, &known.session_id);
        let mut batch = Batch::new();
        batch.expect(
            1,
            "UPDATE account_refresh SET used_at_ms = {now}, used_key = ?2, salt = ?3, successor_hash = ?4 \
             WHERE token_hash = ?1 AND used_at_ms IS NULL",
            values![&self.hash, self.key.clone(), &salt, pair.refresh_hash()],
        );
        batch.add(
            "UPDATE account_refresh SET salt = NULL WHERE session_id = ?1 AND token_hash <> ?2 AND salt IS NOT NULL",
            values![session_id, &self.hash],
        );
        batch.expect(
            1,
            "INSERT INTO account_refresh (token_hash, brand_id, session_id, issued_at_ms) VALUES (?1, ?2, ?3, {now})",
            values![pair.refresh_hash(), brand_id, session_id],
        );
        batch.expect(
            1,
            "UPDATE account_session SET access_hash = ?3, access_expires_at_ms = ?4, expires_at_ms = ?5, \
             last_used_at_ms = {now} WHERE brand_id = ?1 AND id = ?2 AND revoked_at_ms IS NULL AND expires_at_ms > {now}",
            values![brand_id, session_id, pair.access_hash(), access_ends_at_ms, ends_at_ms],
        );
        batch.expect(
            1,
            "UPDATE account SET last_seen_at_ms = {now} WHERE brand_id = ?1 AND id = ?2 AND status = 'active'",
            values![brand_id, &account_id],
        );
        match batch.commit(self.call.db()).await {
            Ok(_) => {
                shopper::forget(&known.row.text("access_hash")?);
                self.signed_in(known, pair, access_ends_at_ms, ends_at_ms)
                    .map(Some)
            }
            Err(BatchError::Unmet { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The answer that was lost.
    fn again(&self, known: &TokenRow) -> Result<SignedIn, Error> {
        let pair = Pair::successor(self.token, &known.row.text("salt")?);
        let access_ends_at_ms = known.row.int("access_expires_at_ms")?;
        self.signed_in(
            known,
            pair,
            access_ends_at_ms,
            known.row.int("expires_at_ms")?,
        )
    }

    fn signed_in(
        &self,
        known: &TokenRow,
        pair: Pair,
        access_ends_at_ms: i64,
        ends_at_ms: i64,
    ) -> Result<SignedIn, Error> {
        Ok(SignedIn {
            session_id: known.session_id.clone(),
            access_token: Some(pair.access),
            expires_at: rfc3339(access_ends_at_ms),
            refresh_token: Some(pair.refresh),
            refresh_expires_at: rfc3339(ends_at_ms),
            account: Known::of(known.row)?.map(|account| account.view()),
        })
    }

    async fn end(&self, known: &TokenRow<'_>) -> Result<(), Error> {
        let mut batch = Batch::new();
        sessions::revoke(&mut batch, &self.brand.id, &known.session_id, "reuse");
        batch.commit(self.call.db()).await?;
        shopper::forget(&known.row.text("access_hash")?);
        Ok(())
    }
}

/// Signs out the device that has this refresh token, if any has.
pub async fn sign_out(call: &Call, brand_id: &str, token: &str) -> Result<(), Error> {
    let mut batch = Batch::new();
    batch.add(
        "UPDATE account_session SET revoked_at_ms = {now}, revoked_because = 'signed_out' \
         WHERE brand_id = ?1 AND revoked_at_ms IS NULL \
           AND id = (SELECT r.session_id FROM account_refresh r WHERE r.token_hash = ?2)",
        values![brand_id, sha256_hex(token.as_bytes())],
    );
    batch.commit(call.db()).await?;
    Ok(())
}

fn unknown() -> Error {
    refused(
        "refresh_token_unknown",
        "this refresh token is not known; sign in again",
    )
}

fn refused(code: &str, detail: &str) -> Error {
    Error::new(401, code, detail).header("www-authenticate", "Bearer realm=\"aisle\"")
}
