//! Who may see and change an order: its account, the holder of its link, or, while it
//! belongs to no account, whoever knows its id.

use std::rc::Rc;

use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_http::shopper::Viewer;
use aisle_http::{Call, Error};

/// The account that the order `?2` of the brand `?1` belongs to: a column of the read that
/// the order itself comes from.
pub const OWNER: &str =
    "(SELECT w.account_id FROM account_order w WHERE w.brand_id = ?1 AND w.order_id = ?2)";

/// A call about one order, with who makes it.
pub struct Visit<'a> {
    pub call: &'a Call,
    pub brand: Rc<Brand>,
    pub viewer: Viewer,
    pub order_id: &'a str,
}

impl<'a> Visit<'a> {
    /// 404 for what cannot be an order's id; 401 and 403 for a token that does not count.
    pub async fn open(call: &'a Call, order_id: &'a str) -> Result<Self, Error> {
        if !is_id(order_id) {
            return Err(not_found());
        }
        let brand = call.brand().await?;
        let viewer = Viewer::of(call, &brand.id).await?;
        Ok(Self {
            call,
            brand,
            viewer,
            order_id,
        })
    }

    /// Whether the order, which belongs to `owner`, may be touched: 401 where signing in may
    /// help, else 404, as if there were no such order.
    pub fn check(&self, owner: Option<&str>) -> Result<(), Error> {
        let scope = ("order", self.order_id);
        self.viewer.may_touch(scope, owner, not_found)
    }
}

/// As if there were no such order.
pub fn not_found() -> Error {
    Error::not_found("order_not_found", "the brand has no such order")
}
