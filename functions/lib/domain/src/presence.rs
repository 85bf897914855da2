//! Who is on the way to a store, or there: what a shopper's device reports, with consent,
//! about an order that waits for them. A place is a store; coordinates have no room here.

use serde::{Deserialize, Serialize};

use crate::policy::PresencePolicy;

const MINUTE_MS: i64 = 60_000;

/// How far somebody has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum State {
    OnMyWay,
    Arrived,
}

/// How it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Signal {
    /// The device came near the store, by its own judgement.
    Geofence,
    /// A code on the store's wall was scanned.
    StoreQr,
    /// The device is in the store's network.
    Wifi,
    /// A till scanned what the shopper showed: only staff can say so.
    TillScan,
    /// The shopper said so.
    Declared,
}

impl State {
    /// As it is written in the database and to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnMyWay => "on_my_way",
            Self::Arrived => "arrived",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::OnMyWay, Self::Arrived]
            .into_iter()
            .find(|state| state.name() == name)
    }

    /// How long a report counts.
    pub fn lasts_ms(self, policy: &PresencePolicy) -> i64 {
        let minutes = match self {
            Self::OnMyWay => policy.on_my_way_minutes,
            Self::Arrived => policy.arrived_minutes,
        };
        minutes * MINUTE_MS
    }
}

impl Signal {
    /// As it is written in the database and to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::Geofence => "geofence",
            Self::StoreQr => "store_qr",
            Self::Wifi => "wifi",
            Self::TillScan => "till_scan",
            Self::Declared => "declared",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Geofence,
            Self::StoreQr,
            Self::Wifi,
            Self::TillScan,
            Self::Declared,
        ]
        .into_iter()
        .find(|signal| signal.name() == name)
    }
}

/// What is known of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    pub state: State,
    pub signal: Signal,
    /// Since when the state holds.
    pub since_ms: i64,
    /// From when on nothing is known any more.
    pub expires_at_ms: i64,
}

impl Presence {
    /// What is known after a report, `before` being what was known and has not expired. Who
    /// has arrived is not on the way again because a late report says so, and who repeats
    /// a report has been there since the first.
    pub fn after(
        before: Option<Self>,
        (state, signal): (State, Signal),
        policy: &PresencePolicy,
        now_ms: i64,
    ) -> Self {
        let before = before.filter(|before| before.expires_at_ms > now_ms);
        match before {
            Some(before) if before.state == State::Arrived && state == State::OnMyWay => before,
            _ => Self {
                state,
                signal,
                since_ms: before
                    .filter(|before| before.state == state)
                    .map_or(now_ms, |before| before.since_ms),
                expires_at_ms: now_ms + state.lasts_ms(policy),
            },
        }
    }

    /// Whether a store that sees it would see something else than before.
    pub fn differs_from(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| {
            (before.state, before.signal, before.since_ms)
                != (self.state, self.signal, self.since_ms)
        })
    }
}

/// What staff may call somebody: the first name, and of the last one its initial.
pub fn short_name(first_name: Option<&str>, last_name: Option<&str>) -> Option<String> {
    let first = first_name.map(str::trim).filter(|name| !name.is_empty());
    let initial = last_name.and_then(|name| name.trim().chars().next());
    match (first, initial) {
        (Some(first), Some(initial)) => Some(format!("{first} {initial}.")),
        (Some(first), None) => Some(first.to_owned()),
        (None, Some(initial)) => Some(format!("{initial}.")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_000_000_000;

    fn after(before: Option<Presence>, state: State, now_ms: i64) -> Presence {
        let policy = PresencePolicy::default();
        Presence::after(before, (state, Signal::Geofence), &policy, now_ms)
    }

    #[test]
    fn a_report_lasts_as_long_as_the_policy_says() {
        let way = after(None, State::OnMyWay, NOW_MS);
        assert_eq!(
            (way.since_ms, way.expires_at_ms),
            (NOW_MS, NOW_MS + 120 * MINUTE_MS)
        );
        let there = after(Some(way), State::Arrived, NOW_MS + 5);
        assert_eq!(
            (there.since_ms, there.expires_at_ms),
            (NOW_MS + 5, NOW_MS + 5 + 45 * MINUTE_MS)
        );
        assert!(there.differs_from(Some(&way)) && way.differs_from(None));
    }

    #[test]
    fn a_repetition_prolongs_and_changes_nothing_else() {
        let first = after(None, State::Arrived, NOW_MS);
        let again = after(Some(first), State::Arrived, NOW_MS + 7);
        assert_eq!(again.since_ms, NOW_MS);
        assert_eq!(again.expires_at_ms, first.expires_at_ms + 7);
        assert!(!again.differs_from(Some(&first)));
    }

    #[test]
    fn who_has_arrived_stays_until_that_expires() {
        let there = after(None, State::Arrived, NOW_MS);
        assert_eq!(after(Some(there), State::OnMyWay, NOW_MS + 1), there);
        let later = after(Some(there), State::OnMyWay, there.expires_at_ms);
        assert_eq!(
            (later.state, later.since_ms),
            (State::OnMyWay, there.expires_at_ms)
        );
    }

    #[test]
    fn names_are_read_back() {
        for state in [State::OnMyWay, State::Arrived] {
            assert_eq!(State::parse(state.name()), Some(state));
        }
        assert_eq!(Signal::parse("till_scan"), Some(Signal::TillScan));
        assert_eq!(Signal::parse("latitude"), None);
    }

    #[test]
    fn a_name_is_as_short_as_it_can_be() {
        let name = |first, last| short_name(first, last).unwrap_or_default();
        assert_eq!(name(Some("Ada"), Some("Byron")), "Ada B.");
        assert_eq!(name(Some(" Ada "), Some(" ")), "Ada");
        assert_eq!(name(None, Some("Özil")), "Ö.");
        assert_eq!(short_name(Some(""), None), None);
    }
}
