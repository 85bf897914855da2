//! Goods from outside: what was announced beside what arrived.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The document of `delivery.doc`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Delivery {
    /// Units by SKU; absent when the supplier said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<BTreeMap<String, i64>>,
}

/// A SKU that was announced, or arrived, or both. Units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub sku: String,
    pub announced: Option<i64>,
    /// Can be sold.
    pub good: i64,
    pub damaged: i64,
}

impl Line {
    /// Beyond (positive) or short of what was announced.
    pub fn difference(&self) -> Option<i64> {
        Some(self.good + self.damaged - self.announced?)
    }
}

impl Delivery {
    /// What was announced beside what arrived, as (SKU, good, damaged), by SKU.
    pub fn lines(&self, arrived: impl IntoIterator<Item = (String, i64, i64)>) -> Vec<Line> {
        let announced = self.announced.as_ref();
        let line = |sku: &str, units: i64| Line {
            sku: sku.into(),
            announced: announced.map(|_| units),
            good: 0,
            damaged: 0,
        };
        let mut lines: BTreeMap<String, Line> = announced
            .into_iter()
            .flatten()
            .map(|(sku, units)| (sku.clone(), line(sku, *units)))
            .collect();
        for (sku, good, damaged) in arrived {
            let arrived = lines.entry(sku.clone()).or_insert_with(|| line(&sku, 0));
            (arrived.good, arrived.damaged) = (good, damaged);
        }
        lines.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_announced_is_a_difference_and_so_is_what_did_not_come() {
        let delivery = Delivery {
            announced: Some(BTreeMap::from([("A".into(), 5), ("C".into(), 2)])),
        };
        let lines = delivery.lines([("A".into(), 3, 1), ("B".into(), 2, 0)]);
        let seen: Vec<_> = lines
            .iter()
            .map(|line| (line.sku.as_str(), line.difference()))
            .collect();
        assert_eq!(seen, [("A", Some(-1)), ("B", Some(2)), ("C", Some(-2))]);
        let unannounced = Delivery::default().lines([("A".into(), 3, 0)]);
        assert_eq!(unannounced[0].difference(), None);
    }
}
