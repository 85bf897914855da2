//! A sale at a till, and what leaves a store with a shopper.

use std::collections::BTreeMap;

use crate::cart::{self, Buyer, Context, Line, LineRequest, PriceList};
use crate::checkout::{OrderReference, Session};
use crate::fulfillment::MethodKind;
use crate::location::Location;
use crate::money;
use crate::notice::Refusal;
use crate::order::Order;
use crate::place;
use crate::plan::{Allocation, Demand, Plan, Shortage};
use crate::totals::{Taxed, Totals};

/// What is sold at a till, priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    pub lines: Vec<Line>,
    pub totals: Totals,
}

impl Sale {
    /// Prices `requests` for a sale over the counter of `store`, where it is also taxed.
    /// Refused: nothing, what the price list refuses, what is no longer in the range, and a
    /// store of which it is not clear what tax applies there.
    pub fn ring_up(
        requests: &[LineRequest],
        prices: &PriceList,
        store: &Location,
    ) -> Result<Self, Refusal> {
        if requests.is_empty() {
            return Err(Refusal::new("nothing_to_sell", "$.items", "no items"));
        }
        let address = &store.address;
        let place = place::find(
            prices.rates,
            &address.address_country,
            &address.address_region,
        )
        .map_err(|unclear| {
            let detail = format!("the store's own address: {}", unclear.detail());
            Refusal::new("store_place_unclear", "$", detail)
        })?;
        let lines = prices.lines(requests, &place)?;
        if let Some(index) = lines.iter().position(|line| !line.on_sale) {
            let path = format!("$.items[{index}]");
            return Err(Refusal::new("item_unavailable", path, "no longer sold"));
        }
        let amounts: Vec<Taxed> = lines.iter().map(|line| line.amount.clone()).collect();
        let totals = cart::add_up(&amounts, None, prices.brand)?;
        Ok(Self { lines, totals })
    }

    /// Units to take off the shelf of `location_id`.
    pub fn units(&self, location_id: &str) -> Vec<Allocation> {
        at(&cart::demand(&self.lines), location_id)
    }

    /// The articles of which there are fewer than are to be sold, by what is `available` of a
    /// SKU.
    pub fn shortages(&self, available: impl Fn(&str) -> i64) -> Vec<Shortage> {
        let wanted = cart::demand(&self.lines);
        let short = wanted.iter().filter_map(|(sku, requested)| {
            let available = available(sku).max(0);
            (available < requested).then(|| Shortage {
                sku: sku.to_owned(),
                requested,
                available,
            })
        });
        short.collect()
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
            payment_terms: None,
            notices: Vec::new(),
            order: Some(order.clone()),
            cart_version: None,
            hold_id: None,
            paid_by: String::new(),
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

/// Goods of an order that nobody collected and that are not kept any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Line id and pieces, in the order of the lines; at least one.
    pub lines: Vec<(String, i64)>,
    /// What was kept at the store, summed by SKU.
    pub units: Vec<Allocation>,
    /// Nothing was handed over before, and nothing else is owed to the shopper.
    pub is_whole_order: bool,
    /// What was paid for the pieces, with tax, in minor units.
    pub worth_minor: i64,
}

/// Notes in the order that what is left to collect at `location_id` will not be handed over
/// any more. `None`: nothing is left.
pub fn give_up(order: &mut Order, location_id: &str) -> Option<GivenUp> {
    let lines: Vec<(String, i64)> = collectable(order)
        .into_iter()
        .map(|(id, pieces)| (id.to_owned(), pieces))
        .collect();
    let (mut goods, mut worth_minor) = (Vec::new(), 0_i64);
    for (id, pieces) in &lines {
        for one in order.lines.iter_mut().filter(|one| one.line.id == *id) {
            one.cancelled += pieces;
            let part = paid_for(&one.line, *pieces, order.totals.tax_included);
            worth_minor = worth_minor.saturating_add(part);
            if one.line.requires_shipping {
                goods.push((one.line.sku.clone(), *pieces));
            }
        }
    }
    let goods = Demand::sum(goods.iter().map(|(sku, pieces)| (sku.as_str(), *pieces)));
    (!lines.is_empty()).then(|| GivenUp {
        units: at(&goods, location_id),
        is_whole_order: order
            .lines
            .iter()
            .all(|one| one.fulfilled == 0 && one.open() == 0),
        lines,
        worth_minor,
    })
}

/// The part of what a line cost that so many of its pieces are, tax and all: the pieces
/// of a line and the rest of it add up to the whole.
fn paid_for(line: &Line, pieces: i64, tax_included: bool) -> i64 {
    let added = if tax_included {
        0
    } else {
        line.amount.tax_minor
    };
    let whole = line.amount.amount_minor.saturating_add(added);
    let rest = money::share(whole, line.quantity - pieces, line.quantity);
    whole - rest.unwrap_or(whole)
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
        let left = one.open();
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Two coats and a service to be collected, three more coats to be sent.
    fn order() -> Order {
        let line = |id: &str, sku: &str, quantity: i64, goods: bool| {
            json!({
                "line": {
                    "id": id, "variant_id": "v", "sku": sku, "title": sku, "price_minor": 1000,
                    "tax_category": "", "requires_shipping": goods, "on_sale": true,
                    "quantity": quantity,
                    "amount": {"amount_minor": 1000 * quantity, "tax_minor": 0, "rate_ppm": 0},
                },
                "fulfilled": 0,
            })
        };
        let option = json!({"id": "o", "title": "", "description": "", "price_minor": 0});
        let address = json!({"address": {
            "id": "a", "street_address": null, "address_country": "DE",
        }});
        let promise = |kind: &str, lines: &[&str]| json!({"kind": kind, "line_ids": lines, "destination": address, "option": option});
        serde_json::from_value(json!({
            "id": "o", "number": "n", "checkout_session_id": "s", "currency": "EUR", "placed_at_ms": 0,
            "lines": [line("1", "COAT", 2, true), line("2", "HEM", 1, false), line("3", "COAT", 3, true)],
            "expectations": [promise("pickup", &["1", "2"]), promise("shipping", &["3"])],
            "plan": {"allocations": [], "reasons": []},
            "totals": {"subtotal_minor": 0, "tax_included": true, "total_minor": 0},
        }))
        .unwrap()
    }

    fn wanted(pieces: &[(&str, i64)]) -> Vec<(String, i64)> {
        pieces
            .iter()
            .map(|(id, count)| (id.to_string(), *count))
            .collect()
    }

    #[test]
    fn all_that_is_collected_leaves_and_nothing_that_is_sent() {
        let mut order = order();
        let leaving = hand_over(&mut order, &[], "here").unwrap();
        assert_eq!(leaving.lines, wanted(&[("1", 2), ("2", 1)]));
        let coats = Allocation {
            sku: "COAT".into(),
            location_id: "here".into(),
            quantity: 2,
        };
        assert_eq!(leaving.units, [coats]);
        assert!(leaving.completes);
        assert_eq!(leaving.worth_minor, 3_000);
        let fulfilled: Vec<i64> = order.lines.iter().map(|line| line.fulfilled).collect();
        assert_eq!(fulfilled, [2, 1, 0]);
        assert!(hand_over(&mut order, &[], "here").is_err());
    }

    #[test]
    fn a_part_leaves_the_rest() {
        let mut order = order();
        let leaving = hand_over(&mut order, &wanted(&[("1", 1)]), "here").unwrap();
        assert!(!leaving.completes);
        assert_eq!(collectable(&order), [("1", 1), ("2", 1)]);
    }

    #[test]
    fn what_is_not_collected_is_given_up_and_nothing_that_is_sent() {
        let mut order = order();
        hand_over(&mut order, &wanted(&[("1", 1)]), "here").unwrap();
        let given_up = give_up(&mut order, "here").unwrap();
        assert_eq!(given_up.lines, wanted(&[("1", 1), ("2", 1)]));
        assert_eq!(given_up.units[0].quantity, 1);
        assert_eq!(given_up.worth_minor, 2_000);
        assert!(!given_up.is_whole_order);
        assert_eq!(collectable(&order), []);
        assert_eq!(give_up(&mut order, "here"), None);
        assert!(hand_over(&mut order, &[], "here").is_err());
    }

    #[test]
    fn an_order_of_which_nothing_was_collected_is_over() {
        let mut order = order();
        order.lines.pop();
        order.lines[0].line.amount.tax_minor = 7;
        order.totals.tax_included = false;
        let given_up = give_up(&mut order, "here").unwrap();
        assert!(given_up.is_whole_order);
        assert_eq!(given_up.worth_minor, 3_007);
    }

    #[test]
    fn what_is_not_there_to_collect_is_refused_and_nothing_is_noted() {
        for (pieces, path) in [
            (wanted(&[("3", 1)]), "$.lines[0].line_id"),
            (wanted(&[("1", 0)]), "$.lines[0].quantity"),
            (wanted(&[("1", -1)]), "$.lines[0].quantity"),
            (wanted(&[("1", 3)]), "$.lines[0].quantity"),
            (wanted(&[("1", 1), ("1", 2)]), "$.lines[1].quantity"),
            (wanted(&[("1", 1), ("1", i64::MAX)]), "$.lines[1].quantity"),
        ] {
            let mut order = order();
            let refusal = hand_over(&mut order, &pieces, "here").unwrap_err();
            assert_eq!(refusal.path, path);
            assert!(order.lines.iter().all(|line| line.fulfilled == 0));
        }
    }
}
