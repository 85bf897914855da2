//! The description of `GET /stock` for `/openapi.json`.

use utoipa::OpenApi;

use super::StockAnswer;
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(paths(stock_by_sku, stock_by_gtin))]
pub struct Api;

/// What of a SKU is where
///
/// Cacheable: `Cache-Control` with `stale-while-revalidate`, a strong `ETag`, 304 on `If-None-Match`.
#[utoipa::path(
    get, path = "/stock/{sku}", tag = "stock",
    params(
        ("sku" = String, Path, description = "The variant's SKU"),
        ("near" = Option<String>, Query, description = "`latitude,longitude` in decimal degrees: nearest location first; without, those with most units first", example = "40.74,-73.99"),
        ("limit" = Option<i64>, Query, description = "Locations on a page, 1 to 200; 50 when absent"),
        ("cursor" = Option<String>, Query, description = "`pagination.cursor` of the page before, for the same item and `near`"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the answer that the client has"),
    ),
    responses(
        (status = 200, body = StockAnswer, headers(("ETag" = String), ("Cache-Control" = String))),
        (status = 304, description = "Nothing changed since that ETag"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`near` is no point, `limit` not within 1 and 200, or `cursor` not of this list"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no such SKU"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn stock_by_sku() {}

/// What of an item is where, by its barcode
#[utoipa::path(
    get, path = "/stock", tag = "stock",
    params(
        ("gtin" = String, Query, description = "GTIN-8, -12, -13 or -14 with its check digit", example = "4006381333931"),
        ("near" = Option<String>, Query, description = "`latitude,longitude` in decimal degrees: nearest location first; without, those with most units first"),
        ("limit" = Option<i64>, Query, description = "Locations on a page, 1 to 200; 50 when absent"),
        ("cursor" = Option<String>, Query, description = "`pagination.cursor` of the page before, for the same item and `near`"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the answer that the client has"),
    ),
    responses(
        (status = 200, body = StockAnswer, headers(("ETag" = String), ("Cache-Control" = String))),
        (status = 304, description = "Nothing changed since that ETag"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`gtin` is missing or wrong, `near` is no point, `limit` not within 1 and 200, or `cursor` not of this list"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has no item with this GTIN"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn stock_by_gtin() {}
