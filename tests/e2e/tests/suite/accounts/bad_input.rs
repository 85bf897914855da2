//! What makes no sense is refused with its place, and changes nothing.

use aisle_e2e::accounts::sign_in;
use aisle_e2e::database::difference;
use aisle_e2e::environment::NORTH;
use aisle_e2e::{Client, Pair, Setup};
use anyhow::Result;
use http::Method;
use serde_json::{Value, json};

use super::ADA;

const NEVER: &str = "0190a8c0-0000-7000-8000-000000000000";

/// Method, path, body, status, and where it is wrong.
fn refused_bodies() -> Vec<(Method, &'static str, Value, u16, &'static str)> {
    let code = "/accounts/codes";
    let sessions = "/accounts/sessions";
    let sign_in = |change: (&str, Value)| {
        let mut body = json!({"challenge_id": NEVER, "code": "123456", "device_name": "Any"});
        body[change.0] = change.1;
        body
    };
    let long = "x".repeat(101);
    vec![
        (Method::POST, code, json!({}), 400, "$"),
        (
            Method::POST,
            code,
            json!({"channel": "fax", "address": ADA}),
            400,
            "$.channel",
        ),
        (
            Method::POST,
            code,
            json!({"channel": "email", "address": 7}),
            400,
            "$.address",
        ),
        (
            Method::POST,
            code,
            json!({"channel": "email", "address": "ada"}),
            422,
            "$.address",
        ),
        (
            Method::POST,
            code,
            json!({"channel": "email", "address": "ada@example.com\r\nbcc: e@x.de"}),
            422,
            "$.address",
        ),
        (
            Method::POST,
            code,
            json!({"channel": "sms", "address": "12"}),
            422,
            "$.address",
        ),
        (
            Method::POST,
            code,
            json!({"channel": "sms", "address": "+999123456789"}),
            422,
            "$.address",
        ),
        (
            Method::POST,
            code,
            json!({"channel": "sms", "address": "+499001234567"}),
            422,
            "$.address",
        ),
        (
            Method::POST,
            code,
            json!({"channel": "sms", "address": "+19005550123"}),
            422,
            "$.address",
        ),
        (
            Method::POST,
            code,
            json!({"channel": "email", "address": ADA, "locale": "no tag"}),
            422,
            "$.locale",
        ),
        (
            Method::POST,
            code,
            json!({"channel": "email", "address": ADA, "more": 1}),
            400,
            "$.more",
        ),
        (
            Method::POST,
            sessions,
            sign_in(("device_name", json!(""))),
            422,
            "$.device_name",
        ),
        (
            Method::POST,
            sessions,
            sign_in(("device_name", json!(long))),
            422,
            "$.device_name",
        ),
        (
            Method::POST,
            sessions,
            sign_in(("name", json!("a\u{7}b"))),
            422,
            "$.name",
        ),
        (
            Method::POST,
            sessions,
            sign_in(("locale", json!("\u{e9}"))),
            422,
            "$.locale",
        ),
        (
            Method::POST,
            sessions,
            sign_in(("order_id", json!("' OR 1=1 --"))),
            422,
            "$.order_id",
        ),
        (
            Method::POST,
            sessions,
            sign_in(("checkout_session_id", json!("x"))),
            422,
            "$.checkout_session_id",
        ),
        (
            Method::POST,
            sessions,
            sign_in(("code", json!(123456))),
            400,
            "$.code",
        ),
        (
            Method::PATCH,
            "/accounts/me",
            json!({"name": ""}),
            422,
            "$.name",
        ),
        (
            Method::PATCH,
            "/accounts/me",
            json!({"name": ["Ada"]}),
            400,
            "$.name",
        ),
        (
            Method::PATCH,
            "/accounts/me",
            json!({"email": ADA}),
            400,
            "$.email",
        ),
        (
            Method::POST,
            "/accounts/me/orders",
            json!({"order_id": NEVER}),
            404,
            "$.order_id",
        ),
        (
            Method::POST,
            "/accounts/me/orders",
            json!({"order_id": "x"}),
            404,
            "$.order_id",
        ),
        (
            Method::GET,
            "/accounts/me/orders?limit=0",
            Value::Null,
            400,
            "limit",
        ),
        (
            Method::GET,
            "/accounts/me/orders?limit=x",
            Value::Null,
            400,
            "limit",
        ),
        (
            Method::GET,
            "/accounts/me/orders?cursor=x",
            Value::Null,
            400,
            "cursor",
        ),
    ]
}

pub async fn requests_that_make_no_sense_change_nothing(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let ada = sign_in(&aisle, NORTH, ADA).await?;
    let before = aisle.database.snapshot().await?;
    for (method, path, body, status, place) in refused_bodies() {
        let call = ada.client.call(method.clone(), path);
        let call = if body.is_null() {
            call
        } else {
            call.json(&body)
        };
        let answer = call.send().await?;
        let what = format!("{method} {path} {body}: {answer:?}");
        assert_eq!(answer.status, status, "{what}");
        assert_eq!(answer.json()["path"], place, "{what}");
    }
    let anybody = Client::new(aisle.addr(), NORTH);
    for path in [
        "/accounts/me",
        "/accounts/me/orders",
        "/accounts/me/sessions",
        "/accounts/me/export",
    ] {
        anybody.get(path).expect(401).await?;
    }
    for token in ["acc_", "acc_0000", "rfr_0000"] {
        let unknown = Client::new(aisle.addr(), NORTH)
            .with_header("authorization", &format!("Bearer {token}"));
        unknown.get("/accounts/me").expect(401).await?;
        let body = json!({"refresh_token": token});
        unknown
            .post("/accounts/sessions/refresh")
            .json(&body)
            .expect(401)
            .await?;
    }
    anybody.post("/accounts/housekeeping").expect(401).await?;
    anybody.get("/accounts/codes").expect(405).await?;
    anybody.get("/accounts/nothing").expect(404).await?;
    let after = aisle.database.snapshot().await?;
    assert!(
        difference(&before, &after).is_empty(),
        "{:#?}",
        difference(&before, &after)
    );
    Ok(())
}
