//! What an address agreed to be told, and what it took back: evidence, written down in the
//! batch that heard it.

use aisle_domain::contact::{Channel, Purpose};
use aisle_domain::invite::Scope;

use crate::{Batch, new_id, values};

/// One word of whoever is reached at an address.
pub struct Consent<'a> {
    pub brand_id: &'a str,
    pub channel: Channel,
    pub address: &'a str,
    /// `None`: for everything.
    pub purpose: Option<Purpose>,
    /// Of the words that they saw.
    pub wording_version: &'a str,
    pub given: bool,
    /// Where it was said, such as `page`.
    pub source: &'static str,
    /// What it is about, with which its address is forgotten.
    pub about: Option<(Scope, &'a str)>,
}

impl Consent<'_> {
    pub fn record(&self, batch: &mut Batch) {
        let id = new_id();
        batch.expect(
            1,
            "INSERT INTO consent (id, brand_id, channel, address, purpose, wording_version, decision, source, at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, {now})",
            values![
                &id,
                self.brand_id,
                self.channel.name(),
                self.address,
                self.purpose.map_or("all", Purpose::name),
                self.wording_version,
                if self.given { "given" } else { "withdrawn" },
                self.source
            ],
        );
        if let Some((scope, subject_id)) = self.about {
            batch.expect(
                1,
                "INSERT INTO consent_for (consent_id, brand_id, scope, subject_id) VALUES (?1, ?2, ?3, ?4)",
                values![id, self.brand_id, scope.name(), subject_id],
            );
        }
    }
}
