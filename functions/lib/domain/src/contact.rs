//! How a shopper is reached.

mod phone;

use email_address::EmailAddress;
use serde::{Deserialize, Serialize};

use crate::typed::plain;

pub use phone::{Phone, PhoneKind, country_of, phone};

/// Characters of an address, at most (RFC 5321, section 4.5.3.1).
const MAX_EMAIL_CHARS: usize = 254;
/// The scheme of a number in a link (RFC 3966).
const TEL: &str = "tel:";

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
pub fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

/// A number as it is dialled: in [`plain`] form, without `tel:` (RFC 3966) and what people put
/// between the digits. Whether that is a number, [`is_e164`] and [`phone`] say.
pub fn dialled(text: &str) -> String {
    let plain = plain(text);
    let number = match plain.get(..TEL.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(TEL) => &plain[TEL.len()..],
        _ => &plain,
    };
    number.replace([' ', '-', '.', '(', ')', '/'], "")
}

/// An address of mail that can be written to, in lower case: a name before the @ that every
/// provider delivers to (RFC 5321, section 4.1.2, without quotes and in ASCII), and a host with
/// a dot, as DNS knows it: `ada@müller.example` is `ada@xn--mller-kva.example` (IDNA, UTS #46).
/// The one rule for every door: what it refuses is never written to, and told at once.
pub fn email(text: &str) -> Result<String, ContactError> {
    let malformed = ContactError::new(
        "email_malformed",
        "this is no email address, such as ada@example.com",
    );
    if text.len() > 4 * MAX_EMAIL_CHARS {
        return Err(malformed);
    }
    let typed = plain(text).to_lowercase();
    let (name, host) = typed.rsplit_once('@').ok_or(malformed)?;
    let host = idna::domain_to_ascii_strict(host).map_err(|_| malformed)?;
    let address = format!("{name}@{host}");
    let is_name = name.is_ascii() && !name.contains('"') && EmailAddress::is_valid_local_part(name);
    match is_name && names_a_domain(&host) && address.len() <= MAX_EMAIL_CHARS {
        true => Ok(address),
        false => Err(malformed),
    }
}

/// Whether the host is in a domain of its own: `localhost` is none, nor is a network address.
fn names_a_domain(host: &str) -> bool {
    let top = host.rsplit_once('.').map_or("", |(_, top)| top);
    top.len() >= 2 && !top.bytes().all(|byte| byte.is_ascii_digit())
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
            "Ada<ada@example.com>",
            "ada@@example.com",
            "ada@example.com,",
            "ada@localhost",
            "\"a b\"@example.com",
            "ada@[127.0.0.1]",
            "\u{e4}da@example.com",
            &long,
        ] {
            assert_eq!(email(bad).unwrap_err().code, "email_malformed", "{bad}");
        }
    }

    #[test]
    fn a_host_may_be_written_in_any_script() {
        for (typed, sent) in [
            ("ada@müller-shop.de", "ada@xn--mller-shop-9db.de"),
            ("ada@mu\u{308}ller-shop.de", "ada@xn--mller-shop-9db.de"),
            ("\u{200e}Ada@Example。com", "ada@example.com"),
            ("ada＠example.com\u{200b}", "ada@example.com"),
            ("ada@例え.jp", "ada@xn--r8jz45g.jp"),
        ] {
            assert_eq!(email(typed), Ok(sent.into()), "{typed}");
        }
    }

    #[test]
    fn a_number_is_dialled_however_it_was_written() {
        for typed in [
            "+49 (151) 1234-5678",
            "tel:+49-151-1234-5678",
            "\u{202d}+49\u{a0}151\u{2212}12345678\u{202c}",
            "＋４９１５１１２３４５６７８",
            "+٤٩١٥١١٢٣٤٥٦٧٨",
        ] {
            assert_eq!(dialled(typed), "+4915112345678", "{typed}");
        }
    }
}
