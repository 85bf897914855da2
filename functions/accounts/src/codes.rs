//! `POST /accounts/codes`: a code goes to an address. Whether anybody is known by it is
//! not even looked up, but for the account of the device that asks.
//!
//! Anybody can ask for codes to anybody's address. So what strangers ask for counts for their
//! network first, and ends no code that was sent before; and whoever has proved the address,
//! from this network or with this device, has an allowance that no stranger touches.

use aisle_domain::account::{self, CODE_LIFETIME_MS};
use aisle_domain::brand::Brand;
use aisle_domain::contact::{self, Channel, Purpose};
use aisle_domain::instant::rfc3339;
use aisle_http::command::{self, Answer, Committed};
use aisle_http::shopper::{self, Viewer};
use aisle_http::{Call, Error, Reply, channel, notify_messages};
use aisle_store::idempotency::{self, Claim};
use aisle_store::messages::{self, NewMessage};
use aisle_store::{Batch, limit, new_id, random, sha256_hex, values};
use aisle_ucp::account::{self as wire, Challenge, CodeRequest};
use serde_json::json;

use crate::proof::{code_hash, known_network, too_often};

const QUARTER_MS: i64 = 15 * 60_000;
const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// Codes to one address that one network asks for in 15 minutes, and in a day; the same for a
/// network from which the address was proved, and for a device of its account.
const OF_ONE: i64 = 5;
const OF_ONE_A_DAY: i64 = 20;
/// Codes to one address that all others ask for together: with the guesses that each code
/// allows, what nobody guesses, whoever works together.
const OF_ADDRESS: i64 = 30;
const OF_ADDRESS_A_DAY: i64 = 60;
/// Codes that one network has sent in 15 minutes to addresses that were not proved from it.
const OF_NETWORK: i64 = 30;
/// Codes of a brand in a minute: for those, and for whoever has proved the address before.
const OF_BRAND: i64 = 600;

/// A counter that a code uses up: its name, how often, in how long.
type Limit = (String, i64, i64);

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
        channel::must_be_served(self.channel).await?;
        let (scope, key) = claim.map_or(("", ""), |claim| (&claim.scope, &claim.key));
        let brand_id = &self.brand.id;
        let network = shopper::network(call).await;
        let known = known_network(brand_id, &network, self.channel, self.address);
        // Whose token is over signs in again: that is what a code is for.
        let viewer = Viewer::of(call, brand_id).await.unwrap_or(Viewer::Anybody);
        let sql = format!(
            "SELECT {{now}} AS now_ms, \
             (SELECT count(*) FROM rate_limit n WHERE n.name = ?3 AND n.window_ends_ms > {{now}}) AS known_network, \
             (SELECT count(*) FROM account_identity i WHERE i.brand_id = ?4 AND i.kind = ?5 AND i.address = ?6 \
                AND i.account_id = ?7) AS own_address, {} FROM (SELECT 1 AS one) probe {}",
            idempotency::COLUMNS,
            idempotency::join("?1", "?2")
        );
        let params = values![
            scope,
            key,
            &known,
            brand_id,
            self.channel.identity(),
            self.address,
            viewer.account_id().unwrap_or_default()
        ];
        let row = call.db().query_one_opt(sql, params).await?;
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
        let owners = if row.int("own_address")? > 0 {
            Some(viewer.counted_as(call).await)
        } else {
            (row.int("known_network")? > 0).then_some(known)
        };
        let limits = match owners {
            Some(owner) => self.limits_of_owner(&owner),
            None => self.limits_of_stranger(&network),
        };
        let first = batch.len();
        for (name, most, window_ms) in &limits {
            limit::spend(&mut batch, name, *most, *window_ms);
        }
        self.write(&mut batch, &challenge_id, &fair_code());
        match command::commit(call, claim, answer, batch).await? {
            Committed::Done(reply) => {
                notify_messages();
                Ok(reply)
            }
            Committed::Replayed(reply) => Ok(reply),
            Committed::Unmet(error) => {
                let mut limits = limits.iter().enumerate();
                let reached = limits.find(|(place, _)| error.unmet_at(first + place));
                Err(reached
                    .map_or_else(command::raced, |(_, (.., window_ms))| too_often(*window_ms)))
            }
        }
    }

    /// Of who has not shown that the address is theirs: their network's, then the address's.
    fn limits_of_stranger(&self, network: &str) -> Vec<Limit> {
        let Self { brand, address, .. } = self;
        let brand_id = &brand.id;
        let pair = sha256_hex(format!("{network}/{address}").as_bytes());
        let address = sha256_hex(address.as_bytes());
        let name = |what: &str, whose: &str| format!("code/{brand_id}/{what}/{whose}");
        let mut limits = vec![
            (name("from", network), OF_NETWORK, QUARTER_MS),
            (name("one", &pair), OF_ONE, QUARTER_MS),
            (name("one-day", &pair), OF_ONE_A_DAY, DAY_MS),
        ];
        if self.channel == Channel::Sms && brand.is_abroad(self.address) {
            let most = brand.policies.notification.limits.abroad_of_one_per_day();
            limits.push((messages::abroad_limit(brand_id, network), most, DAY_MS));
        }
        limits.extend([
            (name("to", &address), OF_ADDRESS, QUARTER_MS),
            (name("day", &address), OF_ADDRESS_A_DAY, DAY_MS),
            (format!("code/{brand_id}"), OF_BRAND, MINUTE_MS),
        ]);
        limits
    }

    /// Of who has proved the address before, as that counts (`owner`).
    fn limits_of_owner(&self, owner: &str) -> Vec<Limit> {
        let brand_id = &self.brand.id;
        vec![
            (format!("code/{brand_id}/own/{owner}"), OF_ONE, QUARTER_MS),
            (
                format!("code/{brand_id}/own-day/{owner}"),
                OF_ONE_A_DAY,
                DAY_MS,
            ),
            (format!("code/{brand_id}/own"), OF_BRAND, MINUTE_MS),
        ]
    }

    /// Codes that were sent before stay good: nobody ends another's by asking for one.
    fn write(&self, batch: &mut Batch, challenge_id: &str, code: &str) {
        let Self {
            brand,
            channel,
            address,
            ..
        } = self;
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
