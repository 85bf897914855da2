//! Whether what the service stands on is there.

use aisle_http::{Call, Error, Reply};
use aisle_store::{SCHEMA_VERSION, StoreError, values};
use serde::Serialize;

const OK: &str = "ok";

/// `ok`, or what is wrong, for each dependency.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Health {
    database: String,
    schema: String,
    key_value_store: String,
}

/// 200 while all is well, 503 otherwise. At most one call to the database.
pub async fn answer(call: &Call) -> Result<Reply, Error> {
    let store = call.kv().check().await;
    let newest = "SELECT coalesce(max(version), 0) AS version FROM schema_version";
    let version = match call.db().query_one_opt(newest, values![]).await {
        Ok(row) => row.map_or(Ok(0), |row| row.int("version")),
        Err(error) => Err(error),
    };
    let health = Health::of(version, store);
    let status = if health.is_well() { 200 } else { 503 };
    Ok(Reply::json(status, &health)?.header("cache-control", "no-store"))
}

impl Health {
    fn of(version: Result<i64, StoreError>, store: Result<(), StoreError>) -> Self {
        let (database, schema) = match version {
            Ok(SCHEMA_VERSION) => (OK.into(), OK.into()),
            Ok(found) => (OK.into(), mismatch(found)),
            Err(StoreError::SchemaMismatch { found, .. }) => (OK.into(), mismatch(found)),
            Err(error) => (said(&error), "unknown".into()),
        };
        let key_value_store = store.map_or_else(|error| said(&error), |()| OK.into());
        Self {
            database,
            schema,
            key_value_store,
        }
    }

    fn is_well(&self) -> bool {
        [&self.database, &self.schema, &self.key_value_store]
            .into_iter()
            .all(|one| one == OK)
    }
}

fn mismatch(found: i64) -> String {
    format!("version {found}, but version {SCHEMA_VERSION} is needed")
}

/// To the public only the kind of the trouble; its words can name hosts. They go to the log.
fn said(error: &StoreError) -> String {
    eprintln!("profile: {error}");
    match error {
        StoreError::Unavailable(_) | StoreError::Busy(_) => "unavailable".into(),
        StoreError::SchemaMismatch { .. } | StoreError::Bug(_) => "failing".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(health: &Health) -> [&str; 3] {
        [&health.database, &health.schema, &health.key_value_store]
    }

    #[test]
    fn each_dependency_speaks_for_itself() {
        let well = Health::of(Ok(SCHEMA_VERSION), Ok(()));
        assert!(well.is_well());
        let old = Health::of(
            Err(StoreError::SchemaMismatch {
                found: 1,
                expected: 2,
            }),
            Ok(()),
        );
        assert_eq!(
            parts(&old),
            ["ok", "version 1, but version 2 is needed", "ok"]
        );
        let down = || StoreError::Unavailable("db.internal:5432 refused".into());
        let dead = Health::of(Err(down()), Err(down()));
        assert_eq!(parts(&dead), ["unavailable", "unknown", "unavailable"]);
        assert!(!old.is_well() && !dead.is_well());
    }
}
