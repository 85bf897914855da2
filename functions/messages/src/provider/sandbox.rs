//! Development's provider: what it is given can be read at `/dev/messages`.

use aisle_domain::contact::Channel;
use aisle_store::{Batch, Db, values};
use futures::FutureExt;
use futures::future::{LocalBoxFuture, ready};

use super::{Found, Outcome, Outgoing, Provider};

pub struct Sandbox {
    pub channel: Channel,
}

impl Provider for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn send<'a>(&'a self, _message: &'a Outgoing<'a>) -> LocalBoxFuture<'a, Outcome> {
        let accepted = Outcome::Accepted {
            reference: None,
            delivered: true,
        };
        ready(accepted).boxed_local()
    }

    /// It keeps messages in the batch that says that it did.
    fn find<'a>(&'a self, _message: &'a Outgoing<'a>, _db: &'a Db) -> LocalBoxFuture<'a, Found> {
        ready(Found::No).boxed_local()
    }

    fn keep(&self, message: &Outgoing<'_>, batch: &mut Batch) {
        let subject = (self.channel == Channel::Email).then_some(message.content.subject.as_str());
        // Whoever was forgotten meanwhile is not written down again.
        batch.add(
            "INSERT INTO sandbox_message (id, brand_id, channel, address, subject, text, at_ms) \
             SELECT m.id, m.brand_id, m.channel, m.address, ?2, ?3, {now} FROM message m \
             WHERE m.id = ?1 AND m.address <> '' ON CONFLICT (id) DO NOTHING",
            values![message.id, subject, &message.content.text],
        );
    }
}
