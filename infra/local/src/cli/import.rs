//! Sends CSV files to `POST /admin/imports` and shows what came of them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bytes::Bytes;
use clap::ValueEnum;
use futures::TryStreamExt;
use http::Method;
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use indicatif::ProgressBar;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio_util::io::ReaderStream;
use wasmtime_wasi_http::{Error, WasiBody};

use super::client::{Client, Payload};
use super::parts::{self, Parts};
use super::{keys, progress};

/// Bad rows shown for each file.
const SHOWN_ERRORS: usize = 20;

#[derive(Debug, clap::Args)]
pub struct Flags {
    /// CSV files: Shopify product exports, locations, stock, or lanes.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The edge to send them to.
    #[arg(long, default_value = "http://127.0.0.1:3000")]
    url: String,
    /// An admin key; by default that of the state folder.
    #[arg(long)]
    key: Option<String>,
    /// Folder in which `cargo up` keeps its state.
    #[arg(long, default_value = ".aisle")]
    state: PathBuf,
    /// Handle of the brand that the rows belong to.
    #[arg(long)]
    brand: Option<String>,
    /// What the files hold; by default guessed from each file's first row.
    #[arg(long)]
    kind: Option<Kind>,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    /// A Shopify product export.
    Products,
    /// Stores and warehouses.
    Locations,
    /// Quantities by SKU and location.
    Stock,
    /// Transfer lanes between locations.
    Lanes,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Locations => "locations",
            Self::Stock => "stock",
            Self::Lanes => "lanes",
        }
    }

    /// The kind of file that begins with `header`.
    fn guess(header: &str) -> Option<Self> {
        let columns: Vec<String> = header
            .trim_start_matches('\u{feff}')
            .split(',')
            .map(|column| column.trim().trim_matches('"').to_ascii_lowercase())
            .collect();
        let has = |name: &str| columns.iter().any(|column| column == name);
        if has("handle") && has("title") {
            Some(Self::Products)
        } else if has("location_code") && has("on_hand") {
            Some(Self::Stock)
        } else if has("from_code") && has("to_code") {
            Some(Self::Lanes)
        } else if has("code") && has("time_zone") {
            Some(Self::Locations)
        } else {
            None
        }
    }
}

/// Imports the files, one after the other.
///
/// # Errors
/// A file cannot be read, nobody answers, or the edge refuses a file as a whole.
pub async fn run(flags: Flags) -> anyhow::Result<()> {
    let key = match flags.key {
        Some(key) => key,
        None => keys::admin(&flags.state)?,
    };
    let client = Client {
        url: flags.url.trim_end_matches('/').to_owned(),
        key,
    };
    let mut refused = 0;
    for file in &flags.files {
        let kind = match flags.kind {
            Some(kind) => kind,
            None => guess(file).await?,
        };
        let report = send(&client, file, kind, flags.brand.as_deref()).await?;
        refused += show(file, &report);
    }
    if refused > 0 {
        bail!("{refused} rows were refused; the others are in");
    }
    Ok(())
}

async fn guess(file: &Path) -> anyhow::Result<Kind> {
    let opened = open(file).await?;
    let mut header = String::new();
    BufReader::new(opened)
        .read_line(&mut header)
        .await
        .with_context(|| format!("{} is no text", file.display()))?;
    Kind::guess(&header).with_context(|| {
        format!(
            "cannot tell from its first row what {} holds; say it with --kind",
            file.display()
        )
    })
}

async fn open(file: &Path) -> anyhow::Result<tokio::fs::File> {
    tokio::fs::File::open(file)
        .await
        .with_context(|| format!("cannot open {}", file.display()))
}

/// Streams one file to the edge and returns its report.
///
/// # Errors
/// The file cannot be read, nobody answers, or the edge refuses the file as a whole.
pub async fn send(
    client: &Client,
    file: &Path,
    kind: Kind,
    brand: Option<&str>,
) -> anyhow::Result<Value> {
    let opened = open(file).await?;
    let length = opened.metadata().await?.len();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let bar = progress::bytes(&name, length);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("kind", kind.name())
        .append_pair("file", &name);
    if let Some(brand) = brand {
        query.append_pair("brand", brand);
    }
    let path = format!("/admin/imports?{}", query.finish());
    let report = match kind {
        // A count stands alone, and there are as many as variants times stores.
        Kind::Stock => send_in_parts(client, &path, opened, &bar).await,
        Kind::Products | Kind::Locations | Kind::Lanes => {
            let body = streamed(opened, &bar);
            client.send(Method::POST, &path, csv(length, body)).await
        }
    };
    bar.finish_and_clear();
    report.with_context(|| file.display().to_string())
}

async fn send_in_parts(
    client: &Client,
    path: &str,
    file: tokio::fs::File,
    bar: &ProgressBar,
) -> anyhow::Result<Value> {
    let mut parts = Parts::new(file, parts::PART_BYTES);
    let mut report = Value::Null;
    while let Some(part) = parts.next().await? {
        let length = part.csv.len() as u64;
        let body = Full::new(Bytes::from(part.csv)).map_err(|never| match never {});
        let answer = client
            .send(Method::POST, path, csv(length, body.boxed_unsync()))
            .await?;
        parts::add(&mut report, answer, part.lines_before);
        bar.inc(part.covers);
    }
    Ok(report)
}

fn csv(length: u64, body: WasiBody) -> Payload {
    Payload {
        content_type: "text/csv",
        length,
        body,
    }
}

fn streamed(file: tokio::fs::File, bar: &ProgressBar) -> WasiBody {
    let bar = bar.clone();
    let chunks = ReaderStream::new(file)
        .inspect_ok(move |chunk| bar.inc(chunk.len() as u64))
        .map_ok(Frame::data)
        .map_err(|error| Error::InternalError(Some(error.to_string())));
    StreamBody::new(chunks).boxed_unsync()
}

/// Prints a report; returns how many rows were refused.
pub fn show(file: &Path, report: &Value) -> u64 {
    let count = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or_default();
    println!(
        "{}: {} rows, {} created, {} updated, {} unchanged, {} refused",
        file.display(),
        count("rows"),
        count("created"),
        count("updated"),
        count("unchanged"),
        count("refused")
    );
    let errors = report
        .get("errors")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    for error in errors.iter().take(SHOWN_ERRORS) {
        let text = |name: &str| match error.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        println!(
            "  line {}, {}: {}",
            text("line"),
            text("column"),
            text("reason")
        );
    }
    let hidden = errors.len().saturating_sub(SHOWN_ERRORS) as u64 + count("errors_omitted");
    if hidden > 0 {
        println!("  … and {hidden} more");
    }
    count("refused")
}
