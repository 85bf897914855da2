//! How much of the stock one person may keep from others by payments that are under way.

use aisle_domain::brand::Brand;
use aisle_domain::checkout::Session;
use aisle_http::Error;
use aisle_store::{Batch, limit};

/// Orders for one contact whose payment one account or network has under way at a time; nobody pays for more at once.
const MAX_PAYING: i64 = 20;
/// A count that was never settled is forgotten after this long.
const WINDOW_MS: i64 = 3_600_000;

fn names(brand: &Brand, session: &Session) -> impl Iterator<Item = String> {
    let buyer = &session.buyer;
    let (number, email) = (buyer.phone_number.as_deref(), buyer.email.as_deref());
    let keys = limit::contact_keys(&brand.id, &session.paid_by, number, email);
    keys.into_iter().map(|key| format!("paying/{key}"))
}

/// Of the first batch, the last: one more payment of this person. Answers which statements
/// fall short when that is too many.
pub fn begin(batch: &mut Batch, brand: &Brand, session: &Session) -> std::ops::Range<usize> {
    let first = batch.len();
    for name in names(brand, session) {
        limit::spend(batch, &name, MAX_PAYING, WINDOW_MS);
    }
    first..batch.len()
}

/// Of the second batch: the payment is settled, one way or the other.
pub fn end(batch: &mut Batch, brand: &Brand, session: &Session) {
    for name in names(brand, session) {
        limit::give_back(batch, &name);
    }
}

pub fn exceeded() -> Error {
    let detail = "Too many of your payments are under way. Try again when they are settled.";
    Error::new(429, "too_many_payments", detail)
        .at("$.buyer")
        .header("retry-after", "30")
}
