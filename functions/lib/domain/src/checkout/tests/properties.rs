use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn any_stock() -> impl Strategy<Value = Availability> {
    prop::collection::vec(0..6_i64, SKUS.len() * PLACES.len()).prop_map(|units| {
        let keys = SKUS
            .iter()
            .flat_map(|sku| PLACES.iter().map(move |place| (*sku, *place)));
        stock(
            keys.zip(units)
                .map(|((sku, place), on_hand)| (sku, place, on_hand)),
        )
    })
}

fn any_request() -> impl Strategy<Value = CheckoutRequest> {
    let lines = prop::collection::vec((prop::sample::select(&SKUS[..]), 1..4_i64), 0..6);
    let methods = prop_oneof![
        Just(vec![]),
        Just(vec![to("DE")]),
        Just(vec![to("US")]),
        Just(vec![at("store-a")]),
        Just(vec![at("store-b")]),
        Just(vec![
            MethodRequest {
                line_ids: Some(vec!["li_1".into()]),
                ..at("store-a")
            },
            to("DE")
        ]),
    ];
    (lines, methods).prop_map(|(lines, methods)| {
        wanted(
            lines
                .into_iter()
                .map(|(sku, units)| line(sku, units))
                .collect(),
            methods,
        )
    })
}

proptest! {
    #[test]
    fn a_ready_checkout_reserves_exactly_its_goods(
        included in any::<bool>(), availability in any_stock(), request in any_request(),
    ) {
        let brand = brand(included);
        let Ok(Created::Session(session)) = in_shop(&brand, &availability, |shop| create(request, shop)) else {
            return Ok(());
        };
        let parts = [session.totals.subtotal_minor, session.totals.fulfillment_minor.unwrap_or(0)];
        let added = if included { 0 } else { session.totals.tax_minor() };
        prop_assert_eq!(parts.iter().sum::<i64>() + added, session.totals.total_minor);
        let mut keys = BTreeSet::new();
        for allocation in &session.plan.allocations {
            prop_assert!(keys.insert((&allocation.sku, &allocation.location_id)));
            prop_assert!(allocation.quantity <= availability.at(&allocation.sku, &allocation.location_id));
        }
        if session.open_status() == Status::ReadyForComplete {
            for (sku, units) in cart::demand(&session.lines).iter() {
                let planned: i64 = session.plan.allocations.iter().filter(|a| a.sku == sku).map(|a| a.quantity).sum();
                prop_assert_eq!(planned, units);
            }
        }
    }

    #[test]
    fn a_second_look_at_an_unchanged_shop_changes_nothing(availability in any_stock(), request in any_request()) {
        let brand = brand(false);
        in_shop(&brand, &availability, |shop| {
            if let Ok(Created::Session(session)) = create(request, shop)
                && session.open_status() == Status::ReadyForComplete
            {
                let again = refresh(&session, shop).unwrap();
                prop_assert_eq!(*session, again);
            }
            Ok(())
        })?;
    }
}
