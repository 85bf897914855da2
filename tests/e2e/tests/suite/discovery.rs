//! How a client finds out what it can do: the UCP profile and the OpenAPI document.

use aisle_e2e::components::root;
use aisle_e2e::json::Look;
use aisle_e2e::{Pair, Setup};
use anyhow::{Context, Result};
use http::Method;
use serde_json::Value;

/// A platform calls what the profile says, at the host under which it found the profile.
pub async fn the_profile_names_the_brands_own_endpoint(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    for shopper in [aisle.north(), aisle.harbor()] {
        let profile = shopper.get("/.well-known/ucp").expect(200).await?;
        assert!(
            profile.header("cache-control").contains("max-age"),
            "{profile:?}"
        );
        let profile = profile.json();
        assert_eq!(profile.text("/ucp/version"), "2026-08-25");
        for service in ["dev.ucp.shopping", "dev.ucp.common"] {
            let bindings = profile.at("/ucp/services")[service]
                .as_array()
                .with_context(|| format!("{profile:#}"))?;
            let rest = bindings
                .iter()
                .find(|binding| binding["transport"] == "rest")
                .context("no REST binding")?;
            assert_eq!(
                rest.text("/endpoint").trim_end_matches('/'),
                shopper.origin()
            );
        }
        for capability in [
            "dev.ucp.shopping.catalog.search",
            "dev.ucp.shopping.catalog.lookup",
            "dev.ucp.shopping.cart",
            "dev.ucp.shopping.checkout",
            "dev.ucp.shopping.fulfillment",
            "dev.ucp.shopping.order",
            "dev.ucp.common.location.search",
            "dev.ucp.common.location.lookup",
        ] {
            assert!(
                profile.at("/ucp/capabilities")[capability].is_array(),
                "{capability} is missing: {profile:#}"
            );
        }
    }
    Ok(())
}

/// Every route of the manifest is described, and everything described is there.
pub async fn the_openapi_document_is_the_api(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let document = shopper.get("/openapi.json").expect(200).await?.json();
    assert!(
        document.text("/openapi").starts_with("3.1."),
        "{}",
        document["openapi"]
    );
    let paths = document.at("/paths").as_object().context("no paths")?;

    let manifest = std::fs::read_to_string(root().join("spin.toml"))?;
    let routes = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("route = \"")?.strip_suffix('"'));
    // Pages for people are no part of the API.
    let of_pages = |route: &&str| route.starts_with("/dev/") || route.starts_with("/my/");
    for route in routes.filter(|route| !of_pages(route)) {
        let prefix = route.trim_end_matches("/...");
        let described = paths
            .keys()
            .any(|path| path == prefix || path.starts_with(&format!("{prefix}/")));
        assert!(described, "{route} of spin.toml is not described");
    }
    let nowhere = shopper.get("/catalog/nowhere").expect(404).await?.json();
    let nowhere = nowhere.text("/messages/0/content");
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().context("no operations")? {
            assert!(
                operation["responses"]
                    .as_object()
                    .is_some_and(|answers| !answers.is_empty()),
                "{method} {path}"
            );
            let method: Method = method.to_uppercase().parse()?;
            let answer = aisle
                .admin()
                .call(method.clone(), &fill_in(path))
                .send()
                .await?;
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(
                !answer.text().contains(nowhere),
                "{method} {path}: {answer:?}"
            );
        }
    }
    references_resolve(&document, &document);
    Ok(())
}

/// Fills the path's parameters with something.
fn fill_in(path: &str) -> String {
    let filled = path.split('/').map(|segment| {
        if segment.starts_with('{') {
            "x"
        } else {
            segment
        }
    });
    filled.collect::<Vec<_>>().join("/")
}

fn references_resolve(document: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                document.at(reference.trim_start_matches('#'));
            }
            members
                .values()
                .for_each(|member| references_resolve(document, member));
        }
        Value::Array(members) => members
            .iter()
            .for_each(|member| references_resolve(document, member)),
        _ => {}
    }
}
