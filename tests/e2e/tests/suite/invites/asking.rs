//! Asking for links.

use aisle_e2e::database::difference;
use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::Look;
use aisle_e2e::{Client, Environment, Pair};
use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};

use super::scene::{Account, NUMBER, Scene, ask, cart, code, code_of, order, request, text_of};

const MINUTE_MS: i64 = 60_000;

pub async fn a_link_is_texted_with_consent(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let (aisle, shopper) = (&scene.aisle, scene.aisle.north());
    let german = shopper
        .post("/invites")
        .header("accept-language", "de-DE, en;q=0.5");
    let answer = german.json(&scene.request()).expect(201).await?;
    let invite = answer.json();
    assert_eq!(
        answer.header("location"),
        format!("/invites/{}", invite.text("/id"))
    );
    assert_eq!(invite.text("/address"), "•••78");
    assert_eq!(
        (invite.text("/channel"), invite.text("/locale")),
        ("sms", "de")
    );
    assert_eq!(
        (invite.text("/status"), invite.text("/scope")),
        ("open", "order")
    );
    assert_eq!(invite.text("/subject_id"), scene.order_id);

    // Consented before anything was queued, to the text and to news of the order.
    let consents = "SELECT purpose, wording_version, source, decision FROM consent WHERE address = '+4915112345678' ORDER BY purpose";
    let consents = aisle.database.rows(consents).await?;
    let given = |purpose: &str| {
        ["2026-11", "invite", "given"].into_iter().fold(
            vec![Some(purpose.to_owned())],
            |mut row, one| {
                row.push(Some(one.to_owned()));
                row
            },
        )
    };
    assert_eq!(consents, [given("invite"), given("update")]);
    let too_soon = "SELECT count(*) FROM message m WHERE m.invite_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM consent c \
                    WHERE c.brand_id = m.brand_id AND c.address = m.address AND c.at_ms <= m.created_at_ms)";
    assert_eq!(aisle.database.number(too_soon).await?, 0);
    let told = format!(
        "SELECT count(*) FROM order_contact WHERE order_id = '{}' AND channel = 'sms' AND ended_at_ms IS NULL",
        scene.order_id
    );
    assert_eq!(aisle.database.number(&told).await?, 1);

    // The code is in the text, and nowhere else.
    let code = code_of(aisle, invite.text("/id")).await?;
    assert!(!answer.text().contains(&code), "{answer:?}");
    for (table, rows) in aisle.database.snapshot().await? {
        let text = format!("{rows:?}");
        let in_text = ["message", "sandbox_message"].contains(&table);
        assert!(in_text || !text.contains(&code), "{table} has the code");
    }
    let kept = format!("SELECT count(*) FROM idempotency WHERE response LIKE '%{code}%'");
    assert_eq!(aisle.database.number(&kept).await?, 0);
    let template = "SELECT template, purpose FROM message WHERE invite_id IS NOT NULL";
    let template = aisle.database.rows(template).await?;
    assert_eq!(
        template,
        [[Some("invite_order".to_owned()), Some("invite".to_owned())]]
    );

    // Whoever wants the text only is not told more.
    let (other, _) = order(aisle).await?;
    let mut once = request("order", &other);
    once["consent"]["purpose"] = json!("invite");
    ask(&shopper, &once).await?;
    let told = format!(
        "SELECT count(*) FROM order_contact WHERE order_id = '{other}' AND channel = 'sms'"
    );
    assert_eq!(aisle.database.number(&told).await?, 0);
    Ok(())
}

pub async fn addresses_that_are_not_texted_are_refused(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let (aisle, shopper) = (&scene.aisle, scene.aisle.north());
    aisle.send_messages().await?;
    let before = aisle.database.snapshot().await?;
    let with = |member: &str, value: Value| {
        let mut request = scene.request();
        *request.pointer_mut(member).unwrap() = value;
        request
    };
    let to = |address: &str| with("/address", json!(address));
    let mail = |address: &str| {
        let mut request = to(address);
        request["channel"] = json!("email");
        request
    };
    let mut silent = scene.request();
    silent
        .as_object_mut()
        .context("an object")?
        .remove("consent");
    for (request, status, path) in [
        (to("12"), 422, "$.address"),
        (to("no number"), 422, "$.address"),
        (to("+49 1"), 422, "$.address"),
        (to("+491511234567890123"), 422, "$.address"),
        // Premium-rate, in Germany and in the United States.
        (to("+499001234567"), 422, "$.address"),
        (to("+19002345678"), 422, "$.address"),
        // Mobile, but of a country that the brand neither is in nor ships to.
        (to("+12125550123"), 422, "$.address"),
        (to(&"1".repeat(400)), 400, "$.address"),
        (mail("nobody"), 422, "$.address"),
        (mail("a@b@c"), 422, "$.address"),
        (silent, 422, "$.consent"),
        (
            with("/consent", json!({"wording_version": ""})),
            400,
            "$.consent.wording_version",
        ),
        (
            with("/consent", json!({"wording_version": "x".repeat(65)})),
            400,
            "$.consent.wording_version",
        ),
        (with("/consent", json!({})), 400, "$.consent"),
        (
            with(
                "/consent",
                json!({"wording_version": "1", "purpose": "ads"}),
            ),
            400,
            "$.consent.purpose",
        ),
        (with("/scope", json!("stock")), 400, "$.scope"),
    ] {
        let refused = shopper.post("/invites").json(&request).send().await?;
        assert_eq!(refused.status, status, "{request} {refused:?}");
        assert_eq!(refused.json().text("/path"), path, "{request} {refused:?}");
    }
    for (number, why) in [
        ("+499001234567", "phone_premium_rate"),
        ("+12125550123", "country_not_served"),
    ] {
        let refused = shopper.post("/invites").json(&to(number)).send().await?;
        assert_eq!(code(&refused), why);
    }
    for id in ["nothing", "0190a0e0-0000-7000-8000-000000000000"] {
        let unknown = shopper.post("/invites").json(&with("/id", json!(id)));
        assert_eq!(code(&unknown.expect(404).await?), "order_not_found");
    }
    let changed = difference(&before, &aisle.database.snapshot().await?);
    assert!(changed.is_empty(), "{changed:?}");

    // As people write it, a mail, and a country that the brand names.
    ask(&shopper, &to("0151 1234-5678")).await?;
    let sent = "SELECT count(*) FROM message WHERE address = '+4915112345678'";
    assert_eq!(aisle.database.number(sent).await?, 1);
    let mailed = ask(&shopper, &mail("Ada@Example.com")).await?;
    assert_eq!(mailed.text("/address"), "a•••@example.com");
    let served = json!({"countries": ["US"]});
    change_policy(aisle, "notification", &served).await?;
    // A process that remembers nothing of the brand as it was.
    let other = aisle.neighbour().await?;
    let shopper = other.client(NORTH);
    ask(&shopper, &to("+12125550123")).await?;
    let refused = shopper
        .post("/invites")
        .json(&to(NUMBER))
        .expect(422)
        .await?;
    assert_eq!(code(&refused), "country_not_served");
    Ok(())
}

/// Changes members of one of North's policies.
async fn change_policy(aisle: &Environment, name: &str, changed: &Value) -> Result<()> {
    let admin = aisle.admin();
    let path = "/admin/brands/north";
    let mut brand = admin.get(path).expect(200).await?.json();
    for (member, value) in changed.as_object().into_iter().flatten() {
        brand["policies"][name][member] = value.clone();
    }
    admin.put(path).json(&brand).expect(200).await?;
    aisle.drain_outbox().await
}

pub async fn a_repetition_is_one_text(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let shopper = scene.aisle.north();
    let post = || {
        shopper
            .post("/invites")
            .idempotency_key("once")
            .json(&scene.request())
            .send()
    };
    let first = post().await?;
    let again = post().await?;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201));
    assert_eq!(first.text(), again.text());
    assert_eq!(again.header("idempotent-replayed"), "true");
    let mut other = scene.request();
    other["address"] = json!("+4915112345679");
    let other = shopper
        .post("/invites")
        .idempotency_key("once")
        .json(&other);
    other.expect(422).await?;
    for table in ["invite", "message WHERE invite_id IS NOT NULL"] {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(scene.aisle.database.number(&count).await?, 1, "{table}");
    }
    let clients: Vec<Client> = (0..8).map(|_| scene.aisle.north()).collect();
    let (order_id, _) = order(&scene.aisle).await?;
    let request = request("order", &order_id);
    let asking = clients.iter().map(|client| {
        client
            .post("/invites")
            .idempotency_key("race")
            .json(&request)
            .send()
    });
    for answer in futures::future::try_join_all(asking).await? {
        assert!([201, 409].contains(&answer.status.as_u16()), "{answer:?}");
    }
    let count = format!("SELECT count(*) FROM invite WHERE subject_id = '{order_id}'");
    assert_eq!(scene.aisle.database.number(&count).await?, 1);
    Ok(())
}

pub async fn a_thousand_links_in_a_minute_are_stopped(pair: Pair) -> Result<()> {
    const ASKED: usize = 1_000;
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let other = aisle.neighbour().await?;
    // Nobody's own limit stops them: other numbers, and tills that may ask often, half of
    // them in another process.
    let mut tills = Vec::new();
    for place in 0..20 {
        let staff = aisle.staff(NORTH, &scene.store_id, "pos").await?;
        let authorization = format!("Bearer {}", staff.token);
        tills.push(match place % 2 {
            0 => staff.client,
            _ => other
                .client(NORTH)
                .with_header("authorization", &authorization),
        });
    }
    let asking = tills
        .iter()
        .enumerate()
        .map(async |(till, client)| -> Result<Vec<u16>> {
            let mut statuses = Vec::new();
            for number in 0..ASKED / 20 {
                let mut request = scene.request();
                request["address"] = json!(format!("+4915112{till:02}{number:04}"));
                let answer = client.post("/invites").json(&request).send().await?;
                if answer.status == 429 {
                    assert_eq!(code(&answer), "too_many_invites");
                    assert_eq!(answer.header("retry-after"), "60");
                }
                statuses.push(answer.status.as_u16());
            }
            Ok(statuses)
        });
    let statuses = futures::future::try_join_all(asking).await?.concat();
    let sent = statuses.iter().filter(|status| **status == 201).count();
    let stopped = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!(sent + stopped, ASKED, "{statuses:?}");
    let span = "SELECT max(created_at_ms) - min(created_at_ms) FROM invite";
    let windows = aisle.database.number(span).await? / MINUTE_MS + 1;
    assert!(sent as i64 <= 60 * windows, "{sent} in {windows} windows");
    // A second window has begun only where the machine is too slow for a thousand a minute.
    assert!(sent == 60 || windows > 1, "{sent} in one window");
    for table in ["message WHERE invite_id IS NOT NULL", "invite"] {
        let queued = aisle
            .database
            .number(&format!("SELECT count(*) FROM {table}"))
            .await?;
        assert_eq!(queued, sent as i64, "{table}");
    }
    aisle.send_messages().await?;
    let texted = "SELECT count(*) FROM sandbox_message WHERE address LIKE '+4915112%'";
    assert_eq!(aisle.database.number(texted).await?, sent as i64);
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

pub async fn limits_hold_for_numbers_and_callers(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let (aisle, shopper) = (&scene.aisle, scene.aisle.north());
    for _ in 0..5 {
        ask(&shopper, &scene.request()).await?;
    }
    let mut request = scene.request();
    let again = shopper.post("/invites").json(&request).expect(429).await?;
    assert_eq!(again.header("retry-after"), "86400");
    // Whoever else asks, for whatever else: it is the number's limit.
    let (other, _) = order(aisle).await?;
    let other = super::scene::request("order", &other);
    shopper.post("/invites").json(&other).expect(429).await?;
    // What is refused uses nothing up of what else is limited.
    for number in 0..5 {
        request["address"] = json!(format!("+491511234560{number}"));
        ask(&shopper, &request).await?;
    }
    request["address"] = json!("+4915112345610");
    let caller = shopper.post("/invites").json(&request).expect(429).await?;
    assert_eq!(caller.header("retry-after"), "3600");
    aisle.database.set_clock_forward_ms(61 * MINUTE_MS).await?;
    ask(&shopper, &request).await?;
    let hashed = "SELECT count(*) FROM rate_limit WHERE name LIKE '%1511234%'";
    assert_eq!(
        aisle.database.number(hashed).await?,
        0,
        "no number is in a limit's name"
    );
    Ok(())
}

pub async fn limits_hold_for_networks_and_brands(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let clerk = aisle.staff(NORTH, &scene.store_id, "pos").await?.client;
    let policy = json!({"per_network_per_hour": 2, "per_day": 4});
    change_policy(aisle, "invites", &policy).await?;
    let numbered = |number: usize| {
        let mut request = scene.request();
        request["address"] = json!(format!("+491511234560{number}"));
        request
    };
    for number in 0..2 {
        ask(&aisle.north(), &numbered(number)).await?;
    }
    // Whatever else it is for, and whatever address is claimed.
    let (other, _) = order(aisle).await?;
    let other = super::scene::request("order", &other);
    let elsewhere = aisle.north().with_header("x-forwarded-for", "198.51.100.7");
    let refused = elsewhere.post("/invites").json(&other).expect(429).await?;
    assert_eq!(refused.header("retry-after"), "3600");
    for number in 2..4 {
        ask(&clerk, &numbered(number)).await?;
    }
    let refused = clerk
        .post("/invites")
        .json(&numbered(4))
        .expect(429)
        .await?;
    assert_eq!(refused.header("retry-after"), "86400");
    aisle
        .database
        .set_clock_forward_ms(25 * 60 * MINUTE_MS)
        .await?;
    ask(&aisle.north(), &numbered(5)).await?;
    // A brand may have none sent at all, as a process knows that remembers nothing of it.
    change_policy(aisle, "invites", &json!({"per_minute": 0})).await?;
    let other = aisle.neighbour().await?;
    let shopper = other.client(NORTH);
    let refused = shopper.post("/invites").json(&numbered(6)).expect(429);
    assert_eq!(refused.await?.header("retry-after"), "60");
    Ok(())
}

pub async fn a_number_that_said_stop_is_told_to_those_it_concerns_only(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let own = Account::of(aisle, NORTH, NUMBER).await?;
    let other = Account::new(aisle, NORTH).await?;
    let stop = format!(
        "INSERT INTO opt_out (brand_id, channel, address, since_ms) \
         SELECT brand_id, 'sms', '{NUMBER}', 0 FROM brand_host WHERE host = '{NORTH}'"
    );
    aisle.database.rows(&stop).await?;
    let told = ask(&aisle.north(), &scene.request()).await?;
    assert_eq!(told.text("/delivery"), "pending", "as for any other number");
    ask(&other.client(aisle), &scene.request()).await?;
    let clerk = aisle.staff(NORTH, &scene.store_id, "pos").await?.client;
    for concerned in [clerk, own.client(aisle)] {
        let refused = concerned.post("/invites").json(&scene.request());
        assert_eq!(code(&refused.expect(409).await?), "opted_out");
    }
    Ok(())
}

pub async fn a_till_texts_links_to_orders_of_its_store(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let clerk = aisle.staff(NORTH, &scene.store_id, "pos").await?;
    let invite = ask(&clerk.client, &scene.request()).await?;
    let source = "SELECT DISTINCT source FROM consent";
    assert_eq!(
        aisle.database.rows(source).await?,
        [[Some("till".to_owned())]]
    );
    let audited = format!(
        "SELECT subject_id, staff_id, doc FROM audit WHERE action = 'invite.sent' AND device_id = '{}'",
        clerk.device_id
    );
    let audited = aisle.database.rows(&audited).await?;
    assert_eq!(audited[0][0].as_deref(), Some(scene.order_id.as_str()));
    assert!(!format!("{audited:?}").contains("1511234"), "{audited:?}");
    let path = format!("/invites/{}", invite.text("/id"));
    clerk.client.get(&path).expect(200).await?;

    let elsewhere = format!(
        "SELECT b.location_id FROM brand_location b JOIN brand_host h ON h.brand_id = b.brand_id \
         WHERE h.host = '{NORTH}' AND b.location_id <> '{}' ORDER BY b.location_id LIMIT 1",
        scene.store_id
    );
    let elsewhere = aisle
        .database
        .rows(&elsewhere)
        .await?
        .into_iter()
        .flatten()
        .flatten()
        .next();
    let elsewhere = elsewhere.context("a second store")?;
    let stranger = aisle.staff(NORTH, &elsewhere, "pos").await?.client;
    let counting = aisle.staff(NORTH, &scene.store_id, "stock").await?.client;
    let abroad = aisle
        .client(HARBOR)
        .with_header("authorization", &format!("Bearer {}", clerk.token));
    for (who, status) in [(&stranger, 403), (&counting, 403), (&abroad, 403)] {
        who.post("/invites")
            .json(&scene.request())
            .expect(status)
            .await?;
        who.get(&path).expect(status).await?;
        who.call(Method::DELETE, &path).expect(status).await?;
        who.get(&format!("/invites?order={}", scene.order_id))
            .expect(status)
            .await?;
    }
    // A cart that nobody owns can be texted by whoever sees it at the till.
    ask(&clerk.client, &request("cart", &cart(aisle).await?)).await?;
    let account = Account::new(aisle, NORTH).await?;
    let own = request("account", &account.id);
    clerk.client.post("/invites").json(&own).expect(404).await?;
    Ok(())
}

pub async fn the_wrong_people_have_no_links(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let (owner, other) = (
        Account::new(aisle, NORTH).await?,
        Account::new(aisle, NORTH).await?,
    );
    let foreign = Account::new(aisle, HARBOR).await?;
    let (invite, code) = scene.invite(NUMBER).await?;
    let (second, _) = order(aisle).await?;
    let elsewhere = ask(&aisle.north(), &request("order", &second)).await?;
    let elsewhere = code_of(aisle, elsewhere.text("/id")).await?;
    scene.give_order_to(&owner).await?;

    let bearing = |token: &str| {
        aisle
            .north()
            .with_header("authorization", &format!("Bearer {token}"))
    };
    let path = format!("/invites/{}", invite.text("/id"));
    let list = format!("/invites?order={}", scene.order_id);
    for (who, status) in [
        (aisle.north(), 401),
        (other.client(aisle), 404),
        (foreign.client(aisle), 403),
        (bearing("acc_forged"), 401),
        (bearing("lnk_00000000000000"), 401),
        (bearing(&format!("lnk_{elsewhere}")), 404),
        (bearing("forged"), 401),
        (
            other
                .browser(aisle)
                .with_header("sec-fetch-site", "same-origin"),
            404,
        ),
        (
            owner
                .browser(aisle)
                .with_header("sec-fetch-site", "cross-site"),
            403,
        ),
    ] {
        let asked = who.post("/invites").json(&scene.request());
        asked.expect(status).await?;
        if status != 403 {
            who.get(&path).expect(status).await?;
            who.get(&list).expect(status).await?;
        }
        who.call(Method::DELETE, &path).expect(status).await?;
    }
    // Another brand knows nothing of it, whatever number it would text.
    let mut abroad = scene.request();
    abroad["address"] = json!("+12125550123");
    let harbor = aisle.harbor();
    harbor.post("/invites").json(&abroad).expect(404).await?;
    for place in [&path, &list] {
        harbor.get(place).expect(404).await?;
    }
    harbor.call(Method::DELETE, &path).expect(404).await?;
    for allowed in [owner.client(aisle), bearing(&format!("lnk_{code}"))] {
        allowed.get(&path).expect(200).await?;
        assert_eq!(
            allowed
                .get(&list)
                .expect(200)
                .await?
                .json()
                .list("/invites")
                .len(),
            1
        );
    }
    let asked = ask(&owner.client(aisle), &scene.request()).await?;
    let noted = format!(
        "SELECT count(*) FROM account_change WHERE account_id = '{}' AND kind = 'invite' AND subject_id = '{}'",
        owner.id,
        asked.text("/id")
    );
    assert_eq!(
        aisle.database.number(&noted).await?,
        1,
        "other devices learn of it"
    );

    // An account's own page, and nobody else's, whoever holds a link to it.
    let own = request("account", &owner.id);
    let sent = ask(&owner.client(aisle), &own).await?;
    let link = code_of(aisle, sent.text("/id")).await?;
    aisle
        .north()
        .post("/invites")
        .json(&own)
        .expect(401)
        .await?;
    other
        .client(aisle)
        .post("/invites")
        .json(&own)
        .expect(404)
        .await?;
    bearing(&format!("lnk_{link}"))
        .post("/invites")
        .json(&own)
        .expect(401)
        .await?;
    Ok(())
}

pub async fn links_are_listed_and_revoked(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let (aisle, shopper) = (&scene.aisle, scene.aisle.north());
    let mut ids = Vec::new();
    for number in 0..3 {
        let (invite, _) = scene.invite(&format!("+491511234560{number}")).await?;
        ids.insert(0, invite.text("/id").to_owned());
    }
    let mut seen = Vec::new();
    let mut path = format!("/invites?order={}&limit=2", scene.order_id);
    loop {
        let page = shopper.get(&path).expect(200).await?.json();
        seen.extend(
            page.list("/invites")
                .iter()
                .map(|one| one.text("/id").to_owned()),
        );
        let Some(cursor) = page.pointer("/pagination/cursor").and_then(Value::as_str) else {
            break;
        };
        path = format!("/invites?order={}&limit=2&cursor={cursor}", scene.order_id);
    }
    assert_eq!(seen, ids, "the latest first");
    for query in [
        "",
        "?order=1&cart=2",
        "?limit=0&order=0190a0e0-0000-7000-8000-000000000000",
    ] {
        shopper.get(&format!("/invites{query}")).expect(400).await?;
    }
    let bad = format!("/invites?order={}&cursor=00", scene.order_id);
    shopper.get(&bad).expect(400).await?;

    let one = format!("/invites/{}", ids[0]);
    for _ in 0..2 {
        shopper.call(Method::DELETE, &one).expect(204).await?;
    }
    let shown = shopper.get(&one).expect(200).await?.json();
    assert_eq!(shown.text("/status"), "revoked");
    shopper.post(&one).expect(405).await?;

    // A text leads to the brand, whatever host was claimed when it was asked for.
    let asked = request("order", &scene.order_id);
    let invite = ask(&aisle.client("evil.example"), &asked).await?;
    let link = text_of(aisle, invite.text("/id")).await?;
    assert!(!link.contains("evil"), "{link}");
    Ok(())
}
