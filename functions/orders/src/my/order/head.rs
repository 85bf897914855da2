//! Where the order is, in one look: headline, promise, steps, and what went wrong.

use aisle_domain::order::{TimelineEntry, TimelineKind};
use aisle_domain::pass::PickupStatus;
use aisle_words as words;
use maud::{Markup, html};

use super::Page;
use crate::my::text::{Text, fill};

/// A form's outcome as its code in the page's URL says it.
type Said = fn(&Text) -> &'static str;

const DONE: [(&str, Said); 7] = [
    ("presence", |text| text.done_presence),
    ("withdrawn", |text| text.done_withdrawn),
    ("pass", |text| text.done_pass),
    ("cancelled", |text| text.done_cancelled),
    ("person", |text| text.done_person),
    ("return", |text| text.done_return),
    ("news", |text| text.done_news),
];

const FAILED: [(&str, Said); 8] = [
    ("consent", |text| text.failed_consent),
    ("not_ready", |text| text.failed_not_ready),
    ("too_late", |text| text.failed_too_late),
    ("often", |text| text.failed_often),
    ("address", |text| text.failed_address),
    ("name", |text| text.failed_name),
    ("return", |text| text.failed_return),
    ("opted_out", |text| text.failed_opted_out),
];

impl Page<'_> {
    /// What became of the form that led here.
    pub(super) fn flash(&self) -> Markup {
        let call = self.visit.call;
        let said = |codes: &[(&str, Said)], code: &str| {
            let known = codes.iter().find(|(name, _)| *name == code);
            known.map(|(_, said)| said(self.text))
        };
        let done = call.query("done").and_then(|code| said(&DONE, code));
        let failed = call
            .query("failed")
            .map(|code| said(&FAILED, code).unwrap_or(self.text.failed_other));
        html! {
            @if let Some(failed) = failed {
                p.flash.bad #notice role="alert" tabindex="-1" { (failed) }
            } @else if let Some(done) = done {
                p.flash #notice role="status" tabindex="-1" { (done) }
            }
        }
    }

    pub(super) fn head(&self) -> Markup {
        let number = [("number", self.facts.order.number.as_str())];
        html! {
            section.card.hero aria-labelledby="headline" {
                p.soft { (fill(self.text.order_number, &number)) }
                h1 #headline { (self.headline()) }
                (self.promise())
                @if self.collection().is_some() { (self.steps()) }
            }
        }
    }

    fn headline(&self) -> String {
        let text = self.text;
        let store = [("store", self.store_name())];
        match self.collection() {
            _ if self.facts.cancelled => text.head_cancelled.into(),
            Some(PickupStatus::Cancelled) => text.head_cancelled.into(),
            Some(PickupStatus::Collected) => text.head_collected.into(),
            Some(PickupStatus::Ready) => text.head_ready.into(),
            Some(PickupStatus::AwaitingTransfer) => fill(text.head_awaiting, &store),
            Some(PickupStatus::Preparing) => fill(text.head_preparing, &store),
            None if self.facts.layaway.is_some() => text.head_layaway.into(),
            None => text.head_confirmed.into(),
        }
    }

    /// When it can be collected, and what had been promised before.
    fn promise(&self) -> Markup {
        let text = self.text;
        let Some(pickup) = self.facts.pickup.as_ref().filter(|_| !self.facts.cancelled) else {
            let said = match self.facts.cancelled {
                true => text.cancelled_refund,
                false => text.sent_to,
            };
            return html! { @if self.facts.layaway.is_none() { p.lead { (said) } } };
        };
        let when = self.when(pickup.ready_at_ms);
        match pickup.status {
            PickupStatus::Collected | PickupStatus::Cancelled => html! {},
            PickupStatus::Ready => {
                let until = words::day(pickup.pickup_by_ms, self.zone(), self.locale);
                html! { p.lead { (fill(text.kept_until, &[("when", &until)])) } (self.was()) }
            }
            PickupStatus::AwaitingTransfer | PickupStatus::Preparing => {
                let said = match self.moved().map(|entry| entry.kind) {
                    Some(TimelineKind::MovedEarlier) => text.earlier,
                    Some(_) => text.later,
                    None => text.ready_from,
                };
                let said = fill(said, &[("when", &when)]);
                let late = self
                    .moved()
                    .is_some_and(|entry| entry.kind == TimelineKind::MovedLater);
                html! {
                    @match (self.moved().is_some(), late) {
                        (false, _) => p.lead { (said) },
                        (true, false) => p.lead.moved { (said) },
                        (true, true) => p.lead.moved.late { (said) },
                    }
                    (self.was())
                }
            }
        }
    }

    /// The last time that the promise moved, if it did.
    fn moved(&self) -> Option<&TimelineEntry> {
        let entries = self.facts.recorded.iter().rev().map(|one| &one.entry);
        let moves = |kind| matches!(kind, TimelineKind::MovedEarlier | TimelineKind::MovedLater);
        entries.into_iter().find(|entry| moves(entry.kind))
    }

    fn was(&self) -> Markup {
        let before = self.moved().and_then(|entry| entry.ready_at_ms_before);
        let before = before.map(|at_ms| self.when(at_ms));
        html! {
            @if let Some(before) = before {
                p.soft { (fill(self.text.was_promised, &[("when", &before)])) }
            }
        }
    }

    fn steps(&self) -> Markup {
        let text = self.text;
        let mut steps = vec![text.step_ordered];
        if !self.facts.transfers.is_empty() {
            steps.push(text.step_travelling);
        }
        steps.extend([text.step_preparing, text.step_ready, text.step_collected]);
        let (last, collection) = (steps.len() - 1, self.collection());
        let now = match collection {
            Some(PickupStatus::AwaitingTransfer) => 1.min(last),
            Some(PickupStatus::Preparing) => last - 2,
            Some(PickupStatus::Ready) => last - 1,
            Some(PickupStatus::Collected) => last,
            _ => 0,
        };
        html! {
            ol.steps aria-label=(text.steps) {
                @for (index, step) in steps.iter().enumerate() {
                    @if index == now {
                        li aria-current="step" { (step) span.unseen { " (" (text.step_now) ")" } }
                    } @else if index < now {
                        li.did { (step) span.unseen { " (" (text.step_done) ")" } }
                    } @else {
                        li { (step) }
                    }
                }
            }
        }
    }

    /// That messages did not arrive: the page is what is left.
    pub(super) fn undelivered(&self) -> Markup {
        let mut channels = self.facts.undelivered.clone();
        channels.sort_unstable();
        channels.dedup();
        let how = |channel: &str| match channel {
            "sms" => self.text.by_sms,
            _ => self.text.by_email,
        };
        html! {
            @for channel in &channels {
                p.alarm { (fill(self.text.undelivered, &[("how", how(channel))])) }
            }
        }
    }
}
