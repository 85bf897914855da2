use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::lane::Eta;
use crate::plan::StockLevel;
use crate::sourcing::tests::location;
use crate::transfer::{PlannedTransfer, Unit};

const NOW_MS: i64 = 1_782_864_000_000;
const PLACES: [&str; 3] = ["here", "near", "slow"];
const SKUS: [&str; 2] = ["A", "B"];

fn lanes() -> Vec<Lane> {
    let lane = |from: &str, transit_minutes: i64| {
        let days = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ];
        serde_json::from_value(json!({
            "from_location_id": from, "to_location_id": "here", "days": days, "cut_off": "16:00",
            "transit_minutes": transit_minutes
        }))
        .unwrap()
    };
    vec![lane("near", 60), lane("slow", 6_000)]
}

fn held(id: &str, from: &str, sku: &str, quantity: i64) -> Held {
    let unit = Unit {
        sku: sku.into(),
        quantity,
    };
    Held {
        id: id.into(),
        planned: PlannedTransfer {
            from_location_id: from.into(),
            to_location_id: "here".into(),
            units: vec![unit],
            eta: Eta {
                picked_by_ms: 0,
                departs_at_ms: 0,
                arrives_at_ms: 0,
                ready_at_ms: 0,
                reasons: vec![],
            },
            considered: vec![],
        },
    }
}

/// The stock, with what is held given back as [`Network`] expects it.
fn stock(units: &[(&str, &str, i64)], held: &[Held]) -> Availability {
    let level = |(sku, place, on_hand): &(&str, &str, i64)| StockLevel {
        sku: (*sku).into(),
        location_id: (*place).into(),
        on_hand: *on_hand,
        reserved: 0,
        safety: 0,
    };
    Availability::new(&units.iter().map(level).collect::<Vec<_>>())
        .with(held.iter().flat_map(|held| held.planned.allocations()))
}

fn plan(
    demand: &[(&str, i64)],
    units: &[(&str, &str, i64)],
    held: &[Held],
    policies: &Policies,
) -> Result<Plan, Vec<Shortage>> {
    let locations = PLACES.map(|place| location(place, "store"));
    let lanes = lanes();
    let network = Network {
        locations: &locations,
        lanes: &lanes,
        held,
        policies,
        now_ms: NOW_MS,
    };
    network.plan_at(
        &Demand::sum(demand.iter().copied()),
        &stock(units, held),
        &locations[0],
    )
}

fn brought(plan: &Plan) -> Vec<(&str, i64)> {
    let transfers = plan.transfers.iter();
    transfers
        .map(|planned| (planned.from_location_id.as_str(), planned.pieces()))
        .collect()
}

#[test]
fn the_shelf_gives_what_it_has_and_others_bring_the_rest() {
    let units = [("A", "here", 2), ("A", "near", 1), ("B", "here", 1)];
    let plan = plan(&[("A", 3), ("B", 1)], &units, &[], &Policies::default()).unwrap();
    let own: i64 = plan.allocations.iter().map(|one| one.quantity).sum();
    assert!(plan.allocations.iter().all(|one| one.location_id == "here"));
    assert_eq!((own, brought(&plan)), (3, vec![("near", 1)]));
    assert_eq!(plan.reasons, [Reason::ChosenStore, Reason::Transferred]);
}

#[test]
fn a_full_shelf_needs_nobody_and_a_brand_may_forbid_it() {
    let units = [("A", "here", 2), ("A", "near", 9)];
    let alone = plan(&[("A", 2)], &units, &[], &Policies::default()).unwrap();
    assert!(alone.transfers.is_empty());
    let mut policies = Policies::default();
    policies.transfers.for_shoppers = false;
    let short = plan(&[("A", 3)], &units, &[], &policies).unwrap_err();
    assert_eq!((short[0].requested, short[0].available), (3, 2));
}

#[test]
fn what_nobody_can_bring_is_told_for_the_whole_demand() {
    let units = [("A", "here", 2), ("A", "near", 1)];
    let short = plan(&[("A", 9)], &units, &[], &Policies::default()).unwrap_err();
    assert_eq!((short[0].requested, short[0].available), (9, 3));
}

#[test]
fn the_shoppers_own_transfer_is_taken_over_and_promised_from_now() {
    let own = [held("t", "near", "A", 1)];
    let plan = plan(
        &[("A", 3)],
        &[("A", "here", 1), ("A", "slow", 1)],
        &own,
        &Policies::default(),
    )
    .unwrap();
    assert_eq!(plan.adopted[0].id, "t");
    assert!(plan.adopted[0].planned.eta.ready_at_ms > NOW_MS);
    assert_eq!(brought(&plan), [("slow", 1)]);
}

#[test]
fn a_transfer_of_more_than_is_lacking_is_not_taken_but_does_not_stand_in_the_way() {
    let own = [held("t", "near", "A", 3)];
    let plan = plan(&[("A", 2)], &[], &own, &Policies::default()).unwrap();
    assert!(plan.adopted.is_empty());
    assert_eq!(
        brought(&plan),
        [("near", 2)],
        "from the units that it gives back"
    );
}

proptest! {
    #[test]
    fn whatever_is_where_a_plan_gives_exactly_the_demand(
        units in prop::collection::vec((prop::sample::select(&SKUS[..]), prop::sample::select(&PLACES[..]), 0..4_i64), 0..8),
        holds in prop::collection::vec((prop::sample::select(&PLACES[1..]), prop::sample::select(&SKUS[..]), 1..3_i64), 0..3),
        wanted in prop::collection::vec((prop::sample::select(&SKUS[..]), 1..5_i64), 1..4),
    ) {
        let own: Vec<Held> = holds.iter().enumerate().map(|(n, (from, sku, n_units))| held(&n.to_string(), from, sku, *n_units)).collect();
        let demand = Demand::sum(wanted.iter().copied());
        let mut there = stock(&units, &own);
        match plan(&wanted, &units, &own, &Policies::default()) {
            Ok(plan) => {
                let brought = plan.transfers().flat_map(PlannedTransfer::allocations);
                let all: Vec<_> = plan.allocations.iter().cloned().chain(brought).collect();
                for (sku, units) in demand.iter() {
                    let given: i64 = all.iter().filter(|one| one.sku == sku).map(|one| one.quantity).sum();
                    prop_assert_eq!(given, units);
                }
                for one in all {
                    prop_assert!(there.at(&one.sku, &one.location_id) >= one.quantity, "no unit is promised twice");
                    there = there.without(&Plan { allocations: vec![one], ..Plan::default() });
                }
            }
            Err(short) => prop_assert!(short.iter().all(|one| one.available < one.requested)),
        }
    }
}
