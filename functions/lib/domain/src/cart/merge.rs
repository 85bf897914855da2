//! Two devices change one cart, and neither knows of the other: both changes are made, field
//! by field. Where both changed the same field the later request wins, and the cart says so.

use super::{Buyer, Cart, CartRequest, Context, Line, LineRequest, MAX_QUANTITY, Note, Trail};
use crate::notice::Level;

/// A state of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// From 1.
    pub number: i64,
    pub cart: Cart,
}

/// What a client says that it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// Whatever there is: it is replaced.
    Whatever,
    /// One of these versions; numbers that no version has are no error.
    Known(Vec<i64>),
}

/// None of the versions that the client knows is known here any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale;

/// What the cart is to be filled with, and what has to be told about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    pub request: CartRequest,
    pub notes: Vec<Note>,
}

/// Makes the change from one of the client's versions to `request` in the `current` one.
/// `earlier` are the versions before it that are still kept, in order; `by` is what the
/// device calls itself.
pub fn change(
    current: &Version,
    earlier: &[Version],
    basis: &Basis,
    request: CartRequest,
    by: Option<&str>,
) -> Result<Merged, Stale> {
    let numbers = match basis {
        Basis::Known(numbers) if !numbers.contains(&current.number) => numbers,
        _ => return Ok(Merged::plainly(request, &current.cart)),
    };
    let known = |version: &Version| numbers.contains(&version.number);
    let base = earlier.iter().rposition(known).ok_or(Stale)?;
    let since = earlier.get(base..).unwrap_or_default();
    let mut history: Vec<&Cart> = since.iter().map(|version| &version.cart).collect();
    history.push(&current.cart);
    Ok(three_way(&history, request, current.number + 1, by))
}

/// The merge itself: `history` leads from the cart that the client knew over what was made of
/// it to the current one, `mine` is what the client makes of the first, `version` the number
/// of the result.
pub fn three_way(history: &[&Cart], mine: CartRequest, version: i64, by: Option<&str>) -> Merged {
    let (Some(base), Some(theirs)) = (history.first(), history.last()) else {
        let notes = Vec::new();
        return Merged {
            request: mine,
            notes,
        };
    };
    let mut merge = Merge {
        base,
        theirs,
        history,
        version,
        by: by.unwrap_or("another device"),
        notes: Vec::new(),
    };
    let lines = merge.lines(with_ids(mine.lines, &base.lines));
    let (buyer, context) = merge.members(&mine.buyer, &mine.context);
    Merged {
        request: CartRequest {
            lines: theirs.trail.name(lines),
            buyer,
            context,
        },
        notes: merge.notes,
    }
}

impl Merged {
    /// The request takes the cart's place.
    fn plainly(request: CartRequest, cart: &Cart) -> Self {
        let lines = named(request.lines, &cart.lines, &cart.trail);
        Self {
            request: CartRequest { lines, ..request },
            notes: Vec::new(),
        }
    }
}

/// Gives each line an id: that of the line in `base` that it is, or one that no line of the
/// cart with this `trail` has had.
pub fn named(lines: Vec<LineRequest>, base: &[Line], trail: &Trail) -> Vec<LineRequest> {
    trail.name(with_ids(lines, base))
}

/// A line without an id is the base's line of the same item, if no other is.
fn with_ids(mut lines: Vec<LineRequest>, base: &[Line]) -> Vec<LineRequest> {
    for index in 0..lines.len() {
        let Some(line) = lines.get(index).filter(|line| line.id.is_none()) else {
            continue;
        };
        let free = |known: &&Line| {
            is_of(line, known)
                && !lines
                    .iter()
                    .any(|other| other.id.as_ref() == Some(&known.id))
        };
        let id = base.iter().find(free).map(|known| known.id.clone());
        if let Some(line) = lines.get_mut(index) {
            line.id = id;
        }
    }
    lines
}

fn is_of(request: &LineRequest, line: &Line) -> bool {
    request.item == line.variant_id || request.item == line.sku
}

fn find<'a>(cart: &'a Cart, id: &str) -> Option<&'a Line> {
    cart.lines.iter().find(|line| line.id == id)
}

struct Merge<'a> {
    base: &'a Cart,
    theirs: &'a Cart,
    history: &'a [&'a Cart],
    version: i64,
    by: &'a str,
    notes: Vec<Note>,
}

impl Merge<'_> {
    /// Their lines in their order, as far as they stay; behind them what is new of mine.
    fn lines(&mut self, mine: Vec<LineRequest>) -> Vec<LineRequest> {
        let mut lines = Vec::new();
        let mut open: Vec<Option<LineRequest>> = mine.into_iter().map(Some).collect();
        for theirs in &self.theirs.lines {
            let named = |line: &Option<LineRequest>| {
                let id = line.as_ref().and_then(|line| line.id.as_ref());
                id == Some(&theirs.id)
            };
            let mine = open.iter().position(named);
            let wanted = mine.and_then(|index| open.get(index)?.clone());
            match (find(self.base, &theirs.id), wanted) {
                (Some(base), Some(wanted)) => lines.push(self.line(base, &wanted, theirs)),
                (Some(base), None) => self.note_removal(base, theirs),
                (None, Some(wanted)) if is_of(&wanted, theirs) => {
                    lines.push(self.line_of_both(&wanted, theirs));
                }
                // Two new lines that happen to have one id.
                (None, Some(wanted)) => {
                    lines.push(theirs.request());
                    let anew = LineRequest { id: None, ..wanted };
                    open.push(Some(anew));
                }
                (None, None) => lines.push(theirs.request()),
            }
            if let Some(done) = mine.and_then(|index| open.get_mut(index)) {
                *done = None;
            }
        }
        for wanted in open.into_iter().flatten() {
            self.add(&mut lines, wanted);
        }
        lines
    }

    /// A line that was there before, and that nobody took out.
    fn line(&mut self, base: &Line, wanted: &LineRequest, theirs: &Line) -> LineRequest {
        let other_item = !is_of(wanted, base);
        let item = match other_item {
            true => wanted.item.clone(),
            false => theirs.variant_id.clone(),
        };
        if other_item && theirs.variant_id != base.variant_id && !is_of(wanted, theirs) {
            let who = self.who(|cart| find(cart, &base.id).map(|line| line.variant_id.clone()));
            let text = format!(
                "{} chosen on {who} was replaced by {}.",
                theirs.title, self.by
            );
            self.tell(theirs, "item", text, who, theirs.variant_id.as_str().into());
        }
        let quantity = match wanted.quantity == base.quantity {
            true => theirs.quantity,
            false => self.later_quantity(base.quantity, wanted, theirs),
        };
        LineRequest {
            id: Some(theirs.id.clone()),
            item,
            quantity,
            other_unit: wanted.other_unit,
        }
    }

    /// A line that both have added under one id.
    fn line_of_both(&mut self, wanted: &LineRequest, theirs: &Line) -> LineRequest {
        LineRequest {
            item: theirs.variant_id.clone(),
            quantity: self.later_quantity(0, wanted, theirs),
            ..wanted.clone()
        }
    }

    fn later_quantity(&mut self, base: i64, wanted: &LineRequest, theirs: &Line) -> i64 {
        if theirs.quantity != base && theirs.quantity != wanted.quantity {
            let who = self.who(|cart| find(cart, &theirs.id).map(|line| line.quantity));
            let (title, quantity, by) = (&theirs.title, theirs.quantity, self.by);
            let text = format!(
                "{title}: {quantity} set on {who}, then {} on {by}.",
                wanted.quantity
            );
            self.tell(theirs, "quantity", text, who, quantity.into());
        }
        wanted.quantity
    }

    /// Mine has taken a line out. That stays so, but who changed it meanwhile is told.
    fn note_removal(&mut self, base: &Line, theirs: &Line) {
        if base.quantity != theirs.quantity || base.variant_id != theirs.variant_id {
            let who = self.who(|cart| {
                find(cart, &theirs.id).map(|line| (line.variant_id.clone(), line.quantity))
            });
            let (title, quantity, by) = (&theirs.title, theirs.quantity, self.by);
            let text = format!("{title}: {quantity} set on {who}, then taken out on {by}.");
            self.tell(theirs, "quantity", text, who, quantity.into());
        }
    }

    /// A line of mine that they do not have.
    fn add(&mut self, lines: &mut Vec<LineRequest>, wanted: LineRequest) {
        let base = wanted.id.as_ref().and_then(|id| find(self.base, id));
        if let Some(base) = base {
            // They have taken it out; only who changed it wants it back.
            if wanted.quantity == base.quantity && is_of(&wanted, base) {
                return;
            }
            let who = self.who(|cart| find(cart, &base.id).is_some());
            let (title, by) = (&base.title, self.by);
            let text = format!(
                "{title}: taken out on {who}, then {} set on {by}.",
                wanted.quantity
            );
            self.tell(base, "quantity", text, who, 0.into());
            lines.push(wanted);
            return;
        }
        if wanted.id.is_none() && !wanted.other_unit && self.join(lines, &wanted) {
            return;
        }
        lines.push(wanted);
    }

    /// Both have put the same item into the cart: both get what they wanted, on one line.
    fn join(&mut self, lines: &mut [LineRequest], wanted: &LineRequest) -> bool {
        let new = |line: &&Line| find(self.base, &line.id).is_none() && is_of(wanted, line);
        let Some(theirs) = self.theirs.lines.iter().find(new) else {
            return false;
        };
        let named = |line: &&mut LineRequest| line.id.as_ref() == Some(&theirs.id);
        let Some(line) = lines.iter_mut().find(named) else {
            return false;
        };
        let sum = line.quantity.saturating_add(wanted.quantity);
        if !(1..=MAX_QUANTITY).contains(&wanted.quantity) || sum > MAX_QUANTITY {
            return false;
        }
        line.quantity = sum;
        let who = self.who(|cart| find(cart, &theirs.id).map(|line| line.quantity));
        let text = format!("{}: also added on {who}, now {sum}.", theirs.title);
        let note = Note::of_line(
            self.version,
            theirs,
            "quantity",
            Level::Info,
            "quantities_added",
            text,
        );
        self.notes
            .push(note.detail("by", who).detail("quantity", sum));
        true
    }

    fn members(&mut self, buyer: &Buyer, context: &Context) -> (Buyer, Context) {
        let base = members(&self.base.buyer, &self.base.context);
        let theirs = members(&self.theirs.buyer, &self.theirs.context);
        let mut result = members(buyer, context);
        for (index, name) in MEMBERS.iter().enumerate() {
            let (Some(mine), Some(base), Some(theirs)) =
                (result.get_mut(index), base.get(index), theirs.get(index))
            else {
                continue;
            };
            if mine == base {
                mine.clone_from(theirs);
            } else if theirs != base && theirs != mine {
                let value = |cart: &Cart| members(&cart.buyer, &cart.context)[index].clone();
                let who = self.who(value);
                let text = format!("{name} was changed on {who}, then on {}.", self.by);
                let note = Note::of_cart(self.version, name, Level::Warning, "overridden", text);
                let note = note
                    .detail("earlier", theirs.clone())
                    .detail("earlier_by", who);
                self.notes.push(note.detail("by", self.by));
            }
        }
        of_members(result)
    }

    /// Who has last changed what `value` reads, since the base.
    fn who<T: PartialEq>(&self, value: impl Fn(&Cart) -> T) -> String {
        let changed = |pair: &&[&Cart]| match pair {
            [before, after] => value(before) != value(after),
            _ => false,
        };
        let last = self.history.windows(2).filter(changed).last();
        let maker = last
            .and_then(<[&Cart]>::last)
            .and_then(|cart| cart.trail.by.clone());
        maker.unwrap_or_else(|| "another device".to_owned())
    }

    /// What somebody set and was told to have set is not in the cart any more.
    fn tell(
        &mut self,
        line: &Line,
        member: &str,
        text: String,
        who: String,
        earlier: serde_json::Value,
    ) {
        let level = Level::Warning;
        let note = Note::of_line(self.version, line, member, level, "overridden", text);
        let note = note.detail("earlier", earlier).detail("earlier_by", who);
        self.notes.push(note.detail("by", self.by));
    }
}

/// The members of a cart that are changed one by one, beside its lines.
pub(super) const MEMBERS: [&str; 8] = [
    "buyer.first_name",
    "buyer.last_name",
    "buyer.email",
    "buyer.phone_number",
    "context.address_country",
    "context.address_region",
    "context.postal_code",
    "context.location",
];

/// Their values, in the order of [`MEMBERS`].
pub(super) fn members(buyer: &Buyer, context: &Context) -> [Option<String>; 8] {
    let Buyer {
        first_name,
        last_name,
        email,
        phone_number,
    } = buyer.clone();
    let Context {
        address_country,
        address_region,
        postal_code,
        location,
    } = context.clone();
    [
        first_name,
        last_name,
        email,
        phone_number,
        address_country,
        address_region,
        postal_code,
        location,
    ]
}

pub(super) fn of_members(values: [Option<String>; 8]) -> (Buyer, Context) {
    let [
        first_name,
        last_name,
        email,
        phone_number,
        address_country,
        address_region,
        postal_code,
        location,
    ] = values;
    (
        Buyer {
            first_name,
            last_name,
            email,
            phone_number,
        },
        Context {
            address_country,
            address_region,
            postal_code,
            location,
        },
    )
}
