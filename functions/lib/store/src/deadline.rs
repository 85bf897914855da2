//! Every call to something outside has a deadline in the guest.

use std::{pin::pin, time::Duration};

use futures::future::{Either, select};

/// The longest a call may take. More than the five seconds for which SQLite waits for a
/// lock by itself, so that a busy database says that it is busy.
pub(crate) const CALL: Duration = Duration::from_millis(7_000);

/// The future's output, or `None` when `limit` has passed first; it is dropped then.
pub async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), pin!(spin_sdk::time::sleep(limit))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
