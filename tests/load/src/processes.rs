//! What processes cost, as Linux counts it in `/proc`.

use std::collections::BTreeMap;
use std::fs;

use aisle_e2e::process::ARGUMENT;

/// Linux counts processor time in hundredths of a second, and memory in pages of 4 KiB.
const TICKS_PER_S: f64 = 100.0;
const PAGE_KIB: u64 = 4;

/// This process and what it started, by what they do.
pub struct Usage(BTreeMap<&'static str, Share>);

#[derive(Clone, Copy, Default)]
struct Share {
    cpu_s: f64,
    rss_mib: f64,
}

/// Processor time between two moments, in seconds.
pub struct Cost(BTreeMap<&'static str, f64>);

impl Usage {
    pub fn now() -> Self {
        let own = std::process::id();
        let all: BTreeMap<u32, Process> = processes().collect();
        let mut shares = BTreeMap::<_, Share>::new();
        for (id, process) in &all {
            if *id == own || is_below(&all, *id, own) {
                let share = shares.entry(process.role(*id == own)).or_default();
                share.cpu_s += process.cpu_s;
                share.rss_mib += process.rss_mib;
            }
        }
        Self(shares)
    }

    pub fn since(&self, before: &Self) -> Cost {
        let cpu = |(role, share): (&&'static str, &Share)| {
            let before = before.0.get(role).copied().unwrap_or_default();
            (*role, (share.cpu_s - before.cpu_s).max(0.0))
        };
        Cost(self.0.iter().map(cpu).collect())
    }

    /// Memory of the edges, in MiB.
    pub fn edge_mib(&self) -> f64 {
        self.0.get(EDGE).map_or(0.0, |share| share.rss_mib)
    }
}

impl Cost {
    pub fn edge_s(&self) -> f64 {
        self.0.get(EDGE).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shares = self.0.iter().filter(|(_, cpu_s)| **cpu_s >= 0.05);
        let shares: Vec<String> = shares
            .map(|(role, cpu_s)| format!("{role} {cpu_s:.1} s"))
            .collect();
        out.write_str(&shares.join(", "))
    }
}

const EDGE: &str = "edge";

struct Process {
    parent: u32,
    name: String,
    is_edge: bool,
    cpu_s: f64,
    rss_mib: f64,
}

impl Process {
    fn role(&self, own: bool) -> &'static str {
        match self.name.as_str() {
            _ if own => "generator",
            _ if self.is_edge => EDGE,
            "postgres" => "PostgreSQL",
            "redis-server" => "Redis",
            "pgbouncer" => "pgbouncer",
            _ => "others",
        }
    }
}

fn processes() -> impl Iterator<Item = (u32, Process)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((id, process(id)?))
    })
}

/// `proc(5)`, `/proc/pid/stat`: the fields after the name, which is in brackets.
fn process(id: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = tail.split(' ').collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    // Of children that have ended as well: a database has a process for each connection.
    let cpu_ticks = ticks(14)? + ticks(15)? + ticks(16)? + ticks(17)?;
    let command = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
    Some(Process {
        parent: ticks(4)? as u32,
        name: head.split_once('(')?.1.into(),
        is_edge: command.split('\0').any(|word| word == ARGUMENT),
        cpu_s: cpu_ticks as f64 / TICKS_PER_S,
        rss_mib: (ticks(24)? * PAGE_KIB) as f64 / 1024.0,
    })
}

fn is_below(all: &BTreeMap<u32, Process>, mut id: u32, ancestor: u32) -> bool {
    while let Some(process) = all.get(&id) {
        if process.parent == ancestor {
            return true;
        }
        id = process.parent;
    }
    false
}
