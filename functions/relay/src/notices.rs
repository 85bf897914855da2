//! What happened to orders is noted for whoever tells their shoppers.

use aisle_store::{Batch, Db, StoreError, values};

use crate::queue::Event;

/// Whether somebody may want to hear of the event.
pub fn is_news(event: &Event) -> bool {
    matches!(event.kind.as_str(), "order.confirmed" | "order.updated")
}

/// Notes the news among the events, each once however often it comes by.
pub async fn note(db: &Db, events: &[&Event]) -> Result<(), StoreError> {
    let seqs: Vec<i64> = events
        .iter()
        .filter(|event| is_news(event))
        .map(|event| event.seq)
        .collect();
    if seqs.is_empty() {
        return Ok(());
    }
    let mut batch = Batch::new();
    batch.may_be_lost();
    batch.add(
        (
            "INSERT INTO notice (event_id, brand_id, order_id, type, doc, occurred_at_ms, due_at_ms) \
             SELECT e.id, e.brand_id, e.aggregate_id, e.type, e.doc, e.created_at_ms, {now} FROM outbox e \
             WHERE e.seq IN (SELECT value FROM json_each(?1)) ON CONFLICT (event_id) DO NOTHING",
            "INSERT INTO notice (event_id, brand_id, order_id, type, doc, occurred_at_ms, due_at_ms) \
             SELECT e.id, e.brand_id, e.aggregate_id, e.type, e.doc, e.created_at_ms, {now} FROM outbox e \
             WHERE e.seq = ANY (ARRAY(SELECT jsonb_array_elements_text(?1::jsonb)::bigint)) ON CONFLICT (event_id) DO NOTHING",
        ),
        values![serde_json::Value::from(seqs).to_string()],
    );
    batch.commit(db).await?;
    Ok(())
}
