//! What the system does on its own costs as much as there is to do, however much there is.

use aisle_e2e::{Database, Environment, Pair, Setup};
use aisle_edge::ComponentStats;
use anyhow::{Result, bail};

/// Rows of each table that are kept, and of which nothing is due.
const ROWS: i64 = 20_000;
/// Rows that one table may be read for in all chores: less than a part of those.
const READ: i64 = 2_000;
/// From one time to the next.
const EVERY_MS: i64 = 10_000;

const CHORES: [&str; 6] = [
    "/relay/run",
    "/checkout-sessions/recover",
    "/transfers/housekeeping",
    "/holds/housekeeping",
    "/accounts/housekeeping",
    "/messages/housekeeping",
];

/// Rows numbered `n.i` of the brand `b.id` at the location `l.id`, as of the moment `c.ms`.
const KEPT: [(&str, &str); 15] = [
    (
        "idempotency (scope, key, fingerprint, status_code, response, created_at_ms)",
        "'s', 'k' || n.i, 'f', 200, '{}', c.ms",
    ),
    (
        "rate_limit (name, window_ends_ms, used)",
        "'l' || n.i, c.ms, 1",
    ),
    (
        "outbox (id, brand_id, aggregate_type, aggregate_id, type, doc, created_at_ms, done_at_ms)",
        "'e' || n.i, b.id, 'order', 'o' || n.i, 'order.created', '{}', c.ms, c.ms",
    ),
    (
        "notice (event_id, brand_id, order_id, type, doc, occurred_at_ms, due_at_ms, done_at_ms)",
        "'e' || n.i, b.id, 'o' || n.i, 'order.confirmed', '{}', c.ms, c.ms, c.ms",
    ),
    (
        "cart (id, brand_id, status, doc, version, updated_at_ms, expires_at_ms)",
        "'c' || n.i, b.id, CASE WHEN n.i % 2 = 0 THEN 'ordered' ELSE 'active' END, '{}', 1, c.ms, c.ms + 86400000",
    ),
    (
        "checkout_session (id, brand_id, cart_id, status, doc, version, updated_at_ms, expires_at_ms)",
        "'s' || n.i, b.id, 'c' || n.i, 'completed', '{}', 1, c.ms, c.ms",
    ),
    (
        "customer_order (id, brand_id, number, checkout_session_id, status, doc, version, created_at_ms, updated_at_ms)",
        "'o' || n.i, b.id, 'n' || n.i, 's' || n.i, 'confirmed', '{}', 1, c.ms, c.ms",
    ),
    (
        "payment (id, brand_id, order_id, attempt, handler, amount_minor, currency, status, updated_at_ms)",
        "'p' || n.i, b.id, 'o' || n.i, 1, 'h', 1, 'EUR', 'authorised', c.ms",
    ),
    (
        "pickup (brand_id, order_id, location_id, status, ready_at_ms, pickup_by_ms, version, updated_at_ms)",
        "b.id, 'o' || n.i, l.id, 'collected', c.ms, c.ms, 1, c.ms",
    ),
    (
        "hold (id, brand_id, number, location_id, status, expires_at_ms, doc, version, created_at_ms, updated_at_ms)",
        "'h' || n.i, b.id, 'n' || n.i, l.id, 'released', c.ms, '{}', 1, c.ms, c.ms",
    ),
    (
        "transfer (id, brand_id, number, status, from_location_id, to_location_id, ready_at_ms, expires_at_ms, doc, \
         version, created_at_ms, updated_at_ms)",
        "'t' || n.i, b.id, 'n' || n.i, 'closed', l.id, l.id, c.ms, c.ms, '{}', 1, c.ms, c.ms",
    ),
    (
        "account (id, brand_id, status, doc, version, created_at_ms, updated_at_ms, last_seen_at_ms)",
        "'a' || n.i, b.id, 'active', '{}', 1, c.ms, c.ms, c.ms",
    ),
    (
        "account_session (id, brand_id, account_id, device_name, access_hash, access_expires_at_ms, created_at_ms, \
         last_used_at_ms, expires_at_ms)",
        "'d' || n.i, b.id, 'a' || n.i, 'phone', 'h' || n.i, c.ms, c.ms, c.ms, c.ms + 86400000",
    ),
    (
        "message (id, brand_id, dedup_key, channel, address, purpose, template, locale, params, order_id, status, \
         next_attempt_at_ms, expires_at_ms, created_at_ms, updated_at_ms)",
        "'m' || n.i, b.id, 'm' || n.i, 'email', 'a' || n.i, 'update', 't', 'de', '{}', 'o' || n.i, 'sent', c.ms, c.ms, c.ms, c.ms",
    ),
    (
        "consent (id, brand_id, channel, address, purpose, wording_version, decision, source, at_ms)",
        "'w' || n.i, b.id, 'email', 'a' || n.i, 'update', '1', 'given', 'page', c.ms",
    ),
];

pub async fn chores_read_what_is_due(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    match pair {
        Pair::Embedded if !crate::harness::counts_sql() => Ok(()),
        Pair::Embedded => sqlite_takes_no_more_steps(&aisle).await,
        Pair::Servers => postgres_reads_no_more_rows(aisle).await,
    }
}

/// The steps of SQLite's machine are those of a small system.
async fn sqlite_takes_no_more_steps(aisle: &Environment) -> Result<()> {
    let with_none = cost_of_a_turn(aisle, 1, |component| component.sql_steps).await?;
    fill(aisle).await?;
    let with_all = cost_of_a_turn(aisle, 10, |component| component.sql_steps).await?;
    assert!(
        with_all < 2 * with_none,
        "{with_all} steps instead of {with_none}"
    );
    Ok(())
}

/// PostgreSQL itself counts the rows that it reads, by an index or without.
async fn postgres_reads_no_more_rows(aisle: Environment) -> Result<()> {
    fill(&aisle).await?;
    aisle.database.rows("ANALYZE").await?;
    let before = read_rows(&aisle.database).await?;
    tidy_up(&aisle, 1).await?;
    let database = aisle.database.clone();
    aisle.shutdown().await;
    // What a session has read is told when it has ended.
    until_alone(&database).await?;
    for (table, read) in read_rows(&database).await? {
        let earlier = before.iter().find(|(name, _)| *name == table);
        let read = read - earlier.map_or(0, |(_, read)| *read);
        assert!(read < READ, "{read} rows of {table} were read");
    }
    Ok(())
}

async fn fill(aisle: &Environment) -> Result<()> {
    let moment = "1000 * (SELECT max(updated_at_ms) / 1000 FROM location)";
    for (table, values) in KEPT {
        let sql = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}), \
             b (id) AS (SELECT id FROM brand WHERE handle = 'north'), l (id) AS (SELECT min(id) FROM location), \
             c (ms) AS (SELECT {moment}) INSERT INTO {table} SELECT {values} FROM n, b, l, c"
        );
        aisle.database.rows(&sql).await?;
    }
    Ok(())
}

/// Does all chores, as the ticker has them done at this turn.
async fn tidy_up(aisle: &Environment, turn: i64) -> Result<()> {
    let database = &aisle.database;
    database.set_clock_forward_ms(turn * EVERY_MS).await?;
    let ticker = aisle.with_key(&aisle.relay_key);
    for path in CHORES {
        ticker.post(path).expect(200).await?;
    }
    Ok(())
}

/// How many rows of each large table were read so far.
async fn read_rows(database: &Database) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT t.relname, t.seq_tup_read + coalesce(sum(i.idx_tup_read), 0) FROM pg_stat_user_tables t \
               LEFT JOIN pg_stat_user_indexes i ON i.relid = t.relid \
               WHERE t.n_live_tup + t.n_dead_tup > 2000 GROUP BY t.relid, t.relname, t.seq_tup_read";
    let rows = database.rows(sql).await?;
    let row = |row: Vec<Option<String>>| {
        let mut row = row.into_iter().flatten();
        let table = row.next().unwrap_or_default();
        Ok((table, row.next().unwrap_or_default().parse()?))
    };
    rows.into_iter().map(row).collect()
}

async fn until_alone(database: &Database) -> Result<()> {
    const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                          AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    const LOOKS: usize = 10_000;
    for _ in 0..LOOKS {
        if database.number(OTHERS).await? == 0 {
            return Ok(());
        }
    }
    bail!("connections to the database stay open")
}

/// Seventy brands with nothing to do cost no more calls than a few.
pub async fn idling_costs_the_same_whatever_the_number_of_brands(pair: Pair) -> Result<()> {
    if !crate::harness::counts_sql() {
        return Ok(());
    }
    let aisle = Setup::demo(pair).start().await?;
    let with_few = cost_of_a_turn(&aisle, 1, |component| component.sql).await?;
    let more = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70) \
                INSERT INTO brand (id, handle, is_default, doc, version, updated_at_ms) \
                SELECT 'b' || n.i, 'b' || n.i, 0, replace(b.doc, b.id, 'b' || n.i), 1, 0 \
                FROM n, brand b WHERE b.handle = 'north'";
    aisle.database.rows(more).await?;
    aisle.edge().clear_key_value().await?;
    let with_many = cost_of_a_turn(&aisle, 10, |component| component.sql).await?;
    assert!(
        with_many <= with_few,
        "{with_many} calls, {with_few} before"
    );
    Ok(())
}

/// What a turn of all chores costs, after others that have left nothing to do.
async fn cost_of_a_turn(
    aisle: &Environment,
    first: i64,
    cost: fn(&ComponentStats) -> u64,
) -> Result<u64> {
    for turn in first..first + 3 {
        tidy_up(aisle, turn).await?;
    }
    let before = aisle.edge().stats();
    tidy_up(aisle, first + 3).await?;
    let since = &aisle.edge().stats() - &before;
    Ok(since.components.values().map(cost).sum())
}
