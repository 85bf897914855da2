//! A second process's worth of an environment.

use aisle_edge::{Edge, EdgeOptions};
use anyhow::Result;
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::{Client, Environment};

/// Another edge on an environment's database. On servers it shares the key-value store as
/// well; an embedded one is a process's own.
pub struct Neighbour {
    edge: Option<Edge>,
    address: std::net::SocketAddr,
    _state: TempDir,
}

impl Environment {
    pub async fn neighbour(&self) -> Result<Neighbour> {
        let state = tempfile::tempdir()?;
        // SQLite keeps its journal beside the file that the link leads to.
        let database = "sqlite.db";
        if self.options.postgres.is_none() {
            std::os::unix::fs::symlink(
                self.state.path().join(database),
                state.path().join(database),
            )?;
        }
        let edge = Edge::start(EdgeOptions {
            state_dir: state.path().into(),
            ..self.options.clone()
        })
        .await?;
        Ok(Neighbour {
            address: edge.addr(),
            edge: Some(edge),
            _state: state,
        })
    }
}

impl Neighbour {
    /// A client of the brand that answers under `host`.
    pub fn client(&self, host: &str) -> Client {
        Client::new(self.address, host)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        if let (Some(edge), Ok(runtime)) = (self.edge.take(), Handle::try_current()) {
            runtime.spawn(edge.shutdown());
        }
    }
}
