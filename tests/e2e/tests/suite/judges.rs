//! Judges that are not ours: a runner for the Universal Commerce Protocol's clauses, and
//! schemathesis for the OpenAPI document.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use aisle_e2e::environment::HARBOR_COUNTRY;
use aisle_e2e::json::Look;
use aisle_e2e::python::{programs, said};
use aisle_e2e::shopping::{self, items, line, shipping_checkout};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const PACKAGES: [&str; 2] = ["spck-conformance==0.4.0", "schemathesis==4.32.5"];

/// What schemathesis looks at: that nothing fails, and that every answer is as described.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance";
const EXAMPLES_PER_OPERATION: &str = "10";

/// No clause of UCP that the runner can check is violated.
pub async fn the_ucp_runner_finds_no_deviation(pair: Pair) -> Result<()> {
    let Some(runner) = tool("spck-conformance") else {
        return Ok(());
    };
    let aisle = Setup::demo(pair).start().await?;
    let shopper = harbor_by_address(&aisle).await?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("merchant.json");
    std::fs::write(&config, config_for(&shopper).await?.to_string())?;

    // A platform may leave the type of a destination to the business.
    for shape in [None, Some("--omit-destination-type")] {
        let mut command = Command::new(&runner);
        command
            .args(["--server", &shopper.origin(), "--json", "--config"])
            .arg(&config)
            .args(shape);
        judge(tokio::task::spawn_blocking(move || command.output()).await??)?;
    }
    assert_eq!(aisle.traps(), 0);
    aisle.database.check_invariants().await
}

fn judge(output: Output) -> Result<()> {
    let report: Value = serde_json::from_slice(&output.stdout).with_context(|| said(&output))?;
    assert_eq!(report["spec_version"], "2026-08-25");
    let with_status = |status: &str| -> Vec<&Value> {
        let checks = report.list("/checks").iter();
        checks
            .filter(|check| check.text("/status").starts_with(status))
            .collect()
    };
    let (deviations, broken) = (with_status("deviation"), with_status("error"));
    ensure!(
        output.status.success() && deviations.is_empty() && broken.is_empty(),
        "{deviations:#?}\n{broken:#?}\n{}",
        output.status
    );
    let passed = with_status("clean-pass").len();
    ensure!(
        passed >= 35,
        "only {passed} checks could be run: {:#?}",
        with_status("not-tested")
    );
    Ok(())
}

/// Gives Harbor, which ships where the runner's buyer lives, a name that the runner can resolve,
/// and no tax that depends on the state: the runner's address has none, and would be asked for it.
async fn harbor_by_address(aisle: &Environment) -> Result<Client> {
    let admin = aisle.admin();
    let mut brand = admin.get("/admin/brands/harbor").expect(200).await?.json();
    let hosts = brand["hosts"].as_array_mut().context("no hosts")?;
    hosts.push(json!(aisle.addr().to_string()));
    let rates = brand["tax_rates"].as_array_mut().context("no rates")?;
    rates.retain(|rate| rate["region"].is_null());
    admin
        .put("/admin/brands/harbor")
        .json(&brand)
        .expect(200)
        .await?;
    aisle.drain_outbox().await?;
    Ok(aisle.client("127.0.0.1"))
}

/// What the runner needs to know of the demo retailer.
async fn config_for(shopper: &Client) -> Result<Value> {
    let wanted = items(shopper, 2).await?;
    let everything = json!({"query": "*", "pagination": {"limit": 50}});
    let everything = shopper
        .post("/catalog/search")
        .json(&everything)
        .expect(200)
        .await?
        .json();
    let configurable = everything.list("/products").iter().find(|product| {
        product["options"]
            .as_array()
            .is_some_and(|options| !options.is_empty())
    });
    let ready = shipping_checkout(shopper, &[line(&wanted[0].id, 1)], HARBOR_COUNTRY).await?;
    Ok(json!({
        "product_id": wanted[0].id,
        "currency": ready["currency"],
        "fulfillment_option_id": ready.at("/fulfillment/methods/0/groups/0/options/0/id"),
        "complete_payment": shopping::payment(&ready),
        "catalog": {
            "variant_id": wanted[0].id,
            "configurable_product_id": configurable.context("no product with options")?.at("/id"),
            "max_batch": 100,
            "paginated_query": "*",
            "paginated_total": everything.list("/products").len(),
        },
        "cart": {"second_product_id": wanted[1].id},
    }))
}

/// Whatever is sent to the routes of the OpenAPI document, the answer is as it says.
pub async fn schemathesis_finds_every_answer_described(pair: Pair) -> Result<()> {
    let Some(schemathesis) = tool("schemathesis") else {
        return Ok(());
    };
    let aisle = Setup::demo(pair).start().await?;
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(schemathesis);
    command
        .args(["run", &format!("http://{}/openapi.json", aisle.addr())])
        .args([
            "--header",
            &format!("Authorization: Bearer {}", aisle.admin_key),
        ])
        .args(["--checks", CHECKS, "--max-examples", EXAMPLES_PER_OPERATION])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--seed",
            "1",
            "--generation-deterministic",
        ])
        .current_dir(&folder);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    ensure!(output.status.success(), "{}", said(&output));
    assert_eq!(aisle.traps(), 0);
    aisle.database.check_invariants().await
}

/// A tool's program, installed once from its registry into the build folder; nothing,
/// after saying why, where that cannot be done.
fn tool(name: &str) -> Option<PathBuf> {
    static VENV: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let install =
        || VENV.get_or_init(|| programs("venv", &PACKAGES).map_err(|error| format!("{error:#}")));
    match tokio::task::block_in_place(install) {
        Ok(programs) => Some(programs.join(name)),
        Err(reason) => {
            crate::harness::skip("the independent judges", reason);
            None
        }
    }
}
