//! `POST /admin/imports`: a file's rows into the database, in bounded memory, and
//! `GET /admin/imports/{id}`: what became of them.

use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_domain::import::lane::LaneFile;
use aisle_domain::import::location::LocationFile;
use aisle_domain::import::product::ProductFile;
use aisle_domain::import::stock::StockFile;
use aisle_domain::import::{Format, Header, Report, cell};
use aisle_domain::money::Currency;
use aisle_http::auth::AdminKey;
use aisle_http::{Call, Error, Reply, auth, notify_relay};
use aisle_store::{Batch, Db, new_id, values};
use aisle_ucp::admin::{ImportKind, ImportResult, MAX_IMPORT_BYTES, Tally};

use crate::brands;
use feed::Target;

mod feed;
mod lanes;
mod locations;
mod products;
mod stock;

const MEDIA_TYPE: &str = "text/csv";

/// What an import writes for, and with which permission.
struct Run<'a> {
    db: &'a Db,
    key: AdminKey,
    brand: Brand,
    id: String,
}

/// `POST /admin/imports?kind=&brand=&file=` with a CSV file as its body.
pub async fn create(call: &Call) -> Result<Reply, Error> {
    let kind = kind(call);
    let key = auth::admin(call, scope(kind.as_ref().ok().copied())).await?;
    let kind = kind?;
    let file = file_name(call, kind)?;
    let handle = call
        .query("brand")
        .ok_or_else(|| Error::bad_request("missing_brand", "brand", "the handle of a brand"))?;
    let brand = brands::named(call.db(), &key, handle, "brand").await?;
    require_csv(call)?;
    call.db().begin_heavy("import").await;
    let run = Run {
        db: call.db(),
        key,
        brand,
        id: new_id(),
    };
    let (report, tally) = match kind {
        ImportKind::Products => products(call, &run).await?,
        ImportKind::Locations => locations(call, &run).await?,
        ImportKind::Stock => stock(call, &run).await?,
        ImportKind::Lanes => pour(call, LaneFile::new, lanes::Lanes::new(&run)).await?,
    };
    let result = ImportResult::new(
        run.id.clone(),
        kind,
        &run.brand.handle,
        &file,
        tally,
        report,
    );
    record(&run, &result).await?;
    if tally.created + tally.updated > 0 {
        notify_relay();
    }
    Ok(Reply::json(200, &result)?.header("location", &format!("/admin/imports/{}", run.id)))
}

/// `GET /admin/imports/{id}`.
pub async fn get(call: &Call, id: &str) -> Result<Reply, Error> {
    let unknown = || Error::not_found("import_not_found", "no import has this id");
    let row = match is_id(id) {
        true => {
            call.db()
                .query_one_opt(
                    "SELECT brand_id, kind, result FROM import_run WHERE id = ?1",
                    values![id],
                )
                .await?
        }
        false => None,
    };
    let kind = row.as_ref().map(|row| row.text("kind")).transpose()?;
    let key = auth::admin(call, scope(kind.as_deref().and_then(ImportKind::parse))).await?;
    let row = row.ok_or_else(unknown)?;
    key.for_brand(&row.text("brand_id")?)
        .map_err(|_| unknown())?;
    Ok(Reply::bytes(
        200,
        "application/json",
        row.text("result")?.into_bytes(),
    ))
}

async fn products(call: &Call, run: &Run<'_>) -> Result<(Report, Tally), Error> {
    let currency = Currency::parse(&run.brand.currency);
    let currency = currency
        .map_err(|_| Error::internal(format!("brand {} has no currency", run.brand.handle)))?;
    let exponent = u32::from(currency.exponent());
    pour(
        call,
        |header| ProductFile::new(header, exponent),
        products::Products::new(run),
    )
    .await
}

async fn locations(call: &Call, run: &Run<'_>) -> Result<(Report, Tally), Error> {
    let minutes = run.brand.preparation_minutes;
    pour(
        call,
        |header| LocationFile::new(header, minutes),
        locations::Locations::new(run),
    )
    .await
}

async fn stock(call: &Call, run: &Run<'_>) -> Result<(Report, Tally), Error> {
    pour(call, StockFile::new, stock::Stock::new(run)).await
}

async fn pour<F: Format, T: Target<Item = F::Item>>(
    call: &Call,
    open: impl Fn(&Header) -> Result<F, Vec<&'static str>>,
    target: T,
) -> Result<(Report, Tally), Error> {
    let body = call.body_stream(MAX_IMPORT_BYTES)?;
    feed::feed(body, call.db().dialect(), open, target).await
}

async fn record(run: &Run<'_>, result: &ImportResult) -> Result<(), Error> {
    let result_json =
        serde_json::to_string(result).map_err(|error| Error::internal(error.to_string()))?;
    let mut batch = Batch::new();
    batch.expect(
        1,
        "INSERT INTO import_run (id, brand_id, kind, result, finished_at_ms) VALUES (?1, ?2, ?3, ?4, {now})",
        values![&run.id, &run.brand.id, result.kind.name(), result_json],
    );
    batch.commit(run.db).await?;
    Ok(())
}

fn kind(call: &Call) -> Result<ImportKind, Error> {
    let kind = call.query("kind").and_then(ImportKind::parse);
    kind.ok_or_else(|| {
        Error::bad_request(
            "invalid_kind",
            "kind",
            "one of products, locations, stock, lanes",
        )
    })
}

/// The scope that a kind of import needs; an unknown kind shows itself to no lesser key.
fn scope(kind: Option<ImportKind>) -> &'static str {
    match kind {
        Some(ImportKind::Locations | ImportKind::Lanes) => crate::locations::SCOPE,
        Some(ImportKind::Stock) => "stock",
        Some(ImportKind::Products) | None => "catalog",
    }
}

fn file_name(call: &Call, kind: ImportKind) -> Result<String, Error> {
    match call.query("file") {
        None | Some("") => Ok(format!("{}.csv", kind.name())),
        Some(name) => {
            cell::text(name).map_err(|reason| Error::bad_request("invalid_file", "file", &reason))
        }
    }
}

fn require_csv(call: &Call) -> Result<(), Error> {
    let media_type = call
        .header("content-type")
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    if media_type.trim().eq_ignore_ascii_case(MEDIA_TYPE) {
        return Ok(());
    }
    Err(Error::new(415, "unsupported_media_type", "the body must be text/csv").at("Content-Type"))
}
