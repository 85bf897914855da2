//! More edges on the stores of an environment.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use aisle_edge::{Edge, EdgeOptions, Stats};
use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::line::Line;
use crate::servers::{Servers, redis_url, servers};
use crate::{Client, EdgeProcess, Environment};

/// Another edge on an environment's database. On servers it shares the key-value store as
/// well; an embedded one is a process's own.
pub struct Neighbour {
    runs: Runs,
    address: SocketAddr,
    _state: TempDir,
    /// What it reaches the database over, where that is far away.
    _line: Option<Line>,
}

enum Runs {
    /// In this process; taken when it ends.
    Here(Option<Edge>),
    Elsewhere(EdgeProcess),
}

impl Environment {
    /// One more in this process.
    pub async fn neighbour(&self) -> Result<Neighbour> {
        self.neighbour_with(&[]).await
    }

    /// One with other values of some of the app's variables.
    pub async fn neighbour_with(&self, variables: &[(&str, &str)]) -> Result<Neighbour> {
        let (state, mut options) = self.beside()?;
        let variables = variables.iter();
        options
            .variables
            .extend(variables.map(|(name, value)| ((*name).into(), (*value).into())));
        let edge = Edge::start(options).await?;
        Ok(Neighbour {
            address: edge.addr(),
            runs: Runs::Here(Some(edge)),
            _state: state,
            _line: None,
        })
    }

    /// One as a process of its own, with a ticker, run by a program that calls
    /// [`crate::process::serve`].
    pub async fn neighbour_process(&self, program: &Path) -> Result<Neighbour> {
        let (state, options) = self.beside()?;
        let process = EdgeProcess::start(program, &options).await?;
        Ok(Neighbour {
            address: process.address,
            runs: Runs::Elsewhere(process),
            _state: state,
            _line: None,
        })
    }

    /// One as a process of its own in another region: so much is added to every round trip to
    /// the database, and the key-value store is its own.
    ///
    /// # Errors
    /// The environment does not stand on servers.
    pub async fn another_region(&self, program: &Path, round_trip: Duration) -> Result<Neighbour> {
        let servers = servers().map_err(anyhow::Error::msg)?;
        let line = Line::to(servers.postgres_port).await?;
        line.lengthen(round_trip);
        let (state, mut options) = self.beside()?;
        let near = options.postgres.context("a region needs servers")?;
        let port = |port: u16| format!(":{port}/");
        options.postgres = Some(near.replace(&port(servers.postgres_port), &port(line.port())));
        options.redis = Some(redis_url(servers.redis_port, Servers::fresh_number()));
        let process = EdgeProcess::start(program, &options).await?;
        Ok(Neighbour {
            address: process.address,
            runs: Runs::Elsewhere(process),
            _state: state,
            _line: Some(line),
        })
    }

    /// A folder for another edge, and its options.
    fn beside(&self) -> Result<(TempDir, EdgeOptions)> {
        let state = tempfile::tempdir()?;
        // SQLite keeps its journal beside the file that the link leads to.
        let database = "sqlite.db";
        if self.options.postgres.is_none() {
            std::os::unix::fs::symlink(
                self.state.path().join(database),
                state.path().join(database),
            )?;
        }
        let options = EdgeOptions {
            state_dir: state.path().into(),
            ..self.options.clone()
        };
        Ok((state, options))
    }
}

impl Neighbour {
    /// A client of the brand that answers under `host`.
    pub fn client(&self, host: &str) -> Client {
        Client::new(self.address, host)
    }

    /// What its components did.
    ///
    /// # Panics
    /// It is a process of its own.
    pub fn stats(&self) -> Stats {
        match &self.runs {
            Runs::Here(edge) => edge.as_ref().map(Edge::stats).unwrap_or_default(),
            Runs::Elsewhere(_) => panic!("only an edge in this process can be asked"),
        }
    }

    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Ends it as a machine ends that loses its power.
    ///
    /// # Panics
    /// It is in this process.
    pub fn kill(&self) -> Result<()> {
        match &self.runs {
            Runs::Elsewhere(process) => process.kill(),
            Runs::Here(_) => panic!("this would end the test as well"),
        }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        if let Runs::Here(edge) = &mut self.runs
            && let (Some(edge), Ok(runtime)) = (edge.take(), Handle::try_current())
        {
            runtime.spawn(edge.shutdown());
        }
    }
}
