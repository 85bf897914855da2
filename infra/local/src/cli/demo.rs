//! Loads the demo retailer, over the same routes that a user has.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use super::client::{Client, Payload, Target};
use super::import::{self, Kind};
use super::progress;

/// Files of a brand in the order in which they build on each other.
const FILES: [(&str, Kind); 4] = [
    ("locations.csv", Kind::Locations),
    ("products.csv", Kind::Products),
    ("stock.csv", Kind::Stock),
    ("lanes.csv", Kind::Lanes),
];

#[derive(Debug, clap::Args)]
pub struct Flags {
    #[command(flatten)]
    target: Target,
}

/// Loads the demo retailer into a running app; again, if need be, which changes nothing.
///
/// # Errors
/// As for [`load`].
pub async fn run(manifest: &Path, flags: &Flags) -> anyhow::Result<()> {
    let loading = progress::step("loading the demo retailer");
    load(&flags.target.client()?, &folder(manifest)).await?;
    progress::done(&loading, "the demo retailer is loaded");
    Ok(())
}

/// Where the demo retailer is.
pub fn folder(manifest: &Path) -> PathBuf {
    let root = manifest.parent().unwrap_or(Path::new(""));
    root.join("infra/demo")
}

/// Whether there is a demo retailer to load.
pub fn exists(folder: &Path) -> bool {
    folder.join("brands.json").is_file()
}

/// Creates the brands and imports their files.
///
/// # Errors
/// A demo file is broken, or the edge refuses it.
pub async fn load(client: &Client, folder: &Path) -> anyhow::Result<()> {
    let text = std::fs::read(folder.join("brands.json"))?;
    let document: Value = serde_json::from_slice(&text).context("brands.json is no JSON")?;
    let brands = document
        .get("brands")
        .and_then(Value::as_array)
        .context("brands.json has no brands")?;
    for brand in brands {
        let handle = brand
            .get("handle")
            .and_then(Value::as_str)
            .context("a brand has no handle")?;
        put_brand(client, handle, brand)
            .await
            .with_context(|| format!("brand {handle}"))?;
        for (name, kind) in FILES {
            let file = folder.join(handle).join(name);
            if file.is_file() {
                let report = import::send(client, &file, kind, Some(handle)).await?;
                import::show(&file, &report);
            }
        }
    }
    Ok(())
}

async fn put_brand(client: &Client, handle: &str, brand: &Value) -> anyhow::Result<()> {
    let body = Bytes::from(serde_json::to_vec(brand)?);
    let payload = Payload {
        content_type: "application/json",
        length: body.len() as u64,
        body: Full::new(body)
            .map_err(|never| match never {})
            .boxed_unsync(),
    };
    client
        .send(Method::PUT, &format!("/admin/brands/{handle}"), payload)
        .await?;
    Ok(())
}
