//! A real Spin in the local edge's place, where `AISLE_E2E_SPIN` names its program.

use std::ffi::OsStr;
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use aisle_edge::EdgeOptions;
use anyhow::{Context, Result};

use crate::servers::{Watchdog, read_until};

/// All arguments are the command.
const SPIN: &str = "\"$@\" 2>&1 &\nserver=$! stop=TERM";
/// Spin prints it, and the address, once it takes connections.
const SERVING: &str = "Serving http://";
/// Spin prints it when an instance traps.
const TRAPPED: &str = "worker failed";

/// The program to run the app on, if not on the local edge.
pub fn program() -> Option<PathBuf> {
    std::env::var_os("AISLE_E2E_SPIN").map(PathBuf::from)
}

/// A running `spin up`; it ends when this is dropped.
pub(crate) struct Spin {
    pub address: SocketAddr,
    traps: Arc<AtomicU64>,
    _watchdog: Watchdog,
}

impl Spin {
    /// Runs the same app on the same stores as an edge with these options would.
    pub(crate) fn start(program: PathBuf, options: &EdgeOptions) -> Result<Self> {
        let config = options.state_dir.join("runtime-config.toml");
        std::fs::write(&config, stores(options))?;
        let mut command = vec!["env".into()];
        let database = options.postgres.iter().map(|url| ("database_url", url));
        let given = options.variables.iter();
        for (name, value) in given
            .map(|(name, value)| (name.as_str(), value))
            .chain(database)
        {
            command.push(format!("SPIN_VARIABLE_{}={value}", name.to_uppercase()).into());
        }
        command.extend([program.into_os_string(), "up".into()]);
        for (flag, value) in [
            ("--from", options.manifest.as_os_str()),
            ("--state-dir", options.state_dir.as_os_str()),
            ("--runtime-config-file", config.as_os_str()),
            ("--listen", OsStr::new("127.0.0.1:0")),
        ] {
            command.extend([flag.into(), value.to_owned()]);
        }
        for (flag, value) in [
            (
                "--max-instance-concurrent-reuse-count",
                options.max_concurrent_requests_per_instance,
            ),
            ("--max-instance-memory", options.max_memory_bytes),
        ] {
            command.extend([flag.into(), value.to_string().into()]);
        }
        let (watchdog, mut printed) =
            Watchdog::start(SPIN, command.iter().map(|word| word.as_os_str()))?;
        let log = read_until(&mut printed, |log| address(log).is_some())?;
        let traps = Arc::new(AtomicU64::new(0));
        let counted = traps.clone();
        std::thread::spawn(move || {
            for line in printed.lines().map_while(Result::ok) {
                counted.fetch_add(line.contains(TRAPPED).into(), Relaxed);
                eprintln!("{line}");
            }
        });
        Ok(Self {
            address: address(&log).context("Spin does not say where it listens")?,
            traps,
            _watchdog: watchdog,
        })
    }

    /// Instances that trapped.
    pub(crate) fn traps(&self) -> u64 {
        self.traps.load(Relaxed)
    }
}

/// The runtime configuration that names the stores.
fn stores(options: &EdgeOptions) -> String {
    let sqlite = options.state_dir.join("sqlite.db");
    let mut config = format!("[sqlite_database.default]\ntype = \"spin\"\npath = {sqlite:?}\n");
    if let Some(url) = &options.redis {
        config += &format!("[key_value_store.default]\ntype = \"redis\"\nurl = {url:?}\n");
    }
    config
}

fn address(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once(SERVING)?;
    rest.split_once('\n')?.0.trim().parse().ok()
}
