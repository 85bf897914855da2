//! What an event means for the read model. Refreshing reads the state as it is, not as
//! the event says it became, so an event that comes twice or late does no harm, and a
//! hundred events of one product cost one reading.

use std::collections::{BTreeMap, BTreeSet};

use aisle_store::model::StockChange;
use aisle_store::{Model, StoreError, values};
use serde::Deserialize;

use crate::notices;
use crate::queue::Event;

/// What became of a page of events.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Sequence numbers.
    pub done: Vec<i64>,
    pub failed: Vec<Event>,
}

/// A part of the read model that is refreshed as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Brands,
    Locations,
    Products { brand_id: String },
    Stock { brand_id: String },
}

/// Refreshes all that the events concern, part by part: one that fails leaves the others done.
pub async fn all(model: Model<'_>, events: &[Event]) -> Outcome {
    let mut outcome = Outcome::default();
    for (part, events) in parts(events) {
        let result = match &part {
            Some(part) => refresh(model, part, &events).await,
            // Of interest to others than the read model.
            None => notices::note(model.db, &events).await,
        };
        match result {
            Ok(()) => outcome.done.extend(events.iter().map(|event| event.seq)),
            Err(error) => {
                eprintln!("relay: {} events of {part:?} failed: {error}", events.len());
                outcome.failed.extend(events.into_iter().cloned());
            }
        }
    }
    outcome
}

fn parts(events: &[Event]) -> BTreeMap<Option<Part>, Vec<&Event>> {
    let mut parts = BTreeMap::<_, Vec<_>>::new();
    for event in events {
        parts.entry(part(event)).or_default().push(event);
    }
    parts
}

fn part(event: &Event) -> Option<Part> {
    let brand_id = event.brand_id.clone();
    match event.aggregate_type.as_str() {
        "brand" => Some(Part::Brands),
        "location" => Some(Part::Locations),
        "product" => Some(Part::Products { brand_id }),
        "stock" => Some(Part::Stock { brand_id }),
        _ => None,
    }
}

async fn refresh(model: Model<'_>, part: &Part, events: &[&Event]) -> Result<(), StoreError> {
    let ids: BTreeSet<&String> = events.iter().map(|event| &event.aggregate_id).collect();
    let ids: Vec<String> = ids.into_iter().cloned().collect();
    match part {
        Part::Brands => model.refresh_brands().await,
        Part::Locations => refresh_locations(model, &ids, events).await,
        Part::Products { brand_id } => model.refresh_products(brand_id, &ids).await,
        Part::Stock { brand_id } => model.refresh_stock(brand_id, &changes(events)).await,
    }
}

/// The balances that the events name, each once. An event that names none may be about any.
fn changes(events: &[&Event]) -> Vec<StockChange> {
    #[derive(Default, Deserialize)]
    struct Doc {
        #[serde(default)]
        locations: Vec<String>,
    }
    let mut changes = BTreeSet::new();
    for event in events {
        let doc: Doc = serde_json::from_str(&event.doc).unwrap_or_default();
        let anywhere = doc.locations.is_empty().then(String::new);
        for location_id in doc.locations.into_iter().chain(anywhere) {
            let sku = event.aggregate_id.clone();
            changes.insert(StockChange { sku, location_id });
        }
    }
    changes.into_iter().collect()
}

/// A location can serve several brands: those that it serves now, and the one that the
/// event names, which it may have left.
async fn refresh_locations(
    model: Model<'_>,
    ids: &[String],
    events: &[&Event],
) -> Result<(), StoreError> {
    let wanted = model.db.dialect().among("?1");
    let sql = format!("SELECT DISTINCT brand_id FROM brand_location WHERE location_id {wanted}");
    let rows = model
        .db
        .query(sql, values![serde_json::Value::from(ids).to_string()])
        .await?;
    let serving = rows.iter().map(|row| row.text("brand_id"));
    let named = events.iter().map(|event| Ok(event.brand_id.clone()));
    let brands = serving.chain(named).collect::<Result<BTreeSet<_>, _>>()?;
    for brand_id in brands.iter().filter(|brand_id| !brand_id.is_empty()) {
        model.refresh_locations(brand_id, ids).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: i64, aggregate_type: &str, brand_id: &str) -> Event {
        Event {
            seq,
            id: format!("e{seq}"),
            brand_id: brand_id.into(),
            aggregate_type: aggregate_type.into(),
            aggregate_id: "a".into(),
            kind: format!("{aggregate_type}.changed"),
            doc: "{}".into(),
            attempts: 0,
            created_at_ms: 0,
            dead_at_ms: None,
        }
    }

    #[test]
    fn an_event_of_stock_names_the_balances_that_changed() {
        let told = |seq, doc: &str| Event {
            doc: doc.into(),
            ..event(seq, "stock", "north")
        };
        let two = told(1, r#"{"locations": ["2", "1"]}"#);
        let again = told(2, r#"{"locations": ["1"]}"#);
        let change = |location_id: &str| StockChange {
            sku: "a".into(),
            location_id: location_id.into(),
        };
        assert_eq!(changes(&[&two, &again]), [change("1"), change("2")]);
        assert_eq!(changes(&[&two, &told(3, "{}")]), ["", "1", "2"].map(change));
    }

    #[test]
    fn events_are_grouped_by_what_they_touch() {
        let events = [
            event(1, "stock", "north"),
            event(2, "order", "north"),
            event(3, "stock", "south"),
            event(4, "stock", "north"),
            event(5, "location", "north"),
            event(6, "location", "south"),
        ];
        let parts = parts(&events);
        let seqs = |part| {
            parts[&part]
                .iter()
                .map(|event| event.seq)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            seqs(Some(Part::Stock {
                brand_id: "north".into()
            })),
            [1, 4]
        );
        assert_eq!(
            seqs(Some(Part::Stock {
                brand_id: "south".into()
            })),
            [3]
        );
        assert_eq!(seqs(Some(Part::Locations)), [5, 6]);
        assert_eq!(seqs(None), [2]);
    }
}
