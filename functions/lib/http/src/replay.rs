//! What a request with a known idempotency key is answered.

use aisle_store::idempotency::Outcome;

use crate::{Error, Reply};

/// `None` for a fresh key: the call is to be carried out. A key that comes again with
/// another request is 409 under UCP (`checkout/rest.md`, "Idempotency-Key") and 422
/// elsewhere (the IETF's draft of the header), one still in use 409 with `Retry-After`. 410
/// when an erasure took the answer away; no other such answer is kept.
pub(crate) fn answer(outcome: Outcome, ucp: bool) -> Result<Option<Reply>, Error> {
    match outcome {
        Outcome::Fresh => Ok(None),
        Outcome::Replay { status: 410, .. } => Err(Error::new(
            410,
            "erased",
            "what this key was answered told of somebody who was forgotten since",
        )),
        Outcome::Replay { status, body } => {
            let reply = Reply::bytes(status, "application/json", body.into_bytes());
            Ok(Some(reply.header("idempotent-replayed", "true")))
        }
        Outcome::InFlight { .. } => {
            let error = Error::conflict(
                "idempotency_in_progress",
                "the first request with this key is still under way",
            );
            Err(error.at("Idempotency-Key").header("retry-after", "1"))
        }
        Outcome::Mismatch => {
            let status = if ucp { 409 } else { 422 };
            let error = Error::new(
                status,
                "idempotency_conflict",
                "this key was used for a different request",
            );
            Err(error.at("Idempotency-Key"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_key_is_answered_from_memory_or_refused() {
        assert!(answer(Outcome::Fresh, true).unwrap().is_none());
        let stored = Outcome::Replay {
            status: 201,
            body: "{}".into(),
        };
        let reply = answer(stored, true).unwrap().unwrap();
        assert_eq!(
            (reply.status(), reply.header_value("idempotent-replayed")),
            (201, Some("true"))
        );
        let forgotten = Outcome::Replay {
            status: 410,
            body: "{}".into(),
        };
        assert_eq!(answer(forgotten, true).unwrap_err().status(), 410);
        let status = |outcome, ucp| answer(outcome, ucp).unwrap_err().status();
        assert_eq!(status(Outcome::InFlight { age_ms: 1 }, true), 409);
        assert_eq!(status(Outcome::Mismatch, true), 409);
        assert_eq!(status(Outcome::Mismatch, false), 422);
    }
}
