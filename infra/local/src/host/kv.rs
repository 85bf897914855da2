//! `spin:key-value@3.0.0`, on an embedded file or on Redis.

mod embedded;
mod redis_store;

pub use embedded::EmbeddedStore;
pub use redis_store::RedisStore;

use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::{Guest, GuestData, Streamed};
use crate::bindings::key_value::{Error, Host, HostStore, HostStoreWithStore};

/// A store of the app.
#[derive(Clone)]
pub enum KeyValueStore {
    /// A file in the state folder.
    Embedded(EmbeddedStore),
    /// A Redis server.
    Redis(RedisStore),
}

/// A store that a guest has opened.
pub struct OpenStore(KeyValueStore);

impl KeyValueStore {
    async fn get(&self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        match self {
            Self::Embedded(store) => store.get(key),
            Self::Redis(store) => store.get(key).await,
        }
    }

    /// Sets a key.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn set(&self, key: String, value: Vec<u8>) -> anyhow::Result<()> {
        match self {
            Self::Embedded(store) => store.set(key, value).await,
            Self::Redis(store) => store.set(&key, &value).await,
        }
    }

    async fn delete(&self, key: String) -> anyhow::Result<()> {
        match self {
            Self::Embedded(store) => store.delete(key).await,
            Self::Redis(store) => store.delete(&key).await,
        }
    }

    async fn exists(&self, key: &str) -> anyhow::Result<bool> {
        match self {
            Self::Embedded(store) => Ok(store.get(key)?.is_some()),
            Self::Redis(store) => store.exists(key).await,
        }
    }

    fn keys(&self) -> Streamed<String, Error> {
        let (producer, streamed) = super::streamed();
        match self.clone() {
            Self::Embedded(store) => store.send_keys(producer),
            Self::Redis(store) => store.send_keys(producer),
        }
        streamed
    }

    /// Every key, in order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn all_keys(&self) -> anyhow::Result<Vec<String>> {
        let Streamed { mut items, result } = self.keys();
        let mut keys = Vec::new();
        while let Some(key) = items.recv().await {
            keys.push(key);
        }
        let ended = result.await?;
        ended.map_err(|error| anyhow::anyhow!("the keys of the store: {error:?}"))?;
        keys.sort_unstable();
        Ok(keys)
    }

    /// Deletes every key: what losing the store is like.
    ///
    /// # Errors
    /// The store cannot be reached or written.
    pub async fn clear(&self) -> anyhow::Result<()> {
        match self {
            Self::Embedded(store) => store.clear().await,
            Self::Redis(store) => store.clear().await,
        }
    }
}

/// The store behind a guest's handle, with the operation counted.
fn store<T: Send + 'static>(
    accessor: &Accessor<T, GuestData>,
    handle: &Resource<OpenStore>,
) -> wasmtime::Result<KeyValueStore> {
    accessor.with(|mut access| {
        let guest = access.get();
        guest.count_key_value();
        Ok(guest.table.get(handle)?.0.clone())
    })
}

fn other(error: anyhow::Error) -> Error {
    Error::Other(format!("{error:#}"))
}

impl Host for Guest {}

impl HostStore for Guest {
    async fn drop(&mut self, handle: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostStoreWithStore<T> for GuestData {
    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, Error>> {
        let found =
            accessor.with(|mut access| access.get().component.key_value.get(&label).cloned());
        let Some(store) = found else {
            return Ok(Err(Error::AccessDenied));
        };
        if let KeyValueStore::Redis(redis) = &store {
            redis.ping().await;
        }
        accessor.with(|mut access| Ok(Ok(access.get().table.push(OpenStore(store))?)))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        handle: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let store = store(accessor, &handle)?;
        Ok(store.get(&key).await.map_err(other))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        handle: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let store = store(accessor, &handle)?;
        Ok(store.set(key, value).await.map_err(other))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        handle: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let store = store(accessor, &handle)?;
        Ok(store.delete(key).await.map_err(other))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        handle: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        let store = store(accessor, &handle)?;
        Ok(store.exists(&key).await.map_err(other))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        handle: Resource<OpenStore>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let store = store(accessor, &handle)?;
        store.keys().into_readers(accessor)
    }
}
