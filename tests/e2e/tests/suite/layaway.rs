//! Paid in parts: chosen at the checkout, kept, paid, given up, forgotten.

use aisle_e2e::environment::NORTH;
use aisle_e2e::json::{Look, message};
use aisle_e2e::shopping::{
    self, TOKEN_FAIL, TOKEN_SUCCESS, complete, line, order_id, payment_with, pickup_checkout,
    update_of,
};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

use crate::holds::{reserved, store_with};

const DAY_MS: i64 = 24 * 3_600_000;

/// North sells on layaway: a fifth at once, two parts 30 days apart, a week of grace.
async fn offering(pair: Pair) -> Result<Environment> {
    let aisle = Setup::demo(pair).start().await?;
    let admin = aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    brand["policies"]["layaway"] = json!({
        "allowed": true, "deposit_ppm": 200_000, "instalments": 2, "interval_days": 30, "grace_days": 7,
        "reminder_days": 3, "cancellation_fee_ppm": 100_000, "cancellation_fee_max_minor": 2_500,
        "minimum_total_minor": 100,
    });
    admin
        .put("/admin/brands/north")
        .json(&brand)
        .expect(200)
        .await?;
    aisle.drain_outbox().await?;
    Ok(aisle)
}

/// A checkout for collection with layaway chosen.
async fn chosen(shopper: &Client, item: &str, store: &str) -> Result<Value> {
    let session = pickup_checkout(shopper, &[line(item, 2)], store).await?;
    assert_eq!(session.text("/payment/selected_term_id"), "pay_now");
    let mut update = update_of(&session);
    update["payment"] = json!({"selected_term_id": "layaway"});
    let path = format!("/checkout-sessions/{}", session.text("/id"));
    Ok(shopper.put(&path).json(&update).expect(200).await?.json())
}

/// An order on layaway whose deposit is paid.
async fn begun(aisle: &Environment, item: &str, store: &str) -> Result<String> {
    let shopper = aisle.north();
    let session = chosen(&shopper, item, store).await?;
    let completed = complete(&shopper, &session).await?.json();
    Ok(order_id(&completed).to_owned())
}

fn paying(token: &str) -> Value {
    let session = json!({"ucp": {"payment_handlers": {"sandbox": [{"id": "sandbox"}]}}});
    payment_with(&session, token)
}

async fn status_of(aisle: &Environment, table: &str, order: &str) -> Result<String> {
    let id = if table == "customer_order" {
        "id"
    } else {
        "order_id"
    };
    let rows = aisle
        .database
        .rows(&format!(
            "SELECT status FROM {table} WHERE {id} = '{order}'"
        ))
        .await?;
    Ok(rows
        .into_iter()
        .flatten()
        .flatten()
        .next()
        .unwrap_or_default())
}

pub async fn a_deposit_now_and_the_rest_in_parts(pair: Pair) -> Result<()> {
    let aisle = offering(pair).await?;
    let (store, wanted) = store_with(&aisle, 2).await?;
    let shopper = aisle.north();
    let session = chosen(&shopper, &wanted.id, &store).await?;
    assert_eq!(session.text("/payment/selected_term_id"), "layaway");
    assert_eq!(session["status"], "ready_for_complete", "{session:#}");
    let total = shopping_total(&session);
    for term in session.list("/payment/terms") {
        let sum: i64 = term
            .list("/schedules")
            .iter()
            .map(|one| one.number("/amount"))
            .sum();
        assert_eq!(sum, total, "{term:#}");
    }
    let parts = session.list("/payment/terms/1/schedules").to_vec();
    assert_eq!(parts[0]["type"], "immediate");
    assert!(!parts[1].text("/due_at").ends_with('Z'));

    let completed = complete(&shopper, &session).await?.json();
    let order = order_id(&completed).to_owned();
    let paid = format!("SELECT amount_minor FROM payment WHERE order_id = '{order}'");
    assert_eq!(
        aisle.database.number(&paid).await?,
        parts[0].number("/amount")
    );
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 2);
    assert_eq!(
        status_of(&aisle, "pickup", &order).await?,
        "",
        "nobody prepares it yet"
    );
    let shown = shopper
        .get(&format!("/orders/{order}"))
        .expect(200)
        .await?
        .json();
    assert_eq!(shown.list("/payment/accepted_term/schedules").len(), 3);

    let path = format!("/layaways/{order}");
    let layaway = shopper.get(&path).expect(200).await?.json();
    assert_eq!(
        (layaway.text("/status"), layaway.number("/next_position")),
        ("active", 2)
    );
    let pay = format!("{path}/payments");
    let declined = shopper
        .post(&pay)
        .json(&paying(TOKEN_FAIL))
        .expect(402)
        .await?
        .json();
    assert_eq!(declined["code"], "payment_failed");
    let mut third = paying(TOKEN_SUCCESS);
    third["position"] = json!(3);
    shopper.post(&pay).json(&third).expect(409).await?;
    let body = paying(TOKEN_SUCCESS);
    let once = shopper
        .post(&pay)
        .idempotency_key("two")
        .json(&body)
        .expect(200)
        .await?;
    let again = shopper
        .post(&pay)
        .idempotency_key("two")
        .json(&body)
        .expect(200)
        .await?;
    assert_eq!(once.body, again.body);
    assert_eq!(once.json().number("/next_position"), 3);

    let (one, two) = (aisle.north(), aisle.north());
    let (first, second) = tokio::join!(
        one.post(&pay).json(&body).send(),
        two.post(&pay).json(&body).send()
    );
    let mut statuses = [first?.status.as_u16(), second?.status.as_u16()];
    statuses.sort();
    assert_eq!(statuses, [200, 409], "the last part is paid once");
    let done = shopper.get(&path).expect(200).await?.json();
    assert_eq!(
        (done.text("/status"), done.number("/paid/amount")),
        ("paid", total)
    );
    assert_eq!(status_of(&aisle, "pickup", &order).await?, "preparing");
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 2);
    let sum = format!(
        "SELECT sum(amount_minor) FROM payment WHERE order_id = '{order}' AND status = 'authorised'"
    );
    assert_eq!(aisle.database.number(&sum).await?, total);
    shopper.post(&format!("{path}/cancel")).expect(409).await?;
    aisle.database.check_invariants().await
}

fn shopping_total(session: &Value) -> i64 {
    aisle_e2e::json::total(session, "total").expect("a total")
}

pub async fn giving_up_costs_what_the_policy_says(pair: Pair) -> Result<()> {
    let aisle = offering(pair).await?;
    let (store, wanted) = store_with(&aisle, 2).await?;
    let order = begun(&aisle, &wanted.id, &store).await?;
    let shopper = aisle.north();
    let path = format!("/layaways/{order}");
    let before = shopper.get(&path).expect(200).await?.json();
    let cancel = format!("{path}/cancel");
    aisle.harbor().get(&path).expect(404).await?;
    aisle.harbor().post(&cancel).expect(404).await?;
    shopper.get("/layaways/x").expect(404).await?;
    let (one, two) = (aisle.north(), aisle.north());
    let (first, second) = tokio::join!(one.post(&cancel).send(), two.post(&cancel).send());
    let mut answers = [first?, second?];
    answers.sort_by_key(|answer| answer.status);
    assert_eq!(
        [answers[0].status.as_u16(), answers[1].status.as_u16()],
        [200, 409]
    );
    let after = answers[0].json();
    assert_eq!(after["status"], "cancelled");
    assert_eq!(after["cancellation"], before["cancellation"]);
    let (fee, refund) = (
        after.number("/cancellation/fee/amount"),
        after.number("/cancellation/refund/amount"),
    );
    assert_eq!(fee + refund, before.number("/paid/amount"));
    assert!(fee > 0 && fee <= 2_500, "{after:#}");
    assert_eq!(
        status_of(&aisle, "customer_order", &order).await?,
        "cancelled"
    );
    let shown = shopper
        .get(&format!("/orders/{order}"))
        .expect(200)
        .await?
        .json();
    for line in shown.list("/line_items") {
        assert_eq!(
            (line.text("/status"), line.number("/quantity/total")),
            ("removed", 0)
        );
    }
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 0);
    let pay = format!("{path}/payments");
    shopper
        .post(&pay)
        .json(&paying(TOKEN_SUCCESS))
        .expect(409)
        .await?;
    aisle.database.check_invariants().await
}

pub async fn a_payer_is_reminded_once_and_then_in_default(pair: Pair) -> Result<()> {
    let aisle = offering(pair).await?;
    let (store, wanted) = store_with(&aisle, 2).await?;
    let order = begun(&aisle, &wanted.id, &store).await?;
    let ticker = aisle.with_key(&aisle.relay_key);
    let keep = async || anyhow::Ok(ticker.post("/holds/housekeeping").expect(200).await?.json());
    let reminders = format!(
        "SELECT count(*) FROM order_event WHERE order_id = '{order}' AND type = 'instalment_reminder'"
    );
    assert_eq!(keep().await?["settled"], 0);
    aisle
        .database
        .set_clock_forward_ms(27 * DAY_MS + 1_000)
        .await?;
    assert_eq!(keep().await?["settled"], 1);
    assert_eq!(keep().await?["settled"], 0);
    assert_eq!(aisle.database.number(&reminders).await?, 1);
    aisle
        .database
        .set_clock_forward_ms(67 * DAY_MS - 60_000)
        .await?;
    keep().await?;
    assert_eq!(status_of(&aisle, "layaway", &order).await?, "active");
    aisle
        .database
        .set_clock_forward_ms(67 * DAY_MS + 60_000)
        .await?;
    let late = format!("/layaways/{order}/payments");
    let refused = aisle
        .north()
        .post(&late)
        .json(&paying(TOKEN_SUCCESS))
        .expect(409)
        .await?
        .json();
    assert_eq!(refused["code"], "deadline_passed");
    // The default, and what goes back after it.
    assert_eq!(keep().await?["settled"], 2);
    assert_eq!(status_of(&aisle, "layaway", &order).await?, "defaulted");
    assert_eq!(
        status_of(&aisle, "customer_order", &order).await?,
        "cancelled"
    );
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 0);
    aisle.database.check_invariants().await
}

pub async fn a_term_that_is_not_offered_is_not_taken(pair: Pair) -> Result<()> {
    let aisle = offering(pair).await?;
    let (store, wanted) = store_with(&aisle, 2).await?;
    let shopper = aisle.north();
    let session = chosen(&shopper, &wanted.id, &store).await?;
    let path = format!("/checkout-sessions/{}", session.text("/id"));
    let mut update = update_of(&session);
    update["payment"] = json!({"selected_term_id": "never"});
    let kept = shopper.put(&path).json(&update).expect(200).await?.json();
    assert_eq!(kept.text("/payment/selected_term_id"), "layaway");
    assert!(message(&kept, "payment_term_changed").is_some(), "{kept:#}");
    // What the store does not keep cannot be paid in parts.
    let mut sent = update_of(&session);
    sent["fulfillment"] = shopping::shipping_to("DE");
    let shipped = shopper.put(&path).json(&sent).expect(200).await?.json();
    assert!(shipped.get("payment").is_none(), "{shipped:#}");
    assert!(
        message(&shipped, "payment_term_changed").is_some(),
        "{shipped:#}"
    );
    Ok(())
}

/// One payment and no more: by whichever of two people asked for it at the same moment.
async fn pays_once(
    aisle: &Environment,
    order: &str,
    answers: [anyhow::Result<aisle_e2e::Answer>; 2],
) -> Result<()> {
    let [first, second] = answers;
    let (first, second) = (first?, second?);
    let paid = [&first, &second].map(|answer| answer.status.is_success());
    assert!(paid[0] != paid[1], "{first:?} {second:?}");
    for answer in [&first, &second] {
        assert!(
            answer.status.is_success() || answer.status == 409,
            "{answer:?}"
        );
    }
    let winner = if paid[0] { &first } else { &second };
    let rounding = winner.json()["payment"]["cash_rounding_minor"].clone();
    let rounding_minor = rounding.as_i64().unwrap_or(0);
    let sum = |table: &str, status: &str| {
        format!(
            "SELECT sum(amount_minor) FROM {table} WHERE order_id = '{order}' AND status = '{status}'"
        )
    };
    assert_eq!(
        aisle.database.number(&sum("payment", "authorised")).await?,
        aisle.database.number(&sum("instalment", "paid")).await? + rounding_minor,
    );
    let parts =
        format!("SELECT count(*) FROM instalment WHERE order_id = '{order}' AND status = 'paid'");
    assert_eq!(
        aisle.database.number(&parts).await?,
        2,
        "the deposit and one part"
    );
    aisle.database.check_invariants().await
}

fn cash() -> Value {
    json!({"position": 2, "payment": {"type": "cash", "tendered_minor": 10_000_000}})
}

pub async fn two_tills_take_a_part_once(pair: Pair) -> Result<()> {
    let aisle = offering(pair).await?;
    let (store, wanted) = store_with(&aisle, 2).await?;
    let order = begun(&aisle, &wanted.id, &store).await?;
    let tills = [
        aisle.staff(NORTH, &store, "pos cash").await?,
        aisle.staff(NORTH, &store, "pos cash").await?,
    ];
    for till in &tills {
        let float = json!({"opening_float_minor": 0});
        till.client
            .post("/pos/till-days")
            .json(&float)
            .expect(201)
            .await?;
    }
    let path = format!("/pos/layaways/{order}/payments");
    let take = |till: usize| tills[till].client.post(&path).json(&cash()).send();
    let (one, other) = tokio::join!(take(0), take(1));
    pays_once(&aisle, &order, [one, other]).await?;
    // The smallest coin of the country where the drawer is: the part is paid to its nearest.
    let drawers = "SELECT sum(amount_minor) FROM drawer_entry WHERE kind = 'instalment'";
    let part =
        format!("SELECT amount_minor FROM instalment WHERE order_id = '{order}' AND position = 2");
    let (drawers, part) = (
        aisle.database.number(drawers).await?,
        aisle.database.number(&part).await?,
    );
    assert!((drawers - part).abs() <= 2, "{drawers} for {part}");
    Ok(())
}

pub async fn the_page_and_a_till_take_a_part_once(pair: Pair) -> Result<()> {
    let aisle = offering(pair).await?;
    let (store, wanted) = store_with(&aisle, 2).await?;
    let order = begun(&aisle, &wanted.id, &store).await?;
    let till = aisle.staff(NORTH, &store, "pos").await?;
    let shopper = aisle.north();
    let card = json!({"position": 2, "payment": {"type": "card_present", "reference": "TERM-7:1"}});
    let mut online = paying(TOKEN_SUCCESS);
    online["position"] = json!(2);
    let (here, there) = (
        format!("/pos/layaways/{order}/payments"),
        format!("/layaways/{order}/payments"),
    );
    let (one, other) = tokio::join!(
        till.client.post(&here).json(&card).send(),
        shopper.post(&there).json(&online).send()
    );
    pays_once(&aisle, &order, [one, other]).await
}

/// Either the part is paid before, and goes back with the rest, or it is not taken at all.
pub async fn giving_up_and_paying_do_not_lose_money(pair: Pair) -> Result<()> {
    let aisle = offering(pair).await?;
    let (store, wanted) = store_with(&aisle, 2).await?;
    let order = begun(&aisle, &wanted.id, &store).await?;
    let till = aisle.staff(NORTH, &store, "pos").await?;
    let shopper = aisle.north();
    let card = json!({"payment": {"type": "card_present", "reference": "TERM-7:1"}});
    let (pay, cancel) = (
        format!("/pos/layaways/{order}/payments"),
        format!("/layaways/{order}/cancel"),
    );
    let (paid, cancelled) = tokio::join!(
        till.client.post(&pay).json(&card).send(),
        shopper.post(&cancel).send()
    );
    let (paid, cancelled) = (paid?, cancelled?);
    for answer in [&paid, &cancelled] {
        assert!(
            answer.status.is_success() || answer.status == 409,
            "{answer:?}"
        );
    }
    let cancelled = match cancelled.status.is_success() {
        true => cancelled.json(),
        false => shopper.post(&cancel).expect(200).await?.json(),
    };
    let sum = |table: &str, what: &str| {
        format!(
            "SELECT coalesce(sum(amount_minor), 0) FROM {table} WHERE order_id = '{order}' AND {what}"
        )
    };
    let taken = sum("payment", "status = 'authorised'");
    let taken = aisle.database.number(&taken).await?;
    assert_eq!(cancelled.number("/paid/amount"), taken);
    assert_eq!(
        aisle
            .database
            .number(&sum("refund", "status = 'due'"))
            .await?
            + cancelled.number("/cancellation/fee/amount"),
        taken
    );
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 0);
    aisle.database.check_invariants().await
}
