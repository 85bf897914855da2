//! The description of the store locator for `/openapi.json`.

use utoipa::OpenApi;

use super::view::Answer;
use super::{LookupRequest, SearchRequest};
use crate::envelope::ErrorResponse;

#[derive(OpenApi)]
#[openapi(paths(search_locations, lookup_locations))]
pub struct Api;

/// Search locations
///
/// Nearest first when `distance` is given, else by name. Warehouses are never shown.
#[utoipa::path(
    post, path = "/locations/search", tag = "locations",
    request_body = SearchRequest,
    responses(
        (status = 200, body = Answer),
        (status = 400, body = ErrorResponse, description = "A malformed body, cursor, point or instant, an unknown filter, or a target that cannot be evaluated"),
        (status = 413, body = ErrorResponse), (status = 415, body = ErrorResponse), (status = 503, body = ErrorResponse),
    )
)]
#[allow(dead_code)]
fn search_locations() {}

/// Look locations up by id or code
///
/// Of more than 100 distinct identifiers the first 100 are looked up; a message says so.
#[utoipa::path(
    post, path = "/locations/lookup", tag = "locations",
    request_body = LookupRequest,
    responses(
        (status = 200, body = Answer),
        (status = 400, body = ErrorResponse, description = "A malformed body, point or instant, an unknown filter, or a target that cannot be evaluated"),
        (status = 413, body = ErrorResponse), (status = 415, body = ErrorResponse), (status = 503, body = ErrorResponse),
    )
)]
#[allow(dead_code)]
fn lookup_locations() {}
