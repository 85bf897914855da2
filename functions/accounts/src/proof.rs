//! Codes that prove an address. A guess is counted whether or not others are made at the
//! same moment: the database counts in the statement that decides.

use aisle_domain::account::{CODE_ATTEMPTS, normalise_code};
use aisle_domain::contact::Channel;
use aisle_http::auth::same_secret;
use aisle_http::{Call, Error};
use aisle_store::{Batch, Row, StoreError, limit, sha256_hex, values};
use aisle_ucp::account::{CODE_OVER, TOO_MANY_TRIES, WRONG_CODE};

/// Wrong codes from one caller, at most, …
const WRONG_OF_CALLER: i64 = 60;
/// … within this long.
const WINDOW_MS: i64 = 15 * 60_000;

/// What a read selects so that [`Challenge::of`] can take it; see [`join`].
pub const COLUMNS: &str = "c.kind AS code_kind, c.address AS code_address, c.code_hash, \
     CASE WHEN wrong.window_ends_ms > {now} THEN wrong.used ELSE 0 END AS wrong_codes";

/// The join that goes with [`COLUMNS`]: the brand, the challenge's id and [`limit_name`] are
/// placeholders such as `?1`.
pub fn join(brand: &str, challenge: &str, limit: &str) -> String {
    format!(
        "LEFT JOIN one_time_code c ON c.brand_id = {brand} AND c.id = {challenge} AND c.used_at_ms IS NULL \
         AND c.expires_at_ms > {{now}} AND c.attempts < {CODE_ATTEMPTS} \
         LEFT JOIN rate_limit wrong ON wrong.name = {limit}"
    )
}

/// By what wrong codes of this caller are counted.
pub async fn limit_name(call: &Call, brand_id: &str) -> String {
    let caller = sha256_hex(call.caller().await.as_bytes());
    format!("wrong-code/{brand_id}/{caller}")
}

/// As it is kept.
pub fn code_hash(challenge_id: &str, code: &str) -> String {
    sha256_hex(format!("{challenge_id}/{code}").as_bytes())
}

/// A code that was sent and can still be used.
pub struct Challenge {
    id: String,
    code_hash: String,
    pub channel: Channel,
    pub address: String,
}

/// Somebody's guess.
pub struct Guess<'a> {
    pub brand_id: &'a str,
    pub challenge_id: &'a str,
    pub code: &'a str,
    /// See [`limit_name`].
    pub limit_name: &'a str,
}

impl Challenge {
    fn of(row: &Row, id: &str) -> Result<Option<Self>, StoreError> {
        let Some(kind) = row.text_opt("code_kind")? else {
            return Ok(None);
        };
        Ok(Some(Self {
            id: id.into(),
            code_hash: row.text("code_hash")?,
            channel: channel(&kind)?,
            address: row.text("code_address")?,
        }))
    }

    /// Uses the code up, unless it is over by now: the index of the statement that is unmet then.
    pub fn use_up(&self, batch: &mut Batch, brand_id: &str) -> usize {
        let statement = batch.len();
        batch.expect(
            1,
            "UPDATE one_time_code SET attempts = attempts + 1, used_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND attempts < ?3 AND used_at_ms IS NULL AND expires_at_ms > {now}",
            values![brand_id, &self.id, CODE_ATTEMPTS],
        );
        statement
    }
}

impl Guess<'_> {
    /// The challenge when the guess is right. A wrong one is counted: 401, 429 for somebody
    /// with many of them. What was never sent and what is over are the same to a caller.
    pub async fn check(&self, call: &Call, row: &Row) -> Result<Challenge, Error> {
        if row.int("wrong_codes")? >= WRONG_OF_CALLER {
            return Err(too_often(WINDOW_MS));
        }
        let challenge = Challenge::of(row, self.challenge_id)?;
        let code = normalise_code(self.code).unwrap_or_default();
        let hash = code_hash(self.challenge_id, &code);
        match challenge {
            Some(challenge) if same_secret(&hash, &challenge.code_hash) => Ok(challenge),
            Some(challenge) => Err(self.wrong(call, &challenge).await?),
            None => {
                self.count_for_caller(call).await?;
                Err(over())
            }
        }
    }

    async fn wrong(&self, call: &Call, challenge: &Challenge) -> Result<Error, Error> {
        let mut batch = Batch::new();
        batch.rows(
            "UPDATE one_time_code SET attempts = attempts + 1 \
             WHERE brand_id = ?1 AND id = ?2 AND attempts < ?3 AND used_at_ms IS NULL AND expires_at_ms > {now} \
             RETURNING attempts",
            values![self.brand_id, &challenge.id, CODE_ATTEMPTS],
        );
        let results = batch.commit(call.db()).await?;
        self.count_for_caller(call).await?;
        let counted = results.first().and_then(|result| result.rows.first());
        let Some(row) = counted else {
            return Ok(over());
        };
        let left = CODE_ATTEMPTS - row.int("attempts")?;
        let error = refused(WRONG_CODE, "this is not the code that was sent");
        Ok(error.with("attempts_left", left))
    }

    async fn count_for_caller(&self, call: &Call) -> Result<(), Error> {
        limit::allows(call.db(), self.limit_name, WRONG_OF_CALLER, WINDOW_MS).await?;
        Ok(())
    }
}

/// 401: used, ended, expired, guessed at too often, or never sent.
pub fn over() -> Error {
    refused(CODE_OVER, "this code is over; ask for a new one")
}

/// 429: at most so often in a window of so long.
pub fn too_often(window_ms: i64) -> Error {
    let seconds = (window_ms / 1_000).to_string();
    Error::new(429, TOO_MANY_TRIES, "too many tries; wait a while").header("retry-after", &seconds)
}

/// What an address of this kind is reached by.
pub fn channel(kind: &str) -> Result<Channel, StoreError> {
    [Channel::Sms, Channel::Email]
        .into_iter()
        .find(|channel| channel.identity() == kind)
        .ok_or_else(|| StoreError::Bug(format!("an identity of kind {kind}")))
}

fn refused(code: &str, detail: &str) -> Error {
    Error::new(401, code, detail).header("www-authenticate", "Bearer realm=\"aisle\"")
}
