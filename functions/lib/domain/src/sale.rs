//! A sale at a till, and what leaves a store with a shopper.

use std::collections::BTreeMap;

use crate::cart::{self, Buyer, Context, Line, LineRequest, PriceList};
use crate::checkout::{OrderReference, Session};
use crate::fulfillment::MethodKind;
use crate::location::Location;
use crate::notice::Refusal;
use crate::order::Order;
use crate::plan::{Allocation, Demand, Plan};
use crate::tax::TaxPlace;
use crate::totals::{Taxed, Totals};

/// What is sold at a till, priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    pub lines: Vec<Line>,
    pub totals: Totals,
}

impl Sale {
    /// Prices `requests` for a sale over the counter of `store`, where it is also taxed.
    /// Refused: nothing, what the price list refuses, and what is no longer in the range.
    pub fn ring_up(
        requests: &[LineRequest],
        prices: &PriceList,
        store: &Location,
    ) -> Result<Self, Refusal> {
        if requests.is_empty() {
            return Err(Refusal::new("nothing_to_sell", "$.items", "no items"));
        }
        let address = &store.address;
        let place = TaxPlace::new(&address.address_country, &address.address_region);
        let lines = prices.lines(requests, &place)?;
        if let Some(index) = lines.iter().position(|line| !line.on_sale) {
            let path = format!("$.items[{index}]");
            return Err(Refusal::new("item_unavailable", path, "no longer sold"));
        }
        let amounts: Vec<Taxed> = lines.iter().map(|line| line.amount).collect();
        let totals = cart::add_up(&amounts, None, prices.brand)?;
        Ok(Self { lines, totals })
    }

    /// Units to take off the shelf of `location_id`.
    pub fn units(&self, location_id: &str) -> Vec<Allocation> {
        at(&cart::demand(&self.lines), location_id)
    }

    /// The checkout that this sale was, for the order book.
    pub fn session(
        &self,
        currency: &str,
        buyer: Buyer,
        location_id: &str,
        order: &OrderReference,
    ) -> Session {
        Session {
            currency: currency.to_owned(),
            lines: self.lines.clone(),
            buyer,
            context: Context {
                location: Some(location_id.to_owned()),
                ..Context::default()
            },
            methods: Vec::new(),
            available_methods: Vec::new(),
            plan: Plan {
                allocations: self.units(location_id),
                ..Plan::default()
            },
            totals: self.totals.clone(),
            notices: Vec::new(),
            order: Some(order.clone()),
        }
    }
}

/// Units of goods of an order that are to leave a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// Line id and pieces, in the order of the lines; at least one.
    pub lines: Vec<(String, i64)>,
    /// What leaves the shelf, summed by SKU.
    pub units: Vec<Allocation>,
    /// Nothing is left to collect afterwards.
    pub completes: bool,
    /// What the pieces are worth, in minor units, as priced, without tax that is added.
    pub worth_minor: i64,
}

/// What can be collected of the order: line id and pieces that were not handed over yet.
pub fn collectable(order: &Order) -> Vec<(&str, i64)> {
    let collected = order
        .expectations
        .iter()
        .filter(|expected| expected.kind == MethodKind::Pickup)
        .flat_map(|expected| &expected.line_ids);
    let collected: Vec<&String> = collected.collect();
    let open = order.lines.iter().filter_map(|one| {
        let left = one.line.quantity - one.fulfilled;
        (left > 0 && collected.contains(&&one.line.id)).then_some((one.line.id.as_str(), left))
    });
    open.collect()
}

/// Hands `wanted` pieces over at `location_id`, all that can be collected when it is empty,
/// and notes that in the order. Refused: a line that is not to be collected, or more pieces
/// than are left of it.
pub fn hand_over(
    order: &mut Order,
    wanted: &[(String, i64)],
    location_id: &str,
) -> Result<HandOver, Refusal> {
    let left: BTreeMap<String, i64> = collectable(order)
        .into_iter()
        .map(|(id, pieces)| (id.to_owned(), pieces))
        .collect();
    let mut taken = BTreeMap::<&str, i64>::new();
    for (index, (id, pieces)) in wanted.iter().enumerate() {
        let refused = |member: &str, detail: &str| {
            let path = format!("$.lines[{index}].{member}");
            Err(Refusal::new("invalid_lines", path, detail))
        };
        let Some(most) = left.get(id) else {
            return refused("line_id", "nothing of such a line is left to collect");
        };
        let sum = taken.entry(id).or_default();
        *sum = sum.saturating_add(*pieces);
        if *pieces < 1 || *sum > *most {
            return refused("quantity", "not within 1 and what is left of the line");
        }
    }
    if wanted.is_empty() {
        taken.extend(left.iter().map(|(id, pieces)| (id.as_str(), *pieces)));
    }
    let (mut lines, mut goods, mut worth_minor) = (Vec::new(), Vec::new(), 0_i64);
    for one in &mut order.lines {
        let Some(pieces) = taken.get(one.line.id.as_str()).copied() else {
            continue;
        };
        one.fulfilled += pieces;
        lines.push((one.line.id.clone(), pieces));
        worth_minor = worth_minor.saturating_add(one.line.price_minor.saturating_mul(pieces));
        if one.line.requires_shipping {
            goods.push((one.line.sku.clone(), pieces));
        }
    }
    if lines.is_empty() {
        return Err(Refusal::new(
            "invalid_lines",
            "$.lines",
            "nothing is left to collect",
        ));
    }
    let goods = Demand::sum(goods.iter().map(|(sku, pieces)| (sku.as_str(), *pieces)));
    Ok(HandOver {
        lines,
        units: at(&goods, location_id),
        completes: collectable(order).is_empty(),
        worth_minor,
    })
}

fn at(demand: &Demand, location_id: &str) -> Vec<Allocation> {
    let allocation = |(sku, quantity): (&str, i64)| Allocation {
        sku: sku.to_owned(),
        location_id: location_id.to_owned(),
        quantity,
    };
    demand.iter().map(allocation).collect()
}
