//! What people type, paste and scan means the same at every door, however it was written.

use aisle_e2e::accounts::{code, sign_in};
use aisle_e2e::environment::{NORTH, NORTH_COUNTRY};
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{begin_checkout, complete, items, line, payment, shipping_to};
use aisle_e2e::staff::SignedOn;
use aisle_e2e::{Client, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

use crate::checkout_transfer::set_policies;

/// Addresses of mail that nobody could write to.
const NO_MAIL: [&str; 8] = [
    "ada@@example.com",
    "ada@example.com,",
    "a@localhost",
    "Ada<ada@example.com>",
    "ada@example..com",
    "ada.example.com",
    "@example.com",
    "ada@127.0.0.1",
];

/// A checkout of this buyer to which nothing is missing but the payment.
pub async fn checkout_of(shopper: &Client, buyer: Value) -> Result<Value> {
    let item = items(shopper, 1).await?.remove(0);
    let request = json!({
        "line_items": [line(&item.id, 1)], "buyer": buyer, "fulfillment": shipping_to(NORTH_COUNTRY),
    });
    begin_checkout(shopper, &request).await
}

pub async fn mail_that_nobody_could_write_to_is_asked_for_at_every_door(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    for address in NO_MAIL {
        let session = checkout_of(&shopper, json!({"email": address})).await?;
        let asked = session.list("/messages").iter();
        let mut asked = asked.map(|message| (&message["code"], &message["path"]));
        assert!(
            asked.any(|asked| asked == (&json!("invalid_email"), &json!("$.buyer.email"))),
            "{address}: {session:#}"
        );
        let path = format!("/checkout-sessions/{}/complete", session.text("/id"));
        let paid = shopper.post(&path).json(&payment(&session)).send().await?;
        assert_ne!(paid.json()["status"], "completed", "{address}: {paid:?}");

        let refused = shopper
            .post("/accounts/codes")
            .json(&json!({"channel": "email", "address": address}))
            .send()
            .await?;
        assert!(
            [400, 422].contains(&refused.status.as_u16()),
            "{address}: {refused:?}"
        );
        assert_eq!(refused.json()["code"], "email_malformed", "{address}");
    }
    let orders = "SELECT count(*) FROM customer_order";
    assert_eq!(aisle.database.number(orders).await?, 0);
    let sent = "SELECT count(*) FROM message";
    assert_eq!(aisle.database.number(sent).await?, 0);
    Ok(())
}

pub async fn a_buyer_is_one_person_however_they_are_written(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let buyer = json!({
        "email": "Ada@M\u{fc}ller-Shop.de\u{200b}",
        "phone_number": "\u{202d}tel:+49\u{a0}151\u{2212}1234 5678\u{202c}",
    });
    let session = checkout_of(&aisle.north(), buyer).await?;
    assert_eq!(
        session.text("/buyer/email"),
        "ada@xn--mller-shop-9db.de",
        "{session:#}"
    );
    assert_eq!(session.text("/buyer/phone_number"), "+4915112345678");
    let completed = complete(&aisle.north(), &session).await?.json();
    assert_eq!(completed["status"], "completed", "{completed:#}");

    let device = sign_in(&aisle, NORTH, "ada@mu\u{308}ller-shop.de").await?;
    let me = device.client.get("/accounts/me").expect(200).await?.json();
    assert_eq!(
        me.text("/identities/0/address"),
        "ada@xn--mller-shop-9db.de"
    );
    for typed in [
        "\u{202d}0151 12345678\u{202c}",
        "０１５１１２３４５６７８",
        "+٤٩١٥١١٢٣٤٥٦٧٨",
        "tel:+49-151-12345678",
        "\u{feff}0151\u{2212}1234\u{ad}5678",
    ] {
        let request = json!({"channel": "sms", "address": typed});
        let client = aisle.north();
        let sent = client.post("/accounts/codes").json(&request).send().await?;
        assert!(
            [202, 429].contains(&sent.status.as_u16()),
            "{typed}: {sent:?}"
        );
    }
    Ok(())
}

pub async fn numbers_of_new_plans_are_mobile(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let countries = json!(["CI", "BJ", "CG"]);
    set_policies(&aisle, json!({"notification": {"countries": countries}})).await?;
    for number in ["+2250504458020", "+2290195123456", "+242061234567"] {
        let request = json!({"channel": "sms", "address": number});
        let client = aisle.north();
        let sent = client.post("/accounts/codes").json(&request);
        sent.expect(202).await?;
    }
    Ok(())
}

pub async fn a_code_is_taken_however_it_was_pasted(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let full_width = |code: &str| -> String {
        let wide = |c: char| char::from_u32(0xff10 + c.to_digit(10).unwrap_or(0)).unwrap_or(c);
        code.chars().map(wide).collect()
    };
    for (address, form) in [
        ("one@example.com", 0),
        ("two@example.com", 1),
        ("three@example.com", 2),
    ] {
        let (challenge, code) = code(&aisle, NORTH, address).await?;
        let typed = match form {
            0 => full_width(&code),
            1 => format!("\u{200e}“{code}”."),
            _ => format!("{}\u{2011}{}", &code[..3], &code[3..]),
        };
        let request = json!({"challenge_id": challenge, "code": typed, "device_name": "Phone"});
        let client = aisle.north();
        let signed_in = client.post("/accounts/sessions").json(&request);
        signed_in.expect(201).await?;
    }
    Ok(())
}

async fn scan(till: &SignedOn, text: &str) -> Result<Value> {
    let scanned = till.client.post("/pos/scan").json(&json!({"text": text}));
    Ok(scanned.expect(200).await?.json())
}

async fn till_of(aisle: &aisle_e2e::Environment) -> Result<SignedOn> {
    let store = "SELECT id FROM location WHERE code = 'BER-01'";
    let store = aisle.database.rows(store).await?;
    let store = store[0][0].clone().unwrap_or_default();
    aisle.staff(NORTH, &store, "pos").await
}

/// GS1 prescribes no order of element strings; identifiers of a given length need no separator.
pub async fn an_article_is_found_in_every_symbol_that_carries_it(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let till = till_of(&aisle).await?;
    let known = "SELECT v.sku, v.gtin FROM variant v JOIN brand_host h ON h.brand_id = v.brand_id \
         WHERE h.host = 'north.localhost' AND v.gtin IS NOT NULL ORDER BY v.sku LIMIT 1";
    let known = aisle.database.rows(known).await?;
    let sku = known[0][0].clone().unwrap_or_default();
    let gtin14 = known[0][1].clone().unwrap_or_default();
    assert_eq!(gtin14.len(), 14);
    let printed = gtin14.trim_start_matches('0');
    let (one, rest) = printed.split_at(1);
    let (left, right) = rest.split_at(6);
    for (text, serial) in [
        (format!("1021072911\u{1d}1724053101{gtin14}"), None),
        (format!("17240531\u{1d}01{gtin14}"), None),
        (format!("21SER1\u{1d}01{gtin14}10LOT"), Some("SER1")),
        (format!("(10)LOT7(01){gtin14}(21)A-1"), Some("A-1")),
        (format!("01{gtin14}310300003521SER1"), Some("SER1")),
        (
            format!("https://id.gs1.org/01/{gtin14}/21/AB%2F12"),
            Some("AB/12"),
        ),
        (
            format!("https://id.gs1.org/01/{gtin14}/10/21/21/X1"),
            Some("X1"),
        ),
        (
            format!("https://shop.example/some/path/01/{gtin14}/21/Z9?17=240531"),
            Some("Z9"),
        ),
        (format!("{one} {left} {right}"), None),
        (printed.to_owned(), None),
    ] {
        let scanned = scan(&till, &text).await?;
        assert_eq!(scanned.text("/item/sku"), sku, "{text}: {scanned:#}");
        assert_eq!(scanned["item"]["serial"].as_str(), serial, "{text}");
    }
    Ok(())
}

/// A label of goods that are weighed or priced in the store says which article it is and how
/// much, by a rule of the brand.
pub async fn a_label_of_the_scales_says_article_and_measure(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let products = "Handle,Title,Variant SKU,Variant Price,Published\n\
        cheese,Mountain cheese,12345,19.90,true\n";
    let import = "/admin/imports?kind=products&brand=north";
    aisle.admin().post(import).csv(products).expect(200).await?;
    let rule = |prefix: &str, carries: &str, decimals: i64| json!({"prefix": prefix, "item_digits": 5, "carries": carries, "decimals": decimals});
    let measures = json!([rule("21", "weight", 3), rule("22", "price", 2)]);
    set_policies(&aisle, json!({"scanning": {"measures": measures}})).await?;
    let till = till_of(&aisle).await?;
    for (digits, measure) in [
        ("211234500350", json!({"weight_g": 350})),
        ("221234501299", json!({"price_minor": 1299})),
    ] {
        let scanned = scan(&till, &with_check_digit(digits)).await?;
        assert_eq!(scanned.text("/item/sku"), "12345", "{scanned:#}");
        assert_eq!(scanned["item"]["measure"], measure, "{scanned:#}");
    }
    for bad in [
        json!([rule("40", "weight", 3)]),
        json!([rule("2", "weight", 3)]),
        json!([{"prefix": "21", "item_digits": 10, "carries": "price", "decimals": 2}]),
    ] {
        let admin = aisle.admin();
        let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
        brand["policies"] = json!({"scanning": {"measures": bad}});
        let refused = admin.put("/admin/brands/north").json(&brand).send().await?;
        assert!([400, 422].contains(&refused.status.as_u16()), "{refused:?}");
    }
    Ok(())
}

fn with_check_digit(digits: &str) -> String {
    let weighted = digits.bytes().rev().enumerate().map(|(at, digit)| {
        let digit = u32::from(digit - b'0');
        if at % 2 == 0 { digit * 3 } else { digit }
    });
    format!("{digits}{}", (10 - weighted.sum::<u32>() % 10) % 10)
}
