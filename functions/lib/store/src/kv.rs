//! The key-value store: documents that can be rebuilt, near the edge.
//!
//! A value is one line of JSON, the document's head, and then its body. The store offers
//! neither expiry nor compare-and-set, so the head carries the version and the expiry,
//! both are checked here, and a version never gives way to an older one. A store that
//! fails or is missing is a miss: it costs speed, not an answer.

use std::cell::{Cell, OnceCell};
use std::fmt::Display;
use std::time::Duration;

use futures::{future::join_all, lock::Mutex};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use spin_sdk::key_value::Store;

use crate::deadline::within;
use crate::{StoreError, now_ms};

/// The longest a call may take: a store that is slower than the database is no help.
const CALL: Duration = Duration::from_millis(150);

thread_local! {
    /// A store that is gone must not cost each request of this instance its patience again.
    static PATIENCE: Cell<Patience> = const { Cell::new(Patience { since_ms: 0, pause_ms: 0 }) };
}

/// How long the store is left alone after it failed: longer each time it fails again.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Patience {
    /// When it failed last.
    since_ms: i64,
    /// For how long it is not asked from then on; 0 while all is well.
    pause_ms: i64,
}

impl Patience {
    const FIRST_PAUSE_MS: i64 = 500;
    const LONGEST_PAUSE_MS: i64 = 10_000;

    fn asks(self, now_ms: i64) -> bool {
        // A clock that was set back must not make a pause endless.
        !(0..self.pause_ms).contains(&(now_ms - self.since_ms))
    }

    /// After a failure. Calls that failed together count once.
    fn failed(self, now_ms: i64) -> Self {
        if !self.asks(now_ms) {
            return self;
        }
        let longer_ms = (self.pause_ms * 2).min(Self::LONGEST_PAUSE_MS);
        Self {
            since_ms: now_ms,
            pause_ms: longer_ms.max(Self::FIRST_PAUSE_MS),
        }
    }
}

/// A document of the read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doc {
    /// The outbox's highest sequence number when the rows were read: the state's own
    /// clock, because every change of state writes there.
    pub version: i64,
    /// When the rows were read, by the reader's clock: the age that a client is told.
    pub as_of_ms: i64,
    /// From when on the document is a miss.
    pub expires_at_ms: i64,
    /// JSON.
    pub body: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    version: i64,
    as_of_ms: i64,
    expires_at_ms: i64,
}

impl Doc {
    /// The body as the type that it is a document of.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| StoreError::Bug(format!("a document of the read model: {error}")))
    }

    fn encode(&self) -> Vec<u8> {
        let head = Head {
            version: self.version,
            as_of_ms: self.as_of_ms,
            expires_at_ms: self.expires_at_ms,
        };
        let mut value = serde_json::to_vec(&head).unwrap_or_default();
        value.push(b'\n');
        value.extend_from_slice(&self.body);
        value
    }

    /// `None` for anything that this crate did not write: then it is rebuilt.
    fn decode(mut value: Vec<u8>) -> Option<Self> {
        let line = value.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(value.get(..line)?).ok()?;
        value.drain(..=line);
        let Head {
            version,
            as_of_ms,
            expires_at_ms,
        } = head;
        Some(Self {
            version,
            as_of_ms,
            expires_at_ms,
            body: value,
        })
    }

    /// Of two readings of the same state counter the later one saw more, because a
    /// counter is taken before its transaction becomes visible.
    fn is_older_than(&self, other: &Self) -> bool {
        (self.version, self.as_of_ms) < (other.version, other.as_of_ms)
    }
}

/// The store with label `default`. It is opened when it is first needed: what an instance
/// remembers is answered without it.
#[derive(Default)]
pub struct Kv {
    store: OnceCell<Store>,
    /// Held while it is opened, so that a handful of readers do not open it each.
    opening: Mutex<()>,
}

impl Kv {
    /// The document under `key`, unless it has expired.
    pub async fn get_doc(&self, key: &str) -> Option<Doc> {
        let found = answered(self.store().await.ok()?.get(key)).await;
        let doc = found.ok().flatten().and_then(Doc::decode)?;
        (now_ms() < doc.expires_at_ms).then_some(doc)
    }

    /// The documents under `keys`, asked for at once; in their order.
    pub async fn get_many(&self, keys: &[String]) -> Vec<Option<Doc>> {
        join_all(keys.iter().map(|key| self.get_doc(key))).await
    }

    /// Stores the document unless a newer one is there that has not expired: once the database
    /// was restored, what it says is right, whatever it has said before. Between that look and
    /// the write another writer may come; what is then too old goes when it expires.
    pub async fn put_doc(&self, key: &str, doc: &Doc) -> Result<(), StoreError> {
        let present = self.get_doc(key).await;
        if present.is_some_and(|present| doc.is_older_than(&present)) {
            return Ok(());
        }
        answered(self.store().await?.set(key, doc.encode())).await
    }

    /// Stores documents at once; an error when one of them could not be.
    pub async fn put_many(&self, docs: &[(String, Doc)]) -> Result<(), StoreError> {
        join_all(docs.iter().map(|(key, doc)| self.put_doc(key, doc)))
            .await
            .into_iter()
            .collect()
    }

    /// Deletes documents at once; those that are not there are no error.
    pub async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        let store = self.store().await?;
        let deleted = join_all(keys.iter().map(|key| answered(store.delete(key)))).await;
        deleted.into_iter().collect()
    }

    /// Asks the store for something, for a health check: also while it is left alone, and it
    /// no longer is once it answers.
    pub async fn check(&self) -> Result<(), StoreError> {
        PATIENCE.set(Patience {
            since_ms: 0,
            ..PATIENCE.get()
        });
        let store = self.store().await?;
        answered(store.get("health")).await.map(|_| ())
    }

    async fn store(&self) -> Result<&Store, StoreError> {
        let _opening = self.opening.lock().await;
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let opened = answered(Store::open_default()).await?;
        Ok(self.store.get_or_init(|| opened))
    }
}

/// What the store answers within its deadline. A failure is logged, and for a while every
/// call of this instance fails at once.
async fn answered<T, E: Display>(
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    let unavailable = |why: &str| StoreError::Unavailable(format!("the key-value store: {why}"));
    if !PATIENCE.get().asks(now_ms()) {
        return Err(unavailable("it failed a moment ago"));
    }
    let failed = match within(CALL, call).await {
        Some(Ok(answer)) => {
            PATIENCE.set(Patience::default());
            return Ok(answer);
        }
        Some(Err(error)) => unavailable(&error.to_string()),
        None => unavailable("no answer in time"),
    };
    eprintln!("{failed}");
    PATIENCE.set(PATIENCE.get().failed(now_ms()));
    Err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(version: i64, as_of_ms: i64) -> Doc {
        Doc {
            version,
            as_of_ms,
            expires_at_ms: as_of_ms + 30_000,
            body: b"{\"a\":\n1}".to_vec(),
        }
    }

    #[test]
    fn a_document_survives_the_store() {
        assert_eq!(Doc::decode(doc(7, 1_000).encode()), Some(doc(7, 1_000)));
    }

    #[test]
    fn what_we_did_not_write_is_a_miss() {
        for foreign in ["", "{}", "{}\n{}", "{\"version\":1}\n", "\u{0}\n"] {
            assert_eq!(Doc::decode(foreign.into()), None, "{foreign:?}");
        }
    }

    #[test]
    fn a_store_that_fails_is_left_alone_longer_each_time() {
        let mut patience = Patience::default();
        let mut now_ms = 1_000_000;
        assert!(patience.asks(now_ms));
        for pause_ms in [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000] {
            patience = patience.failed(now_ms).failed(now_ms + 1);
            assert!(!patience.asks(now_ms + pause_ms - 1));
            now_ms += pause_ms;
            assert!(patience.asks(now_ms));
        }
        assert!(patience.asks(now_ms - 20_000));
    }

    #[test]
    fn versions_decide_and_then_the_reading() {
        assert!(doc(1, 900).is_older_than(&doc(2, 100)));
        assert!(doc(2, 100).is_older_than(&doc(2, 101)));
        assert!(!doc(2, 100).is_older_than(&doc(2, 100)));
        assert!(!doc(3, 1).is_older_than(&doc(2, 100)));
    }
}
