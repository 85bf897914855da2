//! Pickup passes: Aisle's own API below an order.

use aisle_domain::instant::rfc3339_in;
use aisle_domain::location::Location;
use aisle_domain::pass::{PassClaims, PublicKeys};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
pub mod api;

/// How large a module (the smallest bar or square) may be, in pixels.
pub const MODULE_PX: std::ops::RangeInclusive<u32> = 1..=20;

/// A pass that was just issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pass {
    pub pass_id: String,
    pub order_id: String,
    /// Where the order is collected.
    pub location_id: String,
    pub location_name: String,
    /// What the QR code says.
    pub token: String,
    /// What to type when no code can be scanned.
    pub code: String,
    /// RFC 3339, in the store's time.
    pub issued_at: String,
    /// From then on it lets nobody collect anything: RFC 3339, in the store's time.
    pub expires_at: String,
    /// When to ask for the next one, which ends this one: RFC 3339, in the store's time.
    pub refresh_after: String,
    pub images: PassImages,
}

/// URLs; `module_px` in the query sets the size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassImages {
    /// The token as a QR code, error level M.
    pub qr_svg: String,
    pub qr_png: String,
    /// The code as Code 128, and as text below it.
    pub barcode_svg: String,
    pub barcode_png: String,
}

/// The keys that verify passes, as a JSON Web Key Set (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassKeys {
    /// The one that signs now comes first.
    pub keys: Vec<PassKey>,
}

/// An Ed25519 public key as RFC 8037 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassKey {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// How the SHA-256 of the key begins: 8 hexadecimal digits, the token's first 4 bytes.
    pub kid: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// The key's 32 bytes, base64url without padding.
    pub x: String,
}

impl Pass {
    /// `origin` is scheme and authority.
    pub fn new(
        claims: &PassClaims,
        token: String,
        code: String,
        location: &Location,
        origin: &str,
    ) -> Self {
        let there = |at_ms| rfc3339_in(at_ms, &location.time_zone);
        let PassClaims {
            order_id,
            pass_id,
            issued_at_ms,
            expires_at_ms,
            ..
        } = claims;
        let image = |name: &str| format!("{origin}/orders/{order_id}/pass/{pass_id}/{name}");
        Self {
            pass_id: pass_id.clone(),
            order_id: order_id.clone(),
            location_id: location.id.clone(),
            location_name: location.name.clone(),
            token,
            code,
            issued_at: there(*issued_at_ms),
            expires_at: there(*expires_at_ms),
            refresh_after: there(issued_at_ms + (expires_at_ms - issued_at_ms) * 3 / 4),
            images: PassImages {
                qr_svg: image("qr.svg"),
                qr_png: image("qr.png"),
                barcode_svg: image("barcode.svg"),
                barcode_png: image("barcode.png"),
            },
        }
    }
}

impl PassKeys {
    pub fn new(keys: &PublicKeys) -> Self {
        let keys = keys.iter().map(|(kid, bytes)| PassKey {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            kid,
            usage: "sig".into(),
            x: BASE64URL_NOPAD.encode(&bytes),
        });
        Self {
            keys: keys.collect(),
        }
    }
}
