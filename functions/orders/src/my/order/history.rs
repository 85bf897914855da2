//! What was bought, and what has happened to it since.

use aisle_domain::order::{TimelineEntry, TimelineKind};
use aisle_ucp::order::Recorded;
use aisle_words as words;
use maud::{Markup, html};

use super::Page;
use crate::my::text::fill;

/// Entries of the timeline beside everything else; all of them have a page of their own.
const MOST: usize = 20;

impl Page<'_> {
    pub(super) fn items(&self) -> Markup {
        let (order, text) = (&self.facts.order, self.text);
        let money = |minor| words::money(minor, &order.currency, self.locale);
        let count = |pieces| words::number(pieces, self.locale);
        html! {
            section.card aria-labelledby="items-title" {
                h2 #items-title { (text.items) }
                ul.lines {
                    @for own in &order.lines {
                        li {
                            span {
                                (own.line.title)
                                @if own.fulfilled > 0 && own.fulfilled < own.line.quantity {
                                    span.tag { (fill(text.handed_over_of, &[("count", &count(own.fulfilled)), ("all", &count(own.line.quantity))])) }
                                } @else {
                                    span.tag { (fill(text.quantity, &[("count", &count(own.line.quantity))])) }
                                }
                            }
                            span { (money(own.line.amount.amount_minor)) }
                        }
                    }
                }
                p.sum { span { (text.total) } span { (money(order.totals.total_minor)) } }
            }
        }
    }

    /// The latest of what has happened.
    pub(super) fn history(&self) -> Markup {
        html! {
            section.card aria-labelledby="timeline-title" {
                h2 #timeline-title { (self.text.timeline) }
                (self.entries(MOST))
                @if self.facts.recorded.len() > MOST {
                    a.button.plain href=(self.path("/history")) { (self.text.timeline_all) }
                }
            }
        }
    }

    /// The last `most` entries, and how it began where nothing is left out.
    pub fn entries(&self, most: usize) -> Markup {
        let recorded = &self.facts.recorded;
        html! {
            ol.past reversed {
                @for one in recorded.iter().rev().take(most) {
                    (self.past(one.occurred_at_ms, &self.event(one)))
                }
                @if recorded.len() <= most {
                    (self.past(self.facts.order.placed_at_ms, self.text.placed))
                }
            }
        }
    }

    fn past(&self, at_ms: i64, said: &str) -> Markup {
        html! {
            li {
                time datetime=(aisle_domain::instant::rfc3339(at_ms)) { (self.when(at_ms)) }
                p { (said) }
            }
        }
    }

    /// In the page's language, whatever language it was recorded in.
    fn event(&self, recorded: &Recorded) -> String {
        let (entry, text) = (&recorded.entry, self.text);
        let said = match entry.kind {
            TimelineKind::TransferRequested => text.ev_transfer_requested,
            TimelineKind::TransferApproved => text.ev_transfer_approved,
            TimelineKind::TransferFailed => text.ev_transfer_failed,
            TimelineKind::InTransit => text.ev_in_transit,
            TimelineKind::TransferReceived => text.ev_transfer_received,
            TimelineKind::MovedEarlier => return self.moved_to(entry, text.ev_moved_earlier),
            TimelineKind::MovedLater => return self.moved_to(entry, text.ev_moved_later),
            TimelineKind::Preparing => text.ev_preparing,
            TimelineKind::ReadyForPickup => text.ev_ready,
            TimelineKind::PickedUp => text.ev_picked_up,
            TimelineKind::PartiallyPickedUp => text.ev_partially_picked_up,
            TimelineKind::Arriving => match entry.reasons.iter().any(|one| one == "arrived") {
                true => text.ev_arrived,
                false => text.ev_on_my_way,
            },
            TimelineKind::InstalmentPaid => text.ev_instalment_paid,
            TimelineKind::InstalmentReminder => text.ev_instalment_reminder,
            TimelineKind::PickupReminder => text.ev_pickup_reminder,
            TimelineKind::NotCollected => text.ev_not_collected,
            TimelineKind::Refunded => text.ev_refunded,
            TimelineKind::RefundFailed => text.ev_refund_failed,
            TimelineKind::Cancelled => text.ev_cancelled,
            TimelineKind::PickupPersonChanged => text.ev_person,
            TimelineKind::ReturnRequested => text.ev_return,
        };
        said.to_owned()
    }

    fn moved_to(&self, entry: &TimelineEntry, said: &str) -> String {
        let when = entry.ready_at_ms.map(|at_ms| self.when(at_ms));
        fill(said, &[("when", when.as_deref().unwrap_or_default())])
    }
}
