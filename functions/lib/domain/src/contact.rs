//! How a shopper is reached.

use serde::{Deserialize, Serialize};

/// By what means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Channel {
    Sms,
    Email,
}

impl Channel {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Sms, Self::Email]
            .into_iter()
            .find(|channel| channel.name() == name)
    }

    /// What an address of this channel is called where it identifies an account.
    pub fn identity(self) -> &'static str {
        match self {
            Self::Sms => "phone",
            Self::Email => "email",
        }
    }
}

/// What a message is for: it decides who may be sent it, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// A code that somebody waits for at this moment.
    Code,
    /// A link that somebody asked for, with their consent.
    Invite,
    /// News of an order, for those who want them.
    Update,
}

impl Purpose {
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Invite => "invite",
            Self::Update => "update",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Code, Self::Invite, Self::Update]
            .into_iter()
            .find(|purpose| purpose.name() == name)
    }
}

/// Takes away what people put into a phone number when they write it.
pub fn phone_number(text: &str) -> String {
    let spoken = |c: char| c.is_whitespace() || "-.()/".contains(c);
    text.replace(spoken, "")
}

pub fn email(text: &str) -> String {
    text.trim().to_lowercase()
}

/// One key for the number and one for the address, in order, each from `digest` of a text
/// that is the same however it was typed.
pub fn keys(
    number: Option<&str>,
    address: Option<&str>,
    digest: impl Fn(&str) -> String,
) -> Vec<String> {
    let number = number.map(|text| format!("tel:{}", phone_number(text)));
    let address = address.map(|text| format!("mailto:{}", email(text)));
    let mut keys: Vec<String> = number
        .iter()
        .chain(&address)
        .map(|text| digest(text))
        .collect();
    keys.sort_unstable();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_the_same_keys_however_they_are_typed() {
        let keys = |number, address| keys(number, address, str::to_owned);
        assert_eq!(
            keys(Some("+49 (30) 555-0143"), Some(" Ada@Example.com ")),
            keys(Some("+49305550143"), Some("ada@example.com"))
        );
        assert_eq!(keys(None, Some("a@b.example")), ["mailto:a@b.example"]);
        assert!(keys(None, None).is_empty());
    }
}
