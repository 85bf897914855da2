//! The description of the catalog for `/openapi.json`.

use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::view::{OptionView, ProductFacts, VariantFacts, VariantState};
use super::{CategoryList, LookupRequest, ProductRequest, SearchRequest, SelectedOption};
use crate::envelope::{ErrorResponse, Message, Ucp};
use crate::hold::HousekeepingRun;
use crate::page::Pagination;

#[derive(OpenApi)]
#[openapi(paths(
    search_catalog,
    lookup_catalog,
    get_product,
    list_categories,
    catalog_housekeeping
))]
pub struct Api;

/// A product as the view writes it.
#[derive(Serialize, ToSchema)]
struct Product {
    #[serde(flatten)]
    facts: ProductFacts,
    /// With signals on product detail.
    options: Option<Vec<OptionView>>,
    /// On product detail: the selection that the signals and variants are relative to.
    selected: Option<Vec<SelectedOption>>,
    /// The featured one first.
    variants: Vec<Variant>,
}

#[derive(Serialize, ToSchema)]
struct Variant {
    #[serde(flatten)]
    facts: VariantFacts,
    #[serde(flatten)]
    state: VariantState,
}

#[derive(Serialize, ToSchema)]
struct SearchAnswer {
    ucp: Ucp,
    products: Vec<Product>,
    pagination: Pagination,
    messages: Option<Vec<Message>>,
}

#[derive(Serialize, ToSchema)]
struct LookupAnswer {
    ucp: Ucp,
    products: Vec<Product>,
    messages: Option<Vec<Message>>,
}

#[derive(Serialize, ToSchema)]
struct ProductAnswer {
    ucp: Ucp,
    /// Absent, with `ucp.status` `error`, when there is no such product.
    product: Option<Product>,
    messages: Option<Vec<Message>>,
}

/// Search the catalog
///
/// What is the title, a SKU, a GTIN or the handle comes first, then what has all words in its
/// title, then what has them anywhere; of these, and without words, the latest product first.
/// Case, accents and plurals do not matter, the beginning of a word will do in all but the
/// description, and where nothing fits, one wrong letter in a word of the title is forgiven
/// (`similar_words`). `total_count` is exact up to 1,000 (without words always); beyond, an
/// info `total_is_a_minimum` says so. Of a search that prices or stores hold back a page looks
/// at 1,000 products: it may be short, even empty, and still have a cursor.
#[utoipa::path(
    post, path = "/catalog/search", tag = "catalog",
    request_body = SearchRequest,
    responses(
        (status = 200, body = SearchAnswer),
        (status = 400, body = ErrorResponse, description = "A malformed body, neither query nor filters, a bad cursor, price, currency or filter"),
        (status = 413, body = ErrorResponse), (status = 415, body = ErrorResponse), (status = 503, body = ErrorResponse),
    )
)]
#[allow(dead_code)]
fn search_catalog() {}

/// Look products up by product id, variant id, SKU, GTIN or handle
#[utoipa::path(
    post, path = "/catalog/lookup", tag = "catalog",
    request_body = LookupRequest,
    responses(
        (status = 200, body = LookupAnswer),
        (status = 400, body = ErrorResponse, description = "A malformed body, more than 100 identifiers (`request_too_large`), a GTIN with a wrong check digit"),
        (status = 413, body = ErrorResponse), (status = 415, body = ErrorResponse), (status = 503, body = ErrorResponse),
    )
)]
#[allow(dead_code)]
fn lookup_catalog() {}

/// One product in detail, with option selection
#[utoipa::path(
    post, path = "/catalog/product", tag = "catalog",
    request_body = ProductRequest,
    responses(
        (status = 200, body = ProductAnswer),
        (status = 400, body = ErrorResponse, description = "A malformed body, an option selected twice, a GTIN with a wrong check digit"),
        (status = 413, body = ErrorResponse), (status = 415, body = ErrorResponse), (status = 503, body = ErrorResponse),
    )
)]
#[allow(dead_code)]
fn get_product() {}

/// List the categories with the numbers of their products
#[utoipa::path(
    get, path = "/catalog/categories", tag = "catalog",
    params(
        ("limit" = Option<i64>, Query, description = "At least 1; 10 when absent, and never more than 50 are returned"),
        ("cursor" = Option<String>, Query, description = "`pagination.cursor` of the page before"),
    ),
    responses(
        (status = 200, body = CategoryList),
        (status = 400, body = ErrorResponse, description = "A bad limit or cursor"),
        (status = 503, body = ErrorResponse),
    )
)]
#[allow(dead_code)]
fn list_categories() {}

/// Make products findable that are not yet as this build does it
#[utoipa::path(
    post, path = "/catalog/housekeeping", tag = "catalog", security(("relay_key" = [])),
    responses(
        (status = 200, body = HousekeepingRun),
        (status = 401, body = ErrorResponse),
        (status = 403, body = ErrorResponse, description = "No relay key is configured"),
        (status = 503, body = ErrorResponse),
    )
)]
#[allow(dead_code)]
fn catalog_housekeeping() {}
