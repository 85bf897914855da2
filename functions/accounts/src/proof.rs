//! Codes that prove an address. A guess is counted whether or not others are made at the
//! same moment: the database counts in the statement that decides.
//!
//! A wrong code counts for the network that sent it, then for the challenge. What a network has
//! used up costs its people all but the first guess at each challenge, so that whoever types the
//! code that they were sent gets in, whatever others of the same network do.

use aisle_domain::account::{CODE_ATTEMPTS, normalise_code};
use aisle_domain::contact::Channel;
use aisle_http::auth::same_secret;
use aisle_http::{Call, Error};
use aisle_store::{Batch, Row, StoreError, limit, sha256_hex, values};
use aisle_ucp::account::{CODE_OVER, TOO_MANY_TRIES, WRONG_CODE};

/// Wrong codes from one network, at most, …
const WRONG_OF_NETWORK: i64 = 60;
/// … within this long.
const WINDOW_MS: i64 = 15 * 60_000;
/// Guesses at one challenge from a network beyond that.
const LAST_ATTEMPTS: i64 = 1;
/// For so long a network counts as one from which an address was proved.
const KNOWN_MS: i64 = 90 * 86_400_000;

/// What a read selects so that [`Challenge::of`] can take it; see [`join`].
pub const COLUMNS: &str = "c.kind AS code_kind, c.address AS code_address, c.code_hash, \
     c.attempts AS code_attempts, CASE WHEN wrong.window_ends_ms > {now} THEN wrong.used ELSE 0 END AS wrong_codes";

/// The join that goes with [`COLUMNS`]: the brand, the challenge's id and [`wrong_codes`] are
/// placeholders such as `?1`.
pub fn join(brand: &str, challenge: &str, limit: &str) -> String {
    format!(
        "LEFT JOIN one_time_code c ON c.brand_id = {brand} AND c.id = {challenge} AND c.used_at_ms IS NULL \
         AND c.expires_at_ms > {{now}} AND c.attempts < {CODE_ATTEMPTS} \
         LEFT JOIN rate_limit wrong ON wrong.name = {limit}"
    )
}

/// By what the wrong codes of a network ([`aisle_http::shopper::network`]) are counted.
pub fn wrong_codes(brand_id: &str, network: &str) -> String {
    format!("wrong-code/{brand_id}/{network}")
}

/// What is remembered while a network is known to be one from which the address was proved.
pub fn known_network(brand_id: &str, network: &str, channel: Channel, address: &str) -> String {
    let kind = channel.identity();
    let digest = sha256_hex(format!("{brand_id}/{network}/{kind}/{address}").as_bytes());
    format!("proved/{digest}")
}

/// As it is kept.
pub fn code_hash(challenge_id: &str, code: &str) -> String {
    sha256_hex(format!("{challenge_id}/{code}").as_bytes())
}

/// A code that was sent and can still be used.
pub struct Challenge {
    id: String,
    code_hash: String,
    /// Where the guess came from.
    network: String,
    /// Guesses at it, at most.
    most_attempts: i64,
    pub channel: Channel,
    pub address: String,
}

/// Somebody's guess.
pub struct Guess<'a> {
    pub brand_id: &'a str,
    pub challenge_id: &'a str,
    pub code: &'a str,
    /// See [`aisle_http::shopper::network`].
    pub network: &'a str,
}

impl Challenge {
    fn of(row: &Row, guess: &Guess<'_>, most_attempts: i64) -> Result<Option<Self>, StoreError> {
        let Some(kind) = row.text_opt("code_kind")? else {
            return Ok(None);
        };
        if row.int("code_attempts")? >= most_attempts {
            return Ok(None);
        }
        Ok(Some(Self {
            id: guess.challenge_id.into(),
            code_hash: row.text("code_hash")?,
            network: guess.network.into(),
            most_attempts,
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
            values![brand_id, &self.id, self.most_attempts],
        );
        let known = known_network(brand_id, &self.network, self.channel, &self.address);
        limit::remember(batch, &known, KNOWN_MS);
        statement
    }
}

impl Guess<'_> {
    /// The challenge when the guess is right. A wrong one is counted: 401, 429 where there were
    /// many of them. What was never sent and what is over are the same to a caller.
    pub async fn check(&self, call: &Call, row: &Row) -> Result<Challenge, Error> {
        let used_up = row.int("wrong_codes")? >= WRONG_OF_NETWORK;
        let most_attempts = if used_up {
            LAST_ATTEMPTS
        } else {
            CODE_ATTEMPTS
        };
        let challenge = Challenge::of(row, self, most_attempts)?;
        let code = normalise_code(self.code).unwrap_or_default();
        let hash = code_hash(self.challenge_id, &code);
        match challenge {
            Some(challenge) if same_secret(&hash, &challenge.code_hash) => Ok(challenge),
            None if used_up => Err(too_often(WINDOW_MS)),
            challenge => Err(self.wrong(call, challenge.as_ref()).await?),
        }
    }

    async fn wrong(&self, call: &Call, challenge: Option<&Challenge>) -> Result<Error, Error> {
        let mut batch = Batch::new();
        let name = wrong_codes(self.brand_id, self.network);
        limit::count(&mut batch, &name, WINDOW_MS);
        if let Some(challenge) = challenge {
            batch.rows(
                "UPDATE one_time_code SET attempts = attempts + 1 \
                 WHERE brand_id = ?1 AND id = ?2 AND attempts < ?3 AND used_at_ms IS NULL AND expires_at_ms > {now} \
                 RETURNING attempts",
                values![self.brand_id, &challenge.id, challenge.most_attempts],
            );
        }
        let results = batch.commit(call.db()).await?;
        let counted = results.get(1).and_then(|result| result.rows.first());
        let (Some(row), Some(challenge)) = (counted, challenge) else {
            return Ok(over());
        };
        let left = challenge.most_attempts - row.int("attempts")?;
        let error = refused(WRONG_CODE, "this is not the code that was sent");
        Ok(error.with("attempts_left", left))
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
