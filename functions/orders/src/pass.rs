//! Issuing the pass that lets somebody collect an order, and the keys that verify it.

use aisle_domain::brand::Brand;
use aisle_domain::id;
use aisle_domain::instant::rfc3339_in;
use aisle_domain::location::Location;
use aisle_domain::pass::{self, Keys, PassClaims, PickupStatus};
use aisle_http::{Call, Error, Reply, pass_keys};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::{Batch, BatchError, Row, StoreError, limit, random, values};
use aisle_ucp::pass::{Pass, PassKeys};

use crate::access::{OWNER, Visit};
use crate::read::{not_found, status};

/// Passes of one order, at most, …
const MOST: i64 = 20;
/// … within this long.
const WINDOW_MS: i64 = 600_000;
/// Looks at the order, at most: a code that is taken or a lost race is followed by another.
const ROUNDS: usize = 4;
/// How long tills may keep the public keys: a new key signs within minutes of its rollout.
const KEYS_MAX_AGE_S: u32 = 300;

struct Request<'a> {
    visit: &'a Visit<'a>,
    call: &'a Call,
    brand: &'a Brand,
    keys: &'a Keys,
    order_id: &'a str,
    claim: Option<&'a Claim>,
}

/// What the database says about an order that is to be collected.
struct Facts {
    now_ms: i64,
    outcome: Outcome,
    /// The account that the order belongs to.
    owner: Option<String>,
    /// `None`: the brand has no such order.
    cancelled: Option<bool>,
    pickup: Option<Pickup>,
}

struct Pickup {
    status: PickupStatus,
    ready_at_ms: i64,
    location: Location,
}

/// `GET /orders/pass-keys`: all brands have the same keys.
pub async fn keys() -> Result<Reply, Error> {
    let public = pass_keys().await?.public();
    Ok(Reply::json(200, &PassKeys::new(&public))?.cached(KEYS_MAX_AGE_S, 0))
}

/// `POST /orders/{id}/pass`
pub async fn issue(call: &Call, id: &str) -> Result<Reply, Error> {
    let visit = Visit::open(call, id).await?;
    let body = call.body().await?;
    let claim = call.claim(&visit.brand.id, &format!("issue-pass/{id}"), &body)?;
    carry_out(&visit, claim.as_ref()).await
}

/// The same for a page.
pub async fn carry_out(visit: &Visit<'_>, claim: Option<&Claim>) -> Result<Reply, Error> {
    let keys = pass_keys().await?;
    let request = Request {
        visit,
        call: visit.call,
        brand: &visit.brand,
        keys: &keys,
        order_id: visit.order_id,
        claim,
    };
    for _ in 0..ROUNDS {
        if let Some(reply) = request.round().await? {
            return Ok(reply);
        }
    }
    Err(Error::unavailable(1, "too many passes are issued at once"))
}

impl Request<'_> {
    /// `None`: something changed meanwhile, or the code is taken; look again.
    async fn round(&self) -> Result<Option<Reply>, Error> {
        let facts = self.read().await?;
        if facts.cancelled.is_some() {
            self.visit.check(facts.owner.as_deref())?;
        }
        if let Some(reply) = self.call.replay(facts.outcome.clone())? {
            return Ok(Some(reply));
        }
        let location = &facts.collectable()?.location;
        let lifetime_ms = self.brand.policies.pickup.pass_lifetime_s * 1_000;
        let claims = PassClaims {
            brand_id: self.brand.id.clone(),
            pass_id: id::new_id(facts.now_ms, random()),
            order_id: self.order_id.to_owned(),
            location_id: location.id.clone(),
            issued_at_ms: facts.now_ms,
            expires_at_ms: pass::whole_seconds(facts.now_ms + lifetime_ms),
        };
        let token = token(&claims, self.keys)?;
        let code = pass::code(random());
        let origin = self.call.brand_origin(self.brand);
        let pass = Pass::new(&claims, token, code.clone(), location, &origin);
        let reply = Reply::json(201, &pass)?;
        self.write(&claims, &code, &reply)
            .await
            .map(|written| written.then_some(reply))
    }

    /// One call.
    async fn read(&self) -> Result<Facts, Error> {
        let sql = format!(
            "SELECT {{now}} AS now_ms, {}, {OWNER} AS owner, o.status AS order_status, p.status AS pickup_status, p.ready_at_ms, \
             l.doc AS location FROM (SELECT 1 AS one) probe {} \
             LEFT JOIN customer_order o ON o.brand_id = ?1 AND o.id = ?2 AND o.status IN ('confirmed', 'cancelled') \
             LEFT JOIN pickup p ON p.brand_id = o.brand_id AND p.order_id = o.id \
             LEFT JOIN location l ON l.id = p.location_id",
            idempotency::COLUMNS,
            idempotency::join("?3", "?4")
        );
        let (scope, key) = self
            .claim
            .map_or(("", ""), |claim| (claim.scope.as_str(), claim.key.as_str()));
        let params = values![&self.brand.id, self.order_id, scope, key];
        let row = self.call.db().query_one_opt(sql, params).await?;
        let row = row.ok_or_else(|| Error::internal("a read without its one row"))?;
        Ok(Facts::of(&row, self.claim)?)
    }

    /// The other call. `false`: not as it was read, or the code is taken.
    async fn write(&self, claims: &PassClaims, code: &str, reply: &Reply) -> Result<bool, Error> {
        let PassClaims {
            brand_id,
            order_id,
            location_id,
            ..
        } = claims;
        let mut batch = Batch::new();
        if let Some(claim) = self.claim {
            let answer = String::from_utf8_lossy(reply.body());
            claim.insert(&mut batch, Some((reply.status(), &answer)));
        }
        // The row that everybody who collects or cancels changes: touching it makes them wait.
        batch.expect(
            1,
            "UPDATE pickup SET updated_at_ms = {now} \
             WHERE brand_id = ?1 AND order_id = ?2 AND location_id = ?3 AND status = 'ready'",
            values![brand_id, order_id, location_id],
        );
        let limited = batch.len();
        let name = format!("pass/{brand_id}/{order_id}");
        limit::spend(&mut batch, &name, MOST, WINDOW_MS);
        batch.add(
            "UPDATE pickup_pass SET revoked_at_ms = {now} \
             WHERE brand_id = ?1 AND order_id = ?2 AND revoked_at_ms IS NULL AND expires_at_ms > {now}",
            values![brand_id, order_id],
        );
        batch.expect(
            1,
            "INSERT INTO pickup_pass (id, brand_id, order_id, location_id, code, issued_at_ms, expires_at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (brand_id, code) DO NOTHING",
            values![
                &claims.pass_id,
                brand_id,
                order_id,
                location_id,
                code,
                claims.issued_at_ms,
                claims.expires_at_ms
            ],
        );
        match batch.commit(self.call.db()).await {
            Ok(_) => Ok(true),
            Err(error) if error.unmet_at(limited) => Err(too_many()),
            Err(BatchError::Unmet { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Facts {
    fn of(row: &Row, claim: Option<&Claim>) -> Result<Self, StoreError> {
        let pickup = match row.text_opt("pickup_status")? {
            Some(name) => Some(Pickup {
                status: status(&name)?,
                ready_at_ms: row.int("ready_at_ms")?,
                location: row.json("location")?,
            }),
            None => None,
        };
        Ok(Self {
            now_ms: row.int("now_ms")?,
            outcome: claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(row))?,
            owner: row.text_opt("owner")?,
            cancelled: row
                .text_opt("order_status")?
                .map(|status| status == "cancelled"),
            pickup,
        })
    }

    /// The collection, when it is possible now; else why it is not.
    fn collectable(&self) -> Result<&Pickup, Error> {
        let cancelled = || Error::conflict("cancelled", "the order was cancelled");
        if self.cancelled.ok_or_else(not_found)? {
            return Err(cancelled());
        }
        let pickup = self.pickup.as_ref().ok_or_else(|| {
            Error::new(
                422,
                "no_pickup",
                "nothing of this order is collected at a store",
            )
        })?;
        match pickup.status {
            PickupStatus::Ready => Ok(pickup),
            PickupStatus::Collected => Err(Error::conflict(
                "already_collected",
                "the order was handed over",
            )),
            PickupStatus::Cancelled => Err(cancelled()),
            PickupStatus::AwaitingTransfer | PickupStatus::Preparing => {
                let ready_at = rfc3339_in(pickup.ready_at_ms, &pickup.location.time_zone);
                let detail = format!("the order is not ready yet; it is promised for {ready_at}");
                Err(Error::conflict("not_ready", &detail)
                    .with("ready_at", ready_at)
                    .with("pickup_status", pickup.status.name()))
            }
        }
    }
}

/// The token of these claims; the same every time while the keys are the same.
pub fn token(claims: &PassClaims, keys: &Keys) -> Result<String, Error> {
    pass::issue(claims, keys).ok_or_else(|| Error::internal("a pass that no token can carry"))
}

fn too_many() -> Error {
    let detail = format!("more than {MOST} passes in 10 minutes for one order");
    Error::new(429, "too_many_passes", &detail).header("retry-after", "600")
}
