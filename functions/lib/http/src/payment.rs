//! Who moves the money online. Stock is reserved before anybody is asked here.

pub use aisle_domain::payment::{Authorisation, PaymentProvider, Verdict, key};

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
