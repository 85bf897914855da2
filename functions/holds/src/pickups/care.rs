//! What time does to orders that lie at a store: a reminder, then they are not kept any more.

use std::rc::Rc;

use aisle_domain::brand::Brand;
use aisle_domain::fulfillment::Destination;
use aisle_domain::instant::day_and_time_in;
use aisle_domain::order::{Order, TimelineEntry, TimelineKind};
use aisle_domain::plan::Allocation;
use aisle_domain::sale::{self, GivenUp};
use aisle_http::{Call, Error, notify_relay};
use aisle_store::outbox::{self, Event};
use aisle_store::refund::{self, Amount};
use aisle_store::stock::{self, Document};
use aisle_store::{Batch, Row, StoreError, incident, timeline, values};
use aisle_ucp::hold::HousekeepingRun;
use serde_json::json;

use crate::housekeeping::committed;

/// Orders that one run looks at, at most; what is left is the next run's.
const RUN_ORDERS: i64 = 20;
const DAY_MS: i64 = 86_400_000;

/// What is due, by the rules of `?1`: collections to be given up and, with `is_over` 0, orders
/// that lie ready and whose shopper is to be reminded.
const DUE: &str = "SELECT k.brand_id, k.order_id, k.location_id, k.status, k.pickup_by_ms, k.version AS pickup_version, \
     o.doc, o.version, rule.keep_ms, CASE WHEN k.pickup_by_ms + rule.keep_ms <= {now} THEN 1 ELSE 0 END AS is_over \
     FROM {rules} rule JOIN pickup k ON k.brand_id = rule.brand_id AND k.pickup_by_ms <= {now} + rule.remind_ms \
     JOIN customer_order o ON o.brand_id = k.brand_id AND o.id = k.order_id AND o.status = 'confirmed' \
     WHERE k.status IN ('preparing', 'ready') AND (k.pickup_by_ms + rule.keep_ms <= {now} \
       OR (k.status = 'ready' AND rule.remind_ms > 0 AND k.pickup_by_ms - rule.remind_ms <= {now} AND NOT EXISTS (\
         SELECT 1 FROM pickup_reminder m WHERE m.brand_id = k.brand_id AND m.order_id = k.order_id))) \
     ORDER BY k.pickup_by_ms, k.order_id LIMIT ?2";

/// Reminds of what waits to be collected, and gives up what nobody came for.
pub async fn run(call: &Call) -> Result<HousekeepingRun, Error> {
    let brands = call.model().brands().await?;
    let rows = due(call, &brands).await?;
    let mut run = HousekeepingRun {
        settled: 0,
        more: rows.len() as i64 == RUN_ORDERS,
    };
    for row in &rows {
        let waiting = Waiting::of(row)?;
        run.settled += usize::from(match row.int("is_over")? {
            0 => waiting.remind(call).await?,
            _ => waiting.give_up(call).await?,
        });
    }
    if run.settled > 0 {
        notify_relay();
    }
    Ok(run)
}

async fn due(call: &Call, brands: &[Rc<Brand>]) -> Result<Vec<Row>, StoreError> {
    let rule = |brand: &Rc<Brand>| {
        let policy = &brand.policies.pickup;
        json!({
            "brand_id": brand.id,
            "keep_ms": policy.keep_days * DAY_MS,
            "remind_ms": policy.reminder_days * DAY_MS,
        })
    };
    let rules = brands.iter().map(rule).collect::<Vec<_>>();
    let table = call.db().dialect().pick(
        "(SELECT value ->> 'brand_id' AS brand_id, value ->> 'keep_ms' AS keep_ms, value ->> 'remind_ms' AS remind_ms \
          FROM json_each(?1))",
        "(SELECT * FROM jsonb_to_recordset(?1::jsonb) AS input (brand_id TEXT, keep_ms BIGINT, remind_ms BIGINT))",
    );
    let sql = DUE.replace("{rules}", table);
    let rules = serde_json::Value::from(rules).to_string();
    call.db().recall(sql, values![rules, RUN_ORDERS]).await
}

/// An order that waits to be collected.
struct Waiting {
    brand_id: String,
    order_id: String,
    order: Order,
    version: i64,
    location_id: String,
    /// Somebody has said that it lies ready.
    is_ready: bool,
    pickup_by_ms: i64,
    pickup_version: i64,
    keep_ms: i64,
}

impl Waiting {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            brand_id: row.text("brand_id")?,
            order_id: row.text("order_id")?,
            order: row.json("doc")?,
            version: row.int("version")?,
            location_id: row.text("location_id")?,
            is_ready: row.text("status")? == "ready",
            pickup_by_ms: row.int("pickup_by_ms")?,
            pickup_version: row.int("pickup_version")?,
            keep_ms: row.int("keep_ms")?,
        })
    }

    /// `false`: somebody was faster, or it was collected meanwhile.
    async fn remind(&self, call: &Call) -> Result<bool, Error> {
        let mut batch = Batch::new();
        batch.expect(
            1,
            "INSERT INTO pickup_reminder (brand_id, order_id, reminded_at_ms) \
             SELECT k.brand_id, k.order_id, {now} FROM pickup k \
             WHERE k.brand_id = ?1 AND k.order_id = ?2 AND k.version = ?3 AND k.status = 'ready' \
             ON CONFLICT DO NOTHING",
            values![&self.brand_id, &self.order_id, self.pickup_version],
        );
        let until = day_and_time_in(self.pickup_by_ms, self.time_zone());
        let text = format!("It waits to be collected, and is kept until {until}.");
        self.record(
            &mut batch,
            TimelineEntry::new(TimelineKind::PickupReminder, text),
        );
        committed(call, &batch).await
    }

    async fn give_up(&self, call: &Call) -> Result<bool, Error> {
        let mut order = self.order.clone();
        let Some(given_up) = sale::give_up(&mut order, &self.location_id) else {
            return Ok(false);
        };
        let kept = self.kept(call, &given_up).await?;
        let doc =
            serde_json::to_string(&order).map_err(|error| Error::internal(error.to_string()))?;
        let mut batch = Batch::new();
        batch.expect(
            1,
            "UPDATE pickup SET status = 'cancelled', version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND order_id = ?2 AND version = ?3 AND status IN ('preparing', 'ready') \
               AND pickup_by_ms + ?4 <= {now}",
            values![&self.brand_id, &self.order_id, self.pickup_version, self.keep_ms],
        );
        let status = match given_up.is_whole_order {
            true => "cancelled",
            false => "confirmed",
        };
        batch.expect(
            1,
            "UPDATE customer_order SET status = ?4, doc = ?5, version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'confirmed'",
            values![&self.brand_id, &self.order_id, self.version, status, doc],
        );
        if !kept.is_empty() {
            let document = Document::order(&self.order_id);
            stock::release(&mut batch, &self.brand_id, document, &kept);
        }
        self.owe(&mut batch, &given_up);
        self.tell(&mut batch, given_up);
        committed(call, &batch).await
    }

    /// What the order really holds of the units: what never came to the store is not there
    /// to be released.
    async fn kept(&self, call: &Call, given_up: &GivenUp) -> Result<Vec<Allocation>, Error> {
        let sql = "SELECT sku, quantity FROM allocation \
                   WHERE brand_id = ?1 AND order_id = ?2 AND location_id = ?3 AND status = 'open'";
        let params = values![&self.brand_id, &self.order_id, &self.location_id];
        let mut kept = Vec::new();
        for row in call.db().query(sql, params).await? {
            let (sku, held) = (row.text("sku")?, row.int("quantity")?);
            let units = given_up.units.iter().filter(|unit| unit.sku == sku);
            kept.extend(units.map(|unit| Allocation {
                quantity: unit.quantity.min(held),
                ..unit.clone()
            }));
        }
        Ok(kept)
    }

    /// What was paid for it goes back: of a whole order all, also what its delivery cost.
    fn owe(&self, batch: &mut Batch, given_up: &GivenUp) {
        let amount = match given_up.is_whole_order {
            true => Amount::All,
            false => Amount::Minor(given_up.worth_minor),
        };
        refund::request(
            batch,
            &refund::Request {
                brand_id: &self.brand_id,
                order_id: &self.order_id,
                decision: "not_collected",
                amount,
            },
        );
    }

    /// The shopper is told, and the store: what lies there goes back to the shelf.
    fn tell(&self, batch: &mut Batch, given_up: GivenUp) {
        let (reason, text) = match self.is_ready {
            true => ("not_collected", "Nobody came for it"),
            false => ("not_prepared", "The store did not prepare it in time"),
        };
        let units = given_up
            .units
            .iter()
            .map(|unit| json!({"sku": unit.sku, "quantity": unit.quantity}));
        let doc = json!({"reason": reason, "units": units.collect::<Vec<_>>()}).to_string();
        incident::record(
            batch,
            &self.brand_id,
            &self.location_id,
            "pickup.given_up",
            ("order", &self.order_id),
            &doc,
        );
        let kind = match given_up.is_whole_order {
            true => TimelineKind::Cancelled,
            false => TimelineKind::NotCollected,
        };
        let entry = TimelineEntry {
            lines: given_up.lines,
            reasons: vec![reason.to_owned()],
            ..TimelineEntry::new(
                kind,
                format!("{text}: it is not kept any more, and what was paid for it goes back."),
            )
        };
        self.record(batch, entry);
        let changed = Event::new(&self.brand_id, "pickup.changed", &self.order_id);
        outbox::event(batch, &changed);
    }

    fn record(&self, batch: &mut Batch, entry: TimelineEntry) {
        let entry = TimelineEntry {
            location_id: Some(self.location_id.clone()),
            ..entry
        };
        timeline::record(batch, &self.brand_id, &self.order_id, &entry);
    }

    fn time_zone(&self) -> &str {
        match self.order.pickup().map(|expected| &expected.destination) {
            Some(Destination::Store(store)) => &store.time_zone,
            _ => "UTC",
        }
    }
}
