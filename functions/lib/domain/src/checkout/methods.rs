//! Arranges delivery: assigns lines to methods, offers destinations and options, takes
//! over what was chosen, and plans where the goods come from.

use super::{Choice, Session, Shop};
use crate::cart::{self, Context, Line, PriceList};
use crate::fulfillment::{
    self, AvailableMethod, Destination, Method, MethodKind, MethodRequest, PickupSearch,
    PickupStore,
};
use crate::instant;
use crate::notice::{Notice, Refusal};
use crate::place::Unclear;
use crate::plan::{self, Availability, Demand, Plan, Shortage};
use crate::tax::TaxPlace;

pub(super) struct Delivery<'a> {
    pub lines: &'a [Line],
    pub context: &'a Context,
    pub before: Option<&'a Session>,
    pub shop: &'a Shop<'a>,
    pub choice: Choice,
}

#[derive(Default)]
pub(super) struct Delivered {
    pub methods: Vec<Method>,
    pub available_methods: Vec<AvailableMethod>,
    pub plan: Plan,
    pub notices: Vec<Notice>,
    /// Choices that cannot be honoured.
    pub rejected: Vec<Notice>,
}

/// Where a method's goods are taxed, once its destination is chosen, and what has to be asked
/// first.
pub(super) fn tax_place(
    method: &Method,
    prices: &PriceList,
) -> Option<(TaxPlace, Option<Unclear>)> {
    let (country, region) = method.destination()?.country_and_region();
    (!country.is_empty()).then(|| prices.place_or_estimate(country, region))
}

/// Asks what is not clear of the destination of method `index`: the shopper about an address,
/// or for another store than one that cannot tell its tax.
pub(super) fn question(index: usize, method: &Method, unclear: &Unclear) -> Option<Notice> {
    let path = format!("$.fulfillment.methods[{index}]");
    match method.destination()? {
        Destination::Address(address) => {
            let place = method
                .destinations
                .iter()
                .position(|one| one.id() == address.id)?;
            Some(unclear.notice(&format!("{path}.destinations[{place}]")))
        }
        Destination::Store(store) => Some(Notice::error(
            "store_place_unclear",
            format!("{path}.selected_destination_id"),
            format!(
                "{} cannot say which tax applies there; choose another store or tell the shop.",
                store.name
            ),
        )),
    }
}

impl Delivery<'_> {
    /// `gone` are lines that the request may name although they are left out.
    pub fn arrange(
        &self,
        requests: Vec<MethodRequest>,
        gone: &[&str],
    ) -> Result<Delivered, Refusal> {
        let goods: Vec<&str> = self.goods().map(|line| line.id.as_str()).collect();
        let requests = if requests.is_empty() {
            self.proposal(&goods)
        } else {
            requests
        };
        let mut named = goods.clone();
        named.extend(gone);
        named.extend(
            self.lines
                .iter()
                .filter(|line| !line.requires_shipping)
                .map(|line| line.id.as_str()),
        );
        let mut assigned = fulfillment::assign_lines(&requests, &named)?;
        assigned
            .iter_mut()
            .for_each(|ids| ids.retain(|id| goods.contains(&id.as_str())));
        let mut out = Delivered {
            available_methods: self.available_methods(),
            ..Delivered::default()
        };
        for (index, (request, line_ids)) in requests.into_iter().zip(assigned).enumerate() {
            let method = match request.kind {
                MethodKind::Pickup => self.pickup(index, request, line_ids, &mut out),
                MethodKind::Shipping => self.shipping(index, request, line_ids, &mut out)?,
            };
            out.methods.push(method);
        }
        self.name_unserved(&goods, &mut out);
        self.plan(&mut out);
        Ok(out)
    }

    fn goods(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.requires_shipping)
    }

    pub(super) fn demand_of(&self, line_ids: &[String]) -> Demand {
        cart::demand(self.lines.iter().filter(|line| line_ids.contains(&line.id)))
    }

    pub(super) fn stores(&self, demand: &Demand, selected: Option<&str>) -> Vec<PickupStore> {
        self.search(demand, selected).stores()
    }

    fn search<'b>(&'b self, demand: &'b Demand, selected: Option<&'b str>) -> PickupSearch<'b> {
        PickupSearch {
            brand: self.shop.prices.brand,
            network: self.shop.network(),
            demand,
            availability: self.shop.availability,
            selected,
            context_location: self.context.location.as_deref(),
        }
    }

    fn ships(&self, demand: &Demand) -> bool {
        let places = fulfillment::shipping_locations(self.shop.locations);
        let ids: Vec<&str> = places.iter().map(|place| place.id.as_str()).collect();
        let options = !self.shop.prices.brand.shipping_methods.is_empty();
        options && self.shop.availability.shortages(demand, &ids).is_empty()
    }

    /// What to offer when nothing is asked for: collection when the shopper looks at a
    /// store that has everything or nothing else is possible, otherwise shipping.
    fn proposal(&self, goods: &[&str]) -> Vec<MethodRequest> {
        if goods.is_empty() {
            return Vec::new();
        }
        let demand = cart::demand(self.lines);
        let best = self.search(&demand, None).first();
        let looked_at = self.context.location.is_some()
            && best
                .as_ref()
                .is_some_and(|store| store.distance_m == Some(0) && store.incoming.is_empty());
        let collect = looked_at || (best.is_some() && !self.ships(&demand));
        let kind = if collect {
            MethodKind::Pickup
        } else {
            MethodKind::Shipping
        };
        vec![MethodRequest {
            kind,
            line_ids: None,
            addresses: None,
            selected_destination_id: None,
            selected_option_id: None,
        }]
    }

    fn available_methods(&self) -> Vec<AvailableMethod> {
        let ids = |lines: &mut dyn Iterator<Item = &Line>| {
            lines.map(|line| line.id.clone()).collect::<Vec<_>>()
        };
        let alone = |line: &Line| cart::demand([line]);
        let demand = cart::demand(self.lines);
        let shipped = match self.ships(&demand) {
            true => ids(&mut self.goods()),
            false => ids(&mut self.goods().filter(|line| self.ships(&alone(line)))),
        };
        let best = self.search(&demand, None).first();
        let (collected, from_ms, description) = match best.filter(|_| !demand.is_empty()) {
            Some(store) => {
                let at = instant::rfc3339_in(store.ready_at_ms, &store.time_zone);
                let how = match store.incoming.is_empty() {
                    true => "is available",
                    false => "can be brought",
                };
                let text = format!("Everything {how} for pickup at {} from {at}.", store.name);
                (ids(&mut self.goods()), Some(store.ready_at_ms), Some(text))
            }
            None => (
                ids(&mut self
                    .goods()
                    .filter(|line| self.search(&alone(line), None).first().is_some())),
                None,
                None,
            ),
        };
        let shipping = AvailableMethod {
            kind: MethodKind::Shipping,
            line_ids: shipped,
            from_ms: None,
            description: None,
        };
        let pickup = AvailableMethod {
            kind: MethodKind::Pickup,
            line_ids: collected,
            from_ms,
            description,
        };
        [shipping, pickup]
            .into_iter()
            .filter(|method| !method.line_ids.is_empty())
            .collect()
    }

    /// Takes over the chosen option; where there is but one, it is chosen.
    pub(super) fn with_option(
        &self,
        index: usize,
        mut method: Method,
        out: &mut Delivered,
    ) -> Method {
        let path = format!("$.fulfillment.methods[{index}].groups[0].selected_option_id");
        let offered = |id: &String| method.options.iter().any(|option| option.id == *id);
        if let [only] = &method.options[..]
            && method.selected_option_id.is_none()
        {
            method.selected_option_id = Some(only.id.clone());
        } else if method
            .selected_option_id
            .as_ref()
            .is_some_and(|id| !offered(id))
        {
            out.notices.push(Notice::error(
                "option_unavailable",
                path,
                "This option is not offered here.",
            ));
            method.selected_option_id = None;
        } else if method.selected_option_id.is_none()
            && !method.options.is_empty()
            && !method.line_ids.is_empty()
        {
            out.notices.push(Notice::error(
                "missing",
                path,
                "Choose a fulfillment option.",
            ));
        }
        method
    }

    fn name_unserved(&self, goods: &[&str], out: &mut Delivered) {
        let served = |id: &&&str| {
            out.methods
                .iter()
                .any(|method| method.line_ids.iter().any(|own| own == **id))
        };
        let unserved: Vec<&str> = goods.iter().filter(|id| !served(id)).copied().collect();
        if !unserved.is_empty() {
            let text = format!("No method delivers {}.", unserved.join(", "));
            let notice = Notice::error("missing", "$.fulfillment.methods", text);
            out.notices.push(notice.detail("line_item_ids", unserved));
        }
    }

    /// Collected goods first, since they can come from one place only; then parcels from
    /// what is left. Lines without a chosen destination only have to exist somewhere.
    fn plan(&self, out: &mut Delivered) {
        let mut left = self.shop.availability.clone();
        let of_kind = |kind| out.methods.iter().filter(move |method| method.kind == kind);
        let mut shortages = Vec::new();
        for method in of_kind(MethodKind::Pickup).chain(of_kind(MethodKind::Shipping)) {
            match self.plan_of(method, &left) {
                Ok(plan) => {
                    left = left.without(&plan);
                    out.plan = std::mem::take(&mut out.plan).and(plan);
                }
                Err(short) => shortages.extend(
                    short
                        .into_iter()
                        .map(|short| (method.line_ids.clone(), short)),
                ),
            }
        }
        for (line_ids, shortage) in shortages {
            let indexed = cart::out_of_stock(self.lines, &shortage);
            let concerned = |notice: &Notice| {
                self.lines.iter().enumerate().any(|(index, line)| {
                    line_ids.contains(&line.id)
                        && notice.path.as_deref()
                            == Some(&format!("$.line_items[{index}].quantity"))
                })
            };
            out.notices.extend(indexed.into_iter().filter(concerned));
        }
    }

    fn plan_of(&self, method: &Method, left: &Availability) -> Result<Plan, Vec<Shortage>> {
        let demand = self.demand_of(&method.line_ids);
        let locations = self.shop.locations;
        match (method.kind, &method.selected_destination_id) {
            (MethodKind::Pickup, Some(id)) => {
                match locations.iter().find(|location| location.id == *id) {
                    Some(store) => self.shop.network().plan_at(&demand, left, store),
                    None => plan::plan_pickup(&demand, left, id),
                }
            }
            (MethodKind::Shipping, _) => {
                let places = fulfillment::shipping_locations(locations);
                let rules = &self.shop.prices.brand.policies.sourcing.shipping;
                plan::plan_shipping(&demand, left, &places, rules)
            }
            (MethodKind::Pickup, None) => {
                let short = left.shortages(&demand, &fulfillment::selling_locations(locations));
                if short.is_empty() {
                    Ok(Plan::default())
                } else {
                    Err(short)
                }
            }
        }
    }
}
