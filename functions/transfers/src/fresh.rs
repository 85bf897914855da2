//! New transfers, with what is set aside for them.

use aisle_domain::brand::Brand;
use aisle_domain::order;
use aisle_domain::plan::Allocation;
use aisle_domain::policy::Approval;
use aisle_domain::transfer::counts::Line;
use aisle_domain::transfer::{PlannedTransfer, Replaces, Requester, Status, TransferDoc};
use aisle_store::stock::{self, Document, Floor, Holding};
use aisle_store::transfers::{self, NewTransfer, Transfer};
use aisle_store::{Batch, new_id, random};

const MINUTE_MS: i64 = 60_000;

/// A transfer that is about to be written.
pub struct Fresh {
    pub transfer: Transfer,
    pub planned: PlannedTransfer,
    expires_in_ms: Option<i64>,
}

impl Fresh {
    pub fn new(
        now_ms: i64,
        planned: PlannedTransfer,
        requester: Requester,
        (for_type, for_id): (&str, &str),
        status: Status,
        expires_in_minutes: Option<i64>,
    ) -> Self {
        let expires_in_ms = expires_in_minutes.map(|minutes| minutes.saturating_mul(MINUTE_MS));
        let lines = planned.units.iter();
        let transfer = Transfer {
            id: new_id(),
            number: format!("T-{}", order::number(random())),
            status,
            from_location_id: planned.from_location_id.clone(),
            to_location_id: planned.to_location_id.clone(),
            for_type: for_type.into(),
            for_id: for_id.into(),
            ready_at_ms: planned.eta.ready_at_ms,
            expires_at_ms: expires_in_ms.map(|in_ms| now_ms.saturating_add(in_ms)),
            lapsed: 0,
            doc: TransferDoc::new(requester, &planned),
            version: 1,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            lines: lines
                .map(|unit| Line::new(&unit.sku, unit.quantity))
                .collect(),
        };
        Self {
            transfer,
            planned,
            expires_in_ms,
        }
    }

    /// On its way at once, or first a request to the source, as the brand's policy says.
    pub fn approved_or_requested(
        brand: &Brand,
        now_ms: i64,
        planned: PlannedTransfer,
        requester: Requester,
        beneficiary: (&str, &str),
    ) -> Self {
        let policy = &brand.policies.transfers;
        let (status, expires) = match policy.approval {
            Approval::Automatic => (Status::Approved, None),
            Approval::Manual => (Status::Requested, Some(policy.approval_minutes)),
        };
        Self::new(now_ms, planned, requester, beneficiary, status, expires)
    }

    /// In whose stead it goes.
    pub fn replacing(mut self, replaces: Replaces) -> Self {
        self.transfer.doc.replaces = Some(replaces);
        self
    }

    /// All of them, with what is set aside for them, and with what is set aside for `others`
    /// at the same moment.
    pub fn write(batch: &mut Batch, brand_id: &str, all: &[Self], others: &[Holding<'_>]) {
        for one in all {
            let new = NewTransfer {
                id: &one.transfer.id,
                number: &one.transfer.number,
                status: one.transfer.status,
                planned: &one.planned,
                for_type: &one.transfer.for_type,
                for_id: &one.transfer.for_id,
                expires_in_ms: one.expires_in_ms,
                doc: &one.transfer.doc,
            };
            transfers::insert(batch, brand_id, &new);
        }
        let units: Vec<Vec<Allocation>> = all.iter().map(|one| one.planned.allocations()).collect();
        let holdings: Vec<Holding<'_>> = all
            .iter()
            .zip(&units)
            .map(|(one, units)| (Document::transfer(&one.transfer.id), &units[..]))
            .chain(others.iter().copied())
            .collect();
        stock::reserve(batch, brand_id, Floor::Safety, &holdings);
    }
}
