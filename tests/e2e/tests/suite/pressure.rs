//! Whatever heavy work goes on, people buy.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use aisle_e2e::pressure::{Pressure, buy};
use aisle_e2e::{Pair, Setup};
use anyhow::{Result, ensure};

const BUYERS: usize = 6;
const ORDERS_EACH: usize = 4;
const ROWS: usize = 5_000;

/// Searches, exports and an import at once: no buyer is turned away, and of the heavy
/// requests each is answered, or told when to come again.
pub async fn buyers_do_not_wait_behind_heavy_work(pair: Pair) -> Result<()> {
    let _turn = crate::harness::heavy_turn().await;
    let aisle = Arc::new(Setup::demo(pair).start().await?);
    let pressure = Pressure::start(&aisle, ROWS).await?;
    let took = buy(&aisle, BUYERS, ORDERS_EACH).await?;
    assert_eq!(took.len(), BUYERS * ORDERS_EACH);
    aisle.north().get("/healthz").expect(200).await?;
    let counts = pressure.stop().await?;
    ensure!(counts.answered.load(Relaxed) > 0, "no heavy work was done");
    let confirmed = "SELECT count(*) FROM customer_order WHERE status = 'confirmed'";
    assert_eq!(
        aisle.database.number(confirmed).await?,
        (BUYERS * ORDERS_EACH) as i64
    );
    assert_eq!(aisle.traps(), 0);
    aisle.database.check_invariants().await
}
