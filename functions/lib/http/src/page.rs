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

/// Where the page before ended, if there was one: text that every database can hold.
pub fn after(asked: &PageRequest, search: u64) -> Result<Option<String>, Error> {
    let after: Option<String> = asked.after(search).map_err(refused)?;
    if after.as_deref().is_some_and(|text| text.contains('\0')) {
        let detail = "not a cursor of this service";
        return Err(Error::bad_request("invalid_cursor", "cursor", detail));
    }
    Ok(after)
}

/// The page's rules are those of UCP's bodies; here its members are query parameters.
pub fn refused(invalid: Invalid) -> Error {
    let name = invalid.path.rsplit('.').next().unwrap_or_default();
    Error::bad_request(invalid.code, name, &invalid.detail)
}

#[cfg(test)]
mod tests {
    use aisle_ucp::page::Pagination;

    use super::*;

    #[test]
    fn a_cursor_is_text_that_every_database_can_hold() {
        let page = |position: &str| PageRequest {
            cursor: Pagination::new(7, Some(position), None).cursor,
            limit: None,
        };
        assert_eq!(after(&page("A-1"), 7).unwrap().as_deref(), Some("A-1"));
        for (position, search) in [("A\0", 7), ("A-1", 8)] {
            let error = after(&page(position), search).unwrap_err();
            assert_eq!((error.status(), error.path()), (400, Some("cursor")));
        }
    }
}
