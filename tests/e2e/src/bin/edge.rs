//! An edge as a process of its own, for tests that kill one.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    aisle_e2e::process::serve().await
}
