//! A product as it travels, prepared once and completed for each answer.
//!
//! What seldom changes (texts, prices, options) is rendered when the product is loaded;
//! what every answer has of its own (availability, correlation, selection) is put beside
//! it as text. A popular product is thus not taken apart and put together again for
//! every request.

use aisle_domain::gtin::Gtin;
use aisle_domain::product::{Product, Variant, plain_text};
use aisle_domain::selection::Selection;
use serde::Serialize;

use super::answer::json;
use super::fulfillment::Fulfillment;
use super::{Input, SelectedOption};

/// `common/types/description.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Description {
    pub plain: String,
    /// Cleaned when it was imported; still to be treated as untrusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

impl Description {
    pub fn plain(plain: String) -> Self {
        Self { plain, html: None }
    }
}

/// `common/types/price.json`: ISO 4217 minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Price {
    pub amount: i64,
    pub currency: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceRange {
    pub min: Price,
    pub max: Price,
}

/// `types/availability.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Availability {
    pub available: bool,
    /// `in_stock` or `out_of_stock`.
    pub status: &'static str,
}

impl Availability {
    pub fn of(available: bool) -> Self {
        Self {
            available,
            status: if available {
                "in_stock"
            } else {
                "out_of_stock"
            },
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Category {
    pub value: String,
    /// `merchant`: the retailer's own.
    pub taxonomy: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Media {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alt_text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Barcode {
    /// `EAN`, `UPC` or `GTIN`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub value: String,
}

/// What of `types/product.json` does not depend on the request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductFacts {
    pub id: String,
    pub handle: String,
    pub title: String,
    pub description: Description,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    pub price_range: PriceRange,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_price_range: Option<PriceRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Metadata {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub product_type: String,
}

/// What of `types/variant.json` does not depend on the request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VariantFacts {
    /// What a cart takes as `item.id`.
    pub id: String,
    pub sku: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub barcodes: Vec<Barcode>,
    pub title: String,
    pub description: Description,
    pub price: Price,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_price: Option<Price>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<SelectedOption>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
}

/// What an answer says about a variant at the moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VariantState {
    /// Whether it can be had in any way.
    pub availability: Availability,
    /// Absent on what is not physical.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fulfillment: Option<Fulfillment>,
    /// On lookups only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
}

/// An option with its values; on product detail each with its signals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OptionView {
    pub name: String,
    pub values: Vec<OptionValue>,
}

/// `types/detail_option_value.json`: signals are relative to what is selected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OptionValue {
    pub label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
}

/// A published product with something to buy, ready to be put into answers.
pub struct ProductView {
    product: Product,
    facts: String,
    options: String,
    /// Parallel to `product.variants`.
    variants: Vec<String>,
}

impl ProductView {
    /// `None` for what shoppers do not see: unpublished, or nothing left to buy.
    pub fn new(product: Product, currency: &str) -> Option<Self> {
        if !product.published {
            return None;
        }
        let facts = json(&product_facts(&product, currency)?);
        let options = json(&plain_options(&product));
        let variants = product
            .variants
            .iter()
            .map(|variant| json(&variant_facts(&product, variant, currency)))
            .collect();
        Some(Self {
            product,
            facts,
            options,
            variants,
        })
    }

    pub fn product(&self) -> &Product {
        &self.product
    }

    /// The product with some of its variants, for search and lookup.
    pub fn listing(&self, variants: &[(&Variant, VariantState)]) -> String {
        self.object(&self.options, None, variants)
    }

    /// The product as `get_product` shows it; `is_obtainable` decides the signals.
    pub fn detail(
        &self,
        selection: &Selection,
        is_obtainable: impl Fn(&Variant) -> bool,
        variants: &[(&Variant, VariantState)],
    ) -> String {
        let value = |index: usize, label: &String| {
            let signal = selection.signal(&self.product, index, label, &is_obtainable);
            OptionValue {
                label: label.clone(),
                available: Some(signal.available),
                exists: Some(signal.exists),
            }
        };
        let options = self
            .product
            .options
            .iter()
            .enumerate()
            .map(|(index, option)| OptionView {
                name: option.name.clone(),
                values: option
                    .values
                    .iter()
                    .map(|label| value(index, label))
                    .collect(),
            });
        let selected = selection
            .pairs(&self.product)
            .map(|(name, label)| SelectedOption {
                name: name.into(),
                label: label.into(),
            });
        let selected = json(&selected.collect::<Vec<_>>());
        self.object(
            &json(&options.collect::<Vec<_>>()),
            Some(&selected),
            variants,
        )
    }

    fn object(
        &self,
        options: &str,
        selected: Option<&str>,
        variants: &[(&Variant, VariantState)],
    ) -> String {
        let mut out = String::with_capacity(self.facts.len() + 1_024 * (1 + variants.len()));
        out.push_str(open(&self.facts));
        if !self.product.options.is_empty() {
            out.extend([",\"options\":", options]);
            out.extend(
                selected
                    .into_iter()
                    .flat_map(|selected| [",\"selected\":", selected]),
            );
        }
        out.push_str(",\"variants\":[");
        for (index, (variant, state)) in variants.iter().enumerate() {
            let facts = self
                .product
                .variants
                .iter()
                .position(|known| known.id == variant.id);
            let facts = facts
                .and_then(|at| self.variants.get(at))
                .map_or("{}", String::as_str);
            out.push_str(if index == 0 { "" } else { "," });
            out.extend([open(facts), ",", members(&json(state)), "}"]);
        }
        out.push_str("]}");
        out
    }
}

/// An object's text without its closing brace, so that members can follow.
fn open(object: &str) -> &str {
    object.strip_suffix('}').unwrap_or(object)
}

/// An object's members without the braces around them.
fn members(object: &str) -> &str {
    open(object).strip_prefix('{').unwrap_or(object)
}

fn product_facts(product: &Product, currency: &str) -> Option<ProductFacts> {
    let price = |amount: i64| Price {
        amount,
        currency: currency.into(),
    };
    let (min, max) = product.price_range_minor()?;
    let is_reduced = product
        .active_variants()
        .any(|variant| variant.compare_at_price_minor.is_some());
    let list_prices = || {
        product.active_variants().map(|variant| {
            variant
                .compare_at_price_minor
                .unwrap_or(variant.price_minor)
        })
    };
    let list_price_range = list_prices()
        .min()
        .zip(list_prices().max())
        .filter(|_| is_reduced);
    let text = plain_text(&product.body_html);
    Some(ProductFacts {
        id: product.id.clone(),
        handle: product.handle.clone(),
        title: product.title.clone(),
        description: Description {
            plain: if text.is_empty() {
                product.title.clone()
            } else {
                text
            },
            html: Some(product.body_html.clone()).filter(|html| !html.is_empty()),
        },
        categories: product
            .categories
            .iter()
            .map(|value| Category {
                value: value.clone(),
                taxonomy: "merchant",
            })
            .collect(),
        price_range: PriceRange {
            min: price(min),
            max: price(max),
        },
        list_price_range: list_price_range.map(|(min, max)| PriceRange {
            min: price(min),
            max: price(max),
        }),
        media: product
            .media
            .iter()
            .map(|media| image(&media.url, &media.alt_text))
            .collect(),
        tags: product.tags.clone(),
        metadata: Metadata {
            vendor: product.vendor.clone(),
            product_type: product.product_type.clone(),
        },
    })
}

fn plain_options(product: &Product) -> Vec<OptionView> {
    let value = |label: &String| OptionValue {
        label: label.clone(),
        available: None,
        exists: None,
    };
    let options = product.options.iter();
    options
        .map(|option| OptionView {
            name: option.name.clone(),
            values: option.values.iter().map(value).collect(),
        })
        .collect()
}

fn variant_facts(product: &Product, variant: &Variant, currency: &str) -> VariantFacts {
    let price = |amount: i64| Price {
        amount,
        currency: currency.into(),
    };
    let options = product.options.iter().zip(&variant.option_values);
    let gtin = variant
        .gtin
        .as_deref()
        .and_then(|text| Gtin::parse(text).ok());
    let barcode = gtin.map(|gtin| {
        let (kind, value) = gtin.barcode();
        Barcode {
            kind,
            value: value.into(),
        }
    });
    VariantFacts {
        id: variant.id.clone(),
        sku: variant.sku.clone(),
        barcodes: barcode.into_iter().collect(),
        title: variant.title.clone(),
        description: Description::plain(variant.title.clone()),
        price: price(variant.price_minor),
        list_price: variant.compare_at_price_minor.map(price),
        options: options
            .map(|(option, label)| SelectedOption {
                name: option.name.clone(),
                label: label.clone(),
            })
            .collect(),
        media: variant.image_url.iter().map(|url| image(url, "")).collect(),
    }
}

fn image(url: &str, alt_text: &str) -> Media {
    Media {
        kind: "image",
        url: url.into(),
        alt_text: alt_text.into(),
    }
}
