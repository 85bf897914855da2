//! `POST /catalog/search`: one call of the database; the stock is the read model's.

use aisle_domain::product::Variant;
use aisle_domain::search::Question;
use aisle_domain::selection::featured;
use aisle_domain::supply::Supply;
use aisle_http::{Error, Reply};
use aisle_store::Db;
use aisle_store::search::{Page, Position, ProductQuery, Total, products};
use aisle_ucp::catalog::fulfillment::Scope;
use aisle_ucp::catalog::view::ProductView;
use aisle_ucp::catalog::{Filters, PriceBounds, SearchRequest, answer};
use aisle_ucp::envelope::Message;
use aisle_ucp::page::{Pagination, search_id};

use crate::shelf::{Shelf, passes, state};
use crate::{invalid, json};

/// Variants of a product that a search shows, the best match first. All of them are on
/// product detail.
const MAX_VARIANTS: usize = 10;

pub async fn answer(
    db: &Db,
    shelf: &Shelf<'_>,
    scope: &Scope<'_>,
    request: &SearchRequest,
    filters: &Filters,
) -> Result<Reply, Error> {
    let (price, warning) = filters
        .price_bounds(&request.context, shelf.brand)
        .map_err(invalid)?;
    let page = request.page();
    let search = search_id(&(&shelf.brand.id, request.words(), filters));
    let after: Option<Position> = page.after(search).map_err(invalid)?;
    if after.as_ref().is_some_and(|position| !position.is_valid()) {
        return Err(Error::bad_request(
            "invalid_cursor",
            "$.pagination.cursor",
            "not a cursor of this service",
        ));
    }
    let query = ProductQuery {
        question: Question {
            text: request.words(),
            categories: &filters.categories,
            price_minor: price.map(|bounds| (bounds.min_minor, bounds.max_minor)),
        },
        in_stock: scope.restriction(),
        after: after.as_ref(),
        limit: page.size().map_err(invalid)? as i64,
    };
    let found = products(db, &shelf.brand.id, &query).await?;
    let mut messages: Vec<Message> = warning.into_iter().collect();
    messages.extend(remarks(&found));
    let total = match found.total {
        Total::Exactly(products) => Some(products),
        Total::AtLeast(_) => None,
    };
    let currency = &shelf.brand.currency;
    let views = found.hits.into_iter();
    let views: Vec<ProductView> = views
        .filter_map(|product| ProductView::new(product, currency))
        .collect();
    let variants = views
        .iter()
        .flat_map(|view| view.product().active_variants());
    let mut supplies = shelf
        .supplies(&variants.collect::<Vec<_>>())
        .await?
        .into_iter();
    let mut listings: Vec<String> = Vec::with_capacity(views.len());
    for view in &views {
        let active = view.product().active_variants();
        let stocked: Vec<(&Variant, Supply)> = active.zip(supplies.by_ref()).collect();
        listings.extend(listing(view, stocked, scope, price));
    }
    let pagination = Pagination::new(search, found.next, total);
    Ok(json(answer::search(&listings, &pagination, &messages)))
}

/// What an answer says about itself.
fn remarks(found: &Page) -> Vec<Message> {
    let mut remarks = Vec::new();
    if found.similar {
        let text = "Nothing has these words; these products have similar ones.";
        remarks.push(Message::info("similar_words", text).at("$.query"));
    }
    if let Total::AtLeast(products) = found.total {
        let text = format!("There are at least {products} products, and there may be more.");
        let message = Message::info("total_is_a_minimum", text).at("$.pagination");
        remarks.push(message.detail("products", products));
    }
    remarks
}

/// What is shown of a product, whose active variants have this supply.
fn listing(
    view: &ProductView,
    stocked: Vec<(&Variant, Supply)>,
    scope: &Scope,
    price: Option<PriceBounds>,
) -> Option<String> {
    let offered: Vec<(&Variant, Supply)> = stocked
        .into_iter()
        .filter(|(variant, supply)| passes(variant, supply, price, scope))
        .collect();
    let is_obtainable = |wanted: &Variant| {
        offered
            .iter()
            .any(|(variant, supply)| variant.id == wanted.id && supply.is_obtainable())
    };
    let first = featured(offered.iter().map(|(variant, _)| *variant), is_obtainable)?;
    let (featured, others): (Vec<_>, Vec<_>) = offered
        .iter()
        .partition(|(variant, _)| variant.id == first.id);
    let shown = featured.into_iter().chain(others).take(MAX_VARIANTS);
    let variants: Vec<_> = shown
        .map(|(variant, supply)| (*variant, state(variant, supply, scope, Vec::new())))
        .collect();
    Some(view.listing(&variants))
}
