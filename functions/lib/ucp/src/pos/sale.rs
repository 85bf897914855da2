//! Selling over the counter.

use aisle_domain::cart::Line;
use aisle_domain::sale::Sale;
use aisle_domain::totals::TaxShare;
use serde::{Deserialize, Serialize};

use super::{MAX_TEXT_BYTES, SaleItem};
use crate::page::{Invalid, check_length};

/// Body of `POST /pos/sales`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaleRequest {
    /// 100 at most. Absent with a hold: all that it keeps; absent with a cart: all that is in it.
    #[serde(default)]
    pub items: Vec<SaleItem>,
    pub payment: Tender,
    /// The cart that this sale was begun as; it becomes an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart_id: Option<String>,
    /// What the till showed and the terminal took, in minor units: any other total is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_total_minor: Option<i64>,
    /// The hold that this sale ends; what of it is not sold goes back to the shelf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_id: Option<String>,
}

/// How somebody pays at a till.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Tender {
    /// Minor units put on the counter.
    Cash { tendered_minor: i64 },
    /// The card terminal took the amount, under its own reference.
    CardPresent { reference: String },
}

impl Tender {
    /// Refuses what no payment can be.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Cash { tendered_minor }
                if !(0..=aisle_domain::money::MAX_MINOR).contains(tendered_minor) =>
            {
                Err(Invalid::new(
                    "invalid_amount",
                    "$.payment.tendered_minor",
                    "negative or too high",
                ))
            }
            Self::Cash { .. } => Ok(()),
            Self::CardPresent { reference } => {
                check_length("$.payment.reference", reference, MAX_TEXT_BYTES)?;
                let fits =
                    !reference.is_empty() && reference.bytes().all(|byte| byte.is_ascii_graphic());
                fits.then_some(()).ok_or_else(|| {
                    Invalid::new(
                        "invalid_reference",
                        "$.payment.reference",
                        "not visible ASCII characters",
                    )
                })
            }
        }
    }

    pub fn is_cash(&self) -> bool {
        matches!(self, Self::Cash { .. })
    }

    /// `cash` or `card_present`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cash { .. } => "cash",
            Self::CardPresent { .. } => "card_present",
        }
    }
}

/// Body of `POST /pos/orders/{id}/refunds`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundRequest {
    pub payment: GivenBack,
}

/// How money is given back at a till: all that is owed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum GivenBack {
    /// Out of the drawer.
    Cash {},
    /// The card terminal gave it back, under its own reference.
    CardPresent { reference: String },
}

impl GivenBack {
    /// The same as when it is taken.
    pub fn tender(self) -> Tender {
        match self {
            Self::Cash {} => Tender::Cash { tendered_minor: 0 },
            Self::CardPresent { reference } => Tender::CardPresent { reference },
        }
    }
}

/// Money that was given back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundReceipt {
    pub order_id: String,
    /// Minor units.
    pub amount_minor: i64,
    /// What of it is there because cash is rounded: more or less than was owed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cash_rounding_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// `cash` or `card_present`.
    pub kind: String,
}

fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

/// What was sold, or would be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaleLine {
    pub id: String,
    pub sku: String,
    /// The variant's id, to sell it by.
    pub item_id: String,
    pub title: String,
    pub quantity: i64,
    /// For one piece.
    pub price_minor: i64,
    /// All pieces, as priced.
    pub amount_minor: i64,
    pub tax_minor: i64,
    /// What the tax is made of, where that has names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<SaleTax>,
    /// Units on this shelf that nobody else holds; in an offer only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_here: Option<i64>,
}

/// What it costs, in minor units.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaleTotals {
    pub subtotal_minor: i64,
    pub tax: Vec<SaleTax>,
    /// The tax is part of the subtotal instead of coming on top.
    pub tax_included: bool,
    /// What rounding adds, or takes off, where it is paid in cash.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cash_rounding_minor: i64,
    pub total_minor: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaleTax {
    /// Such as `GST`; absent: just tax.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Parts per million.
    pub rate_ppm: i64,
    pub tax_minor: i64,
}

/// Answer of `POST /pos/sales`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    pub order_id: String,
    pub number: String,
    /// RFC 3339, in the store's time.
    pub sold_at: String,
    pub location_id: String,
    /// Name of the person at the till.
    pub sold_by: String,
    /// ISO 4217.
    pub currency: String,
    pub lines: Vec<SaleLine>,
    pub totals: SaleTotals,
    pub payment: PaidBy,
}

/// How it was paid.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaidBy {
    /// `cash` or `card_present`.
    #[serde(rename = "type")]
    pub kind: String,
    pub amount_minor: i64,
    /// What of it is there because cash is rounded: more or less than was due.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cash_rounding_minor: i64,
    /// To give back, of cash.
    pub change_minor: i64,
}

/// Answer of `POST /pos/carts/{id}/continue`: the cart as it would be sold here.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Offer {
    pub cart_id: String,
    pub currency: String,
    pub lines: Vec<SaleLine>,
    pub totals: SaleTotals,
    /// All of it lies on this shelf.
    pub sellable: bool,
}

impl SaleTotals {
    pub fn new(sale: &Sale) -> Self {
        let totals = &sale.totals;
        Self {
            subtotal_minor: totals.subtotal_minor,
            tax: totals.tax.iter().map(SaleTax::new).collect(),
            tax_included: totals.tax_included,
            cash_rounding_minor: totals.cash_rounding_minor,
            total_minor: totals.total_minor,
        }
    }
}

impl SaleTax {
    fn new(share: &TaxShare) -> Self {
        Self {
            name: share.name.clone(),
            rate_ppm: share.rate_ppm,
            tax_minor: share.tax_minor,
        }
    }
}

impl SaleLine {
    pub fn new(line: &Line) -> Self {
        Self {
            id: line.id.clone(),
            sku: line.sku.clone(),
            item_id: line.variant_id.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            price_minor: line.price_minor,
            amount_minor: line.amount.amount_minor,
            tax_minor: line.amount.tax_minor,
            taxes: line.amount.taxes.iter().map(SaleTax::new).collect(),
            available_here: None,
        }
    }
}

/// Body of `POST /pos/layaways/{order_id}/payments`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstalmentRequest {
    /// Which part, from 1; absent: the next that is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    pub payment: Tender,
}

/// A part that was paid.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstalmentReceipt {
    pub order_id: String,
    pub position: i64,
    pub currency: String,
    pub payment: PaidBy,
    /// Parts that are still due.
    pub left: i64,
    /// Everything is paid: the goods can be handed over.
    pub paid: bool,
}
