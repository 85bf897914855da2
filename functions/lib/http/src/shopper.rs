//! Which shopper is calling: an account, by the access token of a device that is signed in;
//! the holder of a link, who may see what the link is for; or anybody, who may see what they
//! know the unguessable id of, until it belongs to an account.
//!
//! A program sends `Authorization: Bearer acc_…` or `Bearer lnk_…`; a browser on our own
//! pages the same as a cookie.

use std::rc::Rc;

use aisle_store::{Row, StoreError, memory, sha256_hex, values};

use crate::{Call, Error, auth};

/// What an access token begins with.
pub const ACCESS_PREFIX: &str = "acc_";
/// What a link's code begins with where it is shown as a token; in a URL it is left out.
pub const LINK_PREFIX: &str = "lnk_";
/// The cookie that carries an access token.
pub const SESSION_COOKIE: &str = "aisle_session";
/// The cookie that says that a browser is signed in, and nothing else: it lives as long as the
/// device's session.
pub const SIGNED_IN_COOKIE: &str = "aisle_signed_in";
/// The cookie that carries a link's code.
pub const LINK_COOKIE: &str = "aisle_link";

/// Characters of a cookie's value, at most.
const MAX_COOKIE_CHARS: usize = 256;

/// A device that is signed in to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shopper {
    pub brand_id: String,
    pub account_id: String,
    pub session_id: String,
    /// A link that the same browser holds, perhaps to what belongs to somebody else.
    pub link: Option<Rc<Link>>,
}

/// A link that is neither over nor revoked nor used up by an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub brand_id: String,
    pub invite_id: String,
    /// `order`, `cart` or `account`.
    pub scope: String,
    pub subject_id: String,
}

impl Link {
    fn is_for(&self, scope: &str, id: &str) -> bool {
        self.scope == scope && self.subject_id == id
    }
}

impl Shopper {
    fn holds(&self, scope: &str, id: &str) -> bool {
        self.link
            .as_ref()
            .is_some_and(|link| link.is_for(scope, id))
    }
}

/// On whose behalf a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    Anybody,
    Account(Rc<Shopper>),
    Link(Rc<Link>),
}

impl Viewer {
    /// One call when a token is shown that this instance did not see within two seconds, which
    /// is how long a revocation takes. 401 for a token that is not known or is over, 403 for
    /// one of another brand. A cookie that is over counts as none: a page asks to sign in; one
    /// that comes with a change counts only from our own pages ([`same_origin`]).
    pub async fn of(call: &Call, brand_id: &str) -> Result<Self, Error> {
        let bearer = auth::bearer(call);
        if let Some(token) = bearer.filter(|token| token.starts_with(ACCESS_PREFIX)) {
            return account(call, brand_id, token).await.map(Self::Account);
        }
        if let Some(code) = bearer.and_then(|token| token.strip_prefix(LINK_PREFIX)) {
            return link(call, brand_id, code).await.map(Self::Link);
        }
        if !is_read(call) && has_cookie(call) {
            same_origin(call)?;
        }
        if let Some(token) = cookie(call, SESSION_COOKIE)
            && let Ok(shopper) = account(call, brand_id, token).await
        {
            let shopper = match held(call, brand_id).await {
                None => shopper,
                link => Rc::new(Shopper {
                    link,
                    ..Shopper::clone(&shopper)
                }),
            };
            return Ok(Self::Account(shopper));
        }
        let link = held(call, brand_id).await;
        Ok(link.map_or(Self::Anybody, Self::Link))
    }

    pub fn account_id(&self) -> Option<&str> {
        match self {
            Self::Account(shopper) => Some(&shopper.account_id),
            _ => None,
        }
    }

    /// By what limits count whoever asks: the account, else [`network`].
    pub async fn counted_as(&self, call: &Call) -> String {
        match self {
            Self::Account(shopper) => format!("account/{}", shopper.account_id),
            Self::Anybody | Self::Link(_) => network(call).await,
        }
    }

    /// Whether this viewer may see and change an order or a cart (`scope`) with this id that
    /// belongs to `owner`: 401 where signing in may help, otherwise as `hidden` says, as if
    /// there were no such thing.
    pub fn may_touch(
        &self,
        (scope, id): (&str, &str),
        owner: Option<&str>,
        hidden: impl FnOnce() -> Error,
    ) -> Result<(), Error> {
        match (self, owner) {
            (Self::Link(link), _) if link.is_for(scope, id) => Ok(()),
            (Self::Link(_), _) => Err(hidden()),
            (Self::Account(shopper), _) if shopper.holds(scope, id) => Ok(()),
            (_, None) => Ok(()),
            (Self::Account(shopper), Some(owner)) if shopper.account_id == owner => Ok(()),
            (Self::Account(_), Some(_)) => Err(hidden()),
            (Self::Anybody, Some(_)) => Err(sign_in()),
        }
    }
}

/// By what limits count whoever asks, where no token is needed: one that is over says nothing.
pub async fn asker(call: &Call, brand_id: &str) -> String {
    let viewer = Viewer::of(call, brand_id).await;
    let viewer = viewer.unwrap_or(Viewer::Anybody);
    viewer.counted_as(call).await
}

/// By what limits count who shows nothing: a digest of the network that the call came from.
pub async fn network(call: &Call) -> String {
    format!("network/{}", sha256_hex(call.caller().await.as_bytes()))
}

/// The shopper who must be signed in: 401 otherwise.
pub async fn signed_in(call: &Call, brand_id: &str) -> Result<Rc<Shopper>, Error> {
    match Viewer::of(call, brand_id).await? {
        Viewer::Account(shopper) => Ok(shopper),
        _ => Err(sign_in()),
    }
}

/// Lets this instance forget a device's access token, by its hash, after signing it out.
pub fn forget(access_hash: &str) {
    memory::forget(&key_of(access_hash));
}

fn key_of(access_hash: &str) -> String {
    format!("shopper/{access_hash}")
}

/// 403 unless the browser says that the request comes from our own pages: a cookie goes along
/// with whatever another site makes a browser send. Believes `Sec-Fetch-Site` (W3C Fetch
/// Metadata), which no page can set, and where a browser does not send it `Origin` (RFC 6454).
pub fn same_origin(call: &Call) -> Result<(), Error> {
    if is_same_origin(
        call.header("sec-fetch-site"),
        call.header("origin"),
        call.host(),
    ) {
        return Ok(());
    }
    let detail = "this is for pages of this shop only: the browser names another origin or none";
    Err(Error::new(403, "cross_origin", detail))
}

fn is_same_origin(site: Option<&str>, origin: Option<&str>, host: &str) -> bool {
    match (site, origin) {
        (Some(site), _) => site == "same-origin",
        // Without the scheme, which a proxy in front of us may have changed.
        (None, Some(origin)) => origin
            .split_once("://")
            .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host)),
        (None, None) => false,
    }
}

/// Whether a browser is signed in whose access token is over by its age, so that it is to be
/// led to where it gets the next one, whatever link it holds.
pub fn is_to_refresh(call: &Call) -> bool {
    cookie(call, SIGNED_IN_COOKIE).is_some() && cookie(call, SESSION_COOKIE).is_none()
}

fn is_read(call: &Call) -> bool {
    matches!(call.method(), "GET" | "OPTIONS")
}

fn has_cookie(call: &Call) -> bool {
    [SESSION_COOKIE, LINK_COOKIE]
        .iter()
        .any(|name| cookie(call, name).is_some())
}

/// The value of a `Set-Cookie` header (RFC 6265, section 4.1): no script reads it, and only
/// navigation brings it along from other sites. A lifetime of 0 ends it.
pub fn set_cookie(call: &Call, name: &str, value: &str, max_age_s: i64) -> String {
    let secure = if is_over_tls(call) { "; Secure" } else { "" };
    let name = cookie_name(call, name);
    format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}")
}

/// The value of a cookie (RFC 6265, section 4.2), where a token could be.
pub fn cookie<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    value_of(call.header("cookie")?, &cookie_name(call, name))
}

/// Over TLS with the prefix that browsers take from nobody but this very host (RFC 6265bis,
/// section 4.1.3.2): no neighbour of the same domain can put a cookie of its own in its place.
fn cookie_name(call: &Call, name: &str) -> String {
    match is_over_tls(call) {
        true => format!("__Host-{name}"),
        false => name.to_owned(),
    }
}

fn is_over_tls(call: &Call) -> bool {
    call.asked_origin().starts_with("https://")
}

fn value_of<'a>(cookies: &'a str, name: &str) -> Option<&'a str> {
    let pairs = cookies.split(';').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(known, _)| known.trim() == name);
    let value = values.next()?.1.trim();
    (1..=MAX_COOKIE_CHARS)
        .contains(&value.len())
        .then_some(value)
}

fn sign_in() -> Error {
    Error::unauthorized("sign in first: Authorization: Bearer TOKEN of a signed-in device")
}

/// The link in the browser's cookie, while it leads anywhere.
async fn held(call: &Call, brand_id: &str) -> Option<Rc<Link>> {
    let code = cookie(call, LINK_COOKIE)?;
    link(call, brand_id, code).await.ok()
}

async fn account(call: &Call, brand_id: &str, token: &str) -> Result<Rc<Shopper>, Error> {
    let hash = sha256_hex(token.as_bytes());
    let shopper = known(call, &key_of(&hash), || {
        (
            "SELECT s.brand_id, s.account_id, s.id FROM account_session s \
             JOIN account a ON a.id = s.account_id \
             WHERE s.access_hash = ?1 AND s.access_expires_at_ms > {now} AND s.revoked_at_ms IS NULL \
               AND s.expires_at_ms > {now} AND a.status = 'active'",
            hash.clone(),
        )
    }, |row| {
        Ok(Shopper {
            brand_id: row.text("brand_id")?,
            account_id: row.text("account_id")?,
            session_id: row.text("id")?,
            link: None,
        })
    })
    .await?;
    match shopper {
        None => Err(Error::unauthorized("this session is not known or is over")),
        Some(shopper) if shopper.brand_id != brand_id => {
            Err(Error::forbidden("this session belongs to another brand"))
        }
        Some(shopper) => Ok(shopper),
    }
}

async fn link(call: &Call, brand_id: &str, code: &str) -> Result<Rc<Link>, Error> {
    let hash = sha256_hex(code.as_bytes());
    let link = known(
        call,
        &format!("link/{hash}"),
        || {
            (
                "SELECT brand_id, id, scope, subject_id FROM invite WHERE code_hash = ?1 \
             AND expires_at_ms > {now} AND revoked_at_ms IS NULL AND claimed_at_ms IS NULL",
                hash.clone(),
            )
        },
        |row| {
            Ok(Link {
                brand_id: row.text("brand_id")?,
                invite_id: row.text("id")?,
                scope: row.text("scope")?,
                subject_id: row.text("subject_id")?,
            })
        },
    )
    .await?;
    match link {
        None => Err(Error::unauthorized("this link is not known or is over")),
        Some(link) if link.brand_id != brand_id => {
            Err(Error::forbidden("this link belongs to another brand"))
        }
        Some(link) => Ok(link),
    }
}

/// From this instance's memory, else from the database.
async fn known<T: 'static>(
    call: &Call,
    key: &str,
    question: impl FnOnce() -> (&'static str, String),
    read: impl FnOnce(&Row) -> Result<T, StoreError>,
) -> Result<Option<Rc<T>>, Error> {
    if let Some(known) = memory::get::<T>(key) {
        return Ok(Some(known));
    }
    let (sql, hash) = question();
    let row = call.db().query_one_opt(sql, values![hash]).await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let found = Rc::new(read(&row)?);
    memory::keep(key, found.clone());
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden() -> Error {
        Error::not_found("order_not_found", "no such order")
    }

    fn account(id: &str) -> Viewer {
        Viewer::Account(Rc::new(Shopper {
            brand_id: "b".into(),
            account_id: id.into(),
            session_id: "s".into(),
            link: None,
        }))
    }

    fn link(scope: &str, id: &str) -> Viewer {
        Viewer::Link(Rc::new(Link {
            brand_id: "b".into(),
            invite_id: "i".into(),
            scope: scope.into(),
            subject_id: id.into(),
        }))
    }

    #[test]
    fn an_order_is_its_accounts_or_its_links_or_whoevers_knows_it() {
        let touch = |viewer: &Viewer, owner| {
            let outcome = viewer.may_touch(("order", "o"), owner, hidden);
            outcome.map_err(|error| error.status())
        };
        assert_eq!(touch(&Viewer::Anybody, None), Ok(()));
        assert_eq!(touch(&Viewer::Anybody, Some("a")), Err(401));
        assert_eq!(touch(&account("a"), Some("a")), Ok(()));
        assert_eq!(touch(&account("a"), Some("other")), Err(404));
        assert_eq!(touch(&account("a"), None), Ok(()));
        assert_eq!(touch(&link("order", "o"), Some("a")), Ok(()));
        let Viewer::Link(held) = link("order", "o") else {
            panic!("no link")
        };
        let Viewer::Account(stranger) = account("other") else {
            panic!("no account")
        };
        let holder = Viewer::Account(Rc::new(Shopper {
            link: Some(held),
            ..Shopper::clone(&stranger)
        }));
        assert_eq!(touch(&holder, Some("a")), Ok(()));
        assert_eq!(touch(&link("order", "another"), None), Err(404));
        assert_eq!(touch(&link("cart", "o"), None), Err(404));
    }

    #[test]
    fn only_our_own_pages_are_of_the_same_origin() {
        let host = "shop.example:8443";
        for (site, origin) in [
            (Some("same-origin"), None),
            (Some("same-origin"), Some("null")),
            (None, Some("https://shop.example:8443")),
            (None, Some("http://SHOP.example:8443")),
        ] {
            assert!(is_same_origin(site, origin, host), "{site:?} {origin:?}");
        }
        for (site, origin) in [
            (None, None),
            (None, Some("null")),
            (None, Some("https://shop.example")),
            (None, Some("https://shop.example:8443.evil.example")),
            (Some("none"), None),
            (Some("same-site"), Some("https://shop.example:8443")),
            (Some("cross-site"), Some("https://shop.example:8443")),
        ] {
            assert!(!is_same_origin(site, origin, host), "{site:?} {origin:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let cookies = "a=1; aisle_session=acc_1; xaisle_session=2";
        assert_eq!(value_of(cookies, SESSION_COOKIE), Some("acc_1"));
        assert_eq!(value_of("aisle_session=", SESSION_COOKIE), None);
        assert_eq!(value_of("aisle_session", SESSION_COOKIE), None);
        let long = format!("aisle_session={}", "x".repeat(257));
        assert_eq!(value_of(&long, SESSION_COOKIE), None);
    }
}
