//! Who moves the money: a payment provider online, cash or a card terminal at a till.

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
#[expect(async_fn_in_trait, reason = "components run on one thread")]
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
