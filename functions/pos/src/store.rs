//! What the handlers of this component share: the store, its time, refusals.

use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_domain::location::Location;
use aisle_domain::notice::Refusal;
use aisle_http::{Call, Error};
use aisle_store::Batch;
use aisle_store::outbox::{self, Event};

/// The location with this id.
pub async fn location(call: &Call, brand_id: &str, id: &str) -> Result<Location, Error> {
    let found = call.model().location(brand_id, id).await?;
    let gone = || Error::forbidden("the brand no longer trades at this location");
    Ok(found.ok_or_else(gone)?.value.clone())
}

/// The time zone on the store's wall; UTC for a store that the brand has left.
pub async fn time_zone(call: &Call, brand_id: &str, location_id: &str) -> Result<String, Error> {
    Ok(call.model().time_zone(brand_id, location_id).await?)
}

/// A 422 that names the member.
pub fn refused(refusal: Refusal) -> Error {
    Error::unprocessable(refusal.code, &refusal.path, &refusal.detail)
}

/// 404 with a code such as `order_not_found`.
pub fn unknown(what: &str) -> Error {
    Error::not_found(
        &format!("{what}_not_found"),
        "the brand has nothing with this id",
    )
}

/// What has not the form of an id names nothing, and needs no query to be refused.
pub fn must_be_id(id: &str, what: &str) -> Result<(), Error> {
    if is_id(id) {
        Ok(())
    } else {
        Err(unknown(what))
    }
}

/// 429: at most so often in a window of so long.
pub fn too_often(window_ms: i64) -> Error {
    let seconds = (window_ms / 1_000).to_string();
    Error::new(429, "too_many_tries", "too many tries; wait a while")
        .header("retry-after", &seconds)
}

pub fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))
}

/// Tells who follows it that the collection of an order changed.
pub fn pickup_changed(batch: &mut Batch, brand: &Brand, order_id: &str) {
    outbox::event(batch, &Event::new(&brand.id, "pickup.changed", order_id));
}
