//! Making a link an account's own.

use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::Look;
use aisle_e2e::phone::Phone;
use aisle_e2e::{Answer, Pair};
use anyhow::{Context, Result};
use serde_json::json;

use super::scene::{Account, NUMBER, Scene, ask, browser, cart, code, code_of, request};

fn leads_to(answer: &Answer, place: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, place),
        "{answer:?}"
    );
}

pub async fn a_link_becomes_one_accounts_own(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let (_, link) = scene.invite(NUMBER).await?;
    let (open, claim) = (format!("/i/{link}"), format!("/invites/{link}/claim"));
    let foreign = Account::new(aisle, HARBOR).await?;
    aisle.north().post(&claim).expect(401).await?;
    foreign.client(aisle).post(&claim).expect(403).await?;
    assert_eq!(scene.owner().await?, None);

    let (one, other) = (
        Account::new(aisle, NORTH).await?,
        Account::new(aisle, NORTH).await?,
    );
    let (first, second) = (one.client(aisle), other.client(aisle));
    let (a, b) = tokio::try_join!(first.post(&claim).send(), second.post(&claim).send())?;
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410], "{a:?} {b:?}");
    let (winner, loser, won, lost) = if a.status == 200 {
        (&one, &other, a, b)
    } else {
        (&other, &one, b, a)
    };
    assert_eq!(
        won.json().text("/page"),
        format!("/my/orders/{}", scene.order_id)
    );
    assert_eq!(code(&lost), "link_used");
    assert_eq!(scene.owner().await?.as_deref(), Some(winner.id.as_str()));

    // Again for its owner, on every device; over for everybody else.
    winner.client(aisle).post(&claim).expect(200).await?;
    loser.client(aisle).post(&claim).expect(410).await?;
    let led = winner.browser(aisle).get(&open).expect(303).await?;
    leads_to(&led, &format!("/my/orders/{}", scene.order_id));
    assert_eq!(led.header("set-cookie"), "", "the session opens it");
    loser.browser(aisle).get(&open).expect(410).await?;
    browser(aisle).get(&open).expect(410).await?;

    // Whose order it is learns of it on other devices.
    let noted = format!(
        "SELECT DISTINCT kind FROM account_change WHERE account_id = '{}' ORDER BY kind",
        winner.id
    );
    let noted: Vec<_> = aisle
        .database
        .rows(&noted)
        .await?
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    assert_eq!(noted, ["invite", "order"]);

    // What belongs to one account does not become another's by a link.
    let invite = ask(&winner.client(aisle), &scene.request()).await?;
    let link = code_of(aisle, invite.text("/id")).await?;
    let loser = loser.client(aisle);
    let refused = loser.post(&format!("/invites/{link}/claim"));
    assert_eq!(code(&refused.expect(409).await?), "not_yours");
    browser(aisle)
        .get(&format!("/i/{link}"))
        .expect(303)
        .await?;
    Ok(())
}

pub async fn a_page_asks_before_it_claims(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let (_, link) = scene.invite(NUMBER).await?;
    let path = format!("/i/{link}/claim");
    let sign_in = format!("/my/sign-in?return_to=/i/{link}/claim");
    let holder = || browser(aisle).with_header("cookie", &format!("aisle_link={link}"));
    leads_to(&holder().get(&path).expect(303).await?, &sign_in);
    let holder = holder();
    let posted = holder.post(&path).header("sec-fetch-site", "same-origin");
    leads_to(&posted.expect(303).await?, &sign_in);

    let account = Account::new(aisle, NORTH).await?;
    let device = account.browser(aisle);
    let asked = device
        .get(&path)
        .header("accept-language", "de")
        .expect(200)
        .await?;
    assert!(
        asked.text().contains(r#"<form method="post"><button>"#),
        "{asked:?}"
    );
    assert!(asked.text().contains("Bestellung"), "{asked:?}");
    assert_eq!(scene.owner().await?, None, "looking changes nothing");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        device.post(&path).header(name, value).expect(403).await?;
    }
    device.post(&path).expect(403).await?;
    assert_eq!(scene.owner().await?, None);

    let origin = aisle.north().origin();
    let done = device
        .post(&path)
        .header("origin", &origin)
        .expect(303)
        .await?;
    leads_to(&done, &format!("/my/orders/{}", scene.order_id));
    assert!(
        done.header("set-cookie").starts_with("aisle_link=; "),
        "{done:?}"
    );
    assert_eq!(scene.owner().await?.as_deref(), Some(account.id.as_str()));
    leads_to(
        &device.get(&path).expect(303).await?,
        &format!("/my/orders/{}", scene.order_id),
    );
    browser(aisle).get(&path).expect(410).await?;
    let other = Account::new(aisle, NORTH).await?.browser(aisle);
    other
        .post(&path)
        .header("sec-fetch-site", "same-origin")
        .expect(410)
        .await?;
    Ok(())
}

pub async fn a_phone_is_linked_to_its_account(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let account = Account::new(aisle, NORTH).await?;
    let invite = ask(&account.client(aisle), &request("account", &account.id)).await?;
    let link = code_of(aisle, invite.text("/id")).await?;
    // Nothing of the account shows before somebody signs in.
    let led = browser(aisle)
        .get(&format!("/i/{link}"))
        .expect(303)
        .await?;
    leads_to(&led, &format!("/i/{link}/claim"));
    assert_eq!(led.header("set-cookie"), "");
    let stranger = Account::new(aisle, NORTH).await?;
    let refused = stranger
        .client(aisle)
        .post(&format!("/invites/{link}/claim"))
        .expect(409)
        .await?;
    assert_eq!(code(&refused), "not_yours");

    let device = account.client(aisle);
    let before = device.get("/accounts/me").expect(200).await?;
    let phone = account.browser(aisle);
    let path = format!("/i/{link}/claim");
    phone.get(&path).expect(200).await?;
    let done = phone
        .post(&path)
        .header("sec-fetch-site", "same-origin")
        .expect(303)
        .await?;
    leads_to(&done, "/my/orders");
    let proved = format!(
        "SELECT account_id FROM account_identity WHERE kind = 'phone' AND address = '{NUMBER}'"
    );
    let proved = aisle.database.rows(&proved).await?;
    assert_eq!(proved, [[Some(account.id.clone())]]);
    // A device that knows the account as it was learns of the number.
    let asked = device.get("/accounts/me");
    let asked = asked.header("if-none-match", before.header("etag"));
    let shown = asked.expect(200).await?;
    assert!(shown.text().contains(NUMBER), "{shown:?}");

    // A device that signed in a while ago proves no number.
    let mut other = request("account", &account.id);
    other["address"] = json!("+4915199999999");
    let invite = ask(&device, &other).await?;
    let link = code_of(aisle, invite.text("/id")).await?;
    let earlier = "UPDATE account_session SET created_at_ms = created_at_ms - 660000";
    aisle.database.rows(earlier).await?;
    let claimed = device.post(&format!("/invites/{link}/claim"));
    claimed.expect(200).await?;
    let shown = device.get("/accounts/me").expect(200).await?;
    assert!(!shown.text().contains("+4915199999999"), "{shown:?}");

    // A number that is known as somebody else's stays theirs.
    let invite = ask(&stranger.client(aisle), &request("account", &stranger.id)).await?;
    let link = code_of(aisle, invite.text("/id")).await?;
    stranger
        .client(aisle)
        .post(&format!("/invites/{link}/claim"))
        .expect(200)
        .await?;
    let owners = format!("SELECT account_id FROM account_identity WHERE address = '{NUMBER}'");
    assert_eq!(aisle.database.rows(&owners).await?, [[Some(account.id)]]);
    Ok(())
}

pub async fn a_link_gives_no_account_more_addresses_than_it_may_have(pair: Pair) -> Result<()> {
    const MOST: usize = 10;
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let account = Account::new(aisle, NORTH).await?;
    let known = async || -> Result<usize> {
        let device = account.client(aisle);
        let shown = device.get("/accounts/me").expect(200).await?.json();
        Ok(shown.list("/identities").len())
    };
    for number in 0..MOST - known().await? - 1 {
        let sql = format!(
            "INSERT INTO account_identity (brand_id, kind, address, account_id, verified_at_ms) \
             SELECT brand_id, 'email', 'more{number}@example.com', id, 0 FROM account WHERE id = '{}'",
            account.id
        );
        aisle.database.rows(&sql).await?;
    }
    for number in ["+4915112345670", "+4915112345671"] {
        let mut request = request("account", &account.id);
        request["address"] = json!(number);
        let invite = ask(&account.client(aisle), &request).await?;
        let link = code_of(aisle, invite.text("/id")).await?;
        let device = account.client(aisle);
        device
            .post(&format!("/invites/{link}/claim"))
            .expect(200)
            .await?;
        assert_eq!(known().await?, MOST, "after {number}");
    }
    Ok(())
}

pub async fn a_cart_moves_to_the_phone_and_into_the_account(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let account = Account::new(aisle, NORTH).await?;
    let device = account.client(aisle);
    let link_to = async |cart: &str| -> Result<String> {
        let mut request = request("cart", cart);
        request["consent"]["purpose"] = json!("invite");
        let invite = ask(&aisle.north(), &request).await?;
        code_of(aisle, invite.text("/id")).await
    };
    let (mine, second) = (cart(aisle).await?, cart(aisle).await?);
    let (link, other) = (link_to(&mine).await?, link_to(&second).await?);
    let claimed = device
        .post(&format!("/invites/{link}/claim"))
        .expect(200)
        .await?
        .json();
    assert_eq!(
        (claimed.text("/scope"), claimed.text("/page")),
        ("cart", "/my/cart")
    );
    let own = format!(
        "SELECT cart_id FROM account_cart WHERE account_id = '{}'",
        account.id
    );
    assert_eq!(aisle.database.rows(&own).await?, [[Some(mine.clone())]]);
    // The second one becomes part of it.
    let merged = device
        .post(&format!("/invites/{other}/claim"))
        .expect(200)
        .await?
        .json();
    assert_eq!(merged.text("/subject_id"), mine);
    assert_eq!(aisle.database.rows(&own).await?, [[Some(mine)]]);
    aisle
        .north()
        .get(&format!("/i/{other}"))
        .expect(410)
        .await?;
    device
        .post(&format!("/invites/{other}/claim"))
        .expect(200)
        .await?;
    let stranger = Account::new(aisle, NORTH).await?.client(aisle);
    stranger
        .post(&format!("/invites/{link}/claim"))
        .expect(410)
        .await?;
    Ok(())
}

/// Where the page's link with these words leads.
fn leads<'a>(page: &'a str, words: &str) -> Result<&'a str> {
    let (before, _) = page
        .split_once(&format!(">{words}</a>"))
        .with_context(|| format!("no {words} in {page}"))?;
    let (_, link) = before.rsplit_once("href=\"").context("no address")?;
    Ok(link.split('"').next().unwrap_or_default())
}

pub async fn a_cart_on_the_phone_comes_along_to_the_sign_in(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let line = "Quantity: 1";
    let keep = "Take the cart of your link into your account";
    for (elsewhere, address) in [(false, "ada@example.com"), (true, "eve@example.com")] {
        let mut request = request("cart", &cart(aisle).await?);
        request["consent"]["purpose"] = json!("invite");
        let invite = ask(&aisle.north(), &request).await?;
        let link = format!("/i/{}", code_of(aisle, invite.text("/id")).await?);
        let claim = format!("{link}/claim");

        let phone = Phone::new(aisle, NORTH, "en");
        let shown = phone.open(&link).await?.must_be("/my/cart")?;
        assert!(shown.contains(line), "{shown}");
        if elsewhere {
            let signed_in = phone.sign_in(aisle, address, "/my/orders").await?;
            signed_in.must_be("/my/orders")?;
            let shown = phone.open("/my/cart").await?.must_be("/my/cart")?;
            assert_eq!(leads(&shown, keep)?, claim);
            phone.open(&claim).await?.must_be(&claim)?;
        } else {
            assert_eq!(leads(&shown, keep)?, claim);
            let sign_in = leads(&shown, "Sign in")?;
            assert_eq!(sign_in, format!("/my/sign-in?return_to={claim}"));
            phone.open(sign_in).await?.must_be("/my/sign-in")?;
            let signed_in = phone.sign_in(aisle, address, &claim).await?;
            signed_in.must_be(&claim)?;
        }
        let kept = phone.submit(&claim, &[]).await?.must_be("/my/cart")?;
        assert!(kept.contains(line) && !kept.contains(keep), "{kept}");
        let account = Account::of(aisle, NORTH, address).await?;
        let own = account.client(aisle).get("/carts/mine").expect(200).await?;
        assert_eq!(own.json().list("/line_items").len(), 1);
    }
    Ok(())
}
