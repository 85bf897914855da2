//! The store on Redis: plain string keys over one multiplexed connection, as Spin has it.

use anyhow::Context;
use redis::AsyncCommands;
use redis::aio::ConnectionManager;

use crate::bindings::key_value::Error;
use crate::host::Producer;

/// A key-value store on a Redis server.
#[derive(Clone)]
pub struct RedisStore(ConnectionManager);

impl RedisStore {
    /// Connects to `url` (`redis://host:port/database`).
    ///
    /// # Errors
    /// The URL is none, or no server answers there.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let client = redis::Client::open(url).context("the Redis URL is not valid")?;
        let connection = client.get_connection_manager().await.with_context(|| {
            format!(
                "no Redis server answers at {}",
                client.get_connection_info().addr()
            )
        })?;
        Ok(Self(connection))
    }

    /// Spin sends a PING with every `open`; its round trip belongs to the cost.
    pub(super) async fn ping(&self) {
        // A broken connection is repaired in the background, and shows in the next call.
        let _ = self.0.clone().ping::<()>().await;
    }

    pub(super) async fn get(&self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.0.clone().get(key).await?)
    }

    pub(super) async fn set(&self, key: &str, value: &[u8]) -> anyhow::Result<()> {
        Ok(self.0.clone().set(key, value).await?)
    }

    pub(super) async fn delete(&self, key: &str) -> anyhow::Result<()> {
        Ok(self.0.clone().del(key).await?)
    }

    pub(super) async fn exists(&self, key: &str) -> anyhow::Result<bool> {
        Ok(self.0.clone().exists(key).await?)
    }

    pub(super) async fn clear(&self) -> anyhow::Result<()> {
        Ok(redis::cmd("FLUSHDB")
            .exec_async(&mut self.0.clone())
            .await?)
    }

    pub(super) fn send_keys(self, producer: Producer<String, Error>) {
        tokio::spawn(async move {
            let result = self.each_key(&producer).await;
            producer.finish(result.map_err(super::other));
        });
    }

    async fn each_key(mut self, producer: &Producer<String, Error>) -> anyhow::Result<()> {
        let mut keys = self.0.scan::<String>().await?;
        while let Some(key) = keys.next_item().await {
            producer
                .items
                .send(key?)
                .await
                .context("the guest stopped reading")?;
        }
        Ok(())
    }
}
