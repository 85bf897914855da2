//! A cart that is brought along at sign-in.

use proptest::prelude::*;

use super::*;

/// The account's cart with the other in it, where each article is there `units` times.
fn adopted(own: &Cart, other: &Cart, other_is_newer: bool, units: i64) -> Cart {
    let side = |cart, updated_at_ms| Side {
        cart,
        updated_at_ms,
    };
    let (brand, availability) = (brand(), stock(units));
    let shelf = Shelf {
        availability: &availability,
        sellable: &["shop"],
        brand: &brand,
    };
    let (mine, theirs) = if other_is_newer { (1, 2) } else { (2, 1) };
    adopt(side(own, mine), side(other, theirs), shelf, 7).unwrap()
}

#[test]
fn one_article_in_both_is_summed_as_far_as_there_is_stock() {
    let own = cart(request(&[("a", "mug", 2), ("b", "gift", 1)]), "phone");
    let other = cart(
        request(&[("a", "tee", 1), ("z", "mug", 3), ("g", "gift", 9)]),
        "",
    );
    let sum = adopted(&own, &other, true, 100);
    assert_eq!(
        lines(&sum),
        [("a", "mug", 5), ("b", "gift", 10), ("li_1", "tee", 1)]
    );
    assert_eq!(sum.totals.total_minor, 16_000);
    assert!(told(&sum).is_empty());
    let capped = adopted(&own, &other, true, 4);
    assert_eq!(lines(&capped)[0], ("a", "mug", 4));
    assert_eq!(
        lines(&capped)[1],
        ("b", "gift", 10),
        "no stock is kept of it"
    );
    let path = "$.line_items[0].quantity".to_owned();
    assert_eq!(told(&capped), [("quantity_capped".to_owned(), path)]);
    let note = &capped.trail.notes[0].notice.details;
    assert_eq!(
        (&note["requested"], &note["quantity"], &note["available"]),
        (&json!(5), &json!(4), &json!(4))
    );
    // What the account had stays, even where there is none; the cart says that there is none.
    let kept = adopted(&own, &other, true, 0);
    assert_eq!(lines(&kept)[0], ("a", "mug", 2));
    assert!(kept.messages().any(|notice| notice.code == "out_of_stock"));
}

#[test]
fn the_value_that_was_chosen_later_stays() {
    let mut own = cart(with_email(&[], "own@example.com"), "phone");
    let mut other = cart(with_email(&[], "other@example.com"), "");
    own.buyer.first_name = Some("Ada".into());
    other.context.location = Some("store".into());
    for (newer, email) in [(true, "other@example.com"), (false, "own@example.com")] {
        let both = adopted(&own, &other, newer, 9);
        assert_eq!(both.buyer.email.as_deref(), Some(email));
        assert_eq!(both.buyer.first_name.as_deref(), Some("Ada"));
        assert_eq!(both.context.location.as_deref(), Some("store"));
        let path = "$.buyer.email".to_owned();
        assert_eq!(told(&both), [("newer_kept".to_owned(), path)]);
    }
}

#[test]
fn what_has_no_room_is_said() {
    let many: Vec<(String, &str, i64)> = (0..MAX_LINES)
        .map(|number| (format!("l{number}"), "tee", 1))
        .collect();
    let many: Vec<_> = many
        .iter()
        .map(|(id, sku, n)| (id.as_str(), *sku, *n))
        .collect();
    let own = cart(request(&many), "");
    let other = cart(request(&[("a", "mug", 1), ("b", "tee", 998)]), "");
    let both = adopted(&own, &other, true, 100_000);
    assert_eq!(both.lines.len(), MAX_LINES);
    assert_eq!(both.lines[0].quantity, MAX_QUANTITY);
    assert_eq!(
        told(&both),
        [("line_left_out".to_owned(), "$.line_items".to_owned())]
    );
    let more = adopted(&both, &other, true, 100_000);
    assert_eq!(more.lines[0].quantity, MAX_QUANTITY);
    assert!(
        told(&more)
            .iter()
            .any(|(code, _)| code == "quantity_capped")
    );
}

proptest! {
    /// Nothing that the account had gets less, nothing exceeds the sum, and what is missing
    /// from the sum is named.
    #[test]
    fn nothing_is_lost_silently(
        own in prop::collection::vec((0..SKUS.len(), 1..9_i64), 0..6),
        other in prop::collection::vec((0..SKUS.len(), 1..9_i64), 0..6),
        units in 0..20_i64,
        newer in any::<bool>(),
    ) {
        let of = |wanted: &[(usize, i64)]| {
            let lines: Vec<_> = wanted.iter().map(|(sku, n)| ("", SKUS[*sku], *n)).collect();
            cart(request(&lines), "")
        };
        let (own, other) = (of(&own), of(&other));
        let both = adopted(&own, &other, newer, units);
        let pieces = |cart: &Cart, sku: &str| -> i64 {
            cart.lines.iter().filter(|line| line.sku == sku).map(|line| line.quantity).sum()
        };
        for sku in SKUS {
            let (had, sum) = (pieces(&own, sku), pieces(&own, sku) + pieces(&other, sku));
            let has = pieces(&both, sku);
            prop_assert!((had..=sum).contains(&has));
            let capped = both.trail.notes.iter().any(|note| note.notice.details["sku"] == sku);
            prop_assert_eq!(capped, has < sum);
        }
        let amounts: i64 = both.lines.iter().map(|line| line.quantity * line.price_minor).sum();
        prop_assert_eq!(both.totals.total_minor, amounts);
        prop_assert_eq!(both.lines.iter().map(|line| &line.id).collect::<BTreeSet<_>>().len(), both.lines.len());
    }
}
