//! What a sale stands on, in one read: the articles and how many of each lie on this shelf,
//! the cart that it was begun as, and the hold that it ends.

use aisle_domain::brand::Brand;
use aisle_domain::cart::{Cart, Item, Line, LineRequest, PriceList};
use aisle_domain::location::Location;
use aisle_domain::plan::Allocation;
use aisle_domain::product::Product;
use aisle_domain::sale::Sale;
use aisle_http::{Call, Error};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::{Dialect, Row, StoreError, Value, values};

use crate::store;

/// What to read.
#[derive(Default)]
pub struct Question<'a> {
    /// Variant ids, SKUs and GTINs of 14 digits.
    pub items: Vec<&'a str>,
    pub cart_id: Option<&'a str>,
    pub hold_id: Option<&'a str>,
}

pub struct Basket {
    /// The database's clock.
    pub now_ms: i64,
    /// Of the request's idempotency key.
    pub outcome: Outcome,
    /// One that is neither ordered nor expired.
    pub cart: Option<(Cart, i64)>,
    /// One that is kept at this location.
    pub hold: Option<Hold>,
    articles: Vec<Article>,
}

pub struct Hold {
    pub number: String,
    pub version: i64,
}

struct Article {
    item: Item,
    gtin: Option<String>,
    on_shelf: i64,
    held: i64,
}

impl Basket {
    pub async fn read(
        call: &Call,
        brand: &Brand,
        location_id: &str,
        question: &Question<'_>,
        claim: Option<&Claim>,
    ) -> Result<Self, Error> {
        let mut params = values![
            &brand.id,
            store::json(&question.items)?,
            question.cart_id.unwrap_or_default(),
            question.hold_id.unwrap_or_default(),
            location_id
        ];
        params.extend(claim.map_or_else(|| ["", ""].map(Value::from), Claim::params));
        let rows = call.db().query(sql(call.db().dialect()), params).await?;
        Ok(Self::of(&rows, claim)?)
    }

    fn of(rows: &[Row], claim: Option<&Claim>) -> Result<Self, StoreError> {
        let first = rows
            .first()
            .ok_or_else(|| StoreError::Bug("no row from a probe".into()))?;
        let articles = rows.iter().filter_map(|row| Article::of(row).transpose());
        Ok(Self {
            now_ms: first.int("now_ms")?,
            outcome: claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(first))?,
            cart: match first.json_opt("cart_doc")? {
                Some(cart) => Some((cart, first.int("cart_version")?)),
                None => None,
            },
            hold: match first.text_opt("hold_number")? {
                Some(number) => Some(Hold {
                    number,
                    version: first.int("hold_version")?,
                }),
                None => None,
            },
            articles: articles.collect::<Result<_, _>>()?,
        })
    }

    /// What the cart wants.
    pub fn of_cart(&self) -> Vec<LineRequest> {
        let lines = self.cart.iter().flat_map(|(cart, _)| &cart.lines);
        lines.map(Line::request).collect()
    }

    /// All that the hold keeps.
    pub fn of_hold(&self) -> Vec<LineRequest> {
        let held = self.articles.iter().filter(|article| article.held > 0);
        held.map(|article| LineRequest {
            id: None,
            item: article.item.variant_id.clone(),
            quantity: article.held,
            other_unit: false,
        })
        .collect()
    }

    /// The units that the hold keeps here.
    pub fn held(&self, location_id: &str) -> Vec<Allocation> {
        let held = self.articles.iter().filter(|article| article.held > 0);
        held.map(|article| Allocation {
            sku: article.item.sku.clone(),
            location_id: location_id.to_owned(),
            quantity: article.held,
        })
        .collect()
    }

    /// Prices what is asked for. Unknown articles are refused.
    pub fn ring_up(
        &self,
        requests: Vec<LineRequest>,
        brand: &Brand,
        store: &Location,
    ) -> Result<Sale, Error> {
        let by_gtin = |request: LineRequest| {
            let named = |article: &&Article| article.gtin.as_ref() == Some(&request.item);
            match self.articles.iter().find(named) {
                Some(article) => LineRequest {
                    item: article.item.variant_id.clone(),
                    ..request
                },
                None => request,
            }
        };
        let requests: Vec<LineRequest> = requests.into_iter().map(by_gtin).collect();
        let items: Vec<Item> = self.articles.iter().map(|one| one.item.clone()).collect();
        let prices = PriceList {
            brand,
            rates: &brand.tax_rates,
            items: &items,
        };
        Sale::ring_up(&requests, &prices, store).map_err(|mut refusal| {
            refusal.path = refusal
                .path
                .replace("$.line_items", "$.items")
                .replace(".item.id", "");
            store::refused(refusal)
        })
    }

    /// Units that this sale can take: those that nobody holds, and those of its own hold.
    pub fn available(&self, sku: &str) -> i64 {
        let article = self.articles.iter().find(|article| article.item.sku == sku);
        article.map_or(0, |article| article.on_shelf + article.held)
    }
}

impl Article {
    fn of(row: &Row) -> Result<Option<Self>, StoreError> {
        let Some(variant_id) = row.text_opt("variant_id")? else {
            return Ok(None);
        };
        let product: Product = row.json("product_doc")?;
        let variant = product.variants.iter().find(|one| one.id == variant_id);
        let Some(variant) = variant else {
            return Err(StoreError::Bug(format!(
                "variant {variant_id} is not in its product's document"
            )));
        };
        let title = match variant.option_values[..] {
            [] => product.title.clone(),
            _ => format!("{} – {}", product.title, variant.title),
        };
        Ok(Some(Self {
            item: Item {
                title,
                sku: row.text("sku")?,
                image_url: None,
                price_minor: row.int("price_minor")?,
                tax_category: row.text("tax_category")?,
                requires_shipping: variant.requires_shipping,
                // What lies in a store is sold there, whether or not the web shows it.
                on_sale: row.int("active")? != 0,
                variant_id,
            },
            gtin: row.text_opt("gtin")?,
            on_shelf: row.int("on_shelf")?,
            held: row.int("held")?,
        }))
    }
}

fn sql(dialect: Dialect) -> String {
    let listed = dialect.listed("?2", "item");
    let of_cart = dialect.pick(
        "SELECT json_extract(line.value, '$.variant_id') FROM the_cart, json_each(the_cart.doc, '$.lines') line",
        "SELECT line ->> 'variant_id' FROM the_cart, jsonb_array_elements(the_cart.doc::jsonb -> 'lines') line",
    );
    format!(
        "WITH the_cart AS (SELECT doc, version FROM cart \
           WHERE brand_id = ?1 AND id = ?3 AND status = 'active' AND expires_at_ms > {{now}}), \
         the_hold AS (SELECT id, number, version FROM hold WHERE brand_id = ?1 AND id = ?4 AND location_id = ?5 \
           AND status IN ('requested', 'pulled') AND expires_at_ms > {{now}}), \
         kept AS (SELECT a.sku, a.quantity FROM allocation a JOIN the_hold ON a.order_id = the_hold.id \
           WHERE a.brand_id = ?1 AND a.location_id = ?5 AND a.status = 'open'), \
         wanted AS ({listed} UNION SELECT sku FROM kept UNION {of_cart}), \
         item AS (SELECT v.* FROM wanted w CROSS JOIN variant v WHERE v.id = w.item AND v.brand_id = ?1 \
           UNION SELECT v.* FROM wanted w CROSS JOIN variant v WHERE v.sku = w.item AND v.brand_id = ?1 \
           UNION SELECT v.* FROM wanted w CROSS JOIN variant v WHERE v.gtin = w.item AND v.brand_id = ?1) \
         SELECT {{now}} AS now_ms, {}, the_cart.doc AS cart_doc, the_cart.version AS cart_version, \
           the_hold.number AS hold_number, the_hold.version AS hold_version, i.id AS variant_id, i.sku, i.gtin, \
           i.price_minor, i.tax_category, i.active, p.doc AS product_doc, \
           coalesce(s.on_hand - s.reserved, 0) AS on_shelf, coalesce(kept.quantity, 0) AS held \
         FROM (SELECT 1 AS one) probe {} \
         LEFT JOIN the_cart ON 1 = 1 LEFT JOIN the_hold ON 1 = 1 LEFT JOIN item i ON 1 = 1 \
         LEFT JOIN product p ON p.brand_id = ?1 AND p.id = i.product_id \
         LEFT JOIN stock s ON s.brand_id = ?1 AND s.sku = i.sku AND s.location_id = ?5 \
         LEFT JOIN kept ON kept.sku = i.sku ORDER BY i.sku",
        idempotency::COLUMNS,
        idempotency::join("?6", "?7"),
    )
}
