//! The database of one request: which one, its connection, and reads.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use futures::lock::Mutex;
use spin_sdk::variables;

use crate::{
    Batch, Dialect, Row, SCHEMA_VERSION, Sql, StoreError, Value, deadline,
    error::Failure,
    postgres,
    sql::{self, Form},
    sqlite,
};

thread_local! {
    /// What this instance learned once and need not ask again for each request.
    static KNOWN: RefCell<Known> = const { RefCell::new(Known { url: None, schema_seen: false }) };
}

struct Known {
    url: Option<Rc<str>>,
    schema_seen: bool,
}

/// One request's way to the database: at most one connection, opened by the first
/// statement, on which statements go one after the other.
pub struct Db {
    url: Rc<str>,
    connection: Mutex<Option<Connection>>,
}

pub(crate) enum Connection {
    Sqlite(sqlite::Connection),
    Postgres(postgres::Connection),
}

impl Db {
    /// The database that the variable `database_url` names, or the runtime's SQLite when
    /// it is empty. Makes no call to the database yet.
    pub async fn open() -> Result<Self, StoreError> {
        Ok(Self {
            url: database_url().await?,
            connection: Mutex::new(None),
        })
    }

    pub fn dialect(&self) -> Dialect {
        if self.url.is_empty() {
            Dialect::Sqlite
        } else {
            Dialect::Postgres
        }
    }

    /// Runs one statement and returns all its rows: one call. `?1` and `{now}` work on
    /// both databases. Not for changes; those are a [`Batch`](crate::Batch). What is asked
    /// again and again is [`recall`](Self::recall).
    pub async fn query(
        &self,
        sql: impl Into<Sql>,
        params: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into();
        let form = self.dialect().pick(Form::Sqlite, Form::PostgresQuery);
        let text = sql::translate(sql.text(self.dialect()), &params, form)?;
        let mut tries = Tries::new();
        loop {
            match self
                .with_connection(async |connection| connection.query(&text, &params).await)
                .await
            {
                Err(Failure::Contended(why)) => tries.again(why).await?,
                answer => return Ok(answer?),
            }
        }
    }

    /// The same for a statement of many parts, whose text is always the same and whose rows are
    /// few: PostgreSQL keeps its plan, which costs more to make than to follow.
    pub async fn recall(
        &self,
        sql: impl Into<Sql>,
        params: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        if self.dialect() == Dialect::Sqlite {
            return self.query(sql, params).await;
        }
        let mut batch = Batch::new();
        batch.rows(sql, params);
        let results = batch.commit(self).await?;
        Ok(results
            .into_iter()
            .next()
            .map_or_else(Vec::new, |one| one.rows))
    }

    /// The first row of [`query`](Self::query), if there is one.
    pub async fn query_one_opt(
        &self,
        sql: impl Into<Sql>,
        params: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Runs `work` on the request's connection within the deadline. A connection that
    /// failed is dropped, so that the next statement opens a fresh one.
    pub(crate) async fn with_connection<T>(
        &self,
        work: impl AsyncFnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut slot = self.connection.lock().await;
        let attempt = async {
            let connection = match slot.take() {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            let answer = work(&connection).await;
            if !matches!(answer, Err(Failure::Unavailable(_) | Failure::Contended(_))) {
                *slot = Some(connection);
            }
            answer
        };
        let answer = deadline::within(deadline::CALL, attempt).await;
        answer.unwrap_or_else(|| Err(Failure::Unavailable("no answer within the deadline".into())))
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let connection = match self.dialect() {
            Dialect::Sqlite => Connection::Sqlite(sqlite::Connection::open().await?),
            Dialect::Postgres => Connection::Postgres(postgres::Connection::open(&self.url).await?),
        };
        if !KNOWN.with_borrow(|known| known.schema_seen) {
            check_schema(&connection).await?;
        }
        Ok(connection)
    }
}

/// A connection of SQLite stays with the instance; one of PostgreSQL goes back to its pool,
/// where others wait for it.
impl Drop for Db {
    fn drop(&mut self) {
        if let Some(Connection::Sqlite(connection)) = self.connection.get_mut().take() {
            connection.keep();
        }
    }
}

impl Connection {
    pub(crate) async fn query(&self, text: &str, params: &[Value]) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Sqlite(connection) => connection.query(text, params).await,
            Self::Postgres(connection) => connection.query(text, params).await,
        }
    }
}

/// Once per instance, not per request: a schema does not change under a running one
/// without the deployment that replaces it.
async fn check_schema(connection: &Connection) -> Result<(), Failure> {
    let rows = connection
        .query(
            "SELECT coalesce(max(version), 0) AS version FROM schema_version",
            &[],
        )
        .await;
    let found = match rows {
        Ok(rows) => rows
            .first()
            .map_or(Ok(0), |row| row.int("version"))
            .map_err(|error| Failure::Bug(error.to_string()))?,
        Err(Failure::NoTable(_)) => 0,
        Err(failure) => return Err(failure),
    };
    if found != SCHEMA_VERSION {
        return Err(Failure::SchemaMismatch { found });
    }
    KNOWN.with_borrow_mut(|known| known.schema_seen = true);
    Ok(())
}

async fn database_url() -> Result<Rc<str>, StoreError> {
    if let Some(url) = KNOWN.with_borrow(|known| known.url.clone()) {
        return Ok(url);
    }
    let url: Rc<str> = match variables::get("database_url").await {
        Ok(url) => url.trim().into(),
        Err(error) => {
            return Err(StoreError::Unavailable(format!(
                "variable database_url: {error}"
            )));
        }
    };
    KNOWN.with_borrow_mut(|known| known.url = Some(url.clone()));
    Ok(url)
}

/// A bounded number of attempts at work that other writers stood in the way of.
pub(crate) struct Tries {
    left: u32,
    pause_ms: u64,
    began: Instant,
}

impl Tries {
    pub(crate) fn new() -> Self {
        Self {
            left: 6,
            pause_ms: 4,
            began: Instant::now(),
        }
    }

    /// Waits a little, longer each time and never as long as somebody else who collided at
    /// the same moment; gives up when no attempt is left, or when those that failed took
    /// as long as any call may.
    pub(crate) async fn again(&mut self, why: String) -> Result<(), StoreError> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || self.began.elapsed() > deadline::CALL {
            return Err(StoreError::Unavailable(why));
        }
        let [chance, ..] = crate::random();
        self.pause_ms *= 2;
        let pause_ms = self.pause_ms + self.pause_ms * u64::from(chance) / 256;
        spin_sdk::time::sleep(Duration::from_millis(pause_ms)).await;
        Ok(())
    }
}
