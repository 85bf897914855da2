//! The local edge as a process of its own: it can be killed, and what it costs can be told
//! from what its clients cost.
//!
//! Both sides are here. The parent names a program that calls [`serve`]; it tells the child
//! on its standard input what to run, and the child ends when that is closed, as it is when
//! the parent dies, in whatever way.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, StdinLock, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aisle_edge::{ComponentStats, Edge, EdgeOptions, Stats};
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// A deployment's ticker calls the relay so often.
const RELAY_TICK: Duration = Duration::from_secs(1);
/// Asks the child what its components did so far; it answers with a line of JSON.
const STATS: &str = "stats";

/// A running edge. It ends when this is dropped.
pub struct EdgeProcess {
    pub address: SocketAddr,
    pub id: u32,
    child: Mutex<Option<Running>>,
}

struct Running {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl EdgeProcess {
    /// Runs what an edge with these options would run, with a ticker besides.
    pub async fn start(program: &Path, options: &EdgeOptions) -> Result<Self> {
        let (program, options) = (program.to_owned(), wire(options));
        tokio::task::spawn_blocking(move || Self::begin(&program, &options)).await?
    }

    fn begin(program: &Path, options: &Value) -> Result<Self> {
        let mut child = Command::new(program)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut running = Running {
            input: child.stdin.take().context("no input")?,
            output: BufReader::new(child.stdout.take().context("no output")?),
            child,
        };
        let address = running.ask(&options.to_string())?;
        Ok(Self {
            address: address
                .parse()
                .context("the edge's process did not start: it said why above")?,
            id: running.child.id(),
            child: Mutex::new(Some(running)),
        })
    }

    /// Ends it as a machine ends that loses its power.
    pub fn kill(&self) -> Result<()> {
        if let Some(mut running) = self.running().take() {
            running.child.kill()?;
            running.child.wait()?;
        }
        Ok(())
    }

    /// What every component did so far; nothing of a process that was killed.
    pub fn stats(&self) -> Stats {
        let answer = self
            .running()
            .as_mut()
            .and_then(|running| running.ask(STATS).ok());
        let answer: Value = answer
            .and_then(|line| serde_json::from_str(&line).ok())
            .unwrap_or_default();
        let components = answer.as_object().into_iter().flatten();
        Stats {
            components: components
                .map(|(id, counts)| (id.clone(), counted(counts)))
                .collect(),
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for EdgeProcess {
    fn drop(&mut self) {
        if let Some(mut running) = self.running().take() {
            drop(running.input);
            // Nothing can be done about a process that cannot be waited for.
            let _ = running.child.wait();
        }
    }
}

impl Running {
    fn ask(&mut self, question: &str) -> Result<String> {
        writeln!(self.input, "{question}")?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        Ok(answer.trim_end().to_owned())
    }
}

/// What tells a program that it is to be the edge.
pub const ARGUMENT: &str = "serve-an-edge";

/// The child's side: runs an edge until nobody holds its input any more.
///
/// # Errors
/// In words for the person at the terminal.
pub async fn serve() -> Result<()> {
    let mut questions = std::io::stdin().lines();
    let options = questions.next().context("nobody says what to run")??;
    let edge = Edge::start(options_of(&serde_json::from_str(&options)?)).await?;
    println!("{}", edge.addr());
    tokio::task::block_in_place(|| answer(questions, &edge))?;
    edge.shutdown().await;
    Ok(())
}

fn answer(questions: Lines<StdinLock<'static>>, edge: &Edge) -> Result<()> {
    for question in questions {
        if question? == STATS {
            let components = edge.stats().components;
            let counts: BTreeMap<_, _> = components
                .iter()
                .map(|(id, component)| (id, counts(component)))
                .collect();
            println!("{}", json!(counts));
        }
    }
    Ok(())
}

fn counts(component: &ComponentStats) -> [u64; 8] {
    [
        component.requests,
        component.sql,
        component.sql_stopped,
        component.sql_steps,
        component.key_value,
        component.outbound_http,
        component.traps,
        component.instances,
    ]
}

fn counted(counts: &Value) -> ComponentStats {
    let [
        requests,
        sql,
        sql_stopped,
        sql_steps,
        key_value,
        outbound_http,
        traps,
        instances,
    ] = std::array::from_fn(|index| counts[index].as_u64().unwrap_or_default());
    ComponentStats {
        requests,
        sql,
        sql_stopped,
        sql_steps,
        key_value,
        outbound_http,
        traps,
        instances,
    }
}

fn wire(options: &EdgeOptions) -> Value {
    json!({
        "manifest": options.manifest,
        "state_dir": options.state_dir,
        "postgres": options.postgres,
        "redis": options.redis,
        "variables": options.variables,
        "requests_per_instance": options.max_concurrent_requests_per_instance,
        "memory_bytes": options.max_memory_bytes,
    })
}

fn options_of(wire: &Value) -> EdgeOptions {
    let text = |name: &str| wire[name].as_str().map(str::to_owned);
    let number = |name: &str| wire[name].as_u64().unwrap_or_default() as usize;
    let variables = wire["variables"].as_object().into_iter().flatten();
    EdgeOptions {
        state_dir: PathBuf::from(text("state_dir").unwrap_or_default()),
        postgres: text("postgres"),
        redis: text("redis"),
        variables: variables
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
        max_concurrent_requests_per_instance: number("requests_per_instance"),
        max_memory_bytes: number("memory_bytes"),
        relay_tick: Some(RELAY_TICK),
        ..EdgeOptions::new(text("manifest").unwrap_or_default())
    }
}
