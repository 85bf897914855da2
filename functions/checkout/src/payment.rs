//! Who moves the money. Stock is reserved before anybody is asked here.

/// What a provider is asked to set aside for an order.
#[derive(Debug, Clone, Copy)]
pub struct Authorisation<'a> {
    /// The provider's idempotency key, the same for each repetition of one attempt.
    pub key: &'a str,
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: &'a str,
    /// What the payer's instrument turned into; belongs in no log and no row.
    pub token: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The amount is set aside, under the provider's reference.
    Authorised { reference: String },
    /// It is not and will not be; the reason is for the payer.
    Declined { reason: String },
    /// Nobody knows yet: the provider did not answer in time.
    Unavailable,
}

/// A payment service provider.
pub trait PaymentProvider {
    /// Asks for the amount. The same key again gives the same verdict and moves nothing.
    async fn authorise(&self, request: &Authorisation<'_>) -> Verdict;

    /// What became of an attempt that was cut short. One that never arrived is declined.
    async fn find(&self, key: &str) -> Verdict;
}

/// The key of an order's attempt: a retry after a crash repeats it, a new try does not.
pub fn key(order_id: &str, attempt: i64) -> String {
    format!("{order_id}:{attempt}")
}

/// Moves no money: the token itself says what becomes of the payment.
pub struct Sandbox;

impl PaymentProvider for Sandbox {
    async fn authorise(&self, request: &Authorisation<'_>) -> Verdict {
        match request.token.strip_prefix("tok_").unwrap_or(request.token) {
            "success" => Verdict::Authorised {
                reference: format!(
                    "sandbox:{}:{}{}",
                    request.key, request.amount_minor, request.currency
                ),
            },
            "unavailable" => Verdict::Unavailable,
            _ => Verdict::Declined {
                reason: "The card was declined.".into(),
            },
        }
    }

    /// The sandbox remembers nothing, and has moved nothing.
    async fn find(&self, _key: &str) -> Verdict {
        Verdict::Declined {
            reason: "The payment was interrupted. Nothing was charged.".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;

    fn verdict(token: &str) -> Verdict {
        let key = key("order", 1);
        block_on(Sandbox.authorise(&Authorisation {
            key: &key,
            amount_minor: 100,
            currency: "EUR",
            token,
        }))
    }

    #[test]
    fn the_sandbox_does_what_the_token_says() {
        let authorised = Verdict::Authorised {
            reference: "sandbox:order:1:100EUR".into(),
        };
        assert_eq!(
            [verdict("tok_success"), verdict("success")],
            [authorised.clone(), authorised]
        );
        assert_eq!(verdict("tok_unavailable"), Verdict::Unavailable);
        for token in ["tok_fail", "", "anything"] {
            assert!(
                matches!(verdict(token), Verdict::Declined { .. }),
                "{token}"
            );
        }
    }
}
