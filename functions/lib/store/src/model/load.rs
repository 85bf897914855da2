//! The documents as the database has them: one query for each kind.

use std::collections::HashMap;

use aisle_domain::product::Product;
use serde::Serialize;

use super::SLOW_TTL_MS;
use super::docs::{Ref, Target, product_key, reference_key};
use crate::{Db, Dialect, Doc, Row, StoreError, now_ms, values};

/// The outbox's highest sequence number: the version of all that a query reads beside it.
pub(super) const SEQ: &str = "(SELECT coalesce(max(seq), 0) FROM outbox)";

/// Every brand, as one JSON array.
pub(super) async fn brands(db: &Db) -> Result<Doc, StoreError> {
    let as_of_ms = now_ms();
    let sql = format!("SELECT doc, {SEQ} AS seq FROM brand ORDER BY id");
    list(&db.query(sql, values![]).await?, as_of_ms)
}

/// The products that exist among `ids`, by key.
pub(super) async fn products(
    db: &Db,
    brand_id: &str,
    ids: &[String],
) -> Result<HashMap<String, Doc>, StoreError> {
    let as_of_ms = now_ms();
    let wanted = db.dialect().among("?2");
    let sql = format!(
        "SELECT id, doc, {SEQ} AS seq FROM product WHERE brand_id || '' = ?1 AND id {wanted}"
    );
    let rows = db.query(sql, values![brand_id, json_array(ids)]).await?;
    let entry = |row: &Row| -> Result<_, StoreError> {
        let body = row.text("doc")?.into_bytes();
        let key = product_key(brand_id, &row.text("id")?);
        Ok((key, doc(row.int("seq")?, as_of_ms, SLOW_TTL_MS, body)))
    };
    rows.iter().map(entry).collect()
}

/// What the references name, by key; those that name nothing are left out.
pub(super) async fn targets(
    db: &Db,
    brand_id: &str,
    refs: &[Ref],
) -> Result<HashMap<String, Doc>, StoreError> {
    let as_of_ms = now_ms();
    let of_kind = |wanted: &str| {
        let of_kind = refs
            .iter()
            .map(Ref::parts)
            .filter(|(kind, _)| *kind == wanted);
        json_array(&of_kind.map(|(_, value)| value).collect::<Vec<_>>())
    };
    let params = values![
        brand_id,
        of_kind("id"),
        of_kind("sku"),
        of_kind("gtin"),
        of_kind("handle")
    ];
    let rows = db.query(targets_sql(db.dialect()), params).await?;
    let entry = |row: &Row| -> Result<_, StoreError> {
        let target = to_json(&Target {
            product_id: row.text("product_id")?,
            variant_id: row.text_opt("variant_id")?,
            sku: row.text_opt("first_sku")?,
        })?;
        let key = reference_key(brand_id, &row.text("kind")?, &row.text("value")?);
        Ok((key, doc(row.int("seq")?, as_of_ms, SLOW_TTL_MS, target)))
    };
    rows.iter().map(entry).collect()
}

/// Everything that a product can be called by, so that its change shows there as well.
pub(super) fn references(brand_id: &str, product: &Doc) -> Result<Vec<(String, Doc)>, StoreError> {
    let parsed: Product = product.json()?;
    let whole = [
        Ref::Id(parsed.id.clone()),
        Ref::Handle(parsed.handle.clone()),
    ];
    let first = parsed.active_variants().next();
    let first = first.map(|variant| variant.sku.as_str());
    let mut names: Vec<(Ref, Option<&str>, Option<&str>)> =
        whole.map(|one| (one, None, first)).into();
    for variant in &parsed.variants {
        let (id, sku) = (Some(variant.id.as_str()), Some(variant.sku.as_str()));
        names.push((Ref::Id(variant.id.clone()), id, sku));
        names.push((Ref::Sku(variant.sku.clone()), id, sku));
        names.extend(variant.gtin.clone().map(|gtin| (Ref::Gtin(gtin), id, sku)));
    }
    let entry = |(name, variant_id, sku): (Ref, Option<&str>, Option<&str>)| {
        let target = to_json(&Target {
            product_id: parsed.id.clone(),
            variant_id: variant_id.map(Into::into),
            sku: sku.map(Into::into),
        })?;
        Ok((
            name.key(brand_id),
            doc(product.version, product.as_of_ms, SLOW_TTL_MS, target),
        ))
    };
    names.into_iter().map(entry).collect()
}

pub(super) fn doc(version: i64, as_of_ms: i64, ttl_ms: i64, body: Vec<u8>) -> Doc {
    Doc {
        version,
        as_of_ms,
        expires_at_ms: as_of_ms + ttl_ms,
        body,
    }
}

/// The rows' documents as one JSON array, without parsing them.
fn list(rows: &[Row], as_of_ms: i64) -> Result<Doc, StoreError> {
    let version = rows.first().map_or(Ok(0), |row| row.int("seq"))?;
    let docs = rows
        .iter()
        .map(|row| row.text("doc"))
        .collect::<Result<Vec<_>, _>>()?;
    let body = format!("[{}]", docs.join(","));
    Ok(doc(version, as_of_ms, SLOW_TTL_MS, body.into_bytes()))
}

pub(super) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Bug(error.to_string()))
}

pub(super) fn json_array<T: AsRef<str>>(texts: &[T]) -> String {
    let texts = texts
        .iter()
        .map(|text| serde_json::Value::from(text.as_ref()));
    serde_json::Value::Array(texts.collect()).to_string()
}

/// All kinds of references in one call.
fn targets_sql(dialect: Dialect) -> String {
    let [ids, skus, gtins, handles] =
        ["?2", "?3", "?4", "?5"].map(|placeholder| dialect.among(placeholder));
    let of = |table: &str, kind: &str, column: &str, target: &str, wanted: &str| {
        // An id needs no index that begins with the brand, which SQLite would rather go through.
        let brand = if column == "id" {
            "brand_id || ''"
        } else {
            "brand_id"
        };
        format!(
            "SELECT '{kind}' AS kind, {column} AS value, {target}, {SEQ} AS seq \
             FROM {table} WHERE {brand} = ?1 AND {column} {wanted}"
        )
    };
    let variant = "product_id, id AS variant_id, sku AS first_sku";
    let product = "id AS product_id, NULL AS variant_id, \
        (SELECT v.sku FROM variant v WHERE v.product_id = product.id AND v.active = 1 \
         ORDER BY v.position LIMIT 1) AS first_sku";
    [
        of("variant", "id", "id", variant, &ids),
        of("variant", "sku", "sku", variant, &skus),
        of("variant", "gtin", "gtin", variant, &gtins),
        of("product", "id", "id", product, &ids),
        of("product", "handle", "handle", product, &handles),
    ]
    .join(" UNION ALL ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_found_by_all_that_names_it() {
        let product = serde_json::json!({
            "id": "p", "handle": "coat", "title": "Coat", "published": true,
            "variants": [{
                "id": "v", "sku": "C-1", "gtin": "04006381333931", "title": "Coat",
                "price_minor": 100, "requires_shipping": true, "active": true,
            }],
        });
        let body = serde_json::to_vec(&product).unwrap();
        let docs = references("b", &doc(3, 1_000, 60_000, body)).unwrap();
        let keys: Vec<_> = docs.iter().map(|(key, _)| key.as_str()).collect();
        let names = [
            "id/p",
            "handle/coat",
            "id/v",
            "sku/C-1",
            "gtin/04006381333931",
        ];
        assert_eq!(keys, names.map(|name| format!("b/ref/{name}")));
        let target: Target = docs[3].1.json().unwrap();
        assert_eq!(
            (target.product_id.as_str(), target.variant_id.as_deref()),
            ("p", Some("v"))
        );
        assert_eq!(docs[3].1.version, 3);
        let whole: Target = docs[0].1.json().unwrap();
        assert_eq!(
            (whole.variant_id, whole.sku.as_deref()),
            (None, Some("C-1"))
        );
    }
}
