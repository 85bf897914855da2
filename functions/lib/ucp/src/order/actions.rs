//! What a shopper does about an order that was placed: Aisle's own API below the order.

#[cfg(feature = "openapi")]
pub mod api;

use aisle_domain::contact::Channel;
use aisle_domain::returns::{Decision, ReturnDoc, ReturnLine, ReturnReason};
use serde::{Deserialize, Serialize};

use super::LineQuantity;
use crate::page::Invalid;
use crate::presence::{Consent, MAX_CONSENT_BYTES};

/// The longest name of a person, in characters.
pub const MAX_NAME_CHARS: usize = 80;
/// Most lines of a return.
pub const MAX_RETURN_LINES: usize = 100;
/// Most choices of one request about notifications.
pub const MAX_CHOICES: usize = 4;
/// The longest phone number or address of mail that is looked at, in bytes.
pub const MAX_ADDRESS_BYTES: usize = 320;

/// Answer of `POST /orders/{id}/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cancelled {
    pub order_id: String,
    /// `cancelled`.
    pub status: String,
}

/// Body of `PUT /orders/{id}/pickup-person`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PickupPerson {
    /// Who collects the order, 1 to 80 characters; null: whoever bought it.
    pub name: Option<String>,
}

/// Answer of `PUT /orders/{id}/pickup-person`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Collector {
    pub order_id: String,
    /// Null: whoever bought it.
    pub name: Option<String>,
}

impl PickupPerson {
    /// The name without the blanks around it.
    pub fn checked(self) -> Result<Self, Invalid> {
        let name = self.name.map(|name| name.trim().to_owned());
        let fits = |name: &String| {
            (1..=MAX_NAME_CHARS).contains(&name.chars().count())
                && !name.chars().any(char::is_control)
        };
        match name.as_ref().is_none_or(fits) {
            true => Ok(Self { name }),
            false => Err(Invalid::new(
                "invalid_value",
                "$.name",
                format!("a name has 1 to {MAX_NAME_CHARS} characters"),
            )),
        }
    }
}

/// Body of `POST /orders/{id}/returns`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReturnWish {
    /// Lines of the order with the pieces that are to come back: 1 to 100.
    pub line_items: Vec<LineQuantity>,
    pub reason: ReturnReason,
}

impl ReturnWish {
    pub fn lines(&self) -> Result<Vec<ReturnLine>, Invalid> {
        if !(1..=MAX_RETURN_LINES).contains(&self.line_items.len()) {
            let detail = format!("not 1 to {MAX_RETURN_LINES} lines");
            return Err(Invalid::new("invalid_value", "$.line_items", detail));
        }
        let line = |one: &LineQuantity| ReturnLine {
            line_id: one.id.clone(),
            quantity: one.quantity,
        };
        Ok(self.line_items.iter().map(line).collect())
    }
}

/// A return that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReturnRequested {
    pub id: String,
    pub order_id: String,
    /// `requested`.
    pub status: String,
    pub line_items: Vec<LineQuantity>,
    pub reason: ReturnReason,
    pub decision: Decision,
}

impl ReturnRequested {
    pub fn new(id: &str, order_id: &str, doc: &ReturnDoc) -> Self {
        let line = |one: &ReturnLine| LineQuantity {
            id: one.line_id.clone(),
            quantity: one.quantity,
        };
        Self {
            id: id.to_owned(),
            order_id: order_id.to_owned(),
            status: "requested".into(),
            line_items: doc.lines.iter().map(line).collect(),
            reason: doc.reason,
            decision: doc.decision.clone(),
        }
    }
}

/// Answer of `GET` and `PUT /orders/{id}/notifications`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notifications {
    pub order_id: String,
    pub contacts: Vec<ContactView>,
}

/// Who is told what happens to the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContactView {
    pub channel: Channel,
    /// Enough for its owner to know it again: `+49 … 43`, `a…@example.com`.
    pub address_hint: String,
    pub active: bool,
}

/// Body of `PUT /orders/{id}/notifications`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotificationChoices {
    /// At most one for each channel; a channel that is not named stays as it is.
    pub contacts: Vec<ContactChoice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContactChoice {
    pub channel: Channel,
    /// Whether there is to be news on this channel.
    pub active: bool,
    /// A new phone number or address of mail, which replaces what there was. It needs
    /// `consent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What its owner agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
}

impl NotificationChoices {
    pub fn check(&self) -> Result<(), Invalid> {
        if !(1..=MAX_CHOICES).contains(&self.contacts.len()) {
            let detail = format!("not 1 to {MAX_CHOICES} contacts");
            return Err(Invalid::new("invalid_value", "$.contacts", detail));
        }
        for (index, choice) in self.contacts.iter().enumerate() {
            let path = |member: &str| format!("$.contacts[{index}]{member}");
            let mut earlier = self.contacts.iter().take(index);
            if earlier.any(|one| one.channel == choice.channel) {
                let detail = "this channel is there twice";
                return Err(Invalid::new("duplicate_channel", path(".channel"), detail));
            }
            choice.check().map_err(|(member, code, detail)| Invalid {
                code,
                path: path(member),
                detail,
            })?;
        }
        Ok(())
    }
}

impl ContactChoice {
    fn check(&self) -> Result<(), (&'static str, &'static str, String)> {
        let Some(address) = &self.address else {
            return Ok(());
        };
        if !self.active {
            let detail = "an address is only taken to send news there";
            return Err((".address", "invalid_value", detail.into()));
        }
        if address.len() > MAX_ADDRESS_BYTES {
            let detail = format!("longer than {MAX_ADDRESS_BYTES} bytes");
            return Err((".address", "too_long", detail));
        }
        match &self.consent {
            None => {
                let detail = "a new address needs its owner's consent";
                Err((".consent", "consent_required", detail.into()))
            }
            Some(consent) if !(1..=MAX_CONSENT_BYTES).contains(&consent.version.len()) => {
                let detail = format!("the consent's version has 1 to {MAX_CONSENT_BYTES} bytes");
                Err((".consent.version", "invalid_value", detail))
            }
            Some(_) => Ok(()),
        }
    }
}

/// An address as its owner knows it again, and nobody else learns it.
pub fn hint(channel: Channel, address: &str) -> String {
    let mut chars = address.chars();
    match channel {
        Channel::Sms => {
            let digits = address.chars().count();
            let begin: String = chars.by_ref().take(3).collect();
            let end: String = address.chars().skip(digits.saturating_sub(2)).collect();
            format!("{begin} … {end}")
        }
        Channel::Email => {
            let first: String = chars.by_ref().take(1).collect();
            let host = address.rsplit_once('@').map_or("", |(_, host)| host);
            format!("{first}…@{host}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_gives_no_address_away() {
        assert_eq!(hint(Channel::Sms, "+4930123443"), "+49 … 43");
        assert_eq!(hint(Channel::Email, "ada@example.com"), "a…@example.com");
    }

    #[test]
    fn a_name_is_a_name() {
        let checked = |name: &str| {
            let person = PickupPerson {
                name: Some(name.into()),
            };
            person.checked().map(|person| person.name.unwrap())
        };
        assert_eq!(checked(" Ada "), Ok("Ada".into()));
        for bad in ["", "  ", "a\u{7}b", &"x".repeat(MAX_NAME_CHARS + 1)] {
            assert_eq!(checked(bad).unwrap_err().path, "$.name", "{bad:?}");
        }
    }

    #[test]
    fn a_new_address_needs_consent() {
        let choices = |body: serde_json::Value| {
            let choices: NotificationChoices = serde_json::from_value(body).unwrap();
            choices.check().map_err(|invalid| invalid.path)
        };
        let contact = |more: serde_json::Value| serde_json::json!({"contacts": [more]});
        let sms = serde_json::json!({"channel": "sms", "active": true, "address": "+1"});
        assert_eq!(
            choices(contact(sms)),
            Err("$.contacts[0].consent".to_owned())
        );
        let off = serde_json::json!({"channel": "sms", "active": false});
        assert_eq!(choices(contact(off.clone())), Ok(()));
        assert_eq!(
            choices(serde_json::json!({"contacts": [off, off]})),
            Err("$.contacts[1].channel".to_owned())
        );
        assert_eq!(
            choices(serde_json::json!({"contacts": []})),
            Err("$.contacts".to_owned())
        );
    }
}
