//! Instants as the clock on the wall and the calendar beside it show them.

use icu_calendar::{Date, Gregorian};
use icu_datetime::fieldsets::{E, MDE, T, YMD};
use icu_datetime::{FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use icu_time::{DateTime, Time};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

use crate::Locale;

/// Day and time: `Thursday, July 2 at 2:00 PM`. `time_zone` is an IANA name (unknown: UTC),
/// here and below.
pub fn date_time(at_ms: i64, time_zone: &str, locale: Locale) -> String {
    let local = local(at_ms, time_zone);
    let shown = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(
        (&locale.icu()).into(),
        MDE::long().with_time_hm(),
    )
    .ok()
    .zip(calendar(local.date()))
    .map(|(formatter, date)| {
        let time = clock(local.time());
        formatter.format(&DateTime { date, time }).to_string()
    });
    shown.unwrap_or_default()
}

/// The day of an instant, without its year: `Thursday, July 2`.
pub fn day(at_ms: i64, time_zone: &str, locale: Locale) -> String {
    day_of(local(at_ms, time_zone).date(), locale)
}

/// A day without its year: `Thursday, July 2`.
pub fn day_of(date: civil::Date, locale: Locale) -> String {
    let formatter = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(
        (&locale.icu()).into(),
        MDE::long(),
    );
    let shown = formatter
        .ok()
        .zip(calendar(date))
        .map(|(formatter, date)| formatter.format(&date).to_string());
    shown.unwrap_or_default()
}

/// The day of an instant with its year, without the day of the week: `July 2, 2026`.
pub fn date(at_ms: i64, time_zone: &str, locale: Locale) -> String {
    let formatter = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(
        (&locale.icu()).into(),
        YMD::long(),
    );
    let shown = formatter
        .ok()
        .zip(calendar(local(at_ms, time_zone).date()))
        .map(|(formatter, date)| formatter.format(&date).to_string());
    shown.unwrap_or_default()
}

/// The time of an instant: `2:00 PM`.
pub fn time(at_ms: i64, time_zone: &str, locale: Locale) -> String {
    time_of(local(at_ms, time_zone).time(), locale)
}

/// A time on the wall: `2:00 PM`.
pub fn time_of(time: civil::Time, locale: Locale) -> String {
    let formatter = NoCalendarFormatter::try_new((&locale.icu()).into(), T::hm());
    let shown = formatter.map(|formatter| formatter.format(&clock(time)).to_string());
    shown.unwrap_or_default()
}

/// The name of a day of the week.
pub fn weekday(day: civil::Weekday, locale: Locale) -> String {
    // A Monday, and the days after it.
    let date = civil::date(2024, 1, 1 + day.to_monday_zero_offset());
    let formatter =
        FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new((&locale.icu()).into(), E::long());
    let shown = formatter
        .ok()
        .zip(calendar(date))
        .map(|(formatter, date)| formatter.format(&date).to_string());
    shown.unwrap_or_default()
}

fn local(at_ms: i64, time_zone: &str) -> civil::DateTime {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    zone.to_datetime(Timestamp::from_millisecond(at_ms).unwrap_or_default())
}

fn calendar(date: civil::Date) -> Option<Date<Gregorian>> {
    Date::try_new_gregorian(date.year().into(), date.month() as u8, date.day() as u8).ok()
}

fn clock(time: civil::Time) -> Time {
    Time::try_new(time.hour() as u8, time.minute() as u8, 0, 0).unwrap_or(Time::start_of_day())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2 July 2026, 14:05 in Berlin.
    const AT_MS: i64 = 1_782_993_900_000;

    fn said(shown: impl Fn(Locale) -> String) -> [String; 3] {
        Locale::ALL.map(|locale| shown(locale).replace(['\u{202f}', '\u{a0}'], " "))
    }

    #[test]
    fn days_and_times_are_written_as_at_home() {
        let zone = "Europe/Berlin";
        assert_eq!(
            said(|locale| date_time(AT_MS, zone, locale)),
            [
                "Thursday, July 2 at 2:05 PM",
                "jueves, 2 de julio a las 14:05",
                "Donnerstag, 2. Juli um 14:05"
            ]
        );
        assert_eq!(
            said(|locale| day(AT_MS, zone, locale)),
            [
                "Thursday, July 2",
                "jueves, 2 de julio",
                "Donnerstag, 2. Juli"
            ]
        );
        assert_eq!(
            said(|locale| date(AT_MS, zone, locale)),
            ["July 2, 2026", "2 de julio de 2026", "2. Juli 2026"]
        );
        assert_eq!(
            said(|locale| time(AT_MS, zone, locale)),
            ["2:05 PM", "14:05", "14:05"]
        );
    }

    #[test]
    fn the_clock_is_that_of_the_place() {
        assert_eq!(
            said(|locale| time(AT_MS, "America/New_York", locale))[0],
            "8:05 AM"
        );
        assert_eq!(
            said(|locale| time(AT_MS, "Mars/Olympus", locale))[2],
            "12:05"
        );
        let midnight = civil::time(0, 0, 0, 0);
        assert_eq!(
            said(|locale| time_of(midnight, locale)),
            ["12:00 AM", "00:00", "00:00"]
        );
    }

    #[test]
    fn days_of_the_week_have_their_names() {
        assert_eq!(
            said(|locale| weekday(civil::Weekday::Sunday, locale)),
            ["Sunday", "domingo", "Sonntag"]
        );
        assert_eq!(weekday(civil::Weekday::Monday, Locale::De), "Montag");
    }

    #[test]
    fn no_instant_is_without_words() {
        for at_ms in [i64::MIN, 0, i64::MAX] {
            assert!(!date_time(at_ms, "UTC", Locale::En).is_empty());
        }
    }
}
