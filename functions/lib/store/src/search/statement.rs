//! The one statement of a page.

use aisle_domain::search::{Stream, Terms, mark};
use aisle_domain::supply::Restriction;
use serde_json::json;

use super::index::ALL;
use super::{MAX_EXAMINED, ProductQuery};
use crate::{Dialect, Value, values};

/// Entries that the page of a query looks at. The first page also counts, unless a counter
/// tells; one more than are counted tells that there are more. Without filters that look at
/// rows a page needs no more entries than it shows.
pub fn examined(query: &ProductQuery<'_>) -> i64 {
    let counts = query.after.is_none() && counter(query).is_none();
    match is_filtered(query) {
        _ if counts => MAX_EXAMINED + 1,
        true => MAX_EXAMINED,
        false => query.limit + 1,
    }
}

/// The counter that knows how many products there are: of a category, or of all.
fn counter<'a>(query: &ProductQuery<'a>) -> Option<&'a str> {
    match query.question.categories {
        _ if query.question.text.is_some() || is_filtered(query) => None,
        [] => Some(ALL),
        [category] => Some(category),
        _ => None,
    }
}

fn is_filtered(query: &ProductQuery<'_>) -> bool {
    query.question.price_minor.is_some() || query.in_stock.is_some()
}

/// The parameters of a statement while it is being written.
#[derive(Default)]
struct Params(Vec<Value>);

impl Params {
    /// The placeholder of a new parameter.
    fn push(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("?{}", self.0.len())
    }
}

/// The entries of the streams in their order, as many as may be looked at; of them those that
/// fit; of these a page, and one more if there is one, with their documents. One row at
/// least: its `examined`, `fitting`, `last_tier` and `last_ord` tell how far it went.
pub fn statement(
    dialect: Dialect,
    brand_id: &str,
    query: &ProductQuery<'_>,
    streams: &[&Stream],
) -> (String, Vec<Value>) {
    let mut params = Params(values![brand_id]);
    let found = match dialect {
        Dialect::Sqlite => found_by_fts5(query, streams, &mut params),
        Dialect::Postgres => found_by_gin(brand_id, query, streams, &mut params),
    };
    let fits = fits(query, &mut params);
    let shown = params.push(query.limit + 1);
    let fitting = match query.after {
        None => params.push(MAX_EXAMINED + 1),
        Some(_) => shown.clone(),
    };
    let counted = match counter(query).filter(|_| query.after.is_none()) {
        Some(category) => format!(
            "coalesce((SELECT products FROM category_count WHERE brand_id = ?1 AND category = {}), 0)",
            params.push(category)
        ),
        None => "CAST(NULL AS BIGINT)".into(),
    };
    let sql = format!(
        "WITH found AS MATERIALIZED ({found}), \
         fitting AS MATERIALIZED (SELECT tier, ord, product_id FROM found{fits} LIMIT {fitting}) \
         SELECT {counted} AS counted, told.examined, told.fitting, told.last_tier, told.last_ord, page.tier, page.ord, p.doc \
         FROM (SELECT (SELECT count(*) FROM found) AS examined, (SELECT count(*) FROM fitting) AS fitting, \
         (SELECT max(tier) FROM found) AS last_tier, \
         (SELECT min(ord) FROM found WHERE tier = (SELECT max(tier) FROM found)) AS last_ord) told \
         LEFT JOIN (SELECT tier, ord, product_id FROM fitting ORDER BY tier, ord DESC LIMIT {shown}) page ON true \
         LEFT JOIN product p ON p.id = page.product_id \
         ORDER BY page.tier, page.ord DESC"
    );
    (sql, params.0)
}

/// `UNION ALL` under a limit begins with a stream only when those before have ended.
fn found_by_fts5(query: &ProductQuery<'_>, streams: &[&Stream], params: &mut Params) -> String {
    let wanted = params.push(examined(query));
    let after = query.after.map(|after| params.push(after.ord));
    let mut parts = Vec::new();
    for (at, stream) in streams.iter().enumerate() {
        let asked = params.push(fts5(stream));
        let below = match &after {
            Some(ord) if at == 0 => format!(" AND rowid < {ord}"),
            _ => String::new(),
        };
        let tier = u8::from(stream.tier);
        parts.push(format!(
            "SELECT * FROM (SELECT {tier} AS tier, rowid AS ord FROM search_index \
             WHERE search_index MATCH {asked}{below} ORDER BY rowid DESC LIMIT {wanted})"
        ));
    }
    let union = parts.join(" UNION ALL ");
    format!(
        "SELECT hit.tier, hit.ord, e.product_id FROM (SELECT * FROM ({union}) LIMIT {wanted}) hit \
         CROSS JOIN search_entry e ON e.ord = hit.ord AND +e.brand_id = ?1"
    )
}

fn found_by_gin(
    brand_id: &str,
    query: &ProductQuery<'_>,
    streams: &[&Stream],
    params: &mut Params,
) -> String {
    let streams: Vec<_> = streams
        .iter()
        .map(|stream| json!({"tier": u8::from(stream.tier), "query": tsquery(stream)}))
        .collect();
    let mark = params.push(mark(brand_id));
    let streams = params.push(serde_json::Value::from(streams).to_string());
    let wanted = params.push(examined(query));
    let newest = "(SELECT coalesce(max(ord), 0) + 1 FROM search_entry WHERE brand_id = ?1)";
    let before = query
        .after
        .map_or_else(|| newest.into(), |after| params.push(after.ord));
    format!(
        "SELECT tier, ord, product_id FROM aisle_find(?1, {mark}, {streams}::jsonb, {before}, {newest}, {wanted})"
    )
}

/// What only the rows of a product tell. As subselects with a limit: neither database makes
/// a join of those, so that entries are looked at in their order until the page is full.
fn fits(query: &ProductQuery<'_>, params: &mut Params) -> String {
    if !is_filtered(query) {
        return String::new();
    }
    let mut offer = String::new();
    if let Some((min_minor, max_minor)) = query.question.price_minor {
        let (min, max) = (params.push(min_minor), params.push(max_minor));
        offer += &format!(" AND v.price_minor >= {min} AND v.price_minor <= {max}");
    }
    if let Some(restriction) = query.in_stock {
        let ways = ways(restriction, params);
        offer += &format!(
            " AND (SELECT 1 FROM stock s JOIN place l ON l.location_id = s.location_id \
             JOIN brand_location own ON own.brand_id = ?1 AND own.location_id = s.location_id \
             WHERE s.brand_id = ?1 AND s.sku = v.sku AND s.on_hand - s.reserved - s.safety > 0 \
             AND ({ways}) LIMIT 1) = 1"
        );
    }
    format!(
        " WHERE (SELECT 1 FROM variant v WHERE v.product_id = found.product_id AND v.active = 1{offer} LIMIT 1) = 1"
    )
}

/// The ways from the place `l` of the stock `s` to the shopper.
fn ways(restriction: &Restriction, params: &mut Params) -> String {
    let store = restriction.store.as_ref();
    let store = store.map(|id| format!("s.location_id = {}", params.push(id.as_str())));
    let collected = restriction.collected.then(|| "l.hands_over = 1".to_owned());
    let shipped = restriction.shipped.then(|| "l.ships = 1".to_owned());
    let ways: Vec<String> = [store, collected, shipped].into_iter().flatten().collect();
    match ways.is_empty() {
        true => "1 = 0".into(),
        false => ways.join(" OR "),
    }
}

/// As FTS5 has it. Tokens are letters, digits and characters beyond ASCII, so that quotes hold them.
fn fts5(stream: &Stream) -> String {
    let terms = |terms: &Terms| join(terms, " AND ", " OR ", '"');
    let none: String = stream
        .none
        .iter()
        .map(|none| format!(" NOT ({})", terms(none)))
        .collect();
    format!("({}){none}", terms(&stream.all))
}

/// As a TSQUERY.
fn tsquery(stream: &Stream) -> String {
    let terms = |terms: &Terms| join(terms, " & ", " | ", '\'');
    let none: String = stream
        .none
        .iter()
        .map(|none| format!(" & !({})", terms(none)))
        .collect();
    format!("{}{none}", terms(&stream.all))
}

fn join(terms: &Terms, and: &str, or: &str, quote: char) -> String {
    let any = |tokens: &Vec<String>| {
        let quoted: Vec<_> = tokens
            .iter()
            .map(|token| format!("{quote}{token}{quote}"))
            .collect();
        format!("({})", quoted.join(or))
    };
    terms.iter().map(any).collect::<Vec<_>>().join(and)
}

#[cfg(test)]
mod tests {
    use aisle_domain::search::{Question, Tier};

    use super::*;
    use crate::search::{Position, Total};

    const BRAND: &str = "0190b3f4-0000-7000-8000-00000000beef";

    #[test]
    fn each_database_gets_its_own_query_language() {
        let question = Question {
            text: Some("wool"),
            ..Question::default()
        };
        let streams = question.streams(BRAND);
        let title = streams
            .iter()
            .find(|stream| stream.tier == Tier::TitleBeginnings)
            .unwrap();
        let exact = streams[0].all[0][0].clone();
        assert_eq!(
            fts5(title),
            format!(
                "((\"0beeftwool\" OR \"0beefbwool\")) NOT ((\"{exact}\")) NOT ((\"0beeftwool\"))"
            )
        );
        assert_eq!(
            tsquery(title),
            format!("('0beeftwool' | '0beefbwool') & !(('{exact}')) & !(('0beeftwool'))")
        );
    }

    #[test]
    fn every_filter_is_a_parameter() {
        let after = Position {
            tier: Tier::Title,
            ord: 7,
            total: Total::AtLeast(1_000),
        };
        let here = Restriction {
            store: Some("here".into()),
            ..Restriction::default()
        };
        let query = ProductQuery {
            question: Question {
                text: Some("O'Neill coat"),
                categories: &["Apparel > Coats".into()],
                price_minor: Some((100, 200)),
            },
            in_stock: Some(&here),
            after: Some(&after),
            limit: 10,
        };
        let streams = query.question.streams(BRAND);
        let streams: Vec<&Stream> = streams.iter().collect();
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let (sql, params) = statement(dialect, BRAND, &query, &streams);
            assert!(sql.contains(&format!("?{}", params.len())));
            assert!(!sql.contains("neill") && !sql.contains("Coats") && !sql.contains("here"));
        }
    }
}
