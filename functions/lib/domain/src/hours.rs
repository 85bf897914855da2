//! When a location is open, and when an order can be ready there.
//!
//! The rules are those of UCP 2026-08-25, `common/location`, "Operating Hours": an
//! instant is converted to the location's local date and time and these are compared
//! with the schedule. So a label that the clocks skip names no instant, and one that
//! they repeat counts both times.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::location::Location;

/// How far ahead an opening is looked for, in days.
const HORIZON_DAYS: usize = 400;
/// Most entries of a weekly schedule, and most exceptions.
pub const MAX_ENTRIES: usize = 100;

/// The regular week. A day may have several intervals; a day without one is closed;
/// no entry at all means that the hours are not known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WeeklyHours(pub Vec<DailyHours>);

/// An interval that begins on `day` each week; with `closes` before `opens` it ends on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DailyHours {
    pub day: Weekday,
    pub opens: TimeOfDay,
    pub closes: TimeOfDay,
}

/// Other hours than the regular ones, on each of the dates `valid_from..=valid_through`.
/// Without `opens` and `closes`: closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExceptionHours {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(with = "iso_date")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub valid_from: Date,
    #[serde(with = "iso_date")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub valid_through: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<TimeOfDay>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes: Option<TimeOfDay>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl From<jiff::civil::Weekday> for Weekday {
    fn from(day: jiff::civil::Weekday) -> Self {
        use jiff::civil::Weekday as Jiff;
        match day {
            Jiff::Monday => Self::Monday,
            Jiff::Tuesday => Self::Tuesday,
            Jiff::Wednesday => Self::Wednesday,
            Jiff::Thursday => Self::Thursday,
            Jiff::Friday => Self::Friday,
            Jiff::Saturday => Self::Saturday,
            Jiff::Sunday => Self::Sunday,
        }
    }
}

/// A local clock time, `HH:MM`, 00:00 to 23:59, kept as minutes since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, example = "09:00"))]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    const LAST: Self = Self(23 * 60 + 59);

    pub fn new(hour: u8, minute: u8) -> Option<Self> {
        (hour < 24 && minute < 60).then_some(Self(u16::from(hour) * 60 + u16::from(minute)))
    }

    fn of(local: DateTime) -> Self {
        Self(local.hour() as u16 * 60 + local.minute() as u16)
    }

    /// As a clock on the wall shows it.
    pub fn civil(self) -> Time {
        Time::constant((self.0 / 60) as i8, (self.0 % 60) as i8, 0, 0)
    }

    pub(crate) fn on(self, date: Date) -> DateTime {
        date.at((self.0 / 60) as i8, (self.0 % 60) as i8, 0, 0)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let two_digits = |text: &str| {
            (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()))
                .then(|| text.parse().ok())
                .flatten()
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Self::new(two_digits(hour)?, two_digits(minute)?))
            .ok_or("not a time of day HH:MM")
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        format!("{:02}:{:02}", time.0 / 60, time.0 % 60)
    }
}

/// `YYYY-MM-DD`.
mod iso_date {
    use jiff::civil::Date;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::instant::parse_date;

    pub fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
        serializer.serialize_str(&text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_date(&text).ok_or_else(|| D::Error::custom("not a date YYYY-MM-DD"))
    }
}

/// Part of a date during which a location is open; it may run into the next date.
#[derive(Debug, Clone, Copy)]
struct Interval {
    opens: TimeOfDay,
    closes: TimeOfDay,
}

impl Interval {
    /// UCP reserves exactly `00:00`–`23:59` for the entire date, its last minute included.
    fn is_whole_date(self) -> bool {
        self.opens == TimeOfDay(0) && self.closes == TimeOfDay::LAST
    }

    fn is_overnight(self) -> bool {
        self.closes < self.opens
    }

    fn covers(self, time: TimeOfDay) -> bool {
        time >= self.opens && (time < self.closes || self.is_overnight() || self.is_whole_date())
    }
}

/// The exceptions that replace the regular hours on `date`; all have the same bounds.
fn exceptions_on(location: &Location, date: Date) -> impl Iterator<Item = &ExceptionHours> {
    location
        .exception_hours
        .iter()
        .filter(move |exception| (exception.valid_from..=exception.valid_through).contains(&date))
}

fn intervals_on(location: &Location, date: Date) -> Vec<Interval> {
    if exceptions_on(location, date).next().is_some() {
        let timed = |exception: &ExceptionHours| {
            Some(Interval {
                opens: exception.opens?,
                closes: exception.closes?,
            })
        };
        return exceptions_on(location, date).filter_map(timed).collect();
    }
    let day = Weekday::from(date.weekday());
    let regular = location.hours.0.iter().filter(|hours| hours.day == day);
    regular
        .map(|hours| Interval {
            opens: hours.opens,
            closes: hours.closes,
        })
        .collect()
}

/// What of the night before still runs on `date`. An exception takes over at midnight,
/// except from another date of the same exception.
fn carried_into(location: &Location, date: Date) -> Vec<Interval> {
    let Ok(before) = date.yesterday() else {
        return Vec::new();
    };
    let bounds = |date| {
        exceptions_on(location, date)
            .next()
            .map(|exception| (exception.valid_from, exception.valid_through))
    };
    let governing = bounds(date);
    if governing.is_some() && governing != bounds(before) {
        return Vec::new();
    }
    intervals_on(location, before)
        .into_iter()
        .filter(|interval| interval.is_overnight())
        .collect()
}

fn is_open_locally(location: &Location, local: DateTime) -> bool {
    let (date, time) = (local.date(), TimeOfDay::of(local));
    intervals_on(location, date)
        .into_iter()
        .any(|interval| interval.covers(time))
        || carried_into(location, date)
            .into_iter()
            .any(|interval| time < interval.closes)
}

/// A day as it stands on a store's door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorDay {
    pub date: Date,
    /// What it opens and closes at, in order; empty: closed.
    pub open: Vec<(TimeOfDay, TimeOfDay)>,
    /// Other hours than on other weeks' days of this name.
    pub is_exception: bool,
    /// Why, such as the name of a holiday.
    pub title: Option<String>,
}

/// The next `days` days from the instant on, exceptions included; nothing when no hours
/// or no time zone are known.
pub fn on_the_door(location: &Location, at_ms: i64, days: usize) -> Vec<DoorDay> {
    let zone = TimeZone::get(&location.time_zone).ok();
    let today = zone
        .and_then(|zone| local(&zone, at_ms))
        .map(DateTime::date);
    let known = !location.hours.0.is_empty() || !location.exception_hours.is_empty();
    let dates = std::iter::successors(today.filter(|_| known), |date| date.tomorrow().ok());
    let day = |date: Date| {
        let mut open: Vec<(TimeOfDay, TimeOfDay)> = intervals_on(location, date)
            .into_iter()
            .map(|interval| (interval.opens, interval.closes))
            .collect();
        open.sort_unstable();
        let mut exceptions = exceptions_on(location, date).peekable();
        DoorDay {
            date,
            open,
            is_exception: exceptions.peek().is_some(),
            title: exceptions.find_map(|exception| exception.title.clone()),
        }
    };
    dates.take(days).map(day).collect()
}

/// Whether `location` is open at some time of the local `date`.
pub(crate) fn opens_on(location: &Location, date: Date) -> bool {
    !intervals_on(location, date).is_empty() || !carried_into(location, date).is_empty()
}

/// Whether other hours than the regular ones take somebody away who would be there at the
/// instant `at_ms`, or bring nobody in on a day that is closed otherwise. Whoever comes just
/// as the doors close is still met; an arrangement outside the regular hours needs nobody.
pub(crate) fn is_missed_at(location: &Location, zone: &TimeZone, at_ms: i64) -> bool {
    let Some(at) = local(zone, at_ms) else {
        return true;
    };
    if exceptions_on(location, at.date()).next().is_none() {
        return false;
    }
    let just_before = at.checked_sub(jiff::Span::new().minutes(1)).unwrap_or(at);
    let met = |location: &Location| {
        is_open_locally(location, at) || is_open_locally(location, just_before)
    };
    let regular = Location {
        exception_hours: Vec::new(),
        ..location.clone()
    };
    !met(location) && (met(&regular) || !opens_on(&regular, at.date()))
}

/// What the clock on the wall shows at the instant.
pub(crate) fn local(zone: &TimeZone, at_ms: i64) -> Option<DateTime> {
    Some(zone.to_datetime(Timestamp::from_millisecond(at_ms).ok()?))
}

/// Whether `location` is open at the instant. Unknown hours or an unknown time zone count as closed.
pub fn is_open_at(location: &Location, at_ms: i64) -> bool {
    TimeZone::get(&location.time_zone)
        .ok()
        .and_then(|zone| local(&zone, at_ms))
        .is_some_and(|local| is_open_locally(location, local))
}

/// The instants at which a local clock shows `label`: none in a gap, two in a fold.
fn instants_of(zone: &TimeZone, label: DateTime) -> impl Iterator<Item = i64> {
    let offsets = match zone.to_ambiguous_timestamp(label).offset() {
        AmbiguousOffset::Unambiguous { offset } => [Some(offset), None],
        AmbiguousOffset::Gap { .. } => [None, None],
        AmbiguousOffset::Fold { before, after } => [Some(before), Some(after)],
    };
    offsets
        .into_iter()
        .flatten()
        .filter_map(move |offset| Some(offset.to_timestamp(label).ok()?.as_millisecond()))
}

/// Every instant of the local `date` at which the location may open or close, in order.
fn turning_points(location: &Location, zone: &TimeZone, date: Date) -> Vec<i64> {
    let bounds = |date: Date| {
        zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0))
            .compatible()
            .ok()
    };
    let (Some(start), Some(end)) = (bounds(date), date.tomorrow().ok().and_then(bounds)) else {
        return Vec::new();
    };
    let labels = intervals_on(location, date)
        .into_iter()
        .flat_map(|interval| [interval.opens, interval.closes]);
    let carried = carried_into(location, date)
        .into_iter()
        .map(|interval| interval.closes);
    let mut points: Vec<i64> = labels
        .chain(carried)
        .flat_map(|time| instants_of(zone, time.on(date)))
        .collect();
    points.push(start.as_millisecond());
    let clock_changes = zone
        .following(start)
        .map(|change| change.timestamp())
        .take_while(|at| *at < end);
    points.extend(clock_changes.map(Timestamp::as_millisecond));
    points.retain(|at| (start.as_millisecond()..end.as_millisecond()).contains(at));
    points.sort_unstable();
    points.dedup();
    points
}

/// `(instant, open from there on)`, beginning with `from_ms` itself, as far as the horizon.
fn phases(location: &Location, from_ms: i64) -> impl Iterator<Item = (i64, bool)> {
    let zone = TimeZone::get(&location.time_zone).ok();
    let first = zone
        .as_ref()
        .and_then(|zone| local(zone, from_ms))
        .map(DateTime::date);
    let dates = std::iter::successors(first, |date| date.tomorrow().ok()).take(HORIZON_DAYS);
    let points = {
        let zone = zone.clone();
        dates.flat_map(move |date| {
            zone.as_ref()
                .map(|zone| turning_points(location, zone, date))
                .unwrap_or_default()
        })
    };
    std::iter::once(from_ms)
        .chain(points.filter(move |at| *at > from_ms))
        .map_while(move |at| Some((at, is_open_locally(location, local(zone.as_ref()?, at)?))))
}

/// The first instant from `at_ms` on at which `location` is open: `at_ms` itself when it is
/// open then; `None` when it does not open within 400 days.
pub fn opening_after(location: &Location, at_ms: i64) -> Option<i64> {
    phases(location, at_ms)
        .find(|(_, open)| *open)
        .map(|(at, _)| at)
}

/// When an order of `now_ms` can be collected: after `preparation_minutes` of open time,
/// since goods are only picked while somebody is there, and at an instant at which the
/// doors are open. `None` when that is not within 400 days.
pub fn ready_at_ms(location: &Location, now_ms: i64, preparation_minutes: i64) -> Option<i64> {
    let mut work_ms = preparation_minutes.max(0).checked_mul(60_000)?;
    let mut open_since: Option<i64> = None;
    for (at, open) in phases(location, now_ms) {
        if let Some(since) = open_since {
            let open_ms = at - since;
            if open_ms > work_ms {
                return Some(since + work_ms);
            }
            work_ms -= open_ms;
        }
        open_since = open.then_some(at);
    }
    None
}

/// Whether an exception can still change the schedule: it reaches at least the day before
/// yesterday by UTC, and no time zone is further behind than that.
pub fn may_still_matter(exception: &ExceptionHours, now_ms: i64) -> bool {
    let today = local(&TimeZone::UTC, now_ms).map(DateTime::date);
    let earliest = today.and_then(|today| today.yesterday().ok()?.yesterday().ok());
    earliest.is_none_or(|earliest| exception.valid_through >= earliest)
}

/// A schedule that UCP forbids: where, as `hours[2]` or `exception_hours[0]`, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleError {
    pub path: String,
    pub detail: &'static str,
}

/// Checks the rules that the shape alone cannot express: unequal `opens` and `closes`, both
/// or neither, bounds in order, no two exceptions that share dates unless their bounds are
/// the same and both are timed.
pub fn validate(hours: &WeeklyHours, exceptions: &[ExceptionHours]) -> Result<(), ScheduleError> {
    let wrong = |list: &str, index: usize, detail| {
        Err(ScheduleError {
            path: format!("{list}[{index}]"),
            detail,
        })
    };
    for (list, length) in [
        ("hours", hours.0.len()),
        ("exception_hours", exceptions.len()),
    ] {
        if length > MAX_ENTRIES {
            return wrong(list, MAX_ENTRIES, "more than 100 entries");
        }
    }
    if let Some(index) = hours.0.iter().position(|hours| hours.opens == hours.closes) {
        return wrong("hours", index, "opens and closes are equal");
    }
    for (index, exception) in exceptions.iter().enumerate() {
        if let Some(detail) = exception_fault(exception) {
            return wrong("exception_hours", index, detail);
        }
        if exceptions
            .iter()
            .take(index)
            .any(|earlier| collide(earlier, exception))
        {
            return wrong(
                "exception_hours",
                index,
                "shares dates with another exception",
            );
        }
    }
    Ok(())
}

fn exception_fault(exception: &ExceptionHours) -> Option<&'static str> {
    if exception.valid_from > exception.valid_through {
        return Some("valid_from is after valid_through");
    }
    match (exception.opens, exception.closes) {
        (Some(opens), Some(closes)) if opens == closes => Some("opens and closes are equal"),
        (None, None) | (Some(_), Some(_)) => None,
        _ => Some("opens and closes belong together"),
    }
}

fn collide(a: &ExceptionHours, b: &ExceptionHours) -> bool {
    let share_dates = a.valid_from <= b.valid_through && b.valid_from <= a.valid_through;
    let same_bounds = a.valid_from == b.valid_from && a.valid_through == b.valid_through;
    share_dates && !(same_bounds && a.opens.is_some() && b.opens.is_some())
}

#[cfg(test)]
mod tests;
