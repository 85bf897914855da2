//! Reading and revoking links: by whoever may have links to what they are for.

use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_domain::invite::Scope;
use aisle_http::{Call, Error, Reply, page};
use aisle_store::changes::{self, Kind};
use aisle_store::{Batch, messages, values};
use aisle_ucp::invite::InviteList;
use aisle_ucp::page::{Pagination, search_id};

use crate::access::{Caller, Subject, missing};
use crate::row::{InviteRow, message_key, select};

/// `GET /invites?order=…`, or `cart`, or `account`: the latest first.
pub async fn list(call: &Call) -> Result<Reply, Error> {
    let (scope, id) = subject_of(call)?;
    let asked = page::request(call)?;
    let brand = call.brand().await?;
    let caller = Caller::of(call, &brand.id).await?;
    let search = search_id(&(&brand.id, scope.name(), id));
    let size = asked.size().map_err(page::refused)?;
    let after = page::after(&asked, search)?.unwrap_or_default();
    let place = caller.location_id();
    let row = call
        .db()
        .query_one_opt(Subject::sql(scope), values![&brand.id, id, place]);
    let subject = row
        .await?
        .map(|row| Subject::of(&row, scope))
        .transpose()?
        .flatten();
    let hidden = || missing(scope);
    caller.may_touch(&subject.ok_or_else(hidden)?, hidden)?;
    let sql = select(
        "i.scope = ?4 AND i.subject_id = ?2 AND (?5 = '' OR i.id < ?5) ORDER BY i.id DESC LIMIT ?6",
    );
    let params = values![&brand.id, id, place, scope.name(), after, size as i64 + 1];
    let rows = call.db().query(sql, params).await?;
    let rows = rows.iter().map(InviteRow::of);
    let mut found = rows.collect::<Result<Vec<_>, _>>()?;
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|last| last.id.clone());
    let answer = InviteList {
        invites: found.iter().map(InviteRow::shown).collect(),
        pagination: Pagination::new(search, next, None),
    };
    Reply::json(200, &answer)
}

/// `GET /invites/{id}`
pub async fn get(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let row = find(call, &brand, id).await?;
    Reply::json(200, &row.shown())
}

/// `DELETE /invites/{id}`: it leads nowhere any more. A text that waits is not sent.
pub async fn revoke(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let row = find(call, &brand, id).await?;
    if row.standing.revoked {
        return Ok(Reply::empty(204));
    }
    let mut batch = Batch::new();
    batch.add(
        "UPDATE invite SET revoked_at_ms = {now} WHERE brand_id = ?1 AND id = ?2 AND revoked_at_ms IS NULL",
        values![&brand.id, id],
    );
    messages::withdraw(&mut batch, &brand.id, &message_key(id));
    if let Some(account_id) = &row.account_id {
        changes::of_account(&mut batch, &brand.id, account_id, (Kind::Invite, id), false);
    }
    batch.commit(call.db()).await?;
    Ok(Reply::empty(204))
}

/// What the query asks for the links to.
fn subject_of(call: &Call) -> Result<(Scope, &str), Error> {
    let named = |scope: Scope| call.query(scope.name()).map(|id| (scope, id));
    let mut asked = [Scope::Order, Scope::Cart, Scope::Account]
        .into_iter()
        .filter_map(named);
    match (asked.next(), asked.next()) {
        (Some((scope, id)), None) if is_id(id) => Ok((scope, id)),
        (Some((scope, _)), None) => Err(missing(scope)),
        _ => {
            let detail = "name one of order, cart and account";
            Err(Error::bad_request("invalid_query", "order", detail))
        }
    }
}

async fn find(call: &Call, brand: &Brand, id: &str) -> Result<InviteRow, Error> {
    let hidden = || Error::not_found("invite_not_found", "there is no such link");
    if !is_id(id) {
        return Err(hidden());
    }
    let caller = Caller::of(call, &brand.id).await?;
    let params = values![&brand.id, id, caller.location_id()];
    let row = call.db().query_one_opt(select("i.id = ?2"), params).await?;
    let row = InviteRow::of(&row.ok_or_else(hidden)?)?;
    caller.may_touch(&row.subject, hidden)?;
    Ok(row)
}
