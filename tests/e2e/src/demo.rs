//! The demo retailer, loaded as `cargo up` does it.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::Environment;
use crate::components::root;

/// Loads it over HTTP, brand by brand, and waits until the read model has all of it.
pub(crate) async fn load(environment: &Environment) -> Result<()> {
    let folder = root().join("infra/demo");
    let text =
        std::fs::read_to_string(folder.join("brands.json")).context("infra/demo/brands.json")?;
    let document: Value = serde_json::from_str(&text)?;
    let admin = environment.admin();
    for brand in document["brands"].as_array().context("no brands")? {
        let handle = brand["handle"]
            .as_str()
            .context("a brand without a handle")?;
        let put = admin
            .put(&format!("/admin/brands/{handle}"))
            .json(brand)
            .send()
            .await?;
        ensure!(put.status.is_success(), "brand {handle}: {put:?}");
        for kind in ["locations", "products", "stock", "lanes"] {
            let file = folder.join(handle).join(format!("{kind}.csv"));
            if file.is_file() {
                let path = format!("/admin/imports?kind={kind}&brand={handle}&file={kind}.csv");
                let report = admin.post(&path).csv(std::fs::read(&file)?).send().await?;
                ensure!(
                    report.status.is_success() && report.json()["refused"] == 0,
                    "{}: {report:?}",
                    file.display()
                );
            }
        }
    }
    environment.drain_outbox().await
}
