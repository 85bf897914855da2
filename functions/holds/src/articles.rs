//! What SKUs are called, and whether they are sold at all.

use aisle_domain::brand::Brand;
use aisle_domain::product::Product;
use aisle_http::{Call, Error};
use aisle_store::model::{Ref, Target};

/// The title of each SKU, in the order asked for; `None` for one that the brand does not
/// sell. Answered by the read model.
pub async fn titles(
    call: &Call,
    brand: &Brand,
    skus: &[&str],
) -> Result<Vec<Option<String>>, Error> {
    let model = call.model();
    let refs: Vec<Ref> = skus.iter().map(|sku| Ref::Sku((*sku).into())).collect();
    let targets = model.resolve(&brand.id, &refs).await?;
    let ids: Vec<String> = targets
        .iter()
        .flatten()
        .map(|target| target.product_id.clone())
        .collect();
    let products = model.products(&brand.id, &ids).await?;
    let title = |target: &Target| {
        let mut found = products.iter().flatten().map(|doc| &doc.product);
        sold_title(
            found.find(|product| product.id == target.product_id)?,
            target,
        )
    };
    Ok(targets
        .iter()
        .map(|target| target.as_ref().and_then(title))
        .collect())
}

fn sold_title(product: &Product, target: &Target) -> Option<String> {
    let variant = product
        .active_variants()
        .find(|variant| Some(&variant.id) == target.variant_id.as_ref())?;
    product.published.then(|| match variant.option_values[..] {
        [] => product.title.clone(),
        _ => format!("{} – {}", product.title, variant.title),
    })
}
