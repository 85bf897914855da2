//! Opening hours as people write them in a cell.

use jiff::civil::Date;

use crate::hours::{DailyHours, ExceptionHours, TimeOfDay, Weekday};

/// The hours of one weekday: intervals as `09:00-12:30 13:30-18:00`, or `closed`, or
/// nothing. An interval may end after midnight (`18:00-02:00`); `00:00-24:00` is the whole day.
pub fn daily(day: Weekday, text: &str) -> Result<Vec<DailyHours>, String> {
    let intervals = intervals(text)?;
    Ok(intervals
        .into_iter()
        .map(|(opens, closes)| DailyHours { day, opens, closes })
        .collect())
}

/// Dates with other hours, separated by semicolons: `2026-12-25 closed (Christmas Day)`,
/// `2026-12-24 09:00-13:00`, `2026-12-31..2027-01-01 closed`.
pub fn exceptions(text: &str) -> Result<Vec<ExceptionHours>, String> {
    let entries = text
        .split(';')
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    let exceptions: Vec<Vec<_>> = entries.map(exception).collect::<Result<_, _>>()?;
    Ok(exceptions.into_iter().flatten().collect())
}

fn exception(entry: &str) -> Result<Vec<ExceptionHours>, String> {
    let (entry, title) = match entry
        .strip_suffix(')')
        .and_then(|entry| entry.split_once('('))
    {
        Some((entry, title)) => (entry.trim(), Some(super::cell::text(title.trim())?)),
        None => (entry, None),
    };
    let (dates, hours) = entry
        .split_once(char::is_whitespace)
        .ok_or_else(|| format!("\"{entry}\" names no hours"))?;
    let (from, through) = dates.split_once("..").unwrap_or((dates, dates));
    let date = |text: &str| {
        text.parse::<Date>()
            .map_err(|_| format!("\"{text}\" is not a date YYYY-MM-DD"))
    };
    let (valid_from, valid_through) = (date(from)?, date(through)?);
    let with = |opens, closes| ExceptionHours {
        title: title.clone(),
        valid_from,
        valid_through,
        opens,
        closes,
    };
    let intervals = intervals(hours)?;
    if intervals.is_empty() {
        return Ok(vec![with(None, None)]);
    }
    Ok(intervals
        .into_iter()
        .map(|(opens, closes)| with(Some(opens), Some(closes)))
        .collect())
}

fn intervals(text: &str) -> Result<Vec<(TimeOfDay, TimeOfDay)>, String> {
    if text.trim().eq_ignore_ascii_case("closed") {
        return Ok(Vec::new());
    }
    text.split_whitespace().map(interval).collect()
}

fn interval(text: &str) -> Result<(TimeOfDay, TimeOfDay), String> {
    let wrong = || format!("\"{text}\" is not an interval such as 09:00-18:00");
    // UCP writes the whole day as 00:00-23:59, and midnight as the next day's 00:00.
    let (opens, closes) = match text.split_once('-').ok_or_else(wrong)? {
        ("00:00", "24:00") => ("00:00", "23:59"),
        (opens, "24:00") => (opens, "00:00"),
        interval => interval,
    };
    let time = |text: &str| TimeOfDay::try_from(text.to_owned()).map_err(|_| wrong());
    Ok((time(opens)?, time(closes)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(hour: u8, minute: u8) -> TimeOfDay {
        TimeOfDay::new(hour, minute).expect("a time of day")
    }

    #[test]
    fn a_day_may_be_split_or_end_after_midnight() {
        let hours = |text: &str| {
            let hours = daily(Weekday::Monday, text).expect(text);
            hours
                .into_iter()
                .map(|hours| (hours.opens, hours.closes))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            hours("09:00-12:30 13:30-18:00"),
            [(time(9, 0), time(12, 30)), (time(13, 30), time(18, 0))]
        );
        assert_eq!(hours("18:00-24:00"), [(time(18, 0), time(0, 0))]);
        assert_eq!(hours("00:00-24:00"), [(time(0, 0), time(23, 59))]);
        assert_eq!(hours("Closed"), []);
        assert_eq!(hours(""), []);
    }

    #[test]
    fn exceptions_have_dates_hours_and_a_title() {
        let read = exceptions(
            "2026-12-25..2026-12-26 closed (Christmas); 2026-12-24 09:00-11:00 12:00-14:00;",
        )
        .expect("exceptions");
        assert_eq!(read.len(), 3);
        assert_eq!(read[0].title.as_deref(), Some("Christmas"));
        assert_eq!(
            (read[0].opens, read[0].valid_through.to_string()),
            (None, "2026-12-26".into())
        );
        assert_eq!(read[2].opens, Some(time(12, 0)));
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        for text in ["9-18", "09:00-25:00", "09:00", "open"] {
            assert!(daily(Weekday::Monday, text).is_err(), "{text}");
        }
        for text in [
            "2026-12-25",
            "25.12.2026 closed",
            "2026-13-01 closed",
            "closed",
        ] {
            assert!(exceptions(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9:;.() a-z-]{0,40}") {
            let _ = (daily(Weekday::Sunday, &text), exceptions(&text));
        }
    }
}
