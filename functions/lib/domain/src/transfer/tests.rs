use serde_json::json;

use super::*;
use crate::plan::StockLevel;
use crate::sourcing::tests::location;

const NOW_MS: i64 = 1_782_864_000_000;
const EVERY_DAY: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

fn lane(from: &str, to: &str, transit_minutes: i64) -> Lane {
    serde_json::from_value(json!({
        "from_location_id": from, "to_location_id": to, "days": EVERY_DAY, "cut_off": "16:00",
        "transit_minutes": transit_minutes
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

fn places() -> Vec<Location> {
    vec![
        location("here", "store"),
        location("near", "store"),
        location("slow", "store"),
        location("hub", "warehouse"),
    ]
}

fn ask(
    demand: &[(&str, i64)],
    stock: &Availability,
    policies: &Policies,
) -> Result<Quote, NoTransfer> {
    let places = places();
    let lanes = [lane("near", "here", 60), lane("slow", "here", 6_000)];
    let demand = Demand::sum(demand.iter().copied());
    quote(
        &demand, stock, &places[0], &places, &lanes, policies, NOW_MS,
    )
}

fn sent(quote: &Quote) -> Vec<(&str, i64)> {
    let transfers = quote.transfers.iter();
    transfers
        .map(|planned| (planned.from_location_id.as_str(), planned.pieces()))
        .collect()
}

fn why(considered: &[Considered], id: &str) -> Vec<SourcingReason> {
    let place = considered.iter().find(|place| place.location_id == id);
    place.map(|place| place.reasons.clone()).unwrap_or_default()
}

#[test]
fn the_earliest_source_that_has_everything_is_proposed() {
    let stock = stock(&[
        ("A", "near", 1),
        ("A", "slow", 5),
        ("A", "hub", 9),
        ("A", "here", 9),
    ]);
    let one = ask(&[("A", 1)], &stock, &Policies::default()).unwrap();
    assert_eq!(sent(&one), [("near", 1)]);
    assert_eq!(one.ready_at_ms, one.transfers[0].eta.ready_at_ms);
    assert_eq!(why(&one.considered, "slow"), [SourcingReason::Later]);
    assert_eq!(why(&one.considered, "hub"), [SourcingReason::NoLane]);
    assert_eq!(
        why(&one.considered, "here"),
        [],
        "a place sends nothing to itself"
    );
    let three = ask(&[("A", 3)], &stock, &Policies::default()).unwrap();
    assert_eq!(
        sent(&three),
        [("slow", 3)],
        "one parcel before an early one"
    );
    assert_eq!(why(&three.considered, "near"), [SourcingReason::NotEnough]);
}

#[test]
fn several_sources_serve_one_request_as_far_as_the_policy_goes() {
    let stock = stock(&[("A", "near", 2), ("A", "slow", 2)]);
    let mut policies = Policies::default();
    let both = ask(&[("A", 3)], &stock, &policies).unwrap();
    assert_eq!(sent(&both), [("near", 2), ("slow", 1)]);
    let last = both
        .transfers
        .iter()
        .map(|planned| planned.eta.ready_at_ms)
        .max();
    assert_eq!(Some(both.ready_at_ms), last);
    policies.transfers.max_sources = 1;
    let refused = ask(&[("A", 3)], &stock, &policies).unwrap_err();
    assert_eq!(refused.reason, NoTransferReason::TooManySources);
    assert_eq!(refused.shortages[0].available, 2);
}

#[test]
fn a_refusal_says_what_is_missing_and_who_was_asked() {
    let few = stock(&[("A", "near", 1), ("A", "hub", 9)]);
    let refused = ask(&[("A", 3)], &few, &Policies::default()).unwrap_err();
    assert_eq!(refused.reason, NoTransferReason::NotEnough);
    assert_eq!(
        (
            refused.shortages[0].requested,
            refused.shortages[0].available
        ),
        (3, 1)
    );
    assert_eq!(
        why(&refused.considered, "near"),
        [SourcingReason::NotEnough]
    );
    assert_eq!(
        why(&refused.considered, "slow"),
        [SourcingReason::OutOfStock]
    );
    assert_eq!(why(&refused.considered, "hub"), [SourcingReason::NoLane]);
    let nothing = ask(&[], &few, &Policies::default()).unwrap_err();
    assert_eq!(nothing.reason, NoTransferReason::NothingWanted);
}

#[test]
fn who_does_not_transfer_or_cannot_promise_is_no_source() {
    let stock = stock(&[("A", "near", 1), ("A", "slow", 1)]);
    let mut places = places();
    places[1].services.transfer = false;
    places[2].hours = Default::default();
    let lanes = [lane("near", "here", 60), lane("slow", "here", 60)];
    let demand = Demand::sum([("A", 1)]);
    let refused = quote(
        &demand,
        &stock,
        &places[0],
        &places,
        &lanes,
        &Policies::default(),
        NOW_MS,
    )
    .unwrap_err();
    assert_eq!(refused.reason, NoTransferReason::NoSource);
    assert_eq!(
        why(&refused.considered, "near"),
        [SourcingReason::DoesNotTransfer]
    );
    assert_eq!(why(&refused.considered, "slow"), [SourcingReason::Closed]);
}

#[test]
fn a_transfer_only_moves_as_its_life_allows() {
    use Status::*;
    let legal = [
        (Reserved, vec![Requested, Approved, Cancelled, Expired]),
        (Requested, vec![Approved, Refused, Cancelled, Expired]),
        (Approved, vec![Picking, InTransit, Refused, Cancelled]),
        (Picking, vec![InTransit, Refused, Cancelled]),
        (InTransit, vec![Received]),
        (Received, vec![Closed]),
        (Closed, vec![]),
        (Refused, vec![]),
        (Cancelled, vec![]),
        (Expired, vec![]),
    ];
    for (from, allowed) in legal {
        for next in Status::ALL {
            assert_eq!(
                from.may_become(next),
                allowed.contains(&next),
                "{from:?} -> {next:?}"
            );
        }
        assert_eq!(Status::parse(from.name()), Some(from));
        let ends = allowed.is_empty() || from == Received;
        assert_eq!(from.is_open(), !ends, "{from:?}");
    }
    assert_eq!(Status::parse("lost"), None);
}

#[test]
fn a_moved_promise_is_remembered() {
    let stock = stock(&[("A", "near", 1)]);
    let quote = ask(&[("A", 1)], &stock, &Policies::default()).unwrap();
    let mut doc = TransferDoc::new(Requester::Shopper, &quote.transfers[0]);
    let before = doc.eta.clone();
    doc.move_eta(before.clone(), NOW_MS, "reported");
    assert!(doc.eta_history.is_empty());
    let later = Eta {
        ready_at_ms: before.ready_at_ms + 60_000,
        ..before.clone()
    };
    doc.move_eta(later.clone(), NOW_MS, "reported");
    assert_eq!(doc.eta, later);
    assert_eq!(doc.eta_history[0].ready_at_ms_before, before.ready_at_ms);
    let written = serde_json::to_string(&doc).unwrap();
    assert_eq!(serde_json::from_str::<TransferDoc>(&written).unwrap(), doc);
}
