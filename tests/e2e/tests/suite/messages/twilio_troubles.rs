//! Twilio refuses, breaks, or does not say.

use aisle_e2e::environment::NORTH;
use aisle_e2e::twilio::{Trouble, Twilio};
use aisle_e2e::{Pair, Setup};
use anyhow::{Result, ensure};
use serde_json::json;

use super::{MINUTE_MS, PHONE, SENDER, ask_for_code, order, policy, state, with_twilio};

pub async fn what_twilio_refuses_is_tried_again_or_not(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    twilio.next(Trouble::Error(503, 20_503));
    ask_for_code(&aisle, NORTH, PHONE).await?;
    aisle.send_messages().await?;
    assert_eq!(
        state(&aisle).await?,
        ("queued".into(), "twilio_20503".into())
    );
    aisle.database.set_clock_forward_ms(MINUTE_MS).await?;
    aisle.send_messages().await?;
    assert_eq!(
        (state(&aisle).await?.0.as_str(), twilio.taken().len()),
        ("sent", 1)
    );

    twilio.next(Trouble::Error(400, 21_614));
    ask_for_code(&aisle, NORTH, PHONE).await?;
    aisle.send_messages().await?;
    assert_eq!(
        state(&aisle).await?,
        ("failed".into(), "twilio_21614".into())
    );
    assert_eq!(twilio.taken().len(), 1);
    Ok(())
}

pub async fn an_unknown_outcome_is_never_a_second_text(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    twilio.next(Trouble::TakenWithoutAnswer);
    ask_for_code(&aisle, NORTH, PHONE).await?;
    aisle.send_messages().await?;
    assert_eq!(
        state(&aisle).await?,
        ("sending".into(), "unknown_outcome".into())
    );
    aisle.database.set_clock_forward_ms(MINUTE_MS).await?;
    aisle.send_messages().await?;
    assert_eq!(state(&aisle).await?.0, "sent");
    assert_eq!((twilio.taken().len(), twilio.lists()), (1, 1));
    Ok(())
}

pub async fn a_text_that_twilio_has_not_sent_yet_is_found(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    // More than one page of its list.
    twilio.has_texted(PHONE, 150);
    twilio.next(Trouble::TakenWithoutAnswer);
    ask_for_code(&aisle, NORTH, PHONE).await?;
    aisle.send_messages().await?;
    aisle.database.set_clock_forward_ms(MINUTE_MS).await?;
    aisle.send_messages().await?;
    assert_eq!(state(&aisle).await?.0, "sent");
    assert_eq!((twilio.taken().len(), twilio.lists()), (1, 2));
    Ok(())
}

pub async fn what_twilio_surely_has_not_is_texted_again(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    twilio.has_texted(PHONE, 150);
    twilio.next(Trouble::LostWithoutAnswer);
    ask_for_code(&aisle, NORTH, PHONE).await?;
    aisle.send_messages().await?;
    let doubted = ("sending".to_owned(), "unknown_outcome".to_owned());
    assert_eq!(state(&aisle).await?, doubted);
    for minutes in [1, 2] {
        aisle
            .database
            .set_clock_forward_ms(minutes * MINUTE_MS)
            .await?;
        aisle.send_messages().await?;
    }
    assert_eq!(state(&aisle).await?.0, "sent");
    assert_eq!((twilio.taken().len(), twilio.lists()), (1, 2));
    Ok(())
}

pub async fn a_wrong_token_texts_nothing_and_is_not_tried_for_ever(pair: Pair) -> Result<()> {
    const TRIES: usize = 8;
    const WRONG: &str = "fedcba9876543210fedcba9876543210";
    let twilio = Twilio::start().await?;
    let setup = twilio.sends_for(Setup::demo(pair));
    let aisle = setup.variable("twilio_auth_token", WRONG).start().await?;
    policy(&aisle, json!({"sender": {"sms_from": SENDER}})).await?;
    order(&aisle).await?;
    for attempt in 1..=TRIES {
        aisle.send_messages().await?;
        let status = if attempt < TRIES { "queued" } else { "failed" };
        let refused = (status.to_owned(), "twilio_20003".to_owned());
        assert_eq!(state(&aisle).await?, refused, "{attempt}");
        let forward_ms = attempt as i64 * 15 * MINUTE_MS;
        aisle.database.set_clock_forward_ms(forward_ms).await?;
    }
    aisle.send_messages().await?;
    assert_eq!((twilio.requests(), twilio.taken().len()), (TRIES, 0));
    // The link is not lost.
    let mails = aisle_e2e::inbox::texts_to(&aisle, "ada@example.com").await?;
    let links = mails.iter().filter(|mail| mail.text.contains("/i/"));
    assert_eq!(links.count(), 1, "{mails:?}");
    let kept = aisle.database.search(&[WRONG]).await?;
    ensure!(kept.is_empty(), "{kept:?}");
    Ok(())
}
