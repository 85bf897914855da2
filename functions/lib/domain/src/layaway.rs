//! An order that is paid in parts while its goods are kept: the parts, and what it costs
//! to give it up.

use serde::{Deserialize, Serialize};

use crate::money;
use crate::policy::LayawayPolicy;

const DAY_MS: i64 = 86_400_000;
const WHOLE_PPM: i64 = 1_000_000;

/// Column `layaway.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Parts are still due.
    Active,
    /// All is paid; the goods are the shopper's to collect.
    Paid,
    /// Given up by the shopper.
    Cancelled,
    /// Not paid by the deadline.
    Defaulted,
}

impl Status {
    const ALL: [Self; 4] = [Self::Active, Self::Paid, Self::Cancelled, Self::Defaulted];

    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Defaulted => "defaulted",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// The document of table `layaway`: the agreement, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layaway {
    /// The policy that it was agreed under.
    pub policy: LayawayPolicy,
    /// ISO 4217.
    pub currency: String,
    pub total_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Settlement>,
}

/// A part of the price: table `instalment`. The deposit is the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// From 1.
    pub position: i64,
    pub due_at_ms: i64,
    /// At least 1.
    pub amount_minor: i64,
}

/// The parts in which a total is paid, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub parts: Vec<Part>,
    /// After this the layaway is in default.
    pub deadline_ms: i64,
}

/// What is kept and what goes back when a layaway ends unpaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    pub paid_minor: i64,
    pub fee_minor: i64,
    /// What is owed to the shopper.
    pub refund_due_minor: i64,
}

/// The parts of `total_minor` when the first is paid at `now_ms`: the deposit, then equal
/// parts, whose remainder is added to the deposit so that all sums are exact. `None` when
/// the policy does not offer it, or a part would be nothing.
pub fn schedule(total_minor: i64, policy: &LayawayPolicy, now_ms: i64) -> Option<Schedule> {
    if !policy.allowed || total_minor < policy.minimum_total_minor || policy.instalments < 1 {
        return None;
    }
    let deposit = money::share(total_minor, policy.deposit_ppm, WHOLE_PPM).ok()?;
    let rest = total_minor - deposit;
    let (equal, remainder) = (rest / policy.instalments, rest % policy.instalments);
    let first = Part {
        position: 1,
        due_at_ms: now_ms,
        amount_minor: deposit + remainder,
    };
    let interval_ms = policy.interval_days.checked_mul(DAY_MS)?;
    let later = (1..=policy.instalments).map(|number| Part {
        position: number + 1,
        due_at_ms: now_ms.saturating_add(interval_ms.saturating_mul(number)),
        amount_minor: equal,
    });
    let parts: Vec<Part> = std::iter::once(first).chain(later).collect();
    let last_due_ms = parts.last()?.due_at_ms;
    parts
        .iter()
        .all(|part| part.amount_minor > 0)
        .then_some(Schedule {
            parts,
            deadline_ms: last_due_ms.saturating_add(policy.grace_days.saturating_mul(DAY_MS)),
        })
}

/// What ending a layaway of which `paid_minor` is paid costs: the policy's share of it, at
/// most the policy's maximum, and never more than was paid.
pub fn settle(paid_minor: i64, policy: &LayawayPolicy) -> Settlement {
    let share = money::share(paid_minor, policy.cancellation_fee_ppm, WHOLE_PPM);
    let fee_minor = share
        .unwrap_or(paid_minor)
        .min(policy.cancellation_fee_max_minor)
        .clamp(0, paid_minor.max(0));
    Settlement {
        paid_minor,
        fee_minor,
        refund_due_minor: paid_minor - fee_minor,
    }
}

/// From when its payer is reminded of a part.
pub fn remind_from_ms(due_at_ms: i64, policy: &LayawayPolicy) -> i64 {
    due_at_ms.saturating_sub(policy.reminder_days.saturating_mul(DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> LayawayPolicy {
        LayawayPolicy {
            allowed: true,
            ..LayawayPolicy::default()
        }
    }

    #[test]
    fn the_remainder_is_paid_first() {
        let schedule = schedule(10_000, &policy(), 1_000).unwrap();
        let amounts: Vec<i64> = schedule
            .parts
            .iter()
            .map(|part| part.amount_minor)
            .collect();
        assert_eq!(amounts, [2_002, 2_666, 2_666, 2_666]);
        assert_eq!(schedule.parts[0].due_at_ms, 1_000);
        assert_eq!(schedule.parts[3].due_at_ms, 1_000 + 90 * DAY_MS);
        assert_eq!(schedule.deadline_ms, 1_000 + 97 * DAY_MS);
        assert_eq!(
            remind_from_ms(schedule.parts[1].due_at_ms, &policy()),
            1_000 + 27 * DAY_MS
        );
    }

    #[test]
    fn what_the_policy_does_not_offer_is_not_offered() {
        assert_eq!(schedule(10_000, &LayawayPolicy::default(), 0), None);
        assert_eq!(schedule(4_999, &policy(), 0), None);
        let all_at_once = LayawayPolicy {
            deposit_ppm: WHOLE_PPM,
            ..policy()
        };
        assert_eq!(schedule(10_000, &all_at_once, 0), None);
        let no_deposit = LayawayPolicy {
            deposit_ppm: 0,
            ..policy()
        };
        assert_eq!(schedule(9_999, &no_deposit, 0), None);
    }

    #[test]
    fn the_fee_is_a_share_with_a_maximum() {
        let settled = |paid| settle(paid, &policy());
        assert_eq!(
            settled(2_000),
            Settlement {
                paid_minor: 2_000,
                fee_minor: 200,
                refund_due_minor: 1_800
            }
        );
        assert_eq!(settled(100_000).fee_minor, 2_500);
        assert_eq!(
            settled(0),
            Settlement {
                paid_minor: 0,
                fee_minor: 0,
                refund_due_minor: 0
            }
        );
    }

    #[test]
    fn every_status_has_its_name() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.name()), Some(status));
        }
        assert_eq!(Status::parse("open"), None);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_total(
            total in 1_i64..=money::MAX_MINOR, deposit_ppm in 0_i64..=WHOLE_PPM, instalments in 1_i64..=36,
            interval_days in 1_i64..=365,
        ) {
            let policy = LayawayPolicy { deposit_ppm, instalments, interval_days, minimum_total_minor: 0, ..policy() };
            if let Some(Schedule { parts, deadline_ms }) = schedule(total, &policy, 5) {
                prop_assert_eq!(parts.iter().map(|part| part.amount_minor).sum::<i64>(), total);
                prop_assert!(parts.iter().all(|part| part.amount_minor > 0));
                prop_assert!(parts.is_sorted_by(|a, b| a.due_at_ms < b.due_at_ms && a.position + 1 == b.position));
                prop_assert!(deadline_ms >= parts[parts.len() - 1].due_at_ms);
            }
        }

        #[test]
        fn nobody_pays_more_than_was_paid(
            paid in 0_i64..=money::MAX_MINOR, cancellation_fee_ppm in 0_i64..=WHOLE_PPM, most in 0_i64..=money::MAX_MINOR,
        ) {
            let policy = LayawayPolicy { cancellation_fee_ppm, cancellation_fee_max_minor: most, ..policy() };
            let settled = settle(paid, &policy);
            prop_assert_eq!(settled.fee_minor + settled.refund_due_minor, paid);
            prop_assert!(settled.fee_minor >= 0 && settled.refund_due_minor >= 0 && settled.fee_minor <= most);
        }
    }
}
