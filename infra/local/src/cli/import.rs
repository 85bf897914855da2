//! Sends CSV files to `POST /admin/imports` and shows what came of them.

use std::path::{Path, PathBuf};

use aisle_domain::import::{self, Table};
use anyhow::{Context, bail};
use bytes::Bytes;
use clap::ValueEnum;
use futures::TryStreamExt;
use http::Method;
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use indicatif::ProgressBar;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;
use wasmtime_wasi_http::{Error, WasiBody};

use super::client::{Client, Payload, Target};
use super::parts::{self, Parts};
use super::progress;

/// Bad rows, and warnings, shown for each file.
const SHOWN_FINDINGS: usize = 20;
/// As much of a file as is read to find its header.
const HEAD_BYTES: usize = 512 * 1024;

#[derive(Debug, clap::Args)]
pub struct Flags {
    /// CSV files: products of Shopify, WooCommerce or Google Merchant Center, prices and more by
    /// SKU, locations, stock (also Shopify's inventory), or lanes.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    target: Target,
    /// Handle of the brand that the rows belong to.
    #[arg(long)]
    brand: Option<String>,
    /// What the files hold; by default guessed from each file's first row.
    #[arg(long)]
    kind: Option<Kind>,
    /// Say what would become of the files, and change nothing.
    #[arg(long)]
    check: bool,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    /// Products, or changes of some of their columns by SKU.
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
}

impl From<import::Kind> for Kind {
    fn from(kind: import::Kind) -> Self {
        match kind {
            import::Kind::Products => Self::Products,
            import::Kind::Locations => Self::Locations,
            import::Kind::Stock => Self::Stock,
            import::Kind::Lanes => Self::Lanes,
        }
    }
}

/// Imports the files, one after the other.
///
/// # Errors
/// A file cannot be read, nobody answers, or the edge refuses a file as a whole.
pub async fn run(flags: Flags) -> anyhow::Result<()> {
    let client = flags.target.client()?;
    let mut refused = 0;
    for file in &flags.files {
        let kind = match flags.kind {
            Some(kind) => kind,
            None => guess(file).await?,
        };
        let report =
            send_or_check(&client, file, kind, flags.brand.as_deref(), flags.check).await?;
        refused += show(file, &report);
    }
    match (refused, flags.check) {
        (0, _) => Ok(()),
        (_, true) => bail!("{refused} rows would be refused; nothing was changed"),
        (_, false) => bail!("{refused} rows were refused; the others are in"),
    }
}

async fn guess(file: &Path) -> anyhow::Result<Kind> {
    let mut head = vec![0; HEAD_BYTES];
    let mut opened = open(file).await?;
    let mut filled = 0;
    loop {
        let read = opened.read(&mut head[filled..]).await;
        match read.with_context(|| file.display().to_string())? {
            0 => break,
            bytes => filled += bytes,
        }
    }
    let mut table = Table::default();
    table.feed(&head[..filled]);
    if filled < HEAD_BYTES {
        table.finish();
    }
    // Reading a row reads the header before it.
    let _ = table.next_row();
    let kind = table.header().and_then(import::Kind::of);
    kind.map(Kind::from).with_context(|| {
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
    send_or_check(client, file, kind, brand, false).await
}

async fn send_or_check(
    client: &Client,
    file: &Path,
    kind: Kind,
    brand: Option<&str>,
    check: bool,
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
    if check {
        query.append_pair("dry_run", "true");
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
    let would = match report.get("dry_run").and_then(Value::as_bool) {
        Some(true) => " (checked, nothing changed)",
        _ => "",
    };
    println!(
        "{}: {} rows, {} created, {} updated, {} unchanged, {} refused{would}",
        file.display(),
        count("rows"),
        count("created"),
        count("updated"),
        count("unchanged"),
        count("refused")
    );
    show_findings(report, "errors", "");
    show_findings(report, "warnings", "note: ");
    count("refused")
}

fn show_findings(report: &Value, name: &str, mark: &str) {
    let findings = report.get(name).and_then(Value::as_array);
    let findings = findings.map(Vec::as_slice).unwrap_or_default();
    for finding in findings.iter().take(SHOWN_FINDINGS) {
        let text = |name: &str| match finding.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        println!(
            "  {mark}line {}, {}: {}",
            text("line"),
            text("column"),
            text("reason")
        );
    }
    let omitted = report
        .get(format!("{name}_omitted"))
        .and_then(Value::as_u64);
    let hidden = findings.len().saturating_sub(SHOWN_FINDINGS) as u64 + omitted.unwrap_or_default();
    if hidden > 0 {
        println!("  {mark}… and {hidden} more");
    }
}
