//! An order is called off: all that was set aside for it is free again, exactly.

use aisle_e2e::Pair;
use aisle_e2e::json::Look;
use anyhow::Result;
use serde_json::json;

use super::{kinds, refused};
use crate::transfers::scene::{BERLIN, HAMBURG, Scene, take};

pub async fn a_cancelled_order_frees_everything_exactly(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4), (HAMBURG, 2)]).await?;
    let kept = scene.order(1, HAMBURG).await?;
    // One from the store's own shelf, two from another's.
    let order = scene.order(3, HAMBURG).await?;
    scene
        .assert_shelves("ordered", &[(HAMBURG, (2, 2)), (BERLIN, (4, 2))])
        .await?;
    let presence = json!({"state": "on_my_way", "signal": "declared", "consent": {"version": "1"}});
    let at = |what: &str| format!("/orders/{order}{what}");
    scene
        .shopper
        .post(&at("/presence"))
        .json(&presence)
        .expect(200)
        .await?;

    let cancel = async || {
        let call = scene.shopper.post(&at("/cancel")).json(&json!({}));
        call.idempotency_key("cancel-1").send().await
    };
    // Twice at the same moment is once, and both are told the same.
    let (one, other) = tokio::join!(cancel(), cancel());
    for answer in [one?, other?] {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["status"], "cancelled");
    }
    scene
        .assert_shelves("cancelled", &[(HAMBURG, (2, 1)), (BERLIN, (4, 0))])
        .await?;
    let transfers = scene.transfers_of(&order).await?;
    assert!(transfers.iter().all(|(_, status)| status == "cancelled"));
    assert_eq!(transfers.len(), 1);
    let told = kinds(&scene.shopper, &order).await?;
    assert_eq!(told.iter().filter(|kind| *kind == "cancelled").count(), 1);
    for (count, sql) in [
        (
            0,
            format!("SELECT count(*) FROM presence WHERE order_id = '{order}'"),
        ),
        (
            1,
            format!(
                "SELECT count(*) FROM pickup WHERE order_id = '{order}' AND status = 'cancelled'"
            ),
        ),
        (
            0,
            format!(
                "SELECT count(*) FROM pickup WHERE order_id = '{kept}' AND status = 'cancelled'"
            ),
        ),
    ] {
        assert_eq!(scene.count(&sql).await?, count, "{sql}");
    }
    let again = scene.shopper.post(&at("/cancel")).send().await?;
    refused(&again, 409, "cancelled");
    let pass = scene.shopper.post(&at("/pass")).send().await?;
    refused(&pass, 409, "cancelled");
    let page = scene
        .shopper
        .get(&format!("/my/orders/{order}"))
        .expect(200)
        .await?;
    assert!(page.text().contains("Cancelled"), "{page:?}");
    assert!(!page.text().contains("cancel-send"));
    Ok(())
}

pub async fn what_has_moved_cannot_be_called_off(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let order = scene.order(2, HAMBURG).await?;
    let (transfer, _) = scene.transfers_of(&order).await?.remove(0);
    let sender = scene.staff(BERLIN).await?;
    take(&sender, &transfer, "pick", json!({})).await?;
    take(&sender, &transfer, "ship", json!({})).await?;
    let before = scene.snapshot().await?;
    let cancel = async |order: &str| {
        let path = format!("/orders/{order}/cancel");
        scene.shopper.post(&path).json(&json!({})).send().await
    };
    refused(&cancel(&order).await?, 409, "in_transit");
    assert_eq!(scene.snapshot().await?, before, "nothing was changed");
    let page = format!("/my/orders/{order}");
    let page = scene.shopper.get(&page).expect(200).await?;
    assert!(!page.text().contains("cancel-send"), "no button for it");

    // The brand decides until when.
    let admin = scene.aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    brand["policies"]["cancellation"] = json!({"allowed": false});
    admin
        .put("/admin/brands/north")
        .json(&brand)
        .expect(200)
        .await?;
    scene.aisle.drain_outbox().await?;
    let other = scene.order(1, BERLIN).await?;
    let mut answer = cancel(&other).await?;
    // A policy is known everywhere after two seconds at most.
    while answer.status == 200 {
        answer = cancel(&scene.order(1, BERLIN).await?).await?;
    }
    refused(&answer, 409, "cancellation_not_allowed");
    let nobody = cancel(super::NOBODY).await?;
    refused(&nobody, 404, "order_not_found");
    let shown = scene.order_shown(&order).await?;
    assert_eq!(shown.text("/id"), order);
    scene.aisle.database.check_invariants().await
}
