//! A brand: one face of the retail group, with its own currency, tax and delivery terms.

mod theme;

use std::collections::HashSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::contact::{self, ContactError, Phone};
use crate::location::FieldError;
use crate::money::{Currency, MAX_MINOR};
use crate::place;
use crate::policy::Policies;

pub use theme::Theme;

/// The most entries of each list in a brand's document.
const MAX_ENTRIES: usize = 1_000;
/// The most origins whose pages may call the storefront.
const MAX_ORIGINS: usize = 50;
/// The longest text in it, in characters.
const MAX_TEXT_CHARS: usize = 255;
/// The longest preparation, in minutes: 30 days.
const MAX_PREPARATION_MINUTES: i64 = 43_200;
/// The longest time for which an order is kept or may travel, in days.
const MAX_DAYS: i64 = 365;
/// A tax of 100 %.
const WHOLE_PPM: i64 = 1_000_000;

/// The document of table `brand`, also what `PUT /admin/brands/{handle}` takes (without `id`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Brand {
    /// UUIDv7; empty in a request that creates the brand.
    #[serde(default)]
    pub id: String,
    /// Short name in URLs and imports: lower-case letters, digits, hyphens.
    pub handle: String,
    pub name: String,
    /// Host names, or `host:port` for clients that cannot resolve such names.
    pub hosts: Vec<String>,
    /// Origins (RFC 6454) of shops elsewhere whose pages may call the storefront's API, such as
    /// `https://www.shop.example`: as a browser writes them, so without a path and without the
    /// port that is usual. `http` only for this machine. What everybody may read, such as the
    /// catalog, pages of every origin may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_origins: Vec<String>,
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
    /// How its own pages look.
    #[serde(default)]
    pub theme: Theme,
    /// The brand's own app for phones, which opens the links that are texted to shoppers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<App>,
    /// How it sources, transfers, holds, hands over and counts.
    #[serde(default)]
    pub policies: Policies,
}

/// A tax. The most specific ones apply: region before country, category before none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaxRate {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 3166-2 subdivision without the country; empty: the whole country.
    #[serde(default)]
    pub region: String,
    /// A variant's tax category; empty: all.
    #[serde(default)]
    pub category: String,
    /// What the tax is called, such as `GST`: rates of several names for one country, region
    /// and category add up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Parts per million: 8.875 % is 88750.
    pub rate_ppm: i64,
}

/// A way to ship, at a flat price for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RequiredContact {
    BuyerEmail,
    BuyerPhoneNumber,
    /// Street, locality and postal code of where a parcel goes; its country always is.
    ShippingAddress,
}

/// A link of the UCP shape `types/link.json`, such as type `terms_of_service`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BrandLink))]
pub struct Link {
    #[serde(rename = "type")]
    pub kind: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Whether a host, with or without its port, is one of this machine or network, which is
/// reached without TLS: a name of the public always has it.
pub fn is_local(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_address = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let is_of_this_machine = name == "localhost" || name.ends_with(".localhost");
    name.is_empty() || is_of_this_machine || is_address(name) || is_address(host)
}

/// Whether a host, with or without its port, is this very machine.
pub fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_address = |text: &str| {
        let address = text.trim_matches(['[', ']']).parse::<IpAddr>();
        address.is_ok_and(|address| address.is_loopback())
    };
    let is_named = name == "localhost" || name.ends_with(".localhost");
    is_named || is_address(name) || is_address(host)
}

impl Brand {
    /// Whether pages of this origin may call the storefront's API.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|one| one == origin)
    }

    /// Until when goods that lie ready at `ready_at_ms` are kept for whoever collects them.
    pub fn kept_until_ms(&self, ready_at_ms: i64) -> i64 {
        const DAY_MS: i64 = 86_400_000;
        ready_at_ms.saturating_add(self.pickup_days.max(0).saturating_mul(DAY_MS))
    }

    /// Where the public finds the brand: scheme and host. A host of this machine is not
    /// reached over TLS, and only with its port.
    pub fn public_origin(&self) -> String {
        let public = self.hosts.iter().find(|host| !is_local(host));
        if let Some(host) = public {
            return format!("https://{host}");
        }
        let with_port = self.hosts.iter().find(|host| host.contains(':'));
        let host = with_port.or(self.hosts.first());
        format!("http://{}", host.map_or("localhost", String::as_str))
    }

    /// Whether texts may go to numbers of this country (ISO 3166-1 alpha-2).
    pub fn may_text(&self, country: &str) -> bool {
        let listed = &self.policies.notification.countries;
        if !listed.is_empty() {
            return listed.iter().any(|one| one == country);
        }
        let mut shipped = self.shipping_methods.iter().flat_map(|one| &one.countries);
        self.country == country || shipped.any(|one| one == country)
    }

    /// Reads a number as [`contact::phone`] does, and refuses those of countries that get no
    /// texts: nobody waits then for one that is never sent.
    pub fn phone(&self, text: &str, default_country: &str) -> Result<Phone, ContactError> {
        let phone = contact::phone(text, default_country)?;
        match self.may_text(&phone.country) {
            true => Ok(phone),
            false => Err(ContactError {
                code: "country_not_served",
                detail: "no texts are sent to numbers of this country",
            }),
        }
    }

    /// Whether a number, in E.164 form, is of another country than the brand.
    pub fn is_abroad(&self, e164: &str) -> bool {
        contact::country_of(e164).is_some_and(|country| country != self.country)
    }

    /// With countries and regions as codes, where they are understood.
    pub fn in_codes(mut self) -> Self {
        place::as_codes(&mut self.country, &mut self.region);
        for rate in &mut self.tax_rates {
            place::as_codes(&mut rate.country, &mut rate.region);
        }
        let shipped = self.shipping_methods.iter_mut();
        for country in shipped.flat_map(|method| &mut method.countries) {
            place::as_codes(country, &mut String::new());
        }
        self
    }

    /// Checks what the shape alone cannot. Errors name the first wrong field, such as `tax_rates[2].rate_ppm`.
    pub fn validate(&self) -> Result<(), FieldError> {
        check(
            is_handle(&self.handle),
            "handle",
            "1 to 64 lower-case letters, digits and hyphens",
        )?;
        check(is_text(&self.name), "name", "1 to 255 characters")?;
        check(
            Currency::parse(&self.currency).is_ok(),
            "currency",
            "no ISO 4217 code",
        )?;
        check(
            is_language(&self.language),
            "language",
            "no BCP 47 language",
        )?;
        check(
            is_country(&self.country),
            "country",
            "no ISO 3166-1 alpha-2 code",
        )?;
        check(
            is_region(&self.country, &self.region),
            "region",
            "no ISO 3166-2 subdivision of its country",
        )?;
        if let Err(unclear) = place::find(&self.tax_rates, &self.country, &self.region) {
            check(false, "region", &unclear.detail())?;
        }
        check(
            (0..=MAX_PREPARATION_MINUTES).contains(&self.preparation_minutes),
            "preparation_minutes",
            "not within 0 and 43200",
        )?;
        check(
            (1..=MAX_DAYS).contains(&self.pickup_days),
            "pickup_days",
            "not within 1 and 365",
        )?;
        self.theme.validate().map_err(|(path, detail)| FieldError {
            path: path.into(),
            detail: detail.into(),
        })?;
        self.policies
            .validate()
            .map_err(|(path, detail)| FieldError {
                path: format!("policies.{path}"),
                detail: detail.into(),
            })?;
        self.policies
            .notification
            .validate()
            .map_err(|(path, detail)| FieldError {
                path: format!("policies.notification.{path}"),
                detail: detail.into(),
            })?;
        if let Some(app) = &self.app {
            app.validate().map_err(|(path, detail)| FieldError {
                path: format!("app.{path}"),
                detail: detail.into(),
            })?;
        }
        each("hosts", &self.hosts, |host| {
            (
                host.as_str(),
                is_host(host)
                    .then_some(())
                    .ok_or((".", "no lower-case host name, nor host:port")),
            )
        })?;
        check(
            self.allowed_origins.len() <= MAX_ORIGINS,
            "allowed_origins",
            "more than 50 entries",
        )?;
        each("allowed_origins", &self.allowed_origins, |origin| {
            (
                origin.as_str(),
                fault(
                    is_origin(origin),
                    ".",
                    "no origin as a browser writes it: https://host, or https://host:port",
                ),
            )
        })?;
        each("tax_rates", &self.tax_rates, |rate| {
            (
                (&rate.country, &rate.region, &rate.category, &rate.name),
                rate.validate(),
            )
        })?;
        each("shipping_methods", &self.shipping_methods, |method| {
            (method.id.as_str(), method.validate())
        })?;
        each("links", &self.links, |link| {
            ((&link.kind, &link.url), link.validate())
        })
    }
}

/// A field's name below the entry (`.` for the entry itself) and what is wrong with it.
type Fault = (&'static str, &'static str);

impl TaxRate {
    fn validate(&self) -> Result<(), Fault> {
        fault(
            is_country(&self.country),
            "country",
            "no ISO 3166-1 alpha-2 code",
        )?;
        fault(
            is_region(&self.country, &self.region),
            "region",
            "no ISO 3166-2 subdivision of its country",
        )?;
        fault(
            self.name.is_empty() || is_text(&self.name),
            "name",
            "longer than 255 characters, or with control characters",
        )?;
        fault(
            self.category.chars().count() <= MAX_TEXT_CHARS,
            "category",
            "longer than 255 characters",
        )?;
        fault(
            (0..=WHOLE_PPM).contains(&self.rate_ppm),
            "rate_ppm",
            "not within 0 and 1000000",
        )
    }
}

impl ShippingMethod {
    fn validate(&self) -> Result<(), Fault> {
        fault(is_text(&self.id), "id", "1 to 255 characters")?;
        fault(is_text(&self.title), "title", "1 to 255 characters")?;
        fault(
            (0..=MAX_MINOR).contains(&self.price_minor),
            "price_minor",
            "negative or too high",
        )?;
        fault(
            self.countries.len() <= MAX_ENTRIES
                && self.countries.iter().all(|code| is_country(code)),
            "countries",
            "no ISO 3166-1 alpha-2 codes",
        )?;
        fault(
            (0..=MAX_DAYS).contains(&self.earliest_days),
            "earliest_days",
            "not within 0 and 365",
        )?;
        fault(
            (self.earliest_days..=MAX_DAYS).contains(&self.latest_days),
            "latest_days",
            "not within earliest_days and 365",
        )
    }
}

impl Link {
    fn validate(&self) -> Result<(), Fault> {
        fault(is_text(&self.kind), "type", "1 to 255 characters")?;
        fault(
            self.url.starts_with("https://")
                && self.url.len() <= 2_048
                && !self.url.contains(char::is_whitespace),
            "url",
            "no https address",
        )?;
        fault(
            self.title.as_ref().is_none_or(|title| is_text(title)),
            "title",
            "1 to 255 characters",
        )
    }
}

fn fault(fits: bool, field: &'static str, detail: &'static str) -> Result<(), Fault> {
    fits.then_some(()).ok_or((field, detail))
}

fn check(fits: bool, path: &str, detail: &str) -> Result<(), FieldError> {
    fits.then_some(()).ok_or_else(|| FieldError {
        path: path.into(),
        detail: detail.into(),
    })
}

/// Checks a list: its length, each entry, and that no two have the same key.
fn each<'a, T, K: Eq + std::hash::Hash>(
    list: &str,
    entries: &'a [T],
    judge: impl Fn(&'a T) -> (K, Result<(), Fault>),
) -> Result<(), FieldError> {
    check(entries.len() <= MAX_ENTRIES, list, "more than 1000 entries")?;
    let mut keys = HashSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let (key, verdict) = judge(entry);
        let path = |field| {
            if field == "." {
                format!("{list}[{index}]")
            } else {
                format!("{list}[{index}].{field}")
            }
        };
        verdict.map_err(|(field, detail)| FieldError {
            path: path(field),
            detail: detail.into(),
        })?;
        check(
            keys.insert(key),
            &path("."),
            "the same as an entry before it",
        )?;
    }
    Ok(())
}

fn is_handle(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_text(text: &str) -> bool {
    (1..=MAX_TEXT_CHARS).contains(&text.chars().count()) && !text.contains(char::is_control)
}

fn is_country(text: &str) -> bool {
    place::country(text).is_some_and(|country| country.code == text)
}

/// Of a country whose regions nobody has listed, anything that looks like a code.
fn is_region(country: &str, text: &str) -> bool {
    let regions = || {
        let country = place::country(country).into_iter();
        country.flat_map(|country| country.regions())
    };
    let is_code = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    match regions().next() {
        _ if text.is_empty() => true,
        Some(_) => regions().any(|region| region.code == text),
        None => text.len() <= 3 && text.bytes().all(is_code),
    }
}

fn is_language(text: &str) -> bool {
    text.len() <= 35
        && text.split('-').enumerate().all(|(at, part)| {
            let length = if at == 0 { 2..=8 } else { 1..=8 };
            length.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

fn is_host(text: &str) -> bool {
    let (name, port) = text
        .split_once(':')
        .map_or((text, None), |(name, port)| (name, Some(port)));
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.len() <= 253
        && name.split('.').all(is_label)
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Browsers leave the port away that the scheme has anyway, and compare letter by letter.
fn is_origin(text: &str) -> bool {
    let (host, usual_port) = match text.split_once("://") {
        Some(("https", host)) => (host, ":443"),
        Some(("http", host)) if is_loopback(host) => (host, ":80"),
        _ => return false,
    };
    is_host(host) && !host.ends_with(usual_port)
}

fn default_preparation_minutes() -> i64 {
    120
}

fn default_pickup_days() -> i64 {
    7
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMO: &str = include_str!("../../../../infra/demo/brands.json");

    fn brands() -> Vec<Brand> {
        let mut document: serde_json::Value = serde_json::from_str(DEMO).expect("JSON");
        serde_json::from_value(document["brands"].take()).expect("brands")
    }

    fn fault_after(change: impl Fn(&mut Brand)) -> String {
        let mut brand = brands().swap_remove(0);
        change(&mut brand);
        brand.validate().expect_err("a fault").path
    }

    #[test]
    fn the_demo_brands_are_in_order() {
        assert!(brands().iter().all(|brand| brand.validate().is_ok()));
    }

    #[test]
    fn a_fault_names_its_field() {
        assert_eq!(fault_after(|brand| brand.handle = "North".into()), "handle");
        assert_eq!(
            fault_after(|brand| brand.currency = "EURO".into()),
            "currency"
        );
        assert_eq!(fault_after(|brand| brand.language = "e".into()), "language");
        assert_eq!(
            fault_after(|brand| brand.hosts = vec!["a".into(), "https://b".into()]),
            "hosts[1]"
        );
        assert_eq!(
            fault_after(|brand| brand.allowed_origins = vec!["https://a".into(); 2]),
            "allowed_origins[1]"
        );
        assert_eq!(
            fault_after(|brand| {
                let many = (0..=MAX_ORIGINS).map(|one| format!("https://{one}.example"));
                brand.allowed_origins = many.collect();
            }),
            "allowed_origins"
        );
        assert_eq!(
            fault_after(|brand| brand.tax_rates[1].rate_ppm = -1),
            "tax_rates[1].rate_ppm"
        );
        assert_eq!(
            fault_after(|brand| brand.tax_rates[2] = brand.tax_rates[1].clone()),
            "tax_rates[2]"
        );
        assert_eq!(
            fault_after(|brand| brand.shipping_methods[0].latest_days = 0),
            "shipping_methods[0].latest_days"
        );
        assert_eq!(
            fault_after(|brand| brand.links[0].url = "http://a.example".into()),
            "links[0].url"
        );
        assert_eq!(fault_after(|brand| brand.pickup_days = 0), "pickup_days");
        assert_eq!(
            fault_after(|brand| brand.policies.holds.max_units = 0),
            "policies.holds.max_units"
        );
    }

    #[test]
    fn an_origin_is_written_as_a_browser_writes_it() {
        for origin in [
            "https://shop.example",
            "https://shop.example:8443",
            "http://localhost:5173",
            "http://north.localhost",
            "http://127.0.0.1:3000",
        ] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in [
            "",
            "*",
            "null",
            "shop.example",
            "https://",
            "https://*.shop.example",
            "https://shop.example/",
            "https://shop.example/shop",
            "https://shop.example:443",
            "https://shop.example:",
            "https://SHOP.example",
            "https://ada@shop.example",
            "http://shop.example",
            "http://192.168.0.7:3000",
            "http://localhost:80",
            "http://localhost.shop.example",
            "capacitor://localhost",
        ] {
            assert!(!is_origin(other), "{other}");
        }
    }
}
