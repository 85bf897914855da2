//! The one read of a command on a hold, and what its handlers answer with.

use aisle_domain::brand::Brand;
use aisle_domain::hold::{Hold, Status};
use aisle_domain::id::is_id;
use aisle_domain::location::Location;
use aisle_domain::notice::Refusal;
use aisle_http::command::raced;
use aisle_http::{Call, Error};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::model::Locations;
use aisle_store::outbox::{self, Event};
use aisle_store::{Batch, Row, StoreError, Value, values};
use aisle_ucp::hold as wire;

/// A row of table `hold`.
#[derive(Clone)]
pub struct HoldRow {
    pub id: String,
    pub number: String,
    pub location_id: String,
    /// By the database's clock: past its end an open hold is expired.
    pub status: Status,
    pub hold: Hold,
    pub version: i64,
    pub created_at_ms: i64,
    pub expires_at_ms: i64,
}

pub struct Facts {
    /// The database's clock.
    pub now_ms: i64,
    /// Of the request's idempotency key.
    pub outcome: Outcome,
    pub row: Option<HoldRow>,
}

impl Facts {
    /// The clock, the key and the hold `id` (empty: none): one call.
    pub async fn read(
        call: &Call,
        brand: &Brand,
        id: &str,
        claim: Option<&Claim>,
    ) -> Result<Self, Error> {
        let sql = format!(
            "SELECT {{now}} AS now_ms, h.number, h.location_id, h.status, h.doc, h.version, h.created_at_ms, \
             h.expires_at_ms, {} FROM (SELECT 1 AS one) probe {} LEFT JOIN hold h ON h.brand_id = ?1 AND h.id = ?2",
            idempotency::COLUMNS,
            idempotency::join("?3", "?4"),
        );
        let mut params = values![&brand.id, id];
        params.extend(claim.map_or_else(|| ["", ""].map(Value::from), Claim::params));
        let row = call.db().query_one_opt(sql, params).await?;
        let row = row.ok_or_else(|| Error::internal("no row from a probe"))?;
        let now_ms = row.int("now_ms")?;
        Ok(Self {
            now_ms,
            outcome: claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(&row))?,
            row: match row.text_opt("number")? {
                Some(number) => Some(HoldRow::of(&row, id, number, now_ms)?),
                None => None,
            },
        })
    }

    /// The hold, or 404.
    pub fn hold(&self) -> Result<&HoldRow, Error> {
        self.row.as_ref().ok_or_else(unknown)
    }
}

impl HoldRow {
    fn of(row: &Row, id: &str, number: String, now_ms: i64) -> Result<Self, StoreError> {
        let status = row.text("status")?;
        let stored = Status::parse(&status)
            .ok_or_else(|| StoreError::Bug(format!("hold status {status}")))?;
        let expires_at_ms = row.int("expires_at_ms")?;
        Ok(Self {
            id: id.to_owned(),
            number,
            location_id: row.text("location_id")?,
            status: stored.at(expires_at_ms, now_ms),
            hold: row.json("doc")?,
            version: row.int("version")?,
            created_at_ms: row.int("created_at_ms")?,
            expires_at_ms,
        })
    }

    /// As it is answered.
    pub fn shown(&self, locations: &Locations) -> Result<wire::Hold, Error> {
        let location = place(locations, &self.location_id)?;
        let view = wire::View {
            id: &self.id,
            number: &self.number,
            status: self.status,
            location,
            created_at_ms: self.created_at_ms,
            expires_at_ms: self.expires_at_ms,
        };
        Ok(wire::Hold::new(view, &self.hold))
    }

    /// 409, with what it is, unless it is still kept.
    pub fn must_be_open(&self) -> Result<(), Error> {
        if self.status.is_open() {
            return Ok(());
        }
        Err(self.is_now())
    }

    /// 409 that says what it is now.
    pub fn is_now(&self) -> Error {
        let name = self.status.name();
        let detail = format!("the hold is {name}, which does not allow this");
        Error::conflict("wrong_status", &detail).with("state", name)
    }

    /// Writes document and status of a hold that was open, and still is by the database's clock.
    pub fn replace(&self, batch: &mut Batch, brand: &Brand) -> Result<(), Error> {
        batch.expect(
            1,
            "UPDATE hold SET status = ?4, doc = ?5, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status IN ('requested', 'pulled') \
               AND expires_at_ms > {now}",
            values![
                &brand.id,
                &self.id,
                self.version,
                self.status.name(),
                document(&self.hold)?
            ],
        );
        changed(batch, &brand.id, &self.id);
        Ok(())
    }
}

/// What the hold is, after a batch found it otherwise than it was read.
pub async fn overtaken(call: &Call, brand: &Brand, before: &HoldRow) -> Error {
    match Facts::read(call, brand, &before.id, None).await {
        Ok(Facts { row: Some(row), .. }) if row.status != before.status => row.is_now(),
        Ok(_) => raced(),
        Err(error) => error,
    }
}

pub fn changed(batch: &mut Batch, brand_id: &str, id: &str) {
    outbox::event(batch, &Event::new(brand_id, "hold.changed", id));
}

pub fn document(hold: &Hold) -> Result<String, Error> {
    serde_json::to_string(hold).map_err(|error| Error::internal(error.to_string()))
}

pub fn unknown() -> Error {
    Error::not_found("hold_not_found", "the brand has no such hold")
}

/// What has not the form of an id names nothing, and needs no query to be refused.
pub fn must_be_id(id: &str) -> Result<(), Error> {
    if is_id(id) { Ok(()) } else { Err(unknown()) }
}

/// A 422 that names the member.
pub fn refused(refusal: Refusal) -> Error {
    Error::unprocessable(refusal.code, &refusal.path, &refusal.detail)
}

/// The location at which the hold is kept.
pub async fn place_of(call: &Call, brand: &Brand, row: &HoldRow) -> Result<Locations, Error> {
    let id = row.location_id.as_str();
    Ok(call.model().locations(&brand.id, [id]).await?)
}

pub fn place<'a>(locations: &'a Locations, id: &str) -> Result<&'a Location, Error> {
    locations
        .all
        .iter()
        .find(|location| location.id == id)
        .ok_or_else(|| Error::internal(format!("location {id} left the brand with goods kept")))
}
