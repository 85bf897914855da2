//! Tells whether what a file says is what was imported before.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// SHA-256 (hex) of the value's JSON. Equal values have equal fingerprints, since the
/// documents are structs: their members have a fixed order.
pub fn of<T: Serialize>(value: &T) -> String {
    let mut hasher = Sha256::new();
    // Serialising a document into memory has nothing to fail on; were it to, an unstable
    // fingerprint would only mean that the item counts as changed.
    hasher.update(serde_json::to_vec(value).unwrap_or_default());
    hasher
        .finalize()
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            use std::fmt::Write;
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_only() {
        assert_eq!(of(&("a", 1)), of(&("a", 1)));
        assert_ne!(of(&("a", 1)), of(&("a", 2)));
        assert_eq!(of(&"").len(), 64);
    }
}
