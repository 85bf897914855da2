//! Limits that hold across instances and regions, because the database counts.

use aisle_domain::known_by;

use crate::{Batch, BatchError, Db, Dialect, StoreError, sha256_hex, values};

/// What one `asker`'s requests for a person are counted by within a brand: a digest for the
/// number and one for the address, as far as they are known. Anybody can name anybody's number,
/// so what others ask for in the same name must not count for whom it belongs to.
pub fn contact_keys(
    brand_id: &str,
    asker: &str,
    number: Option<&str>,
    address: Option<&str>,
) -> Vec<String> {
    known_by::keys(number, address, |text| {
        sha256_hex(format!("{brand_id}/{asker}/{text}").as_bytes())
    })
}

/// Whether `name` (such as `pass-code/BRAND/DEVICE`) may be used once more: at most `most`
/// times in a window of `window_ms` that begins with its first use. Counts the use, also
/// one that is refused. One call.
pub async fn allows(db: &Db, name: &str, most: i64, window_ms: i64) -> Result<bool, StoreError> {
    let mut batch = Batch::new();
    count(&mut batch, name, window_ms);
    let results = batch.commit(db).await?;
    let used = results
        .first()
        .and_then(|result| result.rows.first())
        .map_or(Ok(0), |row| row.int("used"))?;
    Ok(used <= most)
}

/// Counts a use of `name` within a batch, however many there were: the row has `used`.
pub fn count(batch: &mut Batch, name: &str, window_ms: i64) {
    batch.expect_rows(
        1,
        "INSERT INTO rate_limit (name, window_ends_ms, used) VALUES (?1, {now} + ?2, 1) \
         ON CONFLICT (name) DO UPDATE SET \
         used = CASE WHEN rate_limit.window_ends_ms <= {now} THEN 1 ELSE rate_limit.used + 1 END, \
         window_ends_ms = CASE WHEN rate_limit.window_ends_ms <= {now} THEN {now} + ?2 ELSE rate_limit.window_ends_ms END \
         RETURNING used",
        values![name, window_ms],
    );
}

/// Keeps `name` for so long from now on, so that a read can tell whether it was seen lately.
pub fn remember(batch: &mut Batch, name: &str, for_ms: i64) {
    batch.add(
        "INSERT INTO rate_limit (name, window_ends_ms, used) VALUES (?1, {now} + ?2, 1) \
         ON CONFLICT (name) DO UPDATE SET window_ends_ms = excluded.window_ends_ms",
        values![name, for_ms],
    );
}

/// Lets batches that name the same `name` (such as `hold/BRAND/CONTACT`) go one after the
/// other, so that what the later one counts includes what the earlier one wrote.
pub fn one_at_a_time(batch: &mut Batch, name: &str) {
    remember(batch, name, 0);
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

/// One of so many that are out under a name, until it is given back or its time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The row that it has.
    place: String,
    ends_ms: i64,
}

/// Takes a lease under each name of `wanted` (such as `stream/order/ID`), of which there are so
/// many; `None`, and no lease, where one of them has none left. One call. Who asks for several
/// names at a time names them in the same order as everybody else.
pub async fn lease(
    db: &Db,
    wanted: &[(String, u32)],
    lifetime_ms: i64,
) -> Result<Option<Vec<Lease>>, StoreError> {
    let mut batch = Batch::new();
    batch.may_be_lost();
    let mut taken = Vec::with_capacity(wanted.len());
    for (name, most) in wanted {
        // Two who look at one moment would find the same place.
        one_at_a_time(&mut batch, name);
        let places: Vec<String> = (0..*most).map(|place| format!("{name}/{place}")).collect();
        let places = serde_json::Value::from(places).to_string();
        taken.push(batch.len());
        batch.expect_rows(1, lease_sql(db.dialect()), values![places, lifetime_ms]);
    }
    let results = match batch.commit(db).await {
        Err(BatchError::Unmet { .. }) => return Ok(None),
        results => results?,
    };
    let rows = taken.iter().filter_map(|index| results.get(*index));
    let leases = rows.flat_map(|result| &result.rows).map(|row| {
        Ok(Lease {
            place: row.text("name")?,
            ends_ms: row.int("window_ends_ms")?,
        })
    });
    leases.collect::<Result<_, StoreError>>().map(Some)
}

/// The first of the places in the JSON array `?1` that nobody has, for `?2` milliseconds.
fn lease_sql(dialect: Dialect) -> String {
    let places = dialect.listed("?1", "name");
    format!(
        "INSERT INTO rate_limit (name, window_ends_ms, used) \
         SELECT p.name, {{now}} + ?2, 1 FROM ({places}) p LEFT JOIN rate_limit l ON l.name = p.name \
         WHERE l.name IS NULL OR l.window_ends_ms <= {{now}} LIMIT 1 \
         ON CONFLICT (name) DO UPDATE SET window_ends_ms = excluded.window_ends_ms \
         RETURNING name, window_ends_ms"
    )
}

/// Gives back what is still out.
pub async fn give_leases_back(db: &Db, leases: &[Lease]) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.may_be_lost();
    for Lease { place, ends_ms } in leases {
        // Once its time is over somebody else may have the place.
        batch.add(
            "DELETE FROM rate_limit WHERE name = ?1 AND window_ends_ms = ?2",
            values![place, *ends_ms],
        );
    }
    batch.commit(db).await?;
    Ok(())
}
