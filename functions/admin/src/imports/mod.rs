//! `POST /admin/imports`: a file's rows into the database, in bounded memory, and
//! `GET /admin/imports/{id}`: what became of them. A dry run tells and changes nothing.

use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_domain::import::lane::LaneFile;
use aisle_domain::import::location::LocationFile;
use aisle_domain::import::product::ProductFile;
use aisle_domain::import::stock::StockFile;
use aisle_domain::import::{Format, Header, Lacking, Report, Table, cell};
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

/// What a table of text may call itself.
const MEDIA_TYPES: [&str; 2] = ["text/csv", "text/tab-separated-values"];

/// What an import writes for, and with which permission.
struct Run<'a> {
    db: &'a Db,
    key: AdminKey,
    brand: Brand,
    id: String,
    /// Say what would happen, and write nothing.
    dry_run: bool,
}

/// `POST /admin/imports?kind=&brand=&file=&dry_run=` with a CSV file as its body.
pub async fn create(call: &Call) -> Result<Reply, Error> {
    let kind = kind(call);
    let key = auth::admin(call, scope(kind.as_ref().ok().copied())).await?;
    let kind = kind?;
    let file = file_name(call, kind)?;
    let handle = call
        .query("brand")
        .ok_or_else(|| Error::bad_request("missing_brand", "brand", "the handle of a brand"))?;
    let brand = brands::named(call.db(), &key, handle, "brand").await?;
    let dry_run = dry_run(call)?;
    let table = table(call)?;
    call.db().begin_heavy("import").await;
    let run = Run {
        db: call.db(),
        key,
        brand,
        id: new_id(),
        dry_run,
    };
    let (report, tally) = match kind {
        ImportKind::Products => products(call, table, &run).await?,
        ImportKind::Locations => locations(call, table, &run).await?,
        ImportKind::Stock => stock(call, table, &run).await?,
        ImportKind::Lanes => pour(call, table, LaneFile::new, lanes::Lanes::new(&run)).await?,
    };
    let result = ImportResult::new(
        Some(run.id.clone()).filter(|_| !run.dry_run),
        kind,
        &run.brand.handle,
        &file,
        tally,
        report,
    );
    if run.dry_run {
        return Reply::json(200, &result);
    }
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

async fn products(call: &Call, table: Table, run: &Run<'_>) -> Result<(Report, Tally), Error> {
    let currency = Currency::parse(&run.brand.currency);
    let currency = currency
        .map_err(|_| Error::internal(format!("brand {} has no currency", run.brand.handle)))?;
    pour(
        call,
        table,
        |header| ProductFile::new(header, currency),
        products::Products::new(run),
    )
    .await
}

async fn locations(call: &Call, table: Table, run: &Run<'_>) -> Result<(Report, Tally), Error> {
    pour(
        call,
        table,
        |header| LocationFile::new(header, &run.brand),
        locations::Locations::new(run),
    )
    .await
}

async fn stock(call: &Call, table: Table, run: &Run<'_>) -> Result<(Report, Tally), Error> {
    pour(call, table, StockFile::new, stock::Stock::new(run)).await
}

async fn pour<F: Format, T: Target<Item = F::Item>>(
    call: &Call,
    table: Table,
    open: impl Fn(&Header) -> Result<F, Lacking>,
    target: T,
) -> Result<(Report, Tally), Error> {
    let body = call.body_stream(MAX_IMPORT_BYTES)?;
    feed::feed(body, call.db().dialect(), table, open, target).await
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

fn dry_run(call: &Call) -> Result<bool, Error> {
    let text = call.query("dry_run").unwrap_or_default();
    cell::flag(text, false)
        .map_err(|reason| Error::bad_request("invalid_dry_run", "dry_run", &reason))
}

/// An empty table for the body's media type, whose encoding is looked for unless it is declared.
fn table(call: &Call) -> Result<Table, Error> {
    let header = call.header("content-type").unwrap_or_default();
    let mut parts = header.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let unsupported = |detail| Error::new(415, "unsupported_media_type", detail).at("Content-Type");
    if !MEDIA_TYPES
        .iter()
        .any(|known| media_type.eq_ignore_ascii_case(known))
    {
        return Err(unsupported("the body must be text/csv"));
    }
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("charset")
            .then(|| value.trim_matches('"'))
    });
    match charset {
        None => Ok(Table::default()),
        Some(charset) => {
            Table::declared(charset).ok_or_else(|| unsupported("there is no such charset"))
        }
    }
}
