//! Nobody keeps everything for themselves without paying for it.

use std::sync::Arc;

use aisle_e2e::json::Look;
use aisle_e2e::shopping::line;
use aisle_e2e::{Answer, Client, Pair};
use anyhow::Result;
use serde_json::{Value, json};

use super::scene::{BERLIN, HAMBURG, Scene};

/// Requests of one who would have all 10,000: enough to see that they are all alike.
const REQUESTS: usize = 400;
const AT_ONCE: usize = 16;

/// Has one piece brought to Hamburg for a new cart of `buyer`.
async fn ask(scene: &Scene, client: &Client, buyer: &Value) -> Result<Answer> {
    let cart = json!({"line_items": [line(&scene.item.id, 1)], "buyer": buyer});
    let cart = client.post("/carts").json(&cart).expect(201).await?.json();
    let mut body = scene.asked(1, HAMBURG);
    body["for"] = json!({"type": "cart", "id": cart["id"]});
    client.post("/transfers").json(&body).send().await
}

pub async fn ten_thousand_requests_leave_enough_for_others(pair: Pair) -> Result<()> {
    let scene = Arc::new(Scene::with(pair, &[(BERLIN, 20)]).await?);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let scene = scene.clone();
        running.spawn(async move {
            let client = scene.aisle.north();
            let mut answers = Vec::new();
            for _ in 0..REQUESTS / AT_ONCE {
                answers.push(ask(&scene, &client, &json!({})).await?);
            }
            anyhow::Ok(answers)
        });
    }
    let answers: Vec<Vec<Answer>> = running
        .join_all()
        .await
        .into_iter()
        .collect::<Result<_>>()?;
    let (kept, refused): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .flatten()
        .partition(|answer| answer.status == 201);
    assert_eq!(kept.len(), 10, "half of what there is");
    for answer in &refused {
        let problem = answer.json();
        assert_eq!(
            (
                answer.status.as_u16(),
                problem.text("/code"),
                problem.text("/sku"),
                problem.text("/location_id")
            ),
            (
                409,
                "unpaid_limit",
                scene.item.sku.as_str(),
                scene.id(BERLIN)
            )
        );
    }
    scene.assert_shelves("half", &[(BERLIN, (20, 10))]).await?;
    scene.order(10, HAMBURG).await?;
    assert_eq!(scene.aisle.traps(), 0);
    scene.assert_shelves("sold", &[(BERLIN, (20, 20))]).await
}

pub async fn a_contact_has_only_so_many_requests(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"max_unpaid_per_contact": 3}});
    let scene = Scene::under(pair, &[(BERLIN, 40)], policies).await?;
    let ada = json!({"email": "ada@example.com"});
    for _ in 0..3 {
        assert_eq!(ask(&scene, &scene.shopper, &ada).await?.status, 201);
    }
    for buyer in [
        ada,
        json!({"email": "Ada@Example.com", "phone_number": "+12025550143"}),
    ] {
        let refused = ask(&scene, &scene.aisle.north(), &buyer).await?;
        assert_eq!(refused.status, 429, "{refused:?}");
        let problem = refused.json();
        assert_eq!(
            (problem.text("/code"), problem.number("/most")),
            ("too_many_requests", 3)
        );
        assert!(refused.headers.contains_key("retry-after"));
    }
    let other = json!({"phone_number": "+12025550143"});
    assert_eq!(ask(&scene, &scene.shopper, &other).await?.status, 201);
    let named = "SELECT count(*) FROM rate_limit WHERE name LIKE '%ada@%' OR name LIKE '%5550143%'";
    assert_eq!(scene.count(named).await?, 0, "nobody is named");
    scene.assert_shelves("four", &[(BERLIN, (40, 4))]).await
}

pub async fn a_store_has_only_so_many_requests(pair: Pair) -> Result<()> {
    let policies = json!({"transfers": {"max_unpaid_per_store": 2}});
    let scene = Scene::under(pair, &[(BERLIN, 40)], policies).await?;
    let ask = async || ask(&scene, &scene.aisle.north(), &json!({})).await;
    assert_eq!(ask().await?.status, 201);
    let second = ask().await?.json();
    let refused = ask().await?;
    let problem = refused.json();
    assert_eq!(
        (
            refused.status.as_u16(),
            problem.text("/code"),
            problem.text("/location_id")
        ),
        (429, "store_has_too_many", scene.id(HAMBURG))
    );
    let path = format!("/transfers/{}/cancel", second.text("/transfers/0/id"));
    let reason = json!({"reason": "changed my mind"});
    scene.shopper.post(&path).json(&reason).expect(200).await?;
    assert_eq!(ask().await?.status, 201);
    scene.assert_shelves("two", &[(BERLIN, (40, 2))]).await
}
