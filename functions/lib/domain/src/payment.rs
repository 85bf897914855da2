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

/// What a provider is asked to give back of a payment that it made.
#[derive(Debug, Clone, Copy)]
pub struct Refunding<'a> {
    /// The provider's idempotency key, the same however often it is asked.
    pub key: &'a str,
    /// The provider's reference of the payment.
    pub payment_reference: &'a str,
    /// Minor units, at most what was paid and has not gone back yet.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundVerdict {
    /// The amount is on its way back, under the provider's reference.
    Refunded { reference: String },
    /// It will not go back this way; a person must see to it. For staff.
    Refused { reason: String },
    /// Nobody knows yet: ask again with the same key.
    Unavailable,
}

/// A payment service provider.
#[expect(async_fn_in_trait, reason = "components run on one thread")]
pub trait PaymentProvider {
    /// Asks for the amount. The same key again gives the same verdict and moves nothing.
    async fn authorise(&self, request: &Authorisation<'_>) -> Verdict;

    /// What became of an attempt that was cut short. One that never arrived is declined.
    async fn find(&self, key: &str) -> Verdict;

    /// Gives a part of a payment back, or all of it. The same key again gives the same
    /// verdict and moves nothing.
    async fn refund(&self, request: &Refunding<'_>) -> RefundVerdict;
}

/// The key of an order's attempt: a retry after a crash repeats it, a new try does not.
pub fn key(order_id: &str, attempt: i64) -> String {
    format!("{order_id}:{attempt}")
}

/// The key of what a decision gives back of an order's attempt.
pub fn refund_key(order_id: &str, attempt: i64, decision: &str) -> String {
    format!("{}:refund:{decision}", key(order_id, attempt))
}
