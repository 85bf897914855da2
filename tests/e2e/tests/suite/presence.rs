//! Who comes to a store: reported with consent, seen on the board, forgotten by itself.

use std::time::{Duration, Instant};

use aisle_e2e::environment::{HARBOR, NORTH, NORTH_COUNTRY};
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{
    buyer, checkout_request, choose_first_options, complete, items, line, order_id, payment_with,
    pickup_at, shipping_checkout,
};
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};

const MINUTE_MS: i64 = 60_000;
/// How soon a change must show on every open stream.
const SOON: Duration = Duration::from_secs(2);

/// An order that waits at a store.
struct Waiting {
    order_id: String,
    store_id: String,
}

impl Waiting {
    fn path(&self) -> String {
        format!("/orders/{}/presence", self.order_id)
    }

    async fn report(&self, shopper: &Client, state: &str, signal: &str) -> Result<Answer> {
        let report = json!({"state": state, "signal": signal, "consent": {"version": "2026-10"}});
        shopper.post(&self.path()).json(&report).send().await
    }
}

/// An order of one unit, to be collected at `store_id` or wherever it can be.
async fn order_at(aisle: &Environment, store_id: Option<&str>, status: &str) -> Result<Waiting> {
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let lines = [line(&wanted.id, 1)];
    let open = json!({"line_items": lines, "buyer": buyer(), "fulfillment": {"methods": [{"type": "pickup"}]}});
    let offered = shopper
        .post("/checkout-sessions")
        .json(&open)
        .expect(201)
        .await?
        .json();
    let first = offered.text("/fulfillment/methods/0/destinations/0/id");
    let store_id = store_id.unwrap_or(first).to_owned();
    let request = checkout_request(&lines, pickup_at(&store_id));
    let session = shopper
        .post("/checkout-sessions")
        .json(&request)
        .expect(201)
        .await?
        .json();
    let session = choose_first_options(&shopper, session).await?;
    let completed = complete(&shopper, &session).await?.json();
    let order_id = order_id(&completed).to_owned();
    for sql in [
        format!(
            "INSERT INTO pickup (brand_id, order_id, location_id, status, ready_at_ms, pickup_by_ms, version, updated_at_ms) \
             SELECT brand_id, id, '{store_id}', 'preparing', 0, 0, 1, 0 FROM customer_order WHERE id = '{order_id}' \
             ON CONFLICT DO NOTHING"
        ),
        format!("UPDATE pickup SET status = '{status}' WHERE order_id = '{order_id}'"),
    ] {
        aisle.database.rows(&sql).await?;
    }
    Ok(Waiting { order_id, store_id })
}

async fn board(staff: &Client) -> Result<Value> {
    Ok(staff.get("/pos/arrivals").expect(200).await?.json())
}

/// The orders on a board, from its top.
fn orders(board: &Value) -> Vec<&str> {
    let arrivals = board.list("/arrivals").iter();
    arrivals.map(|arrival| arrival.text("/order_id")).collect()
}

pub async fn a_store_sees_who_comes_until_that_expires(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let late = order_at(&aisle, None, "preparing").await?;
    let store = Some(late.store_id.as_str());
    let ready = order_at(&aisle, store, "ready").await?;
    let coming = order_at(&aisle, store, "ready").await?;
    let staff = aisle.staff(NORTH, &late.store_id, "pos").await?.client;
    assert!(orders(&board(&staff).await?).is_empty());

    late.report(&shopper, "arrived", "store_qr").await?;
    coming.report(&shopper, "on_my_way", "geofence").await?;
    let said = ready.report(&shopper, "arrived", "declared").await?;
    assert_eq!(said.status, 200, "{said:?}");
    assert_eq!(said.json()["location_id"], late.store_id.as_str());

    let answer = staff.get("/pos/arrivals").expect(200).await?;
    let shown = answer.json();
    assert_eq!(
        orders(&shown),
        [&ready.order_id, &late.order_id, &coming.order_id],
        "who is there, then what is ready, then who came first: {shown:#}"
    );
    let first = shown.at("/arrivals/0");
    assert_eq!(first["name"], "Ada B.", "{first:#}");
    assert_eq!(first["signal"], "declared");
    assert_eq!(first["pickup"]["status"], "ready");
    assert!(!answer.text().contains("ada@example.com"));
    let again = staff
        .get("/pos/arrivals")
        .header("if-none-match", answer.header("etag"));
    again.expect(304).await?;

    // The same again changes nothing that anybody sees, and is said once in the timeline.
    for _ in 0..2 {
        ready.report(&shopper, "arrived", "declared").await?;
    }
    ready.report(&shopper, "on_my_way", "geofence").await?;
    assert_eq!(board(&staff).await?, shown);
    let entries = format!(
        "SELECT count(*) FROM order_event WHERE type = 'arriving' AND order_id = '{}'",
        ready.order_id
    );
    assert_eq!(aisle.database.number(&entries).await?, 1);

    aisle.database.set_clock_forward_ms(46 * MINUTE_MS).await?;
    assert_eq!(orders(&board(&staff).await?), [&coming.order_id]);
    coming.report(&shopper, "arrived", "wifi").await?;
    let gone = shopper.call(Method::DELETE, &coming.path());
    gone.expect(204).await?;
    let again = shopper.call(Method::DELETE, &coming.path());
    again.expect(204).await?;
    assert!(orders(&board(&staff).await?).is_empty());
    let kept = format!(
        "SELECT count(*) FROM presence WHERE order_id = '{}'",
        coming.order_id
    );
    assert_eq!(aisle.database.number(&kept).await?, 0);
    aisle.drain_outbox().await?;
    aisle.database.check_invariants().await
}

pub async fn nobody_is_kept_without_consent_or_with_a_place(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let order = order_at(&aisle, None, "preparing").await?;
    aisle.drain_outbox().await?;
    let before = aisle.database.snapshot().await?;
    let consent = json!({"version": "1"});
    let cases = [
        (
            json!({"state": "arrived", "signal": "wifi"}),
            422,
            "$.consent",
        ),
        (
            json!({"state": "arrived", "signal": "wifi", "consent": {"version": ""}}),
            400,
            "$.consent.version",
        ),
        (
            json!({"state": "arrived", "signal": "wifi", "consent": {"version": "x".repeat(65)}}),
            400,
            "$.consent.version",
        ),
        (
            json!({"state": "arrived", "signal": "wifi", "consent": consent, "latitude": 52.5}),
            400,
            "$.latitude",
        ),
        (
            json!({"state": "arrived", "signal": "wifi", "consent": {"version": "1", "longitude": 1}}),
            400,
            "$.consent.longitude",
        ),
        (
            json!({"state": "gone", "signal": "wifi", "consent": consent}),
            400,
            "$.state",
        ),
        (
            json!({"state": "arrived", "signal": "gps", "consent": consent}),
            400,
            "$.signal",
        ),
    ];
    for (body, status, path) in cases {
        let refused = shopper.post(&order.path()).json(&body).send().await?;
        assert_eq!(refused.status, status, "{body}: {refused:?}");
        assert_eq!(refused.json()["path"], path, "{body}: {refused:?}");
    }
    assert_eq!(aisle.database.snapshot().await?, before);

    // The same key is the same report; with another body it is refused.
    let keyed = |state: &str| {
        let report = json!({"state": state, "signal": "wifi", "consent": consent});
        let call = shopper.post(&order.path()).json(&report);
        call.idempotency_key("presence-1")
    };
    let first = keyed("on_my_way").expect(200).await?;
    let second = keyed("on_my_way").expect(200).await?;
    assert_eq!(first.json(), second.json());
    keyed("arrived").expect(422).await?;
    Ok(())
}

pub async fn only_an_order_that_waits_can_be_collected(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (north, harbor) = (aisle.north(), aisle.harbor());
    let order = order_at(&aisle, None, "collected").await?;
    let refused = order.report(&north, "arrived", "wifi").await?;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(refused.json()["code"], "nothing_to_collect");

    let wanted = &items(&north, 1).await?[0];
    let sent = shipping_checkout(&north, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let sent = complete(&north, &sent).await?.json();
    let sent = Waiting {
        order_id: order_id(&sent).into(),
        ..order
    };
    assert_eq!(sent.report(&north, "arrived", "wifi").await?.status, 409);

    let elsewhere = order_at(&aisle, None, "ready").await?;
    let unknown = Waiting {
        order_id: "not-an-id".into(),
        store_id: String::new(),
    };
    for (who, order) in [(&harbor, &elsewhere), (&north, &unknown)] {
        let refused = order.report(who, "arrived", "wifi").await?;
        assert_eq!(refused.status, 404, "{refused:?}");
        who.call(Method::DELETE, &order.path()).expect(404).await?;
    }
    Ok(())
}

pub async fn a_till_that_scans_says_so_by_staff_only(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let order = order_at(&aisle, None, "ready").await?;
    let refused = order.report(&aisle.north(), "arrived", "till_scan").await?;
    assert_eq!(refused.status, 401, "{refused:?}");
    let other = other_store(&aisle, &order.store_id).await?;
    let stranger = aisle.staff(NORTH, &other, "pos").await?.client;
    let refused = order.report(&stranger, "arrived", "till_scan").await?;
    assert_eq!(refused.status, 403, "{refused:?}");
    let staff = aisle.staff(NORTH, &order.store_id, "pos").await?;
    let said = order.report(&staff.client, "arrived", "till_scan").await?;
    assert_eq!(said.status, 200, "{said:?}");
    let trail = format!(
        "SELECT count(*) FROM audit WHERE staff_id = '{}' AND action = 'presence.reported' AND subject_id = '{}'",
        staff.staff_id, order.order_id
    );
    assert_eq!(aisle.database.number(&trail).await?, 1);
    Ok(())
}

/// A store of the brand that is not this one.
async fn other_store(aisle: &Environment, store_id: &str) -> Result<String> {
    let sql = format!(
        "SELECT b.location_id FROM brand_location b JOIN brand_host h ON h.brand_id = b.brand_id \
         WHERE h.host = '{NORTH}' AND b.location_id <> '{store_id}' ORDER BY b.location_id LIMIT 1"
    );
    let rows = aisle.database.rows(&sql).await?;
    let first = rows.into_iter().flatten().flatten().next();
    first.context("the brand has one store only")
}

pub async fn a_board_is_for_the_stores_own_staff(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let order = order_at(&aisle, None, "ready").await?;
    order.report(&shopper, "arrived", "wifi").await?;
    let other = other_store(&aisle, &order.store_id).await?;
    let elsewhere = aisle.staff(NORTH, &other, "pos").await?.client;
    assert!(orders(&board(&elsewhere).await?).is_empty());
    let mut stream = elsewhere.get("/pos/arrivals/stream").events().await?;
    assert!(orders(&stream.must_say().await?.data).is_empty());

    let counting = aisle.staff(NORTH, &order.store_id, "stock").await?.client;
    let token = aisle.staff(NORTH, &order.store_id, "pos").await?.token;
    let bearer = format!("Bearer {token}");
    let abroad = aisle.client(HARBOR).with_header("authorization", &bearer);
    let forger = aisle.north().with_header("authorization", "Bearer forged");
    for path in ["/pos/arrivals", "/pos/arrivals/stream"] {
        for (who, status) in [
            (&counting, 403),
            (&abroad, 403),
            (&forger, 401),
            (&shopper, 401),
        ] {
            who.get(path).expect(status).await?;
        }
        shopper.post(path).expect(405).await?;
    }
    Ok(())
}

pub async fn an_event_reaches_streams_of_every_process(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let neighbour = aisle.neighbour().await?;
    let shopper = aisle.north();
    let order = order_at(&aisle, None, "ready").await?;
    let token = aisle.staff(NORTH, &order.store_id, "pos").await?.token;
    let bearer = format!("Bearer {token}");
    let staff = neighbour
        .client(NORTH)
        .with_header("authorization", &bearer);

    let mut stream = staff.get("/pos/arrivals/stream").events().await?;
    let empty = stream.must_say().await?;
    assert_eq!(empty.name, "board");
    assert!(orders(&empty.data).is_empty());

    // A busy machine can be late once, but not each time.
    let mut soonest = Duration::MAX;
    let mut last = empty;
    for (state, signal) in [
        ("on_my_way", "declared"),
        ("arrived", "wifi"),
        ("arrived", "store_qr"),
    ] {
        order.report(&shopper, state, signal).await?;
        let reported = Instant::now();
        let event = stream.must_say().await?;
        soonest = soonest.min(reported.elapsed());
        assert_eq!(event.data.text("/arrivals/0/signal"), signal);
        assert_eq!(event.data, board(&staff).await?);
        assert_ne!(event.id, last.id);
        last = event;
    }
    assert!(soonest <= SOON, "{soonest:?}");

    // Whoever comes back with the board's id hears nothing until it changes.
    drop(stream);
    let back = staff
        .get("/pos/arrivals/stream")
        .header("last-event-id", &last.id);
    let mut stream = back.events().await?;
    shopper
        .call(Method::DELETE, &order.path())
        .expect(204)
        .await?;
    let event = stream.must_say().await?;
    assert!(orders(&event.data).is_empty(), "{event:?}");
    let missed = staff
        .get("/pos/arrivals/stream")
        .header("last-event-id", &last.id);
    assert_eq!(missed.events().await?.must_say().await?, event);
    Ok(())
}

pub async fn a_stream_ends_with_its_time_and_with_its_session(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let order = order_at(&aisle, None, "ready").await?;
    let staff = aisle.staff(NORTH, &order.store_id, "pos").await?;
    let mut stream = staff.client.get("/pos/arrivals/stream").events().await?;
    stream.must_say().await?;
    aisle.database.set_clock_forward_ms(5 * MINUTE_MS).await?;
    assert_eq!(stream.next().await?, None, "five minutes are over");

    let mut stream = staff.client.get("/pos/arrivals/stream").events().await?;
    stream.must_say().await?;
    let revoke = format!(
        "UPDATE staff_session SET ended_at_ms = 1 WHERE device_id = '{}'",
        staff.device_id
    );
    aisle.database.rows(&revoke).await?;
    assert_eq!(stream.next().await?, None, "the session is over");
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

/// More streams than the pool of a process has connections (64).
pub async fn open_streams_hold_no_connection(pair: Pair) -> Result<()> {
    const TILLS: usize = 20;
    const STREAMS_OF_A_TILL: usize = 4;
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let order = order_at(&aisle, None, "ready").await?;
    let mut streams = Vec::new();
    for _ in 0..TILLS {
        let till = aisle.staff(NORTH, &order.store_id, "pos").await?.client;
        for _ in 0..STREAMS_OF_A_TILL {
            let mut stream = till.get("/pos/arrivals/stream").events().await?;
            stream.must_say().await?;
            streams.push(stream);
        }
    }
    let staff = aisle.staff(NORTH, &order.store_id, "pos").await?.client;
    let said = order.report(&shopper, "arrived", "wifi").await?;
    assert_eq!(said.status, 200, "{said:?}");
    assert_eq!(orders(&board(&staff).await?), [&order.order_id]);
    for stream in &mut streams {
        let event = stream.must_say().await?;
        assert_eq!(orders(&event.data), [&order.order_id]);
    }
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

pub async fn a_ticker_of_one_route_settles_what_was_cut_short(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let ready = shipping_checkout(&shopper, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let path = format!("/checkout-sessions/{}", ready.text("/id"));
    let unanswered = payment_with(&ready, "tok_unavailable");
    let completing = shopper.post(&format!("{path}/complete")).json(&unanswered);
    completing.expect(200).await?;
    let shown = shopper.get(&path).expect(200).await?.json();
    assert_eq!(shown["status"], "complete_in_progress", "{shown:#}");

    aisle.database.set_clock_forward_ms(MINUTE_MS).await?;
    let ticker = aisle.with_key(&aisle.relay_key);
    let run = ticker.post("/relay/run").expect(200).await?.json();
    let chores = run.list("/housekeeping");
    let mut tidied: Vec<&str> = chores.iter().map(|chore| chore.text("/path")).collect();
    tidied.sort_unstable();
    let everybody = [
        "/accounts/housekeeping",
        "/catalog/housekeeping",
        "/checkout-sessions/recover",
        "/holds/housekeeping",
        "/messages/housekeeping",
        "/transfers/housekeeping",
    ];
    assert_eq!(tidied, everybody);
    for chore in chores {
        assert!([200, 202].contains(&chore.number("/status")), "{run:#}");
    }
    let settled = shopper.get(&path).expect(200).await?.json();
    assert_ne!(settled["status"], "complete_in_progress", "{settled:#}");
    let run = ticker.post("/relay/run").expect(200).await?.json();
    assert_eq!(run.get("housekeeping"), None, "not again so soon: {run:#}");
    aisle.database.check_invariants().await
}

/// What an older version of the app has left in the key-value store does not stop this one.
pub async fn a_document_of_another_shape_is_read_again(pair: Pair) -> Result<()> {
    // Only the local edge lets a test write into its store.
    if aisle_e2e::spin::program().is_some() {
        return Ok(());
    }
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let brand = format!("SELECT brand_id FROM brand_host WHERE host = '{NORTH}'");
    let brand = aisle.database.rows(&brand).await?.remove(0).remove(0);
    let brand = brand.context("the brand has an id")?;
    let foreign =
        b"{\"version\":1,\"as_of_ms\":1,\"expires_at_ms\":9000000000000000}\n{\"former\":true}";
    let keys = [
        "brands".to_owned(),
        format!("{brand}/cells"),
        format!("{brand}/stock/{}", wanted.sku),
        format!("{brand}/ref/sku/{}", wanted.sku),
    ];
    for key in &keys {
        aisle.edge().set_key_value(key, foreign).await?;
    }
    let stock = shopper.get(&format!("/stock/{}", wanted.sku));
    assert!(
        !stock
            .expect(200)
            .await?
            .json()
            .list("/locations")
            .is_empty()
    );
    let found = shopper.post("/locations/search").json(&json!({}));
    assert!(
        !found
            .expect(200)
            .await?
            .json()
            .list("/locations")
            .is_empty()
    );
    Ok(())
}
