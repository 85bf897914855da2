//! Brands: what the organisation trades as.

use aisle_domain::brand::Brand;
use aisle_http::auth::AdminKey;
use aisle_http::{Call, Error, Reply, auth, notify_relay, precondition};
use aisle_store::outbox::{self, Event};
use aisle_store::{Batch, BatchError, Db, Row, StoreError, new_id, values};
use aisle_ucp::admin::BrandList;

const SCOPE: &str = "brands";
/// The most brands of an organisation.
const MAX_BRANDS: usize = 1_000;

/// `GET /admin/brands`: all of the organisation, or a brand key's own.
pub async fn list(call: &Call) -> Result<Reply, Error> {
    let key = auth::admin(call, SCOPE).await?;
    let brands = stored(call.db())
        .await?
        .into_iter()
        .map(|stored| stored.brand);
    let brands = brands
        .filter(|brand| key.for_brand(&brand.id).is_ok())
        .collect();
    Reply::json(200, &BrandList { brands })
}

/// `GET /admin/brands/{handle}`.
pub async fn get(call: &Call, handle: &str) -> Result<Reply, Error> {
    let key = auth::admin(call, SCOPE).await?;
    let stored = stored(call.db())
        .await?
        .into_iter()
        .find(|stored| stored.brand.handle == handle);
    let stored = stored.ok_or_else(unknown)?;
    key.for_brand(&stored.brand.id)?;
    answer(200, &stored.brand, stored.version)
}

/// `PUT /admin/brands/{handle}`: creates or changes.
pub async fn put(call: &Call, handle: &str) -> Result<Reply, Error> {
    auth::admin(call, SCOPE).await?.for_organisation()?;
    let brand = call.json::<Brand>().await?.in_codes();
    check(&brand, handle)?;
    let all = stored(call.db()).await?;
    let known = all.iter().find(|stored| stored.brand.handle == handle);
    precondition::check(call, known.map(|known| known.version))?;
    check_against(&brand, known, &all)?;
    match known {
        None => {
            let brand = Brand {
                id: new_id(),
                ..brand
            };
            save(call.db(), &brand, None).await?;
            answer(201, &brand, 1)
        }
        Some(known) => {
            let brand = Brand {
                id: known.brand.id.clone(),
                ..brand
            };
            if brand == known.brand {
                return answer(200, &brand, known.version);
            }
            save(call.db(), &brand, Some(known.version)).await?;
            answer(200, &brand, known.version + 1)
        }
    }
}

/// The brand with this handle, for a request that names it in `path`, if the key may act for it.
pub async fn named(db: &Db, key: &AdminKey, handle: &str, path: &str) -> Result<Brand, Error> {
    let row = db
        .query_one_opt("SELECT doc FROM brand WHERE handle = ?1", values![handle])
        .await?;
    let brand: Brand = row.ok_or_else(|| unknown().at(path))?.json("doc")?;
    key.for_brand(&brand.id)?;
    Ok(brand)
}

struct Stored {
    brand: Brand,
    version: i64,
    /// There are products, whose prices are in the brand's currency.
    has_prices: bool,
}

impl Stored {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            brand: row.json("doc")?,
            version: row.int("version")?,
            has_prices: row.int("has_prices")? == 1,
        })
    }
}

async fn stored(db: &Db) -> Result<Vec<Stored>, Error> {
    let rows = db
        .query(
            "SELECT doc, version, CASE WHEN EXISTS (SELECT 1 FROM product WHERE product.brand_id = brand.id) \
             THEN 1 ELSE 0 END AS has_prices FROM brand ORDER BY handle LIMIT ?1",
            values![MAX_BRANDS as i64],
        )
        .await?;
    Ok(rows.iter().map(Stored::of).collect::<Result<_, _>>()?)
}

fn check(brand: &Brand, handle: &str) -> Result<(), Error> {
    if brand.handle != handle {
        return Err(Error::unprocessable(
            "invalid_brand",
            "$.handle",
            "not the handle in the address",
        ));
    }
    let fault = brand.validate().err();
    fault.map_or(Ok(()), |fault| {
        Err(Error::unprocessable(
            "invalid_brand",
            &format!("$.{}", fault.path),
            &fault.detail,
        ))
    })
}

/// What only one brand can have, and what cannot change any more.
fn check_against(brand: &Brand, known: Option<&Stored>, all: &[Stored]) -> Result<(), Error> {
    let taken = |path: &str, detail: &str| Err(Error::conflict("brand_conflict", detail).at(path));
    if !brand.id.is_empty() && known.is_none_or(|known| known.brand.id != brand.id) {
        return taken(
            "$.id",
            "a brand's id is given by the service and does not change",
        );
    }
    if known.is_some_and(|known| known.has_prices && known.brand.currency != brand.currency) {
        return taken(
            "$.currency",
            "the brand has products with prices in its currency",
        );
    }
    if known.is_none() && all.len() >= MAX_BRANDS {
        return taken("$.handle", "there are 1000 brands already");
    }
    let others = || {
        all.iter()
            .map(|stored| &stored.brand)
            .filter(|other| other.handle != brand.handle)
    };
    if brand.is_default && others().any(|other| other.is_default) {
        return taken("$.is_default", "another brand is the default already");
    }
    let is_taken = |host: &String| others().any(|other| other.hosts.contains(host));
    match brand.hosts.iter().position(is_taken) {
        Some(index) => taken(&format!("$.hosts[{index}]"), "another brand has this host"),
        None => Ok(()),
    }
}

async fn save(db: &Db, brand: &Brand, version: Option<i64>) -> Result<(), Error> {
    let mut batch = Batch::new();
    let doc = json(brand)?;
    match version {
        None => batch.expect(
            1,
            "INSERT INTO brand (id, handle, is_default, doc, version, updated_at_ms) \
             VALUES (?1, ?2, ?3, ?4, 1, {now}) ON CONFLICT DO NOTHING",
            values![&brand.id, &brand.handle, brand.is_default, doc],
        ),
        Some(version) => batch.expect(
            1,
            "UPDATE brand SET is_default = ?2, doc = ?3, version = version + 1, updated_at_ms = {now} \
             WHERE id = ?1 AND version = ?4",
            values![&brand.id, brand.is_default, doc, version],
        ),
    };
    save_hosts(&mut batch, brand)?;
    outbox::event(
        &mut batch,
        &Event::new(&brand.id, "brand.changed", &brand.id),
    );
    match batch.commit(db).await {
        Ok(_) => {
            notify_relay();
            Ok(())
        }
        Err(BatchError::Unmet { .. } | BatchError::Violated(_)) => Err(Error::conflict(
            "brand_conflict",
            "a brand was changed at the same moment; read it again",
        )),
        Err(error) => Err(error.into()),
    }
}

fn save_hosts(batch: &mut Batch, brand: &Brand) -> Result<(), Error> {
    batch.add(
        "DELETE FROM brand_host WHERE brand_id = ?1",
        values![&brand.id],
    );
    batch.add(
        (
            "INSERT INTO brand_host (host, brand_id) SELECT value, ?1 FROM json_each(?2)",
            "INSERT INTO brand_host (host, brand_id) SELECT jsonb_array_elements_text(?2::jsonb), ?1",
        ),
        values![&brand.id, json(&brand.hosts)?],
    );
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))
}

fn answer(status: u16, brand: &Brand, version: i64) -> Result<Reply, Error> {
    Ok(Reply::json(status, brand)?.header("etag", &precondition::etag(version)))
}

fn unknown() -> Error {
    Error::not_found("brand_not_found", "no brand has this handle")
}
