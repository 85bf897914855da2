//! Who moves the money online. Stock is reserved before anybody is asked here.

pub use aisle_domain::payment::{
    Authorisation, PaymentProvider, RefundVerdict, Refunding, Verdict, key, refund_key,
};

/// Moves no money: the token itself says what becomes of the payment, and what would
/// become of giving it back.
pub struct Sandbox;

/// Ends of a token that pays, and of the reference of such a payment, which is all that
/// the sandbox has to go by later.
const REFUND_REFUSED: &str = "refund_refused";
const REFUND_UNAVAILABLE: &str = "refund_unavailable";

impl PaymentProvider for Sandbox {
    async fn authorise(&self, request: &Authorisation<'_>) -> Verdict {
        let reference = format!(
            "sandbox:{}:{}{}",
            request.key, request.amount_minor, request.currency
        );
        match request.token.strip_prefix("tok_").unwrap_or(request.token) {
            "success" => Verdict::Authorised { reference },
            later @ (REFUND_REFUSED | REFUND_UNAVAILABLE) => Verdict::Authorised {
                reference: format!("{reference}:{later}"),
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

    async fn refund(&self, request: &Refunding<'_>) -> RefundVerdict {
        match request.payment_reference.rsplit(':').next() {
            Some(REFUND_REFUSED) => RefundVerdict::Refused {
                reason: "The card's account is closed.".into(),
            },
            Some(REFUND_UNAVAILABLE) => RefundVerdict::Unavailable,
            _ => RefundVerdict::Refunded {
                reference: format!(
                    "sandbox:{}:{}{}",
                    request.key, request.amount_minor, request.currency
                ),
            },
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

    #[test]
    fn what_becomes_of_a_refund_is_said_when_it_is_paid() {
        let given_back = |token| {
            let Verdict::Authorised { reference } = verdict(token) else {
                panic!("{token} pays")
            };
            block_on(Sandbox.refund(&Refunding {
                key: &refund_key("order", 1, "cancelled"),
                payment_reference: &reference,
                amount_minor: 40,
                currency: "EUR",
            }))
        };
        let refunded = RefundVerdict::Refunded {
            reference: "sandbox:order:1:refund:cancelled:40EUR".into(),
        };
        assert_eq!(given_back("tok_success"), refunded);
        assert!(matches!(
            given_back("tok_refund_refused"),
            RefundVerdict::Refused { .. }
        ));
        assert_eq!(
            given_back("tok_refund_unavailable"),
            RefundVerdict::Unavailable
        );
    }
}
