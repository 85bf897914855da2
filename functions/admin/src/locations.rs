//! Locations: stores and warehouses, one by one.

use std::collections::BTreeSet;

use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_domain::import::location::fingerprint_of;
use aisle_domain::location::Location;
use aisle_http::auth::AdminKey;
use aisle_http::{Call, Error, Reply, auth, notify_relay, page, precondition};
use aisle_store::outbox::{self, Event};
use aisle_store::{Batch, BatchError, Db, Row, StoreError, new_id, values};
use aisle_ucp::admin::{LocationList, LocationRecord, LocationRequest, MAX_LOCATION_BRANDS};
use aisle_ucp::page::{Pagination, search_id};

use crate::brands;

pub const SCOPE: &str = "locations";
/// The longest code, name or line of an address, in characters.
const MAX_TEXT_CHARS: usize = 255;

/// `GET /admin/locations?brand=&cursor=&limit=`, in the order of creation.
pub async fn list(call: &Call) -> Result<Reply, Error> {
    let key = auth::admin(call, SCOPE).await?;
    let brand_id = match call.query("brand") {
        Some(handle) => Some(brands::named(call.db(), &key, handle, "brand").await?.id),
        None => key.brand_id.clone(),
    };
    let asked = page::request(call)?;
    let search = search_id(&brand_id);
    let size = asked.size().map_err(page::refused)?;
    let after = page::after(&asked, search)?;
    let mut records = read(
        call.db(),
        &Wanted::Page {
            brand_id,
            after: after.unwrap_or_default(),
            size,
        },
    )
    .await?;
    let more = records.len() > size;
    records.truncate(size);
    let next = records
        .last()
        .filter(|_| more)
        .map(|last| last.record.location.id.clone());
    let locations = records.into_iter().map(|stored| stored.record).collect();
    Reply::json(
        200,
        &LocationList {
            locations,
            pagination: Pagination::new(search, next, None),
        },
    )
}

/// `GET /admin/locations/{id}`.
pub async fn get(call: &Call, id: &str) -> Result<Reply, Error> {
    let key = auth::admin(call, SCOPE).await?;
    let stored = one(call.db(), &key, id).await?;
    answer(200, &stored.record)
}

/// `POST /admin/locations`.
pub async fn create(call: &Call) -> Result<Reply, Error> {
    let key = auth::admin(call, SCOPE).await?;
    let body = call.body().await?;
    let request = in_codes(call.parse(&body)?);
    let claim = call.claim("admin", &format!("{}/create-location", key.name), &body)?;
    if let Some(claim) = &claim
        && let Some(reply) = call.replay(claim.lookup(call.db()).await?)?
    {
        return Ok(reply);
    }
    check(&request)?;
    let brands = trading(call.db(), &key, &request).await?;
    let location = Location {
        id: new_id(),
        ..request.location
    };
    let record = LocationRecord {
        version: 1,
        brands: handles(&brands),
        location,
    };
    let mut batch = Batch::new();
    if let Some(claim) = &claim {
        claim.insert(&mut batch, Some((201, &json(&record)?)));
    }
    insert(&mut batch, &record.location)?;
    trade(&mut batch, &record.location.id, &brands, &[])?;
    match batch.commit(call.db()).await {
        Ok(_) => {}
        Err(error) if claim.is_some() && error.unmet_at(0) => {
            return Err(Error::conflict(
                "idempotency_in_progress",
                "the first request with this key is still under way",
            ));
        }
        Err(error) => return Err(collision(error)),
    }
    notify_relay();
    Ok(answer(201, &record)?.header(
        "location",
        &format!("/admin/locations/{}", record.location.id),
    ))
}

/// `PUT /admin/locations/{id}`.
pub async fn put(call: &Call, id: &str) -> Result<Reply, Error> {
    let key = auth::admin(call, SCOPE).await?;
    let request = in_codes(call.json().await?);
    let stored = one(call.db(), &key, id).await?;
    // A location that brands share is the organisation's to change.
    stored
        .brand_ids
        .iter()
        .try_for_each(|brand_id| key.for_brand(brand_id))?;
    precondition::require(call, stored.record.version)?;
    if !request.location.id.is_empty() && request.location.id != id {
        return Err(Error::unprocessable(
            "invalid_location",
            "$.location.id",
            "not the id in the address",
        ));
    }
    check(&request)?;
    let brands = trading(call.db(), &key, &request).await?;
    let location = Location {
        id: id.into(),
        ..request.location
    };
    let record = LocationRecord {
        version: stored.record.version,
        brands: handles(&brands),
        location,
    };
    if record.location == stored.record.location && record.brands == stored.record.brands {
        return answer(200, &record);
    }
    let mut batch = Batch::new();
    update(&mut batch, &record.location, record.version)?;
    trade(&mut batch, id, &brands, &stored.brand_ids)?;
    batch.commit(call.db()).await.map_err(collision)?;
    notify_relay();
    answer(
        200,
        &LocationRecord {
            version: record.version + 1,
            ..record
        },
    )
}

/// Adds the statement that creates the location.
pub fn insert(batch: &mut Batch, location: &Location) -> Result<(), Error> {
    batch.expect(
        1,
        "INSERT INTO location (id, code, doc, fingerprint, version, updated_at_ms) VALUES (?1, ?2, ?3, ?4, 1, {now})",
        values![&location.id, &location.code, json(location)?, fingerprint_of(location)],
    );
    Ok(())
}

/// Adds the statement that changes this version of the location.
pub fn update(batch: &mut Batch, location: &Location, version: i64) -> Result<(), Error> {
    batch.expect(
        1,
        "UPDATE location SET code = ?2, doc = ?3, fingerprint = ?4, version = version + 1, updated_at_ms = {now} \
         WHERE id = ?1 AND version = ?5",
        values![&location.id, &location.code, json(location)?, fingerprint_of(location), version],
    );
    Ok(())
}

/// A brand's id and handle.
type BrandRef = (String, String);

/// Adds the statements that let exactly these brands trade at the location, and tells them
/// and those of `before` that it changed.
fn trade(batch: &mut Batch, id: &str, brands: &[BrandRef], before: &[String]) -> Result<(), Error> {
    let ids: Vec<&str> = brands.iter().map(|(id, _)| id.as_str()).collect();
    batch.add(
        "DELETE FROM brand_location WHERE location_id = ?1",
        values![id],
    );
    batch.add(
        (
            "INSERT INTO brand_location (brand_id, location_id) SELECT value, ?1 FROM json_each(?2)",
            "INSERT INTO brand_location (brand_id, location_id) SELECT jsonb_array_elements_text(?2::jsonb), ?1",
        ),
        values![id, json(&ids)?],
    );
    let told: BTreeSet<&str> = ids
        .into_iter()
        .chain(before.iter().map(String::as_str))
        .collect();
    for brand_id in told {
        outbox::event(batch, &Event::new(brand_id, "location.changed", id));
    }
    Ok(())
}

/// Which rows a read is about.
enum Wanted<'a> {
    One(&'a str),
    Page {
        brand_id: Option<String>,
        after: String,
        size: usize,
    },
}

struct Stored {
    record: LocationRecord,
    brand_ids: Vec<String>,
}

impl Stored {
    fn of(row: &Row) -> Result<Self, StoreError> {
        let texts = |column| {
            Ok::<Vec<String>, StoreError>(row.text(column)?.split(' ').map(Into::into).collect())
        };
        let mut brands = texts("handles")?;
        brands.sort_unstable();
        let record = LocationRecord {
            version: row.int("version")?,
            brands,
            location: row.json("doc")?,
        };
        Ok(Self {
            record,
            brand_ids: texts("brand_ids")?,
        })
    }
}

/// One call. A brand's handle and id contain no space, so that is what separates them.
async fn read(db: &Db, wanted: &Wanted<'_>) -> Result<Vec<Stored>, Error> {
    let joined = |column: &str| {
        db.dialect().pick(
            format!("group_concat({column}, ' ')"),
            format!("string_agg({column}, ' ')"),
        )
    };
    let (filter, params) = match wanted {
        Wanted::One(id) => ("l.id = ?1", values![*id, 1]),
        Wanted::Page {
            brand_id: None,
            after,
            size,
        } => ("l.id > ?1", values![after, *size as i64 + 1]),
        Wanted::Page {
            brand_id: Some(brand_id),
            after,
            size,
        } => (
            "l.id > ?1 AND EXISTS (SELECT 1 FROM brand_location own WHERE own.location_id = l.id AND own.brand_id = ?3)",
            values![after, *size as i64 + 1, brand_id],
        ),
    };
    let sql = format!(
        "SELECT l.id, l.version, l.doc, {} AS brand_ids, {} AS handles FROM location l \
         JOIN brand_location bl ON bl.location_id = l.id JOIN brand b ON b.id = bl.brand_id \
         WHERE {filter} GROUP BY l.id, l.version, l.doc ORDER BY l.id LIMIT ?2",
        joined("b.id"),
        joined("b.handle"),
    );
    let rows = db.query(sql, params).await?;
    Ok(rows.iter().map(Stored::of).collect::<Result<_, _>>()?)
}

async fn one(db: &Db, key: &AdminKey, id: &str) -> Result<Stored, Error> {
    let unknown = || Error::not_found("location_not_found", "no location has this id");
    if !is_id(id) {
        return Err(unknown());
    }
    let stored = read(db, &Wanted::One(id))
        .await?
        .pop()
        .ok_or_else(unknown)?;
    let visible = stored
        .brand_ids
        .iter()
        .any(|brand_id| key.for_brand(brand_id).is_ok());
    visible.then_some(stored).ok_or_else(unknown)
}

fn in_codes(mut request: LocationRequest) -> LocationRequest {
    request.location.address = request.location.address.in_codes();
    request
}

/// The brands that a request names, all of which the key must be allowed to act for and must
/// know which tax applies there.
async fn trading(
    db: &Db,
    key: &AdminKey,
    request: &LocationRequest,
) -> Result<Vec<BrandRef>, Error> {
    let handles = &request.brands;
    let sql = format!(
        "SELECT id, handle, doc FROM brand WHERE handle {} ORDER BY handle",
        db.dialect().among("?1")
    );
    let rows = db.query(sql, values![json(&handles)?]).await?;
    let mut found = Vec::<BrandRef>::new();
    for row in &rows {
        let brand: Brand = row.json("doc")?;
        if let Err(fault) = request.location.is_taxed_by(&brand.tax_rates) {
            let path = format!("$.location.{}", fault.path);
            return Err(Error::unprocessable(
                "invalid_location",
                &path,
                &fault.detail,
            ));
        }
        found.push((row.text("id")?, row.text("handle")?));
    }
    for (index, handle) in handles.iter().enumerate() {
        let at = format!("$.brands[{index}]");
        let brand = found.iter().find(|(_, known)| known == handle);
        let (id, _) = brand.ok_or_else(|| {
            Error::unprocessable("brand_not_found", &at, "no brand has this handle")
        })?;
        key.for_brand(id).map_err(|error| error.at(&at))?;
    }
    Ok(found)
}

fn check(request: &LocationRequest) -> Result<(), Error> {
    let wrong =
        |path: &str, detail: &str| Err(Error::unprocessable("invalid_location", path, detail));
    if !(1..=MAX_LOCATION_BRANDS).contains(&request.brands.len()) {
        return wrong("$.brands", "1 to 50 brands trade at a location");
    }
    let location = &request.location;
    if let Err(fault) = location.validate() {
        return wrong(&format!("$.location.{}", fault.path), &fault.detail);
    }
    let address = &location.address;
    let texts = [
        ("code", &location.code),
        ("name", &location.name),
        ("address.street_address", &address.street_address),
        ("address.address_locality", &address.address_locality),
        ("address.address_region", &address.address_region),
        ("address.postal_code", &address.postal_code),
    ];
    let too_long =
        |text: &str| text.chars().count() > MAX_TEXT_CHARS || text.contains(char::is_control);
    match texts.iter().find(|(_, text)| too_long(text)) {
        Some((path, _)) => wrong(
            &format!("$.location.{path}"),
            "longer than 255 characters, or with control characters",
        ),
        None => Ok(()),
    }
}

fn collision(error: BatchError) -> Error {
    match error {
        BatchError::Violated(_) => {
            Error::conflict("code_taken", "another location has this code").at("$.location.code")
        }
        BatchError::Unmet { .. } => Error::new(
            412,
            "precondition_failed",
            "the location was changed at the same moment",
        )
        .at("If-Match"),
        error => error.into(),
    }
}

fn handles(brands: &[BrandRef]) -> Vec<String> {
    brands.iter().map(|(_, handle)| handle.clone()).collect()
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))
}

fn answer(status: u16, record: &LocationRecord) -> Result<Reply, Error> {
    Ok(Reply::json(status, record)?.header("etag", &precondition::etag(record.version)))
}
