//! Mails by SendGrid.

use aisle_e2e::inbox::code_in;
use aisle_e2e::json::Look;
use aisle_e2e::sendgrid::{SENDER, SendGrid, Trouble};
use aisle_e2e::{Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{MINUTE_MS, order, policy, state_of};

const ADA: &str = "ada@example.com";

/// The demo with North's mails sent by `sendgrid`.
async fn with_sendgrid(pair: Pair, sendgrid: &SendGrid) -> Result<Environment> {
    let aisle = sendgrid.sends_for(Setup::demo(pair)).start().await?;
    policy(&aisle, json!({"sender": {"email_from": SENDER}})).await?;
    Ok(aisle)
}

/// Has a code mailed; the challenge's id.
async fn ask_for_code(aisle: &Environment, address: &str) -> Result<String> {
    let request = json!({"channel": "email", "address": address});
    let shopper = aisle.north();
    let asked = shopper.post("/accounts/codes").json(&request);
    Ok(asked.expect(202).await?.json().text("/challenge_id").into())
}

async fn mail_of(aisle: &Environment, address: &str) -> Result<(String, String)> {
    aisle.send_messages().await?;
    state_of(aisle, address).await
}

fn because(status: &str, failure: &str) -> (String, String) {
    (status.into(), failure.into())
}

pub async fn sendgrid_is_given_what_its_documentation_asks_for(pair: Pair) -> Result<()> {
    let sendgrid = SendGrid::start().await?;
    let aisle = with_sendgrid(pair, &sendgrid).await?;
    let challenge = ask_for_code(&aisle, ADA).await?;
    assert_eq!(mail_of(&aisle, ADA).await?, because("sent", ""));
    let taken = sendgrid.taken();
    let text = taken[0].text("/content/0/value");
    let code = code_in(text).context("no code in the mail")?;
    let message = "SELECT id, params FROM message";
    let message = aisle.database.rows(message).await?.remove(0);
    assert_eq!(message[1].as_deref(), Some("{}"), "the code is forgotten");
    let expected = json!({
        "personalizations": [{"to": [{"email": ADA}], "custom_args": {"message_id": message[0]}}],
        "from": {"email": SENDER, "name": "Northfell"},
        "subject": format!("Your Northfell code: {code}"),
        "content": [{"type": "text/plain", "value": text}],
        "tracking_settings": {
            "click_tracking": {"enable": false, "enable_text": false},
            "open_tracking": {"enable": false},
        },
    });
    assert_eq!(taken, [expected], "{:?}", sendgrid.faults());
    let proof = json!({"challenge_id": challenge, "code": code, "device_name": "Laptop"});
    let shopper = aisle.north();
    let signed_in = shopper.post("/accounts/sessions").json(&proof);
    signed_in.expect(201).await?;

    aisle.database.set_clock_forward_ms(10 * MINUTE_MS).await?;
    aisle.send_messages().await?;
    assert_eq!(sendgrid.requests(), 1, "once");
    Ok(())
}

pub async fn a_mail_that_was_not_taken_is_sent_later_and_once(pair: Pair) -> Result<()> {
    let sendgrid = SendGrid::start().await?;
    let aisle = with_sendgrid(pair, &sendgrid).await?;
    let troubles = [
        (Trouble::Status(429), because("queued", "sendgrid_http_429")),
        (Trouble::Status(500), because("queued", "sendgrid_http_500")),
        (Trouble::Status(503), because("queued", "sendgrid_http_503")),
        (Trouble::HangsUp, because("sending", "unknown_outcome")),
    ];
    let mut forward_ms = 0;
    for (place, (trouble, then)) in troubles.into_iter().enumerate() {
        let address = format!("ada{place}@example.com");
        sendgrid.next(trouble);
        ask_for_code(&aisle, &address).await?;
        assert_eq!(mail_of(&aisle, &address).await?, then);
        assert_eq!(sendgrid.taken().len(), place);
        // What may have been taken is first found to be lost, and then sent again.
        for _ in 0..2 {
            forward_ms += MINUTE_MS;
            aisle.database.set_clock_forward_ms(forward_ms).await?;
            aisle.send_messages().await?;
        }
        assert_eq!(state_of(&aisle, &address).await?, because("sent", ""));
        let taken = sendgrid.taken();
        let to = taken[place].text("/personalizations/0/to/0/email");
        assert_eq!((taken.len(), to), (place + 1, address.as_str()));
        assert_eq!(sendgrid.requests(), 2 * (place + 1));
    }
    Ok(())
}

pub async fn what_sendgrid_refuses_is_not_tried_for_ever(pair: Pair) -> Result<()> {
    let sendgrid = SendGrid::start().await?;
    let aisle = with_sendgrid(pair, &sendgrid).await?;
    for (place, status) in [400, 413].into_iter().enumerate() {
        let address = format!("ada{place}@example.com");
        sendgrid.next(Trouble::Status(status));
        ask_for_code(&aisle, &address).await?;
        let refused = because("failed", &format!("sendgrid_http_{status}"));
        assert_eq!(mail_of(&aisle, &address).await?, refused);
    }
    // No right to send may come back, but is not waited for without end.
    const TRIES: usize = 8;
    for _ in 0..TRIES {
        sendgrid.next(Trouble::Status(401));
    }
    order(&aisle).await?;
    for attempt in 1..=TRIES {
        let status = if attempt < TRIES { "queued" } else { "failed" };
        let refused = because(status, "sendgrid_http_401");
        assert_eq!(mail_of(&aisle, ADA).await?, refused, "{attempt}");
        let forward_ms = attempt as i64 * 15 * MINUTE_MS;
        aisle.database.set_clock_forward_ms(forward_ms).await?;
    }
    aisle.send_messages().await?;
    assert_eq!(
        (sendgrid.requests(), sendgrid.taken().len()),
        (2 + TRIES, 0)
    );
    // What would have been said is forgotten, and what SendGrid says of it is not kept.
    let kept = "SELECT count(*) FROM message WHERE channel = 'email' AND params <> '{}'";
    assert_eq!(aisle.database.number(kept).await?, 0);
    let quoted = aisle
        .database
        .search(&["no: {", "personalizations"])
        .await?;
    ensure!(quoted.is_empty(), "{quoted:?}");
    Ok(())
}

pub async fn a_link_that_sendgrid_refuses_is_seen_as_failed(pair: Pair) -> Result<()> {
    let sendgrid = SendGrid::start().await?;
    let aisle = with_sendgrid(pair, &sendgrid).await?;
    let order = order(&aisle).await?;
    aisle.send_messages().await?;
    sendgrid.next(Trouble::Status(400));
    let request = json!({"scope": "order", "id": order, "channel": "email", "address": "grace@example.com",
                         "consent": {"wording_version": "2026-11"}});
    let shopper = aisle.north();
    let asked = shopper.post("/invites").json(&request).expect(201).await?;
    let refused = because("failed", "sendgrid_http_400");
    assert_eq!(mail_of(&aisle, "grace@example.com").await?, refused);
    let path = format!("/invites/{}", asked.json().text("/id"));
    let shown = shopper.get(&path).expect(200).await?;
    assert_eq!(shown.json().text("/delivery"), "failed");
    let shown = shown.text();
    ensure!(
        !shown.contains("grace@") && !shown.contains("sendgrid"),
        "{shown}"
    );
    Ok(())
}

pub async fn a_wrong_key_sends_nothing(pair: Pair) -> Result<()> {
    let sendgrid = SendGrid::start().await?;
    let setup = sendgrid
        .sends_for(Setup::demo(pair))
        .variable("mail_key", "SG.wrong");
    let aisle = setup.start().await?;
    policy(&aisle, json!({"sender": {"email_from": SENDER}})).await?;
    ask_for_code(&aisle, ADA).await?;
    assert_eq!(
        mail_of(&aisle, ADA).await?,
        because("queued", "sendgrid_http_401")
    );
    assert_eq!(sendgrid.faults(), ["authorization required"]);
    Ok(())
}
