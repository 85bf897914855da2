//! Counting what lies on the shelves, while people go on buying it.
//!
//! Scans say what lay there at an instant, so what they are compared with is what the ledger
//! said at that instant: what is on hand now, less what came and went since. The difference
//! is a *delta* for the balance of today, never a balance of its own, and so a sale after
//! the scan is as right before the correction as after it. Movements of the reason `count`
//! are no exception but the other kind: they moved no goods, they put right what was known,
//! and an earlier scan must not put the same right again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// The reason of the movements that a count makes.
pub const REASON: &str = "count";

/// The document of `count_session.doc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The parts of the place among which the work is divided. Together they are all of it.
    pub zones: Vec<Zone>,
    /// What is counted; absent: whatever the location has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skus: Option<BTreeSet<String>>,
    /// SKUs that were asked for again, with the last time that they were.
    #[serde(default)]
    pub recounted: BTreeMap<String, Recount>,
    /// When the counting ended; a SKU of which nothing was scanned was not there by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed_at_ms: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at_ms: Option<i64>,
}

/// A round of counting some SKUs again: scans from then on count, and none before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recount {
    /// From 2.
    pub round: i64,
    pub from_ms: i64,
}

/// What the people who count can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Mode {
    /// Not what is expected, so that nobody counts up to it.
    Blind,
    Guided,
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Guided => "guided",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Blind, Self::Guided]
            .into_iter()
            .find(|mode| mode.name() == name)
    }
}

/// Open, then looked at, then settled one way or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Status {
    Open,
    /// The variances are shown. A scan that comes late opens the count again.
    Review,
    Approved,
    Cancelled,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Review => "review",
            Self::Approved => "approved",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Open, Self::Review, Self::Approved, Self::Cancelled]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

impl Count {
    /// Whether scans of this SKU belong to it.
    pub fn wants(&self, sku: &str) -> bool {
        self.skus.as_ref().is_none_or(|skus| skus.contains(sku))
    }

    pub fn has_zone(&self, name: &str) -> bool {
        self.zones.iter().any(|zone| zone.name == name)
    }

    /// The zones that nobody has said are done.
    pub fn unfinished_zones(&self) -> impl Iterator<Item = &str> {
        let unfinished = self.zones.iter().filter(|zone| zone.done_at_ms.is_none());
        unfinished.map(|zone| zone.name.as_str())
    }

    /// The round that a scan of this SKU belongs to: by when it was taken, not by when it
    /// arrived, so that one from before a recount never adds to it.
    pub fn round_of(&self, sku: &str, scanned_at_ms: i64) -> i64 {
        match self.recounted.get(sku) {
            None => 1,
            Some(recount) if scanned_at_ms >= recount.from_ms => recount.round,
            Some(recount) => recount.round - 1,
        }
    }
}

/// What is known about a SKU of a count: the scans of its last round, and the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    pub sku: String,
    /// Units scanned, and by how many scans.
    pub scanned: i64,
    pub scans: i64,
    /// The balance as it is now.
    pub on_hand: i64,
    pub reserved: i64,
    /// Units that came (positive) or went since the SKU's last scan, but for corrections by
    /// other counts; and since the beginning those by this very count.
    pub moved_after: i64,
    /// Movements of goods between the SKU's first and last scan.
    pub moved_within: i64,
    /// Asked for again.
    pub recounted: bool,
}

/// Why a variance may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Doubt {
    /// Goods came or went between the first and the last scan: nobody knows whether those
    /// units were among the counted ones.
    MovedWhileCounted,
    /// It was asked for again and nothing has come since; "none" is a scan of no units.
    AwaitingRecount,
}

impl Tally {
    /// Units found: what was scanned, less what was taken back.
    pub fn counted(&self) -> i64 {
        self.scanned.max(0)
    }

    /// What the ledger said when it was scanned last.
    pub fn expected(&self) -> i64 {
        self.on_hand - self.moved_after
    }

    /// Units found beyond (positive) or short of what was expected. Does not change when
    /// goods move after the last scan.
    pub fn variance(&self) -> i64 {
        self.counted() - self.expected()
    }

    pub fn doubt(&self) -> Option<Doubt> {
        match self {
            Self {
                recounted: true,
                scans: 0,
                ..
            } => Some(Doubt::AwaitingRecount),
            Self {
                moved_within: 1.., ..
            } => Some(Doubt::MovedWhileCounted),
            _ => None,
        }
    }
}

/// A change of a balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    pub sku: String,
    pub units: i64,
}

/// Why a variance is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Conflict {
    /// Fewer would be left than open orders, transfers and holds keep.
    BelowReserved,
    MovedWhileCounted,
    AwaitingRecount,
}

/// What approving a count does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settlement {
    /// Each SKU once, in order; none is zero.
    pub deltas: Vec<Delta>,
    /// What is left as it is, for somebody to look into.
    pub conflicts: Vec<(Tally, Conflict)>,
}

impl Settlement {
    /// Settles what is in doubt, too, when `accept_moved` says so; never what was to be
    /// counted again and was not.
    pub fn new(tallies: Vec<Tally>, accept_moved: bool) -> Self {
        let mut settlement = Self::default();
        for tally in tallies {
            let variance = tally.variance();
            let conflict = match tally.doubt() {
                Some(Doubt::AwaitingRecount) => Some(Conflict::AwaitingRecount),
                Some(Doubt::MovedWhileCounted) if !accept_moved => {
                    Some(Conflict::MovedWhileCounted)
                }
                _ if variance < 0 && tally.on_hand + variance < tally.reserved => {
                    Some(Conflict::BelowReserved)
                }
                _ => None,
            };
            match conflict {
                Some(conflict) => settlement.conflicts.push((tally, conflict)),
                None if variance != 0 => settlement.deltas.push(Delta {
                    sku: tally.sku,
                    units: variance,
                }),
                None => {}
            }
        }
        settlement.deltas.sort_by(|a, b| a.sku.cmp(&b.sku));
        settlement
    }

    /// The most units by which one balance changes.
    pub fn largest(&self) -> i64 {
        let sizes = self.deltas.iter().map(|delta| delta.units.saturating_abs());
        sizes.max().unwrap_or(0)
    }
}
