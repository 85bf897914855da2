//! A product with its options and the variants that can be bought.

use serde::{Deserialize, Serialize};

/// The document of `product.doc`: everything a product page shows but stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// UUIDv7.
    pub id: String,
    /// Short name in URLs, unique in the brand.
    pub handle: String,
    pub title: String,
    /// HTML that was made safe when it came in; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body_html: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product_type: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// In the retailer's own taxonomy, such as `Apparel > Jackets`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Only published products are shown to shoppers.
    pub published: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ProductOption>,
    /// The first is the featured one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// In the retailer's order.
    pub variants: Vec<Variant>,
}

/// A choice that the shopper makes, such as `Size`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductOption {
    pub name: String,
    pub values: Vec<String>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub url: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alt_text: String,
}

/// What can be put into a cart; its stock is kept by SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// UUIDv7.
    pub id: String,
    pub sku: String,
    /// Normalised to 14 digits, see [`crate::gtin::Gtin`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    pub title: String,
    /// One value for each of the product's options, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub option_values: Vec<String>,
    /// In minor units of the brand's currency, with tax or without as the brand says.
    pub price_minor: i64,
    /// The struck-through price, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at_price_minor: Option<i64>,
    /// Names a row of the tax table; empty: the general rate.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tax_category: String,
    pub requires_shipping: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// A variant that left the range stays in old orders and can no longer be bought.
    pub active: bool,
}

impl Product {
    /// The variants that can be bought, in the retailer's order.
    pub fn active_variants(&self) -> impl Iterator<Item = &Variant> {
        self.variants.iter().filter(|variant| variant.active)
    }

    /// Whether shoppers see it: it is published and something of it can be bought.
    pub fn is_listed(&self) -> bool {
        self.published && self.active_variants().next().is_some()
    }

    /// Lowest and highest price of what can be bought, in minor units; `None` when nothing can.
    pub fn price_range_minor(&self) -> Option<(i64, i64)> {
        let prices = || self.active_variants().map(|variant| variant.price_minor);
        Some((prices().min()?, prices().max()?))
    }
}

/// What a reader sees of `html`: no tags, no comments, no content of scripts and styles, white
/// space collapsed, and those character references resolved that are left in cleaned HTML.
pub fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        text.push_str(before);
        rest = after_tag(tag);
        text.push(' ');
    }
    text.push_str(rest);
    resolve_references(&text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// What follows the tag, comment, script or style at whose `<` the text begins.
fn after_tag(tag: &str) -> &str {
    let starts_with = |name: &str| {
        tag.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let after = |end: &str| {
        let at = tag
            .as_bytes()
            .windows(end.len())
            .position(|window| window.eq_ignore_ascii_case(end.as_bytes()));
        at.and_then(|at| tag.get(at + end.len()..))
            .unwrap_or_default()
    };
    match () {
        () if starts_with("<!--") => after("-->"),
        () if starts_with("<script") => after("</script>"),
        () if starts_with("<style") => after("</style>"),
        () => tag
            .split_once('>')
            .map(|(_, rest)| rest)
            .unwrap_or_default(),
    }
}

fn resolve_references(text: &str) -> String {
    const NAMED: [(&str, &str); 6] = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    NAMED
        .iter()
        .fold(text.to_owned(), |text, (name, character)| {
            text.replace(name, character)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_is_what_a_reader_sees() {
        for (html, text) in [
            (
                "<p>Warm &amp; dry.</p><ul><li>Wool</li><li>Cork</li></ul>",
                "Warm & dry. Wool Cork",
            ),
            (
                "a<script>alert('<b>')</script>b<STYLE>p{}</STYLE>c<!-- <p>no</p> -->d",
                "a b c d",
            ),
            ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
            ("5 < 6", "5"),
            ("", ""),
        ] {
            assert_eq!(plain_text(html), text, "{html}");
        }
    }

    proptest! {
        #[test]
        fn no_html_panics(html in "[<>!a-zA-Z&;/ -é]{0,60}") {
            plain_text(&html);
        }
    }
}
