//! Catalog search, lookup and product detail (UCP 2026-08-25, `shopping/catalog`), with
//! the catalog part of the fulfillment extension.

use aisle_domain::brand::Brand;
use aisle_domain::money::Currency;
use serde::{Deserialize, Serialize};

use crate::envelope::Message;
use crate::page::{
    Context, Invalid, MAX_LOOKUP_IDS, MAX_QUERY_BYTES, MAX_TEXT_BYTES, PageRequest, Pagination,
    check_length,
};

pub mod answer;
#[cfg(feature = "openapi")]
pub mod api;
pub mod fulfillment;
pub mod view;

/// Most categories in one filter, and most selected options or preferences.
const MAX_LIST: usize = 20;

/// `catalog_search.json`, `search_request`. At least one of `query` and `filters` is required.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchRequest {
    /// Words that the product's title or text has; empty or `*`: everything, the latest first.
    pub query: Option<String>,
    #[serde(default)]
    pub context: Context,
    pub filters: Option<Filters>,
    #[serde(default)]
    pub pagination: PageRequest,
    /// The same as `pagination.cursor`, where some clients put it.
    pub cursor: Option<String>,
}

/// `catalog_lookup.json`, `lookup_request`.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LookupRequest {
    /// Product ids, variant ids, SKUs, GTINs and handles, mixed; at most 100.
    pub ids: Vec<String>,
    #[serde(default)]
    pub context: Context,
    #[serde(default)]
    pub filters: Filters,
}

/// `catalog_lookup.json`, `get_product_request`.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductRequest {
    /// A product id, variant id, SKU, GTIN or handle.
    pub id: String,
    /// What the buyer chose so far; each option at most once.
    #[serde(default)]
    pub selected: Vec<SelectedOption>,
    /// Option names, the most important first: what cannot be had is given up from the end.
    #[serde(default)]
    pub preferences: Vec<String>,
    #[serde(default)]
    pub context: Context,
    #[serde(default)]
    pub filters: Filters,
}

/// `types/selected_option.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SelectedOption {
    pub name: String,
    pub label: String,
}

/// `types/search_filters.json` with the fulfillment extension. All must hold. A filter that
/// is not known is refused: to ignore it would return what the buyer excluded.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Filters {
    /// Any of these.
    #[serde(default)]
    pub categories: Vec<String>,
    pub price: Option<PriceFilter>,
    /// What can be had there, now: at a store, or shipped to a country.
    pub fulfills_to: Option<Destination>,
    /// `pickup`, `shipping`: what can be had that way, now.
    pub methods: Option<Vec<String>>,
}

/// In minor units of `context.currency`, by default the brand's.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceFilter {
    pub min: Option<i64>,
    pub max: Option<i64>,
}

/// `types/fulfillment_destination_filter.json`; `location` counts before the locality.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Destination {
    /// A location's id.
    pub location: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub address_country: Option<String>,
    pub address_region: Option<String>,
    pub postal_code: Option<String>,
}

/// Lowest and highest price, inclusive, in minor units of the brand's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceBounds {
    pub min_minor: i64,
    pub max_minor: i64,
}

impl PriceBounds {
    pub fn contain(&self, price_minor: i64) -> bool {
        (self.min_minor..=self.max_minor).contains(&price_minor)
    }
}

impl SearchRequest {
    /// Checks lengths and that there is something to search by.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.query.is_none() && self.filters.is_none() {
            return Err(Invalid::new(
                "invalid_request",
                "$",
                "query or filters is required",
            ));
        }
        check_length(
            "$.query",
            self.query.as_deref().unwrap_or_default(),
            MAX_QUERY_BYTES,
        )?;
        self.filters.as_ref().map_or(Ok(()), Filters::check)
    }

    /// The words to search for; `None` to browse everything.
    pub fn words(&self) -> Option<&str> {
        self.query
            .as_deref()
            .map(str::trim)
            .filter(|query| !query.is_empty() && *query != "*")
    }

    pub fn page(&self) -> PageRequest {
        let cursor = self
            .pagination
            .cursor
            .clone()
            .or_else(|| self.cursor.clone());
        PageRequest {
            cursor,
            limit: self.pagination.limit,
        }
    }
}

impl LookupRequest {
    /// The identifiers, each once, in order.
    pub fn distinct_ids(&self) -> Result<Vec<&str>, Invalid> {
        if self.ids.is_empty() {
            return Err(Invalid::new(
                "invalid_request",
                "$.ids",
                "must not be empty",
            ));
        }
        let mut distinct = Vec::new();
        for (index, id) in self.ids.iter().enumerate() {
            check_length(&format!("$.ids[{index}]"), id, MAX_TEXT_BYTES)?;
            if !distinct.contains(&id.as_str()) {
                distinct.push(id);
            }
            if distinct.len() > MAX_LOOKUP_IDS {
                return Err(Invalid::new(
                    "request_too_large",
                    "$.ids",
                    "more than 100 identifiers",
                ));
            }
        }
        self.filters.check()?;
        Ok(distinct)
    }
}

impl ProductRequest {
    pub fn check(&self) -> Result<(), Invalid> {
        check_length("$.id", &self.id, MAX_TEXT_BYTES)?;
        check_list("$.selected", self.selected.len())?;
        check_list("$.preferences", self.preferences.len())?;
        for (index, option) in self.selected.iter().enumerate() {
            if self
                .selected
                .iter()
                .take(index)
                .any(|earlier| earlier.name == option.name)
            {
                let path = format!("$.selected[{index}].name");
                return Err(Invalid::new(
                    "invalid_request",
                    path,
                    "the option is selected twice",
                ));
            }
        }
        self.filters.check()
    }
}

impl Filters {
    fn check(&self) -> Result<(), Invalid> {
        check_list("$.filters.categories", self.categories.len())?;
        for (index, category) in self.categories.iter().enumerate() {
            check_length(
                &format!("$.filters.categories[{index}]"),
                category,
                MAX_TEXT_BYTES,
            )?;
        }
        check_list(
            "$.filters.methods",
            self.methods.as_ref().map_or(0, Vec::len),
        )
    }

    /// The price filter in the brand's currency. A filter in another currency is not applied,
    /// since nothing here converts; the message says so.
    pub fn price_bounds(
        &self,
        context: &Context,
        brand: &Brand,
    ) -> Result<(Option<PriceBounds>, Option<Message>), Invalid> {
        if let Some(code) = &context.currency {
            let unknown =
                |_| Invalid::new("unknown_currency", "$.context.currency", "no ISO 4217 code");
            Currency::parse(code).map_err(unknown)?;
        }
        let Some(price) = &self.price else {
            return Ok((None, None));
        };
        for (path, bound) in [
            ("$.filters.price.min", price.min),
            ("$.filters.price.max", price.max),
        ] {
            if bound.is_some_and(|bound| bound < 0) {
                return Err(Invalid::new("invalid_price", path, "must not be negative"));
            }
        }
        if context
            .currency
            .as_ref()
            .is_some_and(|code| *code != brand.currency)
        {
            let text = format!(
                "Prices are in {}; the price filter was not applied.",
                brand.currency
            );
            return Ok((
                None,
                Some(Message::warning("price_filter_ignored", text).at("$.filters.price")),
            ));
        }
        let bounds = PriceBounds {
            min_minor: price.min.unwrap_or(0),
            max_minor: price.max.unwrap_or(i64::MAX),
        };
        Ok((Some(bounds), None))
    }
}

fn check_list(path: &str, length: usize) -> Result<(), Invalid> {
    if length <= MAX_LIST {
        return Ok(());
    }
    Err(Invalid::new(
        "too_long",
        path,
        format!("more than {MAX_LIST} entries"),
    ))
}

/// The brand's categories, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryList {
    pub categories: Vec<CategoryCount>,
    pub pagination: Pagination,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryCount {
    /// As in `filters.categories` of a search.
    pub name: String,
    /// How many published products are in it.
    pub products: i64,
}

/// How an identifier of a lookup led to a variant (`types/input_correlation.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Input {
    /// As it stood in the request.
    pub id: String,
    #[serde(rename = "match")]
    pub how: Match,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// The identifier names this very variant.
    Exact,
    /// The identifier names its product, for which this variant stands.
    Featured,
}
