//! Counting, receiving and adjusting by scanner: Aisle's own API, for staff at a store.

use aisle_domain::count::{self as domain, Conflict, Doubt, Mode, Status};
use aisle_domain::instant::rfc3339_in;
use serde::{Deserialize, Serialize};

use crate::page::{Invalid, Pagination};

pub mod adjustment;
#[cfg(feature = "openapi")]
pub mod api;
pub mod delivery;
pub mod scan;

/// Most zones of a count.
pub const MAX_ZONES: usize = 100;
/// The longest name of a zone, in bytes.
pub const MAX_ZONE_BYTES: usize = 64;
/// Most SKUs that a count or a recount can list.
pub const MAX_SKUS: usize = 2_000;

/// Body of `POST /counts`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountRequest {
    pub mode: Mode,
    /// 1 to 100 names, each once: the parts among which the work is divided. Together they
    /// are the whole place, because stock is kept by location.
    pub zones: Vec<String>,
    /// Up to 2,000 SKUs; absent: everything that the location has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skus: Option<Vec<String>>,
}

/// Body of `POST /counts/{id}/recounts`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecountRequest {
    /// 1 to 2,000 SKUs of the count. What was scanned of them so far counts no more.
    pub skus: Vec<String>,
}

/// Body of `POST /counts/{id}/approve`; may be left away.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApproveRequest {
    /// Settle variances, too, of SKUs of which goods came or went while they were counted.
    /// Needs the scope `approve`.
    pub accept_moved: bool,
}

/// A count.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountSession {
    pub id: String,
    pub location_id: String,
    pub mode: Mode,
    pub status: Status,
    /// 1, and one more with each recount.
    pub round: i64,
    pub zones: Vec<ZoneView>,
    /// How many SKUs are listed; absent: everything that the location has is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed_skus: Option<usize>,
    /// RFC 3339 with the location's offset, as all instants here.
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ZoneView {
    pub name: String,
    /// When somebody said that the zone is done; absent: not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
}

/// Answer of `GET /counts`, the latest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountList {
    pub counts: Vec<CountSession>,
    pub pagination: Pagination,
}

/// A count with a page of its lines.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountDetail {
    #[serde(flatten)]
    pub session: CountSession,
    /// By SKU.
    pub lines: Vec<CountLine>,
    pub pagination: Pagination,
}

/// A SKU of a count.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountLine {
    pub sku: String,
    /// 14 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    pub title: String,
    /// Units scanned in the SKU's last round.
    pub counted: i64,
    /// How many scans that were; 0: nobody has found any.
    pub scans: i64,
    /// What the ledger said at the last scan. Absent in a blind count that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<i64>,
    /// `counted` less `expected`. Absent while the count is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance: Option<i64>,
    /// Why the variance may be wrong. Absent while the count is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// By how many units the approval changed the balance; only of an approved count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<i64>,
}

/// Answer of `POST /counts/{id}/approve`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Approved {
    #[serde(flatten)]
    pub session: CountSession,
    /// How many balances changed.
    pub applied: usize,
    /// Variances that were left as they are.
    pub conflicts: Vec<ConflictView>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConflictView {
    pub sku: String,
    pub reason: Conflict,
    pub counted: i64,
    pub expected: i64,
    pub variance: i64,
    pub on_hand: i64,
    pub reserved: i64,
}

impl From<&(domain::Tally, Conflict)> for ConflictView {
    fn from((tally, reason): &(domain::Tally, Conflict)) -> Self {
        Self {
            sku: tally.sku.clone(),
            reason: *reason,
            counted: tally.counted(),
            expected: tally.expected(),
            variance: tally.variance(),
            on_hand: tally.on_hand,
            reserved: tally.reserved,
        }
    }
}

impl CountRequest {
    /// The count that it asks for.
    pub fn into_domain(self) -> Result<domain::Count, Invalid> {
        if !(1..=MAX_ZONES).contains(&self.zones.len()) {
            return Err(Invalid::new(
                "invalid_zones",
                "$.zones",
                "a count has 1 to 100 zones",
            ));
        }
        let mut zones: Vec<domain::Zone> = Vec::new();
        for (index, name) in self.zones.into_iter().enumerate() {
            let path = format!("$.zones[{index}]");
            check_zone(&name, &path)?;
            if zones.iter().any(|zone| zone.name == name) {
                return Err(Invalid::new("invalid_zones", path, "named twice"));
            }
            zones.push(domain::Zone {
                name,
                done_at_ms: None,
            });
        }
        if let Some(skus) = &self.skus {
            check_skus(skus)?;
        }
        Ok(domain::Count {
            zones,
            skus: self.skus.map(|skus| skus.into_iter().collect()),
            recounted: Default::default(),
            reviewed_at_ms: None,
        })
    }
}

impl RecountRequest {
    pub fn check(&self) -> Result<(), Invalid> {
        check_skus(&self.skus)
    }
}

fn check_zone(name: &str, path: &str) -> Result<(), Invalid> {
    let fits = !name.is_empty()
        && name.len() <= MAX_ZONE_BYTES
        && name.trim() == name
        && !name.contains(char::is_control);
    match fits {
        true => Ok(()),
        false => Err(Invalid::new(
            "invalid_zones",
            path,
            "a zone's name has 1 to 64 bytes, no control characters and no spaces around it",
        )),
    }
}

fn check_skus(skus: &[String]) -> Result<(), Invalid> {
    if (1..=MAX_SKUS).contains(&skus.len()) {
        return Ok(());
    }
    Err(Invalid::new(
        "invalid_skus",
        "$.skus",
        "1 to 2000 SKUs can be listed",
    ))
}

/// What of a count the answers show beside its document.
#[derive(Debug, Clone, Copy)]
pub struct CountView<'a> {
    pub id: &'a str,
    pub location_id: &'a str,
    pub mode: Mode,
    pub status: Status,
    pub round: i64,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
    /// IANA name of the location's.
    pub time_zone: &'a str,
}

impl CountSession {
    pub fn new(view: CountView<'_>, count: &domain::Count) -> Self {
        let at = |at_ms| rfc3339_in(at_ms, view.time_zone);
        let zone = |zone: &domain::Zone| ZoneView {
            name: zone.name.clone(),
            done_at: zone.done_at_ms.map(at),
        };
        Self {
            id: view.id.into(),
            location_id: view.location_id.into(),
            mode: view.mode,
            status: view.status,
            round: view.round,
            zones: count.zones.iter().map(zone).collect(),
            listed_skus: count.skus.as_ref().map(|skus| skus.len()),
            created_at: at(view.created_at_ms),
            updated_at: at(view.updated_at_ms),
        }
    }
}

impl CountLine {
    /// The line as those may see it who work on the count in its mode and status. `about`:
    /// the SKU's GTIN and its product's title.
    pub fn new(
        tally: &domain::Tally,
        about: (Option<String>, String),
        applied: i64,
        (mode, status): (Mode, Status),
    ) -> Self {
        let over = !matches!(status, Status::Open);
        Self {
            sku: tally.sku.clone(),
            gtin: about.0,
            title: about.1,
            counted: tally.counted(),
            scans: tally.scans,
            expected: (over || mode == Mode::Guided).then(|| tally.expected()),
            variance: over.then(|| tally.variance()),
            doubt: tally.doubt().filter(|_| over),
            applied: (status == Status::Approved).then_some(applied),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blind_count_shows_nothing_to_count_up_to() {
        let tally = domain::Tally {
            scanned: 3,
            scans: 1,
            on_hand: 5,
            ..Default::default()
        };
        let line = |mode, status| {
            let line = CountLine::new(&tally, (None, String::new()), 0, (mode, status));
            (line.expected, line.variance)
        };
        assert_eq!(line(Mode::Blind, Status::Open), (None, None));
        assert_eq!(line(Mode::Guided, Status::Open), (Some(5), None));
        assert_eq!(line(Mode::Blind, Status::Review), (Some(5), Some(-2)));
    }

    #[test]
    fn zones_are_named_once_and_shortly() {
        let asked = |zones: &[&str]| {
            CountRequest {
                mode: Mode::Blind,
                zones: zones.iter().map(|zone| zone.to_string()).collect(),
                skus: None,
            }
            .into_domain()
            .map_err(|invalid| invalid.path)
        };
        assert!(asked(&["Front", "Back room"]).is_ok());
        assert_eq!(asked(&[]).unwrap_err(), "$.zones");
        for bad in ["", " ", "a\nb", &"x".repeat(65), "Front"] {
            assert_eq!(asked(&["Front", bad]).unwrap_err(), "$.zones[1]", "{bad}");
        }
    }
}
