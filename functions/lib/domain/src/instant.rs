//! Instants and dates as text. Read and written by hand: jiff's parser and printer know far
//! more forms than RFC 3339, and cost every component 50 KB with their messages.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{Offset, TimeZone};

/// RFC 3339 in UTC, to the second. Instants that no calendar can write become the epoch.
pub fn rfc3339(at_ms: i64) -> String {
    format!("{}Z", clock_at(timestamp(at_ms), Offset::UTC))
}

/// RFC 3339 with the offset that holds then in the IANA `time_zone` (unknown: UTC), so
/// that a shopper reads the time on the store's wall.
pub fn rfc3339_in(at_ms: i64, time_zone: &str) -> String {
    let Ok(zone) = TimeZone::get(time_zone) else {
        return rfc3339(at_ms);
    };
    let at = timestamp(at_ms);
    let offset = zone.to_offset(at);
    let sign = if offset.is_negative() { '-' } else { '+' };
    let minutes = offset.seconds().abs() / 60;
    format!(
        "{}{sign}{:02}:{:02}",
        clock_at(at, offset),
        minutes / 60,
        minutes % 60
    )
}

/// Day of the week and time on the wall in the IANA `time_zone` (unknown: UTC), as people
/// say it: `Thursday 14:00`.
pub fn day_and_time_in(at_ms: i64, time_zone: &str) -> String {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let local = zone.to_datetime(timestamp(at_ms));
    let day = match local.date().weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    };
    format!("{day} {:02}:{:02}", local.hour(), local.minute())
}

fn clock_at(at: Timestamp, offset: Offset) -> String {
    let local = offset.to_datetime(at);
    let (date, time) = (local.date(), local.time());
    let (year, month, day) = (date.year(), date.month(), date.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// An RFC 3339 instant with `Z` or a numeric offset, in milliseconds since the epoch; what
/// is finer than that is cut off. A leap second counts as the second before it.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, offset_s) = match rest.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => split_offset(rest)?,
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let time = Time::new(hour as i8, minute as i8, second.min(59) as i8, 0).ok()?;
    let local = parse_date(date)?.to_datetime(time);
    let at = Offset::from_seconds(offset_s)
        .ok()?
        .to_timestamp(local)
        .ok()?;
    at.as_millisecond().checked_add(millis(fraction)?)
}

/// A date as `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Option<Date> {
    let [year, month, day] = numbers(text, '-', [4, 2, 2])?;
    Date::new(year as i16, month as i8, day as i8).ok()
}

/// The time before `+HH:MM` or `-HH:MM`, and the seconds that this is.
fn split_offset(text: &str) -> Option<(&str, i32)> {
    let (time, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let sign = match offset.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let [hours, minutes] = numbers(offset.get(1..)?, ':', [2, 2])?;
    (hours < 24 && minutes < 60).then_some((time, sign * (hours * 3600 + minutes * 60)))
}

/// Numbers of fixed widths, separated.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i32; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (slot, width) in found.iter_mut().zip(widths) {
        let part = parts
            .next()
            .filter(|part| part.len() == width && is_digits(part))?;
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// A fraction of a second, cut off after milliseconds.
fn millis(fraction: &str) -> Option<i64> {
    let padded = format!("{fraction:0<3}");
    padded
        .get(..3)
        .filter(|_| is_digits(fraction))?
        .parse()
        .ok()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn timestamp(at_ms: i64) -> Timestamp {
    Timestamp::from_second(at_ms.div_euclid(1000)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_are_read_with_their_offset() {
        for (text, at_ms) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-05-18T17:00:00z", Some(1_779_123_600_000)),
            ("2026-05-18T19:00:00.25+02:00", Some(1_779_123_600_250)),
            ("2026-05-18 11:30:00.9999999-05:30", Some(1_779_123_600_999)),
            ("2016-12-31T23:59:60Z", Some(1_483_228_799_000)),
            ("1969-12-31T23:59:59.5Z", Some(-500)),
            ("2026-05-18T17:00:00", None),
            ("2026-05-18T17:00Z", None),
            ("2026-02-30T17:00:00Z", None),
            ("2026-05-18T24:00:00Z", None),
            ("2026-05-18T17:00:00.Z", None),
            ("2026-05-18T17:00:00+2:00", None),
            ("2026-05-18T17:00:00+24:00", None),
            ("2026-5-18T17:00:00Z", None),
            ("+026-05-18T17:00:00Z", None),
            ("2026-05-18T17:00:00ü02:00", None),
        ] {
            assert_eq!(parse_rfc3339(text), at_ms, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(at_s in -62_000_000_000_i64..250_000_000_000) {
            prop_assert_eq!(parse_rfc3339(&rfc3339(at_s * 1000)), Some(at_s * 1000));
        }

        #[test]
        fn no_text_panics(text in "[0-9T:Z+. -]{0,30}|.{0,30}") {
            let _ = (parse_rfc3339(&text), parse_date(&text));
        }
    }

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
        assert_eq!(
            day_and_time_in(winter, "America/New_York"),
            "Wednesday 19:00"
        );
        assert_eq!(day_and_time_in(winter, "Mars/Olympus"), "Thursday 00:00");
        assert_eq!(rfc3339(i64::MAX), "1970-01-01T00:00:00Z");
    }
}
