//! The embedded store: one `redb` file. Reads run in process on a snapshot and hold
//! no lock; writes go through one thread that commits whatever is waiting at once, and now
//! and then looks through a few values for those that have expired.

mod sweep;

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::sync::oneshot;

use crate::bindings::key_value::Error;
use crate::host::Producer;

const TABLE: TableDefinition<&str, &[u8]> = TableDefinition::new("key_value");
/// Pages of the file kept in memory; by itself the library would take a gigabyte. What it
/// does not keep the system's own cache has.
const CACHE_BYTES: usize = 16 << 20;
/// Between two looks for expired values.
const SWEEP_PAUSE: Duration = Duration::from_secs(5);
/// Writes in one commit, so that a flood of them cannot hold the first one up for long.
const MAX_WRITES_PER_COMMIT: usize = 256;

/// A key-value store in one file. Clones share it; the last one closes it.
#[derive(Clone)]
pub struct EmbeddedStore(Arc<Inner>);

struct Inner {
    database: Arc<Database>,
    writes: Option<mpsc::Sender<Write>>,
    writer: Option<JoinHandle<()>>,
}

struct Write {
    change: Change,
    done: oneshot::Sender<Result<(), String>>,
}

enum Change {
    Set(String, Vec<u8>),
    Delete(String),
    Clear,
}

impl EmbeddedStore {
    /// Opens or creates the file at `path`.
    ///
    /// # Errors
    /// The file cannot be created, is no such store, or is open in another process.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut database = Database::builder();
        database.set_cache_size(CACHE_BYTES);
        let mut database = database.create(path).with_context(|| {
            format!(
                "cannot open the key-value store {} (is another edge running on it?)",
                path.display()
            )
        })?;
        let setup = database.begin_write()?;
        setup.open_table(TABLE)?;
        setup.commit()?;
        sweep::shrink(&mut database, path)?;
        let database = Arc::new(database);
        let (writes, queue) = mpsc::channel();
        let writer = std::thread::Builder::new()
            .name("key-value writer".into())
            .spawn({
                let database = database.clone();
                move || write_all(&database, &queue)
            })?;
        Ok(Self(Arc::new(Inner {
            database,
            writes: Some(writes),
            writer: Some(writer),
        })))
    }

    pub(super) fn get(&self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let table = self.0.database.begin_read()?.open_table(TABLE)?;
        Ok(table.get(key)?.map(|value| value.value().to_vec()))
    }

    pub(super) async fn set(&self, key: String, value: Vec<u8>) -> anyhow::Result<()> {
        self.write(Change::Set(key, value)).await
    }

    pub(super) async fn delete(&self, key: String) -> anyhow::Result<()> {
        self.write(Change::Delete(key)).await
    }

    pub(super) async fn clear(&self) -> anyhow::Result<()> {
        self.write(Change::Clear).await
    }

    async fn write(&self, change: Change) -> anyhow::Result<()> {
        let (done, committed) = oneshot::channel();
        let writes = self.0.writes.as_ref().context("the store is closed")?;
        writes
            .send(Write { change, done })
            .ok()
            .context("the store's writer has ended")?;
        let result = committed.await.context("the store's writer has ended")?;
        result.map_err(anyhow::Error::msg)
    }

    pub(super) fn send_keys(self, producer: Producer<String, Error>) {
        tokio::task::spawn_blocking(move || {
            let result = self.each_key(&producer);
            producer.finish(result.map_err(super::other));
        });
    }

    fn each_key(&self, producer: &Producer<String, Error>) -> anyhow::Result<()> {
        let table = self.0.database.begin_read()?.open_table(TABLE)?;
        for entry in table.iter()? {
            let (key, _) = entry?;
            producer
                .items
                .blocking_send(key.value().to_owned())
                .context("the guest stopped reading")?;
        }
        Ok(())
    }
}

fn write_all(database: &Database, queue: &mpsc::Receiver<Write>) {
    let mut sweep = sweep::Sweep::default();
    let mut swept = Instant::now();
    loop {
        match queue.recv_timeout(SWEEP_PAUSE.saturating_sub(swept.elapsed())) {
            Ok(first) => write(database, first, queue),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                if let Err(error) = sweep.next(database) {
                    eprintln!("warning: the key-value store cannot be swept: {error:#}");
                }
                swept = Instant::now();
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn write(database: &Database, first: Write, queue: &mpsc::Receiver<Write>) {
    let mut batch = vec![first];
    batch.extend(queue.try_iter().take(MAX_WRITES_PER_COMMIT - 1));
    let (changes, waiting): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|write| (write.change, write.done))
        .unzip();
    let result = commit(database, changes).map_err(|error| format!("{error:#}"));
    for done in waiting {
        // The guest may have been stopped meanwhile; its write stands.
        let _ = done.send(result.clone());
    }
}

fn commit(database: &Database, changes: Vec<Change>) -> anyhow::Result<()> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(TABLE)?;
        for change in changes {
            match change {
                Change::Set(key, value) => drop(table.insert(key.as_str(), value.as_slice())?),
                Change::Delete(key) => drop(table.remove(key.as_str())?),
                Change::Clear => table.retain(|_, _| false)?,
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The writer ends when its queue does; joined, so that the file is free again.
        drop(self.writes.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
