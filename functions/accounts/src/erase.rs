//! `DELETE /accounts/me`: the person is forgotten, at once and for good.

use aisle_domain::account::FRESH_MS;
use aisle_http::command;
use aisle_http::{Call, Error, Reply, shopper};
use aisle_store::{Batch, BatchError, Row, values};
use aisle_ucp::account::Proof;

use crate::account::{self, Known};
use crate::forget::{self, Person};
use crate::proof::{self, Challenge, Guess};

pub async fn erase(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let body = call.body().await?;
    let proof: Option<Proof> = match body.is_empty() {
        true => None,
        false => call.parse(&body)?,
    };
    let limit_name = proof::limit_name(call, &brand.id).await;
    let sql = format!(
        "SELECT {{now}} - s.created_at_ms AS signed_in_ms, s.access_hash, {}, {} \
         FROM account a JOIN account_session s ON s.account_id = a.id AND s.id = ?3 {} \
         WHERE a.brand_id = ?1 AND a.id = ?2 AND a.status = 'active'",
        proof::COLUMNS,
        account::columns(call.db().dialect()),
        proof::join("?1", "?4", "?5"),
    );
    let challenge_id = proof.as_ref().map_or("", |proof| &proof.challenge_id);
    let params = values![
        &brand.id,
        &shopper.account_id,
        &shopper.session_id,
        challenge_id,
        &limit_name
    ];
    let row = call.db().query_one_opt(sql, params).await?;
    let row = row.ok_or_else(account::gone)?;
    let known = Known::of(&row)?.ok_or_else(account::gone)?;
    let challenge = match &proof {
        Some(proof) => {
            let guess = Guess {
                brand_id: &brand.id,
                challenge_id: &proof.challenge_id,
                code: &proof.code,
                limit_name: &limit_name,
            };
            Some(guess.check(call, &row).await?)
        }
        None => None,
    };
    must_be_sure(&row, &known, challenge.as_ref())?;
    let holds = forget::holds_of(call, &brand.id, &known.identities).await?;
    let mut batch = Batch::new();
    // Before the code's row goes with its address.
    let code = challenge.map(|challenge| challenge.use_up(&mut batch, &brand.id));
    let person = Person {
        brand_id: &brand.id,
        account_id: &known.id,
        identities: &known.identities,
    };
    person.begin(&mut batch, &holds, 0);
    match batch.commit(call.db()).await {
        Ok(_) => {}
        Err(error) if code.is_some_and(|code| error.unmet_at(code)) => return Err(proof::over()),
        Err(BatchError::Unmet { .. }) => return Err(command::raced()),
        Err(error) => return Err(error.into()),
    }
    shopper::forget(&row.text("access_hash")?);
    forget::go_through(call, &brand.id, &known.id).await?;
    Ok(Reply::empty(204))
}

/// 403 unless whoever asks has shown lately that the account is theirs.
fn must_be_sure(row: &Row, known: &Known, challenge: Option<&Challenge>) -> Result<(), Error> {
    let sure = match challenge {
        Some(challenge) => known
            .identities
            .iter()
            .any(|own| own.channel == challenge.channel && own.address == challenge.address),
        None => row.int("signed_in_ms")? <= FRESH_MS,
    };
    if sure {
        return Ok(());
    }
    let detail = "sign in again, or send the code that was sent to one of the account's addresses";
    Err(Error::new(403, "fresh_sign_in_needed", detail))
}
