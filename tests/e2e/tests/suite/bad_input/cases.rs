//! The table of bad input, by what is wrong with it.

use http::Method;
use serde_json::{Value, json};

use super::Shop;
use super::case::{Body, Case, case, get, post, put};

/// A well-formed id that nothing has.
const NOBODY: &str = "0190b3f4-5c6d-7e8f-9a0b-1c2d3e4f5a6b";
const MEBIBYTE: usize = 1 << 20;

/// Every route that takes JSON.
fn json_routes(shop: &Shop) -> Vec<(Method, String)> {
    let mut routes = vec![
        (Method::POST, "/catalog/search".into()),
        (Method::POST, "/catalog/lookup".into()),
        (Method::POST, "/catalog/product".into()),
        (Method::POST, "/locations/search".into()),
        (Method::POST, "/locations/lookup".into()),
        (Method::PUT, "/admin/brands/south".into()),
        (Method::PUT, "/admin/locations/s1".into()),
    ];
    routes.extend(basket_routes(shop));
    routes.push((
        Method::POST,
        format!("/checkout-sessions/{}/complete", shop.checkout_id),
    ));
    routes
}

/// Every route that takes line items.
fn basket_routes(shop: &Shop) -> [(Method, String); 4] {
    [
        (Method::POST, "/carts".into()),
        (Method::PUT, format!("/carts/{}", shop.cart_id)),
        (Method::POST, "/checkout-sessions".into()),
        (
            Method::PUT,
            format!("/checkout-sessions/{}", shop.checkout_id),
        ),
    ]
}

/// A case on every route that takes line items.
fn on_baskets(shop: &Shop, what: &'static str, body: Value) -> impl Iterator<Item = Case> {
    basket_routes(shop)
        .into_iter()
        .map(move |(method, path)| case(what, method, path, Body::Json(body.clone())))
}

pub fn malformed_json(shop: &Shop) -> Vec<Case> {
    let texts = [
        ("a broken document", r#"{"line_items": ["#.to_owned()),
        ("no document", String::new()),
        ("no JSON", "line_items=1".to_owned()),
        ("two documents", "{} {}".to_owned()),
        (
            "not UTF-8 inside",
            "{\"query\": \"\u{0}\"}".replace('\u{0}', "\\ud800"),
        ),
        (
            "nested too deeply",
            format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
        ),
    ];
    let mut cases = Vec::new();
    for (method, path) in json_routes(shop) {
        for (what, text) in &texts {
            let body = Body::Text("application/json", text.clone());
            cases.push(for_route(case(what, method.clone(), path.clone(), body)));
        }
        let form = Body::Text("application/x-www-form-urlencoded", "query=shirt".into());
        cases.push(for_route(case("another content type", method, path, form)).status(&[415]));
    }
    cases
}

/// Admin routes get the key, so that the body is what is wrong.
fn for_route(case: Case) -> Case {
    if case.path.starts_with("/admin") {
        case.with_admin_key()
    } else {
        case
    }
}

pub fn wrong_types(shop: &Shop) -> Vec<Case> {
    let mut cases = vec![
        post("a number as query", "/catalog/search", json!({"query": 7})).names("$.query"),
        post("no query, no filters", "/catalog/search", json!({})),
        post(
            "a text as price",
            "/catalog/search",
            json!({"filters": {"price": {"max": "cheap"}}}),
        )
        .names("$.filters.price.max"),
        post(
            "a negative price",
            "/catalog/search",
            json!({"filters": {"price": {"min": -1}}}),
        )
        .names("$.filters.price.min"),
        post(
            "a text as page size",
            "/catalog/search",
            json!({"query": "*", "pagination": {"limit": "ten"}}),
        )
        .names("$.pagination.limit"),
        post(
            "a page of nothing",
            "/catalog/search",
            json!({"query": "*", "pagination": {"limit": 0}}),
        )
        .names("$.pagination.limit"),
        post("a text as ids", "/catalog/lookup", json!({"ids": "x"})).names("$.ids"),
        post(
            "a number among ids",
            "/catalog/lookup",
            json!({"ids": ["x", 1]}),
        )
        .names("$.ids[1]"),
        post("no ids", "/catalog/lookup", json!({"ids": []})).names("$.ids"),
        post("a list as id", "/catalog/product", json!({"id": []})).names("$.id"),
        post(
            "a text as selection",
            "/catalog/product",
            json!({"id": shop.item.id, "selected": "red"}),
        )
        .names("$.selected"),
        post(
            "a text as distance",
            "/locations/search",
            json!({"distance": {"center": {"latitude": 1, "longitude": 2}, "max": "far"}}),
        )
        .names("$.distance.max"),
        post(
            "no instant",
            "/locations/search",
            json!({"filters": {"hours": {"open_at": "tomorrow"}}}),
        )
        .names("$.filters.hours.open_at"),
        post("a text as ids", "/locations/lookup", json!({"ids": "x"})).names("$.ids"),
        post("a list as document", "/catalog/search", json!([])),
    ];
    let whole =
        |what, body: Value, names| on_baskets(shop, what, body).map(move |case| case.names(names));
    cases.extend(whole(
        "an object as lines",
        json!({"line_items": {}}),
        "$.line_items",
    ));
    cases.extend(whole(
        "a text as line",
        json!({"line_items": ["x"]}),
        "$.line_items[0]",
    ));
    cases.extend(whole(
        "a line without item",
        json!({"line_items": [{"quantity": 1}]}),
        "$.line_items[0]",
    ));
    cases.extend(whole(
        "a text as item",
        json!({"line_items": [{"item": "x", "quantity": 1}]}),
        "$.line_items[0].item",
    ));
    cases.extend(whole(
        "a number as item id",
        json!({"line_items": [{"item": {"id": 4}, "quantity": 1}]}),
        "$.line_items[0].item.id",
    ));
    cases.extend(whole(
        "a text as quantity",
        json!({"line_items": [{"item": {"id": shop.item.id}, "quantity": "two"}]}),
        "$.line_items[0].quantity",
    ));
    cases.extend(whole(
        "a list as buyer",
        json!({"line_items": [], "buyer": []}),
        "$.buyer",
    ));
    let pay = format!("/checkout-sessions/{}/complete", shop.checkout_id);
    cases.push(
        post(
            "a text as instruments",
            pay,
            json!({"payment": {"instruments": "cash"}}),
        )
        .names("$.payment.instruments"),
    );
    cases
}

pub fn unknown_ids(shop: &Shop) -> Vec<Case> {
    let mut cases = Vec::new();
    for prefix in ["/carts", "/checkout-sessions", "/orders"] {
        for id in [NOBODY, "not-an-id", "%00", "a%2Fb", &"x".repeat(2_000)] {
            cases.push(get("an unknown id", format!("{prefix}/{id}")).status(&[400, 404]));
        }
    }
    let empty = json!({"line_items": []});
    cases.push(put("an unknown cart", format!("/carts/{NOBODY}"), empty.clone()).status(&[404]));
    cases.push(
        put(
            "an unknown checkout",
            format!("/checkout-sessions/{NOBODY}"),
            empty.clone(),
        )
        .status(&[404]),
    );
    cases.push(
        post(
            "an unknown checkout",
            format!("/checkout-sessions/{NOBODY}/complete"),
            json!({"payment": {"instruments": []}}),
        )
        .status(&[404]),
    );
    cases.push(
        post(
            "an unknown checkout",
            format!("/checkout-sessions/{NOBODY}/cancel"),
            json!({}),
        )
        .status(&[404]),
    );
    cases.push(
        post(
            "an unknown cart",
            format!("/carts/{NOBODY}/cancel"),
            json!({}),
        )
        .status(&[404]),
    );
    cases.push(
        post(
            "an unknown cart",
            "/checkout-sessions",
            json!({"cart_id": NOBODY, "line_items": []}),
        )
        .status(&[400, 404, 422])
        .names("$.cart_id"),
    );
    cases.push(get("an unknown SKU", "/stock/NO-SUCH-SKU").status(&[404]));
    cases.push(get("an unknown GTIN", "/stock?gtin=4006381333931").status(&[404]));
    cases.push(get("neither SKU nor GTIN", "/stock").status(&[400, 404]));
    for id in [NOBODY, "NO-SUCH-SKU", ""] {
        let body = json!({"line_items": [{"item": {"id": shop.item.id}, "quantity": 1}, {"item": {"id": id}, "quantity": 1}]});
        cases.extend(
            on_baskets(shop, "an unknown item", body)
                .map(|case| case.names("$.line_items[1].item.id")),
        );
    }
    let unknown_line = json!({
        "line_items": [{"item": {"id": shop.item.id}, "quantity": 1}],
        "fulfillment": {"methods": [{"type": "pickup", "line_item_ids": ["li_404"]}]},
    });
    let path = format!("/checkout-sessions/{}", shop.checkout_id);
    cases.push(
        put("an unknown line", path, unknown_line)
            .names("$.fulfillment.methods[0].line_item_ids[0]"),
    );
    cases.push(
        case(
            "an unknown brand",
            Method::POST,
            "/admin/imports?kind=stock&brand=nobody",
            Body::Text("text/csv", "sku,location_code,on_hand\n".into()),
        )
        .with_admin_key()
        .status(&[400, 404, 422]),
    );
    cases
}

pub fn unknown_currencies(shop: &Shop) -> Vec<Case> {
    let mut cases = Vec::new();
    for code in ["QQQ", "usd", "DOLLARS", ""] {
        let context = json!({"currency": code});
        cases.push(
            post(
                "an unknown currency",
                "/catalog/search",
                json!({"query": "*", "context": context}),
            )
            .names("$.context.currency"),
        );
        let line = json!({"item": {"id": shop.item.id}, "quantity": 1});
        let basket = json!({"line_items": [line], "context": context});
        cases.extend(
            on_baskets(shop, "an unknown currency", basket)
                .map(|case| case.names("$.context.currency")),
        );
    }
    cases.push(
        put(
            "an unknown currency",
            "/admin/brands/south",
            brand_in("QQQ"),
        )
        .with_admin_key()
        .names("$.currency"),
    );
    cases
}

fn brand_in(currency: &str) -> Value {
    json!({
        "handle": "south", "name": "South", "hosts": ["south.localhost"], "currency": currency, "language": "en",
        "country": "US", "prices_include_tax": false,
    })
}

pub fn quantities(shop: &Shop) -> Vec<Case> {
    let impossible = [
        json!(0),
        json!(-1),
        json!(1_000),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1.5),
        json!(1e300),
        json!(null),
    ];
    let mut cases = Vec::new();
    for quantity in impossible {
        let body = json!({"line_items": [{"item": {"id": shop.item.id}, "quantity": quantity}]});
        cases.extend(
            on_baskets(shop, "an impossible quantity", body)
                .map(|case| case.names("$.line_items[0].quantity")),
        );
    }
    cases
}

pub fn too_much(shop: &Shop) -> Vec<Case> {
    let line = json!({"item": {"id": shop.item.id}, "quantity": 1});
    let lines = |count| json!({"line_items": vec![line.clone(); count]});
    let mut cases: Vec<Case> = on_baskets(shop, "101 lines", lines(101))
        .map(|case| case.names("$.line_items"))
        .collect();
    cases.extend(on_baskets(shop, "10,000 lines", lines(10_000)).map(|case| case.status(&[413])));
    let short = json!({"line_items": vec![json!({}); 10_000]});
    cases.extend(on_baskets(shop, "10,000 short lines", short));
    for (method, path) in json_routes(shop) {
        let big = Body::Text("application/json", " ".repeat(50 * MEBIBYTE));
        cases.push(for_route(case("50 MB", method.clone(), path.clone(), big)).status(&[413]));
        let endless = Body::Stream {
            content_type: "application/json",
            chunks: 50,
        };
        cases
            .push(for_route(case("50 MB of unknown length", method, path, endless)).status(&[413]));
    }
    cases.push(
        case(
            "a file of 65 MB",
            Method::POST,
            "/admin/imports?kind=products&brand=north",
            Body::Stream {
                content_type: "text/csv",
                chunks: 65,
            },
        )
        .with_admin_key()
        .status(&[400, 413, 422]),
    );
    let ids: Vec<String> = (0..101).map(|number| format!("id-{number}")).collect();
    cases.push(
        post("101 ids", "/catalog/lookup", json!({"ids": ids}))
            .status(&[400])
            .code("request_too_large")
            .names("$.ids"),
    );
    let long = "x".repeat(300);
    cases.push(
        post(
            "a long query",
            "/catalog/search",
            json!({"query": "x".repeat(2_001)}),
        )
        .names("$.query"),
    );
    cases.push(post("a long id", "/catalog/lookup", json!({"ids": [long]})).names("$.ids[0]"));
    let buyer = json!({"line_items": [line], "buyer": {"first_name": "x".repeat(3_000)}});
    cases.extend(
        on_baskets(shop, "a long name", buyer).map(|case| case.names("$.buyer.first_name")),
    );
    cases
}

pub fn cursors_and_places(shop: &Shop) -> Vec<Case> {
    let mut cases = Vec::new();
    for cursor in ["zzz", "", "%%%", "eyJwYWdlIjoxfQ==", &"0".repeat(513)] {
        let page = json!({"query": "*", "pagination": {"cursor": cursor}});
        cases.push(
            post("a bad cursor", "/catalog/search", page.clone()).names("$.pagination.cursor"),
        );
        cases.push(post("a bad cursor", "/locations/search", page).names("$.pagination.cursor"));
    }
    let around = |latitude: Value, longitude: Value, max: Value| json!({"distance": {"center": {"latitude": latitude, "longitude": longitude}, "max": max}});
    cases.push(
        post(
            "a latitude beyond the pole",
            "/locations/search",
            around(json!(90.1), json!(0), json!(1)),
        )
        .names("$.distance.center.latitude"),
    );
    cases.push(
        post(
            "a longitude beyond the date line",
            "/locations/search",
            around(json!(0), json!(-180.5), json!(1)),
        )
        .names("$.distance.center.longitude"),
    );
    cases.push(
        post(
            "a negative distance",
            "/locations/search",
            around(json!(0), json!(0), json!(-1)),
        )
        .names("$.distance.max"),
    );
    cases.push(post(
        "no center",
        "/locations/search",
        json!({"distance": {"max": 1}}),
    ));
    cases.push(post("two targets", "/locations/search", json!({"serves": {"point": {"latitude": 0, "longitude": 0}, "address": {"address_country": "US"}}})).names("$.serves"));
    for near in [
        "91,0", "0,181", "north", "1", "1,2,3", "NaN,0", "inf,0", ",",
    ] {
        cases.push(
            get(
                "a bad place",
                format!("/stock/{}?near={near}", shop.item.sku),
            )
            .names("near"),
        );
    }
    cases
}

pub fn ucp_versions(shop: &Shop) -> Vec<Case> {
    const UNKNOWN: &str = r#"profile="https://platform.example/profile"; version="2031-01-01""#;
    let mut cases: Vec<Case> =
        on_baskets(shop, "a later version", json!({"line_items": []})).collect();
    cases.push(post(
        "a later version",
        "/catalog/search",
        json!({"query": "*"}),
    ));
    cases.push(post("a later version", "/locations/search", json!({})));
    cases.push(get("a later version", format!("/orders/{NOBODY}")));
    cases
        .into_iter()
        .map(|case| {
            case.header("ucp-agent", UNKNOWN)
                .status(&[422])
                .code("version_unsupported")
        })
        .collect()
}

pub fn check_digits(_: &Shop) -> Vec<Case> {
    ["4006381333932", "400638133393", "40063813339x1", "1", ""]
        .map(|gtin| {
            get("no GTIN", format!("/stock?gtin={gtin}"))
                .status(&[400])
                .names("gtin")
        })
        .into()
}

pub fn admin_keys(_: &Shop) -> Vec<Case> {
    let routes = [
        (Method::PUT, "/admin/brands/south"),
        (Method::PUT, "/admin/locations/s1"),
        (Method::GET, "/admin/locations"),
        (Method::POST, "/admin/imports?kind=stock&brand=north"),
        (Method::POST, "/relay/run"),
    ];
    let mut cases = Vec::new();
    for (method, path) in routes {
        let bad = |what| case(what, method.clone(), path, Body::Json(json!({}))).status(&[401]);
        cases.push(bad("no key"));
        cases.push(bad("an empty key").header("authorization", "Bearer "));
        cases.push(bad("another scheme").header("authorization", "Basic YWRtaW46YWRtaW4="));
        cases.push(Case {
            admin_key: Some(Some("0123456789abcdef")),
            ..bad("an unknown key")
        });
    }
    cases
}

pub fn routes_and_methods(shop: &Shop) -> Vec<Case> {
    let mut cases = vec![
        get("no such route", "/catalog/nowhere").status(&[404]),
        get("no such route", "/locations/nowhere/at/all").status(&[404]),
        get("no such route", "/admin/nowhere")
            .with_admin_key()
            .status(&[404]),
        get("no such method", "/catalog/search").status(&[405]),
        get("no such method", "/carts").status(&[405]),
        get("no such method", "/checkout-sessions").status(&[405]),
        post("no such method", format!("/orders/{NOBODY}"), json!({})).status(&[405]),
        post(
            "no such method",
            format!("/stock/{}", shop.item.sku),
            json!({}),
        )
        .status(&[405]),
    ];
    cases.push(
        case(
            "no such method",
            Method::DELETE,
            format!("/carts/{}", shop.cart_id),
            Body::None,
        )
        .status(&[405]),
    );
    cases
}
