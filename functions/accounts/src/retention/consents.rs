//! What addresses agreed to and refused that nothing leads to any more. A little of them is
//! looked at each time, in the order of the addresses, and then again from the first.

use aisle_domain::brand::Brand;
use aisle_domain::contact::Channel;
use aisle_http::{Call, Error};
use aisle_store::{Batch, values};
use aisle_ucp::account::RetentionRun;

use super::DAY_MS;
use crate::forget::forget_words;

/// Addresses of each walk that one run looks at, at most.
const RUN_ADDRESSES: usize = 100;

/// Where words are written down, and since when they hold.
const TABLES: [(&str, &str); 2] = [("consent", "at_ms"), ("opt_out", "since_ms")];
const CHANNELS: [Channel; 2] = [Channel::Sms, Channel::Email];

/// As a walk's progress is written down.
fn kind(table: &str, channel: Channel) -> String {
    format!("{table}/{}", channel.name())
}

/// The addresses that come next, and of each whether it has said nothing for the time `?2`
/// and is known by no account and no order; the brand is `?1`. `last` is the database's: it may
/// not sort as we do.
fn next(table: &str, age: &str, channel: Channel) -> String {
    let (kind, name, identity) = (kind(table, channel), channel.name(), channel.identity());
    format!(
        "SELECT '{kind}' AS kind, p.address, max(p.address) OVER () AS last, \
           CASE WHEN p.address NOT LIKE 'sha256:%' \
             AND NOT EXISTS (SELECT 1 FROM {table} n WHERE n.brand_id = ?1 AND n.channel = '{name}' \
               AND n.address = p.address AND n.{age} > {{now}} - ?2) \
             AND NOT EXISTS (SELECT 1 FROM account_identity i WHERE i.brand_id = ?1 AND i.kind = '{identity}' \
               AND i.address = p.address) \
             AND NOT EXISTS (SELECT 1 FROM order_contact k WHERE k.brand_id = ?1 AND k.channel = '{name}' \
               AND k.address = p.address) \
           THEN 1 ELSE 0 END AS is_over \
         FROM (SELECT DISTINCT w.address FROM {table} w WHERE w.brand_id = ?1 AND w.channel = '{name}' \
           AND w.address > coalesce((SELECT r.up_to FROM retention_walk r WHERE r.brand_id = ?1 \
             AND r.kind = '{kind}'), '') ORDER BY w.address LIMIT {RUN_ADDRESSES}) p"
    )
}

pub async fn run(call: &Call, brand: &Brand, run: &mut RetentionRun) -> Result<(), Error> {
    let age_ms = brand.policies.retention.consent_days * DAY_MS;
    let walks = TABLES.map(|table| CHANNELS.map(|channel| (table, channel)));
    let walks = walks.as_flattened();
    let selects: Vec<String> = walks
        .iter()
        .map(|((table, age), channel)| next(table, age, *channel))
        .collect();
    let sql = selects.join(" UNION ALL ");
    let rows = call.db().query(sql, values![&brand.id, age_ms]).await?;
    let mut batch = Batch::new();
    let mut forgotten = 0;
    for ((table, _), channel) in walks {
        let kind = kind(table, *channel);
        let mut seen = Vec::new();
        for row in &rows {
            if row.text("kind")? == kind {
                seen.push(row);
            }
        }
        for row in &seen {
            if row.int("is_over")? == 1 {
                let address = row.text("address")?;
                forget_words(&mut batch, &brand.id, *channel, &address, age_ms);
                forgotten += 1;
            }
        }
        let last = seen.last().filter(|_| seen.len() == RUN_ADDRESSES);
        match last {
            Some(row) => {
                batch.add(
                    "INSERT INTO retention_walk (brand_id, kind, up_to) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (brand_id, kind) DO UPDATE SET up_to = excluded.up_to",
                    values![&brand.id, &kind, row.text("last")?],
                );
            }
            None => {
                batch.add(
                    "DELETE FROM retention_walk WHERE brand_id = ?1 AND kind = ?2",
                    values![&brand.id, &kind],
                );
            }
        }
    }
    batch.commit(call.db()).await?;
    run.settled += forgotten;
    Ok(())
}
