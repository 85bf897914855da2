//! `GET /stock`: what of a SKU is where, for people and for CDNs.

use aisle_domain::geo::Degrees;
use aisle_domain::gtin::Gtin;
use aisle_http::{Call, Error, Reply, page};
use aisle_store::model::{Ref, Target};
use aisle_ucp::page::{MAX_TEXT_BYTES, PageRequest, search_id};
use aisle_ucp::stock::{
    MAX_AGE_S, Position, STALE_WHILE_REVALIDATE_S, Ships, StockAnswer, StockTotal, as_of,
    places_on_a_page,
};
use futures::future::try_join;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

mod places;

use places::Asked;

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

/// What a request says about the places that it wants to see.
struct Query {
    near: Option<Degrees>,
    size: usize,
    page: PageRequest,
}

async fn by_sku(call: &Call, sku: &str) -> Result<Reply, Error> {
    let query = Query::of(call)?;
    let unknown = || Error::not_found("unknown_sku", "the brand has no such SKU").at("sku");
    if sku.is_empty() || sku.len() > MAX_TEXT_BYTES {
        return Err(unknown());
    }
    let brand = call.brand().await?;
    let (model, skus) = (call.model(), [sku.to_owned()]);
    let named = model.target(&brand.id, Ref::Sku(sku.into()));
    let (target, _) = try_join(named, model.stock(&brand.id, &skus)).await?;
    let target = target.ok_or_else(unknown)?;
    answer(call, &brand.id, &target, &query).await
}

async fn by_gtin(call: &Call) -> Result<Reply, Error> {
    let query = Query::of(call)?;
    let text = call.query("gtin");
    let text = text.ok_or_else(|| {
        Error::bad_request("missing_gtin", "gtin", "name a GTIN, or a SKU in the path")
    })?;
    let gtin = Gtin::parse(text)
        .map_err(|error| Error::bad_request("invalid_gtin", "gtin", &error.to_string()))?;
    let brand = call.brand().await?;
    let unknown =
        || Error::not_found("unknown_gtin", "the brand has no item with this GTIN").at("gtin");
    let named = Ref::Gtin(gtin.as_str().into());
    let target = call.model().target(&brand.id, named).await?;
    let target = target.ok_or_else(unknown)?;
    answer(call, &brand.id, &target, &query).await
}

impl Query {
    fn of(call: &Call) -> Result<Self, Error> {
        let wrong = |_| {
            Error::bad_request(
                "invalid_geo",
                "near",
                "must be latitude,longitude in decimal degrees, within ±90 and ±180",
            )
        };
        let near = call.query("near").map(Degrees::parse).transpose();
        Ok(Self {
            near: near.map_err(wrong)?,
            size: places_on_a_page(call.query("limit")).map_err(page::refused)?,
            page: PageRequest {
                cursor: call.query("cursor").map(Into::into),
                limit: None,
            },
        })
    }
}

async fn answer(
    call: &Call,
    brand_id: &str,
    target: &Target,
    query: &Query,
) -> Result<Reply, Error> {
    let gone = || Error::internal("no answer about the stock of a known SKU");
    let sku = target.sku.as_ref().ok_or_else(gone)?;
    let near = query.near.map(|near| (near.latitude, near.longitude));
    let search = search_id(&(brand_id, sku, near.map(|(a, b)| (a.to_bits(), b.to_bits()))));
    let after: Option<Position> = query.page.after(search).map_err(page::refused)?;
    let model = call.model();
    let stock = model.stock(brand_id, std::slice::from_ref(sku)).await?;
    let stock = stock.into_iter().next().flatten().ok_or_else(gone)?;
    let asked = Asked {
        model,
        brand_id,
        stock: &stock,
        size: query.size,
        after,
    };
    let (locations, pagination) = match query.near {
        Some(near) => asked.nearest(near, search).await?,
        None => asked.most(search).await?,
    };
    let answer = StockAnswer {
        sku: sku.clone(),
        variant_id: target.variant_id.clone().unwrap_or_default(),
        product_id: target.product_id.clone(),
        as_of: as_of(stock.changed_at_ms),
        total: StockTotal {
            available: stock.units,
            locations: stock.places,
        },
        locations,
        pagination,
        ships: Ships {
            available: stock.shippable,
        },
    };
    Ok(Reply::json(200, &answer)?.cached(MAX_AGE_S, STALE_WHILE_REVALIDATE_S))
}
