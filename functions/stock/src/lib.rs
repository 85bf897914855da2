//! `GET /stock`: what of a SKU is where, for people and for CDNs.

use aisle_domain::geo::Degrees;
use aisle_domain::gtin::Gtin;
use aisle_domain::supply::Supply;
use aisle_http::{Call, Error, Reply};
use aisle_store::model::{Locations, Ref, StockDoc, Target};
use aisle_ucp::page::MAX_TEXT_BYTES;
use aisle_ucp::stock::{MAX_AGE_S, STALE_WHILE_REVALIDATE_S, StockAnswer};
use futures::future::{try_join, try_join3};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    aisle_http::serve("stock", request, route).await
}

async fn route(call: Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("GET", ["stock", sku]) => by_sku(&call, sku).await,
        ("GET", ["stock"]) => by_gtin(&call).await,
        (_, ["stock"] | ["stock", _]) => Err(call.method_not_allowed("GET, HEAD")),
        _ => Err(call.not_found()),
    }
}

async fn by_sku(call: &Call, sku: &str) -> Result<Reply, Error> {
    let near = near(call)?;
    let unknown = || Error::not_found("unknown_sku", "the brand has no such SKU").at("sku");
    if sku.is_empty() || sku.len() > MAX_TEXT_BYTES {
        return Err(unknown());
    }
    let brand = call.brand().await?;
    let (model, refs, skus) = (call.model(), [Ref::Sku(sku.into())], [sku.to_owned()]);
    let reads = try_join3(
        model.resolve(&brand.id, &refs),
        model.stock(&brand.id, &skus),
        model.locations(&brand.id),
    );
    let (targets, stock, locations) = reads.await?;
    let target = targets.into_iter().next().flatten().ok_or_else(unknown)?;
    answer(target, &stock, &locations, near)
}

async fn by_gtin(call: &Call) -> Result<Reply, Error> {
    let near = near(call)?;
    let text = call.query("gtin");
    let text = text.ok_or_else(|| {
        Error::bad_request("missing_gtin", "gtin", "name a GTIN, or a SKU in the path")
    })?;
    let gtin = Gtin::parse(text)
        .map_err(|error| Error::bad_request("invalid_gtin", "gtin", &error.to_string()))?;
    let brand = call.brand().await?;
    let unknown =
        || Error::not_found("unknown_gtin", "the brand has no item with this GTIN").at("gtin");
    let model = call.model();
    let targets = model
        .resolve(&brand.id, &[Ref::Gtin(gtin.as_str().into())])
        .await?;
    let target = targets.into_iter().next().flatten().ok_or_else(unknown)?;
    let product = model
        .product(&brand.id, &target.product_id)
        .await?
        .ok_or_else(unknown)?
        .product;
    let mut variants = product.variants.into_iter();
    let variant = variants.find(|variant| Some(&variant.id) == target.variant_id.as_ref());
    let skus = [variant.ok_or_else(unknown)?.sku];
    let (stock, locations) =
        try_join(model.stock(&brand.id, &skus), model.locations(&brand.id)).await?;
    answer(target, &stock, &locations, near)
}

/// `near` as a point, where it is given.
fn near(call: &Call) -> Result<Option<Degrees>, Error> {
    let wrong = |_| {
        Error::bad_request(
            "invalid_geo",
            "near",
            "must be latitude,longitude in decimal degrees, within ±90 and ±180",
        )
    };
    call.query("near")
        .map(Degrees::parse)
        .transpose()
        .map_err(wrong)
}

fn answer(
    target: Target,
    stock: &[StockDoc],
    locations: &Locations,
    near: Option<Degrees>,
) -> Result<Reply, Error> {
    let stock = stock
        .first()
        .ok_or_else(|| Error::internal("no answer about the stock of a known SKU"))?;
    let levels = stock
        .levels
        .iter()
        .map(|level| (level.location_id.as_str(), level.available()));
    let supply = Supply::new(&locations.all, levels);
    let changed_at_ms = stock.levels.iter().map(|level| level.updated_at_ms).max();
    let item = (
        stock.sku.clone(),
        target.variant_id.unwrap_or_default(),
        target.product_id,
    );
    let answer = StockAnswer::new(item, changed_at_ms, &locations.all, &supply, near);
    Ok(Reply::json(200, &answer)?.cached(MAX_AGE_S, STALE_WHILE_REVALIDATE_S))
}
