//! Pages of lists that are asked for by query parameters.

use aisle_ucp::page::{Invalid, PageRequest};

use crate::{Call, Error};

/// `cursor` and `limit` of the query.
pub fn request(call: &Call) -> Result<PageRequest, Error> {
    let not_a_number = |_| Error::bad_request("invalid_limit", "limit", "not a number");
    let limit = call
        .query("limit")
        .map(|limit| limit.parse().map_err(not_a_number))
        .transpose()?;
    Ok(PageRequest {
        cursor: call.query("cursor").map(Into::into),
        limit,
    })
}

/// The page's rules are those of UCP's bodies; here its members are query parameters.
pub fn refused(invalid: Invalid) -> Error {
    let name = invalid.path.rsplit('.').next().unwrap_or_default();
    Error::bad_request(invalid.code, name, &invalid.detail)
}
