//! `POST /catalog/housekeeping`: gives products that were stored before the index, or by a
//! build that cut words otherwise, the tokens that they are found by. A ticker calls it.

use std::time::{Duration, Instant};

use aisle_http::{Call, Error, Reply, auth};
use aisle_store::search::index::index_stale;
use aisle_ucp::hold::HousekeepingRun;

/// No further products are begun after this: the caller waits for five seconds.
const ENOUGH: Duration = Duration::from_secs(2);

pub async fn run(call: &Call) -> Result<Reply, Error> {
    auth::housekeeper(call).await?;
    let began = Instant::now();
    let mut run = HousekeepingRun::default();
    loop {
        let indexed = index_stale(call.db()).await?;
        run.settled += indexed;
        run.more = indexed > 0;
        if indexed == 0 || began.elapsed() > ENOUGH {
            return Reply::json(200, &run);
        }
    }
}
