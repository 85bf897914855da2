//! Chromium as shoppers have it: phones on which pages are opened, read and judged. Driven by
//! `tests/browser/drive.mjs`, whose packages are installed once into the build folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::Mutex;

use crate::components::{root, target_dir, tools_dir};
use crate::python::run;

/// Names under which Chromium is installed.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A browser of one test; it ends with it.
pub struct Browser {
    _process: Child,
    talk: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
    /// Where its pictures are kept.
    pub pictures: PathBuf,
}

/// How a phone is set up.
#[derive(Debug, Clone, Copy)]
pub struct Phone<'a> {
    /// Its language, such as `de-DE`.
    pub locale: &'a str,
    pub script: bool,
    pub dark: bool,
}

/// A phone with cookies of its own, and one page.
pub struct Window<'a> {
    browser: &'a Browser,
    name: String,
}

/// Why this machine has no browser to test with, where that is so.
pub fn missing() -> Option<&'static str> {
    static FOUND: OnceLock<Result<(), String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let all = chromium().and_then(|_| driver());
        all.map(drop).map_err(|error| format!("{error:#}"))
    });
    found.as_ref().err().map(String::as_str)
}

impl Browser {
    /// Pictures go into a folder of this name below the build folder.
    pub async fn start(name: &str) -> Result<Self> {
        let (chromium, driver) =
            tokio::task::block_in_place(|| -> Result<_> { Ok((chromium()?, driver()?)) })?;
        let pictures = target_dir().join("screenshots").join(name);
        std::fs::create_dir_all(&pictures)?;
        let mut process = tokio::process::Command::new("node")
            .arg(driver.join("drive.mjs"))
            .arg(chromium)
            .arg(pictures.canonicalize()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run node")?;
        let input = process.stdin.take().context("no input")?;
        let output = process.stdout.take().context("no output")?;
        Ok(Self {
            _process: process,
            talk: Mutex::new((input, BufReader::new(output).lines())),
            pictures,
        })
    }

    pub async fn phone(&self, name: &str, phone: Phone<'_>) -> Result<Window<'_>> {
        let Phone {
            locale,
            script,
            dark,
        } = phone;
        let window = json!({"name": name, "locale": locale, "script": script, "dark": dark});
        self.say("window", None, window).await?;
        Ok(Window {
            browser: self,
            name: name.to_owned(),
        })
    }

    async fn say(&self, command: &str, window: Option<&str>, mut what: Value) -> Result<Value> {
        what["command"] = command.into();
        what["window"] = window.into();
        let mut talk = self.talk.lock().await;
        talk.0.write_all(format!("{what}\n").as_bytes()).await?;
        let line = talk.1.next_line().await?;
        let line = line.context("the browser's driver has ended")?;
        let mut said: Value = serde_json::from_str(&line)?;
        match said.get("error") {
            Some(error) => bail!("{command} {what}: {error}"),
            None => Ok(said["answer"].take()),
        }
    }
}

impl Window<'_> {
    async fn say(&self, command: &str, what: Value) -> Result<Value> {
        self.browser.say(command, Some(&self.name), what).await
    }

    /// Opens a page: its status, URL and size in bytes.
    pub async fn open(&self, url: &str) -> Result<Value> {
        self.say("open", json!({"url": url})).await
    }

    /// Gives the phone a cookie of the origin.
    pub async fn cookie(&self, origin: &str, name: &str, value: &str) -> Result<()> {
        let what = json!({"url": origin, "cookie": name, "value": value});
        self.say("cookie", what).await.map(drop)
    }

    /// Opens everything that is folded.
    pub async fn unfold(&self) -> Result<()> {
        self.say("unfold", json!({})).await.map(drop)
    }

    /// What is written there.
    pub async fn text(&self, selector: &str) -> Result<String> {
        let text = self.say("text", json!({"selector": selector})).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    pub async fn count(&self, selector: &str) -> Result<i64> {
        let count = self.say("count", json!({"selector": selector})).await?;
        count.as_i64().context("no number")
    }

    /// Until something is there.
    pub async fn wait(&self, selector: &str) -> Result<()> {
        self.say("wait", json!({"selector": selector}))
            .await
            .map(drop)
    }

    pub async fn click(&self, selector: &str) -> Result<()> {
        self.say("click", json!({"selector": selector}))
            .await
            .map(drop)
    }

    pub async fn fill(&self, selector: &str, value: &str) -> Result<()> {
        let what = json!({"selector": selector, "value": value});
        self.say("fill", what).await.map(drop)
    }

    /// The id of what has the focus.
    pub async fn focused(&self) -> Result<String> {
        let id = self.say("focused", json!({})).await?;
        Ok(id.as_str().unwrap_or_default().to_owned())
    }

    /// A picture of the whole page.
    pub async fn picture(&self, file: &str) -> Result<()> {
        self.say("picture", json!({"file": file})).await.map(drop)
    }

    /// The page is fit for everybody as far as axe-core can tell, no wider than the phone,
    /// and nothing went wrong on it, such as a request to elsewhere or a script that the
    /// page's policy stopped.
    pub async fn must_be_fit(&self, what: &str) -> Result<()> {
        self.must_be_calm(what).await?;
        let found = self.say("violations", json!({})).await?;
        ensure!(found == json!([]), "{what}: {found:#}");
        let beyond = self.say("widest", json!({})).await?;
        ensure!(beyond == 0, "{what}: {beyond} pixels wider than the phone");
        Ok(())
    }

    /// Nothing went wrong on it.
    pub async fn must_be_calm(&self, what: &str) -> Result<()> {
        let trouble = self.say("trouble", json!({})).await?;
        ensure!(trouble == json!([]), "{what}: {trouble:#}");
        Ok(())
    }
}

fn chromium() -> Result<PathBuf> {
    let folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let paths = CHROMIUM
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let mut installed = paths.filter(|path| path.is_file());
    installed.next().context("Chromium is not installed")
}

/// The folder with the driver and its packages.
fn driver() -> Result<PathBuf> {
    let (source, folder) = (root().join("tests/browser"), tools_dir().join("browser"));
    std::fs::create_dir_all(&folder)?;
    let lock = File::create(tools_dir().join("browser.lock"))?;
    // Test processes that run beside each other install one after the other.
    lock.lock().context("cannot lock the installation")?;
    let (marker, wanted) = (
        folder.join("aisle-packages"),
        std::fs::read_to_string(source.join("package-lock.json"))?,
    );
    let copy = |name: &str| -> Result<()> {
        std::fs::copy(source.join(name), folder.join(name)).map(drop)?;
        Ok(())
    };
    copy("drive.mjs")?;
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    copy("package.json")?;
    copy("package-lock.json")?;
    npm(&folder)?;
    std::fs::write(&marker, wanted)?;
    Ok(folder)
}

fn npm(folder: &Path) -> Result<()> {
    let mut install = Command::new("npm");
    install.args(["ci", "--silent", "--ignore-scripts"]);
    run(install.current_dir(folder)).map(drop)
}
