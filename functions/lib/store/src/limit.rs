//! Limits that hold across instances and regions, because the database counts.

use aisle_domain::known_by;

use crate::{Batch, Db, StoreError, sha256_hex, values};

/// What a person is counted by within a brand: a digest for the number and one for the
/// address, as far as they are known.
pub fn contact_keys(brand_id: &str, number: Option<&str>, address: Option<&str>) -> Vec<String> {
    known_by::keys(number, address, |text| {
        sha256_hex(format!("{brand_id}/{text}").as_bytes())
    })
}

/// Whether `name` (such as `pass-code/BRAND/DEVICE`) may be used once more: at most `most`
/// times in a window of `window_ms` that begins with its first use. Counts the use, also
/// one that is refused. One call.
pub async fn allows(db: &Db, name: &str, most: i64, window_ms: i64) -> Result<bool, StoreError> {
    let mut batch = Batch::new();
    batch.expect_rows(
        1,
        "INSERT INTO rate_limit (name, window_ends_ms, used) VALUES (?1, {now} + ?2, 1) \
         ON CONFLICT (name) DO UPDATE SET \
         used = CASE WHEN rate_limit.window_ends_ms <= {now} THEN 1 ELSE rate_limit.used + 1 END, \
         window_ends_ms = CASE WHEN rate_limit.window_ends_ms <= {now} THEN {now} + ?2 ELSE rate_limit.window_ends_ms END \
         RETURNING used",
        values![name, window_ms],
    );
    let results = batch.commit(db).await?;
    let used = results
        .first()
        .and_then(|result| result.rows.first())
        .map_or(Ok(0), |row| row.int("used"))?;
    Ok(used <= most)
}

/// Lets batches that name the same `name` (such as `hold/BRAND/CONTACT`) go one after the
/// other, so that what the later one counts includes what the earlier one wrote.
pub fn one_at_a_time(batch: &mut Batch, name: &str) {
    batch.add(
        "INSERT INTO rate_limit (name, window_ends_ms, used) VALUES (?1, {now}, 1) \
         ON CONFLICT (name) DO UPDATE SET window_ends_ms = excluded.window_ends_ms",
        values![name],
    );
}

/// The same within a batch, which is unmet at this statement when `name` is used up; a use
/// that is refused, or undone with its batch, does not count.
pub fn spend(batch: &mut Batch, name: &str, most: i64, window_ms: i64) {
    batch.expect(
        1,
        "INSERT INTO rate_limit (name, window_ends_ms, used) SELECT ?1, {now} + ?3, 1 WHERE ?2 > 0 \
         ON CONFLICT (name) DO UPDATE SET \
         used = CASE WHEN rate_limit.window_ends_ms <= {now} THEN 1 ELSE rate_limit.used + 1 END, \
         window_ends_ms = CASE WHEN rate_limit.window_ends_ms <= {now} THEN {now} + ?3 ELSE rate_limit.window_ends_ms END \
         WHERE rate_limit.used < ?2 OR rate_limit.window_ends_ms <= {now}",
        values![name, most, window_ms],
    );
}

/// Takes back a use that [`spend`] counted, of the window that is open.
pub fn give_back(batch: &mut Batch, name: &str) {
    batch.add(
        "UPDATE rate_limit SET used = used - 1 WHERE name = ?1 AND used > 0 AND window_ends_ms > {now}",
        values![name],
    );
}
