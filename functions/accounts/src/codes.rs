//! `POST /accounts/codes`: a code goes to an address. Whether anybody is known by it is
//! not even looked up.

use aisle_domain::account::{self, CODE_LIFETIME_MS};
use aisle_domain::brand::Brand;
use aisle_domain::contact::{self, Channel, Purpose};
use aisle_domain::instant::rfc3339;
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_messages};
use aisle_store::idempotency::{self, Claim};
use aisle_store::messages::{self, NewMessage};
use aisle_store::{Batch, limit, new_id, random, sha256_hex, values};
use aisle_ucp::account::{self as wire, Challenge, CodeRequest};
use serde_json::json;

use crate::proof::{code_hash, too_often};

const QUARTER_MS: i64 = 15 * 60_000;
const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// Codes to one address in 15 minutes, and in a day.
const OF_ADDRESS: i64 = 5;
const OF_ADDRESS_A_DAY: i64 = 20;
/// Codes that one caller has sent in 15 minutes.
const OF_CALLER: i64 = 30;
/// Codes of a brand in a minute.
const OF_BRAND: i64 = 600;

/// `POST /accounts/codes`
pub async fn send(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let body = call.body().await?;
    let request: CodeRequest = call.parse(&body)?;
    wire::check_locale("$.locale", request.locale.as_deref()).map_err(Error::invalid_member)?;
    let address = address(&brand, request.channel, &request.address)?;
    let claim = call.claim(&brand.id, "send-code", &body)?;
    let code = NewCode {
        brand: &brand,
        channel: request.channel,
        address: &address,
        locale: request.locale.as_deref(),
    };
    code.send(call, claim.as_ref()).await
}

/// The address as it is kept; 422 when nobody can be reached by it.
pub fn address(brand: &Brand, channel: Channel, text: &str) -> Result<String, Error> {
    let found = match channel {
        Channel::Sms => brand.phone(text, &brand.country).map(|phone| phone.e164),
        Channel::Email => contact::email(text),
    };
    found.map_err(|error| Error::unprocessable(error.code, "$.address", error.detail))
}

pub struct NewCode<'a> {
    pub brand: &'a Brand,
    pub channel: Channel,
    pub address: &'a str,
    pub locale: Option<&'a str>,
}

impl NewCode<'_> {
    /// Writes the code and its message down: the answer is the [`Challenge`].
    pub async fn send(&self, call: &Call, claim: Option<&Claim>) -> Result<Reply, Error> {
        let (scope, key) = claim.map_or(("", ""), |claim| (&claim.scope, &claim.key));
        let sql = format!(
            "SELECT {{now}} AS now_ms, {} FROM (SELECT 1 AS one) probe {}",
            idempotency::COLUMNS,
            idempotency::join("?1", "?2")
        );
        let row = call.db().query_one_opt(sql, values![scope, key]).await?;
        let row = row.ok_or_else(|| Error::internal("a read without its one row"))?;
        if let Some(claim) = claim
            && let Some(reply) = call.replay(claim.outcome(&row)?)?
        {
            return Ok(reply);
        }
        let challenge_id = new_id();
        let challenge = Challenge {
            challenge_id: challenge_id.clone(),
            expires_at: rfc3339(row.int("now_ms")? + CODE_LIFETIME_MS),
        };
        let answer = Answer::new(202, &challenge)?;
        let mut batch = command::begin(claim, &answer);
        let limits = self.limit(&mut batch, &call.caller().await);
        self.replace(&mut batch, &challenge_id, &fair_code());
        match command::commit(call, claim, answer, batch).await? {
            Committed::Done(reply) => {
                notify_messages();
                Ok(reply)
            }
            Committed::Replayed(reply) => Ok(reply),
            Committed::Unmet(error) => {
                let reached = limits
                    .iter()
                    .find(|(statement, _)| error.unmet_at(*statement));
                Err(reached.map_or_else(command::raced, |(_, window_ms)| too_often(*window_ms)))
            }
        }
    }

    /// Counts, the address first: whoever waits for its row finds the code that came before.
    /// Answers the statements and the windows.
    fn limit(&self, batch: &mut Batch, caller: &str) -> Vec<(usize, i64)> {
        let brand_id = &self.brand.id;
        let address = sha256_hex(self.address.as_bytes());
        let caller = sha256_hex(caller.as_bytes());
        let limits = [
            (
                format!("code/{brand_id}/to/{address}"),
                OF_ADDRESS,
                QUARTER_MS,
            ),
            (
                format!("code/{brand_id}/day/{address}"),
                OF_ADDRESS_A_DAY,
                DAY_MS,
            ),
            (
                format!("code/{brand_id}/from/{caller}"),
                OF_CALLER,
                QUARTER_MS,
            ),
            (format!("code/{brand_id}"), OF_BRAND, MINUTE_MS),
        ];
        let spent = limits.iter().map(|(name, most, window_ms)| {
            let statement = batch.len();
            limit::spend(batch, name, *most, *window_ms);
            (statement, *window_ms)
        });
        spent.collect()
    }

    /// The new code ends the one before it.
    fn replace(&self, batch: &mut Batch, challenge_id: &str, code: &str) {
        let Self {
            brand,
            channel,
            address,
            ..
        } = self;
        batch.add(
            "UPDATE one_time_code SET used_at_ms = {now} \
             WHERE brand_id = ?1 AND kind = ?2 AND address = ?3 AND used_at_ms IS NULL",
            values![&brand.id, channel.identity(), *address],
        );
        batch.expect(
            1,
            "INSERT INTO one_time_code (id, brand_id, kind, address, code_hash, created_at_ms, expires_at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, {now}, {now} + ?6)",
            values![
                challenge_id,
                &brand.id,
                channel.identity(),
                *address,
                code_hash(challenge_id, code),
                CODE_LIFETIME_MS
            ],
        );
        let message = NewMessage {
            brand_id: &brand.id,
            dedup_key: &format!("code/{challenge_id}"),
            channel: *channel,
            address,
            purpose: Purpose::Code,
            template: "code",
            locale: self.locale.unwrap_or(&brand.language),
            params: json!({"code": code, "brand": brand.name}).to_string(),
            order_id: None,
            account_id: None,
            invite_id: None,
            expires_in_ms: CODE_LIFETIME_MS,
        };
        messages::enqueue(batch, &message);
    }
}

/// Draws until the bytes decide on a code, which they nearly always do at once.
fn fair_code() -> String {
    loop {
        if let Some(code) = account::code(random()) {
            return code;
        }
    }
}
