//! Who stands at which till: `POST /pos/sign-on` and `/pos/sign-off`.

use aisle_domain::instant::rfc3339_in;
use aisle_domain::pin;
use aisle_http::{Call, Error, Reply, auth};
use aisle_store::audit::{self, Actor};
use aisle_store::{Batch, limit, memory, new_token, sha256_hex, values};
use aisle_ucp::pos::{Session, SignOnRequest};

use crate::store;

/// A session lasts a long shift.
const SESSION_MS: i64 = 12 * 3_600_000;
/// Tries within [`WINDOW_MS`]: with one person's code, at whatever device …
const TRIES_OF_PERSON: i64 = 10;
/// … and at one device, with whatever code.
const TRIES_AT_DEVICE: i64 = 40;
const WINDOW_MS: i64 = 15 * 60_000;
const MAX_CODE_BYTES: usize = 255;

/// `POST /pos/sign-on`, with the device's own token. Several people can be signed on.
pub async fn sign_on(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let request: SignOnRequest = call.json().await?;
    if request.staff_code.len() > MAX_CODE_BYTES || !pin::is_pin(&request.pin) {
        return Err(refused());
    }
    let token = auth::bearer(call).ok_or_else(unknown_device)?;
    let row = call
        .db()
        .query_one_opt(
            "SELECT d.id AS device_id, d.brand_id, d.location_id, d.scopes AS device_scopes, \
             p.id AS staff_id, p.name, p.pin_hash, p.scopes, {now} AS now_ms \
             FROM device d LEFT JOIN staff p ON p.brand_id = d.brand_id AND p.code = ?2 AND p.revoked_at_ms IS NULL \
             WHERE d.token_hash = ?1 AND d.revoked_at_ms IS NULL",
            values![sha256_hex(token.as_bytes()), &request.staff_code],
        )
        .await?
        .ok_or_else(unknown_device)?;
    if row.text("brand_id")? != brand.id {
        return Err(Error::forbidden("this device belongs to another brand"));
    }
    let device_id = row.text("device_id")?;
    let person = sha256_hex(request.staff_code.as_bytes());
    for (name, most) in [
        (format!("sign-on/{}/{person}", brand.id), TRIES_OF_PERSON),
        (format!("sign-on/{device_id}"), TRIES_AT_DEVICE),
    ] {
        if !limit::allows(call.db(), &name, most, WINDOW_MS).await? {
            return Err(store::too_often(WINDOW_MS));
        }
    }
    let fits = match row.text_opt("pin_hash")? {
        Some(kept) => pin::fits(&request.pin, &kept),
        None => pin::fits_nobody(&request.pin),
    };
    if !fits {
        return Err(refused());
    }
    let device_scopes = row.text("device_scopes")?;
    let scopes = row.text("scopes")?;
    let both = |scope: &&str| device_scopes.split(' ').any(|own| own == *scope);
    let location_id = row.text("location_id")?;
    let session = Session {
        token: new_token(),
        expires_at: rfc3339_in(
            row.int("now_ms")? + SESSION_MS,
            &store::time_zone(call, &brand.id, &location_id).await?,
        ),
        staff_id: row.text("staff_id")?,
        name: row.text("name")?,
        location_id,
        device_id,
        scopes: scopes.split(' ').filter(both).map(Into::into).collect(),
    };
    let mut batch = Batch::new();
    batch.expect(
        1,
        "INSERT INTO staff_session (token_hash, brand_id, staff_id, device_id, created_at_ms, expires_at_ms) \
         VALUES (?1, ?2, ?3, ?4, {now}, {now} + ?5)",
        values![
            sha256_hex(session.token.as_bytes()),
            &brand.id,
            &session.staff_id,
            &session.device_id,
            SESSION_MS
        ],
    );
    let actor = Actor {
        brand_id: &brand.id,
        location_id: &session.location_id,
        device_id: &session.device_id,
        staff_id: &session.staff_id,
    };
    audit::record(
        &mut batch,
        actor,
        "staff.signed_on",
        ("device", &session.device_id),
        "{}",
    );
    batch.commit(call.db()).await?;
    Reply::json(201, &session)
}

/// `POST /pos/sign-off`: the session is over. Whatever its scopes.
pub async fn sign_off(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::signed_on(call, &brand.id).await?;
    let token = auth::bearer(call).unwrap_or_default();
    let hash = sha256_hex(token.as_bytes());
    let mut batch = Batch::new();
    batch.add(
        "UPDATE staff_session SET ended_at_ms = {now} WHERE brand_id = ?1 AND token_hash = ?2 AND ended_at_ms IS NULL",
        values![&brand.id, &hash],
    );
    audit::record(
        &mut batch,
        staff.actor(),
        "staff.signed_off",
        ("device", &staff.device_id),
        "{}",
    );
    batch.commit(call.db()).await?;
    memory::forget(&format!("staff/{hash}"));
    Ok(Reply::empty(204))
}

/// The same for an unknown person and a wrong PIN, so that neither can be found out.
fn refused() -> Error {
    let detail = "no such person with this PIN";
    Error::new(401, "wrong_code_or_pin", detail)
        .header("www-authenticate", "Bearer realm=\"aisle\"")
}

fn unknown_device() -> Error {
    Error::unauthorized("a device's token is needed: Authorization: Bearer TOKEN")
}
