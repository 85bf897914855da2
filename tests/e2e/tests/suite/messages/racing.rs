//! Several who send at the same moment, in several processes.

use std::sync::Arc;

use aisle_e2e::environment::NORTH;
use aisle_e2e::twilio::{Trouble, Twilio};
use aisle_e2e::{Client, Environment, Pair};
use anyhow::Result;
use futures::future::try_join_all;
use serde_json::json;
use tokio::sync::Barrier;

use super::{MINUTE_MS, queue, with_twilio};

const ROUNDS: usize = 5;
const TEXTS: usize = 6;
const SENDERS: usize = 8;

/// Has everybody send what is due, all beginning at the same moment.
async fn all_send(senders: &[Client]) -> Result<()> {
    let start = Arc::new(Barrier::new(senders.len()));
    let sending = senders.iter().map(async |sender| {
        start.wait().await;
        sender.post("/messages/housekeeping").expect(200).await
    });
    try_join_all(sending).await.map(drop)
}

async fn ended(aisle: &Environment, status: &str) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM message WHERE status = '{status}' AND attempts = 1");
    aisle.database.number(&sql).await
}

pub async fn who_sends_at_the_same_moment_sends_once(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    let other = aisle.neighbour().await?;
    let authorization = format!("Bearer {}", aisle.relay_key);
    let senders: Vec<Client> = (0..SENDERS)
        .map(|place| match place % 2 {
            0 => aisle.client(NORTH),
            _ => other.client(NORTH),
        })
        .map(|client| client.with_header("authorization", &authorization))
        .collect();
    let mut sent = 0;
    for round in 0..ROUNDS {
        let number = |text: usize| format!("+4915112345{round}{text}0");
        queue(&aisle, "north", &(0..TEXTS).map(number).collect::<Vec<_>>()).await?;
        all_send(&senders).await?;
        sent += TEXTS;
        assert_eq!((twilio.requests(), twilio.taken().len()), (sent, sent));
        assert_eq!(ended(&aisle, "sent").await?, sent as i64);
    }

    // Nor do those who find the same text in doubt ask more than once what became of it.
    let mut forward_ms = 0;
    for round in 0..ROUNDS {
        twilio.next(Trouble::TakenWithoutAnswer);
        queue(&aisle, "north", &[format!("+491511234560{round}")]).await?;
        all_send(&senders).await?;
        assert_eq!(ended(&aisle, "sending").await?, 1);
        forward_ms += MINUTE_MS;
        aisle.database.set_clock_forward_ms(forward_ms).await?;
        all_send(&senders).await?;
        sent += 1;
        assert_eq!((twilio.taken().len(), twilio.lists()), (sent, round + 1));
        assert_eq!(ended(&aisle, "sent").await?, sent as i64);
    }
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

pub async fn a_limit_holds_whoever_sends(pair: Pair) -> Result<()> {
    const MOST: usize = 10;
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    let limits = json!({"brand_per_minute": MOST});
    let sender = json!({"sms_from": aisle_e2e::twilio::SENDER});
    super::policy(&aisle, json!({"sender": sender, "limits": limits})).await?;
    let authorization = format!("Bearer {}", aisle.relay_key);
    let other = aisle.neighbour().await?;
    let senders: Vec<Client> = [aisle.client(NORTH), other.client(NORTH)]
        .into_iter()
        .map(|client| client.with_header("authorization", &authorization))
        .collect();
    let numbers = (0..4 * MOST).map(|text| format!("+49151123456{text:02}"));
    queue(&aisle, "north", &numbers.collect::<Vec<_>>()).await?;
    all_send(&senders).await?;
    aisle.send_messages().await?;
    assert_eq!(twilio.requests(), MOST);
    Ok(())
}
