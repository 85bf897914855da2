//! A row of table `invite`, with what is known of its text and of what it is for.

use aisle_domain::contact::Channel;
use aisle_domain::invite::{Scope, Standing};
use aisle_store::{Row, StoreError};
use aisle_ucp::invite::{Delivery, Invite, View};

use crate::access::{Subject, here};

pub struct InviteRow {
    pub id: String,
    pub subject: Subject,
    /// Who asked for it, when they were signed in.
    pub account_id: Option<String>,
    pub channel: Channel,
    pub address: String,
    pub locale: String,
    pub standing: Standing,
    delivery: Delivery,
    created_at_ms: i64,
    pub opened_at_ms: Option<i64>,
    claimed_at_ms: Option<i64>,
}

/// Links of brand `?1`, seen from the store `?3` (empty: from none).
pub fn select(condition: &str) -> String {
    let here = here("i.subject_id");
    format!(
        "SELECT i.id, i.scope, i.subject_id, i.account_id, i.channel, i.address, i.locale, i.created_at_ms, \
         i.expires_at_ms, i.opened_at_ms, i.claimed_by, i.claimed_at_ms, i.revoked_at_ms, {{now}} AS now_ms, \
         CASE i.scope WHEN 'order' THEN (SELECT ao.account_id FROM account_order ao \
             WHERE ao.brand_id = i.brand_id AND ao.order_id = i.subject_id) \
           WHEN 'cart' THEN (SELECT ac.account_id FROM account_cart ac \
             WHERE ac.brand_id = i.brand_id AND ac.cart_id = i.subject_id) \
           ELSE i.subject_id END AS owner, \
         CASE i.scope WHEN 'order' THEN {here} WHEN 'cart' THEN 1 ELSE 0 END AS here, \
         (SELECT m.status FROM message m WHERE m.brand_id = i.brand_id AND m.dedup_key = 'invite/' || i.id) AS delivery \
         FROM invite i WHERE i.brand_id = ?1 AND {condition}"
    )
}

/// Names the text of a link, of which there is one.
pub fn message_key(invite_id: &str) -> String {
    format!("invite/{invite_id}")
}

impl InviteRow {
    pub fn of(row: &Row) -> Result<Self, StoreError> {
        let (scope, channel) = (row.text("scope")?, row.text("channel")?);
        let unknown = |what: &str| StoreError::Bug(format!("invite with {what}"));
        let scope = Scope::parse(&scope).ok_or_else(|| unknown(&scope))?;
        Ok(Self {
            id: row.text("id")?,
            subject: Subject {
                scope,
                id: row.text("subject_id")?,
                owner: row.text_opt("owner")?,
                here: row.int("here")? == 1,
            },
            account_id: row.text_opt("account_id")?,
            channel: Channel::parse(&channel).ok_or_else(|| unknown(&channel))?,
            address: row.text("address")?,
            locale: row.text("locale")?,
            standing: Standing {
                now_ms: row.int("now_ms")?,
                expires_at_ms: row.int("expires_at_ms")?,
                claimed_by: row.text_opt("claimed_by")?,
                revoked: row.int_opt("revoked_at_ms")?.is_some(),
            },
            delivery: Delivery::of(row.text_opt("delivery")?.as_deref()),
            created_at_ms: row.int("created_at_ms")?,
            opened_at_ms: row.int_opt("opened_at_ms")?,
            claimed_at_ms: row.int_opt("claimed_at_ms")?,
        })
    }

    pub fn shown(&self) -> Invite {
        Invite::new(&View {
            id: &self.id,
            scope: self.subject.scope,
            subject_id: &self.subject.id,
            channel: self.channel,
            address: &self.address,
            locale: &self.locale,
            state: self.standing.state(),
            delivery: self.delivery,
            created_at_ms: self.created_at_ms,
            expires_at_ms: self.standing.expires_at_ms,
            opened_at_ms: self.opened_at_ms,
            claimed_at_ms: self.claimed_at_ms,
        })
    }
}
