//! Builds the components of an app.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::manifest::Manifest;

/// The target of a component.
const TARGET: &str = "wasm32-wasip2";
/// How a build command of this app begins; what follows names a package.
const CARGO_BUILD: &str = "cargo build --release --target wasm32-wasip2 -p ";

/// Builds every component of the manifest, in one go where the commands allow it.
/// Cargo's own output shows the progress; `progress` is told about each step.
///
/// # Errors
/// The target cannot be installed (says what to do) or a build fails.
pub fn build_components(manifest: &Path, mut progress: impl FnMut(&str)) -> anyhow::Result<()> {
    let manifest = Manifest::read(manifest)?;
    let mut builds: BTreeMap<Place, BTreeSet<&str>> = BTreeMap::new();
    for (id, component) in &manifest.component {
        let Some(build) = &component.build else {
            continue;
        };
        let Some(package) = build.command.strip_prefix(CARGO_BUILD) else {
            bail!(
                "component `{id}`: the local edge can only run builds like `{CARGO_BUILD}NAME`, not `{}`",
                build.command
            );
        };
        let workdir = manifest
            .root
            .join(build.workdir.as_deref().unwrap_or(Path::new("")));
        let target_dir = target_dir(&manifest.root.join(&component.source));
        builds
            .entry(Place {
                workdir,
                target_dir,
            })
            .or_default()
            .insert(package);
    }
    if builds.is_empty() {
        return Ok(());
    }
    progress(&format!("checking the target {TARGET}"));
    ensure_target()?;
    for (place, packages) in builds {
        progress(&format!("building {} components", packages.len()));
        place.build(&packages)?;
    }
    Ok(())
}

/// Where a build runs, and where its result must be for the manifest to find it,
/// whatever target folder Cargo has been configured to use.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    workdir: PathBuf,
    target_dir: Option<PathBuf>,
}

impl Place {
    fn build(&self, packages: &BTreeSet<&str>) -> anyhow::Result<()> {
        let mut cargo = cargo();
        cargo.args(["build", "--release", "--target", TARGET]);
        for package in packages {
            cargo.args(["-p", package]);
        }
        if let Some(target_dir) = &self.target_dir {
            cargo
                .arg("--target-dir")
                .arg(std::path::absolute(target_dir)?);
        }
        if !self.workdir.as_os_str().is_empty() {
            cargo.current_dir(&self.workdir);
        }
        let status = cargo
            .stdout(Stdio::null())
            .status()
            .context("cannot run cargo")?;
        ensure!(
            status.success(),
            "cargo could not build the components; its messages above say why"
        );
        Ok(())
    }
}

/// The target folder in `TARGET_DIR/wasm32-wasip2/release/NAME.wasm`.
fn target_dir(source: &Path) -> Option<PathBuf> {
    let release = source.parent()?;
    let target = release.parent()?;
    (release.ends_with("release") && target.ends_with(TARGET))
        .then(|| target.parent())?
        .map(Path::to_owned)
}

/// Cargo, without what a running `cargo test` or `cargo run` tells its children: that
/// would make every build differ from the last one.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let inherited =
        |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(inherited) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Makes sure that Rust's standard library for components is there.
fn ensure_target() -> anyhow::Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libraries = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("cannot run rustc")?;
    let folder = String::from_utf8_lossy(&libraries.stdout).trim().to_owned();
    if libraries.status.success() && Path::new(&folder).is_dir() {
        return Ok(());
    }
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .status();
    ensure!(
        added.is_ok_and(|status| status.success()),
        "Rust's target {TARGET} is missing and rustup could not add it.\n\
         With rustup: `rustup target add {TARGET}`. Otherwise install your system's standard library for {TARGET}."
    );
    Ok(())
}
