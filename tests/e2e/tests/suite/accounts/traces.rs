//! What is kept of a person beside the account: what they left as a guest, what others were
//! told of their orders. It is shown and forgotten with the account, and nothing else is.

use aisle_e2e::accounts::{Device, sign_in, sign_in_with};
use aisle_e2e::environment::{HARBOR_COUNTRY, NORTH, NORTH_COUNTRY};
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{
    TOKEN_FAIL, checkout_request, choose_first_options, complete, items, line, order_id,
    payment_with, shipping_to,
};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::Result;
use http::Method;
use serde_json::{Value, json};

use super::{ADA, MINUTE_MS, order};
use crate::holds::{hold_of, store_with};

/// Ends like Ada's address, and is another's.
const EVE: &str = "xada@example.com";
/// Ada's, by nothing but that she put it on her order.
const ADAS_OTHER_PHONE: &str = "+4915155555555";
/// Of somebody who is told of Ada's order and of Eve's.
const BENS_PHONE: &str = "+4915166666666";

/// A buyer of whom each part can be told from everybody else's.
fn buyer(name: &str, email: &str, phone: &str) -> Value {
    json!({"first_name": name, "last_name": format!("Of {name}"), "email": email, "phone_number": phone})
}

/// An order of whoever the client is.
async fn order_by(client: &Client, buyer: &Value, country: &str) -> Result<String> {
    let item = items(client, 1).await?.remove(0);
    let mut request = checkout_request(&[line(&item.id, 1)], shipping_to(country));
    request["buyer"] = buyer.clone();
    let session = client.post("/checkout-sessions").json(&request);
    let session = choose_first_options(client, session.expect(201).await?.json()).await?;
    Ok(order_id(&complete(client, &session).await?.json()).to_owned())
}

/// A cart and a checkout that come to nothing.
async fn abandon(client: &Client, buyer: &Value) -> Result<()> {
    let item = items(client, 1).await?.remove(0);
    let wanted = json!({"line_items": [line(&item.id, 1)], "buyer": buyer});
    for path in ["/carts", "/checkout-sessions"] {
        client.post(path).json(&wanted).expect(201).await?;
    }
    Ok(())
}

async fn tell(device: &Device, order: &str, phone: &str) -> Result<()> {
    let contact = json!({"channel": "sms", "active": true, "address": phone, "consent": {"version": "2026-11"}});
    let path = format!("/orders/{order}/notifications");
    let body = json!({"contacts": [contact]});
    device.client.put(&path).json(&body).expect(200).await?;
    Ok(())
}

async fn keep_for(aisle: &Environment, email: &str) -> Result<()> {
    let (store, wanted) = store_with(aisle, 5).await?;
    let mut hold = hold_of(&wanted.sku, 1, &store, "+12025550199");
    hold["contact"] = json!({"name": format!("Mx {email}"), "email": email});
    aisle.north().post("/holds").json(&hold).expect(201).await?;
    Ok(())
}

async fn with_order(aisle: &Environment, address: &str, buyer: &Value) -> Result<(Device, String)> {
    let placed = order_by(&aisle.north(), buyer, NORTH_COUNTRY).await?;
    let device = sign_in_with(aisle, NORTH, address, json!({"order_id": placed})).await?;
    Ok((device, placed))
}

pub async fn what_a_guest_left_is_shown_and_erased_with_the_account(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (guest, harbor) = (aisle.north(), aisle.harbor());
    let adas = buyer("Augusta", ADA, "+12025550143");
    let eves = buyer("Evelyn", EVE, "+12025550177");
    let (ada, own) = with_order(&aisle, ADA, &adas).await?;
    let (eve, other) = with_order(&aisle, EVE, &eves).await?;

    let typed = buyer("Augusta", "ADA@Example.com", "+12025550143");
    let left = order_by(&guest, &typed, NORTH_COUNTRY).await?;
    abandon(&guest, &adas).await?;
    keep_for(&aisle, ADA).await?;
    tell(&ada, &own, ADAS_OTHER_PHONE).await?;
    tell(&ada, &own, BENS_PHONE).await?;

    tell(&eve, &other, BENS_PHONE).await?;
    keep_for(&aisle, EVE).await?;
    abandon(&guest, &eves).await?;
    // Eve gave Ada's address, but the order is Eve's account's; and another brand is nobody's.
    let entrusted = buyer("Evangeline", ADA, "+12025550177");
    let entrusted = order_by(&guest, &entrusted, NORTH_COUNTRY).await?;
    let attach = json!({"order_id": entrusted});
    let attached = eve.client.post("/accounts/me/orders").json(&attach);
    attached.expect(200).await?;
    let elsewhere = buyer("Harriet", ADA, "+12025550143");
    order_by(&harbor, &elsewhere, HARBOR_COUNTRY).await?;
    aisle.send_messages().await?;

    shown(&ada, &[&own, &left]).await?;
    let export = eve.client.get("/accounts/me/export").expect(200).await?;
    assert!(!export.text().contains("Augusta"), "{}", export.text());
    assert_eq!(export.json().list("/orders").len(), 2);
    assert_eq!(export.json().list("/holds").len(), 1);

    ada.client
        .call(Method::DELETE, "/accounts/me")
        .expect(204)
        .await?;
    aisle.drain_outbox().await?;
    let gone = ["Augusta", ADAS_OTHER_PHONE, &format!("Mx {ADA}")];
    assert_eq!(aisle.database.search(&gone).await?, Vec::<String>::new());
    for kept in [
        "Evelyn",
        "Evangeline",
        "Harriet",
        EVE,
        &format!("Mx {EVE}"),
        BENS_PHONE,
    ] {
        assert!(!aisle.database.search(&[kept]).await?.is_empty(), "{kept}");
    }
    let rows = async |what: &str| {
        aisle
            .database
            .number(&format!("SELECT count(*) FROM {what}"))
            .await
    };
    let bens = format!("consent WHERE address = '{BENS_PHONE}' AND decision = 'given'");
    assert_eq!(rows(&bens).await?, 2, "Eve's order still tells Ben");
    let digests = "consent WHERE address LIKE 'sha256:%' AND source = 'page'";
    assert_eq!(rows(digests).await?, 1, "what was agreed to stays known");
    for id in [own, left] {
        guest.get(&format!("/orders/{id}")).expect(200).await?;
    }
    aisle.database.check_invariants().await?;

    // The guest's next order is another matter.
    order(&guest).await?;
    Ok(())
}

/// Ada's export: everything of hers, also what she left as a guest, and nothing of Eve's.
async fn shown(ada: &Device, orders: &[&String]) -> Result<()> {
    let export = ada.client.get("/accounts/me/export").expect(200).await?;
    for others in ["Evelyn", "Evangeline", "Harriet", EVE] {
        assert!(!export.text().contains(others), "{others} is in it");
    }
    let export = export.json();
    let mut found: Vec<&str> = export
        .list("/orders")
        .iter()
        .map(|order| order.text("/id"))
        .collect();
    found.sort_unstable();
    assert_eq!(found, orders);
    for (list, entries) in [
        ("/holds", 1),
        ("/carts", 1),
        ("/checkouts", 3),
        ("/consents", 2),
    ] {
        assert_eq!(export.list(list).len(), entries, "{list} of {export:#}");
    }
    let numbers: Vec<&str> = export
        .list("/order_contacts")
        .iter()
        .map(|contact| contact.text("/address"))
        .collect();
    assert!(numbers.contains(&ADAS_OTHER_PHONE), "{export:#}");
    Ok(())
}

/// An order that the card was declined for, one whose payment nobody answers, and a cart whose
/// request comes again.
pub async fn what_is_not_paid_is_erased_too(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let ada = sign_in(&aisle, NORTH, ADA).await?.client;
    let guest = aisle.north();
    let item = items(&guest, 1).await?.remove(0);
    let wanted =
        json!({"line_items": [line(&item.id, 1)], "buyer": buyer("Augusta", ADA, "+12025550143")});
    let cart = || guest.post("/carts").json(&wanted).idempotency_key("again");
    cart().expect(201).await?;
    let other = buyer("Augusta", "countess@example.org", "+12025550143");
    for token in [TOKEN_FAIL, "tok_unavailable"] {
        let mut request = checkout_request(&[line(&item.id, 1)], shipping_to(NORTH_COUNTRY));
        request["buyer"] = other.clone();
        let session = ada.post("/checkout-sessions").json(&request);
        let session = choose_first_options(&ada, session.expect(201).await?.json()).await?;
        let path = format!("/checkout-sessions/{}/complete", session.text("/id"));
        let tried = ada.post(&path).json(&payment_with(&session, token));
        tried.expect(200).await?;
    }
    let export = ada.get("/accounts/me/export").expect(200).await?.json();
    assert_eq!(export.list("/orders").len(), 2, "{export:#}");

    ada.call(Method::DELETE, "/accounts/me").expect(204).await?;
    let again = cart().expect(410).await?.json();
    assert_eq!(again.at("/messages/0/code"), "erased", "{again:#}");
    // What is being bought comes to its end first.
    aisle.database.set_clock_forward_ms(2 * MINUTE_MS).await?;
    let relay = aisle.with_key(&aisle.relay_key);
    for chore in ["/checkout-sessions/recover", "/accounts/housekeeping"] {
        relay.post(chore).expect(200).await?;
    }
    aisle.drain_outbox().await?;
    let gone = ["Augusta", "countess@example.org", ADA];
    assert_eq!(aisle.database.search(&gone).await?, Vec::<String>::new());
    let erased = "SELECT count(*) FROM account WHERE status = 'erased'";
    assert_eq!(aisle.database.number(erased).await?, 1);
    aisle.database.check_invariants().await
}
