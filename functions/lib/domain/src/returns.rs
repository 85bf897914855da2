//! Starting a return: what may come back, until when, and what has to be shown.

use serde::{Deserialize, Serialize};

use crate::order::Order;

const DAY_MS: i64 = 86_400_000;

/// What a brand takes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReturnPolicy {
    pub allowed: bool,
    /// Days from the hand-over in which a return can be started.
    pub window_days: i64,
    /// Reasons that count.
    pub reasons: Vec<ReturnReason>,
    /// What has to be shown when the goods come back.
    pub evidence: Evidence,
}

impl Default for ReturnPolicy {
    fn default() -> Self {
        Self {
            allowed: true,
            window_days: 30,
            reasons: ReturnReason::ALL.to_vec(),
            evidence: Evidence::ProofOfPurchase,
        }
    }
}

/// Why somebody gives something back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ReturnReason {
    ChangedMind,
    DoesNotFit,
    NotAsDescribed,
    WrongItem,
    Damaged,
    Defective,
}

impl ReturnReason {
    pub const ALL: [Self; 6] = [
        Self::ChangedMind,
        Self::DoesNotFit,
        Self::NotAsDescribed,
        Self::WrongItem,
        Self::Damaged,
        Self::Defective,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::ChangedMind => "changed_mind",
            Self::DoesNotFit => "does_not_fit",
            Self::NotAsDescribed => "not_as_described",
            Self::WrongItem => "wrong_item",
            Self::Damaged => "damaged",
            Self::Defective => "defective",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// Something is wrong with the goods, which can be shown.
    pub fn is_defect(self) -> bool {
        matches!(self, Self::Damaged | Self::Defective)
    }
}

/// What has to be shown when goods come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Evidence {
    /// That they were bought here: the order itself says so.
    ProofOfPurchase,
    /// That something is wrong with them.
    Defect,
}

impl Evidence {
    pub fn name(self) -> &'static str {
        match self {
            Self::ProofOfPurchase => "proof_of_purchase",
            Self::Defect => "defect",
        }
    }
}

/// Pieces of a line that are to come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnLine {
    pub line_id: String,
    pub quantity: i64,
}

/// The document of table `return_request`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnDoc {
    pub lines: Vec<ReturnLine>,
    pub reason: ReturnReason,
    pub decision: Decision,
    /// What the decision stood on.
    pub policy: ReturnPolicy,
}

/// What was decided about a wish to return, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    pub accepted: bool,
    /// For programs, such as `within_window`, `window_over`, `defect_required`.
    pub reasons: Vec<String>,
    /// What has to be shown.
    pub evidence: Evidence,
    /// Milliseconds since the epoch until when a return can be started.
    pub until_ms: Option<i64>,
}

/// What a wish to return is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub order: &'a Order,
    /// When goods of the order left with the shopper for the last time.
    pub handed_over_at_ms: Option<i64>,
    /// Lines of returns that were started before.
    pub before: &'a [ReturnLine],
    pub now_ms: i64,
}

/// A wish that makes no sense, whatever the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadLine {
    pub index: usize,
    pub code: &'static str,
    pub detail: &'static str,
}

impl Facts<'_> {
    /// Pieces of a line that were handed over and for which no return was started.
    pub fn returnable(&self, line_id: &str) -> i64 {
        let lines = self.order.lines.iter();
        let handed_over: i64 = lines
            .filter(|own| own.line.id == line_id)
            .map(|own| own.fulfilled)
            .sum();
        let before = self.before.iter().filter(|line| line.line_id == line_id);
        handed_over - before.map(|line| line.quantity).sum::<i64>()
    }

    /// The first line that is not the order's, comes twice, or wants back more than there is.
    pub fn check(&self, lines: &[ReturnLine]) -> Result<(), BadLine> {
        let bad = |index, code, detail| {
            Err(BadLine {
                index,
                code,
                detail,
            })
        };
        for (index, line) in lines.iter().enumerate() {
            let known = self
                .order
                .lines
                .iter()
                .any(|own| own.line.id == line.line_id);
            if !known {
                return bad(index, "unknown_line", "the order has no such line");
            }
            let twice = lines.iter().take(index);
            if twice.into_iter().any(|one| one.line_id == line.line_id) {
                return bad(index, "duplicate_line", "this line is there twice");
            }
            if !(1..=self.returnable(&line.line_id)).contains(&line.quantity) {
                let detail = "not within 1 and the pieces that were handed over and not returned";
                return bad(index, "impossible_quantity", detail);
            }
        }
        Ok(())
    }
}

impl ReturnPolicy {
    /// Until when a return can be started.
    pub fn until_ms(&self, handed_over_at_ms: i64) -> i64 {
        handed_over_at_ms.saturating_add(self.window_days.saturating_mul(DAY_MS))
    }

    /// Reasons that a shopper can choose from.
    pub fn choices(&self) -> impl Iterator<Item = ReturnReason> {
        let wants_defect = self.evidence == Evidence::Defect;
        let counts = move |reason: &ReturnReason| !wants_defect || reason.is_defect();
        self.reasons.iter().copied().filter(counts)
    }

    pub fn decide(&self, reason: ReturnReason, facts: &Facts<'_>) -> Decision {
        let until_ms = facts.handed_over_at_ms.map(|at_ms| self.until_ms(at_ms));
        let refusals = [
            (!self.allowed, "returns_not_allowed"),
            (until_ms.is_none(), "not_handed_over"),
            (
                until_ms.is_some_and(|until_ms| until_ms < facts.now_ms),
                "window_over",
            ),
            (!self.reasons.contains(&reason), "reason_not_accepted"),
            (
                self.evidence == Evidence::Defect && !reason.is_defect(),
                "defect_required",
            ),
        ];
        let refused = refusals.into_iter().filter(|(holds, _)| *holds);
        let mut reasons: Vec<String> = refused.map(|(_, code)| code.to_owned()).collect();
        let accepted = reasons.is_empty();
        if accepted {
            reasons = vec!["within_window".into(), self.evidence.name().into()];
        }
        Decision {
            accepted,
            reasons,
            evidence: self.evidence,
            until_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::three_of_one_article as order;

    fn line(quantity: i64) -> ReturnLine {
        ReturnLine {
            line_id: "l1".into(),
            quantity,
        }
    }

    #[test]
    fn only_what_was_handed_over_comes_back_and_once() {
        let (order, before) = (order(2), [line(1)]);
        let facts = Facts {
            order: &order,
            handed_over_at_ms: Some(0),
            before: &before,
            now_ms: 0,
        };
        assert_eq!(facts.check(&[line(1)]), Ok(()));
        for (lines, code) in [
            (vec![line(2)], "impossible_quantity"),
            (vec![line(0)], "impossible_quantity"),
            (vec![line(1), line(1)], "duplicate_line"),
        ] {
            assert_eq!(facts.check(&lines).unwrap_err().code, code);
        }
        let stranger = ReturnLine {
            line_id: "l2".into(),
            quantity: 1,
        };
        assert_eq!(facts.check(&[stranger]).unwrap_err().code, "unknown_line");
    }

    #[test]
    fn the_policy_decides_with_reasons() {
        let order = order(3);
        let facts = |handed_over_at_ms, now_ms| Facts {
            order: &order,
            handed_over_at_ms,
            before: &[],
            now_ms,
        };
        let free = ReturnPolicy::default();
        let strict = ReturnPolicy {
            evidence: Evidence::Defect,
            ..ReturnPolicy::default()
        };
        let said = |policy: &ReturnPolicy, reason, facts| {
            let decision = policy.decide(reason, &facts);
            (decision.accepted, decision.reasons.join(" "))
        };
        let end_ms = 30 * DAY_MS;
        assert_eq!(
            said(&free, ReturnReason::ChangedMind, facts(Some(0), end_ms)),
            (true, "within_window proof_of_purchase".into())
        );
        assert_eq!(
            said(&free, ReturnReason::ChangedMind, facts(Some(0), end_ms + 1)),
            (false, "window_over".into())
        );
        assert_eq!(
            said(&strict, ReturnReason::ChangedMind, facts(Some(0), 0)),
            (false, "defect_required".into())
        );
        assert_eq!(
            said(&strict, ReturnReason::Defective, facts(Some(0), 0)),
            (true, "within_window defect".into())
        );
        assert_eq!(
            said(&free, ReturnReason::Damaged, facts(None, 0)),
            (false, "not_handed_over".into())
        );
        assert_eq!(strict.choices().count(), 2);
    }
}
