//! The places that a decision looks at: those that the shopper names, those around, those
//! that have most of what is wanted, those that ship, and those that could send goods to
//! where they are wanted. Of thousands of stores these are enough for nearly every basket;
//! where they are not, all that have any of it are looked at, once.

use std::collections::HashSet;

use aisle_domain::brand::Brand;
use aisle_domain::fulfillment;
use aisle_domain::lane::Lane;
use aisle_domain::location::Location;
use aisle_domain::places::{Nearest, Place};
use aisle_domain::plan::{Availability, Demand};
use aisle_http::Call;
use aisle_store::model::{Read, Ref, Summary, most_of, stock_at};
use aisle_store::{Dialect, StoreError};

/// Stores around the one that the shopper looks at.
const AROUND: usize = 40;
/// Places that have most of an article.
pub const MOST: usize = 80;
/// Places that ship, warehouses first.
pub const SHIPPING: usize = 60;
/// Ways on which what lies somewhere could be brought elsewhere.
const LANES: usize = 100;
/// Of so many articles of a basket the rarest is looked for around a store.
const LOOKED_AT: usize = 5;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Of each article the places that are likely to matter.
    Candidates,
    /// All places that have any of it.
    All,
}

/// Ids of the stores that the request names, by `names` (ids and codes), and of those around
/// the one that the shopper looks at.
pub async fn named(
    call: &Call,
    brand: &Brand,
    names: &[&str],
    context: Option<&str>,
    items: &[&str],
) -> Result<Vec<String>, StoreError> {
    let model = call.model();
    let asked: Vec<&str> = context.iter().chain(names).copied().collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let found = model.locations_named(&brand.id, &asked).await?;
    let here = found
        .first()
        .cloned()
        .flatten()
        .filter(|_| context.is_some());
    let known = found.iter().flatten();
    let mut ids: Vec<String> = known.map(|location| location.id.clone()).collect();
    let Some(here) = here else {
        return Ok(ids);
    };
    let hands_over = |place: &Place| place.hands_over;
    let from = here.geo.into();
    let nearest = Nearest::new(AROUND, None);
    let around = model.nearest_places(&brand.id, from, nearest, hands_over);
    ids.extend(around.await?.0.into_iter().map(|near| near.id));
    if let Some(rarest) = rarest(call, brand, items).await? {
        let nearest = Nearest::new(AROUND, None);
        let with_it = model.nearest_with(&brand.id, &rarest, from, nearest, hands_over);
        ids.extend(with_it.await?.0.into_iter().map(|near| near.id));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// The article that the fewest places have.
async fn rarest(
    call: &Call,
    brand: &Brand,
    items: &[&str],
) -> Result<Option<std::rc::Rc<Read<Summary>>>, StoreError> {
    let readings = items.iter().take(LOOKED_AT).map(|item| Ref::readings(item));
    let readings: Vec<Vec<Ref>> = readings.collect();
    let targets = call.model().resolve_any(&brand.id, &readings).await?;
    let skus = targets
        .into_iter()
        .flatten()
        .filter_map(|target| target.sku);
    let stock = call
        .model()
        .stock(&brand.id, &skus.collect::<Vec<_>>())
        .await?;
    Ok(stock.into_iter().flatten().min_by_key(|stock| stock.places))
}

/// The table expressions `named` (the stores in `named`, a JSON array, and those that
/// `stored` selects), `ship` and `have`: the balances, of table `item`, that are looked at.
pub fn expressions(dialect: Dialect, named: &str, stored: &[String], width: Width) -> String {
    let listed = dialect.listed(named, "id");
    let named: String = std::iter::once(listed)
        .chain(stored.iter().cloned())
        .collect::<Vec<_>>()
        .join(" UNION ");
    let ship = format!(
        "SELECT p.location_id AS id FROM place p CROSS JOIN brand_location b \
         WHERE p.ships = 1 AND b.brand_id = ?1 AND b.location_id = p.location_id ORDER BY p.warehouse DESC, p.location_id LIMIT {SHIPPING}"
    );
    let have = match width {
        Width::All => "SELECT s.sku, s.location_id, s.on_hand, s.reserved, s.safety FROM item i CROSS JOIN stock s \
             WHERE s.brand_id = ?1 AND s.sku = i.sku AND s.on_hand > 0"
            .to_owned(),
        Width::Candidates => {
            let at = stock_at(dialect, "item", "candidate");
            format!("SELECT h.* FROM ({at}) h WHERE h.on_hand > 0")
        }
    };
    let most = most_of(dialect, "item", MOST);
    format!(
        ", named AS ({named}), ship AS ({ship}), \
         candidate AS (SELECT id FROM named UNION SELECT id FROM ship \
           UNION SELECT m.location_id FROM ({most}) m \
           UNION SELECT l.from_location_id FROM transfer_lane l WHERE l.brand_id = ?1 AND l.to_location_id IN (SELECT id FROM named)), \
         have AS ({have})"
    )
}

/// Parts of the statement: a row for each place that is named, and how many ship.
pub const PARTS: [&str; 3] = [
    "SELECT 'named', n.id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM named n \
     WHERE n.id IS NOT NULL",
    "SELECT 'ships', NULL, NULL, NULL, NULL, CAST(count(*) AS BIGINT), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM ship",
    "SELECT 'stock', h.sku, h.location_id, NULL, NULL, h.on_hand, h.reserved, h.safety, NULL, NULL, \
     NULL, NULL, NULL, NULL FROM have h",
];

/// Parts of the statement: the ways from where any of the items lies, those to the named
/// stores and some of the others.
pub fn lanes() -> [String; 2] {
    let lane = "SELECT 'lane', l.from_location_id, l.to_location_id, NULL, NULL, NULL, NULL, NULL, NULL, l.doc, \
        NULL, NULL, NULL, NULL FROM";
    let leaving = "transfer_lane l WHERE l.brand_id = ?1 AND l.from_location_id IN (SELECT location_id FROM have)";
    [
        format!("{lane} {leaving} AND l.to_location_id IN (SELECT id FROM named)"),
        format!(
            "{lane} (SELECT l.from_location_id, l.to_location_id, l.doc FROM {leaving} \
             ORDER BY l.from_location_id, l.to_location_id LIMIT {LANES}) l"
        ),
    ]
}

/// Each way once.
pub fn distinct(lanes: &mut Vec<Lane>) {
    let mut seen = HashSet::new();
    lanes.retain(|lane| seen.insert((lane.from_location_id.clone(), lane.to_location_id.clone())));
}

/// What was read of the places that have the items.
pub struct Seen<'a> {
    pub availability: &'a Availability,
    pub locations: &'a [Location],
    /// Rows read of each SKU.
    pub rows: &'a dyn Fn(&str) -> usize,
    /// Places that ship were left out.
    pub more_ship: bool,
}

impl Seen<'_> {
    /// Whether `wanted` may be had where it was not looked for, and cannot be had here: then
    /// it is worth to look at all places.
    pub fn falls_short(&self, wanted: &Demand) -> bool {
        let is_cut = |sku: &str| (self.rows)(sku) >= MOST;
        let cut = Demand::sum(wanted.iter().filter(|(sku, _)| is_cut(sku)));
        if cut.is_empty() {
            return false;
        }
        let selling = fulfillment::selling_locations(self.locations);
        let shipping = fulfillment::shipping_locations(self.locations);
        let shipping: Vec<&str> = shipping.iter().map(|place| place.id.as_str()).collect();
        let short = |places: &[&str]| !self.availability.shortages(&cut, places).is_empty();
        if short(&selling) || self.more_ship && short(&shipping) {
            return true;
        }
        // Of what is not cut every place is known, so that no further one has everything.
        let all_cut = wanted.iter().all(|(sku, _)| is_cut(sku));
        let has_all = |location: &Location| {
            let short = self.availability.shortages(wanted, &[&location.id]);
            location.hands_over() && short.is_empty()
        };
        all_cut && !self.locations.iter().any(has_all)
    }
}
