//! Accounts: codes, devices that are signed in, what an account has. Aisle's own API.

use aisle_domain::account as domain;
use aisle_domain::contact::Channel;
use aisle_domain::instant::rfc3339;
use aisle_domain::order::Order;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cart::{text, text_opt};
use crate::page::{Invalid, Pagination};

#[cfg(feature = "openapi")]
pub mod api;

/// Why a code proves nothing, or none is sent: `code` of the refusal, which the sign-in page is
/// told as well.
pub const WRONG_CODE: &str = "wrong_code";
pub const CODE_OVER: &str = "code_over";
pub const TOO_MANY_TRIES: &str = "too_many_tries";

/// Titles of an order's lines that a list shows, at most.
const MAX_TITLES: usize = 3;

/// Body of `POST /accounts/codes`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeRequest {
    pub channel: Channel,
    /// A phone number (E.164, or as it is dialled in the brand's country), or an email address.
    #[serde(deserialize_with = "text")]
    pub address: String,
    /// BCP 47: the language of the message; the brand's when absent.
    #[serde(default, deserialize_with = "text_opt")]
    pub locale: Option<String>,
}

/// A code is on its way, whoever the address belongs to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Challenge {
    pub challenge_id: String,
    /// When the code is over: RFC 3339.
    pub expires_at: String,
}

/// Body of `POST /accounts/sessions`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInRequest {
    #[serde(deserialize_with = "text")]
    pub challenge_id: String,
    /// Six digits.
    #[serde(deserialize_with = "text")]
    pub code: String,
    /// What the shopper calls the device, such as `Ada's phone`: 1 to 100 characters.
    #[serde(deserialize_with = "text")]
    pub device_name: String,
    /// Of a person who is new: 1 to 100 characters. Who is known keeps the name that they have.
    #[serde(default, deserialize_with = "text_opt")]
    pub name: Option<String>,
    /// BCP 47, of a person who is new.
    #[serde(default, deserialize_with = "text_opt")]
    pub locale: Option<String>,
    /// An order to attach, which must belong to nobody else.
    #[serde(default, deserialize_with = "text_opt")]
    pub order_id: Option<String>,
    /// A checkout: its order is attached, at once or when it is completed.
    #[serde(default, deserialize_with = "text_opt")]
    pub checkout_session_id: Option<String>,
}

/// A code that proves an address: body of `POST /accounts/me/identities` and, where the
/// sign-in is not fresh, of `DELETE /accounts/me` and `DELETE /accounts/me/identities/{id}`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Proof {
    #[serde(deserialize_with = "text")]
    pub challenge_id: String,
    /// Six digits.
    #[serde(deserialize_with = "text")]
    pub code: String,
}

/// Body of `POST /accounts/sessions/refresh`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefreshRequest {
    #[serde(deserialize_with = "text")]
    pub refresh_token: String,
}

/// A device that is signed in, with its tokens. They are shown once: a repetition of a
/// sign-in by its `Idempotency-Key` has none, nor the account.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedIn {
    pub session_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// When the access token is over: RFC 3339.
    pub expires_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// When the device is signed out unless it refreshes: RFC 3339.
    pub refresh_expires_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
}

/// A shopper's account.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Where the person is reached, proved by a code.
    pub identities: Vec<Identity>,
    /// RFC 3339.
    pub created_at: String,
}

/// An address that was proved.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Identity {
    /// What it is called in `DELETE /accounts/me/identities/{id}`.
    pub id: String,
    pub channel: Channel,
    /// E.164, or an email address in lower case.
    pub address: String,
    /// RFC 3339.
    pub verified_at: String,
}

/// Body of `PATCH /accounts/me`: a JSON merge patch (RFC 7396). What is absent stays, null
/// takes away.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountPatch {
    #[serde(default, deserialize_with = "patched")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 100))]
    pub name: Option<Option<String>>,
    /// BCP 47.
    #[serde(default, deserialize_with = "patched")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub locale: Option<Option<String>>,
}

/// Answer of `GET /accounts/me/sessions`, the latest first.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionList {
    /// At most 50.
    pub sessions: Vec<Session>,
}

/// A device that is signed in.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    pub id: String,
    pub device_name: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// RFC 3339, as the others.
    pub created_at: String,
    /// When it signed in or refreshed last.
    pub last_used_at: String,
    pub expires_at: String,
}

/// Body of `POST /accounts/me/orders`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttachRequest {
    #[serde(deserialize_with = "text")]
    pub order_id: String,
}

/// Answer of `GET /accounts/me/orders`, the latest first.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderList {
    pub orders: Vec<OrderSummary>,
    pub pagination: Pagination,
}

/// An order in a list; `GET /orders/{id}` has all of it.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderSummary {
    pub id: String,
    pub number: String,
    /// `confirmed` or `cancelled`.
    pub status: String,
    /// How far its collection has come, where it is collected at a store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickup_status: Option<String>,
    /// RFC 3339.
    pub placed_at: String,
    /// ISO 4217.
    pub currency: String,
    pub total_minor: i64,
    /// Pieces.
    pub quantity: i64,
    /// Of the first lines, at most 3.
    pub titles: Vec<String>,
}

/// A code by which a till knows the customer.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustomerCode {
    /// What the QR code says.
    pub text: String,
    /// What to read out when no code can be scanned.
    pub code: String,
    /// RFC 3339.
    pub expires_at: String,
    /// The QR code of `text`, as an SVG image.
    pub svg: String,
}

/// Everything that is kept about a person, as it is kept.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Export {
    /// RFC 3339.
    pub exported_at: String,
    pub account: Account,
    pub sessions: Vec<Value>,
    /// When codes were sent, and where to.
    pub codes: Vec<Value>,
    /// Also those that somebody placed without the account, with one of its addresses.
    pub orders: Vec<Value>,
    /// What happened to the orders.
    pub order_events: Vec<Value>,
    pub order_contacts: Vec<Value>,
    /// Who collects an order.
    pub pickup_persons: Vec<Value>,
    /// Who is on the way to a store.
    pub presences: Vec<Value>,
    /// What the contacts are told, or were.
    pub notices: Vec<Value>,
    pub returns: Vec<Value>,
    pub checkouts: Vec<Value>,
    pub carts: Vec<Value>,
    /// What the carts were before.
    pub cart_versions: Vec<Value>,
    /// Goods kept at a store for one of the addresses.
    pub holds: Vec<Value>,
    pub consents: Vec<Value>,
    pub opt_outs: Vec<Value>,
    pub invites: Vec<Value>,
    /// What was sent, without what it said.
    pub messages: Vec<Value>,
    /// Lists that have more than the 1,000 latest entries, which are here.
    pub cut_short: Vec<String>,
}

/// What one run of the housekeeping did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetentionRun {
    /// Rows that were deleted, and documents that know nobody any more.
    pub settled: u64,
    /// Whether it stopped at its limit, so that some may be left.
    pub more: bool,
}

impl Account {
    pub fn new(
        id: &str,
        account: &domain::Account,
        identities: Vec<Identity>,
        created_at_ms: i64,
    ) -> Self {
        Self {
            id: id.into(),
            name: account.name.clone(),
            locale: account.locale.clone(),
            identities,
            created_at: rfc3339(created_at_ms),
        }
    }
}

impl OrderSummary {
    pub fn new(order: &Order, status: String, pickup_status: Option<String>) -> Self {
        let lines = || order.lines.iter().map(|ordered| &ordered.line);
        Self {
            id: order.id.clone(),
            number: order.number.clone(),
            status,
            pickup_status,
            placed_at: rfc3339(order.placed_at_ms),
            currency: order.currency.clone(),
            total_minor: order.totals.total_minor,
            quantity: lines().map(|line| line.quantity).sum(),
            titles: lines()
                .take(MAX_TITLES)
                .map(|line| line.title.clone())
                .collect(),
        }
    }
}

impl AccountPatch {
    /// What the account is afterwards.
    pub fn applied(self, before: domain::Account) -> Result<domain::Account, Invalid> {
        let after = domain::Account {
            name: self.name.unwrap_or(before.name),
            locale: self.locale.unwrap_or(before.locale),
        };
        check_name("$.name", after.name.as_deref())?;
        check_locale("$.locale", after.locale.as_deref())?;
        Ok(after)
    }
}

/// Refuses a name that is empty, too long, or has control characters.
pub fn check_name(path: &str, name: Option<&str>) -> Result<(), Invalid> {
    let Some(name) = name else { return Ok(()) };
    let fits = name.chars().count() <= domain::MAX_NAME_CHARS;
    if fits && !name.trim().is_empty() && !name.contains(char::is_control) {
        return Ok(());
    }
    let most = domain::MAX_NAME_CHARS;
    let detail = format!("not 1 to {most} characters, none of them a control character");
    Err(Invalid::new("invalid_text", path, detail))
}

/// Refuses what is no language tag.
pub fn check_locale(path: &str, locale: Option<&str>) -> Result<(), Invalid> {
    if locale.is_none_or(domain::is_locale) {
        return Ok(());
    }
    let detail = "not a language tag (BCP 47) such as de or en-US";
    Err(Invalid::new("invalid_locale", path, detail))
}

/// Tells null from absent.
fn patched<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    text_opt(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(patch: &str) -> Result<domain::Account, String> {
        let before = domain::Account {
            name: Some("Ada".into()),
            locale: Some("en".into()),
        };
        let patch: AccountPatch = serde_json::from_str(patch).unwrap();
        patch.applied(before).map_err(|invalid| invalid.path)
    }

    #[test]
    fn a_patch_changes_what_it_names() {
        let account = |name: Option<&str>, locale: Option<&str>| domain::Account {
            name: name.map(Into::into),
            locale: locale.map(Into::into),
        };
        assert_eq!(patched("{}"), Ok(account(Some("Ada"), Some("en"))));
        assert_eq!(
            patched(r#"{"name":null,"locale":"de"}"#),
            Ok(account(None, Some("de")))
        );
        assert_eq!(patched(r#"{"name":" "}"#), Err("$.name".into()));
        assert_eq!(patched(r#"{"locale":"no tag"}"#), Err("$.locale".into()));
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(101));
        assert_eq!(patched(&long), Err("$.name".into()));
    }
}
