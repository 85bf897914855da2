//! A checkout session: what is bought, how it is delivered, what it costs, and what is
//! still missing before it can be completed.

mod destinations;
mod follow;
mod methods;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::brand::RequiredContact;
use crate::cart::{self, Buyer, Context, Line, LineRequest, PriceList};
use crate::collection::Network;
use crate::contact::{email, is_e164};
use crate::fulfillment::{AvailableMethod, Destination, Method, MethodRequest, PickupStore};
use crate::lane::Lane;
use crate::layaway::Schedule;
use crate::location::Location;
use crate::notice::{Notice, Refusal};
use crate::payment_terms::{self, PaymentTerms};
use crate::place;
use crate::plan::{Availability, Plan};
use crate::totals::{Taxed, Totals};
use crate::transfer::Held;
pub use follow::follow;
use methods::Delivery;

/// UCP's checkout status; table `checkout_session` keeps it beside the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Incomplete,
    ReadyForComplete,
    /// Stock is reserved and the payment provider has been asked.
    CompleteInProgress,
    Completed,
    Canceled,
}

impl Status {
    const ALL: [Self; 5] = [
        Self::Incomplete,
        Self::ReadyForComplete,
        Self::CompleteInProgress,
        Self::Completed,
        Self::Canceled,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::ReadyForComplete => "ready_for_complete",
            Self::CompleteInProgress => "complete_in_progress",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The shopper can still change the checkout.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Incomplete | Self::ReadyForComplete)
    }
}

/// The order that came of a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReference {
    pub id: String,
    /// What people call it.
    pub number: String,
}

/// The document of table `checkout_session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// ISO 4217.
    pub currency: String,
    pub lines: Vec<Line>,
    #[serde(default)]
    pub buyer: Buyer,
    #[serde(default)]
    pub context: Context,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<Method>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub available_methods: Vec<AvailableMethod>,
    /// Where the goods come from, for the methods whose destination is chosen.
    #[serde(default)]
    pub plan: Plan,
    pub totals: Totals,
    /// Absent: all is paid at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_terms: Option<PaymentTerms>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderReference>,
    /// The version of the cart that it came from, as far as it has taken over what was done
    /// to that cart beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart_version: Option<i64>,
    /// The hold of the shopper's own that the purchase ends. Who knows its id may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_id: Option<String>,
    /// By what limits count who pays for it, once somebody does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub paid_by: String,
}

impl Session {
    /// The status that its notices give to a checkout which is open.
    pub fn open_status(&self) -> Status {
        if self.notices.iter().any(Notice::is_error) {
            Status::Incomplete
        } else {
            Status::ReadyForComplete
        }
    }

    /// The parts in which it is paid, where the shopper has chosen that.
    pub fn agreed_schedule(&self) -> Option<&Schedule> {
        self.payment_terms.as_ref().and_then(PaymentTerms::agreed)
    }

    /// What is paid at completion, in minor units.
    pub fn due_now_minor(&self) -> i64 {
        self.agreed_schedule()
            .map_or(self.totals.total_minor, Schedule::deposit_minor)
    }

    /// Whether goods have to be brought to the store of collection, and come later than
    /// the shopper was told.
    pub fn is_brought_later_than(&self, told: &Self) -> bool {
        let (now, then) = (self.collected_at(), told.collected_at());
        now.zip(then).is_some_and(|(now, then)| {
            let last = now
                .incoming
                .iter()
                .map(|incoming| incoming.ready_at_ms)
                .max();
            now.id == then.id && last.is_some_and(|last| last > then.ready_at_ms)
        })
    }

    fn collected_at(&self) -> Option<&PickupStore> {
        self.methods
            .iter()
            .find_map(|method| match method.destination() {
                Some(Destination::Store(store)) => Some(store),
                _ => None,
            })
    }

    /// What to ask for to get this session again.
    fn request(&self) -> CheckoutRequest {
        CheckoutRequest {
            lines: self.lines.iter().map(Line::request).collect(),
            buyer: self.buyer.clone(),
            context: self.context.clone(),
            methods: self.methods.iter().map(Method::request).collect(),
            payment_term: None,
            hold_id: None,
        }
    }
}

/// What a client wants; an update replaces all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckoutRequest {
    pub lines: Vec<LineRequest>,
    pub buyer: Buyer,
    pub context: Context,
    /// Empty: the business proposes.
    pub methods: Vec<MethodRequest>,
    /// Id of a payment term; absent: as before.
    pub payment_term: Option<String>,
    /// Of the shopper's own; absent: as before.
    pub hold_id: Option<String>,
}

/// The shop as it is now: what a decision stands on.
#[derive(Debug, Clone, Copy)]
pub struct Shop<'a> {
    pub prices: PriceList<'a>,
    /// All that trade under the brand.
    pub locations: &'a [Location],
    /// With the units that are set aside for this shopper.
    pub availability: &'a Availability,
    /// Empty where transfers are not offered.
    pub lanes: &'a [Lane],
    /// What is set aside for this shopper, at other locations than those of collection.
    pub held: &'a [Held],
    /// By the database's clock.
    pub now_ms: i64,
}

impl<'a> Shop<'a> {
    fn network(&self) -> Network<'a> {
        Network {
            locations: self.locations,
            lanes: self.lanes,
            held: self.held,
            policies: &self.prices.brand.policies,
            now_ms: self.now_ms,
        }
    }
}

/// What became of a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    Session(Box<Session>),
    /// Nothing of it can be bought: there is no checkout.
    NothingToBuy(Vec<Notice>),
}

/// What became of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Updated {
    Session(Box<Session>),
    /// A choice cannot be honoured: the checkout stays as it was (UCP fulfillment,
    /// "Selection and Location Identity").
    Rejected(Vec<Notice>),
}

/// Opens a checkout. What cannot be bought at all is left out, with a notice; a choice
/// that cannot be honoured is not made, with a notice.
pub fn create(request: CheckoutRequest, shop: &Shop) -> Result<Created, Refusal> {
    let (requests, mut notices) = cart::same_unit_lines(&request.lines, &[]);
    let lines = shop
        .prices
        .lines(&requests, &shop.prices.tax_place(&request.context).0)?;
    let (lines, gone): (Vec<Line>, Vec<Line>) = lines
        .into_iter()
        .partition(|line| can_be_bought(line, shop));
    notices.extend(gone.iter().map(left_out));
    if lines.is_empty() && !notices.is_empty() {
        return Ok(Created::NothingToBuy(notices));
    }
    let gone: Vec<&str> = gone.iter().map(|line| line.id.as_str()).collect();
    let (mut session, rejected) = draft(lines, request, &gone, None, shop, Choice::Binding)?;
    session.notices.extend(rejected.into_iter().chain(notices));
    Ok(Created::Session(Box::new(session)))
}

/// Replaces what the shopper wants.
pub fn update(before: &Session, request: CheckoutRequest, shop: &Shop) -> Result<Updated, Refusal> {
    let (requests, notices) = cart::same_unit_lines(&request.lines, &before.lines);
    let lines = shop
        .prices
        .lines(&requests, &shop.prices.tax_place(&request.context).0)?;
    let (mut session, rejected) = draft(lines, request, &[], Some(before), shop, Choice::Binding)?;
    if !rejected.is_empty() {
        return Ok(Updated::Rejected(rejected));
    }
    session.notices.extend(notices);
    Ok(Updated::Session(Box::new(session)))
}

/// The same wishes in the shop as it is now: the last look before stock is reserved.
pub fn refresh(before: &Session, shop: &Shop) -> Result<Session, Refusal> {
    let request = before.request();
    let lines = shop
        .prices
        .lines(&request.lines, &shop.prices.tax_place(&request.context).0)?;
    let (session, _) = draft(lines, request, &[], Some(before), shop, Choice::Made)?;
    Ok(session)
}

/// Whether a choice of store is being made or was made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// A store that cannot serve is rejected.
    Binding,
    /// A store that has sold out since is kept, and its lines are out of stock.
    Made,
}

/// The session without what was `gone` from the request, and the choices that cannot
/// be honoured.
fn draft(
    mut lines: Vec<Line>,
    request: CheckoutRequest,
    gone: &[&str],
    before: Option<&Session>,
    shop: &Shop,
    choice: Choice,
) -> Result<(Session, Vec<Notice>), Refusal> {
    let CheckoutRequest {
        buyer,
        context,
        methods,
        payment_term,
        hold_id,
        ..
    } = request;
    let delivery = Delivery {
        lines: &lines,
        context: &context,
        before,
        shop,
        choice,
    };
    let delivered = delivery.arrange(methods, gone)?;
    let mut notices = line_notices(&lines);
    notices.extend(contact_notices(&buyer, &delivered.methods, shop));
    notices.extend(delivered.notices);
    let (mut methods, plan, available_methods) = (
        delivered.methods,
        delivered.plan,
        delivered.available_methods,
    );
    notices.extend(charge(&mut lines, &mut methods, &context, &shop.prices)?);
    let totals = total(&lines, &methods, shop)?;
    let (payment_terms, changed) = payment_terms::offer(
        (&methods, &plan),
        totals.total_minor,
        shop.prices.brand,
        before.and_then(|before| before.payment_terms.as_ref()),
        payment_term.as_deref(),
        shop.now_ms,
    );
    notices.extend(changed);
    let currency = shop.prices.brand.currency.clone();
    let session = Session {
        currency,
        lines,
        buyer,
        context,
        methods,
        available_methods,
        plan,
        totals,
        payment_terms,
        notices,
        order: None,
        cart_version: before.and_then(|before| before.cart_version),
        hold_id: hold_id.or_else(|| before?.hold_id.clone()),
        paid_by: String::new(),
    };
    Ok((session, delivered.rejected))
}

fn can_be_bought(line: &Line, shop: &Shop) -> bool {
    let selling = crate::fulfillment::selling_locations(shop.locations);
    line.on_sale && (!line.requires_shipping || shop.availability.among(&line.sku, selling) > 0)
}

fn left_out(line: &Line) -> Notice {
    let (code, text) = match line.on_sale {
        false => (
            "item_unavailable",
            format!("{} is no longer sold.", line.title),
        ),
        true => ("out_of_stock", format!("{} is sold out.", line.title)),
    };
    Notice::error(code, "$.line_items", text)
        .detail("item_id", line.variant_id.clone())
        .detail("sku", line.sku.clone())
        .detail("requested", line.quantity)
        .detail("available", 0)
}

fn line_notices(lines: &[Line]) -> Vec<Notice> {
    if lines.is_empty() {
        return vec![Notice::error(
            "missing",
            "$.line_items",
            "There is nothing to buy in this checkout.",
        )];
    }
    lines
        .iter()
        .enumerate()
        .filter_map(|(index, line)| cart::off_sale(index, line))
        .collect()
}

/// What the brand wants to know of the buyer and does not yet, or cannot read.
fn contact_notices(buyer: &Buyer, methods: &[Method], shop: &Shop) -> Vec<Notice> {
    let missing =
        |path: &str, what: &str| Notice::error("missing", path, format!("{what} is required."));
    let required = |contact| shop.prices.brand.checkout_requires.contains(&contact);
    let mut notices = Vec::new();
    match buyer.email.as_deref() {
        None if required(RequiredContact::BuyerEmail) => {
            notices.push(missing("$.buyer.email", "The buyer's email"))
        }
        Some(address) if email(address).is_err() => {
            notices.push(Notice::error(
                "invalid_email",
                "$.buyer.email",
                "This is no email address.",
            ));
        }
        _ => {}
    }
    match buyer.phone_number.as_deref() {
        None if required(RequiredContact::BuyerPhoneNumber) => {
            notices.push(missing("$.buyer.phone_number", "The buyer's phone number"));
        }
        Some(number) if !is_e164(number) => {
            let text = "The phone number is not in E.164 form, such as +14155550123.";
            notices.push(Notice::error("invalid_phone", "$.buyer.phone_number", text));
        }
        _ => {}
    }
    if required(RequiredContact::ShippingAddress) {
        notices.extend(
            methods
                .iter()
                .enumerate()
                .flat_map(|(index, method)| address_notices(index, method)),
        );
    }
    notices
}

fn address_notices(index: usize, method: &Method) -> Vec<Notice> {
    let selected = |destination: &&Destination| {
        Some(destination.id()) == method.selected_destination_id.as_deref()
    };
    let Some(place) = method
        .destinations
        .iter()
        .position(|destination| selected(&destination))
    else {
        return Vec::new();
    };
    let Some(Destination::Address(address)) = method.destinations.get(place) else {
        return Vec::new();
    };
    let country = place::country(address.address_country.as_deref().unwrap_or_default());
    let has_locality = country.is_none_or(|country| country.needs_locality);
    let has_code = country.is_none_or(|country| country.needs_postal_code);
    let fields = [
        ("street_address", &address.street_address, true),
        ("address_locality", &address.address_locality, has_locality),
        ("postal_code", &address.postal_code, has_code),
    ];
    let absent =
        |value: &Option<String>| value.as_deref().is_none_or(|text| text.trim().is_empty());
    let notice = |name: &str| {
        let path = format!("$.fulfillment.methods[{index}].destinations[{place}].{name}");
        Notice::error("missing", path, format!("The address lacks its {name}."))
    };
    fields
        .iter()
        .filter(|(_, value, needed)| *needed && absent(value))
        .map(|(name, ..)| notice(name))
        .collect()
}

/// Taxes every line and every delivery at the place where its method ends. Where a place is
/// not clear, the tax is an estimate, and the notices ask.
fn charge(
    lines: &mut [Line],
    methods: &mut [Method],
    context: &Context,
    prices: &PriceList,
) -> Result<Vec<Notice>, Refusal> {
    let too_large = |_| {
        Refusal::new(
            "amount_too_large",
            "$.line_items",
            "the checkout costs more than can be written",
        )
    };
    let (elsewhere, unclear_context) = prices.tax_place(context);
    let ends: Vec<_> = methods
        .iter()
        .map(|method| methods::tax_place(method, prices))
        .collect();
    for line in lines.iter_mut() {
        let method = methods
            .iter()
            .position(|method| method.line_ids.contains(&line.id));
        let end = method.and_then(|index| ends[index].as_ref());
        let place = end.map_or(&elsewhere, |(place, _)| place);
        line.amount = prices
            .tax(line.amount.amount_minor, place, &line.tax_category)
            .map_err(too_large)?;
    }
    for (method, end) in methods.iter_mut().zip(&ends) {
        let place = end.as_ref().map_or(&elsewhere, |(place, _)| place);
        let price = method.option().map(|option| option.price_minor);
        method.charge = price
            .map(|minor| prices.tax(minor, place, ""))
            .transpose()
            .map_err(too_large)?;
    }
    let served = methods.iter().zip(&ends).enumerate();
    let mut notices: Vec<Notice> = served
        .filter(|(_, (method, _))| !method.line_ids.is_empty())
        .filter_map(|(index, (method, end))| {
            methods::question(index, method, end.as_ref()?.1.as_ref()?)
        })
        .collect();
    let undelivered = |line: &Line| !methods.iter().any(|one| one.line_ids.contains(&line.id));
    if lines.iter().any(undelivered) {
        notices.extend(unclear_context.map(|unclear| unclear.notice("$.context")));
    }
    Ok(notices)
}

fn total(lines: &[Line], methods: &[Method], shop: &Shop) -> Result<Totals, Refusal> {
    let amounts: Vec<Taxed> = lines.iter().map(|line| line.amount.clone()).collect();
    let serving = || methods.iter().filter(|method| !method.line_ids.is_empty());
    let charges: Option<Vec<Taxed>> = serving().map(|method| method.charge.clone()).collect();
    let delivery = charges.filter(|charges| !charges.is_empty());
    cart::add_up(&amounts, delivery.as_deref(), shop.prices.brand)
}
