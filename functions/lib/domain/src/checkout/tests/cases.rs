use super::*;
use crate::brand::RequiredContact;
use crate::fulfillment::{Destination, PickupReason};
use crate::order::Order;

#[test]
fn shipping_becomes_ready_once_address_and_option_are_there() {
    let (brand, availability) = (brand(false), stock([("mug", "warehouse", 5)]));
    in_shop(&brand, &availability, |shop| {
        let open = opened(wanted(vec![line("mug", 2)], vec![]), shop);
        assert_eq!(open.open_status(), Status::Incomplete);
        assert_eq!(
            errors(&open),
            [
                (
                    "missing",
                    "$.fulfillment.methods[0].selected_destination_id"
                ),
                (
                    "missing",
                    "$.fulfillment.methods[0].groups[0].selected_option_id"
                ),
            ]
        );
        let ready = opened(wanted(vec![line("mug", 2)], vec![to("DE")]), shop);
        assert_eq!(
            (ready.open_status(), errors(&ready)),
            (Status::ReadyForComplete, vec![])
        );
        assert_eq!(ready.totals.subtotal_minor, 2_000);
        assert_eq!(ready.totals.fulfillment_minor, Some(490));
        assert_eq!(ready.totals.tax_minor(), 380 + 93);
        assert_eq!(ready.totals.total_minor, 2_000 + 490 + 473);
    });
}

#[test]
fn tax_follows_the_destination() {
    let (brand, availability) = (
        brand(false),
        stock([("mug", "warehouse", 5), ("mug", "store-b", 5)]),
    );
    in_shop(&brand, &availability, |shop| {
        let session = opened(wanted(vec![line("mug", 1)], vec![at("store-b")]), shop);
        assert_eq!(session.lines[0].amount.rate_ppm, 88_750);
        assert_eq!(
            (session.totals.fulfillment_minor, session.totals.tax_minor()),
            (Some(0), 89)
        );
        assert_eq!(session.open_status(), Status::ReadyForComplete);
    });
}

#[test]
fn only_stores_that_have_everything_can_be_chosen() {
    let units = [
        ("mug", "store-a", 2),
        ("tee", "store-a", 1),
        ("mug", "store-b", 9),
        ("tee", "warehouse", 9),
    ];
    let (brand, availability) = (brand(true), stock(units));
    in_shop(&brand, &availability, |shop| {
        let basket = || vec![line("mug", 1), line("mug", 1), line("tee", 1)];
        let open = opened(wanted(basket(), vec![method(MethodKind::Pickup)]), shop);
        let ids = |session: &Session| {
            session.methods[0]
                .destinations
                .iter()
                .map(|d| d.id().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(&open), ["store-a"]);
        assert_eq!(
            errors(&open),
            [(
                "missing",
                "$.fulfillment.methods[0].selected_destination_id"
            )]
        );

        let chosen = match update(&open, wanted(basket(), vec![at("store-a")]), shop).unwrap() {
            Updated::Session(session) => *session,
            Updated::Rejected(notices) => panic!("{notices:?}"),
        };
        assert_eq!(chosen.open_status(), Status::ReadyForComplete);
        assert_eq!(
            chosen
                .plan
                .allocations
                .iter()
                .map(|a| a.quantity)
                .collect::<Vec<_>>(),
            [2, 1]
        );

        for (store, code) in [
            ("store-b", "destination_unavailable"),
            ("nowhere", "destination_unknown"),
        ] {
            let Updated::Rejected(notices) =
                update(&open, wanted(basket(), vec![at(store)]), shop).unwrap()
            else {
                panic!("{store} was accepted");
            };
            assert_eq!(notices[0].code, code);
            assert_eq!(
                notices[0].path.as_deref(),
                Some("$.fulfillment.methods[0].selected_destination_id")
            );
        }
    });
}

#[test]
fn stores_come_nearest_first_with_a_hint_and_by_name_without() {
    let (brand, availability) = (
        brand(true),
        stock([("mug", "store-a", 2), ("mug", "store-b", 2)]),
    );
    in_shop(&brand, &availability, |shop| {
        let order = |context: Context| {
            let request = CheckoutRequest {
                context,
                ..wanted(vec![line("mug", 1)], vec![method(MethodKind::Pickup)])
            };
            let session = opened(request, shop);
            session.methods[0]
                .destinations
                .iter()
                .map(|d| d.id().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(order(Context::default()), ["store-b", "store-a"]);
        for hint in ["store-a", "STORE-A"] {
            let context = Context {
                location: Some(hint.into()),
                ..Context::default()
            };
            assert_eq!(order(context), ["store-a", "store-b"]);
        }
    });
}

#[test]
fn without_a_hint_the_store_that_has_most_comes_first() {
    let (brand, availability) = (
        brand(true),
        stock([("mug", "store-a", 3), ("mug", "store-b", 2)]),
    );
    in_shop(&brand, &availability, |shop| {
        let collected = wanted(vec![line("mug", 1)], vec![method(MethodKind::Pickup)]);
        let session = opened(collected, shop);
        let offered = session.methods[0].destinations.iter();
        let ids: Vec<&str> = offered.map(|one| one.id()).collect();
        assert_eq!(ids, ["store-a", "store-b"]);
    });
}

#[test]
fn a_promise_is_a_pair_of_instants() {
    let (brand, availability) = (brand(true), stock([("mug", "store-a", 2)]));
    in_shop(&brand, &availability, |shop| {
        let session = opened(wanted(vec![line("mug", 1)], vec![at("store-a")]), shop);
        let Some(Destination::Store(store)) = session.methods[0].destination() else {
            panic!("no store")
        };
        assert_eq!(store.ready_at_ms, NOW_MS + 3_600_000);
        assert_eq!(store.pickup_by_ms, store.ready_at_ms + 7 * 86_400_000);
        let order = Order::place(
            OrderReference {
                id: "o".into(),
                number: "n".into(),
            },
            "s",
            &session,
            &shop.prices.brand.policies,
            NOW_MS,
        );
        assert_eq!(
            order.expectations[0].option.earliest_ms,
            Some(store.ready_at_ms)
        );
    });
}

#[test]
fn shipping_and_pickup_can_be_mixed_and_never_share_a_unit() {
    let (brand, availability) = (
        brand(true),
        stock([("mug", "store-a", 1), ("mug", "warehouse", 1)]),
    );
    in_shop(&brand, &availability, |shop| {
        let lines = vec![line("mug", 1), line("mug", 1), line("gift", 1)];
        let methods = vec![
            MethodRequest {
                line_ids: Some(vec!["li_2".into()]),
                ..at("store-a")
            },
            to("DE"),
        ];
        let session = opened(wanted(lines, methods), shop);
        assert_eq!(
            session.open_status(),
            Status::ReadyForComplete,
            "{:?}",
            session.notices
        );
        assert_eq!(session.methods[1].line_ids, ["li_1"]);
        assert_eq!(session.plan.allocations.len(), 2);
    });
}

#[test]
fn demand_of_two_lines_is_summed_and_every_short_line_is_named() {
    let (brand, availability) = (brand(true), stock([("mug", "warehouse", 3)]));
    in_shop(&brand, &availability, |shop| {
        let session = opened(
            wanted(vec![line("mug", 2), line("mug", 2)], vec![to("DE")]),
            shop,
        );
        assert_eq!(
            errors(&session),
            [
                ("out_of_stock", "$.line_items[0].quantity"),
                ("out_of_stock", "$.line_items[1].quantity")
            ]
        );
        assert_eq!(session.notices[0].details["available"], 3);
        assert_eq!(session.notices[0].details["requested"], 4);
    });
}

#[test]
fn what_is_sold_out_is_left_out_at_first_and_kept_later() {
    let (brand, availability) = (brand(true), stock([("mug", "warehouse", 3)]));
    in_shop(&brand, &availability, |shop| {
        let all_gone = create(wanted(vec![line("tee", 1)], vec![]), shop).unwrap();
        assert!(
            matches!(all_gone, Created::NothingToBuy(notices) if notices[0].code == "out_of_stock")
        );

        let methods = vec![MethodRequest {
            line_ids: Some(vec!["li_1".into(), "li_2".into()]),
            ..to("DE")
        }];
        let session = opened(
            wanted(vec![line("tee", 1), line("mug", 1)], methods.clone()),
            shop,
        );
        assert_eq!(
            session
                .lines
                .iter()
                .map(|line| line.id.as_str())
                .collect::<Vec<_>>(),
            ["li_2"]
        );
        assert_eq!(errors(&session), [("out_of_stock", "$.line_items")]);

        let later = update(
            &session,
            wanted(vec![line("tee", 1), line("mug", 1)], methods),
            shop,
        )
        .unwrap();
        let Updated::Session(later) = later else {
            panic!("rejected")
        };
        assert_eq!(
            errors(&later),
            [("out_of_stock", "$.line_items[0].quantity")]
        );
    });
}

#[test]
fn a_store_that_sold_out_meanwhile_is_kept_and_its_lines_are_short() {
    let brand = brand(true);
    let before = in_shop(&brand, &stock([("mug", "store-a", 1)]), |shop| {
        opened(wanted(vec![line("mug", 1)], vec![at("store-a")]), shop)
    });
    let after = in_shop(&brand, &stock([("mug", "store-b", 1)]), |shop| {
        refresh(&before, shop).unwrap()
    });
    assert_eq!(
        after.methods[0].selected_destination_id.as_deref(),
        Some("store-a")
    );
    assert_eq!(
        errors(&after),
        [("out_of_stock", "$.line_items[0].quantity")]
    );
    assert!(after.plan.allocations.is_empty());
}

#[test]
fn what_makes_no_sense_is_refused_with_its_path() {
    let (brand, availability) = (brand(true), stock([("mug", "warehouse", 3)]));
    in_shop(&brand, &availability, |shop| {
        let refused = |request| create(request, shop).unwrap_err();
        let named = |id: &str, mut one: LineRequest| {
            one.id = Some(id.into());
            one
        };
        let two = |a: MethodRequest, b: MethodRequest| wanted(vec![line("mug", 1)], vec![a, b]);
        let naming = |id: &str| MethodRequest {
            line_ids: Some(vec![id.into()]),
            ..to("DE")
        };
        let cases = [
            (
                wanted(vec![line("nope", 1)], vec![]),
                "item_unknown",
                "$.line_items[0].item.id",
            ),
            (
                wanted(vec![line("mug", 0)], vec![]),
                "invalid_quantity",
                "$.line_items[0].quantity",
            ),
            (
                wanted(vec![line("mug", -5)], vec![]),
                "invalid_quantity",
                "$.line_items[0].quantity",
            ),
            (
                wanted(vec![line("mug", i64::MAX)], vec![]),
                "invalid_quantity",
                "$.line_items[0].quantity",
            ),
            (
                wanted(vec![line("mug", 1); 101], vec![]),
                "too_many_lines",
                "$.line_items",
            ),
            (
                wanted(
                    vec![named("a", line("mug", 1)), named("a", line("mug", 1))],
                    vec![],
                ),
                "invalid_id",
                "$.line_items[1].id",
            ),
            (
                two(to("DE"), to("US")),
                "method_twice",
                "$.fulfillment.methods[1].type",
            ),
            (
                two(naming("x"), at("store-a")),
                "line_unknown",
                "$.fulfillment.methods[0].line_item_ids[0]",
            ),
            (
                two(
                    naming("li_1"),
                    MethodRequest {
                        line_ids: Some(vec!["li_1".into()]),
                        ..at("store-a")
                    },
                ),
                "line_twice",
                "$.fulfillment.methods[1].line_item_ids[0]",
            ),
        ];
        for (request, code, path) in cases {
            let refusal = refused(request);
            assert_eq!((refusal.code, refusal.path.as_str()), (code, path));
        }
    });
}

#[test]
fn a_brand_can_ask_for_more() {
    let mut brand = brand(true);
    brand.checkout_requires = vec![
        RequiredContact::BuyerEmail,
        RequiredContact::ShippingAddress,
    ];
    in_shop(&brand, &stock([("mug", "warehouse", 3)]), |shop| {
        let session = opened(wanted(vec![line("mug", 1)], vec![to("DE")]), shop);
        let address = "$.fulfillment.methods[0].destinations[0]";
        let paths: Vec<_> = errors(&session)
            .into_iter()
            .map(|(_, path)| path.to_owned())
            .collect();
        let fields = ["street_address", "address_locality", "postal_code"]
            .map(|name| format!("{address}.{name}"));
        assert_eq!(paths[0], "$.buyer.email");
        assert_eq!(paths[1..], fields);
    });
}

#[test]
fn an_address_nobody_ships_to_says_so() {
    let brand = brand(true);
    in_shop(&brand, &stock([("mug", "warehouse", 3)]), |shop| {
        let address = "$.fulfillment.methods[0].destinations[0]";
        let field = format!("{address}.address_country");
        for (country, code, path) in [
            ("FR", "address_undeliverable", address),
            ("France", "address_undeliverable", address),
            ("ZZ", "country_unknown", &field),
            ("Atlantis", "country_unknown", &field),
            ("", "missing", &field),
        ] {
            let session = opened(wanted(vec![line("mug", 1)], vec![to(country)]), shop);
            assert!(
                errors(&session).contains(&(code, path)),
                "{:?}",
                session.notices
            );
            assert_eq!(session.open_status(), Status::Incomplete);
        }
    });
}

#[test]
fn a_region_by_any_name_costs_the_same_or_is_asked_for() {
    let brand = brand(false);
    let address = "$.fulfillment.methods[0].destinations[0]";
    in_shop(&brand, &stock([("mug", "warehouse", 3)]), |shop| {
        let in_region = |region: &str| {
            let mut method = to("United States");
            if let Some(address) = method.addresses.iter_mut().flatten().next() {
                address.address_region = Some(region.into());
            }
            opened(wanted(vec![line("mug", 1)], vec![method]), shop)
        };
        for region in ["NY", "US-NY", "New York", "N.Y.", "new york"] {
            let session = in_region(region);
            assert_eq!(session.lines[0].amount.rate_ppm, 88_750, "{region}");
            let Some(Destination::Address(kept)) = session.methods[0].destination() else {
                panic!("no address");
            };
            assert_eq!(kept.address_country.as_deref(), Some("US"));
            assert_eq!(kept.address_region.as_deref(), Some("NY"));
        }
        let path = format!("{address}.address_region");
        for (region, code) in [("Gotham", "region_unknown"), ("", "missing")] {
            let session = in_region(region);
            assert!(
                errors(&session).contains(&(code, path.as_str())),
                "{region}"
            );
            assert_eq!(session.open_status(), Status::Incomplete);
        }
    });
}

#[test]
fn what_is_not_delivered_is_taxed_where_the_context_says_or_asks() {
    let brand = brand(false);
    in_shop(&brand, &stock([]), |shop| {
        let in_context = |country: &str, region: Option<&str>| {
            let mut request = wanted(vec![line("gift", 1)], Vec::new());
            request.context.address_country = Some(country.into());
            request.context.address_region = region.map(Into::into);
            opened(request, shop)
        };
        let taxed = in_context("USA", Some("New York"));
        assert_eq!(taxed.lines[0].amount.rate_ppm, 88_750);
        assert_eq!(taxed.open_status(), Status::ReadyForComplete);
        for (country, region, error) in [
            ("US", None, ("missing", "$.context.address_region")),
            (
                "US",
                Some("Gotham"),
                ("region_unknown", "$.context.address_region"),
            ),
            ("ZZ", None, ("country_unknown", "$.context.address_country")),
        ] {
            let session = in_context(country, region);
            assert_eq!(errors(&session), [error]);
        }
    });
}

#[test]
fn a_postal_code_is_asked_for_where_there_are_any() {
    let mut brand = brand(true);
    brand.checkout_requires = vec![RequiredContact::ShippingAddress];
    brand
        .shipping_methods
        .iter_mut()
        .for_each(|method| method.countries.clear());
    in_shop(&brand, &stock([("mug", "warehouse", 3)]), |shop| {
        for (country, needed) in [
            ("DE", true),
            ("HK", false),
            ("AE", false),
            ("PA", false),
            ("IE", false),
        ] {
            let mut method = to(country);
            if let Some(address) = method.addresses.iter_mut().flatten().next() {
                address.street_address = Some("1 High Street".into());
                address.address_locality = Some("Town".into());
            }
            let session = opened(wanted(vec![line("mug", 1)], vec![method]), shop);
            let path = "$.fulfillment.methods[0].destinations[0].postal_code";
            assert_eq!(
                errors(&session).contains(&("missing", path)),
                needed,
                "{country}"
            );
        }
    });
}

#[test]
fn a_store_that_lacks_something_is_offered_with_who_brings_it_and_when() {
    let stock = stock([
        ("tee", "store-a", 2),
        ("tee", "store-b", 1),
        ("tee", "warehouse", 1),
    ]);
    let lanes = lanes(&[("store-b", "store-a"), ("warehouse", "store-a")]);
    let (session, held_back) = in_network(&brand(true), &stock, &lanes, |shop| {
        let session = opened(wanted(vec![line("tee", 4)], vec![at("store-a")]), shop);
        (
            session,
            opened(wanted(vec![line("tee", 4)], vec![at("store-b")]), shop),
        )
    });
    assert_eq!(
        session.open_status(),
        Status::ReadyForComplete,
        "{:?}",
        session.notices
    );
    let Some(Destination::Store(store)) = session.methods[0].destination() else {
        panic!("{:?}", session.methods);
    };
    assert_eq!(
        store.reasons[..2],
        [PickupReason::HasPart, PickupReason::TransferNeeded]
    );
    let brought: Vec<_> = store
        .incoming
        .iter()
        .map(|one| (one.from_name.as_deref(), one.quantity))
        .collect();
    assert_eq!(
        (store.here_now, brought),
        (Some(2), vec![(Some("Alex"), 1), (None, 1)])
    );
    assert_eq!(
        Some(store.ready_at_ms),
        store.incoming.iter().map(|one| one.ready_at_ms).max()
    );
    let words = &session.methods[0].option().unwrap().description;
    assert!(
        words.starts_with("2 here now, 1 transferred from Alex, 1 transferred from our warehouse, ready Wednesday 18:00. Ready from "),
        "{words}"
    );
    assert_eq!(session.plan.transfers().count(), 2);
    let refused = errors(&held_back);
    assert!(
        refused
            .iter()
            .any(|(code, _)| *code == "destination_unavailable"),
        "no lane leads there: {refused:?}"
    );
}

#[test]
fn a_later_day_than_was_told_is_noticed_and_the_minutes_that_pass_are_not() {
    let (brand, lanes) = (brand(true), lanes(&[("store-b", "store-a")]));
    let request = || wanted(vec![line("tee", 1)], vec![at("store-a")]);
    let told = in_network(&brand, &stock([("tee", "store-a", 1)]), &lanes, |shop| {
        opened(request(), shop)
    });
    let sold_out = stock([("tee", "store-b", 1)]);
    let (later, next_day) = in_network(&brand, &sold_out, &lanes, |shop| {
        let after = |ms| {
            refresh(
                &told,
                &Shop {
                    now_ms: NOW_MS + ms,
                    ..*shop
                },
            )
            .unwrap()
        };
        (after(60_000), after(86_400_000))
    });
    assert!(later.is_brought_later_than(&told));
    assert!(next_day.is_brought_later_than(&later));
    assert!(!later.is_brought_later_than(&later));
    assert!(!told.is_brought_later_than(&told));
}
