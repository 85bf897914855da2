use serde_json::json;

use super::*;
use crate::sourcing::tests::location;
use crate::transfer::{PlannedTransfer, Requester};

/// Wednesday 2026-07-01, 02:00 in Berlin.
const NOW_MS: i64 = 1_782_864_000_000;

/// Leaves at 16:00 each day, takes a day; both ends are always open.
struct Scene {
    from: Location,
    to: Location,
    lane: Lane,
    policy: TransferPolicy,
}

fn scene() -> Scene {
    let lane = json!({
        "from_location_id": "from", "to_location_id": "to", "cut_off": "16:00", "transit_minutes": 1440,
        "days": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    });
    Scene {
        from: location("from", "store"),
        to: location("to", "store"),
        lane: serde_json::from_value(lane).unwrap(),
        policy: TransferPolicy::default(),
    }
}

impl Scene {
    fn way(&self) -> Way<'_> {
        Way {
            from: Some(&self.from),
            to: Some(&self.to),
            lane: Some(&self.lane),
        }
    }

    fn eta(&self) -> Eta {
        lane::eta(&self.lane, &self.from, &self.to, &self.policy, NOW_MS).unwrap()
    }

    fn look(&self, status: Status, now_ms: i64) -> Found {
        look(status, &self.eta(), self.way(), &self.policy, now_ms)
    }

    fn slip(&self, status: Status, now_ms: i64) -> (Eta, &'static str) {
        match self.look(status, now_ms) {
            Found::Slipped { eta, why } => (eta, why),
            found => panic!("{status:?}: {found:?}"),
        }
    }

    fn is_on_time(&self, status: Status, now_ms: i64) -> bool {
        matches!(self.look(status, now_ms), Found::OnTime { look_again_ms } if look_again_ms > now_ms)
    }
}

#[test]
fn a_departure_is_awaited_for_a_while_and_then_the_next_one_counts() {
    let scene = scene();
    let departs_ms = scene.eta().departs_at_ms;
    for status in [Status::Approved, Status::Picking] {
        assert_eq!(first_look_ms(status, &scene.eta()), Some(departs_ms));
        assert!(scene.is_on_time(status, departs_ms + HOUR_MS));
        let (eta, why) = scene.slip(status, departs_ms + HOUR_MS + 1);
        assert_eq!(
            (eta.departs_at_ms, eta.ready_at_ms, why),
            (
                departs_ms + DAY_MS,
                scene.eta().ready_at_ms + DAY_MS,
                MISSED_DEPARTURE
            )
        );
    }
}

#[test]
fn a_request_slips_when_it_cannot_be_picked_in_time_any_more() {
    let scene = scene();
    let departs_ms = scene.eta().departs_at_ms;
    for status in [Status::Reserved, Status::Requested] {
        assert!(scene.is_on_time(status, departs_ms - HOUR_MS));
        let (eta, why) = scene.slip(status, departs_ms - HOUR_MS + 1);
        assert_eq!(
            (eta.departs_at_ms, why),
            (departs_ms + DAY_MS, NOT_DECIDED_IN_TIME)
        );
    }
    let approved = |now_ms| on_approval(&scene.eta(), scene.way(), &scene.policy, now_ms);
    assert_eq!(approved(departs_ms - HOUR_MS), None);
    let late = approved(departs_ms).unwrap();
    assert_eq!(late.departs_at_ms, departs_ms + DAY_MS);
}

#[test]
fn goods_on_the_road_are_expected_a_day_later_each_time() {
    let scene = scene();
    let (arrives_ms, ready_ms) = (scene.eta().arrives_at_ms, scene.eta().ready_at_ms);
    assert!(scene.is_on_time(Status::InTransit, ready_ms + HOUR_MS));
    let (eta, why) = scene.slip(Status::InTransit, ready_ms + HOUR_MS + 1);
    assert_eq!(
        (eta.arrives_at_ms, why),
        (arrives_ms + DAY_MS, MISSED_ARRIVAL)
    );
    let (eta, _) = scene.slip(Status::InTransit, ready_ms + 50 * HOUR_MS);
    assert_eq!(eta.arrives_at_ms, arrives_ms + 3 * DAY_MS);
    assert_eq!(eta.departs_at_ms, scene.eta().departs_at_ms);
}

#[test]
fn without_its_lane_the_same_hours_of_another_day_are_promised() {
    let scene = scene();
    let eta = scene.eta();
    let way = Way {
        lane: None,
        ..scene.way()
    };
    let found = look(
        Status::Approved,
        &eta,
        way,
        &scene.policy,
        eta.departs_at_ms + 2 * HOUR_MS,
    );
    let Found::Slipped { eta: later, .. } = found else {
        panic!("{found:?}")
    };
    assert_eq!(later.departs_at_ms, eta.departs_at_ms + DAY_MS);
    assert_eq!(later.ready_at_ms, eta.ready_at_ms + DAY_MS);
}

#[test]
fn what_is_over_needs_no_look() {
    let scene = scene();
    for status in [
        Status::Received,
        Status::Closed,
        Status::Refused,
        Status::Cancelled,
        Status::Expired,
    ] {
        assert_eq!(first_look_ms(status, &scene.eta()), None);
        assert_eq!(scene.look(status, NOW_MS), Found::Over);
    }
}

#[test]
fn the_slip_counts_from_the_first_promise() {
    let scene = scene();
    let planned = PlannedTransfer {
        from_location_id: "from".into(),
        to_location_id: "to".into(),
        units: Vec::new(),
        eta: scene.eta(),
        considered: Vec::new(),
    };
    let mut doc = TransferDoc::new(Requester::Shopper, &planned);
    let mut slips = |by_ms: i64| {
        let eta = Eta {
            ready_at_ms: doc.eta.ready_at_ms + by_ms,
            ..doc.eta.clone()
        };
        doc.move_eta(eta, NOW_MS, MISSED_DEPARTURE);
        slips_too_far(&doc, &scene.policy)
    };
    assert!(!slips(0) && !slips(20 * HOUR_MS) && !slips(4 * HOUR_MS));
    assert!(slips(1));
}
