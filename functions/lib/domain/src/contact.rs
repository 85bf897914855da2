//! How a shopper is reached.

mod phone;

use serde::{Deserialize, Serialize};

pub use phone::{Phone, PhoneKind, country_of, phone};

/// Characters of an address and of the part before its @, at most (RFC 5321, section 4.5.3.1).
const MAX_EMAIL_CHARS: usize = 254;
const MAX_LOCAL_CHARS: usize = 64;

/// Why nobody is reached there: `code` for programs, `detail` for people. Never holds the
/// number or the address itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactError {
    pub code: &'static str,
    pub detail: &'static str,
}

impl ContactError {
    fn new(code: &'static str, detail: &'static str) -> Self {
        Self { code, detail }
    }
}

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

/// Whether the text has the form of E.164: `+` and 7 to 15 digits.
pub(crate) fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

/// An address of mail in lower case: a dot-atom, an @, and a host name with a dot, as every
/// provider delivers to (RFC 5321 allows more, which nobody uses).
pub fn email(text: &str) -> Result<String, ContactError> {
    let address = text.trim().to_ascii_lowercase();
    match address.rsplit_once('@') {
        Some((local, host))
            if address.len() <= MAX_EMAIL_CHARS && is_dot_atom(local) && is_host(host) =>
        {
            Ok(address)
        }
        _ => Err(ContactError::new(
            "email_malformed",
            "this is no email address, such as ada@example.com",
        )),
    }
}

/// RFC 5322, section 3.2.3.
fn is_dot_atom(text: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    text.len() <= MAX_LOCAL_CHARS && text.split('.').all(is_atom)
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let names_a_domain = |last: &str| last.len() >= 2 && !last.bytes().all(|b| b.is_ascii_digit());
    text.rsplit_once('.')
        .is_some_and(|(_, last)| names_a_domain(last))
        && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_mail_has_one_form() {
        assert_eq!(
            email(" Ada.L+shop@Example.COM "),
            Ok("ada.l+shop@example.com".into())
        );
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "a b@example.com",
            "ada@exa mple.com",
            ".ada@example.com",
            "a..b@example.com",
            "ada@-x.example",
            "ada@example..com",
            "ada@1.2.3.4",
            "ada@example.com\nbcc:eve@example.com",
            "<ada@example.com>",
            "\u{e4}da@example.com",
            &long,
        ] {
            assert_eq!(email(bad).unwrap_err().code, "email_malformed", "{bad}");
        }
    }
}
