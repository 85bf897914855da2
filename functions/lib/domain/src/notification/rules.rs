//! Which news of an order are told, and in which one message.

use serde::{Deserialize, Serialize};

use super::NotificationRule;
use super::policy::Recipients;
use crate::contact::Channel;

/// What a rule can be about: events of the outbox, and kinds of the order's timeline.
pub(super) const EVENTS: [&str; 18] = [
    "order.confirmed",
    "moved_earlier",
    "moved_later",
    "transfer_failed",
    "in_transit",
    "transfer_received",
    "preparing",
    "ready_for_pickup",
    "pickup_reminder",
    "picked_up",
    "partially_picked_up",
    "cancelled",
    "instalment_paid",
    "instalment_reminder",
    "refunded",
    "refund_failed",
    "pickup_person_changed",
    "return_requested",
];

const EARLIER: &str = "moved_earlier";
const LATER: &str = "moved_later";

/// Templates that say where an order stands: the later one makes the earlier one untrue.
const STATES: [&str; 8] = [
    "order_earlier",
    "order_later",
    "order_delayed",
    "order_ready",
    "order_reminder",
    "order_picked_up",
    "order_partly_picked_up",
    "order_cancelled",
];

/// The rules of a brand that sets none.
pub(super) fn standard() -> Vec<NotificationRule> {
    const BOTH: &[Channel] = &[Channel::Sms, Channel::Email];
    const MAIL: &[Channel] = &[Channel::Email];
    let rules: [(&str, &str, &[Channel], bool); 11] = [
        ("order.confirmed", "order_confirmed", MAIL, true),
        (EARLIER, "order_earlier", BOTH, false),
        (LATER, "order_later", BOTH, false),
        ("transfer_failed", "order_delayed", MAIL, false),
        ("ready_for_pickup", "order_ready", BOTH, false),
        ("pickup_reminder", "order_reminder", BOTH, false),
        ("picked_up", "order_picked_up", BOTH, false),
        ("partially_picked_up", "order_partly_picked_up", BOTH, false),
        ("cancelled", "order_cancelled", BOTH, false),
        ("instalment_reminder", "order_payment_due", BOTH, false),
        ("refunded", "order_refunded", BOTH, false),
    ];
    let rule =
        |(event, template, channels, at_once): (&str, &str, &[Channel], bool)| NotificationRule {
            event: event.into(),
            channels: channels.to_vec(),
            template: template.into(),
            to: Recipients::Everybody,
            at_once,
        };
    rules.map(rule).into()
}

/// Something that happened to an order, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct News {
    /// `order.confirmed`, or a kind of the timeline.
    pub kind: String,
    #[serde(default)]
    pub ready_at_ms_before: Option<i64>,
    #[serde(default)]
    pub ready_at_ms: Option<i64>,
    #[serde(default)]
    pub reasons: Vec<String>,
}

impl News {
    fn is_move(&self) -> bool {
        self.kind == EARLIER || self.kind == LATER
    }

    /// Another source was found at once: what that means for the promise is news of its own.
    fn matters(&self) -> bool {
        !(self.kind == "transfer_failed" && self.reasons.iter().any(|one| one == "other_source"))
    }
}

/// The rule by which these news of one order, the oldest first, are told together over a
/// channel: the latest that has one. A promise that moved to and fro is told by where it
/// ended up, and is no news at all when that is where it was.
pub fn told<'a>(
    rules: &'a [NotificationRule],
    news: &[News],
    channel: Channel,
) -> Option<&'a NotificationRule> {
    let rule_of = |kind: &str| {
        rules
            .iter()
            .find(|rule| rule.event == kind && rule.channels.contains(&channel))
    };
    let moves = || news.iter().filter(|one| one.is_move());
    let before = moves().find_map(|one| one.ready_at_ms_before);
    let after = moves().rev().find_map(|one| one.ready_at_ms);
    let moved = match before.zip(after) {
        Some((before, after)) if before == after => None,
        Some((before, after)) => Some(if after < before { EARLIER } else { LATER }),
        None => moves().next_back().map(|one| one.kind.as_str()),
    };
    let latest = news.iter().rev().filter(|one| one.matters());
    latest
        .filter_map(|one| match one.is_move() {
            true => moved,
            false => Some(one.kind.as_str()),
        })
        .find_map(rule_of)
}

/// The templates whose messages are pointless, where they still wait, once there is one with
/// the template `newer`.
pub fn outdated_by(newer: &str) -> &'static [&'static str] {
    if STATES.contains(&newer) {
        &STATES
    } else {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(kind: &str) -> News {
        News {
            kind: kind.into(),
            ..News::default()
        }
    }

    fn moved(kind: &str, before: i64, after: i64) -> News {
        News {
            ready_at_ms_before: Some(before),
            ready_at_ms: Some(after),
            ..news(kind)
        }
    }

    fn template(news: &[News], channel: Channel) -> Option<String> {
        let rules = standard();
        told(&rules, news, channel).map(|rule| rule.template.clone())
    }

    #[test]
    fn the_latest_state_wins() {
        let text = |news: &[News]| template(news, Channel::Sms);
        assert_eq!(
            text(&[news("ready_for_pickup"), news("picked_up")]).as_deref(),
            Some("order_picked_up")
        );
        assert_eq!(
            text(&[news("ready_for_pickup"), news("preparing")]).as_deref(),
            Some("order_ready")
        );
        assert_eq!(text(&[news("preparing")]), None);
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[news("order.confirmed")]), None);
        assert_eq!(
            template(&[news("order.confirmed")], Channel::Email).as_deref(),
            Some("order_confirmed")
        );
    }

    #[test]
    fn a_promise_is_told_by_where_it_ended_up() {
        let text = |news: &[News]| template(news, Channel::Sms);
        assert_eq!(
            text(&[moved(EARLIER, 9, 5)]).as_deref(),
            Some("order_earlier")
        );
        assert_eq!(
            text(&[moved(EARLIER, 9, 5), moved(LATER, 5, 7)]).as_deref(),
            Some("order_earlier")
        );
        assert_eq!(
            text(&[moved(EARLIER, 9, 5), moved(LATER, 5, 12)]).as_deref(),
            Some("order_later")
        );
        assert_eq!(text(&[moved(EARLIER, 9, 5), moved(LATER, 5, 9)]), None);
    }

    #[test]
    fn a_promise_that_is_as_it_was_hides_nothing_else() {
        let to_and_fro = [moved(EARLIER, 9, 5), news("refunded"), moved(LATER, 5, 9)];
        assert_eq!(
            template(&to_and_fro, Channel::Sms).as_deref(),
            Some("order_refunded")
        );
        // Nor one whose direction nobody is told of.
        let mut rules = standard();
        rules.retain(|rule| rule.event != LATER);
        let later = [news("refunded"), moved(EARLIER, 9, 5), moved(LATER, 5, 12)];
        let rule = told(&rules, &later, Channel::Sms);
        assert_eq!(rule.map(|rule| rule.event.as_str()), Some("refunded"));
    }

    #[test]
    fn a_source_that_was_replaced_is_no_news() {
        let failed = |reasons: &[&str]| News {
            reasons: reasons.iter().map(|one| (*one).to_owned()).collect(),
            ..news("transfer_failed")
        };
        assert_eq!(
            template(&[failed(&["refused", "other_source"])], Channel::Email),
            None
        );
        assert_eq!(
            template(&[failed(&["refused", "no_source"])], Channel::Email).as_deref(),
            Some("order_delayed")
        );
    }

    #[test]
    fn only_what_says_where_an_order_stands_is_outdated() {
        assert!(outdated_by("order_ready").contains(&"order_earlier"));
        assert!(!outdated_by("order_ready").contains(&"order_confirmed"));
        assert!(outdated_by("order_refunded").is_empty());
    }
}
