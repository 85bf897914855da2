//! The shopper's pages in a real browser, on a phone: with and without script, in every
//! language, and as axe-core judges them.

use std::sync::atomic::{AtomicU32, Ordering};

use aisle_domain::instant::{parse_rfc3339, rfc3339};
use aisle_e2e::accounts::sign_in;
use aisle_e2e::browser::{self, Browser, Phone, Window};
use aisle_e2e::environment::NORTH;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::line;
use aisle_e2e::staff::SignedOn;
use aisle_e2e::{Environment, Pair};
use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::json;

use crate::harness::skip;
use crate::invites::link_code;
use crate::transfers::scene::{BERLIN, HAMBURG, Scene, take};

const EARLIER_MS: i64 = 24 * 3_600_000;
/// In which each page is looked at, and whether it is dark.
const LOOKS: [(&str, bool); 4] = [("en", false), ("es", false), ("de", false), ("en", true)];
const ENGLISH: Phone<'_> = Phone {
    locale: "en-US",
    script: true,
    dark: false,
};

/// A browser, or nothing, after saying why, where the machine has none.
pub async fn open(name: &str, pair: Pair) -> Result<Option<Browser>> {
    if let Some(reason) = tokio::task::block_in_place(browser::missing) {
        skip("pages in a browser", reason);
        return Ok(None);
    }
    Browser::start(&format!("{name}-{pair:?}").to_lowercase())
        .await
        .map(Some)
}

/// A link to an order or a cart, as it is texted to a number that gets no other.
async fn link(aisle: &Environment, scope: &str, id: &str) -> Result<Link> {
    static NUMBERS: AtomicU32 = AtomicU32::new(0);
    let number = 100 + NUMBERS.fetch_add(1, Ordering::Relaxed);
    let wanted = json!({
        "scope": scope, "id": id, "address": format!("+4915112345{number}"),
        "consent": {"wording_version": "2026-11", "purpose": "invite"},
    });
    let shopper = aisle.north();
    let invite = shopper.post("/invites").json(&wanted);
    let invite = invite.expect(201).await?.json().text("/id").to_owned();
    let path = format!("/i/{}", link_code(aisle, &invite).await?);
    Ok(Link { invite, path })
}

struct Link {
    invite: String,
    path: String,
}

/// Opens the link, which leads to this page.
async fn follow(window: &Window<'_>, aisle: &Environment, link: &Link, page: &str) -> Result<()> {
    let origin = aisle.north().origin();
    let opened = window.open(&format!("{origin}{}", link.path)).await?;
    ensure!(
        opened["status"] == 200 && opened["url"] == format!("{origin}{page}"),
        "{opened:#}"
    );
    Ok(())
}

async fn clerk(scene: &Scene, code: &str) -> Result<SignedOn> {
    let scopes = "pos stock transfer";
    scene.aisle.staff(NORTH, scene.id(code), scopes).await
}

async fn ready(scene: &Scene, order: &str) -> Result<()> {
    let clerk = clerk(scene, BERLIN).await?.client;
    let path = format!("/holds/pickups/{order}/ready");
    clerk.post(&path).json(&json!({})).expect(200).await?;
    Ok(())
}

/// The shopper opens the link, with and without script, says that they are here, and the
/// store sees it.
pub async fn the_texted_link_opens_the_order_with_and_without_script(pair: Pair) -> Result<()> {
    let Some(browser) = open("link", pair).await? else {
        return Ok(());
    };
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    for script in [false, true] {
        let order = scene.order(1, BERLIN).await?;
        let link = link(&scene.aisle, "order", &order).await?;
        let page = format!("/my/orders/{order}");
        let name = if script { "script" } else { "plain" };
        let phone = browser.phone(name, Phone { script, ..ENGLISH }).await?;
        follow(&phone, &scene.aisle, &link, &page).await?;
        let headline = phone.text("h1").await?;
        assert_eq!(headline, "Being prepared at Northfell Berlin");
        assert!(phone.text("main").await?.contains(&scene.item.title));

        phone.click("#consent").await?;
        phone.click("#i-am-here").await?;
        phone.wait("#notice").await?;
        assert_eq!(phone.text("#notice").await?, "The store has been told.");
        let board = clerk(&scene, BERLIN).await?.client;
        let board = board.get("/pos/arrivals").expect(200).await?.json();
        let arrivals = board.list("/arrivals").iter();
        let here = arrivals.filter(|one| one["order_id"] == order);
        assert_eq!(here.count(), 1, "{board:#}");
        phone.picture(&format!("{name}-here")).await?;

        ready(&scene, &order).await?;
        match script {
            true => phone.wait("#pass").await?,
            false => follow(&phone, &scene.aisle, &link, &page).await?,
        }
        phone.click("#renew-button").await?;
        phone.wait(".qr svg").await?;
        phone.picture(&format!("{name}-pass")).await?;
        phone.click("a[href$='/pass']").await?;
        phone.wait(".large .qr svg").await?;
        phone.picture(&format!("{name}-pass-large")).await?;
        phone.must_be_calm(name).await?;
    }
    assert_eq!(scene.aisle.traps(), 0);
    Ok(())
}

/// The transfer is early: the page that is open says so by itself.
pub async fn the_page_follows_a_promise_that_moves(pair: Pair) -> Result<()> {
    let Some(browser) = open("moves", pair).await? else {
        return Ok(());
    };
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let order = scene.order(2, HAMBURG).await?;
    let link = link(&scene.aisle, "order", &order).await?;
    let phone = browser.phone("live", ENGLISH).await?;
    follow(&phone, &scene.aisle, &link, &format!("/my/orders/{order}")).await?;
    assert_eq!(phone.text("h1").await?, "On its way to Northfell Hamburg");
    let promised = phone.text(".lead").await?;
    phone.picture("promised").await?;

    let (transfer, _) = scene.transfers_of(&order).await?.remove(0);
    let sender = clerk(&scene, BERLIN).await?;
    take(&sender, &transfer, "pick", json!({})).await?;
    let shipped = take(&sender, &transfer, "ship", json!({})).await?;
    let arrives = parse_rfc3339(shipped.text("/eta/arrives_at")).context("an instant")?;
    let early = json!({"type": "arriving", "expected_at": rfc3339(arrives - EARLIER_MS)});
    let path = format!("/transfers/{transfer}/events");
    scene
        .aisle
        .admin()
        .post(&path)
        .json(&early)
        .expect(200)
        .await?;
    phone.wait(".moved:not(.late)").await?;
    let moved = phone.text(".lead").await?;
    assert!(
        moved.starts_with("Now ") && moved.ends_with("earlier than promised."),
        "{moved}"
    );
    assert_ne!(moved, promised);
    assert!(phone.text("#live").await?.contains("earlier than promised"));
    phone.picture("earlier").await?;

    let late = json!({"type": "delayed", "expected_at": rfc3339(arrives + EARLIER_MS)});
    scene
        .aisle
        .admin()
        .post(&path)
        .json(&late)
        .expect(200)
        .await?;
    phone.wait(".moved.late").await?;
    phone.picture("later").await?;
    phone.must_be_fit("a promise that moved").await?;
    Ok(())
}

/// Each state of the page in each language, and dark.
pub async fn every_state_is_fit_for_everybody(pair: Pair) -> Result<()> {
    let Some(browser) = open("states", pair).await? else {
        return Ok(());
    };
    let scene = Scene::with(pair, &[(BERLIN, 9)]).await?;
    with_app(&scene.aisle).await?;
    let stages = Stages::of(&scene).await?;
    until_app_shows(&scene, stages.order("ready")?).await?;
    let mut links = Vec::new();
    for (_, order) in &stages.0 {
        links.push(link(&scene.aisle, "order", order).await?);
    }
    unreachable(&scene, &stages).await?;
    for look in LOOKS {
        let (name, phone) = looking(&browser, look, "").await?;
        for ((stage, order), link) in stages.0.iter().zip(&links) {
            follow(&phone, &scene.aisle, link, &format!("/my/orders/{order}")).await?;
            ensure!(phone.count("#keep").await? == 1, "{stage}: to be kept");
            ensure!(phone.count("#open-in-app").await? == 1, "{stage}: the app");
            let unreachable = i64::from(*stage == "preparing");
            ensure!(phone.count(".alarm").await? == unreachable, "{stage}");
            phone.unfold().await?;
            phone.picture(&format!("{name}-{stage}")).await?;
            phone.must_be_fit(&format!("{name} {stage}")).await?;
        }
        let origin = scene.aisle.north().origin();
        for (page, path) in [
            ("sign-in", "/my/sign-in"),
            ("code", "/my/sign-in?challenge=1&error=wrong_code"),
            ("code-over", "/my/sign-in?challenge=1&error=code_over"),
        ] {
            phone.open(&format!("{origin}{path}")).await?;
            phone.picture(&format!("{name}-{page}")).await?;
            phone.must_be_fit(&format!("{name} {page}")).await?;
        }
    }
    assert_eq!(scene.aisle.traps(), 0);
    Ok(())
}

/// The brand has an app.
async fn with_app(aisle: &Environment) -> Result<()> {
    let admin = aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    brand["app"] = json!({
        "apple": {"app_ids": ["ABCDE12345.com.example.shop"], "store_id": "123456789"},
    });
    let changed = admin.put("/admin/brands/north").json(&brand);
    changed.expect(200).await?;
    aisle.drain_outbox().await
}

/// Asks until the pages have noticed the app, whose bound is a matter of its own.
async fn until_app_shows(scene: &Scene, order: &str) -> Result<()> {
    /// Each is a round trip, so that this is a bound on patience, not on time.
    const REQUESTS: usize = 200_000;
    let page = format!("/my/orders/{order}");
    for _ in 0..REQUESTS {
        let shown = scene.shopper.get(&page).expect(200).await?;
        if shown.text().contains("apple-itunes-app") {
            return Ok(());
        }
    }
    anyhow::bail!("the page does not offer the app")
}

/// As if no news of the order that is being prepared had come through.
async fn unreachable(scene: &Scene, stages: &Stages) -> Result<()> {
    scene.aisle.send_messages().await?;
    let order = stages.order("preparing")?;
    let failed = format!(
        "UPDATE message SET status = 'failed' WHERE order_id = '{order}' AND channel = 'email'"
    );
    scene.aisle.database.rows(&failed).await.map(drop)
}

/// Where a link asks first, and where it leads nowhere.
pub async fn what_a_link_says_is_fit_for_everybody(pair: Pair) -> Result<()> {
    let Some(browser) = open("links", pair).await? else {
        return Ok(());
    };
    let scene = Scene::with(pair, &[(BERLIN, 9)]).await?;
    let aisle = &scene.aisle;
    let origin = aisle.north().origin();
    let ada = sign_in(aisle, NORTH, "ada@example.com").await?;
    let eve = sign_in(aisle, NORTH, "eve@example.com").await?;
    let order = scene.order(1, BERLIN).await?;
    let [asked, used, revoked] = [
        link(aisle, "order", &order).await?,
        link(aisle, "order", &scene.order(1, BERLIN).await?).await?,
        link(aisle, "order", &order).await?,
    ];
    let cart = link(aisle, "cart", &scene.cart(2).await?).await?;
    let claim = used.path.replace("/i/", "/invites/") + "/claim";
    eve.client.post(&claim).expect(200).await?;
    let revoke = format!("/invites/{}", revoked.invite);
    let shopper = aisle.north();
    let revoke = shopper.call(Method::DELETE, &revoke);
    revoke.expect(204).await?;
    let ask = format!("{}/claim", asked.path);
    let ask_cart = format!("{}/claim", cart.path);
    for look in LOOKS {
        let (name, phone) = looking(&browser, look, "").await?;
        follow(&phone, aisle, &cart, "/my/cart").await?;
        ensure!(
            phone.count("#keep").await? == 1,
            "{name}: a cart to be kept"
        );
        phone.picture(&format!("{name}-cart")).await?;
        phone.must_be_fit(&format!("{name} cart")).await?;
        phone
            .cookie(&origin, "aisle_session", &ada.access_token)
            .await?;
        for (page, path, status) in [
            ("claim", ask.as_str(), 200),
            ("claim-cart", &ask_cart, 200),
            ("used", &used.path, 410),
            ("revoked", &revoked.path, 410),
            ("unknown", "/i/00000000000000", 404),
        ] {
            let opened = phone.open(&format!("{origin}{path}")).await?;
            ensure!(opened["status"] == status, "{page}: {opened:#}");
            phone.picture(&format!("{name}-{page}")).await?;
            phone.must_be_fit(&format!("{name} {page}")).await?;
        }
    }
    // The question is answered.
    let (name, phone) = looking(&browser, LOOKS[0], "-keeps").await?;
    let token = &ada.access_token;
    phone.cookie(&origin, "aisle_session", token).await?;
    follow(&phone, aisle, &asked, &format!("/my/orders/{order}")).await?;
    phone.click("#keep").await?;
    phone.click("form button").await?;
    phone.wait("#items-title").await?;
    ensure!(phone.count("#keep").await? == 0, "{name}: it is kept");
    let own = ada.client.get("/accounts/me/orders").expect(200).await?;
    assert_eq!(own.json().text("/orders/0/id"), order);

    aisle.database.set_clock_forward_ms(4 * EARLIER_MS).await?;
    for look in LOOKS {
        let (name, phone) = looking(&browser, look, "-later").await?;
        let opened = phone.open(&format!("{origin}{}", cart.path)).await?;
        ensure!(opened["status"] == 410, "{opened:#}");
        phone.picture(&format!("{name}-expired")).await?;
        phone.must_be_fit(&format!("{name} expired")).await?;
    }
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

async fn looking<'a>(
    browser: &'a Browser,
    (locale, dark): (&str, bool),
    whose: &str,
) -> Result<(String, Window<'a>)> {
    let name = format!("{locale}{}{whose}", if dark { "-dark" } else { "" });
    let phone = Phone {
        locale,
        script: true,
        dark,
    };
    let phone = browser.phone(&name, phone).await?;
    Ok((name, phone))
}

/// What somebody sees who is signed in, with orders and a cart and without, and the pass as
/// large as it is held out.
pub async fn what_an_account_has_is_fit_for_everybody(pair: Pair) -> Result<()> {
    let Some(browser) = open("account", pair).await? else {
        return Ok(());
    };
    let scene = Scene::with(pair, &[(BERLIN, 9)]).await?;
    let aisle = &scene.aisle;
    let stages = Stages::of(&scene).await?;
    let ada = sign_in(aisle, NORTH, "ada@example.com").await?;
    for (_, order) in &stages.0 {
        let attach = json!({"order_id": order});
        let attached = ada.client.post("/accounts/me/orders").json(&attach);
        attached.expect(200).await?;
    }
    let wanted = json!({"line_items": [line(&scene.item.id, 2)]});
    ada.client.post("/carts").json(&wanted).expect(201).await?;
    let newcomer = sign_in(aisle, NORTH, "new@example.com").await?;
    let pass = format!("/my/orders/{}/pass", stages.order("ready")?);
    let history = format!("/my/orders/{}/history", stages.order("collected")?);
    let everything = [
        ("list", "/my/orders"),
        ("cart", "/my/cart"),
        ("pass", pass.as_str()),
        ("history", &history),
    ];
    let origin = aisle.north().origin();
    for look in LOOKS {
        for (whose, device, pages) in [
            ("-ada", &ada, &everything[..]),
            ("-new", &newcomer, &everything[..2]),
        ] {
            let (name, phone) = looking(&browser, look, whose).await?;
            let token = &device.access_token;
            phone.cookie(&origin, "aisle_session", token).await?;
            for (page, path) in pages {
                let opened = phone.open(&format!("{origin}{path}")).await?;
                ensure!(
                    opened["status"] == 200 && opened["url"] == format!("{origin}{path}"),
                    "{opened:#}"
                );
                phone.picture(&format!("{name}-{page}")).await?;
                phone.must_be_fit(&format!("{name} {page}")).await?;
            }
        }
    }
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

/// An order in each state that its page can show.
struct Stages(Vec<(&'static str, String)>);

impl Stages {
    fn order(&self, stage: &str) -> Result<&str> {
        let found = self.0.iter().find(|(name, _)| *name == stage);
        Ok(found.context("no such stage")?.1.as_str())
    }

    async fn of(scene: &Scene) -> Result<Self> {
        let awaiting = scene.order(1, HAMBURG).await?;
        let preparing = scene.order(1, BERLIN).await?;
        let [lying, collected, cancelled] = [
            scene.order(1, BERLIN).await?,
            scene.order(2, BERLIN).await?,
            scene.order(1, BERLIN).await?,
        ];
        for order in [&lying, &collected] {
            ready(scene, order).await?;
        }
        let pass = async |order: &str| -> Result<serde_json::Value> {
            let path = format!("/orders/{order}/pass");
            Ok(scene.shopper.post(&path).expect(201).await?.json())
        };
        pass(&lying).await?;
        let token = json!({"pass": pass(&collected).await?["token"]});
        let till = clerk(scene, BERLIN).await?.client;
        till.post(&format!("/pos/orders/{collected}/hand-over"))
            .json(&token)
            .expect(201)
            .await?;
        scene
            .shopper
            .post(&format!("/orders/{cancelled}/cancel"))
            .expect(200)
            .await?;
        Ok(Self(vec![
            ("awaiting", awaiting),
            ("preparing", preparing),
            ("ready", lying),
            ("collected", collected),
            ("cancelled", cancelled),
        ]))
    }
}
