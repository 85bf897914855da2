//! How the stock of one SKU reaches a shopper: collected at a store, or shipped.

use std::collections::BTreeMap;

use crate::location::Location;

/// Units of one SKU that can be promised, by what the locations that hold them do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Supply {
    at: BTreeMap<String, i64>,
    shippable: i64,
    collectable: i64,
}

impl Supply {
    /// Sums `(location id, available units)`. What lies at a place that does not trade
    /// under the brand, and what is not positive, cannot be promised and is left out.
    pub fn new<'a>(
        locations: &[Location],
        levels: impl IntoIterator<Item = (&'a str, i64)>,
    ) -> Self {
        let mut supply = Self::default();
        for (location_id, available) in levels {
            let Some(location) = locations.iter().find(|location| location.id == location_id)
            else {
                continue;
            };
            if available <= 0 {
                continue;
            }
            supply.at.insert(location_id.to_owned(), available);
            if location.services.ship {
                supply.shippable = supply.shippable.saturating_add(available);
            }
            if location.hands_over() {
                supply.collectable = supply.collectable.saturating_add(available);
            }
        }
        supply
    }

    /// Units at one location; never negative.
    pub fn at(&self, location_id: &str) -> i64 {
        self.at.get(location_id).copied().unwrap_or_default()
    }

    /// Units at all locations that ship, shown as one figure: it tells nothing about any one warehouse.
    pub fn shippable(&self) -> i64 {
        self.shippable
    }

    /// Units at all stores that hand over orders.
    pub fn collectable(&self) -> i64 {
        self.collectable
    }

    /// Whether a shopper can get one at all.
    pub fn is_obtainable(&self) -> bool {
        self.shippable > 0 || self.collectable > 0
    }

    /// The store nearest to `origin`, itself excepted, that hands over and has one, with its distance.
    pub fn nearest_to<'l>(
        &self,
        origin: &Location,
        locations: &'l [Location],
    ) -> Option<(&'l Location, i64)> {
        locations
            .iter()
            .filter(|other| other.id != origin.id && other.hands_over() && self.at(&other.id) > 0)
            .map(|other| (other, crate::geo::distance_m(origin.geo, other.geo)))
            .min_by(|(a, near), (b, far)| near.cmp(far).then_with(|| a.id.cmp(&b.id)))
    }
}
