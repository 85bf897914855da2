//! Sources that do not bring what they were to bring, and what is decided in their stead.

use serde::{Deserialize, Serialize};

use super::{Status, TransferDoc, Unit};
use crate::sourcing::{Considered, MAX_CONSIDERED, SourcingReason};

/// Decisions that an order keeps, at most: the latest.
const MAX_KEPT: usize = 30;

/// Why a transfer does not bring all that it was to bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Failure {
    /// The source said no.
    Refused,
    /// Somebody called it off.
    Cancelled,
    /// Nobody at the source decided in time.
    Expired,
    /// It would come too much later than promised, and another source is earlier.
    Slipped,
    /// Less than was asked for has left.
    ShortShipment,
    /// Less than has left arrived whole.
    ArrivedShort,
}

impl Failure {
    /// As it is written to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Slipped => "slipped",
            Self::ShortShipment => "short_shipment",
            Self::ArrivedShort => "arrived_short",
        }
    }

    /// Why a transfer that is over gave up its source; `None` for one that did not.
    pub fn of(status: Status, doc: &TransferDoc) -> Option<Self> {
        match status {
            Status::Refused => Some(Self::Refused),
            Status::Cancelled => Some(doc.failure.unwrap_or(Self::Cancelled)),
            Status::Expired => Some(Self::Expired),
            _ => None,
        }
    }
}

impl From<Failure> for SourcingReason {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused => Self::RefusedBefore,
            Failure::Cancelled => Self::CalledOffBefore,
            Failure::Expired => Self::DidNotAnswer,
            Failure::Slipped => Self::TooLate,
            Failure::ShortShipment | Failure::ArrivedShort => Self::SentTooFew,
        }
    }
}

/// The transfer in whose stead another one goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaces {
    pub transfer_id: String,
    pub from_location_id: String,
    pub why: Failure,
}

/// What was decided when a source had failed an order; kept with the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resourced {
    pub at_ms: i64,
    #[serde(flatten)]
    pub replaces: Replaces,
    /// Set aside on the shelf of the store where the order is collected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_here: Vec<Unit>,
    /// The transfers that bring it instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfer_ids: Vec<String>,
    /// What nobody has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<Unit>,
    /// Every place that was looked at, those that failed before included.
    pub considered: Vec<Considered>,
}

impl Resourced {
    /// Adds it to those that are kept.
    pub fn keep(self, kept: &mut Vec<Self>) {
        kept.push(self);
        let surplus = kept.len().saturating_sub(MAX_KEPT);
        kept.drain(..surplus);
    }
}

/// The places that were looked at, and beside them those that had `failed`, each once; as
/// many as a decision keeps, what was chosen and what had failed before the rest.
pub fn with_failed(considered: &[Considered], failed: &[Considered]) -> Vec<Considered> {
    let (chosen, others): (Vec<_>, Vec<_>) = considered.iter().partition(|one| one.chosen);
    let mut all: Vec<Considered> = Vec::new();
    for one in chosen.into_iter().chain(failed).chain(others) {
        let known = all.iter().any(|other| other.location_id == one.location_id);
        if !known && all.len() < MAX_CONSIDERED {
            all.push(one.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: usize, chosen: bool, reason: SourcingReason) -> Considered {
        Considered {
            location_id: id.to_string(),
            chosen,
            available: 0,
            distance_m: None,
            ready_at_ms: None,
            reasons: vec![reason],
        }
    }

    #[test]
    fn what_failed_is_told_beside_what_was_chosen_however_many_there_are() {
        let mut considered = vec![place(0, true, SourcingReason::HasEverything)];
        considered.extend((1..MAX_CONSIDERED).map(|id| place(id, false, SourcingReason::Later)));
        let failed = [
            place(99, false, SourcingReason::RefusedBefore),
            place(3, false, SourcingReason::TooLate),
        ];
        let all = with_failed(&considered, &failed);
        let ids: Vec<&str> = all.iter().map(|one| one.location_id.as_str()).collect();
        assert_eq!(all.len(), MAX_CONSIDERED);
        assert_eq!(ids[..4], ["0", "99", "3", "1"]);
        assert_eq!(ids.iter().filter(|id| **id == "3").count(), 1);
    }

    #[test]
    fn an_order_keeps_the_latest_decisions() {
        let decision = |at_ms: i64| Resourced {
            at_ms,
            replaces: Replaces {
                transfer_id: "t".into(),
                from_location_id: "f".into(),
                why: Failure::Refused,
            },
            taken_here: Vec::new(),
            transfer_ids: Vec::new(),
            lacking: Vec::new(),
            considered: Vec::new(),
        };
        let mut kept = Vec::new();
        (0..40).for_each(|at_ms| decision(at_ms).keep(&mut kept));
        assert_eq!((kept.len(), kept[0].at_ms), (MAX_KEPT, 10));
    }
}
