//! Tools from Python's package index, installed once into the build folder.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

use crate::components::tools_dir;

/// The programs of a virtual environment of this name with these packages.
pub fn programs(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let venv = tools_dir().join(name);
    let programs = venv.join("bin");
    std::fs::create_dir_all(tools_dir())?;
    let lock = File::create(tools_dir().join(format!("{name}.lock")))?;
    // Test processes that run beside each other install one after the other.
    lock.lock().context("cannot lock the installation")?;
    let marker = venv.join("aisle-packages");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    run(Command::new(programs.join("pip"))
        .args(["install", "--quiet"])
        .args(packages))?;
    std::fs::write(&marker, wanted)?;
    Ok(programs)
}

/// Runs a command to its end, which must be a good one.
pub fn run(command: &mut Command) -> Result<Output> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", said(&output));
    Ok(output)
}

/// How a command ended and what it printed.
pub fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!(
        "{}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    )
}
