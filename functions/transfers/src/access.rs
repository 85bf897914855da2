//! Who is calling, and what that allows.

use std::rc::Rc;

use aisle_domain::id::is_id;
use aisle_http::shopper::{self, Viewer};
use aisle_http::{Call, Error, auth};
use aisle_store::transfers::Transfer;
use aisle_store::{Batch, audit};
use aisle_ucp::page::Invalid;

/// What staff need for everything here.
const STAFF_SCOPE: &str = "transfer";
/// What a carrier's key needs to report where goods are.
const CARRIER_SCOPE: &str = "transfers";

/// Who acts.
pub enum Caller {
    /// Knows an id that nobody can guess, and owns what belongs to an account.
    Shopper(Viewer),
    Staff(Rc<auth::Staff>),
    /// By the name of its admin key.
    Carrier(String),
}

impl Caller {
    /// By what limits count who asks.
    pub async fn counted_as(&self, call: &Call) -> String {
        match self {
            Self::Shopper(viewer) => viewer.counted_as(call).await,
            Self::Staff(staff) => format!("device/{}", staff.device_id),
            Self::Carrier(key) => format!("key/{key}"),
        }
    }

    /// Staff where a token is shown that is not a shopper's, else a shopper.
    pub async fn of(call: &Call, brand_id: &str) -> Result<Self, Error> {
        let shoppers = |token: &str| {
            token.starts_with(shopper::ACCESS_PREFIX) || token.starts_with(shopper::LINK_PREFIX)
        };
        match auth::bearer(call) {
            Some(token) if !shoppers(token) => Self::staff(call, brand_id).await,
            _ => Viewer::of(call, brand_id).await.map(Self::Shopper),
        }
    }

    pub async fn staff(call: &Call, brand_id: &str) -> Result<Self, Error> {
        auth::staff(call, brand_id, STAFF_SCOPE)
            .await
            .map(Self::Staff)
    }

    /// Staff, or a carrier with a key of this brand.
    pub async fn staff_or_carrier(call: &Call, brand_id: &str) -> Result<Self, Error> {
        match Self::staff(call, brand_id).await {
            Err(error) if error.status() == 401 => {
                let key = auth::admin(call, CARRIER_SCOPE).await?;
                key.for_brand(brand_id)?;
                Ok(Self::Carrier(key.name))
            }
            outcome => outcome,
        }
    }

    /// Tells apart those who must not see each other's answers.
    pub fn name(&self) -> String {
        match self {
            Self::Shopper(viewer) => match viewer.account_id() {
                Some(account_id) => format!("transfers/account/{account_id}"),
                None => "transfers/shopper".into(),
            },
            Self::Staff(staff) => format!("transfers/staff/{}/{}", staff.device_id, staff.staff_id),
            Self::Carrier(name) => format!("transfers/carrier/{name}"),
        }
    }

    /// 403 for staff of another location; whoever is not staff acts at none.
    pub fn at(&self, location_id: &str) -> Result<(), Error> {
        match self {
            Self::Staff(staff) => staff.at(location_id),
            _ => Err(Error::forbidden("this is for the location's staff")),
        }
    }

    /// 403 for staff of neither the source nor the destination.
    pub fn at_either_end(&self, transfer: &Transfer) -> Result<(), Error> {
        self.at(&transfer.from_location_id)
            .or_else(|_| self.at(&transfer.to_location_id))
    }

    /// Staff's actions go into the audit trail.
    pub fn audit(&self, batch: &mut Batch, action: &str, transfer_id: &str, doc: &str) {
        if let Self::Staff(staff) = self {
            audit::record(batch, staff.actor(), action, ("transfer", transfer_id), doc);
        }
    }
}

/// What has not the form of an id names nothing, and needs no query to be refused.
pub fn must_be_id(id: &str) -> Result<(), Error> {
    if is_id(id) { Ok(()) } else { Err(missing()) }
}

pub fn missing() -> Error {
    Error::not_found("transfer_not_found", "there is no such transfer")
}

/// 400: the request itself makes no sense.
pub fn malformed(invalid: Invalid) -> Error {
    Error::bad_request(invalid.code, &invalid.path, &invalid.detail)
}

/// 422: well formed, but not about what is there.
pub fn unfit(invalid: Invalid) -> Error {
    Error::unprocessable(invalid.code, &invalid.path, &invalid.detail)
}
