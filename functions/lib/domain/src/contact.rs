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
