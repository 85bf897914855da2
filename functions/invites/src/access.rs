//! Who asks, and what they may have links to.

use std::rc::Rc;

use aisle_domain::invite::Scope;
use aisle_http::auth::{self, Staff};
use aisle_http::shopper::{ACCESS_PREFIX, LINK_PREFIX, Viewer};
use aisle_http::{Call, Error};
use aisle_store::{Row, StoreError};

/// What staff need to text links.
const STAFF_SCOPE: &str = "pos";

/// Who asks.
pub enum Caller {
    Shopper(Viewer),
    Staff(Rc<Staff>),
}

/// What a link is or shall be for.
pub struct Subject {
    pub scope: Scope,
    pub id: String,
    /// The account that it belongs to.
    pub owner: Option<String>,
    /// Whether it is the business of the store whose staff ask.
    pub here: bool,
}

impl Caller {
    pub async fn of(call: &Call, brand_id: &str) -> Result<Self, Error> {
        let of_shopper =
            |token: &str| token.starts_with(ACCESS_PREFIX) || token.starts_with(LINK_PREFIX);
        match auth::bearer(call) {
            Some(token) if !of_shopper(token) => auth::staff(call, brand_id, STAFF_SCOPE)
                .await
                .map(Self::Staff),
            _ => Viewer::of(call, brand_id).await.map(Self::Shopper),
        }
    }

    /// For whom limits and idempotency keys count. Whoever shows no token is known by what
    /// they know of.
    pub fn name(&self, scope: Scope, subject_id: &str) -> String {
        match self {
            Self::Staff(staff) => format!("device/{}", staff.device_id),
            Self::Shopper(Viewer::Account(shopper)) => format!("account/{}", shopper.account_id),
            Self::Shopper(Viewer::Link(link)) => format!("link/{}", link.invite_id),
            Self::Shopper(Viewer::Anybody) => format!("{}/{subject_id}", scope.name()),
        }
    }

    pub fn account_id(&self) -> Option<&str> {
        match self {
            Self::Shopper(viewer) => viewer.account_id(),
            Self::Staff(_) => None,
        }
    }

    /// The store whose staff ask; empty for shoppers.
    pub fn location_id(&self) -> &str {
        match self {
            Self::Shopper(_) => "",
            Self::Staff(staff) => &staff.location_id,
        }
    }

    /// Refuses who may have no links to this, or as `hidden` says, as if it did not exist.
    pub fn may_touch(
        &self,
        subject: &Subject,
        hidden: impl FnOnce() -> Error,
    ) -> Result<(), Error> {
        match (self, subject.scope) {
            (Self::Staff(_), Scope::Account) => Err(hidden()),
            (Self::Staff(_), Scope::Cart) if subject.owner.is_some() => Err(hidden()),
            (Self::Staff(_), _) if subject.here => Ok(()),
            (Self::Staff(_), _) => Err(Error::forbidden("this belongs to another location")),
            // A link to an account opens nothing before somebody signs in, and then their own.
            (Self::Shopper(viewer), Scope::Account) => match viewer.account_id() {
                Some(own) if own == subject.id => Ok(()),
                Some(_) => Err(hidden()),
                None => Viewer::Anybody.may_touch(touched(subject), Some(&subject.id), hidden),
            },
            (Self::Shopper(viewer), _) => {
                viewer.may_touch(touched(subject), subject.owner.as_deref(), hidden)
            }
        }
    }
}

fn touched(subject: &Subject) -> (&str, &str) {
    (subject.scope.name(), &subject.id)
}

impl Subject {
    /// The order, cart or account `?2` of brand `?1`, seen from the store `?3` (empty: from
    /// none): columns `subject_id`, `owner`, `here`.
    pub fn sql(scope: Scope) -> String {
        match scope {
            Scope::Order => format!(
                "SELECT o.id AS subject_id, ao.account_id AS owner, {} AS here FROM customer_order o \
                 LEFT JOIN account_order ao ON ao.brand_id = o.brand_id AND ao.order_id = o.id \
                 WHERE o.brand_id = ?1 AND o.id = ?2 AND o.status IN ('confirmed', 'cancelled')",
                here("o.id")
            ),
            Scope::Cart => "SELECT c.id AS subject_id, ac.account_id AS owner, \
                 CASE WHEN ?3 = '' THEN 0 ELSE 1 END AS here FROM cart c \
                 LEFT JOIN account_cart ac ON ac.brand_id = c.brand_id AND ac.cart_id = c.id \
                 WHERE c.brand_id = ?1 AND c.id = ?2 AND c.status = 'active' AND c.expires_at_ms > {now}"
                .into(),
            Scope::Account => "SELECT a.id AS subject_id, a.id AS owner, \
                 CASE WHEN ?3 = '' THEN 1 ELSE 0 END AS here FROM account a \
                 WHERE a.brand_id = ?1 AND a.id = ?2 AND a.status = 'active'"
                .into(),
        }
    }

    /// What [`sql`](Self::sql) found.
    pub fn of(row: &Row, scope: Scope) -> Result<Option<Self>, StoreError> {
        let Some(id) = row.text_opt("subject_id")? else {
            return Ok(None);
        };
        Ok(Some(Self {
            scope,
            id,
            owner: row.text_opt("owner")?,
            here: row.int("here")? == 1,
        }))
    }
}

/// Whether an order is collected at, or was sold by, the store `?3`.
pub fn here(order_id: &str) -> String {
    format!(
        "CASE WHEN EXISTS (SELECT 1 FROM pickup p WHERE p.brand_id = ?1 AND p.order_id = {order_id} AND p.location_id = ?3) \
           OR EXISTS (SELECT 1 FROM audit u WHERE u.brand_id = ?1 AND u.subject_type = 'order' \
             AND u.subject_id = {order_id} AND u.action = 'sale.made' AND u.location_id = ?3) \
         THEN 1 ELSE 0 END"
    )
}

/// 404 for what there is not, or is not to be known of.
pub fn missing(scope: Scope) -> Error {
    let name = scope.name();
    Error::not_found(
        &format!("{name}_not_found"),
        &format!("there is no such {name}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use aisle_http::shopper::{Link, Shopper};

    #[test]
    fn a_link_to_an_account_is_no_key_to_it() {
        let link = Rc::new(Link {
            brand_id: "b".into(),
            invite_id: "i".into(),
            scope: "account".into(),
            subject_id: "ada".into(),
        });
        let shopper = |account_id: &str| {
            Caller::Shopper(Viewer::Account(Rc::new(Shopper {
                brand_id: "b".into(),
                account_id: account_id.into(),
                session_id: "s".into(),
                link: Some(link.clone()),
            })))
        };
        let account = Subject {
            scope: Scope::Account,
            id: "ada".into(),
            owner: Some("ada".into()),
            here: true,
        };
        let touch = |caller: Caller| {
            let outcome = caller.may_touch(&account, || missing(Scope::Account));
            outcome.map_err(|error| error.status())
        };
        assert_eq!(touch(shopper("ada")), Ok(()));
        assert_eq!(touch(shopper("eve")), Err(404));
        assert_eq!(touch(Caller::Shopper(Viewer::Link(link.clone()))), Err(401));
        assert_eq!(touch(Caller::Shopper(Viewer::Anybody)), Err(401));
    }
}
