//! `DELETE /accounts/me`: the person is forgotten, at once and for good.

use aisle_http::command;
use aisle_http::{Call, Error, Reply, shopper};
use aisle_store::{Batch, BatchError};

use crate::forget::{self, Person, Traces};
use crate::proof;
use crate::sure::Sure;

pub async fn erase(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let body = call.body().await?;
    let sure = match Sure::check(call, &shopper, &body, None).await? {
        Ok(sure) => sure,
        Err(reply) => return Ok(reply),
    };
    let known = &sure.known;
    let traces = Traces::of(call, &brand.id, &known.id).await?;
    let mut batch = Batch::new();
    // Before the code's row goes with its address.
    let code = sure.use_up(&mut batch, &brand.id);
    let person = Person {
        brand_id: &brand.id,
        account_id: &known.id,
        identities: &known.identities,
        dialect: call.db().dialect(),
    };
    person.begin(&mut batch, &traces, 0);
    match batch.commit(call.db()).await {
        Ok(_) => {}
        Err(error) if code.is_some_and(|code| error.unmet_at(code)) => return Err(proof::over()),
        Err(BatchError::Unmet { .. }) => return Err(command::raced()),
        Err(error) => return Err(error.into()),
    }
    shopper::forget(&sure.access_hash);
    forget::go_through(call, &brand.id, &known.id).await?;
    Ok(Reply::empty(204))
}
