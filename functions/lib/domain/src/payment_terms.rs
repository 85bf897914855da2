//! When a checkout is paid: all at once, or in parts while its goods are kept.

use serde::{Deserialize, Serialize};

use crate::brand::Brand;
use crate::fulfillment::{Method, MethodKind};
use crate::layaway::{self, Schedule};
use crate::notice::Notice;
use crate::plan::Plan;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    PayNow,
    Layaway,
}

impl Term {
    /// Its id, the same in every checkout.
    pub fn id(self) -> &'static str {
        match self {
            Self::PayNow => "pay_now",
            Self::Layaway => "layaway",
        }
    }

    fn parse(id: &str) -> Option<Self> {
        [Self::PayNow, Self::Layaway]
            .into_iter()
            .find(|term| term.id() == id)
    }
}

/// The choice between the two, where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentTerms {
    pub selected: Term,
    /// The parts of the layaway.
    pub schedule: Schedule,
}

impl PaymentTerms {
    /// The parts that the shopper has agreed to.
    pub fn agreed(&self) -> Option<&Schedule> {
        (self.selected == Term::Layaway).then_some(&self.schedule)
    }
}

/// The terms of a checkout of `total_minor`, and what its shopper must be told of them. A
/// layaway is for goods that lie at the store where they are collected: those are what can
/// be kept. `wanted` is the choice that was sent, `before` what was offered before it; due
/// dates that were shown stay, while the sums do.
pub fn offer(
    (methods, plan): (&[Method], &Plan),
    total_minor: i64,
    brand: &Brand,
    before: Option<&PaymentTerms>,
    wanted: Option<&str>,
    now_ms: i64,
) -> (Option<PaymentTerms>, Option<Notice>) {
    let mut serving = methods.iter().filter(|method| !method.line_ids.is_empty());
    let kept_there = !plan.allocations.is_empty()
        && plan.transfers().next().is_none()
        && serving.all(|method| method.kind == MethodKind::Pickup);
    let chosen = wanted.and_then(Term::parse);
    let earlier = before.map_or(Term::PayNow, |terms| terms.selected);
    let unknown = wanted.is_some() && chosen.is_none();
    let selected = chosen.unwrap_or(earlier);
    let schedule = layaway::schedule(total_minor, &brand.policies.layaway, now_ms);
    let Some(schedule) = schedule.filter(|_| kept_there) else {
        let lost = unknown || selected == Term::Layaway;
        return (None, lost.then(changed));
    };
    let same_sums = before.filter(|terms| terms.schedule.has_sums_of(&schedule));
    let rewritten = earlier == Term::Layaway && selected == earlier && same_sums.is_none();
    let terms = PaymentTerms {
        selected,
        schedule: same_sums.map_or(schedule, |terms| terms.schedule.clone()),
    };
    (Some(terms), (unknown || rewritten).then(changed))
}

fn changed() -> Notice {
    let text = "The way in which this is paid is not the one that was chosen before. Check it.";
    Notice::warning("payment_term_changed", "$.payment.selected_term_id", text)
}
