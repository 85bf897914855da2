//! The pickup pass: a signed token that lets somebody collect an order, for a while and once.
//!
//! The token is made for a QR code in its alphanumeric mode, and so that a scanner that
//! types what it reads spoils nothing: `AP1`, then RFC 4648 base 32 without padding, capital
//! letters and digits only. Its 221 characters just fit version 8 (49 × 49 modules) at
//! error level M. Inside, one after the other:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | key id: how the SHA-256 of the public key begins |
//! | 16 each | brand, pass, order, location: UUIDs; the pass's is of version 7 and tells when it was issued |
//! | 4 | expiry: seconds since the epoch, big endian |
//! | 64 | Ed25519 signature (RFC 8032) of `AP1` and everything before it |
//!
//! A till verifies it offline, with the public keys that it fetched when it was online.

mod code;
mod keys;
mod verdict;

use data_encoding::BASE32_NOPAD;
use uuid::Uuid;

pub use code::{CODE_CHARS, code, normalise_code};
pub use keys::{KeyError, Keys, PublicKeys};
pub use verdict::{Facts, PickupStatus, Verdict, judge};

/// How every token begins: what it is, and the version of its form.
const PREFIX: &str = "AP1";
const KEY_ID_BYTES: usize = 4;
const SIGNED_BYTES: usize = KEY_ID_BYTES + 4 * 16 + 4;
const SIGNATURE_BYTES: usize = 64;
const TOKEN_BYTES: usize = SIGNED_BYTES + SIGNATURE_BYTES;
/// Characters of a token.
pub const TOKEN_CHARS: usize = PREFIX.len() + (TOKEN_BYTES * 8).div_ceil(5);

/// What a pass says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassClaims {
    pub brand_id: String,
    /// UUIDv7 of the instant at which it was issued.
    pub pass_id: String,
    pub order_id: String,
    /// Where the order can be collected.
    pub location_id: String,
    pub issued_at_ms: i64,
    /// Whole seconds: [`issue`] cuts off what is finer.
    pub expires_at_ms: i64,
}

/// Why a text is no valid pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassError {
    /// Not a token of this form.
    Malformed,
    /// Signed with a key that is not among the known ones, or no longer.
    UnknownKey,
    /// Altered, or signed by somebody else.
    BadSignature,
    /// Genuine, but its time is over.
    Expired,
}

impl PassError {
    /// For programs: `malformed`, `unknown_key`, `bad_signature` or `expired`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
        }
    }
}

/// The expiry that a token can carry: whole seconds.
pub fn whole_seconds(at_ms: i64) -> i64 {
    at_ms.div_euclid(1_000) * 1_000
}

/// The token of these claims, signed with the current key. The same claims and key give the
/// same token. `None` when an id is not a UUID, or the expiry is not within 1970 to 2106.
pub fn issue(claims: &PassClaims, keys: &Keys) -> Option<String> {
    let mut token = Vec::with_capacity(TOKEN_BYTES);
    token.extend(keys.current().id());
    let ids = [
        &claims.brand_id,
        &claims.pass_id,
        &claims.order_id,
        &claims.location_id,
    ];
    for id in ids {
        token.extend(Uuid::try_parse(id).ok()?.as_bytes());
    }
    let expires_at_s = u32::try_from(claims.expires_at_ms.div_euclid(1_000)).ok()?;
    token.extend(expires_at_s.to_be_bytes());
    let signature = keys.current().sign(&signed(&token));
    token.extend(signature);
    Some(format!("{PREFIX}{}", BASE32_NOPAD.encode(&token)))
}

/// Whether a scanned text is meant to be a pass: it may still be altered or incomplete.
pub fn is_pass_text(text: &str) -> bool {
    let begin = text.trim().get(..PREFIX.len());
    begin.is_some_and(|begin| begin.eq_ignore_ascii_case(PREFIX)) && text.trim().len() > 32
}

/// What a genuine token says, expired or not: for who then asks the database, whose clock
/// decides. Small letters and surrounding blanks are forgiven.
pub fn read(text: &str, keys: &PublicKeys) -> Result<PassClaims, PassError> {
    let token = decode(text).ok_or(PassError::Malformed)?;
    let (content, signature) = token.split_at(SIGNED_BYTES);
    let (key_id, content) = content.split_at(KEY_ID_BYTES);
    let claims = claims(content).ok_or(PassError::Malformed)?;
    let key = keys.by_id(key_id).ok_or(PassError::UnknownKey)?;
    if !key.has_signed(&signed(&token[..SIGNED_BYTES]), signature) {
        return Err(PassError::BadSignature);
    }
    Ok(claims)
}

/// The same for a till that is offline, whose own clock decides.
pub fn verify(text: &str, keys: &PublicKeys, now_ms: i64) -> Result<PassClaims, PassError> {
    let claims = read(text, keys)?;
    if claims.expires_at_ms <= now_ms {
        return Err(PassError::Expired);
    }
    Ok(claims)
}

/// The signature covers the version too, so that no token can pass for one of another form.
fn signed(content: &[u8]) -> Vec<u8> {
    [PREFIX.as_bytes(), content].concat()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if text.len() != TOKEN_CHARS || !is_pass_text(text) {
        return None;
    }
    let digits = text.get(PREFIX.len()..)?.to_ascii_uppercase();
    BASE32_NOPAD.decode(digits.as_bytes()).ok()
}

fn claims(content: &[u8]) -> Option<PassClaims> {
    let (ids, expires_at_s) = content.split_at(4 * 16);
    let mut ids = ids
        .chunks_exact(16)
        .map(|id| Uuid::from_slice(id).unwrap_or_default());
    let [brand, pass, order, location] = std::array::from_fn(|_| ids.next().unwrap_or_default());
    let (issued_at_s, nanos) = pass.get_timestamp()?.to_unix();
    let issued_at_ms =
        i64::try_from(issued_at_s).ok()?.checked_mul(1_000)? + i64::from(nanos / 1_000_000);
    let expires_at_s = u32::from_be_bytes(expires_at_s.try_into().ok()?);
    Some(PassClaims {
        brand_id: brand.to_string(),
        pass_id: pass.to_string(),
        order_id: order.to_string(),
        location_id: location.to_string(),
        issued_at_ms,
        expires_at_ms: i64::from(expires_at_s) * 1_000,
    })
}

#[cfg(test)]
mod tests;
