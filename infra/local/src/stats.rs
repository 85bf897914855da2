//! What each component did, counted.

use std::collections::BTreeMap;
use std::ops::Sub;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Live counters of one component.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests handed to the component.
    pub requests: AtomicU64,
    /// SQL statements that it issued.
    pub sql: AtomicU64,
    /// SQL statements that were stopped: nobody waited for them any more, or too long.
    pub sql_stopped: AtomicU64,
    /// Steps that SQLite's virtual machine took for them: what they read, sorted and wrote.
    pub sql_steps: AtomicU64,
    /// Key-value operations that it issued (an `open` is none).
    pub key_value: AtomicU64,
    /// HTTP requests that it sent, to other components too.
    pub outbound_http: AtomicU64,
    /// Instances that ended with an error: a trap, the memory limit or the deadline.
    pub traps: AtomicU64,
    /// Instances started.
    pub instances: AtomicU64,
}

/// A snapshot of [`Counters`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ComponentStats {
    /// Requests handed to the component.
    pub requests: u64,
    /// SQL statements that it issued.
    pub sql: u64,
    /// SQL statements that were stopped: nobody waited for them any more, or too long.
    pub sql_stopped: u64,
    /// Steps that SQLite's virtual machine took for them: what they read, sorted and wrote.
    pub sql_steps: u64,
    /// Key-value operations that it issued (an `open` is none).
    pub key_value: u64,
    /// HTTP requests that it sent, to other components too.
    pub outbound_http: u64,
    /// Instances that ended with an error: a trap, the memory limit or the deadline.
    pub traps: u64,
    /// Instances started.
    pub instances: u64,
}

/// A snapshot of all counters, by component id. Two of them can be subtracted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Counts by component id.
    pub components: BTreeMap<String, ComponentStats>,
}

impl Counters {
    /// The counts at this moment.
    pub fn snapshot(&self) -> ComponentStats {
        ComponentStats {
            requests: self.requests.load(Relaxed),
            sql: self.sql.load(Relaxed),
            sql_stopped: self.sql_stopped.load(Relaxed),
            sql_steps: self.sql_steps.load(Relaxed),
            key_value: self.key_value.load(Relaxed),
            outbound_http: self.outbound_http.load(Relaxed),
            traps: self.traps.load(Relaxed),
            instances: self.instances.load(Relaxed),
        }
    }
}

impl Stats {
    /// The counts of one component; zeros for one that does not exist.
    pub fn component(&self, id: &str) -> ComponentStats {
        self.components.get(id).copied().unwrap_or_default()
    }
}

impl Sub for ComponentStats {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            sql: self.sql - earlier.sql,
            sql_stopped: self.sql_stopped - earlier.sql_stopped,
            sql_steps: self.sql_steps - earlier.sql_steps,
            key_value: self.key_value - earlier.key_value,
            outbound_http: self.outbound_http - earlier.outbound_http,
            traps: self.traps - earlier.traps,
            instances: self.instances - earlier.instances,
        }
    }
}

impl Sub<&Stats> for &Stats {
    type Output = Stats;

    fn sub(self, earlier: &Stats) -> Stats {
        let since = |id: &String, now: &ComponentStats| (id.clone(), *now - earlier.component(id));
        Stats {
            components: self
                .components
                .iter()
                .map(|(id, now)| since(id, now))
                .collect(),
        }
    }
}
