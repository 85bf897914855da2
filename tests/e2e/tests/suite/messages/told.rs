//! Who is told of an order, and what a device hears of that.

use aisle_e2e::accounts::sign_in;
use aisle_e2e::environment::NORTH;
use aisle_e2e::inbox::texts_to;
use aisle_e2e::json::Look;
use aisle_e2e::twilio::{self, ACCOUNT, SENDER, TOKEN, Twilio, call_back};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

use super::{INBOUND, MINUTE_MS, PHONE, moves, order, policy, with_twilio};

const ADA: &str = "ada@example.com";

/// The notices among what has changed since `cursor`, which moves on: channel and status.
async fn notices(device: &Client, cursor: &mut String) -> Result<Vec<(String, String)>> {
    let path = format!("/sync?cursor={cursor}");
    let news = device.get(&path).expect(200).await?.json();
    *cursor = news.text("/cursor").to_owned();
    let changes = news.list("/changes").iter();
    let notices = changes.filter(|change| change["kind"] == "notice");
    let shown = notices.map(|change| {
        let doc = change.at("/doc");
        (doc.text("/channel").into(), doc.text("/status").into())
    });
    Ok(shown.collect())
}

/// The order's promise moves, and that is told.
async fn told(aisle: &Environment, order: &str, minutes: i64) -> Result<()> {
    moves(aisle, order, "moved_later", 2_000, 9_000).await?;
    aisle
        .database
        .set_clock_forward_ms(minutes * MINUTE_MS)
        .await?;
    aisle.send_messages().await
}

pub async fn devices_see_what_became_of_news(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    // One text of news; the link is counted by itself.
    let by_text = json!({"sender": {"sms_from": SENDER}, "email_buyer": false, "limits": {"number_per_hour": 1}});
    policy(&aisle, by_text).await?;
    let ada = sign_in(&aisle, NORTH, ADA).await?.client;
    let placed = order(&aisle).await?;
    let attach = ada.post("/accounts/me/orders");
    attach
        .json(&json!({"order_id": placed}))
        .expect(200)
        .await?;
    aisle.send_messages().await?;
    let start = ada.get("/sync").expect(200).await?.json();
    let mut cursor = start.text("/cursor").to_owned();

    let pair = |channel: &str, status: &str| (channel.to_owned(), status.to_owned());
    told(&aisle, &placed, 2).await?;
    let seen = notices(&ada, &mut cursor).await?;
    assert_eq!(seen, [pair("sms", "sent")]);
    let texts = twilio.taken();
    let text = texts.last().expect("it was sent");
    twilio.report(&aisle, text, "delivered", "").await?;
    let seen = notices(&ada, &mut cursor).await?;
    assert_eq!(seen, [pair("sms", "delivered")]);

    told(&aisle, &placed, 4).await?;
    assert_eq!(notices(&ada, &mut cursor).await?, [pair("sms", "queued")]);
    told(&aisle, &placed, 6).await?;
    let replaced = [pair("sms", "suppressed"), pair("sms", "queued")];
    assert_eq!(notices(&ada, &mut cursor).await?, replaced);
    let stop = [
        ("AccountSid", ACCOUNT),
        ("MessageSid", "SM1"),
        ("From", PHONE),
        ("To", SENDER),
        ("Body", "STOP"),
    ];
    let stop = stop.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let stop = stop.into_iter().collect();
    let signature = twilio::signature(TOKEN, INBOUND, &stop);
    let heard = call_back(&aisle, INBOUND, &stop, &signature).await?;
    assert_eq!(heard.status, 200, "{heard:?}");
    assert_eq!(
        notices(&ada, &mut cursor).await?,
        [pair("sms", "suppressed")]
    );
    Ok(())
}

/// What is said of one order holds for no other one, whoever says it.
pub async fn an_order_has_its_own_say(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    policy(&aisle, json!({"email_buyer": false})).await?;
    let (mine, other) = (order(&aisle).await?, order(&aisle).await?);
    aisle.send_messages().await?;
    let had = texts_to(&aisle, PHONE).await?.len();
    let shopper = aisle.north();
    let choose = async |active: bool| -> Result<Value> {
        let path = format!("/orders/{other}/notifications");
        let body = json!({"contacts": [{"channel": "sms", "active": active}]});
        Ok(shopper.put(&path).json(&body).expect(200).await?.json())
    };
    choose(false).await?;
    told(&aisle, &mine, 2).await?;
    assert_eq!(texts_to(&aisle, PHONE).await?.len(), had + 1);
    told(&aisle, &other, 4).await?;
    assert_eq!(texts_to(&aisle, PHONE).await?.len(), had + 1);
    choose(true).await?;
    told(&aisle, &other, 6).await?;
    assert_eq!(texts_to(&aisle, PHONE).await?.len(), had + 2);
    Ok(())
}
