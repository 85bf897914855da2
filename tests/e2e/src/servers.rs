//! PostgreSQL and Redis as real servers: started once per process from the installed
//! programs, on private ports, and gone when the process is.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anyhow::{Context, Result, bail};

/// What both servers print once they take connections, in lower case.
const READY: &str = "ready to accept connections";

/// Where the two servers listen, on 127.0.0.1.
pub struct Servers {
    pub postgres_port: u16,
    pub redis_port: u16,
    /// Their watchdogs read from this process: when it ends, however it ends, they stop the servers.
    _watchdogs: [Child; 2],
}

/// The process's servers, or why it has none.
pub fn servers() -> Result<&'static Servers, &'static str> {
    static SERVERS: OnceLock<Result<Servers, String>> = OnceLock::new();
    let started = SERVERS.get_or_init(|| start().map_err(|error| format!("{error:#}")));
    started.as_ref().map_err(String::as_str)
}

impl Servers {
    /// A URL of the named database on the process's PostgreSQL.
    pub fn postgres_url(&self, database: &str) -> String {
        postgres_url(self.postgres_port, database)
    }

    /// The number of a database that nobody in this process has used yet.
    pub fn fresh_number() -> u32 {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        NEXT.fetch_add(1, Relaxed)
    }
}

pub fn postgres_url(port: u16, database: &str) -> String {
    format!("postgres://aisle@127.0.0.1:{port}/{database}?sslmode=disable&connect_timeout=5")
}

pub fn redis_url(port: u16, database: u32) -> String {
    format!("redis://127.0.0.1:{port}/{database}")
}

fn start() -> Result<Servers> {
    let initdb = program("initdb")?;
    let postgres = program("postgres")?;
    let redis = program("redis-server")?;
    let (postgres_port, redis_port) = (free_port()?, free_port()?);
    let watchdogs = [
        watchdog(
            POSTGRES,
            &[initdb.as_path(), postgres.as_path()],
            postgres_port,
        )?,
        watchdog(REDIS, &[redis.as_path()], redis_port)?,
    ];
    Ok(Servers {
        postgres_port,
        redis_port,
        _watchdogs: watchdogs,
    })
}

/// `$1` port, `$2` the user to become or empty, `$3` initdb, `$4` postgres. PostgreSQL
/// refuses to run as root.
const POSTGRES: &str = r#"
    as=""
    if [ -n "$2" ]; then
        chown "$2" "$dir"
        as="setpriv --reuid=$2 --regid=$(id -g "$2") --clear-groups --"
    fi
    cd "$dir"
    $as "$3" -D "$dir/data" -U aisle -A trust --no-sync -E UTF8 --locale=C 2>&1 || exit 1
    $as "$4" -D "$dir/data" -p "$1" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 2>&1 &
    server=$! stop=QUIT"#;

/// `$1` port, `$3` redis-server. What a shell starts in the background ignores SIGQUIT
/// unless it asks for it, as PostgreSQL does.
const REDIS: &str = r#"
    cd "$dir"
    "$3" --port "$1" --bind 127.0.0.1 --save "" --appendonly no --daemonize no --databases 1024 2>&1 &
    server=$! stop=TERM"#;

/// Runs `script` in a folder of its own and holds its server until this process's end
/// of the pipe closes: that also happens when a test aborts or the process is killed.
fn watchdog(script: &str, programs: &[&Path], port: u16) -> Result<Child> {
    let script = format!(
        "trap : INT TERM HUP\ndir=$(mktemp -d) || exit 1\n{script}\nread -r _\n\
         kill -$stop $server\nwait $server\nrm -rf \"$dir\"\n"
    );
    let mut watchdog = Command::new("sh")
        .args([
            "-c",
            &script,
            "watchdog",
            &port.to_string(),
            unprivileged_user()?,
        ])
        .args(programs)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start a server for the tests")?;
    let printed = watchdog.stdout.take().context("no output")?;
    wait_until_ready(BufReader::new(printed))?;
    Ok(watchdog)
}

/// Reads what the server prints until it is ready, and goes on reading so that it never
/// waits for a reader.
fn wait_until_ready(mut printed: impl BufRead + Send + 'static) -> Result<()> {
    let mut log = String::new();
    while !log.to_lowercase().contains(READY) {
        if printed.read_line(&mut log)? == 0 {
            bail!("a server for the tests did not start:\n{log}");
        }
    }
    std::thread::spawn(move || std::io::copy(&mut printed, &mut std::io::sink()));
    Ok(())
}

/// Empty unless this process is root's.
fn unprivileged_user() -> Result<&'static str> {
    let is = |arguments: &[&str]| {
        Command::new("id")
            .args(arguments)
            .output()
            .map(|out| (out.status.success(), out.stdout))
    };
    if is(&["-u"])?.1.trim_ascii() != b"0" {
        return Ok("");
    }
    if is(&["-u", "postgres"])?.0 {
        Ok("postgres")
    } else {
        Ok("nobody")
    }
}

/// The path of an installed program, also where Debian keeps PostgreSQL's.
fn program(name: &str) -> Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    folders.push("/usr/sbin".into());
    let found = folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.with_context(|| format!("the program `{name}` is not installed"))
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
