use proptest::prelude::*;

use super::words::{Group, fold, groups, letters, stem};
use super::*;
use crate::product::{Product, Variant};

const BRAND: &str = "0190b3f4-0000-7000-8000-00000000beef";

fn variant(sku: &str, price_minor: i64) -> Variant {
    Variant {
        id: "0190b3f4-0000-7000-8000-000000000002".into(),
        sku: sku.into(),
        gtin: Some("04006381333931".into()),
        title: "Blue / M".into(),
        option_values: vec!["Blue".into(), "M".into()],
        price_minor,
        compare_at_price_minor: None,
        tax_category: String::new(),
        requires_shipping: true,
        weight_g: None,
        image_url: None,
        active: true,
    }
}

fn product(title: &str) -> Product {
    Product {
        id: "0190b3f4-0000-7000-8000-000000000001".into(),
        handle: "some-handle".into(),
        title: title.into(),
        body_html: "<p>Warm &amp; made of merino.</p>".into(),
        vendor: "Northfell".into(),
        product_type: "Outerwear".into(),
        tags: vec!["Sale".into()],
        categories: vec!["Apparel > Jackets".into()],
        published: true,
        options: Vec::new(),
        media: Vec::new(),
        variants: vec![variant("NF-BSJ-S-SPRU", 12_900)],
    }
}

fn asks(question: &Question<'_>, product: &Product) -> Option<Tier> {
    let has = tokens(BRAND, product);
    let fits = |terms: &Terms| {
        terms
            .iter()
            .all(|any| any.iter().any(|token| has.contains(token)))
    };
    let streams = question.streams(BRAND);
    let fitting: Vec<Tier> = streams
        .iter()
        .filter(|stream| fits(&stream.all) && !stream.none.iter().any(fits))
        .map(|stream| stream.tier)
        .collect();
    assert!(
        fitting.len() <= 1,
        "{question:?} finds it {} times",
        fitting.len()
    );
    fitting.first().copied()
}

fn found(title: &str, query: &str) -> Option<Tier> {
    asks(
        &Question {
            text: Some(query),
            ..Question::default()
        },
        &product(title),
    )
}

fn similar(title: &str, query: &str) -> bool {
    let question = Question {
        text: Some(query),
        ..Question::default()
    };
    let has = tokens(BRAND, &product(title));
    let stream = question.similar(BRAND);
    stream.is_some_and(|stream| {
        stream
            .all
            .iter()
            .all(|any| any.iter().any(|token| has.contains(token)))
    })
}

#[test]
fn what_is_spelled_otherwise_is_the_same() {
    for (one, other) in [
        ("Café-Crème", "cafe\u{301}-creme\u{300}"),
        ("İpek", "ipek"),
        ("ISPARTA", "ısparta"),
        ("Straße", "STRASSE"),
        ("œuf", "OEUF"),
        ("ёлка", "Елка"),
        ("ﬁne", "fine"),
        ("ＳＨＩＲＴ１２", "shirt12"),
        ("١٢", "12"),
        ("Łódź", "lodz"),
        ("Smørrebrød", "smorrebrod"),
        ("ΣΊΣΥΦΟΣ", "σισυφος"),
        ("soft\u{ad}shell", "softshell"),
        ("ｶﾞﾗｽ", "ガラス"),
        ("한글", "한글"),
    ] {
        assert_eq!(fold(one), fold(other), "{one} {other}");
    }
    assert_ne!(fold("ガス"), fold("カス"));
    assert_ne!(fold("ไม่"), fold("ไม"));
}

/// Every letter of Latin-1 and its two extensions that people can type plainly.
#[test]
fn a_plain_letter_finds_its_relatives() {
    for c in ('\u{c0}'..='\u{17f}').filter(|c| c.is_alphabetic()) {
        let plain = letters(&c.to_string());
        assert!(
            plain.bytes().all(|byte| byte.is_ascii_lowercase()),
            "{c} is {plain}"
        );
    }
}

#[test]
fn words_are_cut_where_people_cut_them() {
    let words = |text: &str| -> Vec<Vec<String>> {
        groups(text)
            .into_iter()
            .map(|group| match group {
                Group::Words(words) => words,
                Group::Unspaced(run) => vec![run.into_iter().collect()],
            })
            .collect()
    };
    assert_eq!(
        words("Men's T-Shirt, 3.5 l"),
        [vec!["men"], vec!["t", "shirt"], vec!["3", "5"], vec!["l"]]
    );
    assert_eq!(
        words("Nike™ Air®Max"),
        [vec!["nike"], vec!["air"], vec!["max"]]
    );
    assert_eq!(
        words("iPhone用ケース2個"),
        [vec!["iphone"], vec!["用ケース"], vec!["2"], vec!["個"]]
    );
    assert_eq!(words("किताब हिन्दी"), [vec!["किताब"], vec!["हिन्दी"]]);
    assert!(words("\"'*:&|!<>() --- … 🙂").is_empty());
}

#[test]
fn plurals_are_the_singular() {
    for (one, many) in [
        ("jacket", "jackets"),
        ("box", "boxes"),
        ("shoe", "shoes"),
        ("dress", "dresses"),
        ("lady", "ladies"),
        ("cookie", "cookies"),
        ("knife", "knives"),
        ("glove", "gloves"),
        ("watch", "watches"),
        ("bus", "buses"),
        ("horse", "horses"),
        ("scarf", "scarves"),
        ("camisa", "camisas"),
        ("robe", "robes"),
        ("size", "sizes"),
    ] {
        assert_eq!(stem(one), stem(many), "{one}");
    }
    assert_ne!(stem("bras"), stem("brass"));
}

#[test]
fn the_best_answer_comes_first() {
    for (title, query, tier) in [
        ("Blue Shell Jacket", "blue shell jacket", Some(Tier::Exact)),
        ("Blue Shell Jacket", "nf-bsj-s-spru", Some(Tier::Exact)),
        ("Blue Shell Jacket", "NFBSJSSPRU", Some(Tier::Exact)),
        ("Blue Shell Jacket", "4006381333931", Some(Tier::Exact)),
        ("Blue Shell Jacket", "some-handle", Some(Tier::Exact)),
        ("Blue Shell Jacket", "jackets", Some(Tier::Title)),
        (
            "Blue Shell Jacket",
            "shell jack",
            Some(Tier::TitleBeginnings),
        ),
        ("Blue Shell Jacket", "jacket merino", Some(Tier::Anywhere)),
        ("Blue Shell Jacket", "northf", Some(Tier::Anywhere)),
        ("Blue Shell Jacket", "nf-bsj", Some(Tier::Anywhere)),
        ("Blue Shell Jacket", "the jacket for me", None),
        ("Blue Shell Jacket", "a jacket", Some(Tier::Title)),
        ("Blue Shell Jacket", "trousers", None),
        ("Blue Shell Jacket", "!!", None),
        ("T-Shirt", "tshirt", Some(Tier::Exact)),
        ("White T Shirt", "t-shirt", Some(Tier::Title)),
        ("White Tshirt", "t-shirt", Some(Tier::Title)),
        (
            "Schlafzimmerschrank",
            "Schlafzimmersch",
            Some(Tier::TitleBeginnings),
        ),
    ] {
        assert_eq!(found(title, query), tier, "{query}");
    }
}

#[test]
fn scripts_without_spaces_are_found_by_their_words() {
    for (title, query) in [
        ("抹茶ラテ", "ラテ"),
        ("无线蓝牙耳机", "耳机"),
        ("เสื้อยืดสีขาว", "สีขาว"),
        ("抹茶ラテ", "茶"),
        ("커피를 위한 컵", "커피"),
    ] {
        assert!(found(title, query).is_some(), "{query}");
    }
    assert_eq!(found("抹茶ラテ", "紅茶"), None);
}

#[test]
fn one_wrong_letter_is_forgiven() {
    for query in ["jaket", "jackett", "jaccet", "jakcet", "blu jacxet"] {
        assert_eq!(found("Blue Jacket", query), None, "{query}");
        assert!(similar("Blue Jacket", query), "{query}");
    }
    assert!(!similar("Blue Jacket", "packers") && !similar("Blue Jacket", "blu"));
}

#[test]
fn filters_narrow_what_is_found() {
    let jacket = product("Blue Shell Jacket");
    let ask = |text, category: &str, price_minor| {
        let categories = &[category.to_owned()];
        let categories = if category.is_empty() {
            &[][..]
        } else {
            categories
        };
        asks(
            &Question {
                text,
                categories,
                price_minor,
            },
            &jacket,
        )
        .is_some()
    };
    assert!(ask(None, "", None) && ask(None, "Apparel > Jackets", None));
    assert!(!ask(None, "Apparel", None) && !ask(Some("jacket"), "apparel > jackets", None));
    assert!(ask(Some("jacket"), "", Some((12_900, 12_900))) && ask(None, "", Some((0, i64::MAX))));
    assert!(!ask(Some("jacket"), "", Some((20_000, 90_000))) && !ask(None, "", Some((2, 1))));
}

#[test]
fn what_shoppers_do_not_see_has_no_tokens() {
    let mut hidden = product("Jacket");
    hidden.published = false;
    assert!(tokens(BRAND, &hidden).is_empty());
    let mut sold_off = product("Jacket");
    sold_off.variants[0].active = false;
    assert!(tokens(BRAND, &sold_off).is_empty());
}

#[test]
fn the_number_of_tokens_is_bounded() {
    let mut large = product(&"wort ".repeat(50));
    large.body_html = (0..50_000).map(|number| format!("w{number} ")).collect();
    large.tags = (0..5_000).map(|number| format!("tag{number}")).collect();
    assert!(tokens(BRAND, &large).len() < 5_000);
}

proptest! {
    #[test]
    fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }

    /// What either database would take for the end of a token is in none.
    #[test]
    fn tokens_are_letters_and_digits(title in "\\PC{0,60}", query in "\\PC{0,60}") {
        let mut tokens = tokens(BRAND, &product(&title));
        let question = Question { text: Some(&query), ..Question::default() };
        let streams = question.streams(BRAND);
        tokens.extend(streams.into_iter().chain(question.similar(BRAND)).flat_map(|stream| stream.all).flatten());
        for token in tokens {
            prop_assert!(token.starts_with("0beef") && token.len() < 200);
            prop_assert!(token.chars().all(|c| !c.is_ascii() || c.is_ascii_lowercase() || c.is_ascii_digit()), "{}", token);
        }
    }

    #[test]
    fn every_title_is_found_by_itself(title in "[\\p{L}\\p{N} .-]{1,40}") {
        prop_assume!(!letters(&title).is_empty());
        prop_assert_eq!(found(&title, &title), Some(Tier::Exact));
    }

    #[test]
    fn every_word_of_a_title_is_found_whatever_its_case(title in "[a-zA-ZäöüßéøñŁ]{3,12}( [a-zA-Zäöüßéøñ]{3,12}){0,4}") {
        for word in title.split(' ') {
            prop_assert!(found(&title, &word.to_uppercase()).is_some(), "{}", word);
        }
    }
}
