//! What SQLite does in a component where one would not expect it.

use anyhow::{Context, bail};
use spin_sdk::pg;
use spin_sdk::sqlite::{Connection, Value};

/// Runs for minutes unless it is stopped, and then says one number.
const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000) SELECT max(i) FROM n";

/// An endless statement on PostgreSQL, which does not hand rows on as they come.
pub async fn endless_on_postgres(address: &str, heavy: bool) -> anyhow::Result<String> {
    let connection = pg::Connection::open(address).await?;
    let statement = marked("SELECT pg_sleep(600)::text", heavy);
    let ended = match connection.query(statement, vec![]).await {
        Ok(rows) => rows.collect().await.map(drop),
        Err(error) => Err(error),
    };
    Ok(ended.map_or_else(|error| format!("{error:?}"), |()| "slept".to_owned()))
}

fn marked(statement: &str, heavy: bool) -> String {
    match heavy {
        true => format!("/* heavy: probe */ {statement}"),
        false => statement.to_owned(),
    }
}

/// Answers one question about SQLite.
pub async fn answer(question: &str) -> anyhow::Result<String> {
    let connection = match Connection::open_default().await {
        Ok(connection) => connection,
        Err(error) => return Ok(format!("{error:?}")),
    };
    if question == "open" {
        return Ok("opened".to_owned());
    }
    // Of a request that has changed nothing.
    match question {
        "endless" => return endless(&connection, false).await,
        "endless-heavy" => return endless(&connection, true).await,
        "endless-unread" => return endless_unread(&connection).await,
        _ => {}
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
        "endless-change" => endless_change(&connection).await,
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

async fn endless(connection: &Connection, heavy: bool) -> anyhow::Result<String> {
    let result = connection.execute(marked(ENDLESS, heavy), []).await?;
    Ok(ended(result.collect().await))
}

/// Asks, and does not wait for the answer.
async fn endless_unread(connection: &Connection) -> anyhow::Result<String> {
    drop(connection.execute(ENDLESS, []).await?);
    Ok("dropped".to_owned())
}

/// A change that never ends, after one that did.
async fn endless_change(connection: &Connection) -> anyhow::Result<String> {
    run(connection, "BEGIN IMMEDIATE").await?;
    run(connection, "INSERT INTO thing VALUES ('before')").await?;
    let change = format!("INSERT INTO thing SELECT * FROM ({ENDLESS})");
    let result = connection.execute(change, []).await?;
    Ok(ended(result.collect().await))
}

fn ended<T, E: std::fmt::Debug>(result: Result<T, E>) -> String {
    result.map_or_else(|error| format!("{error:?}"), |_| "ended".to_owned())
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
