//! Products by text and filters: the database's own full text behind one function.
//!
//! Both databases are given the same words (letters and digits only), so that they agree
//! on what a word is. Every word must occur, as the beginning of a word, in the title or
//! the body; products with all of them in the title come first.

use aisle_domain::{id::is_id, product::Product};
use serde::{Deserialize, Serialize};

use crate::{Batch, Db, Dialect, Row, StoreError, Value, now_ms, values};

/// Words of a query beyond this many are not looked at.
const MAX_WORDS: usize = 12;

/// Characters of a product's body beyond this many are not indexed.
const MAX_BODY_CHARS: usize = 20_000;

/// Left out of a query unless it has nothing else: PostgreSQL's English dictionary does
/// not index them, and SQLite's would then disagree.
const STOP_WORDS: [&str; 18] = [
    "a", "an", "and", "are", "as", "at", "by", "for", "from", "in", "is", "it", "of", "on", "or",
    "the", "to", "with",
];

/// What to look for among a brand's published products.
#[derive(Debug, Clone, Default)]
pub struct ProductQuery<'a> {
    /// Words; empty or absent: all products, by title.
    pub text: Option<&'a str>,
    /// In any of these; empty: in any at all.
    pub categories: &'a [String],
    /// Some variant costs at least this, in minor units.
    pub price_min_minor: Option<i64>,
    /// And at most this.
    pub price_max_minor: Option<i64>,
    /// And can be promised at one of these locations; `None`: it need not be in stock.
    pub in_stock_at: Option<&'a [&'a str]>,
    /// Where the page before ended ([`Page::next`]).
    pub after: Option<&'a Position>,
    /// Products per page, at least 1.
    pub limit: i64,
}

/// Where a page ended. A client gets it as an opaque cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    #[serde(rename = "r")]
    rank: i64,
    #[serde(rename = "t")]
    title: String,
    #[serde(rename = "i")]
    id: String,
}

impl Position {
    /// Whether a position that came from a client can be one of ours.
    pub fn is_valid(&self) -> bool {
        is_id(&self.id)
    }
}

/// A product found, and what of its SKUs is where.
#[derive(Debug, Clone)]
pub struct Hit {
    pub product: Product,
    /// (SKU, location id, units on hand that are neither reserved nor kept back).
    pub stock: Vec<(String, String, i64)>,
}

/// A page of products.
#[derive(Debug, Clone)]
pub struct Page {
    pub hits: Vec<Hit>,
    /// How many there are on all pages, where the database had to look at all of them anyway.
    pub total: Option<i64>,
    /// The position after the last product, when there are more.
    pub next: Option<Position>,
    /// When the rows were read.
    pub as_of_ms: i64,
}

/// A page of the brand's published products, with their stock: one call.
pub async fn products(
    db: &Db,
    brand_id: &str,
    query: &ProductQuery<'_>,
) -> Result<Page, StoreError> {
    let as_of_ms = now_ms();
    let words = query.text.map(words_of_query).unwrap_or_default();
    if words.is_empty() && query.text.is_some_and(|text| !text.trim().is_empty()) {
        // Nothing but punctuation: no product can have it.
        return Ok(Page {
            hits: Vec::new(),
            total: Some(0),
            next: None,
            as_of_ms,
        });
    }
    let (sql, params) = statement(db.dialect(), brand_id, query, &words);
    let mut rows = db.query(sql, params).await?;
    let page_size = usize::try_from(query.limit).unwrap_or(1);
    let more = rows.len() > page_size;
    rows.truncate(page_size);
    let next = if more {
        rows.last().map(position).transpose()?
    } else {
        None
    };
    let hits = rows.iter().map(hit).collect::<Result<_, _>>()?;
    let nothing = query.after.is_none().then_some(0);
    let total = rows
        .first()
        .map_or(Ok(nothing), |row| row.int_opt("total"))?;
    Ok(Page {
        hits,
        total,
        next,
        as_of_ms,
    })
}

fn hit(row: &Row) -> Result<Hit, StoreError> {
    Ok(Hit {
        product: row.json("doc")?,
        stock: row.json_opt("stock")?.unwrap_or_default(),
    })
}

/// Adds the statements that make a product findable, or findable by its new words.
/// `body` is plain text: description, vendor, type, tags, SKUs.
pub fn index_product(
    batch: &mut Batch,
    dialect: Dialect,
    brand_id: &str,
    product_id: &str,
    title: &str,
    body: &str,
) {
    let title = words(title).join(" ");
    let body: String = words(body).join(" ").chars().take(MAX_BODY_CHARS).collect();
    match dialect {
        Dialect::Sqlite => {
            batch
                .add(
                    "INSERT INTO product_search_row (brand_id, product_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                    values![brand_id, product_id],
                )
                .add(
                    "DELETE FROM product_search WHERE rowid = (SELECT rowid FROM product_search_row WHERE product_id = ?1)",
                    values![product_id],
                )
                .add(
                    "INSERT INTO product_search (rowid, title, body) \
                     SELECT rowid, ?2, ?3 FROM product_search_row WHERE product_id = ?1",
                    values![product_id, title, body],
                );
        }
        Dialect::Postgres => {
            batch.add(
                "INSERT INTO product_search (product_id, brand_id, document) \
                 VALUES (?1, ?2, setweight(to_tsvector('english', ?3), 'A') || setweight(to_tsvector('english', ?4), 'D')) \
                 ON CONFLICT (product_id) DO UPDATE SET document = excluded.document",
                values![product_id, brand_id, title, body],
            );
        }
    }
}

fn position(row: &Row) -> Result<Position, StoreError> {
    Ok(Position {
        rank: row.int("rank")?,
        title: row.text("title")?,
        id: row.text("id")?,
    })
}

/// The query as SQL. `rank` is ascending: lower is better, and products with all words in
/// the title are a thousand million below the others, further than any score reaches.
fn statement(
    dialect: Dialect,
    brand_id: &str,
    query: &ProductQuery,
    words: &[String],
) -> (String, Vec<Value>) {
    let mut params = values![brand_id];
    let mut parameter = |value: Value| {
        params.push(value);
        format!("?{}", params.len())
    };
    let (rank, join) = match (words.is_empty(), dialect) {
        (true, _) => ("0".to_owned(), String::new()),
        (false, Dialect::Sqlite) => {
            let all = parameter(fts5(words, "").into());
            let titled = parameter(fts5(words, "title : ").into());
            (
                format!(
                    "CAST(bm25(product_search, 10.0, 1.0) * 1000000 AS INTEGER) - CASE WHEN found.rowid IN \
                     (SELECT rowid FROM product_search WHERE product_search MATCH {titled}) THEN 1000000000 ELSE 0 END"
                ),
                format!(
                    "JOIN product_search_row found ON found.product_id = p.id \
                     JOIN product_search ON product_search.rowid = found.rowid AND product_search MATCH {all}"
                ),
            )
        }
        (false, Dialect::Postgres) => {
            let all = parameter(tsquery(words, "").into());
            let titled = parameter(tsquery(words, "A").into());
            (
                format!(
                    "CAST(ts_rank(found.document, to_tsquery('english', {all})) * -1000000 AS BIGINT) - \
                     CASE WHEN found.document @@ to_tsquery('english', {titled}) THEN 1000000000 ELSE 0 END"
                ),
                format!(
                    "JOIN product_search found ON found.product_id = p.id AND found.document @@ to_tsquery('english', {all})"
                ),
            )
        }
    };
    let mut filters = String::new();
    if !query.categories.is_empty() {
        let wanted = serde_json::Value::from(query.categories.to_vec()).to_string();
        let among = dialect.among(&parameter(wanted.into()));
        filters += &format!(
            " AND p.id IN (SELECT product_id FROM product_category WHERE brand_id = ?1 AND category {among})"
        );
    }
    let mut offer = String::new();
    if let Some(price_minor) = query.price_min_minor {
        offer += &format!(" AND v.price_minor >= {}", parameter(price_minor.into()));
    }
    if let Some(price_minor) = query.price_max_minor {
        offer += &format!(" AND v.price_minor <= {}", parameter(price_minor.into()));
    }
    if let Some(location_ids) = query.in_stock_at {
        let wanted = serde_json::Value::from(location_ids.to_vec()).to_string();
        let among = dialect.among(&parameter(wanted.into()));
        offer += &format!(
            " AND EXISTS (SELECT 1 FROM stock s WHERE s.brand_id = ?1 AND s.sku = v.sku \
             AND s.on_hand - s.reserved - s.safety > 0 AND s.location_id {among})"
        );
    }
    filters += &format!(
        " AND EXISTS (SELECT 1 FROM variant v WHERE v.product_id = p.id AND v.active = 1{offer})"
    );
    let total = if words.is_empty() && query.categories.is_empty() {
        "CAST(NULL AS BIGINT)"
    } else {
        "count(*) OVER ()"
    };
    let after = query.after.map_or_else(String::new, |after| {
        let [rank, title, id] = [after.rank.into(), (&after.title).into(), (&after.id).into()].map(&mut parameter);
        format!("WHERE rank > {rank} OR (rank = {rank} AND (title > {title} OR (title = {title} AND id > {id})))")
    });
    let limit = parameter((query.limit + 1).into());
    let stock = stock_of_product(dialect);
    let sql = format!(
        "SELECT page.id, page.title, page.rank, page.total, d.doc, ({stock}) AS stock FROM (\
         SELECT id, title, rank, total FROM (\
         SELECT id, title, rank, {total} AS total FROM (\
         SELECT p.id, p.title, {rank} AS rank FROM product p {join} \
         WHERE p.brand_id = ?1 AND p.published = 1{filters}) matches) hits {after} \
         ORDER BY rank, title, id LIMIT {limit}) page \
         JOIN product d ON d.id = page.id ORDER BY page.rank, page.title, page.id"
    );
    (sql, params)
}

/// The stock of all SKUs of `page.id` as one JSON text, so that a page is one call.
fn stock_of_product(dialect: Dialect) -> String {
    let list = dialect.pick(
        "json_group_array(json_array(s.sku, s.location_id, s.on_hand - s.reserved - s.safety))",
        "CAST(jsonb_agg(jsonb_build_array(s.sku, s.location_id, s.on_hand - s.reserved - s.safety)) AS TEXT)",
    );
    format!(
        "SELECT {list} FROM variant v JOIN stock s ON s.brand_id = ?1 AND s.sku = v.sku WHERE v.product_id = page.id"
    )
}

/// The runs of letters and digits in `text`, in lower case and without the accents that
/// one database would fold and the other would not.
fn words(text: &str) -> Vec<String> {
    let folded: String = text
        .chars()
        .flat_map(char::to_lowercase)
        .map(unaccented)
        .collect();
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(Into::into)
        .collect()
}

fn words_of_query(text: &str) -> Vec<String> {
    let mut all = words(text);
    all.truncate(MAX_WORDS);
    let telling = all
        .iter()
        .filter(|word| !STOP_WORDS.contains(&word.as_str()))
        .cloned()
        .collect::<Vec<_>>();
    if telling.is_empty() { all } else { telling }
}

/// The Latin letter under a common accent.
fn unaccented(letter: char) -> char {
    const GROUPS: [(char, &str); 11] = [
        ('a', "àáâãäåāăą"),
        ('c', "çćč"),
        ('e', "èéêëēėęě"),
        ('i', "ìíîïīį"),
        ('l', "ł"),
        ('n', "ñńň"),
        ('o', "òóôõöøō"),
        ('s', "śšș"),
        ('u', "ùúûüūůű"),
        ('y', "ýÿ"),
        ('z', "źżž"),
    ];
    if letter.is_ascii() {
        return letter;
    }
    GROUPS
        .iter()
        .find(|(_, accented)| accented.contains(letter))
        .map_or(letter, |(plain, _)| *plain)
}

/// FTS5: each word a quoted prefix, all of them required.
fn fts5(words: &[String], column: &str) -> String {
    let terms: Vec<_> = words
        .iter()
        .map(|word| format!("{column}\"{word}\" *"))
        .collect();
    terms.join(" AND ")
}

/// `to_tsquery`: each word a prefix, all of them required, of lexemes with this weight.
fn tsquery(words: &[String], weight: &str) -> String {
    let terms: Vec<_> = words
        .iter()
        .map(|word| format!("{word}:*{weight}"))
        .collect();
    terms.join(" & ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits_without_accents() {
        assert_eq!(
            words("Café-Crème, 12\" (T-Shirt)"),
            ["cafe", "creme", "12", "t", "shirt"]
        );
        assert_eq!(words("\"'*:&|!<>()"), Vec::<String>::new());
    }

    #[test]
    fn a_querys_stop_words_count_only_when_alone() {
        assert_eq!(words_of_query("the shirt for a boy"), ["shirt", "boy"]);
        assert_eq!(words_of_query("The"), ["the"]);
        assert_eq!(words_of_query(&"x ".repeat(100)).len(), MAX_WORDS);
    }

    #[test]
    fn each_database_gets_its_own_query_language() {
        let words = words_of_query("wool coat");
        assert_eq!(
            fts5(&words, "title : "),
            "title : \"wool\" * AND title : \"coat\" *"
        );
        assert_eq!(tsquery(&words, "A"), "wool:*A & coat:*A");
    }

    #[test]
    fn every_filter_is_a_parameter() {
        let after = Position {
            rank: -3,
            title: "O'Neill".into(),
            id: "x".into(),
        };
        let query = ProductQuery {
            text: Some("coat"),
            categories: &["Apparel > Coats".into()],
            price_min_minor: Some(100),
            price_max_minor: Some(200),
            in_stock_at: Some(&["here"]),
            after: Some(&after),
            limit: 10,
        };
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let (sql, params) = statement(dialect, "b", &query, &words_of_query("coat"));
            assert_eq!(params.len(), 11);
            assert!(
                sql.contains("LIMIT ?11")
                    && !sql.contains("Neill")
                    && !sql.contains("Coats")
                    && !sql.contains("here")
            );
        }
    }
}
