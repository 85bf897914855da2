//! A checkout and the cart that it came from change side by side. What the checkout changes
//! goes into the cart at once; what other devices do to the cart comes into the checkout
//! here, before anything of it is bought.

use std::collections::BTreeMap;

use super::{CheckoutRequest, Choice, Session, Shop, can_be_bought, draft, left_out};
use crate::cart::merge::Version;
use crate::cart::{Line, LineRequest, as_warning};
use crate::fulfillment::{Method, MethodRequest};
use crate::notice::Refusal;

/// The session as its cart wants it now, or `None` where both want the same. What cannot be
/// bought at all stays out of it, with a warning.
pub fn follow(before: &Session, cart: &Version, shop: &Shop) -> Result<Option<Session>, Refusal> {
    let Version { number, cart } = cart;
    if before.cart_version == Some(*number) {
        return Ok(None);
    }
    let members = (&cart.buyer, &cart.context) == (&before.buyer, &before.context);
    if members && wishes(&cart.lines) == wishes(&before.lines) {
        return Ok(None);
    }
    let wanted: Vec<LineRequest> = cart.lines.iter().map(Line::request).collect();
    let (place, _) = shop.prices.tax_place(&cart.context);
    let lines = shop.prices.lines(&wanted, &place)?;
    let known = |line: &Line| before.lines.iter().any(|old| old.id == line.id);
    let (lines, gone): (Vec<Line>, Vec<Line>) = lines
        .into_iter()
        .partition(|line| known(line) || can_be_bought(line, shop));
    let request = CheckoutRequest {
        lines: Vec::new(),
        buyer: cart.buyer.clone(),
        context: cart.context.clone(),
        methods: methods(&before.methods, &lines),
        payment_term: None,
        hold_id: None,
    };
    let (mut session, _) = draft(lines, request, &[], Some(before), shop, Choice::Made)?;
    let gone = gone.iter().map(left_out).map(as_warning);
    session.notices.extend(gone);
    session.cart_version = Some(*number);
    Ok(Some(session))
}

/// Pieces of each variant, however they are spread over lines.
fn wishes(lines: &[Line]) -> BTreeMap<&str, i64> {
    let mut pieces = BTreeMap::new();
    for line in lines {
        *pieces.entry(line.variant_id.as_str()).or_default() += line.quantity;
    }
    pieces
}

/// The chosen methods that served something, without lines that are gone; the first takes
/// what is new.
fn methods(before: &[Method], lines: &[Line]) -> Vec<MethodRequest> {
    let serving = before.iter().filter(|method| !method.line_ids.is_empty());
    let mut requests: Vec<MethodRequest> = serving.map(Method::request).collect();
    for request in &mut requests {
        if let Some(ids) = &mut request.line_ids {
            ids.retain(|id| lines.iter().any(|line| line.id == *id));
        }
    }
    if let Some((first, others)) = requests.split_first_mut() {
        let taken = |id: &String| {
            let named = others.iter().filter_map(|other| other.line_ids.as_ref());
            named.flatten().any(|own| own == id)
        };
        let goods = lines.iter().filter(|line| line.requires_shipping);
        let ids = goods.map(|line| line.id.clone()).filter(|id| !taken(id));
        first.line_ids = Some(ids.collect());
    }
    requests.retain(|request| request.line_ids.iter().any(|ids| !ids.is_empty()));
    requests
}
