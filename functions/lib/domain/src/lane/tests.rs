use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::hours::ExceptionHours;
use crate::sourcing::tests::location;

const WEEK: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

fn place(time_zone: &str, days: &[&str], opens: &str, closes: &str) -> Location {
    let hours: Vec<Value> = days
        .iter()
        .map(|day| json!({"day": day, "opens": opens, "closes": closes}))
        .collect();
    Location {
        time_zone: time_zone.into(),
        hours: serde_json::from_value(json!(hours)).unwrap(),
        ..location(time_zone, "store")
    }
}

fn lane(days: &[&str], cut_off: &str, transit_minutes: i64) -> Lane {
    serde_json::from_value(json!({
        "from_location_id": "from", "to_location_id": "to",
        "days": days, "cut_off": cut_off, "transit_minutes": transit_minutes
    }))
    .unwrap()
}

fn closed_on(date: &str) -> ExceptionHours {
    serde_json::from_value(json!({"valid_from": date, "valid_through": date})).unwrap()
}

fn policy(picking_minutes: i64, receiving_minutes: i64) -> TransferPolicy {
    TransferPolicy {
        picking_minutes,
        receiving_minutes,
        ..TransferPolicy::default()
    }
}

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// Picked, gone, there and ready, in UTC.
fn steps(eta: &Eta) -> [String; 4] {
    [
        eta.picked_by_ms,
        eta.departs_at_ms,
        eta.arrives_at_ms,
        eta.ready_at_ms,
    ]
    .map(crate::instant::rfc3339)
}

#[test]
fn goods_are_picked_sent_and_received_while_somebody_is_there() {
    let from = place("Europe/Berlin", &WEEK, "10:00", "18:00");
    let to = place("Europe/London", &WEEK, "09:00", "17:00");
    let lane = lane(&WEEK, "14:00", 20 * 60);
    let eta = eta(
        &lane,
        &from,
        &to,
        &policy(60, 90),
        at("2026-11-10T08:00:00Z"),
    )
    .unwrap();
    assert_eq!(
        steps(&eta),
        [
            "2026-11-10T10:00:00Z",
            "2026-11-10T13:00:00Z",
            "2026-11-11T09:00:00Z",
            "2026-11-11T10:30:00Z"
        ]
    );
    assert_eq!(eta.reasons, [EtaReason::SourceOpensLater]);
}

#[test]
fn what_is_picked_at_the_cut_off_still_leaves_and_a_minute_later_does_not() {
    let from = place("Europe/Berlin", &WEEK, "10:00", "18:00");
    let lane = lane(&["tuesday", "thursday"], "14:00", 60);
    let leaves = |now: &str| eta(&lane, &from, &from, &policy(60, 0), at(now)).unwrap();
    let in_time = leaves("2026-11-10T12:00:00Z");
    assert_eq!(steps(&in_time)[1], "2026-11-10T13:00:00Z");
    assert_eq!(in_time.reasons, []);
    let late = leaves("2026-11-10T12:01:00Z");
    assert_eq!(steps(&late)[1], "2026-11-12T13:00:00Z");
    assert_eq!(
        late.reasons,
        [EtaReason::AfterCutOff, EtaReason::NoDepartureThatDay]
    );
}

#[test]
fn a_holiday_moves_the_promise_at_either_end() {
    let mut from = place("Europe/Berlin", &WEEK, "10:00", "18:00");
    let mut to = from.clone();
    let lane = lane(&WEEK, "14:00", 22 * 60);
    let promise = |from: &Location, to: &Location| {
        eta(&lane, from, to, &policy(60, 60), at("2026-12-23T09:00:00Z")).unwrap()
    };
    assert_eq!(steps(&promise(&from, &to))[3], "2026-12-24T12:00:00Z");
    to.exception_hours.push(closed_on("2026-12-24"));
    let later = promise(&from, &to);
    assert_eq!(steps(&later)[3], "2026-12-25T10:00:00Z");
    assert_eq!(later.reasons, [EtaReason::DestinationOpensLater]);
    from.exception_hours.push(closed_on("2026-12-23"));
    let later = promise(&from, &from.clone());
    assert_eq!(steps(&later)[1], "2026-12-24T13:00:00Z");
    assert_eq!(later.reasons, [EtaReason::SourceOpensLater]);
}

#[test]
fn nothing_leaves_on_a_day_on_which_the_source_is_closed() {
    let mut from = place("Europe/Berlin", &WEEK, "10:00", "18:00");
    from.exception_hours.push(closed_on("2026-11-12"));
    let lane = lane(&["thursday"], "14:00", 60);
    let eta = eta(
        &lane,
        &from,
        &from,
        &policy(60, 0),
        at("2026-11-10T09:00:00Z"),
    )
    .unwrap();
    assert_eq!(steps(&eta)[1], "2026-11-19T13:00:00Z");
    assert_eq!(
        eta.reasons,
        [
            EtaReason::NoDepartureThatDay,
            EtaReason::SourceClosedThatDay
        ]
    );
}

fn short_day(date: &str, opens: &str, closes: &str) -> ExceptionHours {
    serde_json::from_value(json!({
        "valid_from": date, "valid_through": date, "opens": opens, "closes": closes
    }))
    .unwrap()
}

#[test]
fn shortened_hours_of_the_source_move_the_departure() {
    let mut from = place("Europe/Berlin", &WEEK, "10:00", "20:00");
    let leaves = |from: &Location, cut_off: &str, now: &str| {
        let lane = lane(&WEEK, cut_off, 60);
        let eta = eta(&lane, from, from, &policy(60, 0), at(now)).unwrap();
        (steps(&eta)[1].clone(), eta.reasons)
    };
    let regular = "2026-12-24T15:00:00Z".to_owned();
    let morning = "2026-12-24T09:30:00Z";
    assert_eq!(leaves(&from, "16:00", morning), (regular, vec![]));
    from.exception_hours
        .push(short_day("2026-12-24", "10:00", "14:00"));
    assert_eq!(
        leaves(&from, "16:00", morning),
        (
            "2026-12-25T15:00:00Z".into(),
            vec![EtaReason::SourceClosedAtCutOff]
        ),
        "nobody is there at the cut-off"
    );
    assert_eq!(
        leaves(&from, "14:00", morning).0,
        "2026-12-24T13:00:00Z",
        "just as the doors close"
    );
    assert_eq!(
        leaves(&from, "13:00", "2026-12-24T12:30:00Z"),
        (
            "2026-12-25T12:00:00Z".into(),
            vec![EtaReason::SourceClosesFirst]
        ),
        "not picked before the doors close"
    );
    assert_eq!(
        leaves(&from, "21:00", morning).0,
        "2026-12-24T20:00:00Z",
        "who comes after the regular hours needs nobody there"
    );
    from.exception_hours[0] = short_day("2026-12-24", "18:00", "20:00");
    assert_eq!(
        leaves(&from, "16:00", "2026-12-23T16:00:00Z"),
        (
            "2026-12-25T15:00:00Z".into(),
            vec![EtaReason::AfterCutOff, EtaReason::SourceClosedAtCutOff]
        ),
        "a cut-off before the doors open"
    );
}

#[test]
fn shortened_hours_of_the_destination_move_the_arrival() {
    let from = place("Europe/Berlin", &WEEK, "10:00", "20:00");
    let mut to = from.clone();
    let lane = lane(&WEEK, "14:00", 23 * 60);
    let promise = |to: &Location| {
        let eta = eta(
            &lane,
            &from,
            to,
            &policy(0, 120),
            at("2026-12-23T10:00:00Z"),
        )
        .unwrap();
        (steps(&eta)[3].clone(), eta.reasons)
    };
    assert_eq!(promise(&to), ("2026-12-24T14:00:00Z".into(), vec![]));
    to.exception_hours
        .push(short_day("2026-12-24", "10:00", "14:00"));
    assert_eq!(
        promise(&to),
        (
            "2026-12-25T10:00:00Z".into(),
            vec![EtaReason::DestinationClosesFirst]
        ),
        "one hour that day, the other one the day after"
    );
}

#[test]
fn an_extra_day_of_opening_has_its_own_hours() {
    let mut from = place("Europe/Berlin", &WEEK[..6], "10:00", "20:00");
    from.exception_hours
        .push(short_day("2026-12-06", "13:00", "18:00"));
    let leaves = |cut_off: &str| {
        let now = at("2026-12-05T18:00:00Z");
        let lane = lane(&["sunday", "monday"], cut_off, 60);
        steps(&eta(&lane, &from, &from, &policy(60, 0), now).unwrap())[1].clone()
    };
    assert_eq!(leaves("16:00"), "2026-12-06T15:00:00Z");
    assert_eq!(leaves("12:00"), "2026-12-07T11:00:00Z");
}

#[test]
fn the_cut_off_is_the_time_on_the_wall_whatever_the_clocks_do() {
    let from = place("Europe/Berlin", &WEEK, "00:00", "23:59");
    let leaves = |cut_off: &str, now: &str| {
        steps(
            &eta(
                &lane(&WEEK, cut_off, 0),
                &from,
                &from,
                &policy(0, 0),
                at(now),
            )
            .unwrap(),
        )[1]
        .clone()
    };
    assert_eq!(
        leaves("14:00", "2026-03-28T12:00:00Z"),
        "2026-03-28T13:00:00Z"
    );
    assert_eq!(
        leaves("14:00", "2026-03-28T14:00:00Z"),
        "2026-03-29T12:00:00Z",
        "summer time began"
    );
    assert_eq!(
        leaves("02:30", "2026-03-28T14:00:00Z"),
        "2026-03-29T01:30:00Z",
        "a label that is skipped"
    );
    assert_eq!(
        leaves("02:30", "2026-10-24T14:00:00Z"),
        "2026-10-25T00:30:00Z",
        "of two, the first"
    );
}

#[test]
fn without_hours_days_or_a_time_zone_there_is_no_promise() {
    let open = place("Europe/Berlin", &WEEK, "10:00", "18:00");
    let unknown = place("Europe/Berlin", &[], "10:00", "18:00");
    let nowhere = place("Mars/Olympus", &WEEK, "10:00", "18:00");
    let daily = lane(&WEEK, "14:00", 60);
    let now = at("2026-11-10T09:00:00Z");
    for (lane, from, to) in [
        (&daily, &unknown, &open),
        (&daily, &open, &unknown),
        (&daily, &nowhere, &open),
        (&lane(&[], "14:00", 60), &open, &open),
    ] {
        assert_eq!(eta(lane, from, to, &policy(60, 60), now), None);
    }
    let weekend = place("Europe/Berlin", &["saturday"], "10:00", "18:00");
    assert_eq!(
        eta(
            &lane(&["monday"], "14:00", 60),
            &weekend,
            &open,
            &policy(60, 60),
            now
        ),
        None
    );
}

proptest! {
    #[test]
    fn a_promise_is_in_order_and_kept_by_who_is_there(
        now_ms in 1_750_000_000_000_i64..1_850_000_000_000,
        (picking, receiving, transit) in (0..600_i64, 0..600_i64, 0..10_000_i64),
        days in prop::sample::subsequence(WEEK.to_vec(), 1..7),
        cut_off in (0..24_u8, 0..60_u8),
        zones in prop::sample::select(vec![("America/New_York", "Europe/Berlin"), ("Asia/Kolkata", "Pacific/Auckland")]),
    ) {
        let (from, to) = (place(zones.0, &WEEK[..6], "09:30", "20:00"), place(zones.1, &WEEK[1..], "18:00", "02:00"));
        let lane = Lane { cut_off: TimeOfDay::new(cut_off.0, cut_off.1).unwrap(), ..lane(&days, "00:00", transit) };
        let Some(promise) = eta(&lane, &from, &to, &policy(picking, receiving), now_ms) else {
            prop_assert_eq!(&days, &["sunday"], "the source is open on every other day");
            return Ok(());
        };
        prop_assert!(now_ms <= promise.picked_by_ms);
        prop_assert!(promise.picked_by_ms <= promise.departs_at_ms);
        prop_assert_eq!(promise.departs_at_ms + transit * MINUTE_MS, promise.arrives_at_ms);
        prop_assert!(promise.arrives_at_ms <= promise.ready_at_ms);
        prop_assert!(hours::is_open_at(&from, promise.picked_by_ms) && hours::is_open_at(&to, promise.ready_at_ms));
        let zone = TimeZone::get(&from.time_zone).unwrap();
        let departs = hours::local(&zone, promise.departs_at_ms).unwrap();
        prop_assert!(lane.days.contains(&Weekday::from(departs.date().weekday())));
        let later = eta(&lane, &from, &to, &policy(picking, receiving), now_ms + 3_600_000).unwrap();
        prop_assert!(later.ready_at_ms >= promise.ready_at_ms, "asking later is never faster");
    }
}
