//! Who may do what: admin and integration keys, bound to a brand or the organisation, and
//! staff sessions, bound to a device of a location.

use std::rc::Rc;

use aisle_store::{audit::Actor, memory, sha256_hex, values};
use spin_sdk::variables;

use crate::{Call, Error};

/// Characters of a key, at most.
const MAX_CHARS: usize = 256;

/// The scope that includes all others.
const ALL: &str = "admin";

/// The session with the hash `?1`, its device and its person, while it lives.
pub const LIVE_SESSION: &str = "staff_session s JOIN device d ON d.id = s.device_id JOIN staff p ON p.id = s.staff_id \
     WHERE s.token_hash = ?1 AND s.ended_at_ms IS NULL AND s.expires_at_ms > {now} \
       AND d.revoked_at_ms IS NULL AND p.revoked_at_ms IS NULL";

/// A key that was shown and is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminKey {
    /// For the audit trail; not secret.
    pub name: String,
    /// `None`: the organisation, so every brand.
    pub brand_id: Option<String>,
    /// Separated by spaces in column `admin_key.scopes`.
    pub scopes: Vec<String>,
}

impl AdminKey {
    /// 403 unless the key may act for this brand.
    pub fn for_brand(&self, brand_id: &str) -> Result<(), Error> {
        match &self.brand_id {
            Some(own) if own != brand_id => {
                Err(Error::forbidden("this key belongs to another brand"))
            }
            _ => Ok(()),
        }
    }

    /// 403 unless the key is the organisation's.
    pub fn for_organisation(&self) -> Result<(), Error> {
        match &self.brand_id {
            Some(_) => Err(Error::forbidden("this needs a key of the organisation")),
            None => Ok(()),
        }
    }

    fn with_scope(self, scope: &str) -> Result<Self, Error> {
        if self.scopes.iter().any(|own| own == scope || own == ALL) {
            return Ok(self);
        }
        Err(Error::forbidden("this key lacks a scope").with("scope", scope))
    }
}

/// The key in `Authorization: Bearer …`, which must be known and have the scope: 401
/// without one, 403 without the scope. One call. The key itself is not in the database,
/// only its SHA-256, so that looking it up tells nothing about how much of it was right.
pub async fn admin(call: &Call, scope: &str) -> Result<AdminKey, Error> {
    let key = bearer(call)
        .ok_or_else(|| Error::unauthorized("an admin key is needed: Authorization: Bearer KEY"))?;
    let row = call
        .db()
        .query_one_opt(
            "SELECT name, brand_id, scopes FROM admin_key \
             WHERE key_hash = ?1 AND (revoked_at_ms IS NULL OR revoked_at_ms > {now})",
            values![sha256_hex(key.as_bytes())],
        )
        .await?;
    let row = row.ok_or_else(|| Error::unauthorized("this admin key is not known"))?;
    let scopes = row
        .text("scopes")?
        .split_whitespace()
        .map(Into::into)
        .collect();
    AdminKey {
        name: row.text("name")?,
        brand_id: row.text_opt("brand_id")?,
        scopes,
    }
    .with_scope(scope)
}

/// A person who signed on at a device: bound to the device's location and brand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    pub brand_id: String,
    pub location_id: String,
    pub device_id: String,
    /// What people call the till or scanner.
    pub device_name: String,
    pub staff_id: String,
    pub staff_name: String,
    /// What both the person and the device may do.
    pub scopes: Vec<String>,
}

impl Staff {
    /// For the audit trail.
    pub fn actor(&self) -> Actor<'_> {
        Actor {
            brand_id: &self.brand_id,
            location_id: &self.location_id,
            device_id: &self.device_id,
            staff_id: &self.staff_id,
        }
    }

    pub fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    /// 403 unless person and device have the scope.
    pub fn with_scope(&self, scope: &str) -> Result<(), Error> {
        if self.may(scope) {
            return Ok(());
        }
        Err(
            Error::forbidden("this needs a scope that you or this device lacks")
                .with("scope", scope),
        )
    }

    /// 403 unless it is the device's own location.
    pub fn at(&self, location_id: &str) -> Result<(), Error> {
        if self.location_id == location_id {
            return Ok(());
        }
        Err(Error::forbidden("this belongs to another location"))
    }
}

/// Who signed on: the session's token in `Authorization: Bearer …`, of a person and a device
/// that both have the scope (`pos`, `cash`, `stock`, `transfer`, `approve`). 401 without a
/// live session, 403 under another brand's host or without the scope. One call; an instance
/// remembers the answer for two seconds, so that is how long a revocation takes.
pub async fn staff(call: &Call, brand_id: &str, scope: &str) -> Result<Rc<Staff>, Error> {
    let staff = signed_on(call, brand_id).await?;
    staff.with_scope(scope)?;
    Ok(staff)
}

/// The same for what needs no scope.
pub async fn signed_on(call: &Call, brand_id: &str) -> Result<Rc<Staff>, Error> {
    let token = bearer(call).ok_or_else(|| {
        Error::unauthorized("sign on first: Authorization: Bearer TOKEN of a staff session")
    })?;
    let key = format!("staff/{}", sha256_hex(token.as_bytes()));
    let staff = match memory::get::<Staff>(&key) {
        Some(staff) => staff,
        None => {
            let staff = Rc::new(session(call, token).await?);
            memory::keep(&key, staff.clone());
            staff
        }
    };
    if staff.brand_id != brand_id {
        return Err(Error::forbidden("this session belongs to another brand"));
    }
    Ok(staff)
}

async fn session(call: &Call, token: &str) -> Result<Staff, Error> {
    let sql = format!(
        "SELECT d.brand_id, d.location_id, d.id AS device_id, d.name AS device_name, d.scopes AS device_scopes, \
         p.id AS staff_id, p.name AS staff_name, p.scopes AS staff_scopes FROM {LIVE_SESSION}"
    );
    let row = call
        .db()
        .query_one_opt(sql, values![sha256_hex(token.as_bytes())])
        .await?;
    let row = row.ok_or_else(|| Error::unauthorized("this session is not known or is over"))?;
    let device = row.text("device_scopes")?;
    let device: Vec<&str> = device.split_whitespace().collect();
    let scopes = row.text("staff_scopes")?;
    Ok(Staff {
        brand_id: row.text("brand_id")?,
        location_id: row.text("location_id")?,
        device_id: row.text("device_id")?,
        device_name: row.text("device_name")?,
        staff_id: row.text("staff_id")?,
        staff_name: row.text("staff_name")?,
        scopes: scopes
            .split_whitespace()
            .filter(|scope| device.contains(scope))
            .map(Into::into)
            .collect(),
    })
}

/// Lets in who runs the housekeeping: the key in variable `relay_key`, as a Bearer token.
/// Without a configured key nobody is let in.
pub async fn housekeeper(call: &Call) -> Result<(), Error> {
    let key = variables::get("relay_key").await.unwrap_or_default();
    if key.is_empty() {
        return Err(Error::forbidden("no relay key is configured"));
    }
    match bearer(call) {
        Some(shown) if same_secret(shown, &key) => Ok(()),
        _ => Err(Error::unauthorized(
            "the relay's key is needed: Authorization: Bearer KEY",
        )),
    }
}

/// The token of a Bearer authorization (RFC 6750, section 2.1).
pub fn bearer(call: &Call) -> Option<&str> {
    token(call.header("authorization")?)
}

/// Whether two secrets are equal, in a time that does not depend on where they differ.
pub fn same_secret(one: &str, other: &str) -> bool {
    let (one, other) = (sha256_hex(one.as_bytes()), sha256_hex(other.as_bytes()));
    one.bytes()
        .zip(other.bytes())
        .fold(0, |difference, (a, b)| difference | (a ^ b))
        == 0
}

fn token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim();
    let fits = !token.is_empty() && token.len() <= MAX_CHARS;
    (scheme.eq_ignore_ascii_case("bearer") && fits).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(brand_id: Option<&str>, scopes: &[&str]) -> AdminKey {
        AdminKey {
            name: "n".into(),
            brand_id: brand_id.map(Into::into),
            scopes: scopes.iter().map(|scope| scope.to_string()).collect(),
        }
    }

    #[test]
    fn a_key_acts_for_its_brand_and_scopes_only() {
        assert!(key(Some("north"), &[]).for_brand("north").is_ok());
        assert_eq!(
            key(Some("north"), &[])
                .for_brand("south")
                .unwrap_err()
                .status(),
            403
        );
        assert!(key(None, &[]).for_brand("south").is_ok());
        assert_eq!(
            key(Some("north"), &[])
                .for_organisation()
                .unwrap_err()
                .status(),
            403
        );
        assert!(key(None, &["stock"]).with_scope("stock").is_ok());
        assert!(key(None, &["admin"]).with_scope("stock").is_ok());
        assert_eq!(
            key(None, &["catalog"])
                .with_scope("stock")
                .unwrap_err()
                .status(),
            403
        );
    }

    #[test]
    fn a_bearer_token_is_read() {
        assert_eq!(token("Bearer abc"), Some("abc"));
        assert_eq!(token("bearer abc"), Some("abc"));
        for bad in [
            "Basic abc",
            "Bearer ",
            "Bearer",
            &format!("Bearer {}", "x".repeat(257)),
        ] {
            assert_eq!(token(bad), None, "{bad}");
        }
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(same_secret("abc", "abc"));
        assert!(!same_secret("abc", "abd") && !same_secret("abc", "abcd") && !same_secret("", "a"));
    }
}
