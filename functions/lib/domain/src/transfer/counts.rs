//! The units of a transfer as they are counted on their way.

use serde::{Deserialize, Serialize};

/// A row of table `transfer_line`, all counts from the transfer's beginning:
/// shipped + surplus = in transit + received + damaged + missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Line {
    pub sku: String,
    pub requested: i64,
    pub shipped: i64,
    /// Good units that reached the destination's shelf, those beyond what was sent included.
    pub received: i64,
    pub damaged: i64,
    /// Never arrived, as was found when the transfer was closed.
    pub missing: i64,
    /// Arrived beyond what was sent, as far as the sender's count goes.
    pub surplus: i64,
    pub in_transit: i64,
}

impl Line {
    pub fn new(sku: &str, requested: i64) -> Self {
        Self {
            sku: sku.into(),
            requested,
            ..Self::default()
        }
    }

    /// `quantity` of the requested units leave; the rest does not come with this transfer.
    /// `None` when that is negative or more than was requested.
    pub fn ship(&mut self, quantity: i64) -> Option<()> {
        if !(0..=self.requested).contains(&quantity) {
            return None;
        }
        (self.shipped, self.in_transit) = (quantity, quantity);
        Some(())
    }

    /// So many units are unpacked at the destination; answers how many of them nobody had sent.
    pub fn receive(&mut self, good: i64, damaged: i64) -> i64 {
        let arrived = good.saturating_add(damaged);
        let surplus = arrived.saturating_sub(self.in_transit).max(0);
        self.in_transit -= arrived - surplus;
        self.received += good;
        self.damaged += damaged;
        self.surplus += surplus;
        surplus
    }

    /// What is still in transit will not come; answers how many units that are.
    pub fn give_up(&mut self) -> i64 {
        let missing = std::mem::take(&mut self.in_transit);
        self.missing += missing;
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_whole(line: &Line) -> bool {
        line.shipped + line.surplus == line.in_transit + line.received + line.damaged + line.missing
    }

    proptest! {
        #[test]
        fn no_unit_is_lost_however_it_arrives(
            requested in 1..50_i64,
            kept_back in 0..50_i64,
            arrivals in prop::collection::vec((0..20_i64, 0..5_i64), 0..6),
        ) {
            let mut line = Line::new("A", requested);
            line.ship((requested - kept_back).max(0)).unwrap();
            for (good, damaged) in arrivals {
                line.receive(good, damaged);
                prop_assert!(is_whole(&line) && line.in_transit >= 0);
            }
            let missing = line.give_up();
            prop_assert_eq!((line.in_transit, line.missing), (0, missing));
            prop_assert!(is_whole(&line));
        }
    }

    #[test]
    fn what_was_not_asked_for_cannot_leave() {
        let mut line = Line::new("A", 2);
        assert_eq!((line.ship(3), line.ship(-1)), (None, None));
        assert_eq!(line, Line::new("A", 2));
    }

    #[test]
    fn what_arrives_beyond_what_was_sent_is_a_surplus() {
        let mut line = Line::new("A", 3);
        line.ship(3).unwrap();
        assert_eq!(line.receive(2, 0), 0);
        assert_eq!(line.receive(2, 1), 2);
        assert_eq!((line.received, line.damaged, line.surplus), (4, 1, 2));
    }
}
