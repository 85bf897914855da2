//! How many texts are sent, and at what time of the day.

use aisle_e2e::environment::NORTH;
use aisle_e2e::inbox::texts_to;
use aisle_e2e::twilio::{SENDER, Trouble, Twilio};
use aisle_e2e::{Environment, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

use super::{
    DAY_MS, MINUTE_MS, PHONE, ask_for_code, day_policy, moves, order, policy, queue, state_of,
};

const HOUR_MS: i64 = 60 * MINUTE_MS;
const MANY: i64 = 1_000;

fn limits(limits: Value) -> Value {
    let mut all = json!({"number_per_hour": MANY, "number_per_day": MANY, "brand_per_minute": MANY,
                         "foreign_country_per_day": MANY});
    for (name, most) in limits.as_object().into_iter().flatten() {
        all[name] = most.clone();
    }
    json!({"limits": all, "countries": ["DE", "AT", "NL"]})
}

/// Texts to numbers that begin like this that were sent, after all that is due was, and
/// those that wait for a limit.
async fn sent_and_waiting(aisle: &Environment, prefix: &str) -> Result<(i64, i64)> {
    aisle.send_messages().await?;
    let count = async |what: &str| {
        let sql = format!("SELECT count(*) FROM {what} AND address LIKE '{prefix}%'");
        aisle.database.number(&sql).await
    };
    let sent = count("sandbox_message WHERE channel = 'sms'").await?;
    let waiting = count("message WHERE status = 'queued' AND failure = 'limit'").await?;
    Ok((sent, waiting))
}

pub async fn a_number_gets_only_so_many_texts(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    policy(
        &aisle,
        limits(json!({"number_per_hour": 2, "number_per_day": 3})),
    )
    .await?;
    queue(&aisle, "north", &vec![PHONE.to_owned(); 20]).await?;
    // As links, which somebody agreed to: codes are counted by who asks for them.
    for change in [
        "UPDATE message SET purpose = 'invite'",
        "INSERT INTO consent (id, brand_id, channel, address, purpose, wording_version, decision, source, at_ms) \
         SELECT m.brand_id, m.brand_id, m.channel, m.address, 'invite', '1', 'given', 'invite', 0 FROM message m LIMIT 1",
    ] {
        aisle.database.rows(change).await?;
    }
    for (forward_ms, sent) in [(0, 2), (HOUR_MS + MINUTE_MS, 3), (DAY_MS + MINUTE_MS, 5)] {
        aisle.database.set_clock_forward_ms(forward_ms).await?;
        assert_eq!(sent_and_waiting(&aisle, PHONE).await?, (sent, 20 - sent));
    }
    Ok(())
}

pub async fn a_brand_sends_only_so_many_texts_a_minute(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    policy(&aisle, limits(json!({"brand_per_minute": 3}))).await?;
    let numbers = |prefix: &str| -> Vec<String> {
        (0..8).map(|number| format!("{prefix}{number}")).collect()
    };
    queue(&aisle, "north", &numbers("+491511234567")).await?;
    queue(&aisle, "harbor", &numbers("+1212555012")).await?;
    assert_eq!(
        sent_and_waiting(&aisle, "+1212").await?,
        (8, 0),
        "another brand's are its own"
    );
    for (forward_ms, sent) in [(0, 3), (MINUTE_MS, 6), (2 * MINUTE_MS, 8)] {
        aisle.database.set_clock_forward_ms(forward_ms).await?;
        assert_eq!(sent_and_waiting(&aisle, "+4915").await?, (sent, 8 - sent));
    }
    Ok(())
}

pub async fn a_limit_of_none_lets_none_through(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    policy(&aisle, limits(json!({"foreign_country_per_day": 0}))).await?;
    let numbers = ["+491511234567", "+43664123456", "+3161234567"];
    let numbers = numbers.map(|prefix| format!("{prefix}0"));
    queue(&aisle, "north", &numbers).await?;
    for forward_ms in [0, DAY_MS + MINUTE_MS] {
        aisle.database.set_clock_forward_ms(forward_ms).await?;
        for (prefix, sent) in [("+4915", 1), ("+4366", 0), ("+316", 0)] {
            let found = sent_and_waiting(&aisle, prefix).await?;
            assert_eq!(found, (sent, 1 - sent), "{prefix}");
        }
    }
    Ok(())
}

pub async fn a_country_abroad_gets_only_so_many_texts_a_day(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    policy(&aisle, limits(json!({"foreign_country_per_day": 2}))).await?;
    let mut numbers = Vec::new();
    for number in 0..5 {
        for prefix in ["+491511234567", "+43664123456", "+3161234567"] {
            numbers.push(format!("{prefix}{number}"));
        }
    }
    queue(&aisle, "north", &numbers).await?;
    for (forward_ms, abroad) in [(0, 2), (DAY_MS / 2, 2), (DAY_MS + MINUTE_MS, 4)] {
        aisle.database.set_clock_forward_ms(forward_ms).await?;
        for (prefix, sent) in [("+4915", 5), ("+4366", abroad), ("+316", abroad)] {
            assert_eq!(
                sent_and_waiting(&aisle, prefix).await?,
                (sent, 5 - sent),
                "{prefix}"
            );
        }
    }
    Ok(())
}

pub async fn a_night_is_waited_for_where_the_number_is(pair: Pair) -> Result<()> {
    // Neither country puts its clocks forward: UTC, and four hours more.
    const ICELAND: &str = "+3546111234";
    const DUBAI: &str = "+971501234567";
    let aisle = Setup::demo(pair).start().await?;
    day_policy(&aisle, json!({"countries": ["DE", "IS", "AE"]})).await?;
    // Tomorrow, half past six in the evening and half past ten at night.
    let now_ms = aisle.database.number(NOW_MS).await?;
    let evening_ms = DAY_MS - now_ms.rem_euclid(DAY_MS) + 18 * HOUR_MS + HOUR_MS / 2;
    aisle.database.set_clock_forward_ms(evening_ms).await?;
    let order = order(&aisle).await?;
    for number in [ICELAND, DUBAI] {
        let invite = json!({"scope": "order", "id": order, "address": number,
                            "consent": {"wording_version": "2026-11"}});
        aisle
            .north()
            .post("/invites")
            .json(&invite)
            .expect(201)
            .await?;
        assert_eq!(
            texts_to(&aisle, number).await?.len(),
            1,
            "whoever has just asked is awake"
        );
    }

    moves(&aisle, &order, "moved_later", 2_000, 9_000).await?;
    aisle
        .database
        .set_clock_forward_ms(evening_ms + 2 * MINUTE_MS)
        .await?;
    assert_eq!(texts_to(&aisle, ICELAND).await?.len(), 2);
    assert_eq!(texts_to(&aisle, DUBAI).await?.len(), 1);
    let waits = ("queued".to_owned(), "quiet_hours".to_owned());
    assert_eq!(state_of(&aisle, DUBAI).await?, waits);
    ask_for_code(&aisle, NORTH, DUBAI).await?;
    assert_eq!(
        texts_to(&aisle, DUBAI).await?.len(),
        2,
        "somebody waits for a code"
    );

    // A quarter to eight, and eight.
    let morning_ms = evening_ms + 9 * HOUR_MS + HOUR_MS / 2;
    aisle
        .database
        .set_clock_forward_ms(morning_ms - HOUR_MS / 4)
        .await?;
    assert_eq!(texts_to(&aisle, DUBAI).await?.len(), 2);
    for _ in 0..2 {
        aisle.database.set_clock_forward_ms(morning_ms).await?;
        let texts = texts_to(&aisle, DUBAI).await?;
        assert_eq!(texts.len(), 3, "{texts:?}");
    }
    assert_eq!(texts_to(&aisle, ICELAND).await?.len(), 2);
    Ok(())
}

pub async fn a_link_that_had_to_wait_is_not_texted_at_night(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = twilio.sends_for(Setup::demo(pair)).start().await?;
    day_policy(&aisle, json!({"sender": {"sms_from": SENDER}})).await?;
    let now_ms = aisle.database.number(NOW_MS).await?;
    let night_ms = DAY_MS - now_ms.rem_euclid(DAY_MS) + 22 * HOUR_MS;
    aisle.database.set_clock_forward_ms(night_ms).await?;
    twilio.next(Trouble::Error(503, 20_503));
    order(&aisle).await?;
    let retried = ("queued".to_owned(), "twilio_20503".to_owned());
    let waits = ("queued".to_owned(), "quiet_hours".to_owned());
    for (later_ms, state, requests) in [
        (0, retried, 1),
        (10 * MINUTE_MS, waits, 1),
        (11 * HOUR_MS, ("sent".to_owned(), String::new()), 2),
    ] {
        let forward_ms = night_ms + later_ms;
        aisle.database.set_clock_forward_ms(forward_ms).await?;
        aisle.send_messages().await?;
        assert_eq!(state_of(&aisle, PHONE).await?, state);
        assert_eq!(twilio.requests(), requests);
    }
    Ok(())
}

/// By the database's clock, which is the machine's until it is moved.
const NOW_MS: &str = "SELECT max(created_at_ms) FROM outbox";
