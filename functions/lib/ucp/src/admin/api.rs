//! The description of the admin routes for `/openapi.json`.

use aisle_domain::brand::Brand;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{BrandList, ImportKind, ImportResult, LocationList, LocationRecord, LocationRequest};
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(
    paths(list_brands, get_brand, put_brand, list_locations, create_location, get_location, put_location, import_file, get_import),
    modifiers(&AdminKey)
)]
pub struct Api;

/// `Authorization: Bearer KEY`, the key of a brand or of the organisation.
struct AdminKey;

impl Modify for AdminKey {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "admin_key",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        );
    }
}

/// List the brands
#[utoipa::path(
    get, path = "/admin/brands", tag = "admin", security(("admin_key" = [])),
    responses(
        (status = 200, body = BrandList),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key lacks the scope `brands`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn list_brands() {}

/// Read a brand
#[utoipa::path(
    get, path = "/admin/brands/{handle}", tag = "admin", security(("admin_key" = [])),
    params(("handle" = String, Path, example = "north")),
    responses(
        (status = 200, body = Brand, headers(("ETag" = String))),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key belongs to another brand or lacks the scope `brands`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such brand"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_brand() {}

/// Create or change a brand
///
/// The same document again changes nothing.
#[utoipa::path(
    put, path = "/admin/brands/{handle}", tag = "admin", security(("admin_key" = [])),
    params(
        ("handle" = String, Path, example = "north"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is to be changed"),
    ),
    request_body = Brand,
    responses(
        (status = 200, body = Brand, headers(("ETag" = String)), description = "Changed, or already so"),
        (status = 201, body = Brand, headers(("ETag" = String)), description = "Created"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is no brand"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key is not the organisation's or lacks the scope `brands`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "A host or being the default is taken, the currency has prices, or the brand changed meanwhile"),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "The brand has another version than `If-Match`"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value; `path` names it"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn put_brand() {}

/// List locations
#[utoipa::path(
    get, path = "/admin/locations", tag = "admin", security(("admin_key" = [])),
    params(
        ("brand" = Option<String>, Query, description = "Handle: only locations at which this brand trades"),
        ("cursor" = Option<String>, Query, description = "From the page before"),
        ("limit" = Option<i64>, Query, description = "10 unless given, 50 at most", minimum = 1),
    ),
    responses(
        (status = 200, body = LocationList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`cursor` or `limit` is wrong"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key belongs to another brand or lacks the scope `locations`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such brand"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn list_locations() {}

/// Create a location
#[utoipa::path(
    post, path = "/admin/locations", tag = "admin", security(("admin_key" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body again: the same answer, and nothing happens twice")),
    request_body = LocationRequest,
    responses(
        (status = 201, body = LocationRecord, headers(("ETag" = String), ("Location" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is no location"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key belongs to another brand or lacks the scope `locations`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The code is taken, or the first request with this key is still under way"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value (`path` names it), or the key was used for another body"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn create_location() {}

/// Read a location
#[utoipa::path(
    get, path = "/admin/locations/{id}", tag = "admin", security(("admin_key" = [])),
    params(("id" = String, Path)),
    responses(
        (status = 200, body = LocationRecord, headers(("ETag" = String))),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key lacks the scope `locations`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The key's brand has no such location"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_location() {}

/// Change a location
///
/// `If-Match` says which version is changed, so that nobody undoes what he has not seen.
#[utoipa::path(
    put, path = "/admin/locations/{id}", tag = "admin", security(("admin_key" = [])),
    params(
        ("id" = String, Path),
        ("If-Match" = String, Header, description = "The ETag of the version that is to be changed, or `*`"),
    ),
    request_body = LocationRequest,
    responses(
        (status = 200, body = LocationRecord, headers(("ETag" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is no location"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key belongs to another brand or lacks the scope `locations`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The key's brand has no such location"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The code is taken"),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "The location has another version than `If-Match`"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 256 KiB"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A member has no sensible value; `path` names it"),
        (status = 428, body = Problem, content_type = "application/problem+json", description = "`If-Match` is missing"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn put_location() {}

/// Import a file
///
/// A bad row is reported and the rest goes in; the same file again changes nothing, so an
/// import that was cut short is simply sent again. A dry run says what would happen and
/// changes nothing. The columns are in docs/IMPORT.md.
#[utoipa::path(
    post, path = "/admin/imports", tag = "admin", security(("admin_key" = [])),
    params(
        ("kind" = ImportKind, Query),
        ("brand" = String, Query, description = "Handle of the brand that the rows belong to"),
        ("file" = Option<String>, Query, description = "The file's name, for the report"),
        ("dry_run" = Option<bool>, Query, description = "Say what would happen, and write nothing"),
    ),
    request_body(content = String, content_type = "text/csv", description = "At most 64 MiB, also as `text/tab-separated-values`. UTF-8, UTF-16 or Windows-1252, which are told apart, or what `charset` says"),
    responses(
        (status = 200, body = ImportResult),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter is missing or unknown; `path` names it"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key belongs to another brand or lacks the scope `catalog`, `locations` or `stock`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such brand"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "More than 64 MiB; send the file in parts"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not text/csv, or in a charset that does not exist"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The first row cannot be read, or the file lacks columns; `columns` names them"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer; what was written stays, send the file again"),
    )
)]
#[allow(dead_code)]
fn import_file() {}

/// Read what became of an import
#[utoipa::path(
    get, path = "/admin/imports/{id}", tag = "admin", security(("admin_key" = [])),
    params(("id" = String, Path)),
    responses(
        (status = 200, body = ImportResult),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No admin key, or an unknown one"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key lacks the scope `catalog`, `locations` or `stock`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The key's brand has no such import"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn get_import() {}
