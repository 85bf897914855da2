//! `/holds`: asking for goods to be kept, looking at it, giving it up.

use aisle_domain::brand::Brand;
use aisle_domain::hold::{self, Contact, Hold, HoldLine, Status};
use aisle_domain::location::Location;
use aisle_domain::{hours, order};
use aisle_http::auth::{self, bearer};
use aisle_http::command::{self, Answer, Committed, raced};
use aisle_http::{Call, Error, Reply, notify_relay, shopper};
use aisle_store::holds;
use aisle_store::stock::{self, Document, Floor, Reserved};
use aisle_store::{Batch, BatchError, audit, limit, new_id, random, values};
use aisle_ucp::hold::HoldRequest;

use crate::articles;
use crate::facts::{Facts, HoldRow, changed, document, must_be_id, overtaken, place_of, refused};

const MINUTE_MS: i64 = 60_000;

/// The statements of a new hold's batch whose falling short has a meaning.
struct Inserted {
    limit: usize,
    reserved: Reserved,
}

/// `POST /holds`
pub async fn create(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let body = call.body().await?;
    let request: HoldRequest = call.parse(&body)?;
    let claim = call.claim(&brand.id, "create-hold", &body)?;
    let facts = Facts::read(call, &brand, "", claim.as_ref()).await?;
    if let Some(reply) = call.replay(facts.outcome)? {
        return Ok(reply);
    }
    let place = [request.location_id.clone()];
    let locations = call.model().locations(&brand.id, place).await?;
    let row = requested(call, &brand, request, &locations.all, facts.now_ms).await?;
    let answer = || Answer::new(201, &row.shown(&locations)?);
    let batch = || -> Result<_, Error> {
        let mut batch = command::begin(claim.as_ref(), &answer()?);
        let inserted = insert(&mut batch, &brand, &row)?;
        Ok((batch, inserted))
    };
    let (first, inserted) = batch()?;
    let mut outcome = command::commit(call, claim.as_ref(), answer()?, first).await?;
    // What is past its time must not stand in anybody's way until it is tidied up.
    if let Committed::Unmet(error) = &outcome
        && inserted.reserved.short(error).is_some()
        && holds::release_expired(call.db(), Some((&brand.id, &row.location_id)))
            .await?
            .1
            > 0
    {
        outcome = command::commit(call, claim.as_ref(), answer()?, batch()?.0).await?;
    }
    match outcome {
        Committed::Done(reply) => {
            notify_relay();
            Ok(reply.header("location", &format!("/holds/{}", row.id)))
        }
        Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(error) => Err(not_kept(call, &brand, &row, &inserted, &error).await?),
    }
}

/// The hold that is asked for, as far as it can be judged without its stock.
async fn requested(
    call: &Call,
    brand: &Brand,
    request: HoldRequest,
    locations: &[Location],
    now_ms: i64,
) -> Result<HoldRow, Error> {
    let policy = &brand.policies.holds;
    if !policy.allowed {
        let detail = "this brand keeps nothing without payment";
        return Err(Error::unprocessable("holds_not_offered", "$", detail));
    }
    let contact = Contact::from(request.contact).checked().map_err(refused)?;
    let items: Vec<(String, i64)> = request
        .items
        .into_iter()
        .map(|item| (item.sku, item.quantity))
        .collect();
    let demand = hold::wanted(&items, policy).map_err(refused)?;
    let (location_id, ready_at_ms) = locations
        .iter()
        .find(|location| location.id == request.location_id && location.hands_over())
        .and_then(|location| {
            let ready = hours::ready_at_ms(location, now_ms, location.preparation_minutes)?;
            Some((location.id.clone(), ready))
        })
        .ok_or_else(|| {
            let detail = "no store of the brand that keeps goods has this id";
            Error::unprocessable("location_not_available", "$.location_id", detail)
        })?;
    let skus: Vec<&str> = demand.iter().map(|(sku, _)| sku).collect();
    let titles = articles::titles(call, brand, &skus).await?;
    let line = |((sku, quantity), title): ((&str, i64), Option<String>)| {
        let sku = sku.to_owned();
        title
            .map(|title| HoldLine {
                sku: sku.clone(),
                title,
                quantity,
            })
            .ok_or_else(|| unknown_item(&items, &sku))
    };
    let lines = demand.iter().zip(titles).map(line);
    let asker = shopper::asker(call, &brand.id).await;
    Ok(HoldRow {
        id: new_id(),
        number: format!("H-{}", order::number(random())),
        location_id,
        status: Status::Requested,
        hold: Hold {
            lines: lines.collect::<Result<_, _>>()?,
            contact_keys: limit::contact_keys(
                &brand.id,
                &asker,
                contact.phone_number.as_deref(),
                contact.email.as_deref(),
            ),
            asker_key: asker,
            contact,
            ready_at_ms,
            changes: Vec::new(),
        },
        version: 1,
        created_at_ms: now_ms,
        expires_at_ms: now_ms.saturating_add(policy.keep_minutes.saturating_mul(MINUTE_MS)),
    })
}

fn unknown_item(items: &[(String, i64)], sku: &str) -> Error {
    let index = items
        .iter()
        .position(|(named, _)| named == sku)
        .unwrap_or_default();
    let path = format!("$.items[{index}].sku");
    Error::unprocessable("unknown_sku", &path, "the brand sells nothing by this SKU")
}

/// The open holds of who asks are counted, the hold is written, its units are set aside.
fn insert(batch: &mut Batch, brand: &Brand, row: &HoldRow) -> Result<Inserted, Error> {
    let Hold {
        contact_keys,
        asker_key,
        ..
    } = &row.hold;
    limit::one_at_a_time(batch, &format!("hold/{}/{asker_key}", brand.id));
    let limit = batch.len();
    let policy = &brand.policies.holds;
    batch.expect_rows(
        1,
        MAY_HAVE_MORE,
        values![
            &brand.id,
            serde_json::Value::from(contact_keys.clone()).to_string(),
            policy.max_open,
            asker_key,
            policy.max_open_of_asker
        ],
    );
    batch.expect(
        1,
        "INSERT INTO hold (id, brand_id, number, location_id, status, expires_at_ms, doc, version, created_at_ms, \
         updated_at_ms) VALUES (?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, {now}) ON CONFLICT DO NOTHING",
        values![
            &brand.id,
            &row.id,
            &row.number,
            &row.location_id,
            row.status.name(),
            row.expires_at_ms,
            document(&row.hold)?,
            row.version,
            row.created_at_ms
        ],
    );
    changed(batch, &brand.id, &row.id);
    let allocations = row.hold.allocations(&row.location_id);
    let holding = (Document::hold(&row.id), &allocations[..]);
    let reserved = stock::reserve(batch, &brand.id, Floor::Safety, &[holding]);
    Ok(Inserted { limit, reserved })
}

/// A row unless the asker `?4` has `?5` open holds, or `?3` for a contact that goes by one of the
/// keys `?2`.
const MAY_HAVE_MORE: (&str, &str) = (
    "SELECT 1 AS one FROM (SELECT count(*) AS of_asker, coalesce(sum(CASE WHEN EXISTS (\
         SELECT 1 FROM json_each(h.doc, '$.contact_keys') own WHERE own.value IN (SELECT value FROM json_each(?2))) \
       THEN 1 ELSE 0 END), 0) AS of_contact FROM hold h WHERE h.brand_id = ?1 AND h.status IN ('requested', 'pulled') \
       AND h.expires_at_ms > {now} AND json_extract(h.doc, '$.asker_key') = ?4) open \
     WHERE open.of_contact < ?3 AND open.of_asker < ?5",
    "SELECT 1 AS one FROM (SELECT count(*) AS of_asker, coalesce(sum(CASE WHEN EXISTS (\
         SELECT 1 FROM jsonb_array_elements_text(h.doc::jsonb -> 'contact_keys') own \
         WHERE own.value IN (SELECT jsonb_array_elements_text(?2::jsonb))) \
       THEN 1 ELSE 0 END), 0) AS of_contact FROM hold h WHERE h.brand_id = ?1 AND h.status IN ('requested', 'pulled') \
       AND h.expires_at_ms > {now} AND h.doc::jsonb ->> 'asker_key' = ?4) open \
     WHERE open.of_contact < ?3 AND open.of_asker < ?5",
);

/// Why the batch left nothing behind.
async fn not_kept(
    call: &Call,
    brand: &Brand,
    row: &HoldRow,
    inserted: &Inserted,
    error: &BatchError,
) -> Result<Error, Error> {
    if error.unmet_at(inserted.limit) {
        let most = brand.policies.holds.max_open;
        let detail = format!(
            "you have {most} open holds for this contact, or as many as one can have for all contacts"
        );
        return Ok(Error::conflict("too_many_open_holds", &detail)
            .at("$.contact")
            .with("max_open", most));
    }
    let Some(short) = inserted.reserved.short(error) else {
        return Ok(raced());
    };
    let available = call
        .db()
        .query_one_opt(
            "SELECT on_hand - reserved - safety AS available FROM stock \
             WHERE brand_id = ?1 AND sku = ?2 AND location_id = ?3",
            values![&brand.id, &short.sku, &row.location_id],
        )
        .await?
        .map_or(Ok(0), |row| row.int("available"))?;
    let detail = "the store has not as many that it can keep";
    Ok(Error::conflict("out_of_stock", detail)
        .at("$.items")
        .with("sku", short.sku.clone())
        .with("requested", short.quantity)
        .with("available", available.max(0)))
}

/// `GET /holds/{id}`
pub async fn get(call: &Call, id: &str) -> Result<Reply, Error> {
    must_be_id(id)?;
    let brand = call.brand().await?;
    let facts = Facts::read(call, &brand, id, None).await?;
    let row = facts.hold()?;
    Reply::json(200, &row.shown(&place_of(call, &brand, row).await?)?)
}

/// `POST /holds/{id}/cancel`: by the shopper, who knows the id, or by staff of the store.
pub async fn cancel(call: &Call, id: &str) -> Result<Reply, Error> {
    must_be_id(id)?;
    let brand = call.brand().await?;
    let staff = match bearer(call) {
        Some(_) => Some(auth::staff(call, &brand.id, "stock").await?),
        None => None,
    };
    let body = call.body().await?;
    let claim = call.claim(&brand.id, &format!("cancel-hold/{id}"), &body)?;
    let facts = Facts::read(call, &brand, id, claim.as_ref()).await?;
    let before = facts.hold()?;
    if let Some(staff) = &staff {
        staff.at(&before.location_id)?;
    }
    if let Some(reply) = call.replay(facts.outcome.clone())? {
        return Ok(reply);
    }
    before.must_be_open()?;
    let after = HoldRow {
        status: Status::Released,
        ..before.clone()
    };
    let locations = place_of(call, &brand, &after).await?;
    let answer = Answer::new(200, &after.shown(&locations)?)?;
    let mut batch = command::begin(claim.as_ref(), &answer);
    after.replace(&mut batch, &brand)?;
    let allocations = before.hold.allocations(&before.location_id);
    stock::release(&mut batch, &brand.id, Document::hold(id), &allocations);
    if let Some(staff) = &staff {
        audit::record(
            &mut batch,
            staff.actor(),
            "hold.cancelled",
            ("hold", id),
            "{}",
        );
    }
    match command::commit(call, claim.as_ref(), answer, batch).await? {
        Committed::Done(reply) => {
            notify_relay();
            Ok(reply)
        }
        Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(_) => Err(overtaken(call, &brand, before).await),
    }
}
