//! A basket: the lines that a shopper wants, priced.

pub mod adopt;
pub mod merge;
#[cfg(test)]
mod tests;
mod trail;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::brand::Brand;
use crate::money::{self, AmountOverflow, Currency};
use crate::notice::{Notice, Refusal};
use crate::place::{self, Unclear};
use crate::plan::{Availability, Demand};
use crate::tax::{self, TaxPlace, TaxRate};
use crate::totals::{Taxed, Totals};

pub use trail::{KEPT_VERSIONS, Note, Trail};

/// Lines in a cart, a checkout or an order, at most.
pub const MAX_LINES: usize = 100;
/// Units in one line, at most.
pub const MAX_QUANTITY: i64 = 999;

/// What a sale needs to know of a variant, as the database has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub variant_id: String,
    pub sku: String,
    /// The product's title with the variant's, where that says more.
    pub title: String,
    pub image_url: Option<String>,
    /// In minor units of the brand's currency.
    pub price_minor: i64,
    pub tax_category: String,
    /// Goods; otherwise nothing is delivered and no stock is kept.
    pub requires_shipping: bool,
    /// Published and still in the range.
    pub on_sale: bool,
}

/// A line as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRequest {
    /// The client's or, on updates, our own line id; absent: we choose one.
    pub id: Option<String>,
    /// Variant id or SKU.
    pub item: String,
    pub quantity: i64,
    /// The client counts in another unit than pieces.
    pub other_unit: bool,
}

/// A line as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub id: String,
    pub variant_id: String,
    pub sku: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// For one piece, in minor units.
    pub price_minor: i64,
    pub tax_category: String,
    pub requires_shipping: bool,
    pub on_sale: bool,
    /// Pieces, 1 to [`MAX_QUANTITY`].
    pub quantity: i64,
    /// All pieces and the tax on them.
    pub amount: Taxed,
}

/// Who buys; everything as the client wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Buyer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
}

/// Hints about the shopper that bind nobody (UCP `context.json`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Context {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_country: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Id or code of the store that the shopper looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl Context {
    /// With country and region as codes, where they are understood.
    pub fn in_codes(mut self) -> Self {
        place::as_codes_opt(&mut self.address_country, &mut self.address_region);
        self
    }
}

/// The document of table `cart`: prices are estimates until the checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// ISO 4217.
    pub currency: String,
    pub lines: Vec<Line>,
    #[serde(default)]
    pub buyer: Buyer,
    #[serde(default)]
    pub context: Context,
    pub totals: Totals,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    #[serde(default)]
    pub trail: Trail,
}

/// What pricing a basket stands on.
#[derive(Debug, Clone, Copy)]
pub struct PriceList<'a> {
    pub brand: &'a Brand,
    pub rates: &'a [TaxRate],
    pub items: &'a [Item],
}

impl PriceList<'_> {
    /// Where tax is charged while no delivery says better; and what has to be asked, where
    /// this is but an estimate.
    pub fn tax_place(&self, context: &Context) -> (TaxPlace, Option<Unclear>) {
        match &context.address_country {
            None => (self.home(), None),
            Some(country) => {
                let region = context.address_region.as_deref().unwrap_or_default();
                self.place_or_estimate(country, region)
            }
        }
    }

    /// The place that a country and a region name; where it is not clear which, the question,
    /// and the brand's own place for as long.
    pub fn place_or_estimate(&self, country: &str, region: &str) -> (TaxPlace, Option<Unclear>) {
        match place::find(self.rates, country, region) {
            Ok(place) => (place, None),
            Err(unclear) => {
                let known = place::country(country).map(|known| known.code);
                let estimate = match known.filter(|code| *code != self.brand.country) {
                    Some(code) => TaxPlace {
                        country: code.to_owned(),
                        region: String::new(),
                    },
                    None => self.home(),
                };
                (estimate, Some(unclear))
            }
        }
    }

    fn home(&self) -> TaxPlace {
        TaxPlace {
            country: self.brand.country.clone(),
            region: self.brand.region.clone(),
        }
    }

    pub fn tax(
        &self,
        amount_minor: i64,
        place: &TaxPlace,
        category: &str,
    ) -> Result<Taxed, AmountOverflow> {
        let rates = tax::rates_at(self.rates, place, category);
        Taxed::new(amount_minor, &rates, self.brand.prices_include_tax)
    }

    /// Gives every requested line its item, its price and its id, keeping their order.
    /// Two lines of one item stay two lines. Refused: an unknown item, an id twice, more
    /// lines or pieces than allowed.
    pub fn lines(&self, requests: &[LineRequest], place: &TaxPlace) -> Result<Vec<Line>, Refusal> {
        if requests.len() > MAX_LINES {
            let detail = format!("{} lines, at most {MAX_LINES} are allowed", requests.len());
            return Err(Refusal::new("too_many_lines", "$.line_items", detail));
        }
        let mut ids = LineIds::reserved(requests)?;
        let line = |(index, request)| self.line(index, request, ids.of(request), place);
        requests.iter().enumerate().map(line).collect()
    }

    fn line(
        &self,
        index: usize,
        request: &LineRequest,
        id: String,
        place: &TaxPlace,
    ) -> Result<Line, Refusal> {
        let refuse = |code, member: &str, detail: String| {
            Err(Refusal::new(
                code,
                format!("$.line_items[{index}].{member}"),
                detail,
            ))
        };
        if !(1..=MAX_QUANTITY).contains(&request.quantity) {
            return refuse(
                "invalid_quantity",
                "quantity",
                format!("must be within 1 and {MAX_QUANTITY}"),
            );
        }
        let named = |item: &&Item| item.variant_id == request.item || item.sku == request.item;
        let Some(item) = self.items.iter().find(named) else {
            return refuse(
                "item_unknown",
                "item.id",
                "no variant of this brand has this id or SKU".into(),
            );
        };
        let amount = money::extend(item.price_minor, request.quantity)
            .and_then(|amount_minor| self.tax(amount_minor, place, &item.tax_category));
        let Ok(amount) = amount else {
            return refuse(
                "amount_too_large",
                "quantity",
                "the line costs more than can be written".into(),
            );
        };
        Ok(Line {
            id,
            variant_id: item.variant_id.clone(),
            sku: item.sku.clone(),
            title: item.title.clone(),
            image_url: item.image_url.clone(),
            price_minor: item.price_minor,
            tax_category: item.tax_category.clone(),
            requires_shipping: item.requires_shipping,
            on_sale: item.on_sale,
            quantity: request.quantity,
            amount,
        })
    }
}

/// Hands out line ids: what the client sent, otherwise `li_1`, `li_2`, ….
struct LineIds {
    taken: BTreeSet<String>,
    next: usize,
}

impl LineIds {
    fn reserved(requests: &[LineRequest]) -> Result<Self, Refusal> {
        let mut taken = BTreeSet::new();
        for (index, id) in requests
            .iter()
            .enumerate()
            .filter_map(|(index, request)| Some((index, request.id.as_ref()?)))
        {
            if id.is_empty() || !taken.insert(id.clone()) {
                let path = format!("$.line_items[{index}].id");
                return Err(Refusal::new(
                    "invalid_id",
                    path,
                    "empty, or the id of another line",
                ));
            }
        }
        Ok(Self { taken, next: 1 })
    }

    fn of(&mut self, request: &LineRequest) -> String {
        if let Some(id) = &request.id {
            return id.clone();
        }
        loop {
            let id = format!("li_{}", self.next);
            self.next += 1;
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }
}

impl Line {
    /// What to ask for to get this line again.
    pub fn request(&self) -> LineRequest {
        LineRequest {
            id: Some(self.id.clone()),
            item: self.variant_id.clone(),
            quantity: self.quantity,
            other_unit: false,
        }
    }
}

/// The goods among `lines`, summed by SKU.
pub fn demand<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Demand {
    let goods = lines.into_iter().filter(|line| line.requires_shipping);
    Demand::sum(goods.map(|line| (line.sku.as_str(), line.quantity)))
}

/// What a client sends to fill a cart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CartRequest {
    pub lines: Vec<LineRequest>,
    pub buyer: Buyer,
    pub context: Context,
}

impl Cart {
    /// The cart that `request` asks for. What is sold out or no longer sold stays in it
    /// with a warning: a cart is a wish. `sellable` are the locations that sell online.
    pub fn fill(
        request: CartRequest,
        prices: &PriceList,
        availability: &Availability,
        sellable: &[&str],
    ) -> Result<Self, Refusal> {
        let CartRequest {
            lines,
            buyer,
            context,
        } = request;
        let (lines, mut notices) = same_unit_lines(&lines, &[]);
        let (place, unclear) = prices.tax_place(&context);
        let lines = prices.lines(&lines, &place)?;
        notices.extend(unclear.map(|unclear| as_warning(unclear.notice("$.context"))));
        notices.extend(remarks(&lines, availability, sellable));
        let amounts: Vec<Taxed> = lines.iter().map(|line| line.amount.clone()).collect();
        let totals = add_up(&amounts, None, prices.brand)?;
        Ok(Self {
            currency: prices.brand.currency.clone(),
            lines,
            buyer,
            context,
            totals,
            notices,
            trail: Trail::default(),
        })
    }

    /// The same cart with its trail.
    pub fn on(self, trail: Trail) -> Self {
        let trail = trail.with_ids_of(&self.lines);
        Self { trail, ..self }
    }

    /// All that the cart has to say about itself: as it is, and how it came to be so.
    pub fn messages(&self) -> impl Iterator<Item = Notice> + '_ {
        let own = self.notices.iter().cloned();
        own.chain(self.trail.notices(&self.lines))
    }
}

/// What is no longer sold, and what is short. The wish stays a wish.
fn remarks(lines: &[Line], availability: &Availability, sellable: &[&str]) -> Vec<Notice> {
    let off_sale = lines
        .iter()
        .enumerate()
        .filter_map(|(index, line)| off_sale(index, line));
    let short = availability.shortages(&demand(lines), sellable);
    let short = short
        .iter()
        .flat_map(|shortage| out_of_stock(lines, shortage));
    off_sale.chain(short).map(as_warning).collect()
}

pub(crate) fn add_up(
    lines: &[Taxed],
    delivery: Option<&[Taxed]>,
    brand: &Brand,
) -> Result<Totals, Refusal> {
    Totals::add_up(lines, delivery, brand.prices_include_tax).map_err(|_| {
        Refusal::new(
            "amount_too_large",
            "$.line_items",
            "the basket costs more than can be written",
        )
    })
}

/// A line that the client counts in another unit is not taken over: it stays as it was
/// in `before`, or out (UCP checkout, "Reject, recoverably").
pub(crate) fn same_unit_lines(
    requests: &[LineRequest],
    before: &[Line],
) -> (Vec<LineRequest>, Vec<Notice>) {
    let (mut kept, mut notices) = (Vec::new(), Vec::new());
    for request in requests {
        if !request.other_unit {
            kept.push(request.clone());
            continue;
        }
        let old = before
            .iter()
            .find(|line| Some(&line.id) == request.id.as_ref());
        let path = match old {
            Some(_) => format!("$.line_items[{}].item.quantity_unit", kept.len()),
            None => "$.line_items".to_owned(),
        };
        let text = format!(
            "Item {} is sold by the piece; send the quantity in pieces.",
            request.item
        );
        notices.push(Notice::error("quantity_unit_mismatch", path, text));
        kept.extend(old.map(Line::request));
    }
    (kept, notices)
}

pub(crate) fn off_sale(index: usize, line: &Line) -> Option<Notice> {
    let text = || format!("{} is no longer sold.", line.title);
    (!line.on_sale)
        .then(|| Notice::error("item_unavailable", format!("$.line_items[{index}]"), text()))
}

/// One notice for every line that wants the SKU that is short.
pub(crate) fn out_of_stock(lines: &[Line], shortage: &crate::plan::Shortage) -> Vec<Notice> {
    let wants = |(_, line): &(usize, &Line)| line.requires_shipping && line.sku == shortage.sku;
    let notice = |(index, line): (usize, &Line)| {
        let text = match shortage.available {
            0 => format!("{} is sold out.", line.title),
            left => format!(
                "Only {left} of {} left, {} requested.",
                line.title, shortage.requested
            ),
        };
        Notice::error(
            "out_of_stock",
            format!("$.line_items[{index}].quantity"),
            text,
        )
        .detail("sku", shortage.sku.clone())
        .detail("requested", shortage.requested)
        .detail("available", shortage.available)
    };
    lines.iter().enumerate().filter(wants).map(notice).collect()
}

pub(crate) fn as_warning(mut notice: Notice) -> Notice {
    notice.level = crate::notice::Level::Warning;
    notice
}

/// Whether a client may name this currency: only the brand's own. `path` is where it stands.
pub fn check_currency(code: &str, brand: &Brand, path: &str) -> Result<(), Refusal> {
    let Ok(currency) = Currency::parse(code) else {
        return Err(Refusal::new(
            "currency_unknown",
            path,
            "no ISO 4217 code of a currency in circulation",
        ));
    };
    if currency.code() == brand.currency {
        return Ok(());
    }
    Err(Refusal::new(
        "currency_not_offered",
        path,
        format!("this brand sells in {}", brand.currency),
    ))
}
