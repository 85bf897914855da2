//! Staff: who may sign on at a brand's devices.

use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_domain::instant::rfc3339;
use aisle_domain::pin;
use aisle_http::auth::{self, AdminKey};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, page};
use aisle_store::{Batch, Row, StoreError, new_id, now_ms, random, values};
use aisle_ucp::page::{Pagination, search_id};
use aisle_ucp::pos::{self as wire, StaffList, StaffMember, StaffRequest};

use crate::brands;

pub const SCOPE: &str = "staff";

/// `GET /admin/staff?brand=&cursor=&limit=`, in the order of creation, revoked ones as well.
pub async fn list(call: &Call) -> Result<Reply, Error> {
    let (_, brand) = of_brand(call).await?;
    let paging = page::request(call)?;
    let search = search_id(&("staff", &brand.id));
    let size = paging.size().map_err(page::refused)?;
    let after: Option<String> = paging.after(search).map_err(page::refused)?;
    let rows = call
        .db()
        .query(
            "SELECT id, code, name, scopes, created_at_ms, revoked_at_ms FROM staff \
             WHERE brand_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            values![&brand.id, after.unwrap_or_default(), size as i64 + 1],
        )
        .await?;
    let mut staff = rows.iter().map(member).collect::<Result<Vec<_>, _>>()?;
    let more = staff.len() > size;
    staff.truncate(size);
    let next = staff.last().filter(|_| more).map(|last| last.id.clone());
    let pagination = Pagination::new(search, next, None);
    Reply::json(200, &StaffList { staff, pagination })
}

/// `POST /admin/staff?brand=`.
pub async fn create(call: &Call) -> Result<Reply, Error> {
    let (key, brand) = of_brand(call).await?;
    let body = call.body().await?;
    let request: StaffRequest = call.parse(&body)?;
    wire::check_text("$.code", &request.code).map_err(Error::invalid_member)?;
    wire::check_text("$.name", &request.name).map_err(Error::invalid_member)?;
    let scopes = wire::scopes(&request.scopes).map_err(Error::invalid_member)?;
    if !pin::is_pin(&request.pin) {
        return Err(Error::unprocessable(
            "invalid_pin",
            "$.pin",
            "4 to 12 digits",
        ));
    }
    let claim = call.claim(&brand.id, &format!("{}/create-staff", key.name), &body)?;
    if let Some(claim) = &claim
        && let Some(reply) = call.replay(claim.lookup(call.db()).await?)?
    {
        return Ok(reply);
    }
    let member = StaffMember {
        id: new_id(),
        code: request.code,
        name: request.name,
        scopes: scopes.split(' ').map(Into::into).collect(),
        created_at: rfc3339(now_ms()),
        revoked_at: None,
    };
    let answer = Answer::new(201, &member)?;
    let mut batch = command::begin(claim.as_ref(), &answer);
    batch.expect(
        1,
        "INSERT INTO staff (id, brand_id, code, name, pin_hash, scopes, created_at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, {now}) ON CONFLICT DO NOTHING",
        values![
            &member.id,
            &brand.id,
            &member.code,
            &member.name,
            pin::hash(&request.pin, random()),
            scopes
        ],
    );
    match command::commit(call, claim.as_ref(), answer, batch).await? {
        Committed::Done(reply) | Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(_) => {
            Err(Error::conflict("code_taken", "somebody of this brand has this code").at("$.code"))
        }
    }
}

/// `DELETE /admin/staff/{id}?brand=`: can sign on nowhere any more, and is signed off.
pub async fn revoke(call: &Call, id: &str) -> Result<Reply, Error> {
    let (_, brand) = of_brand(call).await?;
    if !is_id(id) {
        return revoked("staff", 0);
    }
    let sql = "UPDATE staff SET revoked_at_ms = coalesce(revoked_at_ms, {now}) WHERE brand_id = ?1 AND id = ?2";
    let mut batch = Batch::new();
    batch.count(sql, values![&brand.id, id]);
    let results = batch.commit(call.db()).await?;
    revoked("staff", results.first().map_or(0, |result| result.changes))
}

/// 204 also for what was revoked before; 404 for what the brand does not have.
pub fn revoked(what: &str, rows: u64) -> Result<Reply, Error> {
    match rows {
        0 => Err(Error::not_found(
            &format!("{what}_not_found"),
            "the brand has nothing with this id",
        )),
        _ => Ok(Reply::empty(204)),
    }
}

/// The key, and the brand that parameter `brand` names.
pub async fn of_brand(call: &Call) -> Result<(AdminKey, Brand), Error> {
    let key = auth::admin(call, SCOPE).await?;
    let handle = call
        .query("brand")
        .ok_or_else(|| Error::bad_request("missing_brand", "brand", "the handle of a brand"))?;
    let brand = brands::named(call.db(), &key, handle, "brand").await?;
    Ok((key, brand))
}

fn member(row: &Row) -> Result<StaffMember, StoreError> {
    Ok(StaffMember {
        id: row.text("id")?,
        code: row.text("code")?,
        name: row.text("name")?,
        scopes: row.text("scopes")?.split(' ').map(Into::into).collect(),
        created_at: rfc3339(row.int("created_at_ms")?),
        revoked_at: row.int_opt("revoked_at_ms")?.map(rfc3339),
    })
}
