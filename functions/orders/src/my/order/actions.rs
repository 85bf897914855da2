//! What the shopper can do about the order: each a form of its own.

use aisle_domain::contact::Channel;
use aisle_domain::presence::State;
use aisle_domain::returns::{Evidence, Facts as Asked, ReturnReason};
use aisle_ucp::order::actions::{MAX_NAME_CHARS, hint};
use aisle_words as words;
use maud::{Markup, html};

use super::Page;
use crate::my::text::fill;

/// The version of the sentences that a shopper agrees to on this page. It changes with them.
const CONSENT_VERSION: &str = "order-page-2026-11";

/// Lines that the form of a return offers: more than a form may have fields for are returned
/// in several.
const MAX_LINES: usize = 30;

impl Page<'_> {
    /// "I'm on my way", "I'm here".
    pub(super) fn coming(&self) -> Markup {
        let text = self.text;
        let store = [("store", self.store_name())];
        let known = self.facts.presence.map(|known| known.state);
        let said = known.map(|state| match state {
            State::OnMyWay => fill(text.store_knows_way, &store),
            State::Arrived => fill(text.store_knows_here, &store),
        });
        html! {
            section.card #coming aria-labelledby="coming-title" {
                h2 #coming-title { (text.coming) }
                @match &said {
                    Some(said) => p.moved { (said) },
                    None => p.soft { (text.coming_hint) },
                }
                @if known != Some(State::Arrived) {
                    form method="post" action=(self.path("/presence")) {
                        label.tick for="consent" {
                            input #consent type="checkbox" name="consent" value=(CONSENT_VERSION) required checked[known.is_some()];
                            span { (text.coming_consent) }
                        }
                        div.row {
                            @if known.is_none() {
                                button.plain #on-my-way type="submit" name="state" value="on_my_way" { (text.on_my_way) }
                            }
                            button #i-am-here type="submit" name="state" value="arrived" { (text.i_am_here) }
                        }
                    }
                }
                @if known.is_some() {
                    form method="post" action=(self.path("/withdraw")) {
                        button.quiet #not-coming type="submit" { (text.not_coming) }
                    }
                }
            }
        }
    }

    pub(super) fn person(&self) -> Markup {
        let text = self.text;
        let name = self.facts.person.as_deref();
        let said = match name {
            Some(name) => fill(text.person_is, &[("name", name)]),
            None => text.person_none.into(),
        };
        html! {
            details.card #person {
                summary { h2 { (text.person) } }
                p { (said) }
                form method="post" action=(self.path("/person")) {
                    label for="person-name" { (text.person_name) }
                    input #person-name type="text" name="name" maxlength=(MAX_NAME_CHARS) value=[name]
                        autocomplete="off" aria-describedby="person-hint";
                    p.soft #person-hint { (text.person_hint) }
                    button #person-save type="submit" { (text.save) }
                }
            }
        }
    }

    pub(super) fn news(&self) -> Markup {
        let text = self.text;
        html! {
            details.card #news {
                summary { h2 { (text.news) } }
                p.soft { (text.news_hint) }
                form method="post" action=(self.path("/notifications")) {
                    (self.channel(Channel::Sms, text.news_sms, text.new_phone))
                    (self.channel(Channel::Email, text.news_email, text.new_email))
                    label.tick for="news-consent" {
                        input #news-consent type="checkbox" name="consent" value=(CONSENT_VERSION);
                        span { (text.news_consent) }
                    }
                    button #news-save type="submit" { (text.save) }
                }
            }
        }
    }

    fn channel(&self, channel: Channel, title: &str, label: &str) -> Markup {
        let (text, name) = (self.text, channel.name());
        let own = self
            .facts
            .contacts
            .iter()
            .filter(|contact| contact.channel == name);
        let contact = own.max_by_key(|contact| contact.active);
        let address = contact.map(|contact| hint(channel, &contact.address));
        let address = [("address", address.as_deref().unwrap_or_default())];
        let on = contact.is_some_and(|contact| contact.active && !contact.opted_out);
        let said = match contact {
            Some(contact) if contact.opted_out => fill(text.news_stopped, &address),
            Some(contact) if contact.active => fill(text.news_on, &address),
            _ => text.news_off.into(),
        };
        let (kind, autocomplete) = match channel {
            Channel::Sms => ("tel", "tel"),
            Channel::Email => ("email", "email"),
        };
        html! {
            fieldset {
                legend { (title) }
                label.tick for={ "news-" (name) } {
                    input #{ "news-" (name) } type="checkbox" name=(name) value="on" checked[on];
                    span { (title) ": " (said) }
                }
                label for={ "news-address-" (name) } { (label) }
                input #{ "news-address-" (name) } type=(kind) name={ (name) "_address" } maxlength="254" autocomplete=(autocomplete);
            }
        }
    }

    pub(super) fn give_back(&self) -> Markup {
        let policies = &self.visit.brand.policies;
        let (text, policy) = (self.text, self.facts.order.return_policy(policies));
        let before = self.facts.returned();
        let asked = Asked {
            order: &self.facts.order,
            handed_over_at_ms: self.facts.handed_over_at_ms,
            before: &before,
            now_ms: self.facts.now_ms,
        };
        let until_ms = asked.handed_over_at_ms.map(|at_ms| policy.until_ms(at_ms));
        let lines: Vec<_> = self
            .facts
            .order
            .lines
            .iter()
            .map(|own| (own, asked.returnable(&own.line.id)))
            .filter(|(_, pieces)| *pieces > 0)
            .take(MAX_LINES)
            .collect();
        let open = until_ms.filter(|until_ms| policy.allowed && *until_ms >= asked.now_ms);
        let started: i64 = before.iter().map(|line| line.quantity).sum();
        html! {
            @if started > 0 {
                p.flash { (fill(text.return_started, &[("items", &words::items(started, self.locale))])) }
            }
            @if let (Some(until_ms), false) = (open, lines.is_empty()) {
                details.card #return {
                    summary { h2 { (text.give_back) } }
                    p.soft { (fill(text.return_until, &[("when", &words::date(until_ms, self.zone(), self.locale))])) }
                    form method="post" action=(self.path("/returns")) {
                        fieldset {
                            legend { (text.return_which) }
                            @for (index, (own, pieces)) in lines.iter().enumerate() {
                                label for={ "return-" (index) } { (own.line.title) " (" (fill(text.return_pieces, &[("count", &words::number(*pieces, self.locale))])) ")" }
                                input type="hidden" name="line" value=(own.line.id);
                                input #{ "return-" (index) } type="number" inputmode="numeric" name="pieces" min="0" max=(pieces) value="0";
                            }
                        }
                        label for="return-why" { (text.return_why) }
                        select #return-why name="reason" {
                            @for reason in policy.choices() { option value=(reason.name()) { (self.why(reason)) } }
                        }
                        p.soft { (match policy.evidence { Evidence::Defect => text.return_defect, Evidence::ProofOfPurchase => text.return_proof }) }
                        button #return-send type="submit" { (text.return_send) }
                    }
                }
            }
        }
    }

    fn why(&self, reason: ReturnReason) -> &'static str {
        let text = self.text;
        match reason {
            ReturnReason::ChangedMind => text.why_changed_mind,
            ReturnReason::DoesNotFit => text.why_does_not_fit,
            ReturnReason::NotAsDescribed => text.why_not_as_described,
            ReturnReason::WrongItem => text.why_wrong_item,
            ReturnReason::Damaged => text.why_damaged,
            ReturnReason::Defective => text.why_defective,
        }
    }

    /// While it is possible, behind a second step.
    pub(super) fn cancel(&self) -> Markup {
        let (text, policies) = (self.text, &self.visit.brand.policies);
        html! {
            @if self.facts.hindrance(policies).is_none() {
                details.card #cancel {
                    summary { h2 { (text.cancel) } }
                    p { (text.cancel_hint) }
                    form method="post" action=(self.path("/cancel")) {
                        button.danger #cancel-send type="submit" { (text.cancel_sure) }
                    }
                }
            }
        }
    }
}
