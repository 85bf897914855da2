//! Links that are texted to shoppers: Aisle's own API.

#[cfg(feature = "openapi")]
pub mod api;

use aisle_domain::app::App;
use aisle_domain::contact::Channel;
use aisle_domain::instant::rfc3339;
use aisle_domain::invite::{Scope, State, masked};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cart::{text, text_opt};
use crate::page::Pagination;

/// Bytes of the version of a wording, at most.
pub const MAX_WORDING_BYTES: usize = 64;
/// Bytes of an address as it is typed, at most.
pub const MAX_ADDRESS_BYTES: usize = 320;

/// Body of `POST /invites`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteRequest {
    pub scope: Scope,
    /// Of the order, cart or account.
    #[serde(deserialize_with = "text")]
    pub id: String,
    #[serde(default = "sms")]
    pub channel: Channel,
    /// A phone number, as E.164 or as it is written in `country`; or a mail address.
    #[serde(deserialize_with = "text")]
    pub address: String,
    /// ISO 3166-1 alpha-2: where a number without a country's code is from. The brand's own
    /// when absent.
    #[serde(default, deserialize_with = "text_opt")]
    pub country: Option<String>,
    /// BCP 47 language of the text; when absent by `Accept-Language`.
    #[serde(default, deserialize_with = "text_opt")]
    pub locale: Option<String>,
    /// Needed: nothing is sent without it.
    #[serde(default)]
    pub consent: Option<InviteConsent>,
}

/// A person's number belongs in no log.
impl std::fmt::Debug for InviteRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("InviteRequest")
            .field("scope", &self.scope)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What the shopper agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteConsent {
    /// The version of the words that were shown: 1 to 64 bytes.
    #[serde(deserialize_with = "text")]
    pub wording_version: String,
    /// When absent `update` for an order, `invite` for anything else.
    #[serde(default)]
    pub purpose: Option<ConsentPurpose>,
}

/// What for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ConsentPurpose {
    /// This one text.
    Invite,
    /// This text, and news of the order.
    Update,
}

/// A link that was sent to somebody. Its code is in the text and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invite {
    pub id: String,
    pub scope: Scope,
    /// Of the order, cart or account.
    pub subject_id: String,
    pub channel: Channel,
    /// Its last two digits, or the first letter and the domain; empty once it is forgotten.
    pub address: String,
    /// BCP 47 language of the text.
    pub locale: String,
    pub status: State,
    pub delivery: Delivery,
    /// RFC 3339 in UTC, as all instants here.
    pub created_at: String,
    pub expires_at: String,
    /// When a person, as far as can be told, first followed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<String>,
}

/// How far the text has come. Why it did not arrive is not said: who knows an order need not
/// learn what somebody has told the brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Delivery {
    Pending,
    Sent,
    Delivered,
    Failed,
}

impl Delivery {
    /// Of a message's status.
    pub fn of(status: Option<&str>) -> Self {
        match status {
            Some("sent") => Self::Sent,
            Some("delivered") => Self::Delivered,
            Some("failed" | "suppressed") => Self::Failed,
            _ => Self::Pending,
        }
    }
}

/// What an invite's answer is made of.
#[derive(Debug, Clone)]
pub struct View<'a> {
    pub id: &'a str,
    pub scope: Scope,
    pub subject_id: &'a str,
    pub channel: Channel,
    pub address: &'a str,
    pub locale: &'a str,
    pub state: State,
    pub delivery: Delivery,
    pub created_at_ms: i64,
    pub expires_at_ms: i64,
    pub opened_at_ms: Option<i64>,
    pub claimed_at_ms: Option<i64>,
}

impl Invite {
    pub fn new(view: &View<'_>) -> Self {
        Self {
            id: view.id.into(),
            scope: view.scope,
            subject_id: view.subject_id.into(),
            channel: view.channel,
            address: masked(view.channel, view.address),
            locale: view.locale.into(),
            status: view.state,
            delivery: view.delivery,
            created_at: rfc3339(view.created_at_ms),
            expires_at: rfc3339(view.expires_at_ms),
            opened_at: view.opened_at_ms.map(rfc3339),
            claimed_at: view.claimed_at_ms.map(rfc3339),
        }
    }
}

/// Answer of `GET /invites`, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteList {
    pub invites: Vec<Invite>,
    pub pagination: Pagination,
}

/// What a link leads to: for an app that opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkTarget {
    pub scope: Scope,
    pub subject_id: String,
    /// The page for a browser.
    pub page: String,
    pub status: State,
    pub expires_at: String,
}

/// Answer of `POST /invites/{code}/claim`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Claimed {
    pub scope: Scope,
    pub subject_id: String,
    /// The page for a browser.
    pub page: String,
}

/// `/.well-known/apple-app-site-association`: which links an app opens, and whose passwords
/// and codes it may fill in. `None` without an app for iPhones.
pub fn apple_association(app: &App) -> Option<Value> {
    let ids = &app.apple.as_ref()?.app_ids;
    let opened = ["/i/*", "/my/orders/*", "/my/cart"];
    let components: Vec<Value> = opened.iter().map(|path| json!({"/": path})).collect();
    Some(json!({
        "applinks": {"details": [{"appIDs": ids, "components": components}]},
        "webcredentials": {"apps": ids},
    }))
}

/// `/.well-known/assetlinks.json` (Digital Asset Links). `None` without an app for Android.
pub fn android_association(app: &App) -> Option<Value> {
    let app = app.android.as_ref()?;
    Some(json!([{
        "relation": ["delegate_permission/common.handle_all_urls"],
        "target": {
            "namespace": "android_app",
            "package_name": app.package,
            "sha256_cert_fingerprints": app.cert_fingerprints,
        },
    }]))
}

fn sms() -> Channel {
    Channel::Sms
}
