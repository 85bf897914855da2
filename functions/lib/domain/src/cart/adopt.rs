//! Two carts become one: what somebody has collected before signing in, and what the account
//! had already.

use super::merge::{MEMBERS, members, of_members};
use super::{Cart, Line, LineRequest, MAX_LINES, MAX_QUANTITY, Note, Trail, add_up, remarks};
use crate::brand::Brand;
use crate::money;
use crate::notice::{Level, Refusal};
use crate::plan::Availability;
use crate::totals::Taxed;

/// One of the two carts.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub cart: &'a Cart,
    /// Of its last change.
    pub updated_at_ms: i64,
}

/// What decides how much is taken over.
#[derive(Debug, Clone, Copy)]
pub struct Shelf<'a> {
    pub availability: &'a Availability,
    /// The locations that sell online.
    pub sellable: &'a [&'a str],
    pub brand: &'a Brand,
}

/// The account's cart, with the other one in it, as its version `version`:
///
/// * Pieces of one variant are summed, as far as they can be promised and fit on a line; what
///   the account's cart had already stays in any case.
/// * Other lines are taken over as they are, as far as a cart has room for them.
/// * Of buyer and context the value in the cart that was changed later stays, or else the
///   only one there is.
/// * What was cut, left out or chosen between is said in the notes.
///
/// Prices are those of the later cart: estimates, until the cart is next changed or bought.
/// Refused: a cart that would cost more than can be written.
pub fn adopt(own: Side, other: Side, shelf: Shelf, version: i64) -> Result<Cart, Refusal> {
    let mut adoption = Adoption {
        own,
        other_is_newer: other.updated_at_ms > own.updated_at_ms,
        shelf,
        version,
        lines: own.cart.lines.clone(),
        notes: Vec::new(),
    };
    for line in &other.cart.lines {
        adoption.take(line);
    }
    let (older, newer) = match adoption.other_is_newer {
        true => (own, other),
        false => (other, own),
    };
    let (buyer, context) = of_members(adoption.choose(older.cart, newer.cart));
    let Adoption { lines, notes, .. } = adoption;
    let amounts: Vec<Taxed> = lines.iter().map(|line| line.amount.clone()).collect();
    let totals = add_up(&amounts, None, shelf.brand)?;
    let by = newer.cart.trail.by.as_deref();
    let cart = Cart {
        currency: own.cart.currency.clone(),
        notices: remarks(&lines, shelf.availability, shelf.sellable),
        lines,
        buyer,
        context,
        totals,
        trail: Trail::default(),
    };
    Ok(cart.on(own.cart.trail.next(version, by, notes)))
}

struct Adoption<'a> {
    own: Side<'a>,
    other_is_newer: bool,
    shelf: Shelf<'a>,
    version: i64,
    lines: Vec<Line>,
    notes: Vec<Note>,
}

impl Adoption<'_> {
    fn take(&mut self, other: &Line) {
        let same = |line: &Line| line.variant_id == other.variant_id;
        match self.lines.iter().position(same) {
            Some(index) => self.add(index, other),
            None => self.append(other),
        }
    }

    /// Pieces of a variant that the cart has.
    fn add(&mut self, index: usize, other: &Line) {
        let most = self.most(other);
        let now: i64 = pieces(&self.lines, &other.sku);
        let Some(line) = self.lines.get(index) else {
            return;
        };
        let room = MAX_QUANTITY - line.quantity;
        let added = other.quantity.min(most - now).min(room).max(0);
        let priced = match self.other_is_newer {
            true => other,
            false => line,
        };
        let summed = self.with_quantity(priced, line.quantity + added);
        let (line, added) = match summed {
            Some(summed) => (
                Line {
                    id: line.id.clone(),
                    ..summed
                },
                added,
            ),
            None => (line.clone(), 0),
        };
        if added < other.quantity {
            let text = format!(
                "{}: {} instead of {} more.",
                line.title, added, other.quantity
            );
            let note = Note::of_line(
                self.version,
                &line,
                "quantity",
                Level::Warning,
                "quantity_capped",
                text,
            );
            let note = note
                .detail("requested", line.quantity - added + other.quantity)
                .detail("quantity", line.quantity);
            self.notes.push(match other.requires_shipping {
                true => note.detail("available", self.available(&other.sku)),
                false => note,
            });
        }
        if let Some(place) = self.lines.get_mut(index) {
            *place = line;
        }
    }

    fn append(&mut self, other: &Line) {
        if self.lines.len() >= MAX_LINES {
            let text = format!("{}: a cart has at most {MAX_LINES} lines.", other.title);
            let level = Level::Warning;
            let note = Note::of_line(self.version, other, "", level, "line_left_out", text);
            self.notes.push(note.detail("quantity", other.quantity));
            return;
        }
        let mut line = other.clone();
        if self.lines.iter().any(|known| known.id == line.id) {
            let lines = self.lines.iter().map(Line::request);
            let anew = LineRequest {
                id: None,
                ..line.request()
            };
            let named = self.own.cart.trail.name(lines.chain([anew]).collect());
            line.id = named
                .into_iter()
                .last()
                .and_then(|line| line.id)
                .unwrap_or_default();
        }
        self.lines.push(line);
    }

    /// Pieces of the SKU that the cart may come to by this.
    fn most(&self, line: &Line) -> i64 {
        match line.requires_shipping {
            true => {
                let had = pieces(&self.own.cart.lines, &line.sku);
                had.max(self.available(&line.sku))
            }
            false => i64::MAX,
        }
    }

    fn available(&self, sku: &str) -> i64 {
        let places = self.shelf.sellable.iter().copied();
        self.shelf.availability.among(sku, places)
    }

    fn with_quantity(&self, line: &Line, quantity: i64) -> Option<Line> {
        let amount = money::extend(line.price_minor, quantity).ok()?;
        let included = self.shelf.brand.prices_include_tax;
        Some(Line {
            quantity,
            amount: line.amount.for_amount(amount, included).ok()?,
            ..line.clone()
        })
    }

    fn choose(&mut self, older: &Cart, newer: &Cart) -> [Option<String>; 8] {
        let older = members(&older.buyer, &older.context);
        let mut chosen = members(&newer.buyer, &newer.context);
        for ((name, old), value) in MEMBERS.iter().zip(older).zip(&mut chosen) {
            match (&value, old) {
                (None, old) => *value = old,
                (Some(kept), Some(old)) if *kept != old => {
                    let text = format!("{name}: the value that was chosen later was kept.");
                    let level = Level::Info;
                    self.notes
                        .push(Note::of_cart(self.version, name, level, "newer_kept", text));
                }
                _ => {}
            }
        }
        chosen
    }
}

fn pieces(lines: &[Line], sku: &str) -> i64 {
    let of_sku = lines.iter().filter(|line| line.sku == sku);
    of_sku.map(|line| line.quantity).sum()
}
