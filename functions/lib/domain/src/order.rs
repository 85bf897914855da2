//! An order: what was bought, frozen as it was promised and paid.

use serde::{Deserialize, Serialize};

use crate::cart::{Buyer, Line};
use crate::checkout::{OrderReference, Session};
use crate::fulfillment::{DeliveryOption, Destination, MethodKind};
use crate::plan::Plan;
use crate::totals::Totals;

/// Letters and digits that nobody mistakes for one another (Crockford's base 32).
const NUMBER_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The document of table `customer_order`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// UUIDv7; who knows it may read the order.
    pub id: String,
    /// What people call it, such as `7Q4ZK-M0TCX`.
    pub number: String,
    pub checkout_session_id: String,
    /// ISO 4217.
    pub currency: String,
    pub placed_at_ms: i64,
    pub lines: Vec<OrderLine>,
    #[serde(default)]
    pub buyer: Buyer,
    pub expectations: Vec<Expectation>,
    /// Where the goods come from, and why from there: exactly what was reserved.
    pub plan: Plan,
    pub totals: Totals,
}

/// What was bought and how much of it has been handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub line: Line,
    /// Pieces, at most the line's quantity.
    pub fulfilled: i64,
}

/// A promise: these lines, there, then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    pub kind: MethodKind,
    pub line_ids: Vec<String>,
    pub destination: Destination,
    pub option: DeliveryOption,
}

impl Order {
    /// Freezes `session` as the order `reference` of the instant `now_ms`. A method whose
    /// destination or option is not chosen promises nothing and is left out.
    pub fn place(
        reference: OrderReference,
        session_id: &str,
        session: &Session,
        now_ms: i64,
    ) -> Self {
        let OrderReference { id, number } = reference;
        let promised = session
            .methods
            .iter()
            .filter(|method| !method.line_ids.is_empty());
        let expectations = promised.filter_map(|method| {
            Some(Expectation {
                kind: method.kind,
                line_ids: method.line_ids.clone(),
                destination: method.destination()?.clone(),
                option: method.option()?.clone(),
            })
        });
        Self {
            id,
            number,
            checkout_session_id: session_id.to_owned(),
            currency: session.currency.clone(),
            placed_at_ms: now_ms,
            lines: session
                .lines
                .iter()
                .map(|line| OrderLine {
                    line: line.clone(),
                    fulfilled: 0,
                })
                .collect(),
            buyer: session.buyer.clone(),
            expectations: expectations.collect(),
            plan: session.plan.clone(),
            totals: session.totals.clone(),
        }
    }
}

/// An order number of 50 random bits, easy to read out. A brand's numbers are unique by
/// constraint; these make a clash a matter of 2⁻⁵⁰ for each pair.
pub fn number(random: [u8; 10]) -> String {
    let digit = |byte: &u8| char::from(NUMBER_ALPHABET[usize::from(byte & 31)]);
    let (first, last) = random.split_at(5);
    format!(
        "{}-{}",
        first.iter().map(digit).collect::<String>(),
        last.iter().map(digit).collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_can_be_read_out() {
        assert_eq!(number([0, 1, 2, 3, 4, 5, 6, 7, 8, 255]), "01234-5678Z");
        for byte in 0..=255 {
            let text = number([byte; 10]);
            assert!(
                text.len() == 11 && !text.contains(['I', 'L', 'O', 'U']),
                "{text}"
            );
        }
    }
}
