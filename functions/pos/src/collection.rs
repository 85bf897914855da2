//! An order that is to be collected, with the pass that was shown: the one read that scan,
//! hand-over and settling decide on.

use aisle_domain::brand::Brand;
use aisle_domain::instant::rfc3339_in;
use aisle_domain::order::Order;
use aisle_domain::pass::{self, PassClaims, PassError, PickupStatus, Verdict};
use aisle_http::{Call, Error, pass_keys};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::{Row, StoreError, Value, limit, values};
use aisle_ucp::pos::CollectionView;

use crate::store;

/// Codes that one device may try within [`WINDOW_MS`]: a code stands for a pass only while
/// it lives, so that guessing finds nothing in time.
const CODES: i64 = 60;
const WINDOW_MS: i64 = 60 * 60_000;

/// How an order is found.
pub enum By<'a> {
    Id(&'a str),
    Number(&'a str),
    /// Through a genuine pass.
    Pass(&'a PassClaims),
    Code(&'a str),
}

pub struct Facts {
    /// The database's clock.
    pub now_ms: i64,
    /// Of the request's idempotency key.
    pub outcome: Outcome,
    pub found: Option<Found>,
}

/// A confirmed order, its collection, and the pass that was shown.
#[derive(Clone)]
pub struct Found {
    pub order: Order,
    pub version: i64,
    /// Absent: it is not collected.
    pub pickup: Option<Pickup>,
    pub pass: Option<Pass>,
    /// Nothing is owed on it.
    pub paid: bool,
    /// Who collects it instead of the buyer.
    pub person: Option<String>,
}

#[derive(Clone)]
pub struct Pickup {
    pub location_id: String,
    pub status: PickupStatus,
    pub ready_at_ms: i64,
    pub pickup_by_ms: i64,
    pub version: i64,
}

#[derive(Clone)]
pub struct Pass {
    pub id: String,
    pub expires_at_ms: i64,
    pub revoked_at_ms: Option<i64>,
    /// The hand-over that it was used for.
    pub hand_over_id: Option<String>,
}

/// Why an order is not handed over here and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hindrance {
    NotCollected,
    NotPaid,
    Pass(Verdict),
}

impl Facts {
    pub async fn read(
        call: &Call,
        brand: &Brand,
        by: By<'_>,
        claim: Option<&Claim>,
    ) -> Result<Self, Error> {
        let (order, pass, [order_key, pass_key]) = match by {
            By::Id(id) => ("o.id = ?2", "p.id = ?3", [id, ""]),
            By::Number(number) => ("o.number = ?2", "p.id = ?3", [number, ""]),
            By::Pass(claims) => (
                "o.id = ?2",
                "p.id = ?3",
                [&*claims.order_id, &*claims.pass_id],
            ),
            By::Code(code) => (
                "o.id = (SELECT order_id FROM pickup_pass WHERE brand_id = ?1 AND code = ?2)",
                "p.code = ?3",
                [code, code],
            ),
        };
        let sql = format!(
            "SELECT {{now}} AS now_ms, o.doc, o.version, k.location_id, k.status AS pickup_status, k.ready_at_ms, \
             k.pickup_by_ms, k.version AS pickup_version, p.id AS pass_id, p.expires_at_ms, p.revoked_at_ms, \
             h.id AS hand_over_id, l.status AS layaway_status, w.name AS person, {} \
             FROM (SELECT 1 AS one) probe {} \
             LEFT JOIN customer_order o ON o.brand_id = ?1 AND o.status = 'confirmed' AND {order} \
             LEFT JOIN pickup k ON k.brand_id = ?1 AND k.order_id = o.id \
             LEFT JOIN pickup_pass p ON p.brand_id = ?1 AND p.order_id = o.id AND {pass} \
             LEFT JOIN hand_over h ON h.pass_id = p.id \
             LEFT JOIN layaway l ON l.brand_id = ?1 AND l.order_id = o.id \
             LEFT JOIN pickup_person w ON w.brand_id = ?1 AND w.order_id = o.id",
            idempotency::COLUMNS,
            idempotency::join("?4", "?5"),
        );
        let mut params = values![&brand.id, order_key, pass_key];
        params.extend(claim.map_or_else(|| ["", ""].map(Value::from), Claim::params));
        let row = call.db().query_one_opt(sql, params).await?;
        let row = row.ok_or_else(|| Error::internal("no row from a probe"))?;
        Ok(Self {
            now_ms: row.int("now_ms")?,
            outcome: claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(&row))?,
            found: Found::of(&row)?,
        })
    }
}

impl Found {
    fn of(row: &Row) -> Result<Option<Self>, StoreError> {
        let Some(order) = row.json_opt::<Order>("doc")? else {
            return Ok(None);
        };
        let layaway = row.text_opt("layaway_status")?;
        Ok(Some(Self {
            order,
            version: row.int("version")?,
            pickup: match row.text_opt("pickup_status")? {
                Some(status) => Some(Pickup {
                    location_id: row.text("location_id")?,
                    status: PickupStatus::parse(&status)
                        .ok_or_else(|| StoreError::Bug(format!("pickup status {status}")))?,
                    ready_at_ms: row.int("ready_at_ms")?,
                    pickup_by_ms: row.int("pickup_by_ms")?,
                    version: row.int("pickup_version")?,
                }),
                None => None,
            },
            pass: match row.text_opt("pass_id")? {
                Some(id) => Some(Pass {
                    id,
                    expires_at_ms: row.int("expires_at_ms")?,
                    revoked_at_ms: row.int_opt("revoked_at_ms")?,
                    hand_over_id: row.text_opt("hand_over_id")?,
                }),
                None => None,
            },
            paid: layaway.is_none_or(|status| status == "paid"),
            person: row.text_opt("person")?,
        }))
    }

    /// Whether it is handed over at `location_id` on the pass that was shown or, without
    /// one, at the word of somebody who may decide that. `here`: the goods lie there,
    /// whatever the books say of their preparation.
    pub fn hindrance(&self, location_id: &str, now_ms: i64, here: bool) -> Option<Hindrance> {
        let Some(pickup) = &self.pickup else {
            return Some(match self.paid {
                true => Hindrance::NotCollected,
                false => Hindrance::NotPaid,
            });
        };
        let status = match pickup.status {
            PickupStatus::Preparing | PickupStatus::AwaitingTransfer if here => PickupStatus::Ready,
            status => status,
        };
        let pass = self.pass.as_ref();
        let facts = pass::Facts {
            location_id: &pickup.location_id,
            expires_at_ms: pass.map_or(i64::MAX, |pass| pass.expires_at_ms),
            revoked_at_ms: pass.and_then(|pass| pass.revoked_at_ms),
            used: pass.is_some_and(|pass| pass.hand_over_id.is_some()),
            pickup: status,
            ready_at_ms: pickup.ready_at_ms,
        };
        match pass::judge(&facts, location_id, now_ms) {
            Verdict::Good if !self.paid => Some(Hindrance::NotPaid),
            Verdict::Good => None,
            verdict => Some(Hindrance::Pass(verdict)),
        }
    }

    /// As a till shows it, in the store's time.
    pub fn view(&self, time_zone: &str) -> CollectionView {
        let mut view = CollectionView::new(&self.order);
        view.pickup_person.clone_from(&self.person);
        if let Some(pickup) = &self.pickup {
            view.status = Some(pickup.status.name().into());
            view.location_id = Some(pickup.location_id.clone());
            view.ready_at = Some(rfc3339_in(pickup.ready_at_ms, time_zone));
            view.pickup_by = Some(rfc3339_in(pickup.pickup_by_ms, time_zone));
        }
        view
    }
}

impl Hindrance {
    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotCollected => "not_collected",
            Self::NotPaid => "not_paid",
            Self::Pass(verdict) => verdict.code(),
        }
    }

    /// 409, with what helps the person at the till.
    pub fn error(&self, time_zone: &str) -> Error {
        let detail = match self {
            Self::NotCollected => "this order is not collected at a store",
            Self::NotPaid => "something is still owed on this order",
            Self::Pass(Verdict::WrongStore { .. }) => "it is collected at another store",
            Self::Pass(Verdict::AlreadyUsed) => "goods were handed over on this pass already",
            Self::Pass(Verdict::Expired) => "the pass has expired; the page shows a fresh one",
            Self::Pass(Verdict::NotReady { .. }) => "the goods do not lie ready yet",
            Self::Pass(_) => "there is nothing to collect any more",
        };
        let error = Error::conflict(self.code(), detail);
        match self {
            Self::Pass(Verdict::WrongStore { location_id }) => {
                error.with("location_id", location_id.as_str())
            }
            Self::Pass(Verdict::NotReady { ready_at_ms }) => {
                error.with("ready_at", rfc3339_in(*ready_at_ms, time_zone))
            }
            _ => error,
        }
    }
}

/// What a token says, if it is genuine and this brand's; expired or not.
pub async fn genuine(brand: &Brand, token: &str) -> Result<PassClaims, Error> {
    let keys = pass_keys().await?.public();
    let claims = pass::read(token, &keys).map_err(forged)?;
    if claims.brand_id != brand.id {
        return Err(invalid("another_brand"));
    }
    Ok(claims)
}

fn forged(error: PassError) -> Error {
    invalid(error.code())
}

fn invalid(reason: &str) -> Error {
    Error::new(422, "invalid_pass", "this is no pass of ours").with("reason", reason)
}

/// Counts a typed code; 429 when the device has tried too many.
pub async fn count_code(call: &Call, brand: &Brand, device_id: &str) -> Result<(), Error> {
    let name = format!("pass-code/{}/{device_id}", brand.id);
    if limit::allows(call.db(), &name, CODES, WINDOW_MS).await? {
        return Ok(());
    }
    Err(store::too_often(WINDOW_MS))
}
