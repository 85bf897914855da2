//! How much may be set aside for carts and checkouts that nobody has paid for: by one
//! contact, at one source, for one store. Checked in the batch that sets it aside, so that
//! many requests at the same moment do not get past it together.

use aisle_domain::brand::Brand;
use aisle_domain::cart::Buyer;
use aisle_http::Error;
use aisle_store::{Batch, BatchError, limit, values};

use crate::fresh::Fresh;

const MINUTE_MS: i64 = 60_000;

/// Which statement of the batch is which limit.
pub struct Limits {
    contact: std::ops::Range<usize>,
    store: usize,
    /// With the SKU and the source that it is about.
    shares: Vec<(usize, String, String)>,
}

/// A row unless more than `?3` transfers to `?2` are set aside for what is not paid.
const OF_STORE: &str = "SELECT 1 AS one WHERE ?3 >= (SELECT count(*) FROM transfer t \
    WHERE t.brand_id = ?1 AND t.to_location_id = ?2 AND t.status = 'reserved' \
      AND t.for_type IN ('cart', 'checkout') AND t.expires_at_ms > {now})";
/// A row unless more of `?2` is set aside at `?3` for what is not paid than the part `?4`,
/// in parts per million and rounded up, of all that could be promised without it.
const OF_SOURCE: &str = "SELECT 1 AS one FROM (\
    SELECT s.on_hand - s.reserved - s.safety AS free, CAST(coalesce((\
        SELECT sum(l.requested) FROM transfer t JOIN transfer_line l ON l.brand_id = t.brand_id AND l.transfer_id = t.id \
        WHERE t.brand_id = ?1 AND t.from_location_id = ?3 AND t.status = 'reserved' \
          AND t.for_type IN ('cart', 'checkout') AND t.expires_at_ms > {now} AND l.sku = ?2), 0) AS BIGINT) AS unpaid \
    FROM stock s WHERE s.brand_id = ?1 AND s.sku = ?2 AND s.location_id = ?3) place \
    WHERE place.unpaid * 1000000 <= ?4 * (place.free + place.unpaid) + 999999";

impl Limits {
    /// After `fresh` has been written, for a cart or checkout of `buyer`. Whoever asks is counted
    /// by `asker`, so that nobody uses up what somebody else may have.
    pub fn write(
        batch: &mut Batch,
        brand: &Brand,
        (asker, buyer): (&str, &Buyer),
        to_location_id: &str,
        fresh: &[Fresh],
    ) -> Self {
        let (brand_id, policy) = (&brand.id, &brand.policies.transfers);
        let (number, email) = (buyer.phone_number.as_deref(), buyer.email.as_deref());
        let first = batch.len();
        for key in limit::contact_keys(brand_id, asker, number, email) {
            let window_ms = policy.reservation_minutes.saturating_mul(MINUTE_MS);
            let name = format!("unpaid/{key}");
            limit::spend(batch, &name, policy.max_unpaid_per_contact, window_ms);
        }
        let contact = first..batch.len();
        limit::one_at_a_time(batch, &format!("unpaid/{brand_id}/{to_location_id}"));
        let store = batch.len();
        let most = policy.max_unpaid_per_store;
        batch.expect_rows(1, OF_STORE, values![brand_id, to_location_id, most]);
        let units = fresh.iter().flat_map(|one| one.planned.allocations());
        let share = units.map(|one| {
            let at = batch.len();
            let place = values![
                brand_id,
                &one.sku,
                &one.location_id,
                policy.unpaid_share_ppm
            ];
            batch.expect_rows(1, OF_SOURCE, place);
            (at, one.sku, one.location_id)
        });
        Self {
            contact,
            store,
            shares: share.collect(),
        }
    }

    /// What the client is told when one of these stopped the batch.
    pub fn exceeded(&self, error: &BatchError, brand: &Brand, to: &str) -> Option<Error> {
        let policy = &brand.policies.transfers;
        let BatchError::Unmet { statement, .. } = error else {
            return None;
        };
        if self.contact.contains(statement) {
            let (most, minutes) = (policy.max_unpaid_per_contact, policy.reservation_minutes);
            let detail = format!("at most {most} requests of one person in {minutes} minutes");
            let retry_after_s = (minutes * 60).to_string();
            return Some(
                Error::new(429, "too_many_requests", &detail)
                    .at("$.for")
                    .with("most", most)
                    .header("retry-after", &retry_after_s),
            );
        }
        if *statement == self.store {
            let most = policy.max_unpaid_per_store;
            let detail = "too much is on request for that store and not paid; check out to get it";
            return Some(
                Error::new(429, "store_has_too_many", detail)
                    .at("$.to")
                    .with("location_id", to)
                    .with("most", most)
                    .header("retry-after", "60"),
            );
        }
        let share = self.shares.iter().find(|(at, ..)| at == statement)?;
        let detail = "no more of it can be set aside there without payment; check out to get it";
        Some(
            Error::conflict("unpaid_limit", detail)
                .at("$.items")
                .with("sku", share.1.as_str())
                .with("location_id", share.2.as_str()),
        )
    }
}
