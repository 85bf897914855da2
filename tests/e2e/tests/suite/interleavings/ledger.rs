//! The books, read past the functions in one look, and what must always hold in them: what
//! documents say happened, not what the stock ledger says, is held against the shelves.

use std::collections::BTreeMap;

use aisle_e2e::database::TextRow;
use aisle_e2e::json::Look;
use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::world::World;

/// Rows of what it is, a key, a JSON document, and a number. One statement, so that all of
/// it is of one moment.
const BOOKS: &str = "\
    SELECT 'shelf' AS kind, sku AS name, '' AS doc, on_hand AS units FROM stock \
    UNION ALL SELECT 'moving', sku, '', in_transit + damaged + missing - surplus FROM transfer_line \
    UNION ALL SELECT 'counted', sku, '', on_hand_delta FROM stock_movement WHERE document_type = 'count' \
    UNION ALL SELECT 'adjusted', subject_id, doc, 0 FROM audit WHERE action = 'stock.adjusted' \
    UNION ALL SELECT 'delivered', s.sku, '', s.quantity FROM device_scan s JOIN delivery d ON d.id = s.task_id \
      WHERE s.task_type = 'delivery' AND s.condition = 'good' AND d.status = 'closed' \
    UNION ALL SELECT 'order', id, doc, CASE status WHEN 'confirmed' THEN 1 ELSE 0 END FROM customer_order \
    UNION ALL SELECT 'hand_over', order_id, doc, 0 FROM hand_over \
    UNION ALL SELECT 'paid', p.order_id, '', p.amount_minor FROM payment p WHERE p.status = 'authorised' \
    UNION ALL SELECT 'part', order_id, '', amount_minor FROM instalment WHERE status = 'paid' \
    UNION ALL SELECT 'refund', r.order_id, '', r.amount_minor FROM refund r \
    UNION ALL SELECT 'given_up', k.order_id, '', 0 FROM pickup k WHERE k.status = 'cancelled'";

/// Amounts by order or units by SKU.
type Sums = BTreeMap<String, i64>;

#[derive(Default)]
struct Books {
    /// Units by SKU that are where the documents say, with what left or came from outside:
    /// always what there was at the beginning.
    units: Sums,
    /// Documents, and whether they are confirmed.
    orders: BTreeMap<String, (Value, bool)>,
    /// Pieces by order and line.
    handed_over: BTreeMap<String, Sums>,
    paid: Sums,
    parts: Sums,
    refunds: Sums,
    given_up: Vec<String>,
}

impl World {
    /// Fails with what does not hold.
    pub async fn check(&self) -> Result<()> {
        self.aisle.database.check_invariants().await?;
        let mut books = Books::default();
        for row in self.aisle.database.rows(BOOKS).await? {
            books.add(row)?;
        }
        books.check_units(&self.initial)?;
        books.check_hand_overs()?;
        books.check_money()
    }
}

impl Books {
    fn add(&mut self, row: TextRow) -> Result<()> {
        let row = row.into_iter().map(Option::unwrap_or_default);
        let [kind, name, doc, units] = <[String; 4]>::try_from(row.collect::<Vec<_>>())
            .ok()
            .context("four columns")?;
        let units: i64 = units.parse()?;
        let doc = match doc.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text)?,
        };
        let add =
            |sums: &mut Sums, name: &str, units| *sums.entry(name.into()).or_default() += units;
        match kind.as_str() {
            "shelf" | "moving" => add(&mut self.units, &name, units),
            "counted" | "delivered" => add(&mut self.units, &name, -units),
            "adjusted" => add(&mut self.units, doc.text("/sku"), -doc.number("/delta")),
            "order" => {
                for line in doc.list("/lines") {
                    let fulfilled = line.number("/fulfilled");
                    add(&mut self.units, line.text("/line/sku"), fulfilled);
                }
                self.orders.insert(name, (doc, units == 1));
            }
            "hand_over" => {
                let lines = self.handed_over.entry(name).or_default();
                for line in doc.list("/lines") {
                    add(lines, line.text("/0"), line.number("/1"));
                }
            }
            "paid" => add(&mut self.paid, &name, units),
            "part" => add(&mut self.parts, &name, units),
            "refund" => add(&mut self.refunds, &name, units),
            _ => self.given_up.push(name),
        }
        Ok(())
    }

    /// On hand and in transit is what there was, with what was delivered, adjusted, counted
    /// and found too much, without what was sold, handed over, damaged and lost.
    fn check_units(&self, initial: &Sums) -> Result<()> {
        for (sku, units) in initial {
            let now = self.units.get(sku).copied().unwrap_or_default();
            ensure!(now == *units, "{sku}: {units} units have become {now}");
        }
        Ok(())
    }

    /// Each piece is handed over once, and an order knows of each hand-over.
    fn check_hand_overs(&self) -> Result<()> {
        for (id, (order, _)) in &self.orders {
            let handed_over = self.handed_over.get(id);
            for line in order.list("/lines") {
                let (quantity, fulfilled) =
                    (line.number("/line/quantity"), line.number("/fulfilled"));
                let cancelled = line["cancelled"].as_i64().unwrap_or_default();
                ensure!(
                    fulfilled >= 0 && cancelled >= 0 && fulfilled + cancelled <= quantity,
                    "order {id} of {quantity}: {fulfilled} handed over, {cancelled} cancelled"
                );
                if let Some(lines) = handed_over {
                    let pieces = lines.get(line.text("/line/id")).copied();
                    let pieces = pieces.unwrap_or_default();
                    ensure!(
                        pieces == fulfilled,
                        "order {id}: {pieces} pieces handed over, {fulfilled} noted"
                    );
                }
            }
        }
        Ok(())
    }

    /// Parts are what was paid for them, no more goes back than was paid, and whoever got
    /// nothing because nobody came for it has the money back.
    fn check_money(&self) -> Result<()> {
        let of = |sums: &Sums, id: &str| sums.get(id).copied().unwrap_or_default();
        for (id, (order, _)) in &self.orders {
            let (paid, refunds) = (of(&self.paid, id), of(&self.refunds, id));
            ensure!(refunds <= paid, "order {id}: {refunds} of {paid} go back");
            if let Some(parts) = self.parts.get(id) {
                ensure!(*parts == paid, "order {id}: {parts} in parts, {paid} paid");
            }
            let total = order.number("/totals/total_minor");
            ensure!(paid <= total, "order {id}: {paid} of {total} paid");
        }
        for id in &self.given_up {
            let (_, is_confirmed) = self.orders.get(id).context("an order")?;
            let (paid, refunds) = (of(&self.paid, id), of(&self.refunds, id));
            ensure!(
                *is_confirmed || refunds == paid,
                "order {id} is given up: {refunds} of {paid} go back"
            );
            ensure!(refunds > 0, "order {id} is given up, and nothing goes back");
        }
        Ok(())
    }
}
