//! The two tokens of a device: shown once, kept as digests.

use aisle_http::shopper::ACCESS_PREFIX;
use aisle_store::{new_token, sha256_hex};

/// What a refresh token begins with.
pub const REFRESH_PREFIX: &str = "rfr_";

/// Characters of a token after its prefix: 160 bits in hexadecimal.
const CHARS: usize = 40;

pub struct Pair {
    pub access: String,
    pub refresh: String,
}

impl Pair {
    pub fn new() -> Self {
        Self {
            access: format!("{ACCESS_PREFIX}{}", new_token()),
            refresh: format!("{REFRESH_PREFIX}{}", new_token()),
        }
    }

    /// What `token` is exchanged for: the same pair for the same salt, which only those can
    /// make who have both.
    pub fn successor(token: &str, salt: &str) -> Self {
        let derived = |name: &str| {
            let digest = sha256_hex(format!("{name}\n{token}\n{salt}").as_bytes());
            digest.get(..CHARS).unwrap_or(&digest).to_owned()
        };
        Self {
            access: format!("{ACCESS_PREFIX}{}", derived("access")),
            refresh: format!("{REFRESH_PREFIX}{}", derived("refresh")),
        }
    }

    pub fn access_hash(&self) -> String {
        sha256_hex(self.access.as_bytes())
    }

    pub fn refresh_hash(&self) -> String {
        sha256_hex(self.refresh.as_bytes())
    }
}
