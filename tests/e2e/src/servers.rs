//! PostgreSQL and Redis as real servers: started once per process from the installed
//! programs, on private ports, and gone when the process is.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anyhow::{Context, Result, bail};

/// What both servers print once they take connections, in lower case.
const READY: &str = "ready to accept connections";

/// Where the two servers listen, on 127.0.0.1.
pub struct Servers {
    pub postgres_port: u16,
    pub redis_port: u16,
    _watchdogs: [Watchdog; 2],
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
    let (user, ports) = (
        unprivileged_user()?,
        [postgres_port, redis_port].map(|port| port.to_string()),
    );
    let watchdogs = [
        server(
            POSTGRES,
            [&ports[0], user].map(OsStr::new),
            [&initdb, &postgres],
        )?,
        server(REDIS, [OsStr::new(&ports[1])], [&redis])?,
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
    $as "$3" -D "$dir/data" -U aisle -A trust --no-sync -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US 2>&1 || exit 1
    $as "$4" -D "$dir/data" -p "$1" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        -c shared_preload_libraries=pg_stat_statements -c pg_stat_statements.max=100000 \
        -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 2>&1 &
    server=$! stop=QUIT"#;

/// `$1` port, `$3` redis-server. What a shell starts in the background ignores SIGQUIT
/// unless it asks for it, as PostgreSQL does.
const REDIS: &str = r#"
    cd "$dir"
    "$2" --port "$1" --bind 127.0.0.1 --save "" --appendonly no --daemonize no --databases 1024 2>&1 &
    server=$! stop=TERM"#;

fn server<const N: usize, const M: usize>(
    script: &str,
    settings: [&OsStr; N],
    programs: [&PathBuf; M],
) -> Result<Watchdog> {
    let arguments = settings
        .into_iter()
        .chain(programs.map(|path| path.as_os_str()));
    let (watchdog, mut printed) = Watchdog::start(script, arguments)?;
    read_until(&mut printed, |log| log.to_lowercase().contains(READY))?;
    // Read on, so that the server never waits for a reader.
    std::thread::spawn(move || std::io::copy(&mut printed, &mut std::io::sink()));
    Ok(watchdog)
}

/// Holds a server until this process's end of the pipe closes: that also happens when a
/// test aborts or the process is killed.
pub(crate) struct Watchdog(Child);

impl Watchdog {
    /// Runs `script`, which starts the server in the background and sets `server`, its
    /// process, and `stop`, the signal that ends it; `$dir` is a folder for it. Answers what
    /// the server prints too.
    pub(crate) fn start<'a>(
        script: &str,
        arguments: impl IntoIterator<Item = &'a OsStr>,
    ) -> Result<(Self, BufReader<ChildStdout>)> {
        let script = format!(
            "trap : INT TERM HUP\ndir=$(mktemp -d) || exit 1\n{script}\nread -r _\n\
             kill -$stop $server\nwait $server\nrm -rf \"$dir\"\n"
        );
        let mut watchdog = Command::new("sh")
            .args(["-c", &script, "watchdog"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a server for the tests")?;
        let printed = watchdog.stdout.take().context("no output")?;
        Ok((Self(watchdog), BufReader::new(printed)))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Nothing can be done about a shell that cannot be waited for.
        let _ = self.0.wait();
    }
}

/// Reads what a server prints until it is `ready`, and answers all of it.
pub(crate) fn read_until(
    printed: &mut impl BufRead,
    ready: impl Fn(&str) -> bool,
) -> Result<String> {
    let mut log = String::new();
    while !ready(&log) {
        if printed.read_line(&mut log)? == 0 {
            bail!("a server for the tests did not start:\n{log}");
        }
    }
    Ok(log)
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
