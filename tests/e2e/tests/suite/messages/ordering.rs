//! News of an order, in the order in which they happened.

use aisle_e2e::inbox::texts_to;
use aisle_e2e::twilio::{SENDER, Trouble, Twilio};
use aisle_e2e::{Environment, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

use super::{MINUTE_MS, PHONE, moves, order, policy, state, with_twilio};

fn rule(event: &str, template: &str, at_once: bool) -> Value {
    json!({"event": event, "channels": ["sms"], "template": template, "at_once": at_once})
}

/// Which news the usual number was texted, after its link: by a word of each.
async fn news(aisle: &Environment) -> Result<Vec<&'static str>> {
    let texts = texts_to(aisle, PHONE).await?;
    let word = |text: &str| {
        let words = ["is ready for you", "ready earlier", "refunded"];
        words.into_iter().find(|word| text.contains(word))
    };
    Ok(texts.iter().filter_map(|one| word(&one.text)).collect())
}

pub async fn what_does_not_wait_is_told_after_what_was_before_it(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let rules = [
        rule("moved_earlier", "order_earlier", false),
        rule("refunded", "order_refunded", false),
        rule("ready_for_pickup", "order_ready", true),
    ];
    policy(&aisle, json!({"rules": rules})).await?;
    let order = order(&aisle).await?;
    for kind in ["refunded", "ready_for_pickup", "moved_earlier"] {
        moves(&aisle, &order, kind, 9_000, 1_000).await?;
    }
    assert_eq!(news(&aisle).await?, ["refunded", "is ready for you"]);
    aisle.database.set_clock_forward_ms(2 * MINUTE_MS).await?;
    let all = ["refunded", "is ready for you", "ready earlier"];
    assert_eq!(news(&aisle).await?, all);

    // What it makes untrue is not told any more, neither before nor after it.
    for kind in ["moved_earlier", "ready_for_pickup"] {
        moves(&aisle, &order, kind, 9_000, 1_000).await?;
    }
    let told = [&all[..], &["is ready for you"]].concat();
    for minutes in [2, 5] {
        aisle
            .database
            .set_clock_forward_ms(minutes * MINUTE_MS)
            .await?;
        assert_eq!(news(&aisle).await?, told, "after {minutes}");
    }
    Ok(())
}

pub async fn news_wait_for_those_before_them(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    let sender = json!({"sms_from": SENDER});
    policy(&aisle, json!({"sender": sender, "collapse_seconds": 0})).await?;
    let order = order(&aisle).await?;
    aisle.send_messages().await?;
    assert_eq!((twilio.taken().len(), twilio.requests()), (1, 1));
    twilio.next(Trouble::Error(503, 20_503));
    moves(&aisle, &order, "ready_for_pickup", 1, 1).await?;
    aisle.send_messages().await?;
    let retried = ("queued".to_owned(), "twilio_20503".to_owned());
    assert_eq!(state(&aisle).await?, retried);
    moves(&aisle, &order, "refunded", 1, 1).await?;
    aisle.send_messages().await?;
    let waits = ("queued".to_owned(), String::new());
    assert_eq!(state(&aisle).await?, waits);
    assert_eq!((twilio.taken().len(), twilio.requests()), (1, 2));
    aisle.database.set_clock_forward_ms(MINUTE_MS).await?;
    aisle.send_messages().await?;
    let texts: Vec<String> = twilio
        .taken()
        .into_iter()
        .map(|mut text| text.remove("Body").unwrap_or_default())
        .collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(
        texts[1].contains("is ready") && texts[2].contains("refunded"),
        "{texts:?}"
    );
    Ok(())
}
