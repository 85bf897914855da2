//! Writes the OpenAPI document when the component is built: it changes with the code only,
//! and the library that describes the shapes would be half of the component.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let document = serde_json::to_vec(&aisle_ucp::openapi::document())?;
    fs::write(
        Path::new(&env::var("OUT_DIR")?).join("openapi.json"),
        document,
    )?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
