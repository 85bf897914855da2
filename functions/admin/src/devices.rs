//! Devices: tills and scanners, each bound to a location.

use aisle_domain::id::is_id;
use aisle_domain::instant::rfc3339;
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, page};
use aisle_store::{Row, StoreError, new_id, new_token, now_ms, sha256_hex, values};
use aisle_ucp::page::{Pagination, search_id};
use aisle_ucp::pos::{self as wire, Device, DeviceList, DeviceRequest};

use crate::staff::{of_brand, revoked};

/// `GET /admin/devices?brand=&cursor=&limit=`, in the order of creation, revoked ones as well.
pub async fn list(call: &Call) -> Result<Reply, Error> {
    let (_, brand) = of_brand(call).await?;
    let paging = page::request(call)?;
    let search = search_id(&("devices", &brand.id));
    let size = paging.size().map_err(page::refused)?;
    let after: Option<String> = paging.after(search).map_err(page::refused)?;
    let rows = call
        .db()
        .query(
            "SELECT id, location_id, name, scopes, created_at_ms, revoked_at_ms FROM device \
             WHERE brand_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            values![&brand.id, after.unwrap_or_default(), size as i64 + 1],
        )
        .await?;
    let mut devices = rows.iter().map(device).collect::<Result<Vec<_>, _>>()?;
    let more = devices.len() > size;
    devices.truncate(size);
    let next = devices.last().filter(|_| more).map(|last| last.id.clone());
    let pagination = Pagination::new(search, next, None);
    Reply::json(
        200,
        &DeviceList {
            devices,
            pagination,
        },
    )
}

/// `POST /admin/devices?brand=`: the only time that its token is shown.
pub async fn create(call: &Call) -> Result<Reply, Error> {
    let (key, brand) = of_brand(call).await?;
    let body = call.body().await?;
    let request: DeviceRequest = call.parse(&body)?;
    wire::check_text("$.name", &request.name).map_err(Error::invalid_member)?;
    let scopes = wire::scopes(&request.scopes).map_err(Error::invalid_member)?;
    let claim = call.claim(&brand.id, &format!("{}/create-device", key.name), &body)?;
    if let Some(claim) = &claim
        && let Some(reply) = call.replay(claim.lookup(call.db()).await?)?
    {
        return Ok(reply);
    }
    let token = new_token();
    let device = Device {
        id: new_id(),
        location_id: request.location_id,
        name: request.name,
        scopes: scopes.split(' ').map(Into::into).collect(),
        created_at: rfc3339(now_ms()),
        revoked_at: None,
        token: Some(token.clone()),
    };
    let answer = Answer::new(201, &device)?;
    // A secret is not kept: who repeats the request learns which device it is, not its token.
    let kept = Device {
        token: None,
        ..device.clone()
    };
    let mut batch = command::begin(claim.as_ref(), &Answer::new(201, &kept)?);
    batch.expect(
        1,
        "INSERT INTO device (id, brand_id, location_id, name, token_hash, scopes, created_at_ms) \
         SELECT ?1, bl.brand_id, bl.location_id, ?4, ?5, ?6, {now} FROM brand_location bl \
         WHERE bl.brand_id = ?2 AND bl.location_id = ?3",
        values![
            &device.id,
            &brand.id,
            &device.location_id,
            &device.name,
            sha256_hex(token.as_bytes()),
            scopes
        ],
    );
    match command::commit(call, claim.as_ref(), answer, batch).await? {
        Committed::Done(reply) | Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(_) => Err(Error::unprocessable(
            "location_not_found",
            "$.location_id",
            "the brand does not trade at such a location",
        )),
    }
}

/// `DELETE /admin/devices/{id}?brand=`: nobody can sign on at it, and who did is signed off.
pub async fn revoke(call: &Call, id: &str) -> Result<Reply, Error> {
    let (_, brand) = of_brand(call).await?;
    if !is_id(id) {
        return revoked("device", 0);
    }
    let sql = "UPDATE device SET revoked_at_ms = coalesce(revoked_at_ms, {now}) WHERE brand_id = ?1 AND id = ?2";
    let mut batch = aisle_store::Batch::new();
    batch.count(sql, values![&brand.id, id]);
    let results = batch.commit(call.db()).await?;
    revoked("device", results.first().map_or(0, |result| result.changes))
}

fn device(row: &Row) -> Result<Device, StoreError> {
    Ok(Device {
        id: row.text("id")?,
        location_id: row.text("location_id")?,
        name: row.text("name")?,
        scopes: row.text("scopes")?.split(' ').map(Into::into).collect(),
        created_at: rfc3339(row.int("created_at_ms")?),
        revoked_at: row.int_opt("revoked_at_ms")?.map(rfc3339),
        token: None,
    })
}
