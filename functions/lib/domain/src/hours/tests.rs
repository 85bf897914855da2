use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn location(time_zone: &str, hours: serde_json::Value, exceptions: serde_json::Value) -> Location {
    let location = json!({
        "code": "T-01", "name": "Test", "kind": "store", "visible": true,
        "address": {"street_address": "1 Main St", "address_locality": "Town", "postal_code": "1", "address_country": "US"},
        "geo": {"latitude_e7": 0, "longitude_e7": 0}, "time_zone": time_zone,
        "hours": hours, "exception_hours": exceptions,
        "services": {"pickup": true}, "preparation_minutes": 0
    });
    serde_json::from_value(location).unwrap()
}

fn daily(opens: &str, closes: &str) -> serde_json::Value {
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    days.map(|day| json!({"day": day, "opens": opens, "closes": closes}))
        .into_iter()
        .collect()
}

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn shown(at_ms: Option<i64>) -> Option<String> {
    at_ms.map(|at| Timestamp::from_millisecond(at).unwrap().to_string())
}

#[test]
fn an_interval_includes_its_opening_and_not_its_closing() {
    let store = location("America/New_York", daily("10:00", "17:00"), json!([]));
    for (instant, open) in [
        ("2026-11-10T14:59:59.999Z", false),
        ("2026-11-10T15:00:00Z", true),
        ("2026-11-10T21:59:59.999Z", true),
        ("2026-11-10T22:00:00Z", false),
    ] {
        assert_eq!(is_open_at(&store, at(instant)), open, "{instant}");
    }
}

#[test]
fn a_late_night_belongs_to_the_day_before() {
    let bar = location(
        "UTC",
        json!([{"day": "friday", "opens": "20:00", "closes": "02:00"}]),
        json!([]),
    );
    assert!(is_open_at(&bar, at("2026-11-14T01:59:00Z")));
    assert!(!is_open_at(&bar, at("2026-11-14T02:00:00Z")));
    assert!(!is_open_at(&bar, at("2026-11-13T01:00:00Z")));
}

#[test]
fn the_whole_date_has_no_closed_last_minute() {
    let kiosk = location("Europe/Berlin", daily("00:00", "23:59"), json!([]));
    assert!(is_open_at(&kiosk, at("2026-11-10T22:59:30Z")));
    assert_eq!(
        opening_after(&kiosk, at("2026-11-10T22:59:30Z")),
        Some(at("2026-11-10T22:59:30Z"))
    );
}

#[test]
fn an_exception_replaces_the_day_and_ends_the_night_before() {
    let closed =
        json!([{"title": "Holiday", "valid_from": "2026-11-14", "valid_through": "2026-11-14"}]);
    let bar = location("UTC", daily("20:00", "02:00"), closed);
    assert!(is_open_at(&bar, at("2026-11-13T23:59:00Z")));
    assert!(!is_open_at(&bar, at("2026-11-14T00:00:00Z")));
    assert!(!is_open_at(&bar, at("2026-11-15T01:00:00Z")));
    assert_eq!(
        shown(opening_after(&bar, at("2026-11-14T00:00:00Z"))).as_deref(),
        Some("2026-11-15T20:00:00Z")
    );

    let festival = json!([{"valid_from": "2026-11-13", "valid_through": "2026-11-14", "opens": "22:00", "closes": "04:00"}]);
    let bar = location("UTC", daily("20:00", "02:00"), festival);
    assert!(
        is_open_at(&bar, at("2026-11-14T03:00:00Z")),
        "carried within the exception"
    );
    assert!(
        is_open_at(&bar, at("2026-11-15T03:00:00Z")),
        "carried into a regular day"
    );
    assert!(
        !is_open_at(&bar, at("2026-11-13T01:00:00Z")),
        "the exception took over at midnight"
    );
}

#[test]
fn labels_that_the_clocks_skip_open_after_the_gap() {
    // 2026-03-08, New York: 02:00 becomes 03:00 at 07:00 UTC.
    let store = location("America/New_York", daily("02:30", "04:00"), json!([]));
    assert_eq!(
        shown(opening_after(&store, at("2026-03-08T05:00:00Z"))).as_deref(),
        Some("2026-03-08T07:00:00Z")
    );
    let never = location("America/New_York", daily("02:10", "02:50"), json!([]));
    assert_eq!(
        shown(opening_after(&never, at("2026-03-08T05:00:00Z"))).as_deref(),
        Some("2026-03-09T06:10:00Z")
    );
}

#[test]
fn labels_that_the_clocks_repeat_are_open_twice() {
    // 2026-11-01, New York: 02:00 becomes 01:00 again at 06:00 UTC.
    let store = location("America/New_York", daily("01:00", "01:30"), json!([]));
    for (instant, open) in [
        ("05:00", true),
        ("05:30", false),
        ("06:00", true),
        ("06:30", false),
    ] {
        assert_eq!(
            is_open_at(&store, at(&format!("2026-11-01T{instant}:00Z"))),
            open,
            "{instant}"
        );
    }
    assert_eq!(
        shown(ready_at_ms(&store, at("2026-11-01T05:00:00Z"), 45)).as_deref(),
        Some("2026-11-01T06:15:00Z")
    );
}

#[test]
fn goods_are_picked_while_the_store_is_open() {
    let store = location("Europe/Paris", daily("10:00", "18:00"), json!([]));
    let ready = |now: &str| shown(ready_at_ms(&store, at(now), 120));
    assert_eq!(
        ready("2026-11-10T12:00:00Z").as_deref(),
        Some("2026-11-10T14:00:00Z")
    );
    assert_eq!(
        ready("2026-11-10T16:30:00Z").as_deref(),
        Some("2026-11-11T10:30:00Z"),
        "half an hour today, the rest tomorrow"
    );
    assert_eq!(
        ready("2026-11-10T15:00:00Z").as_deref(),
        Some("2026-11-11T09:00:00Z"),
        "not at the moment of closing"
    );
    assert_eq!(
        ready("2026-11-10T02:00:00Z").as_deref(),
        Some("2026-11-10T11:00:00Z")
    );
}

#[test]
fn unknown_hours_promise_nothing() {
    assert_eq!(
        opening_after(&location("UTC", json!([]), json!([])), 0),
        None
    );
    assert_eq!(
        ready_at_ms(
            &location("Mars/Olympus", daily("00:00", "23:59"), json!([])),
            0,
            1
        ),
        None
    );
    assert!(!is_open_at(
        &location("UTC", daily("00:00", "23:59"), json!([])),
        i64::MAX
    ));
}

#[test]
fn schedules_that_ucp_forbids_are_named() {
    let path = |hours, exceptions| {
        location("UTC", hours, exceptions)
            .validate()
            .map_err(|error| error.path)
    };
    assert_eq!(path(daily("09:00", "18:00"), json!([])), Ok(()));
    assert_eq!(
        path(daily("00:00", "00:00"), json!([])),
        Err("hours[0]".into())
    );
    let exceptions = json!([
        {"valid_from": "2026-12-24", "valid_through": "2026-12-26"},
        {"valid_from": "2026-12-25", "valid_through": "2026-12-25", "opens": "10:00", "closes": "12:00"}
    ]);
    assert_eq!(
        path(json!([]), exceptions),
        Err("exception_hours[1]".into())
    );
    let backwards = json!([{"valid_from": "2026-12-26", "valid_through": "2026-12-24"}]);
    assert_eq!(path(json!([]), backwards), Err("exception_hours[0]".into()));
    let half =
        json!([{"valid_from": "2026-12-24", "valid_through": "2026-12-24", "opens": "10:00"}]);
    assert_eq!(path(json!([]), half), Err("exception_hours[0]".into()));
}

#[test]
fn times_of_day_are_two_digits_each() {
    for text in ["24:00", "9:00", "09:60", "09-00", "+9:00", "09:0", ""] {
        assert!(TimeOfDay::try_from(text.to_owned()).is_err(), "{text}");
    }
}

prop_compose! {
    fn schedule()(
        zone in prop::sample::select(vec!["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata"]),
        entries in prop::collection::vec((0usize..7, 0u16..1440, 0u16..1440), 1..6),
        exceptions in prop::collection::vec((0i64..5, prop::option::of((0u16..1440, 0u16..1440))), 0..3),
        start in prop::sample::select(vec![date(2026, 3, 7), date(2026, 3, 28), date(2026, 10, 24), date(2026, 10, 31), date(2026, 4, 4)]),
        minute in 0i64..2880,
    ) -> (Location, i64) {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let time = |minutes: u16| String::from(TimeOfDay(minutes));
        let hours = entries.iter().map(|(day, opens, closes)| json!({"day": days[*day], "opens": time(*opens), "closes": time(*closes)}));
        let mut taken = std::collections::BTreeSet::new();
        let exceptions = exceptions.iter().filter(|(day, _)| taken.insert(*day)).map(|(day, interval)| {
            let on = start.checked_add(day.days()).unwrap();
            let mut exception = json!({"valid_from": on.to_string(), "valid_through": on.to_string()});
            if let Some((opens, closes)) = interval {
                exception["opens"] = time(*opens).into();
                exception["closes"] = time(*closes).into();
            }
            exception
        });
        let from = start.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond() + minute * 60_000;
        (location(zone, hours.collect(), exceptions.collect()), from)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against the plainest possible reading: look at the clock once a minute.
    #[test]
    fn the_next_opening_is_the_first_open_minute((location, from) in schedule()) {
        let scanned = (0..12 * 1440).map(|minute| from + minute * 60_000).find(|at| is_open_at(&location, *at));
        let found = opening_after(&location, from);
        if scanned.is_some() {
            prop_assert_eq!(found, scanned);
        }
    }

    #[test]
    fn a_promise_falls_inside_opening_hours_after_just_the_work((location, from) in schedule(), minutes in 0i64..600) {
        let Some(ready) = ready_at_ms(&location, from, minutes) else { return Ok(()) };
        prop_assert!(is_open_at(&location, ready));
        prop_assume!(ready - from < 20 * 86_400_000);
        let worked = (from..ready).step_by(60_000).filter(|at| is_open_at(&location, *at)).count();
        prop_assert_eq!(worked as i64, minutes);
    }

    #[test]
    fn a_longer_preparation_is_never_ready_earlier((location, from) in schedule(), minutes in 0i64..600, more in 0i64..600) {
        if let (Some(sooner), Some(later)) = (ready_at_ms(&location, from, minutes), ready_at_ms(&location, from, minutes + more)) {
            prop_assert!(sooner <= later);
        }
    }
}
