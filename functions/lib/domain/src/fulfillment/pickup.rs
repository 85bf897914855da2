//! Stores for collection: those that have everything, and those to which others bring it.

use std::cmp::Reverse;

use super::{
    DeliveryOption, Incoming, MAX_PICKUP_DESTINATIONS, MethodKind, PickupReason, PickupStore,
};
use crate::brand::Brand;
use crate::collection::Network;
use crate::geo;
use crate::hours;
use crate::instant;
use crate::location::Location;
use crate::plan::{Availability, Demand};
use crate::transfer::PlannedTransfer;

/// What stores for collection are looked for by.
pub struct PickupSearch<'a> {
    pub brand: &'a Brand,
    pub network: Network<'a>,
    pub demand: &'a Demand,
    pub availability: &'a Availability,
    /// Id of the store that the shopper has chosen; always found when it can serve.
    pub selected: Option<&'a str>,
    /// Id or code of the store that the shopper looks at; likewise.
    pub context_location: Option<&'a str>,
}

impl PickupSearch<'_> {
    /// The stores that can hand over the whole demand themselves, nearest to the store in
    /// the shopper's context first, without one those that have most of it; then those to
    /// which others bring what they lack. At most [`MAX_PICKUP_DESTINATIONS`].
    pub fn stores(&self) -> Vec<PickupStore> {
        let (complete, lacking) = self.complete();
        let ready = |location: &Location| self.ready(location);
        let mut stores = self.first_of(complete, MAX_PICKUP_DESTINATIONS, ready);
        let room = MAX_PICKUP_DESTINATIONS.saturating_sub(stores.len());
        let (named, others): (Vec<_>, Vec<_>) = lacking
            .into_iter()
            .partition(|location| self.matters(&location.id));
        let in_order = named.into_iter().chain(others);
        let brought = |location: &Location| self.with_transfers(location);
        stores.extend(self.first_of(in_order, room, brought));
        self.truncated(stores)
    }

    /// What `make` makes of the first places, until it has `most` of them; of those that
    /// matter to the shopper always.
    fn first_of<'l>(
        &self,
        places: impl IntoIterator<Item = &'l Location>,
        most: usize,
        make: impl Fn(&Location) -> Option<PickupStore>,
    ) -> Vec<PickupStore> {
        let mut others = 0;
        let store = |location: &'l Location| {
            let matters = self.matters(&location.id);
            if !matters && others >= most {
                return None;
            }
            let store = make(location)?;
            others += usize::from(!matters);
            Some(store)
        };
        places.into_iter().filter_map(store).collect()
    }

    /// One store that can hand over the whole demand, the nearest that can do so itself.
    pub fn first(&self) -> Option<PickupStore> {
        let (complete, lacking) = self.complete();
        let ready = complete
            .into_iter()
            .find_map(|location| self.ready(location));
        let mut lacking = lacking.into_iter();
        ready.or_else(|| lacking.find_map(|location| self.with_transfers(location)))
    }

    /// The stores that have everything, and the places that may have it brought to them.
    fn complete(&self) -> (Vec<&Location>, Vec<&Location>) {
        let here = self.here();
        let units = |location: &Location| {
            let units = |(sku, _)| self.availability.at(sku, &location.id);
            let all = self.demand.iter().map(units);
            all.fold(0, |sum: i64, units| sum.saturating_add(units))
        };
        let mut places: Vec<(Option<i64>, Reverse<i64>, &Location)> = self
            .network
            .locations
            .iter()
            .filter(|location| location.hands_over())
            .map(|location| match here {
                Some(here) => {
                    let distance_m = geo::distance_m(here.geo, location.geo);
                    (Some(distance_m), Reverse(0), location)
                }
                None => (None, Reverse(units(location)), location),
            })
            .collect();
        places.sort_by_key(|(distance_m, units, location)| {
            let elsewhere = here.is_none_or(|here| here.id != location.id);
            (*distance_m, elsewhere, *units, &location.name, &location.id)
        });
        let has_all = |location: &&Location| {
            let short = self.availability.shortages(self.demand, &[&location.id]);
            short.is_empty()
        };
        let places = places.into_iter().map(|(_, _, location)| location);
        let (complete, mut lacking): (Vec<_>, Vec<_>) = places.partition(has_all);
        if !self.can_be_brought() {
            lacking.clear();
        }
        (complete, lacking)
    }

    /// A store that has everything.
    fn ready(&self, location: &Location) -> Option<PickupStore> {
        let reason = vec![PickupReason::HasEverything];
        self.store(location, None, Vec::new(), reason)
    }

    /// Saves asking every store for what all of them together do not have.
    fn can_be_brought(&self) -> bool {
        let ids: Vec<&str> = self
            .network
            .locations
            .iter()
            .map(|location| location.id.as_str())
            .collect();
        let ways = !self.network.lanes.is_empty() || !self.network.held.is_empty();
        ways && self.availability.shortages(self.demand, &ids).is_empty()
    }

    fn with_transfers(&self, location: &Location) -> Option<PickupStore> {
        let plan = self
            .network
            .plan_at(self.demand, self.availability, location)
            .ok()?;
        let here_now = plan
            .allocations
            .iter()
            .fold(0, |sum: i64, one| sum.saturating_add(one.quantity));
        let part = (here_now > 0).then_some(PickupReason::HasPart);
        let reasons = part.into_iter().chain([PickupReason::TransferNeeded]);
        let incoming = plan.transfers().map(|planned| self.incoming(planned));
        self.store(
            location,
            Some(here_now),
            incoming.collect(),
            reasons.collect(),
        )
    }

    fn incoming(&self, planned: &PlannedTransfer) -> Incoming {
        let from = self
            .network
            .locations
            .iter()
            .find(|location| location.id == planned.from_location_id);
        Incoming {
            from_location_id: planned.from_location_id.clone(),
            from_name: from
                .filter(|location| location.visible)
                .map(|location| location.name.clone()),
            quantity: planned.pieces(),
            arrives_at_ms: planned.eta.arrives_at_ms,
            ready_at_ms: planned.eta.ready_at_ms,
            reasons: planned.eta.reasons.clone(),
        }
    }

    /// `None` when the store's hours are not known or it stays closed: no promise can be made.
    fn store(
        &self,
        location: &Location,
        here_now: Option<i64>,
        incoming: Vec<Incoming>,
        mut reasons: Vec<PickupReason>,
    ) -> Option<PickupStore> {
        let now_ms = self.network.now_ms;
        let prepared = hours::ready_at_ms(location, now_ms, location.preparation_minutes)?;
        let brought = incoming.iter().map(|incoming| incoming.ready_at_ms).max();
        let ready_at_ms = brought.map_or(prepared, |brought| brought.max(prepared));
        let here = self.here();
        reasons.push(if hours::is_open_at(location, now_ms) {
            PickupReason::OpenNow
        } else {
            PickupReason::OpensLater
        });
        if here.is_some_and(|here| here.id == location.id) {
            reasons.push(PickupReason::StoreInContext);
        }
        Some(PickupStore {
            id: location.id.clone(),
            name: location.name.clone(),
            address: location.address.clone(),
            time_zone: location.time_zone.clone(),
            ready_at_ms,
            pickup_by_ms: self.brand.kept_until_ms(ready_at_ms),
            distance_m: here.map(|here| geo::distance_m(here.geo, location.geo)),
            reasons,
            here_now,
            incoming,
        })
    }

    fn here(&self) -> Option<&Location> {
        self.network.locations.iter().find(|location| {
            Some(location.id.as_str()) == self.context_location
                || Some(location.code.as_str()) == self.context_location
        })
    }

    /// Chosen or looked at.
    fn matters(&self, id: &str) -> bool {
        self.selected == Some(id) || self.here().is_some_and(|here| here.id == id)
    }

    /// Without the last of those that nobody asked for, as far as there are too many.
    fn truncated(&self, mut stores: Vec<PickupStore>) -> Vec<PickupStore> {
        while stores.len() > MAX_PICKUP_DESTINATIONS {
            let last = stores.iter().rposition(|store| !self.matters(&store.id));
            stores.remove(last.unwrap_or(MAX_PICKUP_DESTINATIONS));
        }
        stores
    }
}

/// The one way to collect: at no charge.
pub fn pickup_options(store: Option<&PickupStore>) -> Vec<DeliveryOption> {
    let description = match store {
        Some(store) => format!(
            "{}Ready from {} at {}, kept until {}",
            transferred(store),
            instant::rfc3339_in(store.ready_at_ms, &store.time_zone),
            store.name,
            instant::rfc3339_in(store.pickup_by_ms, &store.time_zone),
        ),
        None => "Collect at a store of your choice".to_owned(),
    };
    vec![DeliveryOption {
        id: MethodKind::Pickup.name().to_owned(),
        title: "Pick up in store".to_owned(),
        description,
        price_minor: 0,
        earliest_ms: store.map(|store| store.ready_at_ms),
        latest_ms: store.map(|store| store.pickup_by_ms),
    }]
}

/// `2 here now, 1 transferred from Hamburg, ready Thursday 14:00. `, or nothing.
fn transferred(store: &PickupStore) -> String {
    if store.incoming.is_empty() {
        return String::new();
    }
    let here = store.here_now.filter(|pieces| *pieces > 0);
    let parts = here.map(|pieces| format!("{pieces} here now")).into_iter();
    let brought = store.incoming.iter().map(|incoming| {
        let from = incoming.from_name.as_deref().unwrap_or("our warehouse");
        format!("{} transferred from {from}", incoming.quantity)
    });
    let ready = instant::day_and_time_in(store.ready_at_ms, &store.time_zone);
    let words = parts.chain(brought).collect::<Vec<_>>().join(", ");
    format!("{words}, ready {ready}. ")
}
