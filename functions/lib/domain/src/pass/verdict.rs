//! Whether a pass is good here and now: one answer for the scan and for the hand-over.

/// How far the collection of an order has come: column `pickup.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickupStatus {
    AwaitingTransfer,
    Preparing,
    Ready,
    Collected,
    Cancelled,
}

impl PickupStatus {
    const ALL: [Self; 5] = [
        Self::AwaitingTransfer,
        Self::Preparing,
        Self::Ready,
        Self::Collected,
        Self::Cancelled,
    ];

    /// As it is written in the database and to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::AwaitingTransfer => "awaiting_transfer",
            Self::Preparing => "preparing",
            Self::Ready => "ready",
            Self::Collected => "collected",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What the database knows of a pass, its order and its collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Where the order is collected.
    pub location_id: &'a str,
    pub expires_at_ms: i64,
    /// When a newer pass replaced it.
    pub revoked_at_ms: Option<i64>,
    /// Whether goods were handed over on this pass.
    pub used: bool,
    pub pickup: PickupStatus,
    /// From when the order can be collected, as promised.
    pub ready_at_ms: i64,
}

/// What to tell the person at the till.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Hand it over.
    Good,
    /// It is collected at another location: this one.
    WrongStore { location_id: String },
    /// Goods were handed over on this pass, or nothing is left to hand over.
    AlreadyUsed,
    /// Its time is over, or a newer one replaced it: the page shows the one that is good.
    Expired,
    /// The goods are not lying ready; they were promised for then.
    NotReady { ready_at_ms: i64 },
    /// There is nothing to collect any more.
    Cancelled,
}

impl Verdict {
    /// For programs: `good`, `wrong_store`, `already_used`, `expired`, `not_ready` or `cancelled`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::WrongStore { .. } => "wrong_store",
            Self::AlreadyUsed => "already_used",
            Self::Expired => "expired",
            Self::NotReady { .. } => "not_ready",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Judges a pass that is shown at a location of its own brand. When several things are
/// wrong, the answer is the one that no newer pass would put right: the place first, then
/// what is over for good, then the pass, and last what time will bring.
pub fn judge(facts: &Facts<'_>, location_id: &str, now_ms: i64) -> Verdict {
    if facts.location_id != location_id {
        return Verdict::WrongStore {
            location_id: facts.location_id.to_owned(),
        };
    }
    if facts.used || facts.pickup == PickupStatus::Collected {
        return Verdict::AlreadyUsed;
    }
    if facts.pickup == PickupStatus::Cancelled {
        return Verdict::Cancelled;
    }
    let revoked = facts.revoked_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
    if revoked || facts.expires_at_ms <= now_ms {
        return Verdict::Expired;
    }
    if facts.pickup != PickupStatus::Ready {
        return Verdict::NotReady {
            ready_at_ms: facts.ready_at_ms,
        };
    }
    Verdict::Good
}
