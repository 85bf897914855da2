//! The components under test, built once per process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};
/// The repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A folder for what the tests fetch or make once: the build's own.
pub fn tools_dir() -> PathBuf {
    target_dir().join("tools")
}

/// Cargo's output folder.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Builds the components and answers the path of the app's manifest.
pub fn manifest() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let manifest = root().canonicalize()?.join("spin.toml");
    build_once(&BUILT, &manifest)?;
    Ok(manifest)
}

/// The same for the probe, which asks the runtime for what it promises.
pub fn probe_manifest() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let manifest = root().canonicalize()?.join("tests/probe/spin.toml");
    build_once(&BUILT, &manifest)?;
    Ok(manifest)
}

/// The same for the app and, at `/hello`, a component that only says `ok`.
pub fn manifest_with_hello() -> Result<PathBuf> {
    let app = manifest()?;
    let root = root().canonicalize()?;
    probe_manifest()?;
    let sources = format!("source = \"{}/target/", root.display());
    let app = std::fs::read_to_string(app)?.replace("source = \"target/", &sources);
    let hello = format!(
        "[[trigger.http]]\nroute = \"/hello\"\ncomponent = \"hello\"\n\n\
         [component.hello]\n{sources}wasm32-wasip2/release/aisle_probe.wasm\"\n"
    );
    let joined = target_dir().join("spin-with-hello.toml");
    std::fs::write(&joined, format!("{app}\n{hello}"))?;
    Ok(joined)
}

fn build_once(built: &OnceLock<Result<(), String>>, manifest: &Path) -> Result<()> {
    let built = built.get_or_init(|| build(manifest).map_err(|error| format!("{error:#}")));
    built.clone().map_err(anyhow::Error::msg)
}

fn build(manifest: &Path) -> Result<()> {
    let target = target_dir();
    std::fs::create_dir_all(&target)?;
    let lock = File::create(target.join("aisle-e2e.lock"))?;
    // Test processes that run beside each other build one after the other.
    lock.lock().context("cannot lock the build")?;
    aisle_edge::build_components(manifest, |step| eprintln!("{step} …"))
}
