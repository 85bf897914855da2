//! What shoppers text back: STOP, START and HELP.

use std::collections::BTreeMap;

use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::twilio::{self, ACCOUNT, SENDER, TOKEN, Trouble, Twilio, call_back};
use aisle_e2e::{Answer, Environment, Pair};
use anyhow::{Result, ensure};
use serde_json::json;

use super::{
    INBOUND, MINUTE_MS, PHONE, ask_for_code, moves, order, policy, policy_of, state, with_twilio,
};

const OPT_OUTS: &str = "SELECT count(*) FROM opt_out";

/// What Twilio sends when the usual number texts this to North.
fn inbound(word: &str, sid: &str) -> BTreeMap<String, String> {
    let fields = [
        ("AccountSid", ACCOUNT),
        ("MessageSid", sid),
        ("From", PHONE),
        ("To", SENDER),
        ("Body", word),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

async fn signed(aisle: &Environment, form: &BTreeMap<String, String>) -> Result<Answer> {
    let signature = twilio::signature(TOKEN, INBOUND, form);
    call_back(aisle, INBOUND, form, &signature).await
}

/// The usual number texts this; what it is answered.
async fn text(aisle: &Environment, word: &str, sid: &str) -> Result<String> {
    let answer = signed(aisle, &inbound(word, sid)).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Ok(answer.text().into_owned())
}

fn opted_out() -> (String, String) {
    ("suppressed".into(), "opted_out".into())
}

pub async fn stop_help_and_start_are_obeyed_at_once(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    let order = order(&aisle).await?;
    aisle.send_messages().await?;
    assert_eq!(twilio.taken().len(), 1);
    let contacts = format!(
        "SELECT count(*) FROM order_contact WHERE order_id = '{order}' AND channel = 'sms' AND ended_at_ms IS NULL"
    );
    assert_eq!(aisle.database.number(&contacts).await?, 1);
    ensure!(text(&aisle, "help", "SM1").await?.contains("Northfell: "));
    assert_eq!(aisle.database.number(OPT_OUTS).await?, 0);

    let stopped = text(&aisle, " Stopp. ", "SM2").await?;
    ensure!(stopped.contains("START"), "{stopped}");
    assert_eq!(aisle.database.number(&contacts).await?, 0);
    ask_for_code(&aisle, NORTH, PHONE).await?;
    aisle.send_messages().await?;
    assert_eq!(state(&aisle).await?, opted_out());

    text(&aisle, "START", "SM3").await?;
    assert_eq!(aisle.database.number(&contacts).await?, 1);
    // A repetition of what was obeyed is none of what came later.
    text(&aisle, " Stopp. ", "SM2").await?;
    assert_eq!(aisle.database.number(OPT_OUTS).await?, 0);
    ask_for_code(&aisle, NORTH, PHONE).await?;
    aisle.send_messages().await?;
    assert_eq!(
        (state(&aisle).await?.0.as_str(), twilio.taken().len()),
        ("sent", 2)
    );
    let log = "SELECT decision FROM consent WHERE source = 'sms_keyword' ORDER BY at_ms, id";
    let log: Vec<_> = aisle
        .database
        .rows(log)
        .await?
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    assert_eq!(log, ["withdrawn", "given"]);
    Ok(())
}

/// However somebody says that they want no more texts (47 CFR 64.1200(a)(10)).
pub async fn stop_is_obeyed_in_any_reasonable_wording(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    for (number, word) in [
        "OPT-OUT",
        "“STOP”",
        "Stop…",
        "stop  all",
        "\u{200e}Stop",
        "ＳＴＯＰ",
        "[STOP]",
        "ARRE\u{302}T",
        "Please stop!",
        "stop texting me",
    ]
    .into_iter()
    .enumerate()
    {
        text(&aisle, word, &format!("SM{number}")).await?;
        assert_eq!(aisle.database.number(OPT_OUTS).await?, 1, "{word}");
        text(&aisle, "START", &format!("SMS{number}")).await?;
        assert_eq!(aisle.database.number(OPT_OUTS).await?, 0, "{word}");
    }
    for (number, sentence) in [
        "please do not stop",
        "does the bus stop there?",
        "cancel it",
    ]
    .into_iter()
    .enumerate()
    {
        text(&aisle, sentence, &format!("SMX{number}")).await?;
        assert_eq!(aisle.database.number(OPT_OUTS).await?, 0, "{sentence}");
    }
    Ok(())
}

pub async fn nobody_else_texts_start_for_a_number(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    text(&aisle, "STOP", "SM1").await?;
    let start = inbound("START", "SM2");
    let mut elsewhere = start.clone();
    elsewhere.insert("AccountSid".into(), "AC1".into());
    for (form, signature) in [
        (&start, String::new()),
        (&start, twilio::signature("another token", INBOUND, &start)),
        (
            &start,
            twilio::signature(TOKEN, INBOUND, &inbound("STOP", "SM2")),
        ),
        (&elsewhere, twilio::signature(TOKEN, INBOUND, &elsewhere)),
    ] {
        let refused = call_back(&aisle, INBOUND, form, &signature).await?;
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    ask_for_code(&aisle, NORTH, PHONE).await?;
    aisle.send_messages().await?;
    assert_eq!(state(&aisle).await?, opted_out());
    ensure!(twilio.taken().is_empty());
    Ok(())
}

pub async fn stop_holds_for_the_brand_that_was_texted(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    let served = json!({"sender": {"sms_from": SENDER}, "countries": ["DE"]});
    policy_of(&aisle, "harbor", served).await?;
    text(&aisle, "STOP", "SM1").await?;
    // Of a process that remembers nothing of the brand as it was.
    let other = aisle.neighbour().await?;
    for host in [NORTH, HARBOR] {
        let code = json!({"channel": "sms", "address": PHONE});
        let client = other.client(host);
        client
            .post("/accounts/codes")
            .json(&code)
            .expect(202)
            .await?;
        aisle.send_messages().await?;
    }
    let taken = twilio.taken();
    assert_eq!((taken.len(), taken[0]["To"].as_str()), (1, PHONE));
    ensure!(!taken[0]["Body"].contains("Northfell"), "{taken:?}");
    Ok(())
}

pub async fn stop_takes_back_what_waits(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    policy(
        &aisle,
        json!({"sender": {"sms_from": SENDER}, "collapse_seconds": 0}),
    )
    .await?;
    let order = order(&aisle).await?;
    aisle.send_messages().await?;
    twilio.next(Trouble::Error(503, 20_503));
    moves(&aisle, &order, "ready_for_pickup", 1, 1).await?;
    aisle.send_messages().await?;
    let waits = ("queued".to_owned(), "twilio_20503".to_owned());
    assert_eq!(state(&aisle).await?, waits);
    text(&aisle, "STOP", "SM1").await?;
    assert_eq!(state(&aisle).await?, opted_out());
    // START brings later news, not these.
    for (minutes, word, sid) in [(1, "STOP", "SM1"), (2, "START", "SM2")] {
        text(&aisle, word, sid).await?;
        aisle
            .database
            .set_clock_forward_ms(minutes * MINUTE_MS)
            .await?;
        aisle.send_messages().await?;
        assert_eq!((twilio.taken().len(), twilio.requests()), (1, 2), "{word}");
    }
    moves(&aisle, &order, "refunded", 1, 1).await?;
    aisle.send_messages().await?;
    assert_eq!(twilio.taken().len(), 2);
    Ok(())
}

pub async fn words_that_twilio_knows_are_obeyed_in_silence(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    // With a keyword of the account's own, that only Twilio knows.
    for (kind, opt_outs) in [("STOP", 1), ("HELP", 1), ("START", 0)] {
        let mut form = inbound("Genug!", kind);
        form.insert("OptOutType".into(), kind.into());
        let answer = signed(&aisle, &form).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
        ensure!(!answer.text().contains("<Message>"), "{answer:?}");
        assert_eq!(aisle.database.number(OPT_OUTS).await?, opt_outs, "{kind}");
    }
    Ok(())
}
