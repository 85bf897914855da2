//! `POST /catalog/product`: one product in detail, with the choice of its options.

use aisle_domain::product::Variant;
use aisle_domain::selection::{Selection, featured};
use aisle_domain::supply::Supply;
use aisle_http::{Error, Reply};
use aisle_ucp::catalog::fulfillment::Scope;
use aisle_ucp::catalog::view::ProductView;
use aisle_ucp::catalog::{ProductRequest, answer};

use crate::shelf::{Shelf, mistyped_gtin, passes, state};
use crate::{invalid, json};

pub async fn answer(
    shelf: &Shelf<'_>,
    scope: &Scope<'_>,
    request: &ProductRequest,
) -> Result<Reply, Error> {
    let (price, warning) = request
        .filters
        .price_bounds(&request.context, shelf.brand)
        .map_err(invalid)?;
    let Some(target) = shelf
        .find(&[&request.id])
        .await?
        .into_iter()
        .next()
        .flatten()
    else {
        return not_found(&request.id);
    };
    let views = shelf
        .views(
            std::slice::from_ref(&target.product_id),
            target.sku.as_slice(),
        )
        .await?;
    let Some(view) = views.into_iter().next().flatten() else {
        return not_found(&request.id);
    };
    let product = view.product();
    let active: Vec<&Variant> = product.active_variants().collect();
    let named = target.variant_id.as_deref();
    if named.is_some_and(|id| !active.iter().any(|variant| variant.id == id)) {
        return not_found(&request.id);
    }
    let supplies = shelf.supplies(&active).await?;
    let supply = |wanted: &Variant| {
        active
            .iter()
            .zip(&supplies)
            .find(|(known, _)| known.id == wanted.id)
            .map(|(_, supply)| supply)
    };
    let is_obtainable = |variant: &Variant| supply(variant).is_some_and(Supply::is_obtainable);
    let selection = selection(&view, named, request, is_obtainable);
    let admitted = |variant: &&Variant| {
        supply(variant).is_some_and(|supply| passes(variant, supply, price, scope))
    };
    let matching: Vec<&Variant> = selection.matches(product).filter(admitted).collect();
    let first = match named {
        Some(id) => matching.iter().copied().find(|variant| variant.id == id),
        None => featured(matching.iter().copied(), is_obtainable),
    };
    let in_category = request.filters.categories.is_empty()
        || product
            .categories
            .iter()
            .any(|category| request.filters.categories.contains(category));
    let Some(first) = first.filter(|_| in_category) else {
        return not_found(&request.id);
    };
    let others = matching
        .iter()
        .copied()
        .filter(|variant| variant.id != first.id);
    let shown = std::iter::once(first).chain(others);
    let variants: Vec<_> = shown
        .filter_map(|variant| Some((variant, state(variant, supply(variant)?, scope, Vec::new()))))
        .collect();
    let detail = view.detail(&selection, is_obtainable, &variants);
    Ok(json(answer::product(&detail, warning.as_slice())))
}

/// A variant's id decides everything; then what the buyer chose, as far as it exists; and
/// without either, the options of the variant that stands for the product.
fn selection(
    view: &ProductView,
    named: Option<&str>,
    request: &ProductRequest,
    is_obtainable: impl Fn(&Variant) -> bool,
) -> Selection {
    let product = view.product();
    let wanted: Vec<_> = request
        .selected
        .iter()
        .map(|option| (option.name.clone(), option.label.clone()))
        .collect();
    let decisive = match named {
        Some(id) => product.active_variants().find(|variant| variant.id == id),
        None if wanted.is_empty() => featured(product.active_variants(), is_obtainable),
        None => None,
    };
    match decisive {
        Some(variant) => Selection::of(product, variant),
        None => Selection::relaxed(product, &wanted, &request.preferences),
    }
}

/// An outcome rather than a transport error, unless the identifier is a mistyped GTIN.
fn not_found(id: &str) -> Result<Reply, Error> {
    match mistyped_gtin(id) {
        Some(error) => Err(Error::bad_request(
            "invalid_gtin",
            "$.id",
            &error.to_string(),
        )),
        None => Reply::json(200, &answer::no_product(id)),
    }
}
