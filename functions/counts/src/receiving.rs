//! `/counts/receiving/{transfer_id}`: goods from another store, scanned as they are unpacked.

use std::collections::BTreeMap;

use aisle_domain::delivery::Delivery;
use aisle_http::{Call, Error, Reply, auth};
use aisle_store::scans::{self, TaskKind, Total};
use aisle_store::values;
use aisle_ucp::count::delivery::{ReceivedLine, Receiving};

use crate::SCOPE;
use crate::count;

/// `GET /counts/receiving/{transfer_id}`: what was sent beside what was scanned so far.
pub async fn get(call: &Call, transfer_id: &str) -> Result<Reply, Error> {
    count::must_be_id(transfer_id)?;
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, SCOPE).await?;
    let rows = call
        .db()
        .query(
            format!(
                "SELECT t.to_location_id, t.status, l.sku, l.shipped, n.good, n.damaged FROM transfer t \
                 JOIN transfer_line l ON l.brand_id = t.brand_id AND l.transfer_id = t.id \
                 LEFT JOIN ({}) n ON n.sku = l.sku \
                 WHERE t.brand_id = ?1 AND t.id = ?2 ORDER BY l.sku",
                scans::totals(TaskKind::Transfer, "?1", "?2")
            ),
            values![&brand.id, transfer_id],
        )
        .await?;
    let first = rows.first().ok_or_else(count::missing)?;
    staff.at(&first.text("to_location_id")?)?;
    let status = first.text("status")?;
    let (mut shipped, mut arrived) = (BTreeMap::new(), Vec::new());
    for row in &rows {
        shipped.insert(row.text("sku")?, row.int("shipped")?);
        if row.int_opt("good")?.is_some() {
            arrived.push(Total::of(row)?);
        }
    }
    let announced = Delivery {
        announced: Some(shipped),
    };
    let lines = announced.lines(
        arrived
            .into_iter()
            .map(|total| (total.sku, total.good, total.damaged)),
    );
    let receiving = Receiving {
        transfer_id: transfer_id.into(),
        status,
        lines: lines.into_iter().map(ReceivedLine::from).collect(),
    };
    Reply::json(200, &receiving)
}
