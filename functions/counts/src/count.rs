//! A count as it is kept, and what the handlers share.

use aisle_domain::brand::Brand;
use aisle_domain::count::{Count, Mode, Status};
use aisle_domain::id::is_id;
use aisle_http::{Call, Error};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::scans::{self, Counted, Found, Part};
use aisle_store::{Batch, Row, values};
use aisle_ucp::count::{CountSession, CountView};
use aisle_ucp::page::Invalid;

/// A row of `count_session`.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: String,
    pub location_id: String,
    pub mode: Mode,
    pub status: Status,
    pub round: i64,
    pub count: Count,
    pub version: i64,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
    /// When it was read.
    pub now_ms: i64,
    /// Corrections that others have made of its shelves since it was opened, where that was
    /// asked for. Two counts of one shelf find the same units missing; only one may take
    /// them off.
    pub other_corrections: i64,
}

pub const COLUMNS: &str = "s.id, s.location_id, s.mode, s.status, s.round, s.doc, s.version, s.created_at_ms, \
    s.updated_at_ms, {now} AS now_ms, 0 AS other_corrections";

/// The same with [`Session::other_corrections`].
const ALL_COLUMNS: &str = "s.id, s.location_id, s.mode, s.status, s.round, s.doc, s.version, s.created_at_ms, \
    s.updated_at_ms, {now} AS now_ms, (SELECT count(*) FROM stock_movement m WHERE m.brand_id = s.brand_id \
      AND m.location_id = s.location_id AND m.reason = 'count' AND m.document_id <> s.id \
      AND m.at_ms >= s.created_at_ms) AS other_corrections";

impl Session {
    /// With what the request's key was answered before.
    pub async fn read(
        call: &Call,
        brand_id: &str,
        id: &str,
        claim: Option<&Claim>,
    ) -> Result<(Self, Outcome), Error> {
        must_be_id(id)?;
        let sql = format!(
            "SELECT {ALL_COLUMNS}, {} FROM count_session s {} WHERE s.brand_id = ?1 AND s.id = ?2",
            idempotency::COLUMNS,
            idempotency::join("?3", "?4"),
        );
        let mut params = values![brand_id, id];
        params.extend(idempotency::params(claim));
        let row = call.db().query_one_opt(sql, params).await?;
        let row = row.ok_or_else(missing)?;
        Ok((Self::of(&row)?, idempotency::outcome(claim, &row)?))
    }

    pub fn of(row: &Row) -> Result<Self, Error> {
        let unknown = |text: &str| Error::internal(format!("count_session holds {text}"));
        let (mode, status) = (row.text("mode")?, row.text("status")?);
        Ok(Self {
            id: row.text("id")?,
            location_id: row.text("location_id")?,
            mode: Mode::parse(&mode).ok_or_else(|| unknown(&mode))?,
            status: Status::parse(&status).ok_or_else(|| unknown(&status))?,
            round: row.int("round")?,
            count: row.json("doc")?,
            version: row.int("version")?,
            created_at_ms: row.int("created_at_ms")?,
            updated_at_ms: row.int("updated_at_ms")?,
            now_ms: row.int("now_ms")?,
            other_corrections: row.int("other_corrections")?,
        })
    }

    pub fn doc(&self) -> Result<String, Error> {
        serde_json::to_string(&self.count).map_err(|error| Error::internal(error.to_string()))
    }

    pub fn shown(&self, time_zone: &str) -> CountSession {
        let view = CountView {
            id: &self.id,
            location_id: &self.location_id,
            mode: self.mode,
            status: self.status,
            round: self.round,
            created_at_ms: self.created_at_ms,
            updated_at_ms: self.updated_at_ms,
            time_zone,
        };
        CountSession::new(view, &self.count)
    }

    /// Adds a statement that is unmet when others have corrected more of its shelves by now.
    pub fn must_be_alone(&self, batch: &mut Batch, brand_id: &str) {
        batch.expect_rows(
            1,
            "SELECT 1 AS one FROM (SELECT 1 AS one) probe WHERE (SELECT count(*) FROM stock_movement m \
             WHERE m.brand_id = ?1 AND m.location_id = ?2 AND m.reason = 'count' AND m.document_id <> ?3 \
               AND m.at_ms >= ?4) = ?5",
            values![
                brand_id,
                &self.location_id,
                &self.id,
                self.created_at_ms,
                self.other_corrections
            ],
        );
    }

    /// What was counted, beside the ledger.
    pub async fn found(
        &self,
        call: &Call,
        brand_id: &str,
        part: Part<'_>,
    ) -> Result<Vec<Found>, Error> {
        let reviewed_at_ms = self
            .count
            .reviewed_at_ms
            .filter(|_| self.status != Status::Open);
        let counted = Counted {
            id: &self.id,
            location_id: &self.location_id,
            count: &self.count,
            opened_at_ms: self.created_at_ms,
            until_ms: reviewed_at_ms.unwrap_or(self.now_ms),
            settled_at_ms: (self.status == Status::Approved).then_some(self.updated_at_ms),
        };
        Ok(scans::found(call.db(), brand_id, counted, part).await?)
    }

    /// 409 unless it is in one of these.
    pub fn must_be(&self, statuses: &[Status]) -> Result<(), Error> {
        if statuses.contains(&self.status) {
            return Ok(());
        }
        let status = self.status.name();
        let detail = format!("this cannot be done to a count whose status is {status}");
        Err(Error::conflict("wrong_status", &detail).with("status", status))
    }

    /// Adds the statement that writes it over the version and status that were read.
    pub fn replace(&self, batch: &mut Batch, brand_id: &str, before: &Self) -> Result<(), Error> {
        batch.expect(
            1,
            "UPDATE count_session SET status = ?5, round = ?6, doc = ?7, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = ?4",
            values![
                brand_id,
                &self.id,
                before.version,
                before.status.name(),
                self.status.name(),
                self.round,
                self.doc()?
            ],
        );
        Ok(())
    }
}

/// The IANA name of the location's time zone.
pub async fn time_zone(call: &Call, brand: &Brand, location_id: &str) -> Result<String, Error> {
    Ok(call.model().time_zone(&brand.id, location_id).await?)
}

pub fn missing() -> Error {
    Error::not_found("not_found", "the brand has nothing with this id here")
}

/// What has not the form of an id names nothing, and needs no query to be refused.
pub fn must_be_id(id: &str) -> Result<(), Error> {
    is_id(id).then_some(()).ok_or_else(missing)
}

pub fn invalid(invalid: Invalid) -> Error {
    Error::bad_request(invalid.code, &invalid.path, &invalid.detail)
}
