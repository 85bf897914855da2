//! Carts (`shopping/cart.json`), and the members that carts share with checkouts and orders.

#[cfg(feature = "openapi")]
pub mod api;
mod totals;

use aisle_domain::cart as domain;
use aisle_domain::contact;
use aisle_domain::notice::{Level, Notice, Refusal};
use aisle_domain::{brand, instant};
use serde::{Deserialize, Deserializer, Serialize};

pub use totals::{Total, TotalLine};
pub(crate) use totals::{line_totals, totals};

use crate::envelope::{Message, MessageKind, Severity, Ucp};

/// The capability that cart answers declare.
pub const CAPABILITY: &str = "dev.ucp.shopping.cart";
/// Characters in an id or a name that comes in, at most.
pub const MAX_TEXT: usize = 256;
/// The unit of what is sold by the piece (UN/ECE recommendation 20).
const PIECE: &str = "C62";

/// Create or replace a cart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CartRequest {
    /// All lines; what is not named is not in the cart any more. At most 100.
    #[serde(default)]
    pub line_items: Option<Vec<LineItemRequest>>,
    #[serde(default)]
    pub buyer: Option<Buyer>,
    #[serde(default)]
    pub context: Option<BuyerContext>,
    /// May be named, but only as what it is anyway: the brand's currency (ISO 4217).
    #[serde(default, deserialize_with = "text_opt")]
    pub currency: Option<String>,
}

/// Bring a cart along.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MergeRequest {
    /// The cart that was filled before signing in.
    #[serde(deserialize_with = "text")]
    pub cart_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineItemRequest {
    /// On updates, the id of the line that is meant.
    #[serde(default, deserialize_with = "text_opt")]
    pub id: Option<String>,
    pub item: ItemRequest,
    /// Pieces, 1 to 999.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 999))]
    pub quantity: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemRequest {
    /// Id of a variant, or its SKU.
    #[serde(deserialize_with = "text")]
    pub id: String,
    #[serde(default)]
    pub quantity_unit: Option<QuantityUnit>,
}

/// The unit that a client believes an item is sold in (`types/quantity_unit.json`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuantityUnit {
    /// UN/ECE recommendation 20; everything here is sold by the piece, `C62`.
    #[serde(deserialize_with = "text")]
    pub unit: String,
    #[serde(default)]
    pub scale: i64,
}

/// Who buys (`types/buyer.json`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Buyer {
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub first_name: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_name: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub email: Option<String>,
    /// E.164.
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub phone_number: Option<String>,
}

/// Hints about the shopper (`types/context.json`); they bind nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BuyerContext {
    /// ISO 3166-1 alpha-2.
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub address_country: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub address_region: Option<String>,
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub postal_code: Option<String>,
    /// Id or code of the store that the shopper looks at.
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub location: Option<String>,
    /// The currency that the shopper would like (ISO 4217).
    #[serde(
        default,
        deserialize_with = "text_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub currency: Option<String>,
}

/// A cart as it stands. Its prices are estimates until the checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cart {
    pub ucp: Ucp,
    pub id: String,
    /// Counts the cart's changes, from 1. The answer's ETag is the same number in quotes.
    pub version: i64,
    pub line_items: Vec<LineItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<BuyerContext>,
    /// ISO 4217.
    pub currency: String,
    pub totals: Vec<Total>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    pub links: Vec<Link>,
    /// RFC 3339.
    pub expires_at: String,
}

/// A line (`types/line_item.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineItem {
    pub id: String,
    pub item: Item,
    /// Pieces.
    pub quantity: i64,
    pub totals: Vec<Total>,
}

/// What a line sells (`types/item.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Item {
    /// Id of the variant.
    pub id: String,
    pub sku: String,
    pub title: String,
    /// For one piece, in minor units.
    pub price: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
}

/// A page that the brand owes its shoppers (`types/link.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Link {
    #[serde(rename = "type")]
    pub kind: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A string of at most [`MAX_TEXT`] characters.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.chars().nth(MAX_TEXT) {
        None => Ok(text),
        Some(_) => Err(serde::de::Error::custom(format!(
            "longer than {MAX_TEXT} characters"
        ))),
    }
}

/// The same, or null.
pub(crate) fn text_opt<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Text(#[serde(deserialize_with = "text")] String);
    Ok(Option::<Text>::deserialize(deserializer)?.map(|Text(text)| text))
}

impl CartRequest {
    /// What the domain makes of it. Refused: no lines at all, a currency that is not the brand's.
    pub fn into_domain(self, brand: &brand::Brand) -> Result<domain::CartRequest, Refusal> {
        check_currencies(self.currency.as_deref(), self.context.as_ref(), brand)?;
        Ok(domain::CartRequest {
            lines: line_requests(self.line_items)?,
            buyer: self.buyer.unwrap_or_default().into(),
            context: self.context.unwrap_or_default().into(),
        })
    }
}

/// A wish for another currency is only a wish, unless there is no such currency.
pub(crate) fn check_currencies(
    named: Option<&str>,
    context: Option<&BuyerContext>,
    brand: &brand::Brand,
) -> Result<(), Refusal> {
    if let Some(code) = named {
        domain::check_currency(code, brand, "$.currency")?;
    }
    match context.and_then(|context| context.currency.as_deref()) {
        Some(code) => match domain::check_currency(code, brand, "$.context.currency") {
            Err(refusal) if refusal.code == "currency_unknown" => Err(refusal),
            _ => Ok(()),
        },
        None => Ok(()),
    }
}

pub(crate) fn line_requests(
    lines: Option<Vec<LineItemRequest>>,
) -> Result<Vec<domain::LineRequest>, Refusal> {
    let lines =
        lines.ok_or_else(|| Refusal::new("missing", "$.line_items", "line_items is required"))?;
    Ok(lines.into_iter().map(domain::LineRequest::from).collect())
}

impl From<LineItemRequest> for domain::LineRequest {
    fn from(line: LineItemRequest) -> Self {
        let other = |unit: &QuantityUnit| unit.unit != PIECE || unit.scale != 0;
        Self {
            id: line.id,
            other_unit: line.item.quantity_unit.as_ref().is_some_and(other),
            item: line.item.id,
            quantity: line.quantity,
        }
    }
}

impl From<Buyer> for domain::Buyer {
    fn from(buyer: Buyer) -> Self {
        let Buyer {
            first_name,
            last_name,
            email,
            phone_number,
        } = buyer;
        Self {
            first_name,
            last_name,
            // What cannot be read stays as it is: the checkout asks about it.
            email: email.map(|typed| contact::email(&typed).unwrap_or(typed)),
            phone_number: phone_number.map(|typed| {
                let number = contact::dialled(&typed);
                if contact::is_e164(&number) {
                    number
                } else {
                    typed
                }
            }),
        }
    }
}

impl From<BuyerContext> for domain::Context {
    fn from(context: BuyerContext) -> Self {
        let BuyerContext {
            address_country,
            address_region,
            postal_code,
            location,
            currency: _,
        } = context;
        Self {
            address_country,
            address_region,
            postal_code,
            location,
        }
        .in_codes()
    }
}

/// `None` when nothing is known, so that nothing is shown.
pub(crate) fn buyer(buyer: &domain::Buyer) -> Option<Buyer> {
    let domain::Buyer {
        first_name,
        last_name,
        email,
        phone_number,
    } = buyer.clone();
    let shown = Buyer {
        first_name,
        last_name,
        email,
        phone_number,
    };
    (shown != Buyer::default()).then_some(shown)
}

pub(crate) fn context(context: &domain::Context) -> Option<BuyerContext> {
    let domain::Context {
        address_country,
        address_region,
        postal_code,
        location,
    } = context.clone();
    let shown = BuyerContext {
        address_country,
        address_region,
        postal_code,
        location,
        currency: None,
    };
    (shown != BuyerContext::default()).then_some(shown)
}

impl Cart {
    pub fn new(
        (id, version): (&str, i64),
        cart: &domain::Cart,
        brand: &brand::Brand,
        expires_at_ms: i64,
    ) -> Self {
        Self {
            ucp: Ucp::success(&[CAPABILITY]),
            id: id.to_owned(),
            version,
            line_items: cart
                .lines
                .iter()
                .map(|line| LineItem::new(line, brand.prices_include_tax))
                .collect(),
            buyer: buyer(&cart.buyer),
            context: context(&cart.context),
            currency: cart.currency.clone(),
            totals: totals(&cart.totals, "Estimated total"),
            messages: cart.messages().map(|notice| message(&notice)).collect(),
            links: links(brand),
            expires_at: instant::rfc3339(expires_at_ms),
        }
    }
}

impl LineItem {
    pub(crate) fn new(line: &domain::Line, tax_included: bool) -> Self {
        Self {
            id: line.id.clone(),
            item: Item::new(line),
            quantity: line.quantity,
            totals: line_totals(&line.amount, tax_included),
        }
    }
}

impl Item {
    pub(crate) fn new(line: &domain::Line) -> Self {
        Self {
            id: line.variant_id.clone(),
            sku: line.sku.clone(),
            title: line.title.clone(),
            price: line.price_minor,
            image_url: line.image_url.clone(),
        }
    }
}

pub(crate) fn links(brand: &brand::Brand) -> Vec<Link> {
    let link = |link: &brand::Link| Link {
        kind: link.kind.clone(),
        url: link.url.clone(),
        title: link.title.clone(),
    };
    brand.links.iter().map(link).collect()
}

pub fn message(notice: &Notice) -> Message {
    let (kind, severity) = match notice.level {
        Level::Error => (MessageKind::Error, Some(Severity::Recoverable)),
        Level::Warning => (MessageKind::Warning, None),
        Level::Info => (MessageKind::Info, None),
    };
    Message {
        kind,
        code: notice.code.clone(),
        content: notice.text.clone(),
        severity,
        path: notice.path.clone(),
        details: notice.details.clone(),
    }
}
