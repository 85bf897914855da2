//! How money is taken at a till: cash on the counter, or a card at the store's terminal.

use aisle_domain::brand::Brand;
use aisle_domain::cash;
use aisle_domain::payment::{
    self, Authorisation, PaymentProvider, RefundVerdict, Refunding, Verdict,
};
use aisle_http::auth::Staff;
use aisle_http::{Call, Error};
use aisle_store::refund::Part;
use aisle_store::{Batch, StoreError, new_id, values};
use aisle_ucp::pos::{PaidBy, Tender};

/// The person at the till is the provider: what they say they took is taken.
struct Counter<'a>(&'a Tender);

impl PaymentProvider for Counter<'_> {
    async fn authorise(&self, request: &Authorisation<'_>) -> Verdict {
        match self.0 {
            Tender::Cash { tendered_minor } if *tendered_minor < request.amount_minor => {
                Verdict::Declined {
                    reason: "less than the amount was put on the counter".into(),
                }
            }
            Tender::Cash { .. } => Verdict::Authorised {
                reference: format!("cash:{}", request.key),
            },
            Tender::CardPresent { .. } => Verdict::Authorised {
                reference: request.token.to_owned(),
            },
        }
    }

    /// The counter remembers nothing: what was taken is in the same batch as what it was for.
    async fn find(&self, _key: &str) -> Verdict {
        Verdict::Declined {
            reason: "the payment was interrupted".into(),
        }
    }

    /// What the person at the till gives back is given back.
    async fn refund(&self, request: &Refunding<'_>) -> RefundVerdict {
        RefundVerdict::Refunded {
            reference: match self.0 {
                Tender::Cash { .. } => format!("cash:{}", request.key),
                Tender::CardPresent { reference } => reference.clone(),
            },
        }
    }
}

/// Money that was taken for an order, to be written.
pub struct Taken {
    pub payment_id: String,
    pub paid_by: PaidBy,
    attempt: i64,
    reference: String,
    currency: String,
}

/// What is to be paid.
pub struct Owed<'a> {
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: &'a str,
    /// What cash is rounded to.
    pub cash_step_minor: i64,
}

/// What cash is rounded to at a location of the brand, in minor units; as in the brand's own
/// country at one that it has left, where there may still be money to give back.
pub async fn cash_step_minor(
    call: &Call,
    brand: &Brand,
    location_id: &str,
) -> Result<i64, StoreError> {
    let store = call.model().location(&brand.id, location_id).await?;
    let country = match &store {
        Some(store) => store.address.address_country.as_str(),
        None => brand.country.as_str(),
    };
    Ok(cash::step_minor(
        &brand.policies.payments,
        &brand.currency,
        country,
    ))
}

/// Takes what is owed as attempt number `attempt` of the order; 422 when it is not enough.
pub async fn take(
    tender: &Tender,
    order_id: &str,
    attempt: i64,
    owed: Owed<'_>,
) -> Result<Taken, Error> {
    let key = payment::key(order_id, attempt);
    let currency = owed.currency;
    let amount_minor = match tender.is_cash() {
        true => cash::round(owed.amount_minor, owed.cash_step_minor),
        false => owed.amount_minor,
    };
    let (token, change_minor) = match tender {
        Tender::Cash { tendered_minor } => ("", tendered_minor - amount_minor),
        Tender::CardPresent { reference } => (reference.as_str(), 0),
    };
    let request = Authorisation {
        key: &key,
        amount_minor,
        currency,
        token,
    };
    match Counter(tender).authorise(&request).await {
        Verdict::Authorised { reference } => Ok(Taken {
            payment_id: new_id(),
            paid_by: PaidBy {
                kind: tender.kind().into(),
                amount_minor,
                cash_rounding_minor: amount_minor - owed.amount_minor,
                change_minor,
            },
            attempt,
            reference,
            currency: currency.to_owned(),
        }),
        Verdict::Declined { reason } => {
            Err(
                Error::unprocessable("payment_declined", "$.payment", &reason)
                    .with("amount_minor", amount_minor),
            )
        }
        Verdict::Unavailable => Err(Error::unavailable(
            2,
            "the payment provider does not answer",
        )),
    }
}

/// Gives a part of a refund back the way that `tender` says.
pub async fn give_back(tender: &Tender, part: &Part) -> RefundVerdict {
    let key = payment::refund_key(&part.order_id, part.attempt, &part.decision);
    let request = Refunding {
        key: &key,
        payment_reference: &part.payment_reference,
        amount_minor: part.amount_minor,
        currency: &part.currency,
    };
    Counter(tender).refund(&request).await
}

impl Taken {
    /// Whether the drawer must be open: cash goes into it.
    pub fn is_cash(&self) -> bool {
        self.paid_by.kind == "cash"
    }

    /// Adds the payment and, of cash, what goes into the drawer. The statement that a till
    /// without an open day falls short of is returned.
    pub fn write(
        &self,
        batch: &mut Batch,
        staff: &Staff,
        order_id: &str,
        kind: &str,
    ) -> Option<usize> {
        batch.expect(
            1,
            "INSERT INTO payment (id, brand_id, order_id, attempt, handler, amount_minor, currency, status, \
             provider_reference, updated_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'authorised', ?8, {now}) \
             ON CONFLICT DO NOTHING",
            values![
                &self.payment_id,
                &staff.brand_id,
                order_id,
                self.attempt,
                &self.paid_by.kind,
                self.paid_by.amount_minor,
                &self.currency,
                &self.reference
            ],
        );
        self.is_cash().then(|| {
            let entry = Entry {
                id: &new_id(),
                kind,
                amount_minor: self.paid_by.amount_minor,
                document: ("order", order_id),
            };
            entry.write(batch, staff)
        })
    }
}

/// Cash into or out of the drawer of a person's till.
pub struct Entry<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub amount_minor: i64,
    pub document: (&'a str, &'a str),
}

impl Entry<'_> {
    /// Adds the entry to the till's open day, and answers the statement that falls short
    /// when none is open. The day's row is locked first, so that a day which is being
    /// closed counts every entry or refuses it.
    pub fn write(&self, batch: &mut Batch, staff: &Staff) -> usize {
        let statement = batch.len();
        batch.expect(
            1,
            "UPDATE till_day SET doc = doc WHERE brand_id = ?1 AND device_id = ?2 AND closed_at_ms IS NULL",
            values![&staff.brand_id, &staff.device_id],
        );
        batch.expect(
            1,
            "INSERT INTO drawer_entry (id, brand_id, till_day_id, kind, amount_minor, document_type, document_id, staff_id, at_ms) \
             SELECT ?1, d.brand_id, d.id, ?4, ?5, ?6, ?7, ?8, {now} FROM till_day d \
             WHERE d.brand_id = ?2 AND d.device_id = ?3 AND d.closed_at_ms IS NULL",
            values![
                self.id,
                &staff.brand_id,
                &staff.device_id,
                self.kind,
                self.amount_minor,
                self.document.0,
                self.document.1,
                &staff.staff_id
            ],
        );
        statement
    }
}

/// Adds the statement that falls short when more has left the drawer of a person's till than
/// was in it, after the entry that takes it out. Which statement that is.
pub fn must_be_in_drawer(batch: &mut Batch, staff: &Staff) -> usize {
    let statement = batch.len();
    batch.expect(
        1,
        "UPDATE till_day SET doc = doc WHERE brand_id = ?1 AND device_id = ?2 AND closed_at_ms IS NULL \
         AND opening_float_minor + (SELECT coalesce(sum(e.amount_minor), 0) FROM drawer_entry e WHERE e.till_day_id = till_day.id) >= 0",
        values![&staff.brand_id, &staff.device_id],
    );
    statement
}

/// 409: cash needs a drawer that somebody opened.
pub fn no_open_day() -> Error {
    Error::conflict("no_open_till_day", "open this till's day first")
}
