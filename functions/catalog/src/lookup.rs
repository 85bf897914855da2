//! `POST /catalog/lookup`: identifiers of any kind to the variants they name.

use std::rc::Rc;

use aisle_domain::product::Variant;
use aisle_domain::selection::featured;
use aisle_domain::supply::Supply;
use aisle_http::{Error, Reply};
use aisle_ucp::catalog::fulfillment::Scope;
use aisle_ucp::catalog::view::ProductView;
use aisle_ucp::catalog::{Input, LookupRequest, Match, PriceBounds, answer};
use aisle_ucp::envelope::Message;

use crate::shelf::{Shelf, mistyped_gtin, passes, state};
use crate::{invalid, json};

/// A product that some identifiers led to.
struct Found {
    view: Rc<ProductView>,
    /// Identifier, and the id of the variant that it names, if it names one.
    inputs: Vec<(String, Option<String>)>,
}

pub async fn answer(
    shelf: &Shelf<'_>,
    scope: &Scope<'_>,
    request: &LookupRequest,
) -> Result<Reply, Error> {
    let ids = request.distinct_ids().map_err(invalid)?;
    let (price, warning) = request
        .filters
        .price_bounds(&request.context, shelf.brand)
        .map_err(invalid)?;
    let (found, mut messages) = resolve(shelf, request, &ids).await?;
    messages.extend(warning);
    let mut products = Vec::with_capacity(found.len());
    for found in &found {
        if !in_categories(&found.view, &request.filters.categories) {
            continue;
        }
        products.extend(listing(shelf, scope, price, found).await?);
    }
    Ok(json(answer::lookup(&products, &messages)))
}

/// The products, each once, in the order of the first identifier that names them, and a
/// message for each identifier that names nothing.
async fn resolve(
    shelf: &Shelf<'_>,
    request: &LookupRequest,
    ids: &[&str],
) -> Result<(Vec<Found>, Vec<Message>), Error> {
    let targets = shelf.find(ids).await?;
    let mut product_ids: Vec<String> = Vec::new();
    for target in targets.iter().flatten() {
        if !product_ids.contains(&target.product_id) {
            product_ids.push(target.product_id.clone());
        }
    }
    let skus = targets
        .iter()
        .flatten()
        .filter_map(|target| target.sku.clone());
    let views = shelf.views(&product_ids, &skus.collect::<Vec<_>>()).await?;
    let mut found: Vec<Found> = views
        .into_iter()
        .flatten()
        .map(|view| Found {
            view,
            inputs: Vec::new(),
        })
        .collect();
    let mut messages = Vec::new();
    for (id, target) in ids.iter().zip(targets) {
        let place = target.as_ref().and_then(|target| {
            found
                .iter_mut()
                .find(|found| found.offers(&target.product_id, target.variant_id.as_deref()))
        });
        match (place, target) {
            (Some(place), Some(target)) => place
                .inputs
                .push((id.to_string(), target.variant_id.clone())),
            _ => messages.push(unresolved(request, id)?),
        }
    }
    found.retain(|found| !found.inputs.is_empty());
    Ok((found, messages))
}

/// A message, or a refusal when the identifier is a GTIN with a typing error.
fn unresolved(request: &LookupRequest, id: &str) -> Result<Message, Error> {
    let index = request
        .ids
        .iter()
        .position(|known| known == id)
        .unwrap_or_default();
    let path = format!("$.ids[{index}]");
    match mistyped_gtin(id) {
        Some(error) => Err(Error::bad_request(
            "invalid_gtin",
            &path,
            &error.to_string(),
        )),
        None => Ok(Message::info("not_found", id).at(path)),
    }
}

impl Found {
    fn offers(&self, product_id: &str, variant_id: Option<&str>) -> bool {
        let product = self.view.product();
        let named = |id: &str| product.active_variants().any(|variant| variant.id == id);
        product.id == product_id && variant_id.is_none_or(named)
    }
}

/// One featured variant for the identifiers of the product, and each variant that is named
/// itself. `None` when the filters leave nothing.
async fn listing(
    shelf: &Shelf<'_>,
    scope: &Scope<'_>,
    price: Option<PriceBounds>,
    found: &Found,
) -> Result<Option<String>, Error> {
    let offered = offered(shelf, scope, price, found).await?;
    let is_obtainable = |wanted: &Variant| {
        offered
            .iter()
            .any(|(variant, supply)| variant.id == wanted.id && supply.is_obtainable())
    };
    let first = featured(offered.iter().map(|(variant, _)| *variant), is_obtainable)
        .map(|variant| &variant.id);
    let inputs = |variant: &Variant| -> Vec<Input> {
        let leads_here = found.inputs.iter().filter_map(|(id, named)| match named {
            Some(named) if *named == variant.id => Some((id, Match::Exact)),
            None if Some(&variant.id) == first => Some((id, Match::Featured)),
            _ => None,
        });
        leads_here
            .map(|(id, how)| Input {
                id: id.clone(),
                how,
            })
            .collect()
    };
    let variants: Vec<_> = offered
        .iter()
        .map(|(variant, supply)| (*variant, supply, inputs(variant)))
        .filter(|(_, _, inputs)| !inputs.is_empty())
        .map(|(variant, supply, inputs)| (variant, state(variant, supply, scope, inputs)))
        .collect();
    Ok((!variants.is_empty()).then(|| found.view.listing(&variants)))
}

/// The variants that can take part, with their supply. When only variants are named these
/// suffice; when the product is, the first one that can be had must be found, and mostly
/// the very first one is it.
async fn offered<'v>(
    shelf: &Shelf<'_>,
    scope: &Scope<'_>,
    price: Option<PriceBounds>,
    found: &'v Found,
) -> Result<Vec<(&'v Variant, Supply)>, Error> {
    let active: Vec<&Variant> = found.view.product().active_variants().collect();
    let by_product = found.inputs.iter().any(|(_, named)| named.is_none());
    let is_named = |variant: &&Variant| {
        found
            .inputs
            .iter()
            .any(|(_, named)| named.as_ref() == Some(&variant.id))
    };
    let mut wanted: Vec<&Variant> = active.iter().copied().filter(is_named).collect();
    if by_product {
        wanted.extend(active.first().filter(|first| !is_named(first)));
    }
    let mut supplies = shelf.supplies(&wanted).await?;
    let is_settled = |variant: &Variant, supply: &Supply| {
        supply.is_obtainable() && passes(variant, supply, price, scope)
    };
    let settled = wanted
        .iter()
        .zip(&supplies)
        .any(|(variant, supply)| is_settled(variant, supply));
    if by_product && !settled && wanted.len() < active.len() {
        wanted = active;
        supplies = shelf.supplies(&wanted).await?;
    }
    let offered = wanted.into_iter().zip(supplies);
    Ok(offered
        .filter(|(variant, supply)| passes(variant, supply, price, scope))
        .collect())
}

fn in_categories(view: &ProductView, wanted: &[String]) -> bool {
    wanted.is_empty()
        || view
            .product()
            .categories
            .iter()
            .any(|category| wanted.contains(category))
}
