//! What SQLite does in a component where one would not expect it.

use anyhow::{Context, bail};
use spin_sdk::sqlite::{Connection, Value};

/// Answers one question about SQLite.
pub async fn answer(question: &str) -> anyhow::Result<String> {
    let connection = match Connection::open_default().await {
        Ok(connection) => connection,
        Err(error) => return Ok(format!("{error:?}")),
    };
    if question == "open" {
        return Ok("opened".to_owned());
    }
    run(&connection, "CREATE TABLE IF NOT EXISTS thing (name TEXT)").await?;
    match question {
        "error" => late_error(&connection).await,
        "two-statements" => two_statements(&connection).await,
        "two-unread" => two_unread(&connection).await,
        "changes" => changes(&connection).await,
        "forgotten" => forgotten(&connection).await,
        "trap" => {
            forgotten(&connection).await?;
            panic!("the probe was asked to trap inside a transaction")
        }
        "add" => {
            run(&connection, "INSERT INTO thing VALUES ('added')").await?;
            Ok(String::new())
        }
        "count" => count(&connection).await,
        "full-text" => full_text(&connection).await,
        _ => bail!("no such question"),
    }
}

async fn run(connection: &Connection, statement: &str) -> anyhow::Result<()> {
    connection.execute(statement, []).await?.collect().await?;
    Ok(())
}

async fn count(connection: &Connection) -> anyhow::Result<String> {
    let rows = connection
        .execute("SELECT count(*) FROM thing", [])
        .await?
        .collect()
        .await?;
    let count: i64 = rows
        .first()
        .and_then(|row| row.get(0))
        .context("no count")?;
    Ok(count.to_string())
}

async fn late_error(connection: &Connection) -> anyhow::Result<String> {
    let started = connection.execute("SELECT * FROM nowhere", []).await;
    let executed = if started.is_ok() { "ok" } else { "error" };
    let result = started?.result().await;
    Ok(format!(
        "execute: {executed}, result: {}",
        if result.is_ok() { "ok" } else { "error" }
    ))
}

async fn two_statements(connection: &Connection) -> anyhow::Result<String> {
    run(
        connection,
        "INSERT INTO thing VALUES ('a'); INSERT INTO thing VALUES ('b')",
    )
    .await?;
    count(connection).await
}

/// Never ends: the second statement waits for the first one's rows to be read.
async fn two_unread(connection: &Connection) -> anyhow::Result<String> {
    const MANY: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) SELECT i FROM n";
    let first = connection.execute(MANY, []).await?;
    let second = connection.execute(MANY, []).await?;
    first.result().await?;
    second.result().await?;
    Ok("both".to_owned())
}

async fn changes(connection: &Connection) -> anyhow::Result<String> {
    let three = "INSERT INTO thing VALUES ('x'), ('y'), ('z')";
    run(connection, three).await?;
    let after_insert = connection.changes().await;
    count(connection).await?;
    let after_select = connection.changes().await;
    Ok(format!("{after_insert} {after_select}"))
}

/// Leaves a row in a transaction that nobody commits.
async fn forgotten(connection: &Connection) -> anyhow::Result<String> {
    run(connection, "BEGIN IMMEDIATE").await?;
    run(connection, "INSERT INTO thing VALUES ('forgotten')").await?;
    count(connection).await
}

async fn full_text(connection: &Connection) -> anyhow::Result<String> {
    run(
        connection,
        "CREATE VIRTUAL TABLE IF NOT EXISTS page USING fts5 (body)",
    )
    .await?;
    run(connection, "INSERT INTO page VALUES ('a red umbrella')").await?;
    let query = "SELECT count(*) FROM page WHERE page MATCH ?";
    let found = connection
        .execute(query, [Value::Text("umbrella".into())])
        .await?;
    let rows = found.collect().await?;
    Ok(rows
        .first()
        .and_then(|row| row.get::<i64>(0))
        .context("no count")?
        .to_string())
}
