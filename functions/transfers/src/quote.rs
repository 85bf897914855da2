//! `POST /transfers/quote`: from where goods could come, and when they would be ready.
//! Nothing is set aside.

use aisle_domain::brand::Brand;
use aisle_domain::location::Location;
use aisle_domain::places::{Nearest, Place as Known};
use aisle_domain::plan::Demand;
use aisle_domain::transfer;
use aisle_http::{Call, Error, Reply};
use aisle_ucp::page::Invalid;
use aisle_ucp::transfer::{Destination, ItemName, Place, Places, QuoteRequest, items};

use crate::access::{self, Caller};
use crate::facts::{Facts, Item, Question};

pub async fn quote(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let caller = Caller::of(call, &brand.id).await?;
    may_ask(&caller, &brand)?;
    let request: QuoteRequest = call.json().await?;
    let named = items(&request.items).map_err(access::malformed)?;
    let to = destination(call, &brand, &request.to, &caller).await?;
    let question = Question {
        items: Some(&named),
        to_location_id: Some(&to.id),
        ..Question::default()
    };
    let facts = Facts::read(call, &brand, None, &question).await?;
    let demand = demand(&named, &facts.items)?;
    let quoted = transfer::quote(
        &demand,
        &facts.availability,
        &to,
        &facts.locations.all,
        &facts.lanes,
        &brand.policies,
        facts.now_ms,
    );
    let answer = Places(&facts.locations.all).quote(&to.id, &quoted, |ready_at_ms| {
        brand.kept_until_ms(ready_at_ms)
    });
    Reply::json(200, &answer)
}

/// 403 where the brand keeps transfers to its staff.
pub fn may_ask(caller: &Caller, brand: &Brand) -> Result<(), Error> {
    match caller {
        Caller::Shopper(_) if !brand.policies.transfers.for_shoppers => Err(Error::forbidden(
            "this brand transfers goods for its stores only",
        )),
        _ => Ok(()),
    }
}

/// Where the goods are wanted: for a shopper a store that hands over.
pub async fn destination(
    call: &Call,
    brand: &Brand,
    place: &Place,
    caller: &Caller,
) -> Result<Location, Error> {
    let unknown =
        |path: &str, detail: &str| access::unfit(Invalid::new("unknown_destination", path, detail));
    let model = call.model();
    match place.destination().map_err(access::malformed)? {
        Destination::Location(id) => {
            let fits = |one: &Location| one.hands_over() || !matches!(caller, Caller::Shopper(_));
            let known = model.location(&brand.id, &id).await?;
            let known = known.filter(|one| fits(one));
            let none = "no store of this brand hands over there";
            Ok(known
                .ok_or_else(|| unknown("$.to.location_id", none))?
                .value
                .clone())
        }
        Destination::NearestTo(point) => {
            let hands_over = |place: &Known| place.hands_over;
            let one = Nearest::new(1, None);
            let nearest = model.nearest_places(&brand.id, point, one, hands_over);
            let none = || unknown("$.to.near", "no store of this brand hands over");
            let nearest = nearest.await?.0.into_iter().next().ok_or_else(none)?;
            let known = model.location(&brand.id, &nearest.id).await?;
            Ok(known.ok_or_else(none)?.value.clone())
        }
    }
}

/// The units wanted by SKU; the first item that is not for sale is named.
pub fn demand(named: &[(ItemName, i64)], known: &[Item]) -> Result<Demand, Error> {
    let is = |name: &ItemName, item: &Item| match name {
        ItemName::Id(id) => item.id == *id,
        ItemName::Sku(sku) => item.sku == *sku,
        ItemName::Gtin(gtin) => item.gtin.as_ref() == Some(gtin),
    };
    let mut wanted = Vec::with_capacity(named.len());
    for (at, (name, quantity)) in named.iter().enumerate() {
        let item = known.iter().find(|item| is(name, item) && item.active != 0);
        let item = item.ok_or_else(|| {
            let detail = "the brand has no such item for sale";
            access::unfit(Invalid::new(
                "unknown_item",
                format!("$.items[{at}]"),
                detail,
            ))
        })?;
        wanted.push((item.sku.as_str(), *quantity));
    }
    Ok(Demand::sum(wanted))
}
