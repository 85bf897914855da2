//! A brand: one face of the retail group, with its own currency, tax and delivery terms.

use serde::{Deserialize, Serialize};

/// The document of table `brand`, also what `PUT /admin/brands/{handle}` takes (without `id`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// UUIDv7; empty in a request that creates the brand.
    #[serde(default)]
    pub id: String,
    /// Short name in URLs and imports: lower-case letters, digits, hyphens.
    pub handle: String,
    pub name: String,
    /// Host names, or `host:port` for clients that cannot resolve such names.
    pub hosts: Vec<String>,
    /// Serves requests whose host belongs to no brand. At most one brand.
    #[serde(default)]
    pub is_default: bool,
    /// ISO 4217 code in which all prices of the brand are.
    pub currency: String,
    /// BCP 47 language of the catalog's texts.
    pub language: String,
    /// ISO 3166-1 alpha-2: where tax is charged when no destination is known yet.
    pub country: String,
    /// ISO 3166-2 subdivision without the country, or empty.
    #[serde(default)]
    pub region: String,
    /// Prices contain tax already (as in Europe) instead of adding it (as in the US).
    pub prices_include_tax: bool,
    #[serde(default)]
    pub tax_rates: Vec<TaxRate>,
    #[serde(default)]
    pub shipping_methods: Vec<ShippingMethod>,
    /// Minutes a store needs to have an order ready, unless the location says otherwise.
    #[serde(default = "default_preparation_minutes")]
    pub preparation_minutes: i64,
    /// How long a ready order is kept for collection, in days.
    #[serde(default = "default_pickup_days")]
    pub pickup_days: i64,
    /// What a checkout must tell of its buyer, beyond what the delivery itself needs.
    #[serde(default)]
    pub checkout_requires: Vec<RequiredContact>,
    /// Absolute URLs that the brand owes its shoppers (terms, privacy, refunds).
    #[serde(default)]
    pub links: Vec<Link>,
}

/// A row of table `tax_rate`. The most specific one applies: region before country, category before none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxRate {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 3166-2 subdivision without the country; empty: the whole country.
    #[serde(default)]
    pub region: String,
    /// A variant's tax category; empty: all.
    #[serde(default)]
    pub category: String,
    /// Parts per million: 8.875 % is 88750.
    pub rate_ppm: i64,
}

/// A way to ship, at a flat price for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippingMethod {
    pub id: String,
    pub title: String,
    pub price_minor: i64,
    /// ISO 3166-1 alpha-2 codes that it delivers to; empty: everywhere.
    #[serde(default)]
    pub countries: Vec<String>,
    /// Days from order to delivery, earliest and latest.
    pub earliest_days: i64,
    pub latest_days: i64,
}

/// A fact without which a checkout of the brand stays incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequiredContact {
    BuyerEmail,
    BuyerPhoneNumber,
    /// Street, locality and postal code of where a parcel goes; its country always is.
    ShippingAddress,
}

/// A link of the UCP shape `types/link.json`, such as type `terms_of_service`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    #[serde(rename = "type")]
    pub kind: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

fn default_preparation_minutes() -> i64 {
    120
}

fn default_pickup_days() -> i64 {
    7
}
