//! Texts and mails: what is sent, to whom, by whom, and what comes back.

mod inbound;
mod instead;
mod limits;
mod mails;
mod ordering;
mod racing;
mod rules;
mod signatures;
mod told;
mod twilio_troubles;

use std::collections::BTreeMap;

use aisle_e2e::accounts::code_of;
use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::inbox::{code_to, texts_to};
use aisle_e2e::json::Look;
use aisle_e2e::sendgrid::{self, SendGrid};
use aisle_e2e::shopping::{complete, items, line, order_id, pickup_checkout};
use aisle_e2e::twilio::{self, ACCOUNT, SENDER, TOKEN, Trouble, Twilio, call_back};
use aisle_e2e::{Answer, Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

pub use inbound::{
    nobody_else_texts_start_for_a_number, stop_help_and_start_are_obeyed_at_once,
    stop_holds_for_the_brand_that_was_texted, stop_is_obeyed_in_any_reasonable_wording,
    stop_takes_back_what_waits, words_that_twilio_knows_are_obeyed_in_silence,
};
pub use instead::{
    a_link_whose_text_fails_late_is_mailed_while_it_leads_somewhere,
    a_number_that_is_not_reached_proves_nothing, a_text_that_fails_is_mailed_once,
    nothing_is_mailed_instead_to_whoever_wants_no_mails,
    the_page_says_that_nothing_arrived_as_long_as_that_is_so,
};
pub use limits::{
    a_brand_sends_only_so_many_texts_a_minute, a_country_abroad_gets_only_so_many_texts_a_day,
    a_limit_of_none_lets_none_through, a_link_that_had_to_wait_is_not_texted_at_night,
    a_night_is_waited_for_where_the_number_is, a_number_gets_only_so_many_texts,
};
pub use mails::{
    a_link_that_sendgrid_refuses_is_seen_as_failed,
    a_mail_that_was_not_taken_is_sent_later_and_once, a_wrong_key_sends_nothing,
    sendgrid_is_given_what_its_documentation_asks_for, what_sendgrid_refuses_is_not_tried_for_ever,
};
pub use ordering::{
    news_wait_for_those_before_them, what_does_not_wait_is_told_after_what_was_before_it,
};
pub use racing::{a_limit_holds_whoever_sends, who_sends_at_the_same_moment_sends_once};
pub use rules::{a_brand_says_what_is_told_to_whom_and_in_which_words, a_brands_own_texts_name_it};
pub use signatures::twilios_own_signatures_are_taken;
pub use told::{an_order_has_its_own_say, devices_see_what_became_of_news};
pub use twilio_troubles::{
    a_text_that_twilio_has_not_sent_yet_is_found,
    a_wrong_token_texts_nothing_and_is_not_tried_for_ever,
    an_unknown_outcome_is_never_a_second_text, what_twilio_refuses_is_tried_again_or_not,
    what_twilio_surely_has_not_is_texted_again,
};

const PHONE: &str = "+4915112345678";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const INBOUND: &str = "http://north.localhost:3000/webhooks/sms/twilio/inbound";

/// The demo with North's texts sent by `twilio`, at any hour.
async fn with_twilio(pair: Pair, twilio: &Twilio) -> Result<Environment> {
    let aisle = twilio.sends_for(Setup::demo(pair)).start().await?;
    policy(&aisle, json!({"sender": {"sms_from": SENDER}})).await?;
    Ok(aisle)
}

/// North's policy of notification, at any hour of the day.
async fn policy(aisle: &Environment, policy: Value) -> Result<()> {
    policy_of(aisle, "north", policy).await
}

/// The same of any brand.
async fn policy_of(aisle: &Environment, handle: &str, mut policy: Value) -> Result<()> {
    policy["quiet_hours"] = json!({"from": "00:00", "until": "00:00"});
    set_policy(aisle, handle, policy).await
}

/// North's policy, by day only.
async fn day_policy(aisle: &Environment, policy: Value) -> Result<()> {
    set_policy(aisle, "north", policy).await
}

async fn set_policy(aisle: &Environment, handle: &str, policy: Value) -> Result<()> {
    let set = put_policy(aisle, handle, policy).await?;
    ensure!(set.status == 200, "{set:?}");
    aisle.drain_outbox().await
}

async fn put_policy(aisle: &Environment, handle: &str, policy: Value) -> Result<Answer> {
    let (admin, path) = (aisle.admin(), format!("/admin/brands/{handle}"));
    let mut brand = admin.get(&path).expect(200).await?.json();
    brand["policies"]["notification"] = policy;
    admin.put(&path).json(&brand).send().await
}

/// Has a code texted; the challenge's id.
async fn ask_for_code(aisle: &Environment, host: &str, phone: &str) -> Result<String> {
    let request = json!({"channel": "sms", "address": phone});
    let sent = aisle
        .client(host)
        .post("/accounts/codes")
        .json(&request)
        .expect(202)
        .await?;
    Ok(sent.json().text("/challenge_id").into())
}

/// Codes that wait to be texted, one to each of the numbers, past whoever wakes the sender.
async fn queue(aisle: &Environment, brand: &str, numbers: &[String]) -> Result<()> {
    let row = |number: &String| {
        let id = uuid::Uuid::now_v7();
        format!(
            "('{id}', (SELECT id FROM brand WHERE handle = '{brand}'), '{id}', 'sms', '{number}', 'code', 'code', \
             'en', '{{\"code\":\"123456\"}}', 'queued', 0, 9000000000000, 0, 0)"
        )
    };
    let rows: Vec<String> = numbers.iter().map(row).collect();
    let insert = format!(
        "INSERT INTO message (id, brand_id, dedup_key, channel, address, purpose, template, locale, params, status, \
         next_attempt_at_ms, expires_at_ms, created_at_ms, updated_at_ms) VALUES {}",
        rows.join(", ")
    );
    aisle.database.rows(&insert).await.map(drop)
}

/// Of the latest message to the usual number.
async fn state(aisle: &Environment) -> Result<(String, String)> {
    state_of(aisle, PHONE).await
}

/// Status and reason of the latest message to an address.
async fn state_of(aisle: &Environment, address: &str) -> Result<(String, String)> {
    let rows = aisle
        .database
        .rows(&format!("SELECT status, coalesce(failure, '') FROM message WHERE address = '{address}' ORDER BY id"))
        .await?;
    let last = rows.last().context("no message")?;
    Ok((
        last[0].clone().unwrap_or_default(),
        last[1].clone().unwrap_or_default(),
    ))
}

/// An order of North's to be collected, with a number that wants its news.
async fn order(aisle: &Environment) -> Result<String> {
    let shopper = aisle.north();
    let wanted = items(&shopper, 1).await?.remove(0);
    let lines = [line(&wanted.id, 1)];
    let open = json!({"line_items": lines, "fulfillment": {"methods": [{"type": "pickup"}]}});
    let offered = shopper
        .post("/checkout-sessions")
        .json(&open)
        .expect(201)
        .await?
        .json();
    let store = offered
        .text("/fulfillment/methods/0/destinations/0/id")
        .to_owned();
    let session = pickup_checkout(&shopper, &lines, &store).await?;
    let order = order_id(&complete(&shopper, &session).await?.json()).to_owned();
    let invite = json!({"scope": "order", "id": order, "address": PHONE, "consent": {"wording_version": "2026-11"}});
    shopper.post("/invites").json(&invite).expect(201).await?;
    Ok(order)
}

/// The order's promise moves, as a transfer makes it.
async fn moves(
    aisle: &Environment,
    order: &str,
    kind: &str,
    before: i64,
    after: i64,
) -> Result<()> {
    let news = json!({"kind": kind, "description": "moved", "ready_at_ms_before": before, "ready_at_ms": after});
    let id = uuid::Uuid::now_v7();
    aisle
        .database
        .rows(&format!(
            "INSERT INTO outbox (id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms) \
             SELECT '{id}', brand_id, 'order', id, 'order.updated', '{news}', \
             (SELECT max(created_at_ms) FROM outbox) FROM customer_order WHERE id = '{order}'"
        ))
        .await
        .map(drop)
}

pub async fn a_code_is_texted_once_and_forgotten(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let challenge = ask_for_code(&aisle, NORTH, PHONE).await?;
    let code = code_to(&aisle, PHONE).await?;
    assert_eq!(code, code_of(&aisle.database, &challenge).await?);
    let texts = texts_to(&aisle, PHONE).await?;
    ensure!(
        texts.len() == 1 && texts[0].text.starts_with("Northfell: "),
        "{texts:?}"
    );
    let kept = format!("SELECT count(*) FROM message WHERE params LIKE '%{code}%'");
    assert_eq!(aisle.database.number(&kept).await?, 0);
    // A country that the brand does not serve costs nothing, and nobody waits for it.
    let abroad = json!({"channel": "sms", "address": "+12125550123"});
    let shopper = aisle.north();
    let refused = shopper.post("/accounts/codes").json(&abroad);
    let refused = refused.expect(422).await?.json();
    assert_eq!(refused["code"], "country_not_served");
    aisle.send_messages().await?;
    ensure!(texts_to(&aisle, "+12125550123").await?.is_empty());
    Ok(())
}

pub async fn twilio_is_given_what_its_documentation_asks_for(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    ask_for_code(&aisle, NORTH, PHONE).await?;
    aisle.send_messages().await?;
    let taken = twilio.taken();
    assert_eq!(taken.len(), 1);
    let (to, from) = (&taken[0]["To"], &taken[0]["From"]);
    assert_eq!((to.as_str(), from.as_str()), (PHONE, SENDER));
    ensure!(taken[0]["Body"].starts_with("Northfell: "), "{taken:?}");
    assert_eq!(state(&aisle).await?.0, "sent");

    // Out of order, twice, and after its end.
    for (status, then) in [
        ("delivered", "delivered"),
        ("sent", "delivered"),
        ("failed", "delivered"),
    ] {
        let heard = twilio.report(&aisle, &taken[0], status, "").await?;
        assert_eq!(heard.status, 204, "{heard:?}");
        assert_eq!(state(&aisle).await?.0, then);
    }
    Ok(())
}

pub async fn an_answer_without_end_is_not_read_to_its_end(pair: Pair) -> Result<()> {
    let (twilio, sendgrid) = (Twilio::start().await?, SendGrid::start().await?);
    let setup = sendgrid.sends_for(twilio.sends_for(Setup::demo(pair)));
    let aisle = setup.start().await?;
    let sender = json!({"sms_from": SENDER, "email_from": sendgrid::SENDER});
    policy(&aisle, json!({"sender": sender})).await?;
    // Its status has said that the message was taken.
    twilio.next(Trouble::EndlessAnswer);
    ask_for_code(&aisle, NORTH, PHONE).await?;
    aisle.send_messages().await?;
    assert_eq!(state(&aisle).await?.0, "sent");
    sendgrid.next(sendgrid::Trouble::EndlessAnswer);
    let mailed = json!({"channel": "email", "address": "ada@example.com"});
    let shopper = aisle.north();
    let asked = shopper.post("/accounts/codes").json(&mailed);
    asked.expect(202).await?;
    aisle.send_messages().await?;
    assert_eq!(state_of(&aisle, "ada@example.com").await?.0, "sent");
    // A list that cannot be read settles nothing.
    twilio.next(Trouble::TakenWithoutAnswer);
    twilio.next(Trouble::EndlessAnswer);
    ask_for_code(&aisle, NORTH, PHONE).await?;
    for (minutes, status) in [(0, "sending"), (1, "sending"), (2, "sent")] {
        aisle
            .database
            .set_clock_forward_ms(minutes * MINUTE_MS)
            .await?;
        aisle.send_messages().await?;
        assert_eq!(state(&aisle).await?.0, status, "after {minutes}");
    }
    assert_eq!((twilio.taken().len(), twilio.lists()), (2, 2));
    assert_eq!((sendgrid.requests(), aisle.traps()), (1, 0));
    Ok(())
}

pub async fn callbacks_that_are_not_twilios_are_refused(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    ask_for_code(&aisle, NORTH, PHONE).await?;
    aisle.send_messages().await?;
    let taken = twilio.taken().remove(0);
    let url = taken["StatusCallback"].clone();
    let form = |sid: &str| {
        BTreeMap::from([
            ("AccountSid".to_owned(), ACCOUNT.to_owned()),
            ("MessageSid".to_owned(), sid.to_owned()),
            ("MessageStatus".to_owned(), "failed".to_owned()),
        ])
    };
    let before = aisle.database.rows("SELECT * FROM message").await?;
    let own = form(&taken["Sid"]);
    let unsigned = call_back(&aisle, &url, &own, "").await?;
    assert_eq!(unsigned.status, 403, "{unsigned:?}");
    for signature in [
        twilio::signature("another token", &url, &own),
        twilio::signature(TOKEN, INBOUND, &own),
        twilio::signature(TOKEN, &url, &form("SM1")),
    ] {
        let wrong = call_back(&aisle, &url, &own, &signature).await?;
        assert_eq!(wrong.status, 403, "{wrong:?}");
    }
    let unknown = "http://north.localhost:3000/webhooks/sms/twilio/status?message=nothing";
    let stranger = form("SM999");
    let signature = twilio::signature(TOKEN, unknown, &stranger);
    assert_eq!(
        call_back(&aisle, unknown, &stranger, &signature)
            .await?
            .status,
        404
    );
    // Another brand's host has not sent it.
    let elsewhere = url.replace("north.", "harbor.");
    let signature = twilio::signature(TOKEN, &elsewhere, &own);
    assert_eq!(
        call_back(&aisle, &elsewhere, &own, &signature)
            .await?
            .status,
        404
    );
    let large = BTreeMap::from([("Body".to_owned(), "x".repeat(20_000))]);
    assert_eq!(call_back(&aisle, &url, &large, "x").await?.status, 413);
    assert_eq!(aisle.database.rows("SELECT * FROM message").await?, before);
    Ok(())
}

pub async fn moves_within_a_minute_are_one_text(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    policy(&aisle, json!({})).await?;
    let order = order(&aisle).await?;
    let had = texts_to(&aisle, PHONE).await?.len();
    moves(&aisle, &order, "moved_later", 2_000, 9_000).await?;
    moves(&aisle, &order, "moved_earlier", 9_000, 1_000).await?;
    assert_eq!(texts_to(&aisle, PHONE).await?.len(), had, "too soon");
    aisle.database.set_clock_forward_ms(2 * MINUTE_MS).await?;
    let texts = texts_to(&aisle, PHONE).await?;
    ensure!(
        texts.len() == had + 1 && texts[had].text.contains("ready earlier"),
        "{texts:?}"
    );
    // However often the relay sees them.
    aisle
        .database
        .rows("UPDATE outbox SET done_at_ms = NULL")
        .await?;
    assert_eq!(texts_to(&aisle, PHONE).await?, texts);
    let mails = texts_to(&aisle, "ada@example.com").await?;
    let told = mails
        .iter()
        .filter(|mail| mail.text.contains("ready earlier"))
        .count();
    assert_eq!(
        (
            told,
            mails
                .iter()
                .filter(|mail| mail.text.contains("confirmed"))
                .count()
        ),
        (1, 1),
        "{mails:?}"
    );
    Ok(())
}

pub async fn words_can_be_seen_before_they_are_sent(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let admin = aisle.with_key(&aisle.admin_key);
    let wanted = json!({"template": "order_ready", "locale": "de", "values": {"number": "7Q4ZK-M0TCX", "store": "Berlin"}});
    let shown = admin
        .post("/messages/preview")
        .json(&wanted)
        .expect(200)
        .await?
        .json();
    assert_eq!(
        shown["text"],
        "Northfell: Bestellung 7Q4ZK-M0TCX liegt bereit bei Berlin."
    );
    assert_eq!(
        (shown["encoding"].as_str(), shown["segments"].as_i64()),
        (Some("gsm7"), Some(1))
    );
    let unknown = admin
        .post("/messages/preview")
        .json(&json!({"template": "x"}))
        .expect(422)
        .await?;
    assert_eq!(unknown.json()["path"], "$.template");
    aisle
        .north()
        .post("/messages/preview")
        .json(&wanted)
        .expect(401)
        .await?;
    Ok(())
}

pub async fn the_sandbox_is_seen_in_development_only(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    aisle.north().get("/dev/messages").expect(404).await?;
    let aisle = Setup::demo(pair)
        .variable("dev_pages", "true")
        .start()
        .await?;
    ask_for_code(&aisle, NORTH, PHONE).await?;
    let code = code_to(&aisle, PHONE).await?;
    let page = aisle.north().get("/dev/messages").expect(200).await?;
    ensure!(
        page.text().contains(&code) && page.header("content-type").starts_with("text/html"),
        "{page:?}"
    );
    let list = aisle
        .north()
        .get("/dev/messages")
        .header("accept", "application/json")
        .expect(200)
        .await?;
    assert_eq!(list.json()["messages"][0]["to"], PHONE);
    let other = aisle
        .client(HARBOR)
        .get("/dev/messages")
        .expect(200)
        .await?;
    ensure!(!other.text().contains(&code), "{other:?}");
    Ok(())
}
