//! `/accounts/me`: who it is.

use aisle_domain::account as domain;
use aisle_domain::contact::Channel;
use aisle_domain::instant::rfc3339;
use aisle_http::command::{self, Answer};
use aisle_http::precondition::{self, etag};
use aisle_http::{Call, Error, Reply, shopper};
use aisle_store::idempotency::{self, Claim};
use aisle_store::{Dialect, Row, StoreError, sha256_hex, values};
use aisle_ucp::account::{Account, AccountPatch, Identity};
use serde::Deserialize;

use crate::proof;

/// A row of table `account`, with the addresses that it is known by.
pub struct Known {
    pub id: String,
    pub account: domain::Account,
    pub identities: Vec<Identity>,
    pub version: i64,
    pub created_at_ms: i64,
}

/// One address as the database aggregates it.
#[derive(Deserialize)]
struct IdentityRow {
    kind: String,
    address: String,
    verified_at_ms: i64,
}

/// What a read selects of the account `a` so that [`Known::of`] can take it.
pub fn columns(dialect: Dialect) -> String {
    let identities = dialect.pick(
        "(SELECT json_group_array(json_object('kind', x.kind, 'address', x.address, 'verified_at_ms', x.verified_at_ms)) \
          FROM account_identity x WHERE x.brand_id = a.brand_id AND x.account_id = a.id)",
        "(SELECT coalesce(jsonb_agg(jsonb_build_object('kind', x.kind, 'address', x.address, \
          'verified_at_ms', x.verified_at_ms)), '[]'::jsonb)::text \
          FROM account_identity x WHERE x.brand_id = a.brand_id AND x.account_id = a.id)",
    );
    format!(
        "a.id AS account_id, a.doc AS account_doc, a.version AS account_version, \
         a.created_at_ms AS account_created_at_ms, {identities} AS identities"
    )
}

impl Known {
    pub fn of(row: &Row) -> Result<Option<Self>, StoreError> {
        let Some(id) = row.text_opt("account_id")? else {
            return Ok(None);
        };
        let rows: Vec<IdentityRow> = row.json("identities")?;
        let identities = rows.into_iter().map(|row| {
            let channel = proof::channel(&row.kind)?;
            Ok(identity(channel, row.address, row.verified_at_ms))
        });
        let mut identities = identities.collect::<Result<Vec<_>, StoreError>>()?;
        identities.sort_by(|a, b| (a.channel, &a.address).cmp(&(b.channel, &b.address)));
        Ok(Some(Self {
            id,
            account: row.json("account_doc")?,
            identities,
            version: row.int("account_version")?,
            created_at_ms: row.int("account_created_at_ms")?,
        }))
    }

    pub fn view(&self) -> Account {
        let identities = self.identities.clone();
        Account::new(&self.id, &self.account, identities, self.created_at_ms)
    }
}

/// Characters of an identity's id.
const IDENTITY_CHARS: usize = 32;

/// An address as it is shown. Its id follows from it, and puts no address into a path.
pub fn identity(channel: Channel, address: String, verified_at_ms: i64) -> Identity {
    let digest = sha256_hex(format!("identity/{}/{address}", channel.identity()).as_bytes());
    Identity {
        id: digest.get(..IDENTITY_CHARS).unwrap_or(&digest).to_owned(),
        channel,
        address,
        verified_at: rfc3339(verified_at_ms),
    }
}

/// `GET /accounts/me`
pub async fn read(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let known = of_id(call, &brand.id, &shopper.account_id, None).await?.0;
    let tag = etag(known.version);
    if call.header("if-none-match") == Some(tag.as_str()) {
        return Ok(Reply::empty(304).header("etag", &tag));
    }
    Ok(Reply::json(200, &known.view())?.header("etag", &tag))
}

/// `PATCH /accounts/me`
pub async fn change(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let body = call.body().await?;
    let patch: AccountPatch = call.parse(&body)?;
    let account_id = &shopper.account_id;
    let claim = call.claim(&brand.id, &format!("change-account/{account_id}"), &body)?;
    let (mut known, replay) = of_id(call, &brand.id, account_id, claim.as_ref()).await?;
    if let Some(reply) = replay {
        return Ok(reply);
    }
    precondition::check(call, Some(known.version))?;
    known.account = patch
        .applied(known.account)
        .map_err(Error::invalid_member)?;
    let doc = document(&known.account)?;
    let answer = Answer::new(200, &known.view())?;
    let mut batch = command::begin(claim.as_ref(), &answer);
    batch.expect(
        1,
        "UPDATE account SET doc = ?4, version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'active'",
        values![&brand.id, account_id, known.version, doc],
    );
    let reply = command::commit(call, claim.as_ref(), answer, batch)
        .await?
        .unless_raced()?;
    Ok(reply.header("etag", &etag(known.version + 1)))
}

pub fn document(account: &domain::Account) -> Result<String, Error> {
    serde_json::to_string(account).map_err(|error| Error::internal(error.to_string()))
}

/// The account of a device that is signed in, and what the claim's key was answered before:
/// one call.
pub async fn of_id(
    call: &Call,
    brand_id: &str,
    account_id: &str,
    claim: Option<&Claim>,
) -> Result<(Known, Option<Reply>), Error> {
    let (scope, key) = claim.map_or(("", ""), |claim| (&claim.scope, &claim.key));
    let sql = format!(
        "SELECT {}, {} FROM account a {} WHERE a.brand_id = ?1 AND a.id = ?2 AND a.status = 'active'",
        columns(call.db().dialect()),
        idempotency::COLUMNS,
        idempotency::join("?3", "?4")
    );
    let params = values![brand_id, account_id, scope, key];
    let row = call.db().query_one_opt(sql, params).await?;
    let row = row.ok_or_else(gone)?;
    let replay = match claim {
        Some(claim) => call.replay(claim.outcome(&row)?)?,
        None => None,
    };
    Ok((Known::of(&row)?.ok_or_else(gone)?, replay))
}

/// 401: erased while this instance still remembered its session.
pub fn gone() -> Error {
    Error::unauthorized("this session is not known or is over")
}
