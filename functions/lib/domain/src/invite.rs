//! Links that are texted to shoppers: what they open, for how long, and who may make one
//! theirs.

mod visitor;

use serde::{Deserialize, Serialize};

pub use self::visitor::Visitor;
use crate::contact::{Channel, Purpose};
use crate::policy::InvitePolicy;

const HOUR_MS: i64 = 3_600_000;

/// Characters of a link's code: 70 random bits.
pub const CODE_CHARS: usize = 14;

/// Crockford's base 32: no letter that looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What a link is for; it opens nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Scope {
    Order,
    Cart,
    Account,
}

impl Scope {
    const ALL: [Self; 3] = [Self::Order, Self::Cart, Self::Account];

    /// As it is written in the database and to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Cart => "cart",
            Self::Account => "account",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// The words of the text that carries the link.
    pub fn template(self) -> &'static str {
        match self {
            Self::Order => "invite_order",
            Self::Cart => "invite_cart",
            Self::Account => "invite_account",
        }
    }

    /// The page behind the link.
    pub fn page(self, subject_id: &str) -> String {
        match self {
            Self::Order => format!("/my/orders/{subject_id}"),
            Self::Cart => "/my/cart".into(),
            Self::Account => "/my/orders".into(),
        }
    }

    /// How long a link leads there.
    pub fn lasts_ms(self, policy: &InvitePolicy) -> i64 {
        let hours = match self {
            Self::Order => policy.order_hours,
            Self::Cart => policy.cart_hours,
            Self::Account => policy.account_hours,
        };
        hours * HOUR_MS
    }

    /// What somebody agrees to who asks for a link and says no more: to the text itself and,
    /// for an order, to news of it.
    pub fn usual_consent(self) -> Purpose {
        match self {
            Self::Order => Purpose::Update,
            Self::Cart | Self::Account => Purpose::Invite,
        }
    }
}

/// A new code of 70 of the 80 random bits, short enough for a text.
pub fn code(random: [u8; 10]) -> String {
    let bits = random
        .iter()
        .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let digit = |place: usize| char::from(ALPHABET[(bits >> (5 * place) & 31) as usize]);
    (0..CODE_CHARS).map(digit).collect()
}

/// The code that somebody typed off a screen, as it was made. `None` when it cannot be one.
pub fn normalise_code(text: &str) -> Option<String> {
    let code: String = text
        .chars()
        .map(|typed| match typed.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .collect();
    let known = |digit: u8| ALPHABET.contains(&digit);
    (code.len() == CODE_CHARS && code.bytes().all(known)).then_some(code)
}

/// An address as those may see it who did not give it: enough to know one's own by. Empty
/// stays empty.
pub fn masked(channel: Channel, address: &str) -> String {
    if address.is_empty() {
        return String::new();
    }
    match channel {
        Channel::Sms => {
            let skipped = address.chars().count().saturating_sub(2);
            let tail: String = address.chars().skip(skipped).collect();
            format!("•••{tail}")
        }
        Channel::Email => {
            let (name, domain) = address.split_once('@').unwrap_or((address, ""));
            let first: String = name.chars().take(1).collect();
            format!("{first}•••@{domain}")
        }
    }
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum State {
    /// It leads to what it is for.
    Open,
    /// An account has made it its own: it leads there for that one alone.
    Claimed,
    Revoked,
    Expired,
}

/// What decides how a link stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The database's clock.
    pub now_ms: i64,
    pub expires_at_ms: i64,
    pub claimed_by: Option<String>,
    pub revoked: bool,
}

/// What a link is for, and whose that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    pub scope: Scope,
    pub id: &'a str,
    /// The account that it belongs to.
    pub owner: Option<&'a str>,
}

/// Why an account cannot make a link its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It does not stand open, but like this.
    Over(State),
    /// What it is for belongs to another account.
    NotYours,
}

impl Standing {
    pub fn state(&self) -> State {
        if self.revoked {
            State::Revoked
        } else if self.claimed_by.is_some() {
            State::Claimed
        } else if self.expires_at_ms <= self.now_ms {
            State::Expired
        } else {
            State::Open
        }
    }

    /// Whether it leads anywhere for somebody who is signed in to `account_id` or to none.
    pub fn opens_for(&self, account_id: Option<&str>) -> Result<(), State> {
        match self.state() {
            State::Open => Ok(()),
            State::Claimed if account_id.is_some() && self.claimed_by.as_deref() == account_id => {
                Ok(())
            }
            state => Err(state),
        }
    }

    /// Whether `account_id` may make the link its own: `false` when it did so before and
    /// nothing is left to do.
    pub fn claim(&self, account_id: &str, subject: Subject<'_>) -> Result<bool, Refused> {
        self.opens_for(Some(account_id)).map_err(Refused::Over)?;
        if self.claimed_by.is_some() {
            return Ok(false);
        }
        if subject.owner.is_some_and(|owner| owner != account_id) {
            return Err(Refused::NotYours);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing {
        Standing {
            now_ms: 10,
            expires_at_ms: 11,
            claimed_by: None,
            revoked: false,
        }
    }

    fn order(owner: Option<&str>) -> Subject<'_> {
        Subject {
            scope: Scope::Order,
            id: "o",
            owner,
        }
    }

    #[test]
    fn a_code_can_be_typed_off_a_screen() {
        let made = code([7, 255, 0, 1, 2, 3, 250, 128, 64, 9]);
        assert_eq!(made.len(), CODE_CHARS);
        assert_eq!(normalise_code(&made), Some(made.clone()));
        assert_eq!(normalise_code(&made.to_uppercase()), Some(made));
        assert_eq!(
            normalise_code("oOiIlL00000000").as_deref(),
            Some("00111100000000")
        );
        for bad in [
            "",
            "0000000000000",
            "000000000000000",
            "0000000000000u",
            "000000000000é",
        ] {
            assert_eq!(normalise_code(bad), None, "{bad}");
        }
        assert_ne!(code([0; 10]), code([1; 10]));
    }

    #[test]
    fn an_address_is_known_by_those_who_know_it() {
        assert_eq!(masked(Channel::Sms, "+4915112345678"), "•••78");
        assert_eq!(
            masked(Channel::Email, "ada@example.com"),
            "a•••@example.com"
        );
        assert_eq!(masked(Channel::Sms, ""), "");
    }

    #[test]
    fn a_link_opens_until_it_is_over_and_then_for_its_owner() {
        assert_eq!(standing().opens_for(None), Ok(()));
        let over = |change: fn(&mut Standing)| {
            let mut standing = standing();
            change(&mut standing);
            standing.opens_for(Some("a"))
        };
        assert_eq!(over(|link| link.expires_at_ms = 10), Err(State::Expired));
        assert_eq!(over(|link| link.revoked = true), Err(State::Revoked));
        assert_eq!(
            over(|link| link.claimed_by = Some("b".into())),
            Err(State::Claimed)
        );
        assert_eq!(over(|link| link.claimed_by = Some("a".into())), Ok(()));
        let mut claimed = standing();
        claimed.claimed_by = Some("a".into());
        assert_eq!(claimed.opens_for(None), Err(State::Claimed));
        claimed.expires_at_ms = 0;
        assert_eq!(claimed.opens_for(Some("a")), Ok(()));
    }

    #[test]
    fn a_link_becomes_an_accounts_own_once_and_takes_nothing_from_others() {
        assert_eq!(standing().claim("a", order(None)), Ok(true));
        assert_eq!(standing().claim("a", order(Some("a"))), Ok(true));
        assert_eq!(
            standing().claim("a", order(Some("b"))),
            Err(Refused::NotYours)
        );
        let mut claimed = standing();
        claimed.claimed_by = Some("a".into());
        assert_eq!(claimed.claim("a", order(Some("a"))), Ok(false));
        assert_eq!(
            claimed.claim("b", order(None)),
            Err(Refused::Over(State::Claimed))
        );
    }
}
