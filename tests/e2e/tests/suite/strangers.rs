//! Nobody uses up what belongs to somebody else: what others ask for in one's name counts for
//! them, and what is past its time stands in nobody's way.

use aisle_e2e::accounts::code_of;
use aisle_e2e::environment::NORTH;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{complete, line, pickup_at};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::json;

use crate::checkout_transfer::set_policies;
use crate::holds::{ADA, hold_of, reserved, store_with};

const MAIL: &str = "ada@example.com";
const DAY_MS: i64 = 86_400_000;

async fn reached_from_everywhere(pair: Pair) -> Result<Environment> {
    let setup = Setup::demo(pair).variable("client_address_header", "x-came-from");
    setup.start().await
}

/// Somebody who shows no token, in this network.
fn somebody(aisle: &Environment, network: u8) -> Client {
    let network = format!("203.0.113.{network}");
    aisle.north().with_header("x-came-from", &network)
}

async fn ask_for_code(client: &Client) -> Result<Option<String>> {
    let request = json!({"channel": "email", "address": MAIL});
    let sent = client.post("/accounts/codes").json(&request).send().await?;
    match sent.status.as_u16() {
        202 => Ok(Some(sent.json().text("/challenge_id").to_owned())),
        429 => Ok(None),
        _ => anyhow::bail!("{sent:?}"),
    }
}

/// Whoever would wait for it learns at once that nobody sends it.
pub async fn what_nobody_can_send_is_refused(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair)
        .variable("sms_provider", "")
        .start()
        .await?;
    let shopper = aisle.north();
    let text = json!({"channel": "sms", "address": "+4915112345678"});
    let refused = shopper
        .post("/accounts/codes")
        .json(&text)
        .expect(422)
        .await?;
    let problem = refused.json();
    assert_eq!(problem["code"], "channel_not_served", "{refused:?}");
    assert_eq!(problem["path"], "$.channel");
    let (order, _) = crate::invites::new_order(&aisle).await?;
    let link = json!({"scope": "order", "id": order, "channel": "sms", "address": "+4915112345678",
                      "consent": {"wording_version": "2026-11"}});
    let refused = shopper.post("/invites").json(&link).expect(422).await?;
    assert_eq!(refused.json()["code"], "channel_not_served");
    assert!(ask_for_code(&shopper).await?.is_some(), "mails are sent");
    Ok(())
}

async fn sign_in(aisle: &Environment, client: &Client, challenge: &str) -> Result<u16> {
    let code = code_of(&aisle.database, challenge).await?;
    let request = json!({"challenge_id": challenge, "code": code, "device_name": "Phone"});
    let answer = client
        .post("/accounts/sessions")
        .json(&request)
        .send()
        .await?;
    Ok(answer.status.as_u16())
}

/// Codes that strangers have sent to an address neither end its owner's nor use up theirs.
pub async fn codes_that_others_ask_for_keep_nobody_out(pair: Pair) -> Result<()> {
    let aisle = reached_from_everywhere(pair).await?;
    let owner = somebody(&aisle, 1);
    let early = ask_for_code(&owner).await?.context("no code")?;
    for network in 2..5 {
        let stranger = somebody(&aisle, network);
        for _ in 0..5 {
            assert!(ask_for_code(&stranger).await?.is_some());
        }
        assert_eq!(ask_for_code(&stranger).await?, None, "five are enough");
    }
    assert_eq!(sign_in(&aisle, &owner, &early).await?, 201, "the older one");
    let elsewhere = somebody(&aisle, 6);
    let late = ask_for_code(&elsewhere).await?.context("no code")?;
    assert_eq!(sign_in(&aisle, &elsewhere, &late).await?, 201);

    // Whatever many strangers use up together, who has proved the address gets in from there.
    let mut network = 10;
    while ask_for_code(&somebody(&aisle, network)).await?.is_some() {
        network += 1;
        assert!(network < 100, "there is no end to it");
    }
    let again = ask_for_code(&owner).await?.context("the owner waits")?;
    assert_eq!(sign_in(&aisle, &owner, &again).await?, 201);
    let named = format!("SELECT count(*) FROM rate_limit WHERE name LIKE '%{MAIL}%'");
    assert_eq!(aisle.database.number(&named).await?, 0, "nobody is named");
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

/// A network that has guessed too often still takes the code that one of its people was sent.
pub async fn who_has_the_code_gets_in_whatever_others_guess(pair: Pair) -> Result<()> {
    let aisle = reached_from_everywhere(pair).await?;
    let wrong = json!({"challenge_id": "01890000-0000-7000-8000-000000000000", "code": "000000", "device_name": "x"});
    let guess = async || -> Result<u16> {
        let client = somebody(&aisle, 1);
        let answer = client.post("/accounts/sessions").json(&wrong);
        Ok(answer.send().await?.status.as_u16())
    };
    for _ in 0..60 {
        assert_eq!(guess().await?, 401);
    }
    assert_eq!(guess().await?, 429);
    let owner = somebody(&aisle, 1);
    let challenge = ask_for_code(&owner).await?.context("no code")?;
    assert_eq!(sign_in(&aisle, &owner, &challenge).await?, 201);
    Ok(())
}

/// Goods that strangers have kept under somebody's number are not in the way of their own.
pub async fn holds_under_ones_number_are_no_ones_elses(pair: Pair) -> Result<()> {
    let aisle = reached_from_everywhere(pair).await?;
    set_policies(&aisle, json!({"holds": {"max_open_of_asker": 4}})).await?;
    let (store, wanted) = store_with(&aisle, 20).await?;
    let ask = async |network: u8| -> Result<u16> {
        let hold = hold_of(&wanted.sku, 1, &store, ADA);
        let client = somebody(&aisle, network);
        let asked = client.post("/holds").json(&hold);
        Ok(asked.send().await?.status.as_u16())
    };
    for _ in 0..3 {
        assert_eq!(ask(1).await?, 201);
    }
    assert_eq!(ask(1).await?, 409, "one asker has three for one contact");
    assert_eq!(ask(2).await?, 201);

    let of = async |phone: &str| -> Result<u16> {
        let hold = hold_of(&wanted.sku, 1, &store, phone);
        let client = somebody(&aisle, 1);
        let asked = client.post("/holds").json(&hold);
        Ok(asked.send().await?.status.as_u16())
    };
    assert_eq!(of("+12025550150").await?, 201);
    assert_eq!(of("+12025550151").await?, 409, "for whomever");
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 5);
    aisle.database.check_invariants().await
}

/// Links to carts, which cost nothing, use up nothing of what links to orders have.
pub async fn links_of_strangers_leave_those_of_buyers(pair: Pair) -> Result<()> {
    let aisle = reached_from_everywhere(pair).await?;
    set_policies(&aisle, json!({"invites": {"per_day": 4}})).await?;
    let item = aisle_e2e::shopping::items(&aisle.north(), 1)
        .await?
        .remove(0);
    let invite = async |client: &Client, scope: &str, id: &str, number: u8| -> Result<u16> {
        let request = json!({
            "scope": scope, "id": id, "channel": "sms", "address": format!("+4915112345{number:03}"),
            "consent": {"wording_version": "2026-11"},
        });
        Ok(client
            .post("/invites")
            .json(&request)
            .send()
            .await?
            .status
            .as_u16())
    };
    let mut sent = Vec::new();
    for network in 1..6 {
        let stranger = somebody(&aisle, network);
        let cart = json!({"line_items": [line(&item.id, 1)]});
        let cart = stranger
            .post("/carts")
            .json(&cart)
            .expect(201)
            .await?
            .json();
        sent.push(invite(&stranger, "cart", cart.text("/id"), network).await?);
    }
    assert_eq!(sent, [201, 201, 201, 201, 429]);
    let buyer = somebody(&aisle, 9);
    let (order, _) = crate::invites::new_order(&aisle).await?;
    assert_eq!(invite(&buyer, "order", &order, 9).await?, 201);
    Ok(())
}

/// Nobody has tidied up, and yet what was kept can be bought the moment its time is over.
pub async fn what_is_kept_past_its_time_is_free_at_once(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (store, wanted) = store_with(&aisle, 2).await?;
    let shopper = aisle.north();
    let keep = async |phone: &str| -> Result<()> {
        let hold = hold_of(&wanted.sku, 1, &store, phone);
        shopper.post("/holds").json(&hold).expect(201).await?;
        Ok(())
    };
    keep(ADA).await?;
    keep("+12025550144").await?;
    let checkout = json!({
        "line_items": [line(&wanted.id, 1)],
        "buyer": {"email": MAIL, "first_name": "Ada", "last_name": "Byron", "phone_number": ADA},
        "fulfillment": pickup_at(&store),
    });
    aisle.database.set_clock_forward_ms(DAY_MS + 1_000).await?;
    let session = aisle_e2e::shopping::begin_checkout(&shopper, &checkout).await?;
    assert_eq!(session["status"], "ready_for_complete", "{session:#}");
    let completed = complete(&shopper, &session).await?.json();
    assert_eq!(completed["status"], "completed", "{completed:#}");

    let till = aisle.staff(NORTH, &store, "pos cash").await?.client;
    let day = till
        .post("/pos/till-days")
        .json(&json!({"opening_float_minor": 0}));
    day.expect(201).await?;
    let sale = json!({
        "items": [{"sku": wanted.sku, "quantity": 1}],
        "payment": {"type": "cash", "tendered_minor": 10_000_000},
    });
    till.post("/pos/sales").json(&sale).expect(201).await?;
    let ended = "SELECT count(*) FROM hold WHERE status = 'expired'";
    assert_eq!(aisle.database.number(ended).await?, 2);
    aisle.database.check_invariants().await
}
