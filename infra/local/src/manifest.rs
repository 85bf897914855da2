//! Reads `spin.toml` (manifest version 2), as far as this app uses it.
//!
//! A key that the edge does not know is an error: silently ignoring it would let
//! an app work here and fail on Spin, or the other way round.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::Deserialize;

/// A parsed `spin.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    spin_manifest_version: u32,
    /// Name, version and description of the app.
    #[expect(dead_code, reason = "checked for its keys, of no consequence locally")]
    pub application: Application,
    /// Variables of the app, by name.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// What starts a component; HTTP only.
    pub trigger: Triggers,
    /// Components by id.
    pub component: BTreeMap<String, Component>,
    /// Folder of the manifest: paths inside it are relative to this.
    #[serde(skip)]
    pub root: PathBuf,
}

/// The `[application]` table.
#[derive(Debug, Deserialize)]
#[expect(
    dead_code,
    reason = "what only informs people or other tools is accepted and has no effect"
)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Name of the app.
    pub name: String,
    /// Version of the app.
    pub version: Option<String>,
    /// What the app is.
    pub description: Option<String>,
    /// Who wrote it.
    #[serde(default)]
    pub authors: Vec<String>,
}

/// One `[variables]` entry: either a default or `required = true`.
#[derive(Debug, Deserialize)]
#[expect(
    dead_code,
    reason = "what only informs people or other tools is accepted and has no effect"
)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Value when nobody gives one.
    pub default: Option<String>,
    /// Whether the app refuses to start without a value.
    #[serde(default)]
    pub required: bool,
    /// Whether the value is kept out of messages.
    #[serde(default)]
    pub secret: bool,
    /// What it is for.
    pub description: Option<String>,
}

/// The `[[trigger.*]]` tables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// HTTP routes, in the order of the file.
    pub http: Vec<HttpTrigger>,
}

/// One `[[trigger.http]]` table.
#[derive(Debug, Deserialize)]
#[expect(
    dead_code,
    reason = "what only informs people or other tools is accepted and has no effect"
)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    /// Optional name of the trigger.
    pub id: Option<String>,
    /// The route.
    pub route: Route,
    /// Id of the component that answers.
    pub component: String,
}

/// A route: a pattern, or none because the component is only called by others.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Route {
    /// `/exact`, `/prefix/...` or `/with/:name`.
    Pattern(String),
    /// Reached only at `http://NAME.spin.internal`.
    Private(Private),
}

/// `{ private = true }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Private {
    /// Always true in a valid manifest.
    pub private: bool,
}

/// One `[component.ID]` table.
#[derive(Debug, Deserialize)]
#[expect(
    dead_code,
    reason = "what only informs people or other tools is accepted and has no effect"
)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The `.wasm` file, relative to the manifest.
    pub source: PathBuf,
    /// What the component does.
    pub description: Option<String>,
    /// Variables that the component sees: templates over the app's variables.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Labels of the key-value stores that it may open.
    #[serde(default)]
    pub key_value_stores: Vec<String>,
    /// Labels of the SQLite databases that it may open.
    #[serde(default)]
    pub sqlite_databases: Vec<String>,
    /// Where it may connect to: `scheme://host:port` patterns.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// How it is built.
    pub build: Option<Build>,
}

/// The `[component.ID.build]` table.
#[derive(Debug, Deserialize)]
#[expect(
    dead_code,
    reason = "what only informs people or other tools is accepted and has no effect"
)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Command that produces [`Component::source`].
    pub command: String,
    /// Folder that the command runs in, relative to the manifest.
    pub workdir: Option<PathBuf>,
    /// Files whose change calls for a new build.
    #[serde(default)]
    pub watch: Vec<String>,
}

impl Manifest {
    /// Reads and checks the manifest at `path`.
    ///
    /// # Errors
    /// A message for the person who wrote the file: line and column of a syntax
    /// error, the name of an unknown key, a trigger without its component.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the manifest {}", path.display()))?;
        let mut manifest: Self = toml::from_str(&text).with_context(|| {
            format!(
                "{} is not a manifest that the local edge can run (it knows the keys that this app needs; Spin knows more)",
                path.display()
            )
        })?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        manifest.root = folder.unwrap_or(Path::new(".")).to_path_buf();
        manifest
            .check()
            .with_context(|| format!("in {}", path.display()))?;
        Ok(manifest)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.spin_manifest_version == 2,
            "spin_manifest_version must be 2, not {}",
            self.spin_manifest_version
        );
        for trigger in &self.trigger.http {
            ensure!(
                self.component.contains_key(&trigger.component),
                "a [[trigger.http]] names the component `{}`, which has no [component.{}]",
                trigger.component,
                trigger.component
            );
            if let Route::Private(Private { private: false }) = trigger.route {
                anyhow::bail!(
                    "the route of `{}` must be a pattern or {{ private = true }}",
                    trigger.component
                );
            }
        }
        for (name, variable) in &self.variables {
            ensure!(
                variable.required != variable.default.is_some(),
                "variable `{name}` must have either a default or required = true"
            );
        }
        Ok(())
    }
}
