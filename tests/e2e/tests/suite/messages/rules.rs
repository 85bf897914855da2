//! A brand's own rules and words.

use aisle_e2e::inbox::texts_to;
use aisle_e2e::json::Look;
use aisle_e2e::{Pair, Setup};
use anyhow::Result;
use serde_json::json;

use super::{PHONE, moves, order, policy, put_policy};

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";

pub async fn a_brand_says_what_is_told_to_whom_and_in_which_words(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let rules = json!([
        {"event": "ready_for_pickup", "channels": ["email"], "template": "order_reminder", "to": "buyer"},
        {"event": "preparing", "channels": ["sms"], "template": "order_delayed"},
        {"event": "refunded", "channels": ["sms", "email"], "template": "order_refunded"},
    ]);
    let templates = json!([
        {"name": "order_reminder", "locale": "en", "channel": "email", "subject": "Come, {number}",
         "text": "Your things are at {store}."},
        {"name": "order_delayed", "locale": "en", "text": "{brand} packs {number}."},
    ]);
    let own = json!({"rules": rules, "templates": templates, "collapse_seconds": 0});
    policy(&aisle, own).await?;
    let order = order(&aisle).await?;
    let shopper = aisle.north();
    let invite = json!({"scope": "order", "id": order, "channel": "email", "address": GRACE,
                        "consent": {"wording_version": "2026-11"}});
    shopper.post("/invites").json(&invite).expect(201).await?;
    let shown = shopper.get(&format!("/my/orders/{order}"));
    let shown = shown.expect(200).await?.text().into_owned();
    let mut had = Vec::new();
    for address in [PHONE, ADA, GRACE] {
        had.push(texts_to(&aisle, address).await?.len());
    }
    for kind in ["ready_for_pickup", "preparing", "refunded"] {
        moves(&aisle, &order, kind, 1, 1).await?;
        aisle.send_messages().await?;
    }
    let mut told = Vec::new();
    for (address, had) in [PHONE, ADA, GRACE].into_iter().zip(had) {
        told.push(texts_to(&aisle, address).await?.split_off(had));
    }
    let [texts, adas, graces] = told.try_into().expect("three of them");
    assert_eq!(texts.len(), 2, "{texts:?}");
    let number = texts[0].text.strip_prefix("Northfell packs ");
    let number = number.and_then(|rest| rest.strip_suffix('.'));
    let number = number.unwrap_or_else(|| panic!("{texts:?}"));
    assert!(shown.contains(number), "{number}");
    assert!(texts[1].text.contains("refunded"), "{texts:?}");
    assert_eq!(adas.len(), 2, "{adas:?}");
    assert_eq!(adas[0].subject, Some(format!("Come, {number}")));
    assert!(
        adas[0].text.starts_with("Your things are at Northfell"),
        "{adas:?}"
    );
    assert!(adas[1].text.contains("refunded"), "{adas:?}");
    assert!(
        graces.len() == 1 && graces[0].text.contains("refunded"),
        "{graces:?}"
    );
    Ok(())
}

pub async fn a_brands_own_texts_name_it(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let of = |text: &str, channel: Option<&str>| {
        let words =
            json!({"name": "order_ready", "locale": "en", "channel": channel, "text": text});
        json!({"templates": [words]})
    };
    for nameless in ["{number} is ready.", "{number} is ready.[ {brand}]"] {
        for channel in [None, Some("sms")] {
            let refused = put_policy(&aisle, "north", of(nameless, channel)).await?;
            assert_eq!(refused.status, 422, "{refused:?}");
            let path = refused.json().text("/path").to_owned();
            assert_eq!(path, "$.policies.notification.templates[0].text");
        }
    }
    for (named, channel) in [("{brand}: {number}.", None), ("{number}", Some("email"))] {
        let taken = put_policy(&aisle, "north", of(named, channel)).await?;
        assert_eq!(taken.status, 200, "{taken:?}");
    }
    Ok(())
}
