//! From the domain's transfers to those that travel.

use aisle_domain::instant::rfc3339_in;
use aisle_domain::lane;
use aisle_domain::location::Location;
use aisle_domain::plan::Shortage;
use aisle_domain::sourcing::Considered;
use aisle_domain::transfer::counts::Line;
use aisle_domain::transfer::{NoTransfer, PlannedTransfer, Quote as Quoted};

use super::{
    Eta, EtaChange, LocationName, Proposal, ProposedLine, Quote, ShortItem, Source, TransferLine,
};

/// The brand's locations, which give names and offsets to what is shown.
#[derive(Clone, Copy)]
pub struct Places<'a>(pub &'a [Location]);

impl Places<'_> {
    pub fn name(self, id: &str) -> LocationName {
        LocationName::of(self.0, id)
    }

    /// The instant as clocks show it at the location.
    pub fn instant(self, id: &str, at_ms: i64) -> String {
        let known = self.0.iter().find(|location| location.id == id);
        rfc3339_in(at_ms, known.map_or("UTC", |location| &location.time_zone))
    }

    pub fn eta(self, from: &str, to: &str, eta: &lane::Eta) -> Eta {
        Eta {
            picked_by: self.instant(from, eta.picked_by_ms),
            departs_at: self.instant(from, eta.departs_at_ms),
            arrives_at: self.instant(to, eta.arrives_at_ms),
            ready_at: self.instant(to, eta.ready_at_ms),
            reasons: eta.reasons.iter().map(|one| one.name().into()).collect(),
        }
    }

    pub fn sources(self, to: &str, considered: &[Considered]) -> Vec<Source> {
        let source = |one: &Considered| Source {
            name: self.name(&one.location_id).name,
            location_id: one.location_id.clone(),
            chosen: one.chosen,
            available: one.available,
            distance_m: one.distance_m,
            ready_at: one.ready_at_ms.map(|at| self.instant(to, at)),
            reasons: one.reasons.iter().map(|one| one.name().into()).collect(),
        };
        considered.iter().map(source).collect()
    }

    pub fn eta_change(self, to: &str, change: &aisle_domain::transfer::EtaChange) -> EtaChange {
        EtaChange {
            at: self.instant(to, change.at_ms),
            ready_at_before: self.instant(to, change.ready_at_ms_before),
            ready_at: self.instant(to, change.ready_at_ms),
            reason: change.reason.clone(),
        }
    }

    /// What is proposed, or why nothing is; `kept_until_ms` is when goods that are ready at
    /// an instant go back onto the shelf.
    pub fn quote(
        self,
        to: &str,
        quoted: &Result<Quoted, NoTransfer>,
        kept_until_ms: impl Fn(i64) -> i64,
    ) -> Quote {
        let nothing = Quote {
            to: self.name(to),
            transfers: Vec::new(),
            ready_at: None,
            pickup_by: None,
            reason: None,
            shortages: Vec::new(),
            sources: Vec::new(),
        };
        match quoted {
            Ok(quoted) => Quote {
                transfers: quoted
                    .transfers
                    .iter()
                    .map(|one| self.proposal(one))
                    .collect(),
                ready_at: Some(self.instant(to, quoted.ready_at_ms)),
                pickup_by: Some(self.instant(to, kept_until_ms(quoted.ready_at_ms))),
                sources: self.sources(to, &quoted.considered),
                ..nothing
            },
            Err(refused) => Quote {
                reason: Some(refused.reason.name().into()),
                shortages: refused.shortages.iter().map(short).collect(),
                sources: self.sources(to, &refused.considered),
                ..nothing
            },
        }
    }

    fn proposal(self, planned: &PlannedTransfer) -> Proposal {
        let line = |unit: &aisle_domain::transfer::Unit| ProposedLine {
            sku: unit.sku.clone(),
            quantity: unit.quantity,
        };
        Proposal {
            from: self.name(&planned.from_location_id),
            lines: planned.units.iter().map(line).collect(),
            eta: self.eta(
                &planned.from_location_id,
                &planned.to_location_id,
                &planned.eta,
            ),
        }
    }
}

fn short(one: &Shortage) -> ShortItem {
    ShortItem {
        sku: one.sku.clone(),
        requested: one.requested,
        available: one.available,
    }
}

impl From<&Line> for TransferLine {
    fn from(line: &Line) -> Self {
        Self {
            sku: line.sku.clone(),
            requested: line.requested,
            shipped: line.shipped,
            in_transit: line.in_transit,
            received: line.received,
            damaged: line.damaged,
            missing: line.missing,
            surplus: line.surplus,
        }
    }
}
