use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::plan::StockLevel;
use crate::policy::SourcingPolicy;

const SKUS: [&str; 3] = ["A", "B", "C"];
const PLACES: [&str; 5] = ["bergen", "lund", "oslo", "rome", "wien"];
const RULES: [SourcingRule; 5] = [
    SourcingRule::Nearest,
    SourcingRule::FewestPackages,
    SourcingRule::ProtectLowStock,
    SourcingRule::PreferWarehouse,
    SourcingRule::Earliest,
];

/// A place that is always open, whose id is its name.
pub(crate) fn location(id: &str, kind: &str) -> Location {
    let week: Vec<_> = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
    .iter()
    .map(|day| json!({"day": day, "opens": "00:00", "closes": "23:59"}))
    .collect();
    serde_json::from_value(json!({
        "id": id, "code": id.to_uppercase(), "name": id, "kind": kind, "visible": kind == "store",
        "address": {"street_address": "1 High Street", "address_locality": "X", "postal_code": "1", "address_country": "DE"},
        "geo": {"latitude_e7": 0, "longitude_e7": 0}, "time_zone": "Europe/Berlin", "hours": week,
        "services": {"pickup": kind == "store", "ship": true, "transfer": true}, "preparation_minutes": 0,
    }))
    .unwrap()
}

fn stock(units: &[(&str, &str, i64)]) -> Availability {
    let level = |(sku, place, on_hand): &(&str, &str, i64)| StockLevel {
        sku: (*sku).into(),
        location_id: (*place).into(),
        on_hand: *on_hand,
        reserved: 0,
        safety: 0,
    };
    Availability::new(&units.iter().map(level).collect::<Vec<_>>())
}

/// The places with their distances and when goods from them are ready.
fn candidates(locations: &[Location], facts: &[(i64, i64)]) -> Vec<Candidate<'static>> {
    let leaked: &'static [Location] = Box::leak(locations.to_vec().into_boxed_slice());
    leaked
        .iter()
        .zip(facts)
        .map(|(location, (distance_m, ready_at_ms))| Candidate {
            location,
            distance_m: Some(*distance_m),
            ready_at_ms: Some(*ready_at_ms),
        })
        .collect()
}

fn all_places() -> Vec<Location> {
    PLACES.map(|place| location(place, "store")).to_vec()
}

fn near_and_far() -> Vec<Candidate<'static>> {
    let places = [
        location("bergen", "store"),
        location("lund", "warehouse"),
        location("oslo", "store"),
    ];
    candidates(&places, &[(300, 10), (200, 30), (100, 20)])
}

fn chosen(decision: &Decision) -> Vec<&str> {
    let chosen = decision.considered.iter().filter(|place| place.chosen);
    chosen.map(|place| place.location_id.as_str()).collect()
}

fn reasons<'a>(decision: &'a Decision, id: &str) -> &'a [SourcingReason] {
    let found = decision
        .considered
        .iter()
        .find(|place| place.location_id == id);
    &found.unwrap().reasons
}

#[test]
fn each_rule_decides_and_says_so() {
    let have = stock(&[("A", "bergen", 9), ("A", "lund", 3), ("A", "oslo", 2)]);
    let demand = Demand::sum([("A", 2)]);
    let with = |rule| choose(&demand, &have, &near_and_far(), &[rule], 1).unwrap();
    for (rule, winner, why, loser, why_not) in [
        (
            SourcingRule::Nearest,
            "oslo",
            SourcingReason::Nearest,
            "bergen",
            SourcingReason::Further,
        ),
        (
            SourcingRule::Earliest,
            "bergen",
            SourcingReason::Earliest,
            "lund",
            SourcingReason::Later,
        ),
        (
            SourcingRule::PreferWarehouse,
            "lund",
            SourcingReason::Warehouse,
            "oslo",
            SourcingReason::NotAWarehouse,
        ),
        (
            SourcingRule::ProtectLowStock,
            "bergen",
            SourcingReason::KeepsMost,
            "oslo",
            SourcingReason::LowStock,
        ),
    ] {
        let decision = with(rule);
        assert_eq!(chosen(&decision), [winner], "{rule:?}");
        assert_eq!(
            reasons(&decision, winner),
            [SourcingReason::HasEverything, why]
        );
        assert_eq!(reasons(&decision, loser), [why_not]);
        assert_eq!(decision.rules, [rule]);
    }
    let by_name = with(SourcingRule::FewestPackages);
    assert_eq!(chosen(&by_name), ["bergen"]);
    assert_eq!(reasons(&by_name, "lund"), [SourcingReason::LaterByName]);
}

#[test]
fn a_later_rule_only_decides_between_equals() {
    let have = stock(&[("A", "bergen", 2), ("A", "lund", 2), ("A", "oslo", 1)]);
    let demand = Demand::sum([("A", 2)]);
    let rules = [SourcingRule::FewestPackages, SourcingRule::Nearest];
    let decision = choose(&demand, &have, &near_and_far(), &rules, 3).unwrap();
    assert_eq!(
        chosen(&decision),
        ["lund"],
        "oslo is nearer and has too few"
    );
    assert_eq!(reasons(&decision, "oslo"), [SourcingReason::NotEnough]);
    let nearest = choose(&demand, &have, &near_and_far(), &[SourcingRule::Nearest], 3).unwrap();
    assert_eq!(
        chosen(&nearest),
        ["oslo", "lund"],
        "without the rule the nearest gives what it has"
    );
    assert_eq!(reasons(&nearest, "oslo")[0], SourcingReason::GivesPart);
}

#[test]
fn several_places_are_as_few_as_possible_and_no_more_than_allowed() {
    let have = stock(&[
        ("A", "bergen", 2),
        ("B", "lund", 1),
        ("A", "oslo", 1),
        ("B", "oslo", 1),
        ("A", "rome", 1),
        ("C", "rome", 1),
    ]);
    let places = candidates(&all_places(), &[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    let rules = SourcingPolicy::default().transfer;
    let demand = Demand::sum([("A", 2), ("B", 1), ("C", 1)]);
    let decision = choose(&demand, &have, &places, &rules, 3).unwrap();
    assert_eq!(chosen(&decision), ["oslo", "rome"]);
    assert_eq!(reasons(&decision, "wien"), [SourcingReason::OutOfStock]);
    assert!(choose(&demand, &have, &places, &rules, 1).is_err());
    let short = choose(&Demand::sum([("A", 9)]), &have, &places, &rules, 3).unwrap_err();
    assert_eq!((short[0].requested, short[0].available), (9, 4));
    assert!(
        choose(&Demand::default(), &have, &places, &rules, 3)
            .unwrap()
            .allocations
            .is_empty()
    );
}

#[test]
fn a_decision_among_many_places_stays_readable() {
    let many: Vec<Location> = (0..60)
        .map(|n| location(&format!("p{n:02}"), "store"))
        .collect();
    let facts: Vec<(i64, i64)> = (0..60).map(|n| (n, n)).collect();
    let units: Vec<(String, i64)> = many.iter().map(|place| (place.id.clone(), 1)).collect();
    let levels: Vec<(&str, &str, i64)> =
        units.iter().map(|(id, n)| ("A", id.as_str(), *n)).collect();
    let rules = SourcingPolicy::default().shipping;
    let wanted = Demand::sum([("A", 30)]);
    let decision = choose(
        &wanted,
        &stock(&levels),
        &candidates(&many, &facts),
        &rules,
        usize::MAX,
    )
    .unwrap();
    assert_eq!(
        (chosen(&decision).len(), decision.considered.len()),
        (30, 30)
    );
    let wanted = Demand::sum([("A", 1)]);
    let decision = choose(
        &wanted,
        &stock(&levels),
        &candidates(&many, &facts),
        &rules,
        1,
    )
    .unwrap();
    assert_eq!(decision.considered.len(), MAX_CONSIDERED);
}

fn levels() -> impl Strategy<Value = Vec<(&'static str, &'static str, i64)>> {
    let one =
        |(sku, place): (&'static str, &'static str)| (0..6_i64).prop_map(move |n| (sku, place, n));
    SKUS.iter()
        .flat_map(|sku| PLACES.iter().map(move |place| (*sku, *place)))
        .map(one)
        .collect::<Vec<_>>()
}

proptest! {
    #[test]
    fn a_choice_gives_exactly_the_demand_from_what_is_there_by_few_enough_places(
        levels in levels(),
        wanted in prop::collection::vec((prop::sample::select(&SKUS[..]), 1..8_i64), 0..4),
        facts in prop::collection::vec((0..3_i64, 0..3_i64), 5),
        rules in prop::collection::vec(prop::sample::select(&RULES[..]), 0..4),
        most in 1..5_usize,
    ) {
        let (demand, have) = (Demand::sum(wanted), stock(&levels));
        let places = candidates(&all_places(), &facts);
        let possible = (0..1_u32 << PLACES.len())
            .filter(|set| set.count_ones() as usize <= most.min(COMBINED_SOURCES))
            .any(|set| {
                let ids: Vec<&str> = PLACES.iter().enumerate().filter(|(n, _)| set >> n & 1 == 1).map(|(_, id)| *id).collect();
                have.shortages(&demand, &ids).is_empty()
            });
        match choose(&demand, &have, &places, &rules, most) {
            Ok(decision) => {
                for (sku, units) in demand.iter() {
                    let given: i64 = decision.allocations.iter().filter(|one| one.sku == sku).map(|one| one.quantity).sum();
                    prop_assert_eq!(given, units);
                }
                for one in &decision.allocations {
                    prop_assert!(one.quantity > 0 && one.quantity <= have.at(&one.sku, &one.location_id));
                }
                let used: std::collections::BTreeSet<&str> = decision.allocations.iter().map(|one| one.location_id.as_str()).collect();
                prop_assert!(used.len() <= most);
                prop_assert_eq!(used, chosen(&decision).into_iter().collect());
                prop_assert_eq!(decision.considered.len(), PLACES.len(), "everybody is accounted for");
                prop_assert!(decision.considered.iter().all(|place| !place.reasons.is_empty()));
            }
            Err(short) => {
                prop_assert!(!possible, "a set of places would have done");
                prop_assert!(!short.is_empty() && short.iter().all(|one| one.available < one.requested));
            }
        }
    }
}
