//! Identifiers: UUIDv7, so that ids sort by the time they were made.

use uuid::{Builder, Uuid};

/// A new UUIDv7 (RFC 9562, section 5.7) in its hyphenated form, for the instant
/// `now_ms` (milliseconds since the epoch) with 74 of the given 80 random bits.
pub fn new_id(now_ms: i64, random: [u8; 10]) -> String {
    let millis = u64::try_from(now_ms).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .to_string()
}

/// Whether `text` has the form of an id that [`new_id`] made. Anything else cannot
/// name a row, so it needs no query to be refused.
pub fn is_id(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok_and(|id| id.get_version_num() == 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuid_v7_and_sort_by_time() {
        let earlier = new_id(1_700_000_000_000, [255; 10]);
        let later = new_id(1_700_000_000_001, [0; 10]);
        assert!(is_id(&earlier) && is_id(&later));
        assert!(earlier < later);
    }

    #[test]
    fn what_is_no_id_is_told_apart() {
        for text in [
            "",
            "prod_1",
            "0190a0e0-0000-4000-8000-000000000000",
            "0190A0E0000070008000000000000000",
        ] {
            assert!(!is_id(text), "{text}");
        }
    }
}
