//! Who may see and change an order.

use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::{Client, Pair};
use anyhow::Result;
use http::Method;
use serde_json::json;

use super::{NOBODY, account, attach, bearer, link, refused};
use crate::transfers::scene::{BERLIN, Scene};

/// Everything that can be asked of an order, with a body where one is needed.
fn everything(order_id: &str) -> Vec<(Method, String, serde_json::Value)> {
    let presence = json!({"state": "arrived", "signal": "declared", "consent": {"version": "1"}});
    let news = json!({"contacts": [{"channel": "sms", "active": false}]});
    let back = json!({"line_items": [{"id": "x", "quantity": 1}], "reason": "changed_mind"});
    let below = |method: Method, what: &str, body: serde_json::Value| {
        (method, format!("/orders/{order_id}{what}"), body)
    };
    vec![
        below(Method::GET, "", json!(null)),
        below(Method::GET, "/timeline", json!(null)),
        below(Method::POST, "/pass", json!({})),
        below(Method::POST, "/presence", presence),
        below(Method::DELETE, "/presence", json!(null)),
        below(Method::POST, "/cancel", json!({})),
        below(Method::PUT, "/pickup-person", json!({"name": "Eve"})),
        below(Method::POST, "/returns", back),
        below(Method::GET, "/notifications", json!(null)),
        below(Method::PUT, "/notifications", news),
        below(Method::GET, &format!("/pass/{NOBODY}/qr.svg"), json!(null)),
    ]
}

/// The status of each answer.
async fn statuses(client: &Client, order_id: &str) -> Result<Vec<(String, u16)>> {
    let mut all = Vec::new();
    for (method, path, body) in everything(order_id) {
        let call = client.call(method.clone(), &path);
        let call = if body.is_null() {
            call
        } else {
            call.json(&body)
        };
        let answer = call.send().await?;
        all.push((format!("{method} {path}"), answer.status.as_u16()));
    }
    Ok(all)
}

pub async fn an_order_of_an_account_is_its_own(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5)]).await?;
    let order = scene.order(1, BERLIN).await?;
    let (owner, token) = account(&scene.aisle, "north").await?;
    let (_, other) = account(&scene.aisle, "north").await?;
    let (_, of_harbor) = account(&scene.aisle, "harbor").await?;
    attach(&scene.aisle, &order, &owner).await?;
    scene.aisle.send_messages().await?;
    let before = scene.snapshot().await?;

    for (client, status) in [
        (scene.aisle.north(), 401),
        (bearer(&scene.aisle, NORTH, &other), 404),
        (bearer(&scene.aisle, NORTH, &of_harbor), 403),
        (bearer(&scene.aisle, NORTH, "acc_nobody"), 401),
        (bearer(&scene.aisle, NORTH, "lnk_nobody"), 401),
        (bearer(&scene.aisle, HARBOR, &of_harbor), 404),
    ] {
        for (what, answered) in statuses(&client, &order).await? {
            // There is no such pass to begin with.
            if !what.ends_with("qr.svg") || answered != 404 {
                assert_eq!(answered, status, "{what}");
            }
        }
    }
    assert_eq!(scene.snapshot().await?, before, "nothing was changed");

    let own = bearer(&scene.aisle, NORTH, &token);
    own.get(&format!("/orders/{order}")).expect(200).await?;
    own.get(&format!("/orders/{order}/timeline"))
        .expect(200)
        .await?;
    let person = json!({"name": "Grace"});
    own.put(&format!("/orders/{order}/pickup-person"))
        .json(&person)
        .expect(200)
        .await?;
    let page = own.get(&format!("/my/orders/{order}")).expect(200).await?;
    assert!(
        page.text().contains("lang=\"de\""),
        "the account's language"
    );
    let list = own.get("/my/orders").expect(200).await?;
    assert!(list.text().contains(&order), "{list:?}");
    scene.aisle.database.check_invariants().await
}

pub async fn a_link_opens_its_order_and_nothing_else(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5)]).await?;
    let (mine, another) = (scene.order(1, BERLIN).await?, scene.order(1, BERLIN).await?);
    let (owner, _) = account(&scene.aisle, "north").await?;
    attach(&scene.aisle, &mine, &owner).await?;
    let code = link(&scene.aisle, &mine, "es").await?;

    let holder = bearer(&scene.aisle, NORTH, &format!("lnk_{code}"));
    holder.get(&format!("/orders/{mine}")).expect(200).await?;
    let page = format!("/my/orders/{mine}");
    let browser = scene
        .aisle
        .north()
        .with_header("cookie", &format!("aisle_link={code}"));
    let shown = browser.get(&page).expect(200).await?;
    assert!(shown.text().contains("lang=\"es\""), "the link's language");
    for (asked, shown) in [
        ("de-DE, en;q=0.8", "de"),
        ("fr, en;q=0.5", "en"),
        ("fr", "es"),
    ] {
        let call = browser.get(&page).header("accept-language", asked);
        let language = format!("lang=\"{shown}\"");
        assert!(
            call.expect(200).await?.text().contains(&language),
            "{asked}"
        );
    }
    let answer = holder.get(&format!("/orders/{another}")).send().await?;
    assert_eq!(answer.status, 404, "{answer:?}");
    let list = browser.get("/my/orders").expect(303).await?;
    assert_eq!(list.header("location"), page);

    let foreign = bearer(&scene.aisle, HARBOR, &format!("lnk_{code}"));
    let answer = foreign.get(&format!("/orders/{mine}")).send().await?;
    assert_eq!(answer.status, 403, "{answer:?}");

    let expire = "UPDATE invite SET expires_at_ms = 1";
    scene.aisle.database.rows(expire).await?;
    // Another instance, or this one two seconds later: it is over at the next look.
    let late = link(&scene.aisle, &mine, "es").await?;
    scene.aisle.database.rows(expire).await?;
    let late = bearer(&scene.aisle, NORTH, &format!("lnk_{late}"));
    refused(
        &late
            .get(&format!("/orders/{mine}/notifications"))
            .send()
            .await?,
        401,
        "unauthorized",
    );
    Ok(())
}

pub async fn the_page_sends_strangers_to_sign_in(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 5)]).await?;
    let order = scene.order(1, BERLIN).await?;
    let (owner, _) = account(&scene.aisle, "north").await?;
    attach(&scene.aisle, &order, &owner).await?;
    let page = format!("/my/orders/{order}");
    let stranger = scene.aisle.north();
    for path in [page.as_str(), "/my/orders", "/my/cart"] {
        let answer = stranger.get(path).expect(303).await?;
        let to = format!("/accounts/web/refresh?return_to={path}");
        assert_eq!(answer.header("location"), to);
    }
    let form = stranger
        .get(&format!("/my/sign-in?return_to={page}"))
        .expect(200)
        .await?;
    assert!(form.text().contains(&format!("value=\"{page}\"")));
    for evil in ["https://evil.example", "//evil.example", "/%5Cevil.example"] {
        let path = format!("/my/sign-in?return_to={evil}");
        let form = stranger.get(&path).expect(200).await?;
        assert!(!form.text().contains("evil"), "{evil}");
    }
    let missing = stranger
        .get(&format!("/my/orders/{NOBODY}"))
        .header("accept-language", "de")
        .expect(404)
        .await?;
    assert_eq!(missing.header("content-type"), "text/html; charset=utf-8");
    assert!(missing.text().contains("Hier ist nichts"));
    let foreign = scene.aisle.harbor();
    foreign.get(&page).expect(404).await?;
    Ok(())
}
