//! What a pure program lacks: the time, chance, and a digest.

use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

/// The guest's wall clock, in milliseconds since the epoch. Never for an expiry that
/// the database decides: that is what `{now}` in a statement is for.
pub fn now_ms() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// Ten random bytes, as [`aisle_domain::id::new_id`] wants them.
pub fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    // WASI's source of randomness cannot fail; zeros would still leave a valid id,
    // which the database's unique constraint refuses if it was used before.
    let _ = getrandom::fill(&mut bytes);
    bytes
}

/// A new UUIDv7 of this instant.
pub fn new_id() -> String {
    aisle_domain::id::new_id(now_ms(), random())
}

/// A new secret of 160 random bits in lower-case hexadecimal, to be shown once and kept as
/// its digest.
pub fn new_token() -> String {
    let bytes = [random(), random()];
    bytes
        .iter()
        .flatten()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// SHA-256 in lower-case hexadecimal, 64 characters.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_standards_one() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(b"abc"), expected);
    }

    #[test]
    fn new_ids_are_ids_and_differ() {
        let (one, other) = (new_id(), new_id());
        assert!(aisle_domain::id::is_id(&one));
        assert_ne!(one, other);
    }
}
