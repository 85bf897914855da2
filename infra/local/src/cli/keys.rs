//! The keys of a local installation: random, made on first start, kept in the state folder.

use std::fmt::Write;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use sha2::{Digest, Sha256};

/// Random bytes in a key.
const KEY_BYTES: usize = 32;
/// Name of the key in the table of admin keys.
const ADMIN_KEY_NAME: &str = "local edge";
/// What the local admin may do: everything.
const ADMIN_SCOPES: &str = "admin";

/// The keys of a state folder.
pub struct Keys {
    /// Key of the admin routes.
    pub admin: String,
    /// Key of `POST /relay/run`.
    pub relay: String,
    /// Key that signs pickup passes.
    pub pass: String,
}

impl Keys {
    /// Reads the keys, making those that do not exist yet.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub fn open(state_dir: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            admin: open(&admin_path(state_dir))?,
            relay: open(&path(state_dir, "relay"))?,
            pass: open(&path(state_dir, "pass"))?,
        })
    }
}

/// The admin key of a state folder.
///
/// # Errors
/// There is none, because nothing was started on it yet.
pub fn admin(state_dir: &Path) -> anyhow::Result<String> {
    let path = admin_path(state_dir);
    let key = std::fs::read_to_string(&path)
        .with_context(|| format!("no admin key in {}; give one with --key", path.display()))?;
    Ok(key.trim().to_owned())
}

/// Where the admin key is kept.
pub fn admin_path(state_dir: &Path) -> PathBuf {
    path(state_dir, "admin")
}

/// Lets the admin key into the SQLite file.
///
/// # Errors
/// The database refuses.
pub fn allow_in_sqlite(database: &Path, key: &str) -> anyhow::Result<()> {
    let connection = rusqlite::Connection::open(database)?;
    let insert = insert("?1", "?2", "?3", "?4");
    let row = (hash(key), ADMIN_KEY_NAME, ADMIN_SCOPES, now_ms()?);
    connection.execute(&insert, row)?;
    Ok(())
}

/// Lets the admin key into a PostgreSQL database.
///
/// # Errors
/// The database refuses.
pub async fn allow_in_postgres(url: &str, key: &str) -> anyhow::Result<()> {
    let client = aisle_edge::migrate::connect(url).await?;
    let insert = insert("$1", "$2", "$3", "$4");
    client
        .execute(
            &insert,
            &[&hash(key), &ADMIN_KEY_NAME, &ADMIN_SCOPES, &now_ms()?],
        )
        .await?;
    Ok(())
}

fn insert(hash: &str, name: &str, scopes: &str, now: &str) -> String {
    format!(
        "INSERT INTO admin_key (key_hash, name, scopes, created_at_ms) \
         VALUES ({hash}, {name}, {scopes}, {now}) ON CONFLICT DO NOTHING"
    )
}

fn open(path: &Path) -> anyhow::Result<String> {
    if path.exists() {
        return Ok(std::fs::read_to_string(path)?.trim().to_owned());
    }
    let key = random()?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .with_context(|| format!("cannot create {}", path.display()))?;
    writeln!(file, "{key}")?;
    Ok(key)
}

fn random() -> anyhow::Result<String> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(hex(&bytes))
}

fn hash(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
            // Writing into a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

fn now_ms() -> anyhow::Result<i64> {
    Ok(SystemTime::now()
        .duration_since(UNIX_EPOCH)?
        .as_millis()
        .try_into()?)
}

fn path(state_dir: &Path, name: &str) -> PathBuf {
    state_dir.join("keys").join(name)
}
