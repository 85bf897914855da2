//! Idempotency keys: a request that comes twice happens once.
//!
//! The key's row is the first statement of the command's batch, so that of two
//! simultaneous requests the second waits for the first and then finds its row. The
//! normal path costs no call of its own: [`COLUMNS`] and [`JOIN`] fold the look-up into
//! the command's read.

use crate::{Batch, Db, Row, StoreError, Value, sha256_hex, values};

/// A caller's claim that this request, and no other, goes by this key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose key it is, so that no two callers share one: brand id, caller, operation.
    pub scope: String,
    /// The `Idempotency-Key` header.
    pub key: String,
    /// SHA-256 of the method, the path and the raw body.
    pub fingerprint: String,
}

/// What is known about a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The first request with this key.
    Fresh,
    /// It was answered before, with this status code and JSON body.
    Replay { status: u16, body: String },
    /// The first one is still under way, or was cut short, since `age_ms`.
    InFlight { age_ms: i64 },
    /// The key was used for a different request.
    Mismatch,
}

/// What a command's read selects so that [`Claim::outcome`] can judge its row.
pub const COLUMNS: &str = "known.fingerprint AS idempotency_fingerprint, known.status_code AS idempotency_status, \
     known.response AS idempotency_response, {now} - known.created_at_ms AS idempotency_age_ms";

/// As many nothings as [`COLUMNS`] are columns, for the other rows of a read that is a UNION.
pub const NO_COLUMNS: &str = "NULL, NULL, NULL, NULL";

/// The join that goes with [`COLUMNS`]; `scope` and `key` are placeholders such as `?2`.
pub fn join(scope: &str, key: &str) -> String {
    format!("LEFT JOIN idempotency known ON known.scope = {scope} AND known.key = {key}")
}

/// The parameters that [`join`] was given placeholders for; without a claim they find nothing.
pub fn params(claim: Option<&Claim>) -> [Value; 2] {
    claim.map_or_else(|| ["", ""].map(Value::from), Claim::params)
}

/// Judges a row that was read with [`COLUMNS`]; without a claim every request is fresh.
pub fn outcome(claim: Option<&Claim>, row: &Row) -> Result<Outcome, StoreError> {
    claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(row))
}

impl Claim {
    /// A claim on `key` for the request with this method, path and raw body.
    pub fn new(scope: String, key: &str, method: &str, path: &str, body: &[u8]) -> Self {
        let mut request = format!("{method} {path}\n").into_bytes();
        request.extend_from_slice(body);
        Self {
            scope,
            key: key.into(),
            fingerprint: sha256_hex(&request),
        }
    }

    /// Adds the key's row, which must be new; make it the batch's first statement. With
    /// `answer` the stored response is complete, without it the claim is in flight until
    /// [`store`](Self::store) or [`forget`](Self::forget). Unmet means: ask [`lookup`](Self::lookup).
    pub fn insert(&self, batch: &mut Batch, answer: Option<(u16, &str)>) {
        let (status, response) = answer.map_or((None, None), |(status, body)| {
            (Some(i64::from(status)), Some(body))
        });
        batch.expect(
            1,
            "INSERT INTO idempotency (scope, key, fingerprint, status_code, response, created_at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, {now}) ON CONFLICT DO NOTHING",
            values![&self.scope, &self.key, &self.fingerprint, status, response],
        );
    }

    /// Keeps the answer of a claim that was in flight.
    pub fn store(&self, batch: &mut Batch, status: u16, response: &str) {
        batch.expect(
            1,
            "UPDATE idempotency SET status_code = ?4, response = ?5 \
             WHERE scope = ?1 AND key = ?2 AND fingerprint = ?3 AND status_code IS NULL",
            values![
                &self.scope,
                &self.key,
                &self.fingerprint,
                i64::from(status),
                response
            ],
        );
    }

    /// Gives the key back: for a refusal that another try may turn around.
    pub fn forget(&self, batch: &mut Batch) {
        batch.add(
            "DELETE FROM idempotency WHERE scope = ?1 AND key = ?2 AND fingerprint = ?3 AND status_code IS NULL",
            values![&self.scope, &self.key, &self.fingerprint],
        );
    }

    /// The key's scope and name as the parameters that [`join`] was given placeholders for.
    pub fn params(&self) -> [Value; 2] {
        [Value::from(&self.scope), Value::from(&self.key)]
    }

    /// What is known about this claim: one call. Prefer folding it into the read.
    pub async fn lookup(&self, db: &Db) -> Result<Outcome, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM (SELECT 1 AS one) probe {}",
            join("?1", "?2")
        );
        match db.query_one_opt(sql, self.params().into()).await? {
            Some(row) => self.outcome(&row),
            None => Ok(Outcome::Fresh),
        }
    }

    /// Judges a row that was read with [`COLUMNS`].
    pub fn outcome(&self, row: &Row) -> Result<Outcome, StoreError> {
        let Some(fingerprint) = row.text_opt("idempotency_fingerprint")? else {
            return Ok(Outcome::Fresh);
        };
        if fingerprint != self.fingerprint {
            return Ok(Outcome::Mismatch);
        }
        match (
            row.int_opt("idempotency_status")?,
            row.text_opt("idempotency_response")?,
        ) {
            (Some(status), Some(body)) => {
                let status = u16::try_from(status)
                    .map_err(|_| StoreError::Bug(format!("stored status {status}")))?;
                Ok(Outcome::Replay { status, body })
            }
            _ => Ok(Outcome::InFlight {
                age_ms: row.int("idempotency_age_ms")?,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row;

    fn claim() -> Claim {
        Claim::new("brand/create".into(), "k-1", "POST", "/carts", b"{}")
    }

    fn outcome(fingerprint: Option<&str>, status: Option<i64>) -> Outcome {
        let object = serde_json::json!({
            "idempotency_fingerprint": fingerprint,
            "idempotency_status": status,
            "idempotency_response": status.map(|_| "{\"id\":1}"),
            "idempotency_age_ms": 12,
        });
        let serde_json::Value::Object(object) = object else {
            unreachable!()
        };
        claim().outcome(&row::from_json(object).unwrap()).unwrap()
    }

    #[test]
    fn a_key_replays_waits_or_refuses() {
        let own = claim().fingerprint;
        assert_eq!(outcome(None, None), Outcome::Fresh);
        assert_eq!(
            outcome(Some(&own), Some(201)),
            Outcome::Replay {
                status: 201,
                body: "{\"id\":1}".into()
            }
        );
        assert_eq!(outcome(Some(&own), None), Outcome::InFlight { age_ms: 12 });
        assert_eq!(outcome(Some("other"), Some(201)), Outcome::Mismatch);
    }

    #[test]
    fn the_fingerprint_covers_method_path_and_body() {
        let with = |method, path, body: &[u8]| {
            Claim::new(String::new(), "k", method, path, body).fingerprint
        };
        let one = with("POST", "/carts", b"{}");
        assert_eq!(one, with("POST", "/carts", b"{}"));
        for other in [
            with("PUT", "/carts", b"{}"),
            with("POST", "/carts/1", b"{}"),
            with("POST", "/carts", b"{ }"),
        ] {
            assert_ne!(one, other);
        }
    }
}
