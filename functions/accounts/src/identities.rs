//! `/accounts/me/identities`: addresses by which the account is known.

use aisle_domain::account::MAX_IDENTITIES;
use aisle_http::command::{self, Answer, Committed};
use aisle_http::precondition::etag;
use aisle_http::{Call, Error, Reply, shopper};
use aisle_store::{Batch, changes, idempotency, values};
use aisle_ucp::account::{Identity, Proof};

use crate::account::{self, Known};
use crate::proof::{self, Challenge, Guess};
use crate::sign_in::insert_identity;
use crate::sure::{Sure, must_be_fresh};

/// `POST /accounts/me/identities`: with what is added here everything else can be taken.
pub async fn add(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let body = call.body().await?;
    let proof: Proof = call.parse(&body)?;
    let account_id = &shopper.account_id;
    let claim = call.claim(&brand.id, &format!("add-identity/{account_id}"), &body)?;
    let network = shopper::network(call).await;
    let sql = format!(
        "SELECT {{now}} AS now_ms, {{now}} - s.created_at_ms AS signed_in_ms, {}, {}, {}, i.account_id AS owner \
         FROM account a JOIN account_session s ON s.account_id = a.id AND s.id = ?7 {} {} \
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
        proof::wrong_codes(&brand.id, &network),
        &shopper.session_id
    ];
    let row = call.db().query_one_opt(sql, params).await?;
    let row = row.ok_or_else(account::gone)?;
    if let Some(claim) = &claim
        && let Some(reply) = call.replay(claim.outcome(&row)?)?
    {
        return Ok(reply);
    }
    must_be_fresh(&row)?;
    let guess = Guess {
        brand_id: &brand.id,
        challenge_id: &proof.challenge_id,
        code: &proof.code,
        network: &network,
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

/// `DELETE /accounts/me/identities/{id}`
pub async fn remove(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let body = call.body().await?;
    let scope = format!("remove-identity/{}", shopper.account_id);
    let claim = call.claim(&brand.id, &scope, &body)?;
    let mut sure = match Sure::check(call, &shopper, &body, claim.as_ref()).await? {
        Ok(sure) => sure,
        Err(reply) => return Ok(reply),
    };
    let known = &mut sure.known;
    let at = known.identities.iter().position(|own| own.id == id);
    let at = at.ok_or_else(|| {
        let detail = "the account is known by no such address";
        Error::not_found("identity_not_found", detail)
    })?;
    if known.identities.len() == 1 {
        let detail =
            "nobody could sign in any more; add another address first, or erase the account";
        return Err(Error::conflict("last_identity", detail));
    }
    let identity = known.identities.remove(at);
    let answer = Answer::new(200, &known.view())?;
    let version = known.version;
    let mut batch = command::begin(claim.as_ref(), &answer);
    let code = sure.use_up(&mut batch, &brand.id);
    let account = (brand.id.as_str(), shopper.account_id.as_str());
    // Two who remove one each at the same moment must not leave none.
    batch.expect(
        1,
        "UPDATE account SET version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'active'",
        values![account.0, account.1, version],
    );
    batch.expect(
        1,
        "DELETE FROM account_identity WHERE brand_id = ?1 AND account_id = ?2 AND kind = ?3 AND address = ?4",
        values![account.0, account.1, identity.channel.identity(), &identity.address],
    );
    fall_silent(&mut batch, account, &identity);
    match command::commit(call, claim.as_ref(), answer, batch).await? {
        Committed::Done(reply) => Ok(reply.header("etag", &etag(version + 1))),
        Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(error) if code.is_some_and(|code| error.unmet_at(code)) => {
            Err(proof::over())
        }
        Committed::Unmet(_) => Err(command::raced()),
    }
}

/// Nothing of the account goes to the address any more: no news of its orders, nothing that
/// waits, and no link that would confirm it again.
fn fall_silent(batch: &mut Batch, (brand_id, account_id): (&str, &str), identity: &Identity) {
    let own = || {
        values![
            brand_id,
            account_id,
            identity.channel.name(),
            &identity.address
        ]
    };
    let orders =
        "(SELECT ao.order_id FROM account_order ao WHERE ao.brand_id = ?1 AND ao.account_id = ?2)";
    let waiting = format!(
        "m.brand_id = ?1 AND m.channel = ?3 AND m.address = ?4 AND m.status = 'queued' \
         AND (m.account_id = ?2 OR m.order_id IN {orders})"
    );
    changes::of_messages(batch, &waiting, own());
    batch.add(
        format!(
            "UPDATE message SET status = 'suppressed', failure = 'withdrawn', params = '{{}}', updated_at_ms = {{now}} \
             WHERE brand_id = ?1 AND channel = ?3 AND address = ?4 AND status = 'queued' \
               AND (account_id = ?2 OR order_id IN {orders} OR invite_id IN \
                 (SELECT i.id FROM invite i WHERE i.brand_id = ?1 AND i.account_id = ?2))"
        ),
        own(),
    );
    batch.add(
        "UPDATE invite SET revoked_at_ms = {now} WHERE brand_id = ?1 AND scope = 'account' AND subject_id = ?2 \
         AND channel = ?3 AND address = ?4 AND revoked_at_ms IS NULL AND claimed_at_ms IS NULL",
        own(),
    );
    batch.add(
        format!(
            "UPDATE order_contact SET ended_at_ms = {{now}} WHERE brand_id = ?1 AND channel = ?3 AND address = ?4 \
             AND ended_at_ms IS NULL AND order_id IN {orders}"
        ),
        own(),
    );
}

fn with(known: &mut Known, challenge: &Challenge, now_ms: i64) -> Result<(), Error> {
    let own = |one: &Identity| one.channel == challenge.channel && one.address == challenge.address;
    known.identities.retain(|one| !own(one));
    if known.identities.len() >= MAX_IDENTITIES {
        let detail = format!("an account has {MAX_IDENTITIES} addresses at most");
        return Err(Error::conflict("too_many_identities", &detail));
    }
    let address = challenge.address.clone();
    let identity = account::identity(challenge.channel, address, now_ms);
    known.identities.push(identity);
    Ok(())
}

fn taken() -> Error {
    let detail = "another account has this address; sign in with it instead";
    Error::conflict("identity_taken", detail)
}
