use super::*;
use crate::cart::merge::Version;
use crate::cart::{Cart, CartRequest};

/// What another device has made of the cart.
fn cart(number: i64, lines: Vec<LineRequest>, shop: &Shop) -> Version {
    let request = CartRequest {
        lines,
        ..CartRequest::default()
    };
    let cart = Cart::fill(request, &shop.prices, shop.availability, &PLACES).unwrap();
    Version { number, cart }
}

fn named(id: &str, item: &str, quantity: i64) -> LineRequest {
    LineRequest {
        id: Some(id.into()),
        ..line(item, quantity)
    }
}

fn lines(session: &Session) -> Vec<(&str, i64)> {
    let lines = session.lines.iter();
    lines
        .map(|line| (line.id.as_str(), line.quantity))
        .collect()
}

fn warnings(session: &Session) -> Vec<&str> {
    let notices = session.notices.iter().filter(|notice| !notice.is_error());
    notices.map(|notice| notice.code.as_str()).collect()
}

#[test]
fn what_another_device_adds_changes_and_takes_out_comes_into_the_checkout() {
    let units = [("mug", "warehouse", 5), ("tee", "warehouse", 5)];
    let (brand, availability) = (brand(true), stock(units));
    in_shop(&brand, &availability, |shop| {
        let basket = vec![named("a", "mug", 1), named("b", "mug", 1)];
        let before = opened(wanted(basket, vec![to("DE")]), shop);
        let moved = cart(2, vec![named("b", "mug", 3), named("c", "tee", 1)], shop);
        let after = follow(&before, &moved, shop).unwrap().unwrap();
        assert_eq!(lines(&after), [("b", 3), ("c", 1)]);
        assert_eq!(after.methods[0].line_ids, ["b", "c"]);
        assert_eq!(after.open_status(), Status::ReadyForComplete);
        assert_eq!(after.totals.subtotal_minor, 3 * 1_000 + 2_550);
        assert_eq!(after.cart_version, Some(2));
        assert_eq!(follow(&after, &moved, shop).unwrap(), None, "once");
        let asked = update(&after, after.request(), shop).unwrap();
        let Updated::Session(asked) = asked else {
            panic!("{asked:?}")
        };
        assert_eq!(asked.cart_version, Some(2));

        let emptied = follow(&after, &cart(3, vec![], shop), shop).unwrap();
        let emptied = emptied.unwrap();
        assert_eq!(errors(&emptied), [("missing", "$.line_items")]);
        let buyer = Buyer {
            first_name: Some("Ada".into()),
            ..Buyer::default()
        };
        let mut renamed = moved.clone();
        renamed.number = 4;
        renamed.cart.buyer = buyer.clone();
        let renamed = follow(&after, &renamed, shop).unwrap().unwrap();
        assert_eq!(renamed.buyer, buyer);
    });
}

#[test]
fn the_same_wishes_in_another_version_are_no_news() {
    let (brand, availability) = (brand(true), stock([("mug", "warehouse", 5)]));
    in_shop(&brand, &availability, |shop| {
        let before = opened(wanted(vec![named("a", "mug", 2)], vec![to("DE")]), shop);
        let split = cart(7, vec![named("a", "mug", 1), named("z", "mug", 1)], shop);
        assert_eq!(follow(&before, &split, shop).unwrap(), None);
    });
}

#[test]
fn what_cannot_be_bought_stays_out_and_is_said() {
    let (brand, availability) = (brand(true), stock([("mug", "warehouse", 5)]));
    in_shop(&brand, &availability, |shop| {
        let before = opened(wanted(vec![named("a", "mug", 1)], vec![to("DE")]), shop);
        let moved = cart(2, vec![named("a", "mug", 1), named("b", "tee", 1)], shop);
        let after = follow(&before, &moved, shop).unwrap().unwrap();
        assert_eq!(lines(&after), [("a", 1)]);
        assert_eq!(warnings(&after), ["out_of_stock"]);
        assert_eq!(after.open_status(), Status::ReadyForComplete);
    });
}

#[test]
fn each_line_keeps_its_way_and_what_is_new_takes_the_first() {
    let units = [
        ("mug", "store-a", 5),
        ("tee", "warehouse", 5),
        ("tee", "store-a", 5),
    ];
    let (brand, availability) = (brand(true), stock(units));
    in_shop(&brand, &availability, |shop| {
        let of = |method: MethodRequest, id: &str| MethodRequest {
            line_ids: Some(vec![id.into()]),
            ..method
        };
        let methods = vec![of(at("store-a"), "a"), of(to("DE"), "b")];
        let basket = vec![named("a", "mug", 1), named("b", "tee", 1)];
        let before = opened(wanted(basket, methods), shop);
        assert_eq!(errors(&before), []);
        let ways = |session: &Session| {
            let methods = session.methods.iter();
            let ways = methods.map(|method| (method.kind, method.line_ids.join(" ")));
            ways.collect::<Vec<_>>()
        };
        let more = vec![
            named("a", "mug", 1),
            named("b", "tee", 1),
            named("c", "mug", 1),
        ];
        let after = follow(&before, &cart(2, more, shop), shop)
            .unwrap()
            .unwrap();
        let expected = [
            (MethodKind::Pickup, "a c".to_owned()),
            (MethodKind::Shipping, "b".to_owned()),
        ];
        assert_eq!(ways(&after), expected);
        let less = cart(3, vec![named("a", "mug", 1)], shop);
        let after = follow(&after, &less, shop).unwrap().unwrap();
        assert_eq!(ways(&after), [(MethodKind::Pickup, "a".to_owned())]);
        assert_eq!(after.open_status(), Status::ReadyForComplete);
    });
}
