//! What nobody may do with a device that was left lying about: whoever asks must have signed in
//! lately, or send a code that went to one of the account's addresses.

use aisle_domain::account::FRESH_MS;
use aisle_http::shopper::{self, Shopper};
use aisle_http::{Call, Error, Reply};
use aisle_store::idempotency::{self, Claim};
use aisle_store::{Batch, Row, values};
use aisle_ucp::account::Proof;

use crate::account::{self, Known};
use crate::proof::{self, Challenge, Guess};

/// Whoever asks is sure to be the account's person.
pub struct Sure {
    pub known: Known,
    /// Of the device's access token.
    pub access_hash: String,
    challenge: Option<Challenge>,
}

impl Sure {
    /// One call; the answer when the claim's key was answered before. 403 for who is not sure.
    pub async fn check(
        call: &Call,
        shopper: &Shopper,
        body: &[u8],
        claim: Option<&Claim>,
    ) -> Result<Result<Self, Reply>, Error> {
        let proof: Option<Proof> = match body.is_empty() {
            true => None,
            false => call.parse(body)?,
        };
        let brand_id = &shopper.brand_id;
        let network = shopper::network(call).await;
        let sql = format!(
            "SELECT {{now}} - s.created_at_ms AS signed_in_ms, s.access_hash, {}, {}, {} \
             FROM account a JOIN account_session s ON s.account_id = a.id AND s.id = ?3 {} {} \
             WHERE a.brand_id = ?1 AND a.id = ?2 AND a.status = 'active'",
            idempotency::COLUMNS,
            proof::COLUMNS,
            account::columns(call.db().dialect()),
            idempotency::join("?4", "?5"),
            proof::join("?1", "?6", "?7"),
        );
        let (scope, key) = claim.map_or(("", ""), |claim| (&claim.scope, &claim.key));
        let challenge_id = proof.as_ref().map_or("", |proof| &proof.challenge_id);
        let params = values![
            brand_id,
            &shopper.account_id,
            &shopper.session_id,
            scope,
            key,
            challenge_id,
            proof::wrong_codes(brand_id, &network)
        ];
        let row = call.db().query_one_opt(sql, params).await?;
        let row = row.ok_or_else(account::gone)?;
        if let Some(claim) = claim
            && let Some(reply) = call.replay(claim.outcome(&row)?)?
        {
            return Ok(Err(reply));
        }
        let challenge = match &proof {
            Some(proof) => {
                let guess = Guess {
                    brand_id,
                    challenge_id: &proof.challenge_id,
                    code: &proof.code,
                    network: &network,
                };
                Some(guess.check(call, &row).await?)
            }
            None => None,
        };
        let known = Known::of(&row)?.ok_or_else(account::gone)?;
        must_be_sure(&row, &known, challenge.as_ref())?;
        Ok(Ok(Self {
            known,
            access_hash: row.text("access_hash")?,
            challenge,
        }))
    }

    /// Uses the code up, if there is one: the index of the statement that is unmet when it is
    /// over by now.
    pub fn use_up(&self, batch: &mut Batch, brand_id: &str) -> Option<usize> {
        let challenge = self.challenge.as_ref();
        challenge.map(|challenge| challenge.use_up(batch, brand_id))
    }
}

fn must_be_sure(row: &Row, known: &Known, challenge: Option<&Challenge>) -> Result<(), Error> {
    let Some(challenge) = challenge else {
        return must_be_fresh(row);
    };
    let mut own = known.identities.iter();
    match own.any(|own| own.channel == challenge.channel && own.address == challenge.address) {
        true => Ok(()),
        false => Err(unsure(
            "this code was sent to none of the account's addresses",
        )),
    }
}

/// 403 unless the device has signed in lately: column `signed_in_ms`.
pub fn must_be_fresh(row: &Row) -> Result<(), Error> {
    match row.int("signed_in_ms")? <= FRESH_MS {
        true => Ok(()),
        false => Err(unsure("sign in again first")),
    }
}

fn unsure(detail: &str) -> Error {
    Error::new(403, "fresh_sign_in_needed", detail)
}
