//! `POST /pos/orders/{id}/refunds`: what is owed on an order and cannot go back by itself, such
//! as cash, is given back at a till.

use aisle_domain::{cash, money};
use aisle_http::auth;
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::{audit, new_id, refund};
use aisle_ucp::checkout::SANDBOX_HANDLER_ID;
use aisle_ucp::pos::{RefundReceipt, RefundRequest};
use serde_json::json;

use crate::store;
use crate::tender::{self, Entry};

/// Looks at what is owed, at most: each lost race is followed by a fresh look.
const ROUNDS: usize = 4;

pub async fn give_back(call: &Call, order_id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "pos").await?;
    // The number of an order is on papers that others see, and this is money.
    staff.with_scope("approve")?;
    store::must_be_id(order_id, "order")?;
    let body = call.body().await?;
    let request: RefundRequest = call.parse(&body)?;
    let tender = request.payment.tender();
    tender.check().map_err(Error::invalid_member)?;
    let claim = call.claim(&brand.id, &format!("refund/{}", staff.device_id), &body)?;
    let cash_step_minor = tender::cash_step_minor(call, &brand, &staff.location_id).await?;
    for _ in 0..ROUNDS {
        let owed = refund::by_hand(
            call.db(),
            (&brand.id, order_id),
            SANDBOX_HANDLER_ID,
            claim.as_ref(),
        );
        let owed = owed.await?;
        if let Some(reply) = call.replay(owed.outcome)? {
            return Ok(reply);
        }
        let Some(first) = owed.parts.first() else {
            let detail = "nothing that a till gives back is owed on it";
            return Err(Error::conflict("nothing_owed", detail));
        };
        let amounts = owed.parts.iter().map(|part| part.amount_minor);
        let owed_minor = money::sum(amounts).map_err(|_| Error::internal("too much is owed"))?;
        let amount_minor = match tender.is_cash() {
            true => cash::round(owed_minor, cash_step_minor),
            false => owed_minor,
        };
        let receipt = RefundReceipt {
            order_id: order_id.into(),
            amount_minor,
            cash_rounding_minor: amount_minor - owed_minor,
            currency: first.currency.clone(),
            kind: tender.kind().into(),
        };
        let answer = Answer::new(201, &receipt)?;
        let mut batch = command::begin(claim.as_ref(), &answer);
        let drawer = tender.is_cash().then(|| {
            let entry = Entry {
                id: &new_id(),
                kind: "refund",
                amount_minor: -receipt.amount_minor,
                document: ("order", order_id),
            };
            let open = entry.write(&mut batch, &staff);
            (open, tender::must_be_in_drawer(&mut batch, &staff))
        });
        for part in &owed.parts {
            let verdict = tender::give_back(&tender, part).await;
            refund::settle(&mut batch, part, &verdict);
        }
        let doc =
            json!({"payment": receipt.kind, "amount_minor": receipt.amount_minor}).to_string();
        let subject = ("order", order_id);
        audit::record(&mut batch, staff.actor(), "refund.given", subject, &doc);
        match command::commit(call, claim.as_ref(), answer, batch).await? {
            Committed::Done(reply) => {
                notify_relay();
                return Ok(reply);
            }
            Committed::Replayed(reply) => return Ok(reply),
            Committed::Unmet(error) if drawer.is_some_and(|(open, _)| error.unmet_at(open)) => {
                return Err(tender::no_open_day());
            }
            Committed::Unmet(error) if drawer.is_some_and(|(_, enough)| error.unmet_at(enough)) => {
                let detail = "there is less than that in the drawer";
                return Err(Error::conflict("not_in_drawer", detail));
            }
            Committed::Unmet(_) => {}
        }
    }
    Err(command::raced())
}
