//! Money that is owed to payers goes back: the provider is asked with nothing locked, and
//! under the same key however often that takes.

use aisle_http::payment::{PaymentProvider, Refunding, Sandbox, refund_key};
use aisle_http::{Call, Error, notify_relay};
use aisle_store::Batch;
use aisle_store::refund::{self, Part};
use aisle_ucp::checkout::SANDBOX_HANDLER_ID;
use aisle_ucp::hold::HousekeepingRun;

use crate::housekeeping::committed;

/// Refunds of one run, at most; what is left is the next run's.
const RUN_REFUNDS: i64 = 20;

/// Gives back what is due, and writes down what became of that.
pub async fn run(call: &Call) -> Result<HousekeepingRun, Error> {
    let due = refund::due(call.db(), SANDBOX_HANDLER_ID, RUN_REFUNDS).await?;
    let mut run = HousekeepingRun {
        settled: 0,
        more: due.len() as i64 == RUN_REFUNDS,
    };
    for part in &due {
        run.settled += usize::from(give_back(call, part).await?);
    }
    if run.settled > 0 {
        notify_relay();
    }
    Ok(run)
}

/// Whether there is a verdict.
async fn give_back(call: &Call, part: &Part) -> Result<bool, Error> {
    let mut claim = Batch::new();
    refund::attempt(&mut claim, part);
    if !committed(call, &claim).await? {
        return Ok(false);
    }
    let key = refund_key(&part.order_id, part.attempt, &part.decision);
    let request = Refunding {
        key: &key,
        payment_reference: &part.payment_reference,
        amount_minor: part.amount_minor,
        currency: &part.currency,
    };
    let verdict = Sandbox.refund(&request).await;
    let mut batch = Batch::new();
    refund::settle(&mut batch, part, &verdict);
    Ok(!batch.is_empty() && committed(call, &batch).await?)
}
