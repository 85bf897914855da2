//! Builds a method as the shop can serve it: its destinations, what was chosen of them,
//! and what still has to be said.

use super::Choice;
use super::methods::{Delivered, Delivery};
use crate::fulfillment::{
    self, Destination, Method, MethodKind, MethodRequest, PickupStore, ShippingAddress,
};
use crate::notice::{Notice, Refusal};
use crate::place::Unclear;
use crate::plan::{Demand, Shortage};

impl Delivery<'_> {
    pub(super) fn pickup(
        &self,
        index: usize,
        request: MethodRequest,
        line_ids: Vec<String>,
        out: &mut Delivered,
    ) -> Method {
        let path = format!("$.fulfillment.methods[{index}].selected_destination_id");
        let demand = self.demand_of(&line_ids);
        let mut stores = self.stores(&demand, request.selected_destination_id.as_deref());
        let mut selected = request.selected_destination_id.clone();
        if let Some(id) = &request.selected_destination_id
            && !stores.iter().any(|store| store.id == *id)
        {
            match self
                .before_store(id)
                .filter(|_| self.choice == Choice::Made)
            {
                Some(store) => stores.push(store),
                None => {
                    out.rejected
                        .push(self.cannot_collect(id, &demand, path.clone()));
                    selected = None;
                }
            }
        }
        if selected.is_none() && !line_ids.is_empty() {
            out.notices.push(match stores.is_empty() {
                false => Notice::error("missing", path, "Choose the store at which to collect."),
                true => {
                    let path = format!("$.fulfillment.methods[{index}]");
                    Notice::error(
                        "pickup_unavailable",
                        path,
                        "No store has everything that is to be collected, or can have it brought.",
                    )
                }
            });
        }
        let store = stores
            .iter()
            .find(|store| Some(&store.id) == selected.as_ref());
        let options = fulfillment::pickup_options(store);
        let destinations = stores.into_iter().map(Destination::Store).collect();
        self.with_option(
            index,
            Method {
                kind: MethodKind::Pickup,
                line_ids,
                destinations,
                selected_destination_id: selected,
                options,
                selected_option_id: request.selected_option_id,
                charge: None,
            },
            out,
        )
    }

    fn before_store(&self, id: &str) -> Option<PickupStore> {
        let stored = self
            .before?
            .methods
            .iter()
            .flat_map(|method| &method.destinations);
        stored
            .into_iter()
            .find_map(|destination| match destination {
                Destination::Store(store) if store.id == id => Some(store.clone()),
                _ => None,
            })
    }

    fn cannot_collect(&self, id: &str, demand: &Demand, path: String) -> Notice {
        let Some(store) = self
            .shop
            .locations
            .iter()
            .find(|location| location.id == id && location.hands_over())
        else {
            return Notice::error(
                "destination_unknown",
                path,
                "No store with this id hands over orders.",
            );
        };
        let short = self.shop.availability.shortages(demand, &[id]);
        if short.is_empty() {
            let text = format!("{} cannot say when the order would be ready.", store.name);
            return Notice::error("destination_unavailable", path, text);
        }
        let fact = |short: &Shortage| serde_json::json!({"sku": short.sku, "requested": short.requested, "available": short.available});
        Notice::error(
            "destination_unavailable",
            path,
            format!(
                "{} does not have everything, and it cannot be brought there.",
                store.name
            ),
        )
        .detail("short", short.iter().map(fact).collect::<Vec<_>>())
    }

    pub(super) fn shipping(
        &self,
        index: usize,
        request: MethodRequest,
        line_ids: Vec<String>,
        out: &mut Delivered,
    ) -> Result<Method, Refusal> {
        let path = format!("$.fulfillment.methods[{index}]");
        let addresses = self.addresses(&request, &path)?;
        let only = || match &addresses[..] {
            [address] => Some(address.id.clone()),
            _ => None,
        };
        let mut selected = request.selected_destination_id.clone().or_else(only);
        if selected
            .as_ref()
            .is_some_and(|id| !addresses.iter().any(|address| address.id == *id))
        {
            let text = "The checkout has no address with this id.";
            out.rejected.push(Notice::error(
                "destination_unknown",
                format!("{path}.selected_destination_id"),
                text,
            ));
            selected = None;
        }
        let place = addresses
            .iter()
            .position(|address| Some(&address.id) == selected.as_ref());
        let country = self.country_for(place.and_then(|place| addresses.get(place)));
        let options =
            fulfillment::shipping_options(self.shop.prices.brand, &country, self.shop.now_ms);
        if !line_ids.is_empty() {
            out.notices
                .extend(self.address_notice(&path, place, &addresses, options.is_empty()));
        }
        Ok(self.with_option(
            index,
            Method {
                kind: MethodKind::Shipping,
                line_ids,
                destinations: addresses.into_iter().map(Destination::Address).collect(),
                selected_destination_id: selected,
                options,
                selected_option_id: request.selected_option_id,
                charge: None,
            },
            out,
        ))
    }

    /// The request's addresses, each with an id; one that it only selects is kept from before.
    fn addresses(
        &self,
        request: &MethodRequest,
        path: &str,
    ) -> Result<Vec<ShippingAddress>, Refusal> {
        let Some(addresses) = &request.addresses else {
            let stored = self.before.into_iter().flat_map(|before| &before.methods);
            let kept = stored
                .flat_map(|method| &method.destinations)
                .find_map(|destination| match destination {
                    Destination::Address(address)
                        if Some(&address.id) == request.selected_destination_id.as_ref() =>
                    {
                        Some(address.clone())
                    }
                    _ => None,
                });
            return Ok(kept.into_iter().collect());
        };
        let mut given = Vec::<ShippingAddress>::new();
        for (place, address) in addresses.iter().enumerate() {
            let mut address = address.clone().in_codes();
            if address.id.is_empty() {
                address.id = format!("dest_{}", place + 1);
            }
            if given.iter().any(|earlier| earlier.id == address.id) {
                let path = format!("{path}.destinations[{place}].id");
                return Err(Refusal::new(
                    "invalid_id",
                    path,
                    "the id of another destination",
                ));
            }
            given.push(address);
        }
        Ok(given)
    }

    fn country_for(&self, address: Option<&ShippingAddress>) -> String {
        let hinted = || self.context.address_country.clone();
        let known = address
            .and_then(|address| address.address_country.clone())
            .or_else(hinted);
        known.unwrap_or_else(|| self.shop.prices.brand.country.clone())
    }

    fn address_notice(
        &self,
        path: &str,
        place: Option<usize>,
        addresses: &[ShippingAddress],
        no_options: bool,
    ) -> Option<Notice> {
        let Some(place) = place else {
            let path = format!("{path}.selected_destination_id");
            return Some(Notice::error("missing", path, "Say where to ship to."));
        };
        let path = format!("{path}.destinations[{place}]");
        let country = addresses
            .get(place)
            .and_then(|address| address.address_country.as_deref())
            .unwrap_or_default();
        match () {
            () if country.is_empty() => Some(Unclear::CountryMissing.notice(&path)),
            // Which tax applies there cannot be said either, and that asks.
            () if crate::place::country(country).is_none() => None,
            () if no_options => Some(Notice::error(
                "address_undeliverable",
                path,
                format!("We do not ship to {country}."),
            )),
            () => None,
        }
    }
}
