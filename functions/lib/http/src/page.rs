//! Pages of own lists: `cursor` and `limit` as query parameters.

use aisle_ucp::page::{Invalid, PageRequest};

use crate::{Call, Error};

impl Call {
    /// The page that the query asks for.
    pub fn page(&self) -> Result<PageRequest, Error> {
        let not_a_number = |_| Error::bad_request("invalid_limit", "limit", "not a number");
        let limit = self
            .query("limit")
            .map(|limit| limit.parse().map_err(not_a_number))
            .transpose()?;
        Ok(PageRequest {
            cursor: self.query("cursor").map(Into::into),
            limit,
        })
    }
}

impl Error {
    /// The page's rules are those of UCP's bodies; in a query its members are parameters.
    pub fn invalid_parameter(invalid: Invalid) -> Self {
        let name = invalid.path.rsplit('.').next().unwrap_or_default();
        Self::bad_request(invalid.code, name, &invalid.detail)
    }

    /// 422: a member of the body is not acceptable.
    pub fn invalid_member(invalid: Invalid) -> Self {
        Self::unprocessable(invalid.code, &invalid.path, &invalid.detail)
    }
}
