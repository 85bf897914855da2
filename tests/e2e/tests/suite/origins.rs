//! Shops on other origins: what their pages may call, as a client sees it and in a browser.

use std::net::SocketAddr;

use aisle_e2e::browser::{Browser, Phone};
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{items, line};
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::browser::open;

const SHOP: &str = "https://www.shop.example:8443";
/// Origins that resemble it, and some that no list can name.
const OTHERS: [&str; 6] = [
    "https://evil.example",
    "https://www.shop.example",
    "http://www.shop.example:8443",
    "https://www.shop.example:8443.evil.example",
    "https://WWW.shop.example:8443",
    "null",
];
/// An id that nothing has.
const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

/// Lists origins of the brand North.
async fn list(aisle: &Environment, origins: &[&str]) -> Result<()> {
    let admin = aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    brand["allowed_origins"] = json!(origins);
    let listed = admin.put("/admin/brands/north").json(&brand);
    let listed = listed.expect(200).await?.json();
    assert_eq!(listed["allowed_origins"], json!(origins));
    aisle.drain_outbox().await
}

async fn preflight(client: &Client, path: &str, origin: &str, method: &str) -> Result<Answer> {
    let call = client.call(Method::OPTIONS, path).header("origin", origin);
    let call = call.header("access-control-request-method", method);
    call.header("access-control-request-headers", "content-type")
        .send()
        .await
}

fn allowed(answer: &Answer) -> &str {
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    answer.header("access-control-allow-origin")
}

/// Asks until a component has noticed the list, whose bound is a matter of its own.
async fn until_allowed(client: &Client, path: &str, origin: &str) -> Result<()> {
    /// Each is a round trip, so that this is a bound on patience, not on time.
    const REQUESTS: usize = 200_000;
    for _ in 0..REQUESTS {
        if allowed(&preflight(client, path, origin, "GET").await?) == origin {
            return Ok(());
        }
    }
    anyhow::bail!("{origin} is not allowed at {path}")
}

/// Paths of a shopper's, the methods that they have, and one that a page would ask for.
fn of_shoppers() -> Vec<(String, &'static str, &'static str)> {
    let one = |path: &str| path.replace("{id}", NOBODY);
    [
        ("/carts", "POST", "POST"),
        ("/carts/{id}", "GET, HEAD, PUT", "PUT"),
        ("/carts/{id}/cancel", "POST", "POST"),
        ("/checkout-sessions/{id}/complete", "POST", "POST"),
        ("/orders/{id}", "GET, HEAD", "GET"),
        ("/orders/{id}/presence", "POST, DELETE", "DELETE"),
        ("/holds", "POST", "POST"),
        ("/layaways/{id}/payments", "POST", "POST"),
        ("/transfers/quote", "POST", "POST"),
        ("/accounts/me", "GET, HEAD, PATCH, DELETE", "PATCH"),
        ("/sync", "GET, HEAD", "GET"),
        ("/invites/{id}", "GET, HEAD, DELETE", "DELETE"),
    ]
    .map(|(path, methods, wanted)| (one(path), methods, wanted))
    .into()
}

pub async fn pages_of_a_listed_origin_shop_here(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    list(&aisle, &[SHOP]).await?;
    let (north, harbor) = (aisle.north(), aisle.harbor());
    for (path, methods, wanted) in of_shoppers() {
        until_allowed(&north, &path, SHOP).await?;
        let answer = preflight(&north, &path, SHOP, wanted).await?;
        assert_eq!((answer.status.as_u16(), allowed(&answer)), (204, SHOP));
        let shown = answer.header("access-control-allow-methods");
        assert_eq!(shown, methods, "{path}");
        let headers = answer.header("access-control-allow-headers");
        for name in [
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "last-event-id",
            "ucp-agent",
        ] {
            assert!(headers.contains(name), "{path}: {headers}");
        }
        let max_age = answer.header("access-control-max-age").parse::<u32>()?;
        assert!(max_age > 0 && answer.body.is_empty(), "{answer:?}");
        assert_eq!(answer.header("vary"), "Origin");

        for other in OTHERS {
            let refused = preflight(&north, &path, other, wanted).await?;
            assert_eq!(
                (
                    refused.status.as_u16(),
                    allowed(&refused),
                    refused.header("access-control-allow-methods"),
                    refused.header("vary"),
                ),
                (204, "", "", "Origin"),
                "{path} from {other}"
            );
        }
        let elsewhere = preflight(&harbor, &path, SHOP, wanted).await?;
        assert_eq!(allowed(&elsewhere), "", "{path}: another brand's list");
        // Who asks for no page is answered as ever.
        let plain = north.call(Method::OPTIONS, &path).header("origin", SHOP);
        plain.expect(405).await?;
    }
    preflights_ask_no_database(&aisle).await?;
    what_is_answered_can_be_read(&aisle).await
}

/// Something else may be going on at one moment, but not at each.
async fn preflights_ask_no_database(aisle: &Environment) -> Result<()> {
    const ROUNDS: usize = 20;
    if !crate::harness::counts_sql() {
        return Ok(());
    }
    let north = aisle.north();
    for _ in 0..ROUNDS {
        let before = aisle.shopper_sql();
        for (path, _, wanted) in of_shoppers() {
            preflight(&north, &path, SHOP, wanted).await?;
        }
        if aisle.shopper_sql() == before {
            return Ok(());
        }
    }
    anyhow::bail!("preflights ask the database")
}

/// Answers of every kind say that the page may read them, and to no other page.
async fn what_is_answered_can_be_read(aisle: &Environment) -> Result<()> {
    let north = aisle.north();
    let wanted = &items(&north, 1).await?[0];
    let body = json!({"line_items": [line(&wanted.id, 1)]});
    let created = north.post("/carts").header("origin", SHOP).json(&body);
    let created = created.expect(201).await?;
    let cart = format!("/carts/{}", created.json().text("/id"));
    let call = |method: Method, path: &str| north.call(method, path).header("origin", SHOP);
    let answers = [
        created,
        call(Method::GET, &cart).expect(200).await?,
        call(Method::HEAD, &cart).expect(200).await?,
        call(Method::DELETE, &cart).expect(405).await?,
        call(Method::GET, "/carts/a/b/c").expect(404).await?,
        call(Method::GET, "/carts/%ff").expect(400).await?,
        call(Method::GET, &format!("/orders/{NOBODY}"))
            .expect(404)
            .await?,
        call(Method::GET, "/accounts/me").expect(401).await?,
        call(Method::POST, "/carts")
            .text("application/json", "{")
            .expect(400)
            .await?,
        call(Method::PUT, &cart)
            .header("if-match", "\"77\"")
            .json(&body)
            .expect(412)
            .await?,
    ];
    for answer in &answers {
        assert_eq!(allowed(answer), SHOP, "{answer:?}");
        assert_eq!(answer.header("vary"), "Origin", "{answer:?}");
        let exposed = answer.header("access-control-expose-headers");
        for name in ["etag", "location", "retry-after", "idempotent-replayed"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
    for other in OTHERS {
        let shown = north.get(&cart).header("origin", other).expect(200).await?;
        assert_eq!((allowed(&shown), shown.header("vary")), ("", "Origin"));
        assert_eq!(shown.header("access-control-expose-headers"), "");
    }
    let plain = north.get(&cart).expect(200).await?;
    assert_eq!((allowed(&plain), plain.header("vary")), ("", "Origin"));
    Ok(())
}

/// The same answer for pages of every origin, so that caches share it.
pub async fn what_everybody_may_read_every_page_may(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let north = aisle.north();
    let wanted = &items(&north, 1).await?[0];
    let product = json!({"id": wanted.id});
    let stock = format!("/stock/{}", wanted.sku);
    for origin in [None, Some(SHOP), Some("null")] {
        let call = |method: Method, path: &str| {
            let call = north.call(method, path);
            match origin {
                Some(origin) => call.header("origin", origin),
                None => call,
            }
        };
        let answers = [
            call(Method::GET, &stock).expect(200).await?,
            call(Method::GET, "/stock/no-such-sku").expect(404).await?,
            call(Method::GET, "/stock?gtin=1").expect(400).await?,
            call(Method::DELETE, &stock).expect(405).await?,
            call(Method::POST, "/catalog/product")
                .json(&product)
                .expect(200)
                .await?,
            call(Method::POST, "/locations/search")
                .json(&json!({"filters": {"items": [wanted.id]}}))
                .expect(200)
                .await?,
            call(Method::GET, "/.well-known/ucp").expect(200).await?,
        ];
        for answer in &answers {
            assert_eq!((allowed(answer), answer.header("vary")), ("*", ""));
        }
    }
    let known = north.get(&stock).expect(200).await?;
    let still = north.get(&stock).header("origin", SHOP);
    let still = still.header("if-none-match", known.header("etag"));
    assert_eq!(allowed(&still.expect(304).await?), "*");
    for (path, methods) in [
        (stock.as_str(), "GET, HEAD"),
        ("/catalog/search", "POST"),
        ("/locations/lookup", "POST"),
    ] {
        let answer = preflight(&north, path, SHOP, "POST").await?;
        assert_eq!((answer.status.as_u16(), allowed(&answer)), (204, "*"));
        let shown = answer.header("access-control-allow-methods");
        assert_eq!(shown, methods, "{path}");
    }
    Ok(())
}

/// Staff, machines and our own pages are called by no page of another origin.
pub async fn what_is_for_no_page_stays_closed(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    list(&aisle, &[SHOP]).await?;
    let north = aisle.north();
    until_allowed(&north, "/carts", SHOP).await?;
    for path in [
        "/admin/brands",
        "/admin/imports",
        "/relay/run",
        "/pos/arrivals",
        "/pos/sign-on",
        "/webhooks/sms/twilio/inbound",
        "/counts",
        "/messages/preview",
        "/holds/pull-list",
        "/holds/1/pulled",
        "/transfers/1/ship",
        "/transfers/housekeeping",
        "/checkout-sessions/recover",
        "/accounts/web/sessions",
        "/my/orders",
        "/i/00000000000000",
        "/healthz",
    ] {
        for method in [Method::OPTIONS, Method::GET, Method::POST] {
            let call = north.call(method.clone(), path).header("origin", SHOP);
            let call = call.header("access-control-request-method", "POST");
            let answer = call.send().await?;
            assert_eq!(allowed(&answer), "", "{method} {path}");
            let methods = answer.header("access-control-allow-methods");
            assert_eq!(methods, "", "{method} {path}");
            if method == Method::OPTIONS {
                assert!(answer.status.is_client_error(), "{path}: {answer:?}");
            }
        }
    }
    Ok(())
}

/// An answer for want of the database can be read too: the list is in the read model.
pub async fn that_the_database_is_away_can_be_read(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).through_lines().start().await?;
    let Some(lines) = &aisle.lines else {
        return Ok(());
    };
    list(&aisle, &[SHOP]).await?;
    let north = aisle.north();
    let order = format!("/orders/{NOBODY}");
    until_allowed(&north, &order, SHOP).await?;
    lines.postgres.cut();
    let refused = north.get(&order).header("origin", SHOP).expect(503).await?;
    assert_eq!(allowed(&refused), SHOP);
    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    lines.postgres.mend();
    Ok(())
}

pub async fn only_origins_are_listed(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let admin = aisle.admin();
    let brand = admin.get("/admin/brands/north").expect(200).await?.json();
    let put = async |origins: Value| -> Result<Answer> {
        let mut brand = brand.clone();
        brand["allowed_origins"] = origins;
        let put = admin.put("/admin/brands/north").json(&brand);
        put.send().await
    };
    for bad in [
        "*",
        "null",
        "shop.example",
        "https://shop.example/",
        "https://shop.example/path",
        "https://*.shop.example",
        "https://shop.example:443",
        "http://shop.example",
        "ftp://localhost",
        "https://ada@shop.example",
    ] {
        let refused = put(json!(["https://a.example", bad])).await?;
        assert_eq!(refused.status, 422, "{bad}: {refused:?}");
        assert_eq!(refused.json()["path"], "$.allowed_origins[1]", "{bad}");
    }
    let many = (0..51).map(|one| format!("https://{one}.example"));
    let refused = put(json!(many.collect::<Vec<_>>())).await?;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert_eq!(refused.json()["path"], "$.allowed_origins");
    let twice = put(json!(["https://a.example", "https://a.example"])).await?;
    assert_eq!(twice.status, 422, "{twice:?}");
    assert_eq!(put(json!("https://a.example")).await?.status, 400);
    let fine = put(json!(["https://a.example", "http://localhost:5173"])).await?;
    assert_eq!(fine.status, 200, "{fine:?}");
    Ok(())
}

/// A page of a real shop elsewhere, in a real browser, and the same of one that is not listed.
pub async fn a_shop_elsewhere_works_in_a_browser(pair: Pair) -> Result<()> {
    let Some(browser) = open("origins", pair).await? else {
        return Ok(());
    };
    let aisle = Setup::demo(pair).start().await?;
    let port = serve_page().await?.port();
    let shop = format!("http://shop.localhost:{port}");
    list(&aisle, &[&shop]).await?;
    let north = aisle.north();
    let wanted = &items(&north, 1).await?[0];
    until_allowed(&north, "/carts", &shop).await?;

    let said = visit(&browser, &shop, &north, &wanted.id, &wanted.sku).await?;
    assert_eq!(said["product"], wanted.title.as_str(), "{said:#}");
    assert_eq!(said["stock"], wanted.sku.as_str(), "{said:#}");
    assert_eq!(said["created"], 201, "{said:#}");
    assert_eq!(said["etag"], "\"1\"", "{said:#}");
    assert_eq!(said["again"], "true", "{said:#}");
    assert_eq!(said["updated"], 200, "{said:#}");
    assert_eq!(said["next_etag"], "\"2\"", "{said:#}");
    assert_eq!(said["unknown"], 404, "{said:#}");
    assert_eq!(said["with_cookies"], "refused", "{said:#}");

    let carts = "SELECT count(*) FROM cart";
    let before = aisle.database.number(carts).await?;
    let other = format!("http://other.localhost:{port}");
    let said = visit(&browser, &other, &north, &wanted.id, &wanted.sku).await?;
    assert_eq!(said["product"], wanted.title.as_str(), "{said:#}");
    assert_eq!(said["created"], "refused", "{said:#}");
    assert_eq!(said["unknown"], "refused", "{said:#}");
    assert_eq!(aisle.database.number(carts).await?, before);
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

/// What the page of `origin` has to say of the brand's API.
async fn visit(
    browser: &Browser,
    origin: &str,
    brand: &Client,
    item: &str,
    sku: &str,
) -> Result<Value> {
    let phone = Phone {
        locale: "en-US",
        script: true,
        dark: false,
    };
    let window = browser.phone(origin, phone).await?;
    let page = format!("{origin}/?api={}&item={item}&sku={sku}", brand.origin());
    let opened = window.open(&page).await?;
    ensure!(opened["status"] == 200, "{opened:#}");
    window.wait("#done").await?;
    let said = window.text("#done").await?;
    serde_json::from_str(&said).context(said)
}

/// Serves one page under whatever name it is asked, until the test ends.
async fn serve_page() -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // A page of no length to speak of is asked for in one packet.
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    PAGE.len()
                );
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(PAGE.as_bytes()).await;
            });
        }
    });
    Ok(address)
}

const PAGE: &str = r#"<!doctype html><html lang="en"><head><title>A shop elsewhere</title>
<link rel="icon" href="data:,"></head><body><script type="module">
const asked = new URLSearchParams(location.search);
const [api, item, sku] = ["api", "item", "sku"].map((name) => asked.get(name));
const said = {};
const call = (method, path, body, headers = {}, more = {}) => fetch(api + path, {
  method, body: body && JSON.stringify(body),
  headers: { ...(body && { "content-type": "application/json" }), ...headers }, ...more });
const tell = async (name, what) => { try { said[name] = await what(); } catch { said[name] = "refused"; } };
const lines = (quantity) => ({ line_items: [{ item: { id: item }, quantity }] });
await tell("product", async () => (await (await call("POST", "/catalog/product", { id: item })).json()).product.title);
await tell("stock", async () => (await (await call("GET", `/stock/${sku}`)).json()).sku);
const key = { "idempotency-key": `page-${Math.random()}`, "ucp-agent": 'profile="https://platform.example/profile"' };
let cart, etag;
await tell("created", async () => {
  const answer = await call("POST", "/carts", lines(1), key);
  cart = (await answer.json()).id;
  etag = said.etag = answer.headers.get("etag");
  return answer.status;
});
await tell("again", async () => (await call("POST", "/carts", lines(1), key)).headers.get("idempotent-replayed"));
await tell("updated", async () => {
  const answer = await call("PUT", `/carts/${cart}`, lines(2), { "if-match": etag });
  said.next_etag = answer.headers.get("etag");
  return answer.status;
});
await tell("unknown", async () => (await call("GET", "/orders/01890000-0000-7000-8000-000000000000")).status);
await tell("with_cookies", async () => (await call("GET", `/carts/${cart}`, undefined, {}, { credentials: "include" })).status);
document.body.insertAdjacentHTML("beforeend", '<pre id="done"></pre>');
document.getElementById("done").textContent = JSON.stringify(said);
</script></body></html>"#;
