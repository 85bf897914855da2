//! The pass with which an order is collected: who gets one, for how long, and who accepts it.

mod pictures;

use aisle_domain::id::new_id;
use aisle_domain::pass::{self, Keys, PassClaims, PassError, PublicKeys};
use aisle_e2e::environment::NORTH_COUNTRY;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{self, complete, items, line, order_id, pickup_checkout};
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::{Context, Result};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

pub use pictures::{two_readers_read_every_picture, what_is_no_picture_is_refused};

const LIFETIME_MS: i64 = 300_000;
const NOBODY: &str = "0190b3f4-5c6d-7e8f-9a0b-1c2d3e4f5a6b";
/// Thursday, 14:00 in Berlin.
const READY_AT_MS: i64 = 1_780_574_400_000;
const OLD_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const NEW_KEY: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f";

/// An order of North's that is collected at a store.
struct Shop {
    aisle: Environment,
    shopper: Client,
    order_id: String,
    location_id: String,
}

impl Shop {
    async fn open(setup: Setup) -> Result<Self> {
        let aisle = setup.start().await?;
        let shopper = aisle.north();
        let wanted = &items(&shopper, 1).await?[0];
        let offered = json!({"line_items": [line(&wanted.id, 2)], "buyer": shopping::buyer(),
            "fulfillment": {"methods": [{"type": "pickup"}]}});
        let offered = shopper
            .post("/checkout-sessions")
            .json(&offered)
            .expect(201)
            .await?
            .json();
        let location_id = offered.text("/fulfillment/methods/0/destinations/0/id");
        let ready = pickup_checkout(&shopper, &[line(&wanted.id, 2)], location_id).await?;
        let completed = complete(&shopper, &ready).await?.json();
        Ok(Self {
            order_id: order_id(&completed).into(),
            location_id: location_id.into(),
            shopper,
            aisle,
        })
    }

    /// Sets how far the collection has come.
    async fn set_pickup(&self, status: &str) -> Result<()> {
        let insert = format!(
            "INSERT INTO pickup (brand_id, order_id, location_id, status, ready_at_ms, pickup_by_ms, version, updated_at_ms) \
             SELECT brand_id, id, '{}', '{status}', {READY_AT_MS}, {}, 1, 0 FROM customer_order WHERE id = '{}' \
             ON CONFLICT (brand_id, order_id) DO UPDATE SET status = excluded.status, \
             ready_at_ms = excluded.ready_at_ms, pickup_by_ms = excluded.pickup_by_ms",
            self.location_id,
            READY_AT_MS + 86_400_000,
            self.order_id
        );
        self.aisle.database.rows(&insert).await.map(drop)
    }

    fn path(&self) -> String {
        format!("/orders/{}/pass", self.order_id)
    }

    async fn ask(&self) -> Result<Answer> {
        self.shopper.post(&self.path()).send().await
    }

    async fn pass(&self) -> Result<Value> {
        Ok(self.shopper.post(&self.path()).expect(201).await?.json())
    }

    /// Passes of the order that are neither over nor replaced.
    async fn live_passes(&self) -> Result<i64> {
        let count = format!(
            "SELECT count(*) FROM pickup_pass WHERE order_id = '{}' AND revoked_at_ms IS NULL",
            self.order_id
        );
        self.aisle.database.number(&count).await
    }

    /// What a till fetches while it is online.
    async fn published_keys(&self) -> Result<PublicKeys> {
        let set = self
            .shopper
            .get("/orders/pass-keys")
            .expect(200)
            .await?
            .json();
        let bytes = set.list("/keys").iter().map(|key| {
            assert_eq!((key.text("/kty"), key.text("/crv")), ("OKP", "Ed25519"));
            let bytes = BASE64URL_NOPAD.decode(key.text("/x").as_bytes())?;
            <[u8; 32]>::try_from(bytes)
                .ok()
                .context("a key of another length")
        });
        let bytes: Vec<[u8; 32]> = bytes.collect::<Result<_>>()?;
        let public = PublicKeys::from_bytes(bytes)
            .ok()
            .context("no public keys")?;
        let ids: Vec<String> = public.iter().map(|(id, _)| id).collect();
        let published = set.list("/keys").iter();
        let published: Vec<&str> = published.map(|key| key.text("/kid")).collect();
        assert_eq!(ids, published);
        Ok(public)
    }
}

fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{answer:?}"
    );
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{problem:#}");
    problem
}

/// A pass is for what lies ready, and a till needs nothing but the public key to believe it.
pub async fn a_ready_order_gets_a_pass_that_a_till_verifies_offline(pair: Pair) -> Result<()> {
    let shop = Shop::open(Setup::demo(pair)).await?;
    for status in ["awaiting_transfer", "preparing"] {
        shop.set_pickup(status).await?;
        let problem = refused(&shop.ask().await?, 409, "not_ready");
        assert_eq!(problem["status"], 409);
        assert_eq!(
            problem["ready_at"], "2026-06-04T14:00:00+02:00",
            "{problem:#}"
        );
        assert_eq!(problem["pickup_status"], status);
    }
    shop.set_pickup("ready").await?;
    let issued = shop.pass().await?;
    assert_eq!(issued["order_id"], shop.order_id.as_str());
    assert_eq!(issued["location_id"], shop.location_id.as_str());

    let keys = shop.published_keys().await?;
    let token = issued.text("/token");
    assert!(pass::is_pass_text(token), "{token}");
    let claims = pass::read(token, &keys).expect("a genuine pass");
    assert_eq!(claims.pass_id, issued.text("/pass_id"));
    assert_eq!(claims.order_id, shop.order_id);
    assert_eq!(claims.location_id, shop.location_id);
    let now_ms = claims.issued_at_ms;
    assert!(
        (LIFETIME_MS - 1_000..=LIFETIME_MS).contains(&(claims.expires_at_ms - now_ms)),
        "{claims:?}"
    );
    assert_eq!(pass::verify(token, &keys, now_ms), Ok(claims.clone()));
    assert_eq!(
        pass::verify(token, &keys, claims.expires_at_ms),
        Err(PassError::Expired)
    );
    let altered = PassClaims {
        expires_at_ms: claims.expires_at_ms + LIFETIME_MS,
        ..claims
    };
    let elsewhere = Keys::parse(OLD_KEY).ok().context("a key")?;
    let forged = pass::issue(&altered, &elsewhere).context("a token")?;
    assert_eq!(pass::read(&forged, &keys), Err(PassError::UnknownKey));
    // The longer life of the forged one between the key's id and the signature of the genuine one.
    let mixed = format!("{}{}{}", &token[..100], &forged[100..119], &token[119..]);
    assert_eq!(pass::read(&mixed, &keys), Err(PassError::BadSignature));

    let code = issued.text("/code");
    assert_eq!(pass::normalise_code(code).as_deref(), Some(code));
    shop.aisle.database.check_invariants().await
}

/// What is not, or no longer, to be collected gets no pass, and each time the answer says why.
pub async fn without_something_to_collect_there_is_no_pass(pair: Pair) -> Result<()> {
    let shop = Shop::open(Setup::demo(pair)).await?;
    for (status, code) in [
        ("collected", "already_collected"),
        ("cancelled", "cancelled"),
    ] {
        shop.set_pickup(status).await?;
        refused(&shop.ask().await?, 409, code);
    }
    shop.set_pickup("ready").await?;
    let foreign = shop.aisle.harbor().post(&shop.path()).send().await?;
    refused(&foreign, 404, "not_found");
    for id in [NOBODY, "no-id", "%00"] {
        let path = format!("/orders/{id}/pass");
        let answer = shop.shopper.post(&path).send().await?;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{answer:?}");
    }
    let cancel = format!(
        "UPDATE customer_order SET status = 'cancelled' WHERE id = '{}'",
        shop.order_id
    );
    shop.aisle.database.rows(&cancel).await?;
    refused(&shop.ask().await?, 409, "cancelled");

    let shopper = &shop.shopper;
    let wanted = &items(shopper, 1).await?[0];
    let shipped =
        shopping::shipping_checkout(shopper, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let shipped = complete(shopper, &shipped).await?.json();
    let path = format!("/orders/{}/pass", order_id(&shipped));
    refused(&shopper.post(&path).send().await?, 422, "no_pickup");
    assert_eq!(shop.live_passes().await?, 0);
    Ok(())
}

/// The page's next pass ends the one before it, and time ends every one.
pub async fn a_new_pass_ends_the_one_before_it(pair: Pair) -> Result<()> {
    let shop = Shop::open(Setup::demo(pair)).await?;
    shop.set_pickup("ready").await?;
    let keyed = || shop.shopper.post(&shop.path()).idempotency_key("first");
    let first = keyed().expect(201).await?.json();
    let again = keyed().expect(201).await?;
    assert_eq!(again.json(), first, "the same key gets the same answer");
    assert_eq!(again.header("idempotent-replayed"), "true");
    let picture = |issued: &Value| {
        let (pass_id, order_id) = (issued.text("/pass_id"), &shop.order_id);
        format!("/orders/{order_id}/pass/{pass_id}/qr.svg")
    };
    shop.shopper.get(&picture(&first)).expect(200).await?;

    let second = shop.pass().await?;
    assert_ne!(second["token"], first["token"]);
    assert_ne!(second["code"], first["code"]);
    let over = shop.shopper.get(&picture(&first)).send().await?;
    refused(&over, 410, "pass_expired");
    shop.shopper.get(&picture(&second)).expect(200).await?;
    assert_eq!(shop.live_passes().await?, 1);

    let (one, other) = (shop.aisle.north(), shop.aisle.north());
    let path = shop.path();
    let (one, other) = tokio::join!(one.post(&path).send(), other.post(&path).send());
    assert_eq!((one?.status.as_u16(), other?.status.as_u16()), (201, 201));
    assert_eq!(
        shop.live_passes().await?,
        1,
        "of two at the same moment one is good"
    );

    let last = shop.pass().await?;
    shop.aisle
        .database
        .set_clock_forward_ms(LIFETIME_MS)
        .await?;
    let over = shop.shopper.get(&picture(&last)).send().await?;
    refused(&over, 410, "pass_expired");
    Ok(())
}

/// One order gets twenty passes in ten minutes, and more when they have passed.
pub async fn passes_of_an_order_are_limited(pair: Pair) -> Result<()> {
    let shop = Shop::open(Setup::demo(pair)).await?;
    shop.set_pickup("ready").await?;
    for _ in 0..20 {
        shop.pass().await?;
    }
    let answer = shop.ask().await?;
    refused(&answer, 429, "too_many_passes");
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    assert_eq!(
        shop.live_passes().await?,
        1,
        "a refusal leaves the last pass as it is"
    );
    shop.aisle.database.set_clock_forward_ms(600_000).await?;
    shop.pass().await?;
    Ok(())
}

/// A new key signs at once; the old one is accepted as long as it is listed.
pub async fn keys_are_rotated_with_an_overlap(pair: Pair) -> Result<()> {
    let both = format!("{NEW_KEY},{OLD_KEY}");
    let shop = Shop::open(Setup::demo(pair).pass_keys(&both)).await?;
    shop.set_pickup("ready").await?;
    let accepted = shop.published_keys().await?;
    let [old, new] = [OLD_KEY, NEW_KEY].map(|key| Keys::parse(key).ok().expect("a key"));
    assert_eq!(accepted.iter().count(), 2);
    assert_eq!(accepted.iter().next(), new.public().iter().next());

    let token = shop.pass().await?.text("/token").to_owned();
    let claims = pass::read(&token, &accepted).expect("a genuine pass");
    assert_eq!(pass::read(&token, &new.public()), Ok(claims.clone()));
    assert_eq!(
        pass::read(&token, &old.public()),
        Err(PassError::UnknownKey)
    );
    let earlier = pass::issue(&claims, &old).context("a token")?;
    assert_eq!(pass::read(&earlier, &accepted), Ok(claims));
    Ok(())
}

/// Without a key there are no passes, and the answer says what is missing.
pub async fn without_a_key_there_are_no_passes(pair: Pair) -> Result<()> {
    for (keys, word) in [("", "not set"), ("0123", "hexadecimal")] {
        let shop = Shop::open(Setup::demo(pair).pass_keys(keys)).await?;
        shop.set_pickup("ready").await?;
        let problem = refused(&shop.ask().await?, 503, "passes_unavailable");
        assert!(problem.text("/detail").contains(word), "{problem:#}");
        shop.shopper.get("/orders/pass-keys").expect(503).await?;
        assert_eq!(shop.live_passes().await?, 0);
    }
    Ok(())
}

/// What happened to an order is told in UCP's shape, and in full on a route of its own.
pub async fn an_order_tells_what_happened_to_it(pair: Pair) -> Result<()> {
    let shop = Shop::open(Setup::demo(pair)).await?;
    shop.set_pickup("ready").await?;
    let path = format!("/orders/{}", shop.order_id);
    let order = shop.shopper.get(&path).expect(200).await?.json();
    let line_id = order.text("/line_items/0/id").to_owned();
    let moved = json!({"kind": "moved_earlier", "description": "It arrived early.",
        "ready_at_ms_before": READY_AT_MS + 86_400_000, "ready_at_ms": READY_AT_MS, "reasons": ["arrived_early"]});
    let ready = json!({"kind": "ready_for_pickup", "description": "It lies ready.", "location_id": shop.location_id});
    let paid = json!({"kind": "instalment_paid", "description": "Thank you."});
    let part = json!({"kind": "partially_picked_up", "description": "One of two.", "lines": [[line_id, 1]]});
    let cancelled = json!({"kind": "cancelled", "description": "The rest is not needed."});
    for (at_ms, doc) in [moved, ready, paid, part, cancelled].iter().enumerate() {
        let insert = format!(
            "INSERT INTO order_event (id, brand_id, order_id, type, doc, occurred_at_ms) \
             SELECT '{}', brand_id, id, '{}', '{doc}', {} FROM customer_order WHERE id = '{}'",
            new_id(READY_AT_MS, [at_ms as u8; 10]),
            doc.text("/kind"),
            READY_AT_MS + 1_000 * at_ms as i64,
            shop.order_id
        );
        shop.aisle.database.rows(&insert).await?;
    }

    let order = shop.shopper.get(&path).expect(200).await?.json();
    let ours = |event: &&Value| event.text("/occurred_at").starts_with("2026-06-04T14:00:0");
    let events = order.list("/fulfillment/events").iter().filter(ours);
    let events: Vec<(&str, i64)> = events
        .map(|event| {
            assert_eq!(event.text("/line_items/0/id"), line_id);
            (event.text("/type"), event.number("/line_items/0/quantity"))
        })
        .collect();
    let told = [
        ("moved_earlier", 2),
        ("ready_for_pickup", 2),
        ("partially_picked_up", 1),
        ("canceled", 2),
    ];
    assert_eq!(events, told, "{order:#}");
    assert_eq!(order["pickup"]["status"], "ready");
    assert_eq!(order["pickup"]["location_id"], shop.location_id.as_str());
    assert_eq!(order["pickup"]["ready_at"], "2026-06-04T14:00:00+02:00");

    let timeline = format!("{path}/timeline");
    let shown = shop.shopper.get(&timeline).expect(200).await?.json();
    let entries: Vec<&Value> = shown.list("/entries").iter().filter(ours).collect();
    assert_eq!(entries.len(), 5, "{shown:#}");
    assert_eq!(
        entries[0].text("/ready_at_before"),
        "2026-06-05T14:00:00+02:00"
    );
    assert_eq!(entries[0].text("/ready_at"), "2026-06-04T14:00:00+02:00");
    assert_eq!(entries[0].text("/reasons/0"), "arrived_early");
    assert_eq!(entries[1]["location_id"], shop.location_id.as_str());
    assert_eq!(entries[2].text("/kind"), "instalment_paid");

    let foreign = shop.aisle.harbor().get(&timeline).send().await?;
    refused(&foreign, 404, "not_found");
    let nobody = format!("/orders/{NOBODY}/timeline");
    refused(&shop.shopper.get(&nobody).send().await?, 404, "not_found");
    Ok(())
}
