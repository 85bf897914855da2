//! Whether a message may be sent now.

use super::loud_at_ms;
use crate::brand::Brand;
use crate::contact::{Channel, Purpose};

/// Somebody who asked for a link within so long is still holding the phone.
const JUST_ASKED_MS: i64 = 5 * 60_000;

/// What is known about a message that is to go out.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    pub channel: Channel,
    pub purpose: Purpose,
    /// Of the number (ISO 3166-1 alpha-2); `None`: of no country, or a mail.
    pub country: Option<&'a str>,
    pub opted_out: bool,
    /// The latest word on record was a consent.
    pub consented: bool,
    /// Of news of an order: whether they are still wanted there.
    pub wanted: bool,
    pub created_at_ms: i64,
    pub expires_at_ms: i64,
}

/// Whether, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Send,
    Wait {
        until_ms: i64,
    },
    /// Never, and why.
    Never(&'static str),
}

impl Brand {
    /// Judges by the clock of the database. STOP holds for everything, codes included: who
    /// needs one texts START. News of an order and links need a consent that was recorded,
    /// where they come as a text. A code that somebody waits for is sent at night as well,
    /// and so is a link that somebody asked for just now.
    pub fn may_send(&self, standing: &Standing<'_>, now_ms: i64) -> Verdict {
        let text = standing.channel == Channel::Sms;
        if standing.expires_at_ms <= now_ms {
            return Verdict::Never("expired");
        }
        if standing.opted_out {
            return Verdict::Never("opted_out");
        }
        if standing.purpose == Purpose::Update && !standing.wanted {
            return Verdict::Never("not_wanted");
        }
        if !text {
            return Verdict::Send;
        }
        if standing.purpose != Purpose::Code && !standing.consented {
            return Verdict::Never("no_consent");
        }
        let Some(country) = standing.country.filter(|country| self.may_text(country)) else {
            return Verdict::Never("country_not_served");
        };
        let waits = match standing.purpose {
            Purpose::Code => false,
            Purpose::Invite => now_ms - standing.created_at_ms > JUST_ASKED_MS,
            Purpose::Update => true,
        };
        let quiet_hours = &self.policies.notification.quiet_hours;
        match loud_at_ms(quiet_hours, country, now_ms) {
            until_ms if waits && until_ms > now_ms => Verdict::Wait { until_ms },
            _ => Verdict::Send,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2 July 2026, noon and midnight in Berlin.
    const NOON_MS: i64 = 1_782_986_400_000;
    const NIGHT_MS: i64 = NOON_MS + 12 * 3_600_000;

    fn brand() -> Brand {
        let document = include_str!("../../../../../infra/demo/brands.json");
        let mut document: serde_json::Value = serde_json::from_str(document).unwrap();
        serde_json::from_value(document["brands"][0].take()).unwrap()
    }

    fn standing(purpose: Purpose) -> Standing<'static> {
        Standing {
            channel: Channel::Sms,
            purpose,
            country: Some("DE"),
            opted_out: false,
            consented: true,
            wanted: true,
            created_at_ms: 0,
            expires_at_ms: i64::MAX,
        }
    }

    #[test]
    fn what_was_agreed_to_is_sent_by_day() {
        for purpose in [Purpose::Code, Purpose::Invite, Purpose::Update] {
            assert_eq!(brand().may_send(&standing(purpose), NOON_MS), Verdict::Send);
        }
    }

    #[test]
    fn nothing_is_sent_against_somebodys_will() {
        let never = |change: fn(&mut Standing<'_>), purpose| {
            let mut standing = standing(purpose);
            change(&mut standing);
            match brand().may_send(&standing, NOON_MS) {
                Verdict::Never(why) => why,
                other => panic!("{other:?}"),
            }
        };
        for purpose in [Purpose::Code, Purpose::Invite, Purpose::Update] {
            assert_eq!(never(|one| one.opted_out = true, purpose), "opted_out");
            assert_eq!(never(|one| one.expires_at_ms = NOON_MS, purpose), "expired");
            assert_eq!(
                never(|one| one.country = Some("KP"), purpose),
                "country_not_served"
            );
            assert_eq!(
                never(|one| one.country = None, purpose),
                "country_not_served"
            );
        }
        assert_eq!(
            never(|one| one.consented = false, Purpose::Invite),
            "no_consent"
        );
        assert_eq!(
            never(|one| one.wanted = false, Purpose::Update),
            "not_wanted"
        );
    }

    #[test]
    fn at_night_only_who_waits_is_woken() {
        let brand = brand();
        assert_eq!(
            brand.may_send(&standing(Purpose::Code), NIGHT_MS),
            Verdict::Send
        );
        let eight_ms = NIGHT_MS + 8 * 3_600_000;
        for purpose in [Purpose::Invite, Purpose::Update] {
            let waits = Verdict::Wait { until_ms: eight_ms };
            assert_eq!(brand.may_send(&standing(purpose), NIGHT_MS), waits);
        }
        let just_asked = Standing {
            created_at_ms: NIGHT_MS - 60_000,
            ..standing(Purpose::Invite)
        };
        assert_eq!(brand.may_send(&just_asked, NIGHT_MS), Verdict::Send);
        let mail = Standing {
            channel: Channel::Email,
            country: None,
            consented: false,
            ..standing(Purpose::Update)
        };
        assert_eq!(brand.may_send(&mail, NIGHT_MS), Verdict::Send);
    }
}
