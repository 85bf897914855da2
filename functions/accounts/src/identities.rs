//! `POST /accounts/me/identities`: one more address by which the account is known.

use aisle_domain::instant::rfc3339;
use aisle_http::command::{self, Answer, Committed};
use aisle_http::precondition::etag;
use aisle_http::{Call, Error, Reply, shopper};
use aisle_store::idempotency;
use aisle_store::values;
use aisle_ucp::account::{Identity, Proof};

use crate::account::{self, Known};
use crate::proof::{self, Challenge, Guess};
use crate::sign_in::insert_identity;

/// Addresses of one account, at most.
const MAX_IDENTITIES: usize = 10;

pub async fn add(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let body = call.body().await?;
    let proof: Proof = call.parse(&body)?;
    let account_id = &shopper.account_id;
    let claim = call.claim(&brand.id, &format!("add-identity/{account_id}"), &body)?;
    let limit_name = proof::limit_name(call, &brand.id).await;
    let sql = format!(
        "SELECT {{now}} AS now_ms, {}, {}, {}, i.account_id AS owner FROM account a {} {} \
         LEFT JOIN account_identity i ON i.brand_id = c.brand_id AND i.kind = c.kind AND i.address = c.address \
         WHERE a.brand_id = ?1 AND a.id = ?2 AND a.status = 'active'",
        idempotency::COLUMNS,
        proof::COLUMNS,
        account::columns(call.db().dialect()),
        idempotency::join("?3", "?4"),
        proof::join("?1", "?5", "?6"),
    );
    let (scope, key) = match &claim {
        Some(claim) => (claim.scope.as_str(), claim.key.as_str()),
        None => ("", ""),
    };
    let params = values![
        &brand.id,
        account_id,
        scope,
        key,
        &proof.challenge_id,
        &limit_name
    ];
    let row = call.db().query_one_opt(sql, params).await?;
    let row = row.ok_or_else(account::gone)?;
    if let Some(claim) = &claim
        && let Some(reply) = call.replay(claim.outcome(&row)?)?
    {
        return Ok(reply);
    }
    let guess = Guess {
        brand_id: &brand.id,
        challenge_id: &proof.challenge_id,
        code: &proof.code,
        limit_name: &limit_name,
    };
    let challenge = guess.check(call, &row).await?;
    if row
        .text_opt("owner")?
        .is_some_and(|owner| owner != *account_id)
    {
        return Err(taken());
    }
    let mut known = Known::of(&row)?.ok_or_else(account::gone)?;
    with(&mut known, &challenge, row.int("now_ms")?)?;
    let answer = Answer::new(200, &known.view())?;
    let mut batch = command::begin(claim.as_ref(), &answer);
    let code = challenge.use_up(&mut batch, &brand.id);
    let identity = batch.len();
    insert_identity(&mut batch, &brand.id, account_id, &challenge);
    batch.expect(
        1,
        "UPDATE account SET version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'active'",
        values![&brand.id, account_id, known.version],
    );
    match command::commit(call, claim.as_ref(), answer, batch).await? {
        Committed::Done(reply) => Ok(reply.header("etag", &etag(known.version + 1))),
        Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(error) if error.unmet_at(code) => Err(proof::over()),
        Committed::Unmet(error) if error.unmet_at(identity) => Err(taken()),
        Committed::Unmet(_) => Err(command::raced()),
    }
}

fn with(known: &mut Known, challenge: &Challenge, now_ms: i64) -> Result<(), Error> {
    let own = |one: &Identity| one.channel == challenge.channel && one.address == challenge.address;
    known.identities.retain(|one| !own(one));
    if known.identities.len() >= MAX_IDENTITIES {
        let detail = format!("an account has {MAX_IDENTITIES} addresses at most");
        return Err(Error::conflict("too_many_identities", &detail));
    }
    known.identities.push(Identity {
        channel: challenge.channel,
        address: challenge.address.clone(),
        verified_at: rfc3339(now_ms),
    });
    Ok(())
}

fn taken() -> Error {
    let detail = "another account has this address; sign in with it instead";
    Error::conflict("identity_taken", detail)
}
