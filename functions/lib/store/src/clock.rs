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
///
/// # Panics
///
/// Where there is no chance to be had: the runtime then answers 500. Whatever else this could
/// return would be a code, a token or an id that somebody else can name.
pub fn random() -> [u8; 10] {
    drawn_by(getrandom::fill)
}

fn drawn_by(fill: impl FnOnce(&mut [u8]) -> Result<(), getrandom::Error>) -> [u8; 10] {
    let mut bytes = [0; 10];
    if let Err(error) = fill(&mut bytes) {
        panic!("no source of randomness: {error}");
    }
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
    #[should_panic(expected = "no source of randomness")]
    fn nothing_is_made_without_chance() {
        drawn_by(|_| Err(getrandom::Error::UNSUPPORTED));
    }

    #[test]
    fn new_ids_are_ids_and_differ() {
        let (one, other) = (new_id(), new_id());
        assert!(aisle_domain::id::is_id(&one));
        assert_ne!(one, other);
    }
}
