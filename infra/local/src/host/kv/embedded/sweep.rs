//! Values that have expired go, and with them the space that they took.
//!
//! The store knows no expiry. A value that begins with a line of JSON says in it when it
//! expires (`expires_at_ms`, as the app's read model writes it); any other stays.

use std::ops::Bound;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redb::{Database, ReadableDatabase};
use serde::Deserialize;

use super::{Change, TABLE, commit};

/// Values looked at a time.
const VALUES_PER_LOOK: usize = 1_024;
/// How long an expired value stays: whoever reads it knows that it has expired, and nobody
/// is to find it gone who has just seen it.
const KEPT_FOR: Duration = Duration::from_secs(3_600);
/// How often a file is compacted when it is opened, at most.
const MOST_COMPACTIONS: usize = 8;
/// A smaller file is left as it is.
const SMALL_BYTES: u64 = 16 << 20;

/// A walk through the keys, a few at a time, that begins anew at its end.
#[derive(Default)]
pub struct Sweep {
    after: String,
}

#[derive(Deserialize)]
struct Head {
    expires_at_ms: i64,
}

impl Sweep {
    /// Looks at the next values. Answers whether that was the end.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn next(&mut self, database: &Database) -> anyhow::Result<bool> {
        let until_ms = expired_until_ms()?;
        let mut seen = 0;
        let mut expired = Vec::new();
        {
            let table = database.begin_read()?.open_table(TABLE)?;
            let from = (Bound::Excluded(self.after.as_str()), Bound::Unbounded);
            let mut last = String::new();
            for entry in table.range::<&str>(from)?.take(VALUES_PER_LOOK) {
                let (key, value) = entry?;
                key.value().clone_into(&mut last);
                if expires_at_ms(value.value()).is_some_and(|at_ms| at_ms < until_ms) {
                    expired.push(Change::Delete(last.clone()));
                }
                seen += 1;
            }
            self.after = last;
        }
        if !expired.is_empty() {
            commit(database, expired)?;
        }
        let ended = seen < VALUES_PER_LOOK;
        if ended {
            self.after.clear();
        }
        Ok(ended)
    }
}

/// Gives a file that has grown its space back, before it is used.
///
/// # Errors
/// The file cannot be read or written.
pub fn shrink(database: &mut Database, path: &Path) -> anyhow::Result<()> {
    if std::fs::metadata(path)?.len() < SMALL_BYTES {
        return Ok(());
    }
    let mut sweep = Sweep::default();
    while !sweep.next(database)? {}
    let transaction = database.begin_write()?;
    let stats = transaction.stats()?;
    transaction.abort()?;
    let used_bytes = stats.stored_bytes() + stats.metadata_bytes();
    if std::fs::metadata(path)?.len() > SMALL_BYTES + 2 * used_bytes {
        // Each time it moves what it can: the next one finds room that this one has made.
        for _ in 0..MOST_COMPACTIONS {
            if !database.compact()? {
                break;
            }
        }
    }
    Ok(())
}

fn expired_until_ms() -> anyhow::Result<i64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(i64::try_from(now.saturating_sub(KEPT_FOR).as_millis())?)
}

fn expires_at_ms(value: &[u8]) -> Option<i64> {
    let line = value.split(|byte| *byte == b'\n').next()?;
    let head: Head = serde_json::from_slice(line).ok()?;
    Some(head.expires_at_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kv::EmbeddedStore;

    fn document(expires_at_ms: i64, bytes: usize) -> Vec<u8> {
        let mut value = format!("{{\"version\":1,\"expires_at_ms\":{expires_at_ms}}}\n");
        value.extend(std::iter::repeat_n('x', bytes));
        value.into_bytes()
    }

    #[tokio::test]
    async fn only_what_expired_long_ago_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(&folder.path().join("kv.redb")).unwrap();
        let now_ms = expired_until_ms().unwrap() + 3_600_000;
        for (key, value) in [
            ("old", document(1_000, 10)),
            ("fresh", document(now_ms + 60_000, 10)),
            ("just expired", document(now_ms - 60_000, 10)),
            ("of another kind", b"done".to_vec()),
        ] {
            store.set(key.to_owned(), value).await.unwrap();
        }
        assert!(Sweep::default().next(&store.0.database).unwrap());
        assert!(store.get("old").unwrap().is_none());
        for kept in ["fresh", "just expired", "of another kind"] {
            assert!(store.get(kept).unwrap().is_some(), "{kept}");
        }
    }

    #[tokio::test]
    async fn a_document_that_is_rewritten_takes_no_more_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kv.redb");
        let store = EmbeddedStore::open(&path).unwrap();
        for round in 0..300 {
            let writes =
                (0..40).map(|key| store.set(format!("document {key}"), document(round, 4_000)));
            for written in futures::future::join_all(writes).await {
                written.unwrap();
            }
        }
        let bytes = std::fs::metadata(&path).unwrap().len();
        assert!(bytes < SMALL_BYTES / 2, "{bytes}");
    }

    #[tokio::test]
    async fn a_file_that_has_grown_shrinks_when_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kv.redb");
        let store = EmbeddedStore::open(&path).unwrap();
        let writes = (0..5_000).map(|key| store.set(format!("{key:05}"), document(1_000, 8_000)));
        for written in futures::future::join_all(writes).await {
            written.unwrap();
        }
        drop(store);
        let grown = std::fs::metadata(&path).unwrap().len();
        assert!(grown > SMALL_BYTES, "{grown}");
        let store = EmbeddedStore::open(&path).unwrap();
        let shrunk = std::fs::metadata(&path).unwrap().len();
        assert!(shrunk < grown / 4, "{grown} to {shrunk}");
        assert!(store.get("00000").unwrap().is_none());
    }
}
