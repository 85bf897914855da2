//! Forgetting a person: first whatever the account and its addresses lead to, in one batch,
//! then its orders, checkouts and carts, a few at a time. What a guest left who gave one of
//! the account's addresses becomes the account's first, and goes the same way. A run that is cut short is taken
//! up by the housekeeping: until all is done the account is `erasing`.

mod documents;

use aisle_domain::contact::Channel;
use aisle_http::{Call, Error};
use aisle_store::messages::forgotten;
use aisle_store::outbox::{self, Event};
use aisle_store::{Batch, Dialect, values};
use aisle_ucp::account::Identity;

use crate::belongings;

pub use documents::{Round, Traces, order_documents, redacted};

/// Batches of one request, at most; what is left is the housekeeping's.
const ROUNDS: usize = 20;

/// Whom to forget.
pub struct Person<'a> {
    pub brand_id: &'a str,
    pub account_id: &'a str,
    pub identities: &'a [Identity],
    pub dialect: Dialect,
}

/// Goes through what the account has; `More`: than one run may do.
pub async fn go_through(call: &Call, brand_id: &str, account_id: &str) -> Result<Round, Error> {
    for _ in 0..ROUNDS {
        match documents::round(call, brand_id, account_id).await? {
            Round::More => {}
            round => return Ok(round),
        }
    }
    Ok(Round::More)
}

impl Person<'_> {
    /// All that the account and its addresses lead to at once. `unused_ms`: only if nobody has
    /// used it for so long. The first statement is unmet when somebody was faster.
    pub fn begin(&self, batch: &mut Batch, traces: &Traces, unused_ms: i64) {
        let Self {
            brand_id,
            account_id,
            ..
        } = *self;
        batch.expect(
            1,
            "UPDATE account SET status = 'erasing', doc = '{}', version = version + 1, erased_at_ms = {now}, \
             updated_at_ms = {now} WHERE brand_id = ?1 AND id = ?2 AND status = 'active' \
               AND last_seen_at_ms <= {now} - ?3",
            values![brand_id, account_id, unused_ms],
        );
        self.adopt(batch);
        self.forget_links(batch);
        for identity in self.identities {
            self.forget_address(batch, identity.channel, &identity.address);
        }
        for (channel, address) in &traces.agreed {
            self.forget_consents(batch, *channel, address);
        }
        traces.redact_holds(batch, brand_id);
        self.forget_account(batch);
        // Whoever has copies of a person must learn that they are to go; nothing but the id.
        outbox::event(batch, &Event::new(brand_id, "account.erased", account_id));
    }

    /// What a guest left who gave one of the account's addresses.
    fn adopt(&self, batch: &mut Batch) {
        for (into, row, ids) in [
            (
                "account_order (brand_id, account_id, order_id, attached_at_ms)",
                "x.id, {now}",
                belongings::guest_orders(self.dialect),
            ),
            (
                "account_checkout (brand_id, account_id, checkout_session_id)",
                "x.id",
                belongings::guest_checkouts(self.dialect),
            ),
            (
                "account_change (brand_id, account_id, subject_id, kind, seq, deleted, at_ms)",
                "x.id, 'cart', 0, 1, {now}",
                belongings::guest_carts(self.dialect),
            ),
        ] {
            batch.add(
                format!(
                    "INSERT INTO {into} SELECT ?1, ?2, {row} FROM ({ids}) x WHERE 1 = 1 ON CONFLICT DO NOTHING"
                ),
                values![self.brand_id, self.account_id],
            );
        }
    }

    /// Messages and links that name the account.
    fn forget_links(&self, batch: &mut Batch) {
        let own = values![self.brand_id, self.account_id];
        batch.add(
            format!(
                "UPDATE message SET {FORGOTTEN_MESSAGE} WHERE brand_id = ?1 AND (account_id = ?2 OR invite_id IN \
                 (SELECT i.id FROM invite i WHERE i.brand_id = ?1 AND (i.account_id = ?2 OR i.claimed_by = ?2 \
                   OR i.subject_id = ?2)))"
            ),
            own.clone(),
        );
        batch.add(
            format!(
                "UPDATE invite SET {FORGOTTEN_INVITE} \
                 WHERE brand_id = ?1 AND (account_id = ?2 OR claimed_by = ?2 OR subject_id = ?2)"
            ),
            own,
        );
    }

    /// Wherever an address is written down. Of what it agreed to and refused, a digest stays.
    fn forget_address(&self, batch: &mut Batch, channel: Channel, address: &str) {
        let brand_id = self.brand_id;
        let by_address = || values![brand_id, channel.name(), address];
        batch.add(
            "DELETE FROM one_time_code WHERE brand_id = ?1 AND kind = ?2 AND address = ?3",
            values![brand_id, channel.identity(), address],
        );
        forget_words(batch, brand_id, channel, address, 0);
        batch.add(
            "DELETE FROM order_contact WHERE brand_id = ?1 AND channel = ?2 AND address = ?3",
            by_address(),
        );
        for (table, change) in [("message", FORGOTTEN_MESSAGE), ("invite", FORGOTTEN_INVITE)] {
            batch.add(
                format!(
                    "UPDATE {table} SET {change} WHERE brand_id = ?1 AND channel = ?2 AND address = ?3"
                ),
                by_address(),
            );
        }
        // After the messages' rows, which a sender who is at it locks first.
        batch.add(
            "DELETE FROM sandbox_message WHERE brand_id = ?1 AND channel = ?2 AND address = ?3",
            by_address(),
        );
    }

    /// What an address agreed to that is nobody's proved one, but was told of what the account
    /// has; as long as another order tells it, its word stays in force.
    fn forget_consents(&self, batch: &mut Batch, channel: Channel, address: &str) {
        let own = values![self.brand_id, self.account_id];
        batch.add(
            format!(
                "DELETE FROM order_contact WHERE brand_id = ?1 AND order_id IN ({}) AND channel = ?3 AND address = ?4",
                belongings::orders(self.dialect)
            ),
            [own.clone(), values![channel.name(), address]].concat(),
        );
        let digest = forgotten(self.brand_id, channel, address);
        batch.add(
            format!(
                "UPDATE consent SET address = ?5 WHERE brand_id = ?1 AND channel = ?3 AND address = ?4 AND id IN ({}) \
                 AND NOT EXISTS (SELECT 1 FROM order_contact k WHERE k.brand_id = ?1 AND k.channel = ?3 \
                   AND k.address = ?4 AND k.ended_at_ms IS NULL)",
                belongings::consents(self.dialect)
            ),
            [own, values![channel.name(), address, digest]].concat(),
        );
    }

    /// The account's own rows; what leads to its carts, checkouts and orders stays until
    /// those have been gone through.
    fn forget_account(&self, batch: &mut Batch) {
        let own = || values![self.brand_id, self.account_id];
        batch.add(
            "DELETE FROM account_refresh WHERE session_id IN \
             (SELECT s.id FROM account_session s WHERE s.brand_id = ?1 AND s.account_id = ?2)",
            own(),
        );
        for table in ["account_session", "account_identity", "customer_code"] {
            batch.add(
                format!("DELETE FROM {table} WHERE brand_id = ?1 AND account_id = ?2"),
                own(),
            );
        }
        batch.add(
            "DELETE FROM account_change WHERE brand_id = ?1 AND account_id = ?2 AND kind <> 'cart'",
            own(),
        );
    }
}

/// What an address has agreed to and refused, at least `age_ms` ago: a digest of it stays.
pub fn forget_words(
    batch: &mut Batch,
    brand_id: &str,
    channel: Channel,
    address: &str,
    age_ms: i64,
) {
    let digest = forgotten(brand_id, channel, address);
    let params = values![brand_id, channel.name(), address, age_ms];
    let with_digest = [params.clone(), values![digest]].concat();
    batch.add(
        "UPDATE consent SET address = ?5 WHERE brand_id = ?1 AND channel = ?2 AND address = ?3 AND at_ms <= {now} - ?4",
        with_digest.clone(),
    );
    batch.add(
        "INSERT INTO opt_out (brand_id, channel, address, since_ms) \
         SELECT o.brand_id, o.channel, ?5, o.since_ms FROM opt_out o \
         WHERE o.brand_id = ?1 AND o.channel = ?2 AND o.address = ?3 AND o.since_ms <= {now} - ?4 ON CONFLICT DO NOTHING",
        with_digest,
    );
    batch.add(
        "DELETE FROM opt_out WHERE brand_id = ?1 AND channel = ?2 AND address = ?3 AND since_ms <= {now} - ?4",
        params,
    );
}

/// What becomes of a message to somebody who is forgotten.
pub const FORGOTTEN_MESSAGE: &str = "address = '', params = '{}', provider_reference = NULL, \
     failure = CASE WHEN status IN ('queued', 'sending') THEN 'forgotten' ELSE failure END, \
     status = CASE WHEN status IN ('queued', 'sending') THEN 'suppressed' ELSE status END";

/// What becomes of a link of somebody who is forgotten.
pub const FORGOTTEN_INVITE: &str = "address = '', revoked_at_ms = coalesce(revoked_at_ms, {now})";
