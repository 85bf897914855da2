//! Instants as text.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// RFC 3339 in UTC, to the second. Instants that no calendar can write become the epoch.
pub fn rfc3339(at_ms: i64) -> String {
    timestamp(at_ms).to_string()
}

/// RFC 3339 with the offset that holds then in the IANA `time_zone` (unknown: UTC), so
/// that a shopper reads the time on the store's wall.
pub fn rfc3339_in(at_ms: i64, time_zone: &str) -> String {
    let at = timestamp(at_ms);
    match TimeZone::get(time_zone) {
        Ok(zone) => at.display_with_offset(zone.to_offset(at)).to_string(),
        Err(_) => at.to_string(),
    }
}

fn timestamp(at_ms: i64) -> Timestamp {
    Timestamp::from_second(at_ms.div_euclid(1000)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_the_one_that_holds_then() {
        let (winter, summer) = (1_767_225_600_999, 1_782_864_000_000);
        assert_eq!(rfc3339(winter), "2026-01-01T00:00:00Z");
        assert_eq!(
            rfc3339_in(winter, "America/New_York"),
            "2025-12-31T19:00:00-05:00"
        );
        assert_eq!(
            rfc3339_in(summer, "America/New_York"),
            "2026-06-30T20:00:00-04:00"
        );
        assert_eq!(rfc3339_in(winter, "Mars/Olympus"), rfc3339(winter));
        assert_eq!(rfc3339(i64::MAX), "1970-01-01T00:00:00Z");
    }
}
