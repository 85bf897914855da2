//! What an order, a cart or a checkout still needs from elsewhere.

use std::collections::BTreeMap;

use crate::order::Order;
use crate::plan::{Allocation, Demand};
use crate::transfer::counts::Line;

/// A transfer as far as its units matter to whoever waits for them.
#[derive(Debug, Clone, Copy)]
pub struct Coming<'a> {
    pub is_open: bool,
    pub lines: &'a [Line],
}

/// Units that are still to be collected of the order's pickup, by SKU.
pub fn to_collect(order: &Order) -> Demand {
    let pickup = order.pickup();
    let line_ids = pickup.map_or(&[][..], |pickup| pickup.line_ids.as_slice());
    let lines = order
        .lines
        .iter()
        .filter(|own| line_ids.contains(&own.line.id));
    Demand::sum(lines.map(|own| (own.line.sku.as_str(), own.open())))
}

/// What of `wanted` is neither set aside (`held`, at the place where it is wanted) nor
/// `coming` there.
pub fn lacking<'a>(
    wanted: &Demand,
    held: &[Allocation],
    coming: impl IntoIterator<Item = Coming<'a>>,
) -> Demand {
    let mut provided = BTreeMap::<&str, i64>::new();
    for one in held {
        *provided.entry(&one.sku).or_default() += one.quantity;
    }
    for line in coming
        .into_iter()
        .filter(|one| one.is_open)
        .flat_map(|one| one.lines)
    {
        *provided.entry(&line.sku).or_default() += outstanding(line);
    }
    let lacks = wanted.iter().map(|(sku, units)| {
        let provided = provided.get(sku).copied().unwrap_or_default();
        (sku, units - provided)
    });
    Demand::sum(lacks)
}

/// Units that an open transfer is still to bring: all, until it has left.
fn outstanding(line: &Line) -> i64 {
    match line.shipped {
        0 => line.requested,
        _ => line.in_transit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(quantity: i64) -> Allocation {
        Allocation {
            sku: "A".into(),
            location_id: "here".into(),
            quantity,
        }
    }

    #[test]
    fn what_is_here_or_on_its_way_is_not_lacking() {
        let wanted = Demand::sum([("A", 5), ("B", 1)]);
        let mut on_its_way = Line::new("A", 2);
        fn open(line: &Line) -> Coming<'_> {
            Coming {
                is_open: true,
                lines: std::slice::from_ref(line),
            }
        }
        let lacks = |line: &Line| lacking(&wanted, &[held(2)], [open(line)]);
        assert_eq!(lacks(&on_its_way), Demand::sum([("A", 1), ("B", 1)]));
        on_its_way.ship(1).unwrap();
        assert_eq!(lacks(&on_its_way).units("A"), 2);
        let over = Coming {
            is_open: false,
            lines: std::slice::from_ref(&on_its_way),
        };
        assert_eq!(lacking(&wanted, &[held(2)], [over]).units("A"), 3);
    }
}
