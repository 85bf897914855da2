//! Two devices, one cart.

use super::*;

/// What the laptop's change of `base` makes of what the phone has made of it.
fn both(base: CartRequest, phone: CartRequest, laptop: CartRequest) -> Cart {
    let earlier = [Version {
        number: 1,
        cart: cart(base, "shop"),
    }];
    let current = Version {
        number: 2,
        cart: cart(phone, "phone"),
    };
    let basis = Basis::Known(vec![1]);
    let merged = change(&current, &earlier, &basis, laptop, Some("laptop")).unwrap();
    let trail = current.cart.trail.next(3, Some("laptop"), merged.notes);
    filled(merged.request, 100).unwrap().on(trail)
}

fn of_lines(
    base: &[(&str, &str, i64)],
    phone: &[(&str, &str, i64)],
    laptop: &[(&str, &str, i64)],
) -> Cart {
    both(request(base), request(phone), request(laptop))
}

#[test]
fn changes_of_different_things_are_both_made() {
    let base = [("a", "mug", 1), ("b", "tee", 1), ("c", "cap", 1)];
    let merged = of_lines(
        &base,
        &[("a", "mug", 5), ("c", "cap", 1), ("p", "gift", 1)],
        &[("a", "mug", 1), ("b", "tee", 1), ("l", "tee", 2)],
    );
    assert_eq!(
        lines(&merged),
        [("a", "mug", 5), ("p", "gift", 1), ("l", "tee", 2)]
    );
    assert!(told(&merged).is_empty());
    let merged = both(
        with_email(&base, "old@example.com"),
        with_email(&base, "new@example.com"),
        with_email(&base[..2], "old@example.com"),
    );
    assert_eq!(merged.buyer.email.as_deref(), Some("new@example.com"));
    assert_eq!(merged.lines.len(), 2);
}

#[test]
fn of_two_changes_of_one_thing_the_later_stays_and_the_other_is_told() {
    let merged = of_lines(&[("a", "mug", 1)], &[("a", "mug", 3)], &[("a", "mug", 2)]);
    assert_eq!(lines(&merged), [("a", "mug", 2)]);
    let notices: Vec<_> = merged.trail.notices(&merged.lines).collect();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].path.as_deref(), Some("$.line_items[0].quantity"));
    assert_eq!(notices[0].level, crate::notice::Level::Warning);
    assert_eq!(notices[0].text, "MUG: 3 set on phone, then 2 on laptop.");
    for (name, value) in [
        ("earlier", json!(3)),
        ("earlier_by", json!("phone")),
        ("by", json!("laptop")),
        ("version", json!(3)),
        ("line_id", json!("a")),
    ] {
        assert_eq!(notices[0].details[name], value, "{name}");
    }

    let mail = [
        with_email(&[], "a@example.com"),
        with_email(&[], "b@example.com"),
        with_email(&[], "c@example.com"),
    ];
    let [base, phone, laptop] = mail;
    let merged = both(base, phone, laptop.clone());
    assert_eq!(merged.buyer, laptop.buyer);
    let path = "$.buyer.email".to_owned();
    assert_eq!(told(&merged), [("overridden".to_owned(), path)]);
}

#[test]
fn taking_out_and_changing_is_a_conflict_either_way() {
    let base = [("a", "mug", 1), ("b", "tee", 1)];
    let taken = [("b", "tee", 1)];
    let changed = [("a", "mug", 4), ("b", "tee", 1)];
    let gone = of_lines(&base, &changed, &taken);
    assert_eq!(lines(&gone), [("b", "tee", 1)]);
    assert_eq!(told(&gone)[0].1, "$.line_items");
    let back = of_lines(&base, &taken, &changed);
    assert_eq!(lines(&back), [("b", "tee", 1), ("a", "mug", 4)]);
    assert_eq!(told(&back)[0].1, "$.line_items[1].quantity");
    // Whoever did not touch it does not bring it back.
    let other = of_lines(&base, &taken, &[("a", "mug", 1), ("b", "tee", 2)]);
    assert_eq!(lines(&other), [("b", "tee", 2)]);
    assert!(told(&other).is_empty());
}

#[test]
fn two_who_put_in_the_same_article_get_it_twice_on_one_line() {
    let merged = of_lines(&[], &[("", "mug", 2)], &[("", "mug", 3)]);
    assert_eq!(lines(&merged), [("li_1", "mug", 5)]);
    assert_eq!(told(&merged)[0].0, "quantities_added");
    let full = of_lines(&[], &[("", "mug", 999)], &[("", "mug", 3)]);
    assert_eq!(full.lines.len(), 2, "what does not fit has its own line");
    // The same line sent twice is one line; two lines of one id are two.
    let again = of_lines(&[], &[("x", "mug", 2)], &[("x", "mug", 2)]);
    assert_eq!(lines(&again), [("x", "mug", 2)]);
    let clash = of_lines(&[], &[("x", "mug", 2)], &[("x", "tee", 1)]);
    assert_eq!(lines(&clash), [("x", "mug", 2), ("li_1", "tee", 1)]);
}

#[test]
fn an_article_is_exchanged_beside_its_quantity() {
    let merged = of_lines(&[("a", "mug", 1)], &[("a", "tee", 1)], &[("a", "mug", 2)]);
    assert_eq!(lines(&merged), [("a", "tee", 2)]);
    assert!(told(&merged).is_empty());
    let merged = of_lines(&[("a", "mug", 1)], &[("a", "tee", 1)], &[("a", "cap", 1)]);
    assert_eq!(lines(&merged), [("a", "cap", 1)]);
    assert_eq!(told(&merged)[0].1, "$.line_items[0].item");
}

#[test]
fn a_line_without_an_id_is_the_one_of_its_article() {
    let merged = of_lines(
        &[("a", "mug", 1), ("b", "tee", 1)],
        &[("a", "mug", 1), ("b", "tee", 7)],
        &[("", "id-mug", 2), ("", "tee", 1)],
    );
    assert_eq!(lines(&merged), [("a", "mug", 2), ("b", "tee", 7)]);
    assert!(told(&merged).is_empty());
}

#[test]
fn whoever_knows_the_current_version_or_none_replaces_it() {
    let version = |number, quantity| Version {
        number,
        cart: cart(request(&[("a", "mug", quantity)]), "phone"),
    };
    let (current, earlier) = (version(5, 3), [version(3, 1), version(4, 2)]);
    let mine = || request(&[("a", "mug", 9)]);
    let made = |basis| change(&current, &earlier, &basis, mine(), None);
    for basis in [
        Basis::Whatever,
        Basis::Known(vec![5]),
        Basis::Known(vec![3, 5]),
    ] {
        let merged = made(basis).unwrap();
        assert_eq!((merged.request, merged.notes.len()), (mine(), 0));
    }
    assert_eq!(made(Basis::Known(vec![3])).unwrap().notes.len(), 1);
    for unknown in [vec![], vec![2], vec![6], vec![-1, i64::MAX]] {
        assert!(made(Basis::Known(unknown)).is_err());
    }
}

#[test]
fn notes_stay_for_as_long_as_a_device_may_lag() {
    let merged = of_lines(&[("a", "mug", 1)], &[("a", "mug", 3)], &[("a", "mug", 2)]);
    let after = |version| merged.trail.next(version, None, Vec::new()).notes.len();
    assert_eq!((after(4), after(22), after(23)), (1, 1, 0));
}
